-- run.lua: a table of all measurements, with their floors.
--
--   ./dev bench [ROUNDS]
--   lua5.4 bench/run.lua [BUILD_DIR [ROUNDS]]     (build/release, 5)
--
-- A floor is the least that the same work can cost without aiowire. Each round
-- runs floors.c, bench.lua under the program and under lua5.4, luv's timers,
-- the Poller, exec, servers of TCP and ZeroMQ, one after the other, so that a
-- slower machine slows all of them. A figure is the median of its rounds. Times
-- are CPU time, except for ZeroMQ: wall time. The exit status is 1 if a figure
-- exceeds its target.

local build <const> = arg[1] or "build/release"
local rounds <const> = math.tointeger(arg[2] or 5)
local here <const> = arg[0]:match "^(.*)/[^/]*$" or "."

--- Quote a word for sh.
local function quote(word)
  return "'" .. word:gsub("'", [['\'']]) .. "'"
end

local host <const> = quote(build .. "/aiowire")
local stock <const> = "LUA_CPATH_5_4=" .. quote(build .. "/?.so;;") .. " lua5.4"
local floors <const> = quote(build .. "/floors")
local peers <const> = quote(build .. "/zmq_peers")

--- Compile floors.c, unless the target `bench` of the build has done that.
local function compile_floors()
  local made = io.open(build .. "/floors")
  if made then
    made:close()
    return
  end
  local source = quote(here .. "/floors.c")
  local command = ("${CC:-cc} -std=c11 -O2 -o %s %s"):format(floors, source)
  if not os.execute(command .. " $(pkg-config --cflags --libs lua5.4)") then
    error "bench/floors.c does not compile"
  end
end

--- figures[name] = list of values, one for each round
local figures, units = {}, {}

--- Run `command` and keep the "name value unit" lines that it prints.
local function collect(prefix, command, optional)
  io.stderr:write(".")
  local pipe = assert(io.popen(command .. (optional and " 2>&1" or "")))
  local text = pipe:read "a"
  if not pipe:close() then
    if optional then
      return
    end
    error(command .. " failed\n" .. text, 0)
  end
  for name, value, unit in text:gmatch "(%S+) (%S+) (%S+)\n" do
    local list = figures[prefix .. name] or {}
    list[#list + 1] = tonumber(value)
    figures[prefix .. name], units[prefix .. name] = list, unit
  end
end

local function median(name)
  local list = figures[name]
  if not list then
    return nil
  end
  table.sort(list)
  return list[(#list + 1) // 2]
end

local function measure_round()
  local script = quote(here .. "/bench.lua")
  collect("", floors)
  collect("", floors .. " sleepers")
  collect("", "lua5.4 " .. quote(here .. "/luv_timers.lua"), true)
  for _, pair in ipairs { { "host_", host }, { "lua_", stock } } do
    local prefix, interpreter = pair[1], pair[2]
    for _, group in ipairs { "steps", "algebra", "wires", "bodies", "cancel",
      "errors" } do
      collect(prefix, ("%s %s %s"):format(interpreter, script, group))
    end
    local million = "%s %s wires 1000000"
    collect(prefix .. "million_", million:format(interpreter, script))
  end
end

local enough <const> = "ulimit -Sn $(ulimit -Hn) && "

--- Measure waits for descriptors and processes. The table has no Poller without
--- LuaSocket, or without enough descriptors.
local function measure_io()
  collect("", enough .. ("%s %s"):format(host, quote(here .. "/poller.lua")),
    true)
  collect("", ("%s %s %s 1"):format(host, quote(here .. "/spawn.lua"),
    quote(build)))
end

--- Run `command`, which prints messages per second; keep the time per message.
local function keep_rate(name, command)
  local pipe = assert(io.popen(command .. " 2>/dev/null"))
  local rate = tonumber(pipe:read "l")
  pipe:close()
  if rate then
    local list = figures[name] or {}
    list[#list + 1] = 1e6 / rate
    figures[name], units[name] = list, "us"
  end
end

--- Start a server and measure it under `load`, which also ends the server.
local function echo_rate(prefix, server, address, clients, count)
  local command = ("rm -f %s; timeout 60 %s & sleep 0.3; "
    .. "timeout 60 %s load ipc://%s %s %d; wait")
    :format(address, server:format("ipc://" .. address), peers, address,
      clients, count)
  keep_rate(prefix, command)
end

--- Start a server that measures itself, and its `peer`.
local function own_rate(prefix, server, peer, address, count)
  local command = ("rm -f %s; timeout 60 %s & sleep 0.3; "
    .. "timeout 60 %s %s ipc://%s %d; wait"):format(address,
    server:format("ipc://" .. address, count), peers, peer, address, count)
  keep_rate(prefix, command)
end

--- Measure sockets of ZeroMQ in wall time, since two processes and the threads
--- of libzmq share the work. Does nothing if the build had no headers of
--- libzmq.
local function measure_zmq()
  local file = io.open(build .. "/zmq_peers")
  if not file then
    return
  end
  file:close()
  local address = os.tmpname()
  local script = quote(here .. "/zmq.lua")
  local ours = host .. " " .. script
  local python = "/usr/bin/python3 " .. quote(here .. "/zmq_asyncio.py")
  for _, load in ipairs { { "many", "16 32", 200000 }, { "one", "1 1", 5000 } }
  do
    local name, clients, count = table.unpack(load)
    echo_rate("zmq_c_" .. name, peers .. " echo %s", address, clients, count)
    echo_rate("zmq_" .. name, ours .. " echo %s", address, clients, count)
  end
  echo_rate("zmq_multipart", ours .. " echo_multipart %s", address, "16 32",
    200000)
  echo_rate("zmq_zloop", peers .. " zloop %s", address, "16 32", 100000)
  echo_rate("zmq_poller", ours .. " poller %s", address, "16 32", 100000)
  if os.execute "/usr/bin/python3 -c 'import zmq' 2>/dev/null" then
    echo_rate("zmq_asyncio", python .. " %s", address, "16 32", 5000)
  end
  for _, way in ipairs { { "pull", "push", 300000 }, { "pub", "sub", 5000 } } do
    local name, peer, count = table.unpack(way)
    own_rate("zmq_c_" .. name, ("%s %s %%s %%d"):format(peers, name), peer,
      address, count)
    own_rate("zmq_" .. name, ("%s %s %%s %%d"):format(ours, name), peer,
      address, count)
  end
  collect("", ("%s %s %s 1"):format(host, quote(here .. "/zmq_proxy.lua"),
    quote(build)))
  os.remove(address)
end

--- Measure servers of TCP; asyncio's and luv's only where they are installed.
local function measure_tcp()
  local command = "%s %s %s 1 --lines --servers=c,aiowire,luv,asyncio "
    .. "--requests=50000 --megabytes=2000 2>/dev/null"
  collect("", enough .. command:format(host, quote(here .. "/tcp.lua"),
    quote(build)))
end

local function measure_lines()
  collect("", ("%s %s 1000 3 %s"):format(host, quote(here .. "/lines.lua"),
    quote(build)))
end

local function measure_startup()
  collect("", ([[%s startup 50 lua5.4 -e '' -- lua5.4 -e 'require "aiowire"' ]]
    .. [[-- %s -e '']]):format(stock:gsub("lua5.4$", "") .. floors, host))
end

-- Rows: title, figure (for host_ and lua_), floor (a figure or nil), and a
-- target: a multiple of the floor (`ratio`), or a number in the figure's unit
-- (`most`). A row without a target is for information.
local rows <const> = {
  { "Call(f) * N, each", "call", "pcall", ratio = 1.25 },
  { "a body that returns itself", "self", "pooled_run", ratio = 1 },
  { "aw.yield(), alone", "yield", "resume_yield", ratio = 2.5 },
  { "aw.yield(), two in turn", "yield_two", "resume_yield", ratio = 2.5 },
  { "a channel's hand-over, rendezvous", "rendezvous", "resume_yield",
    ratio = 4 },
  { "  by a buffer of 64", "buffered", "resume_yield", ratio = 4 },
  { "  by a buffer of 1", "buffered_one", "resume_yield", ratio = 4 },
  { "(Sleep(10) | Call(f)) * N, each", "race", nil, most = 1000 },
  { "  memory after 1,000,000", "race_growth", nil, most = 4096 },
  { "// over a raising body", "fallback", nil, most = 3000 },
  { "& of 1,000, an operand", "join_1000", "@join_10", ratio = 2 },
  { "200,000 sleeping wires, each", "wires", "luv_timer", ratio = 0.1 },
  { "  where luv's timers cost 10 us", "wires", nil, most = 1 },
  { "  memory", "wires_bytes", "luv_timer_rss", most = 300 },
  { "  memory, resident", "wires_rss", "luv_timer_rss" },
  { "1,000,000 sleeping wires, each", "million_wires", "@wires", ratio = 2 },
  { "  memory", "million_wires_bytes", "luv_timer_rss", most = 300 },
  { "100,000 sleeping bodies, each", "bodies", "coroutine", ratio = 1.3 },
  { "  beside collected coroutines", "bodies", "coroutine_life" },
  { "  memory", "bodies_bytes", "coroutine_bytes", most = 1638 },
  { "  memory, resident", "bodies_rss", "coroutine_bytes" },
  { "cancel of a sleeping body", "cancel", nil, most = 1.5 },
  { "cancel of 10,000 nested scopes, each", "cancel_nested",
    "@cancel_nested_1000", ratio = 2 },
  { "an error raised and handled", "error", nil, most = 3 },
}

local io_rows <const> = {
  { "an event of a Poller, 100 of 10,000", "poller_many", "poller_few",
    ratio = 1.15 },
  { "  its sockets alone", "poller_sockets" },
  { "exec, one at a time", "exec_1", "exec_1_floor", ratio = 1.15 },
  { "exec, 64 at a time", "exec_64", "exec_64_floor", ratio = 1.15 },
  { "a line from a child's pipe, 1 GB", "line_piped", "line_of_file",
    ratio = 2 },
  { "  from a socket", "line_of_socket", "line_of_file", ratio = 2 },
}

-- The floor of a request among many is a request alone: both wait in the
-- kernel, so both vary.
local tcp_rows <const> = {
  { "TCP echo, 64 connections, each", "tcp_echo_64_cpu_aiowire",
    "tcp_echo_64_cpu_c", ratio = 1.15 },
  { "  beside luv's callbacks", "tcp_echo_64_cpu_aiowire",
    "tcp_echo_64_cpu_luv", ratio = 1 },
  { "  beside asyncio's streams", "tcp_echo_64_cpu_aiowire",
    "tcp_echo_64_cpu_asyncio", ratio = 1 / 2.5 },
  { "TCP echo, 1 connection", "tcp_echo_1_cpu_aiowire",
    "tcp_echo_1_cpu_c" },
  { "  beside 10,000 idle ones", "tcp_idle_among_aiowire",
    "tcp_idle_alone_aiowire", ratio = 1.15 },
  { "an idle connection, of 10,000", "tcp_idle_bytes_aiowire",
    "tcp_idle_rss_c", most = 8192 },
  { "  memory, resident", "tcp_idle_rss_aiowire", "tcp_idle_rss_asyncio",
    most = 8192 },
  { "aw.copy of a gigabyte", "tcp_copy_copy_aiowire", "tcp_copy_copy_c",
    ratio = 1.2 },
}

-- The Poller is compared with zmq_asyncio.py, which works as the Python package
-- does: on pyzmq's asyncio Poller.
local zmq_rows <const> = {
  { "ROUTER echo, 16 clients x 32, each", "zmq_many", "zmq_c_many",
    ratio = 1 / 0.8 },
  { "  by tables of parts", "zmq_multipart", "zmq_c_many", ratio = 1 / 0.7 },
  { "  beside CZMQ's zloop", "zmq_many", "zmq_zloop", ratio = 1 / 2.2 },
  { "  by a Poller", "zmq_poller", "zmq_c_many", ratio = 1 / 0.6 },
  { "  by a Poller, beside asyncio", "zmq_poller", "zmq_asyncio",
    ratio = 1 / 30 },
  { "ROUTER echo, one at a time", "zmq_one", "zmq_c_one", ratio = 1 / 0.9 },
  { "PULL, each message", "zmq_pull", "zmq_c_pull", ratio = 1 / 0.7 },
  { "PUB to 100 subscribers, each message", "zmq_pub", "zmq_c_pub",
    ratio = 1 / 0.9 },
  { "Proxy: a request and its reply", "zmq_proxy_requests",
    "zmq_c_proxy_requests", ratio = 1.5 },
  { "  CPU time of the proxy", "zmq_proxy_requests_cpu",
    "zmq_c_proxy_requests_cpu", ratio = 1.5 },
  { "Proxy: topics, each message", "zmq_proxy_topics", "zmq_c_proxy_topics",
    ratio = 1.5 },
  { "  CPU time of the proxy", "zmq_proxy_topics_cpu", "zmq_c_proxy_topics_cpu",
    ratio = 1.5 },
  { "Proxy: jobs, each message", "zmq_proxy_jobs", "zmq_c_proxy_jobs",
    ratio = 1.5 },
  { "  CPU time of the proxy", "zmq_proxy_jobs_cpu", "zmq_c_proxy_jobs_cpu",
    ratio = 1.5 },
}

local failed = false

local function show(title, value, unit, floor, row)
  local ratio = floor and value / floor
  local target, verdict = "", ""
  local over
  if row.ratio and ratio then
    target, over = ("%.2f x"):format(row.ratio), ratio > row.ratio
  elseif row.most then
    target, over = ("%g %s"):format(row.most, unit), value > row.most
  end
  if over ~= nil then
    verdict, failed = over and "OVER" or "ok", failed or over
  end
  print(("%-37s %9.2f %-2s %9s %7s %9s  %s"):format(
    title, value, unit, floor and ("%.2f"):format(floor) or "",
    ratio and ("%.2f"):format(ratio) or "", target, verdict))
end

local function show_rows(list, prefix, name)
  for _, row in ipairs(list) do
    local floor = row[3] and median((row[3]:gsub("^@", prefix)))
    local figure = prefix .. row[2]
    local title = row[1]:find "^ " and row[1] or name .. row[1]
    if median(figure) then
      show(title, median(figure), units[figure], floor, row)
    end
  end
end

local function machine()
  local file = io.open "/proc/cpuinfo"
  local model = file and file:read("a"):match "model name%s*:%s*([^\n]*)"
  if file then
    file:close()
  end
  return model or "unknown processor"
end

compile_floors()
for _ = 1, rounds do
  measure_round()
  measure_io()
  measure_tcp()
  measure_zmq()
end
measure_lines()
measure_startup()
io.stderr:write "\n"

print(("%s; medians of %d rounds, CPU time"):format(machine(), rounds))
print(("%-37s %9s %-2s %9s %7s %9s"):format(
  "figure", "value", "", "floor", "ratio", "target"))
show_rows(rows, "host_", "host: ")
show_rows(rows, "lua_", "lua5.4: ")
show_rows(io_rows, "", "")
show_rows(tcp_rows, "", "")
show_rows(zmq_rows, "", "")
local bare <const> = median "startup_1"
show("start: lua5.4 -e 'require \"aiowire\"'", median "startup_2", "ms", bare,
  { ratio = 1.6 })
show("start: aiowire -e ''", median "startup_3", "ms", bare, { ratio = 1.6 })
if not figures.luv_timer then
  print "luv is not installed (lua-luv): its rows have no floor"
end
if not figures.poller_many then
  print "no row of a Poller: it takes LuaSocket and 10,000 descriptors"
end
if figures.tcp_echo_64_cpu_c and not figures.tcp_echo_64_cpu_asyncio then
  print "no floor by asyncio's streams: it takes python3"
end
if not figures.zmq_many then
  print "no rows of ZeroMQ: they take libzmq's headers (libzmq3-dev)"
elseif not figures.zmq_asyncio then
  print "no floor for a Poller of sockets: it takes python3-zmq"
end
os.exit(not failed)
