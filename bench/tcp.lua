-- tcp.lua: servers of TCP, compared with plain C, luv and asyncio.
--
--   aiowire bench/tcp.lua [BUILD_DIR [ROUNDS]] [OPTION…]   (build/release, 5)
--
--   --jobs=echo,idle,copy   some of the jobs; default: all
--   --servers=c,aiowire,…   some of the servers; default: all
--   --requests=N            in a measurement of echoes; default 200000
--   --connections=N         of the job idle; default 10000
--   --megabytes=N           of the job copy; default 4000
--   --csv=FILE              write all figures of all rounds, wall time too
--   --lines                 print medians as "name value unit", for run.lua
--
-- Each measurement has a server of its own, on a processor of its own if there
-- is `taskset`. In a round each server has its turn, so a slower machine slows
-- all of them. A figure is the CPU time of the server, which tcp_load.c reads.
-- The C programs are built by the target `bench`.
--
--   echo   a request of 64 bytes on one connection, and on each of 64
--   idle   memory for each idle connection, and a request among many of them
--   copy   a gigabyte from one connection to another

local aw = require "aiowire"

local here <const> = arg[0]:match "^(.*)/[^/]*$" or "."
local SIZE <const> = 64

local options = { jobs = "echo,idle,copy", servers = "all",
  requests = 200000, connections = 10000, megabytes = 4000 }
local words = {}
for _, word in ipairs(arg) do
  local name, value = word:match "^%-%-(%l+)=?(.*)$"
  if name then
    options[name] = tonumber(value) or value
  else
    words[#words + 1] = word
  end
end
local build <const> = words[1] or "build/release"
local rounds <const> = math.tointeger(words[2] or 5)

-- ── processes ──────────────────────────────────────────────────────────────

local pins <const> = aw.exec({ "sh", "-c",
  "command -v taskset && [ $(getconf _NPROCESSORS_ONLN) -gt 1 ]" }).ok

--- Return the command, to run on one processor.
local function pinned(processor, command)
  local all = pins and { "taskset", "-c", processor } or {}
  return table.move(command, 1, #command, #all + 1, all)
end

local function script(interpreter, name, ...)
  return { interpreter, here .. "/" .. name, ... }
end

local function host(name)
  return script(build .. "/aiowire", name)
end

local echo_servers <const> = {
  { "c", { build .. "/tcp_echo" } },
  { "queued", { build .. "/tcp_echo", "queued" } },
  { "aiowire", host "tcp_echo.lua" },
  { "luv", script("lua5.4", "tcp_echo_luv.lua"), needs = "lua-luv" },
  { "asyncio", script("/usr/bin/python3", "tcp_echo_asyncio.py"),
    needs = "python3" },
  { "uvloop", script("/usr/bin/python3", "tcp_echo_asyncio.py", "uvloop"),
    needs = "python3-uvloop" },
}

local copy_servers <const> = {
  { "c", { build .. "/tcp_copy" } },
  { "aiowire", host "tcp_copy.lua" },
}

--- Start a server. Return its process and port, or nothing if it does not
--- start and may be missing.
local function start(server)
  local command = pinned(1, server[2])
  command.stdin = "null"
  command.stderr = server.needs and "null" or "inherit"
  local process = aw.spawn(command)
  local port = process.stdout:read "l"
  if port then
    return process, port
  end
  process:close()
  if not server.needs then
    error("no server: " .. table.concat(server[2], " "), 0)
  end
  server.missing = true
end

-- ── figures ────────────────────────────────────────────────────────────────

--- figures[name] = list of values, one for each round; and names in their order
local figures, units, order = {}, {}, {}

local function keep(name, value, unit)
  if not figures[name] then
    figures[name], units[name] = {}, unit
    order[#order + 1] = name
  end
  table.insert(figures[name], value)
end

--- Run tcp_load against a server, and keep its figures. `at(count)` is called
--- when it has opened so many connections and waits.
local function measure(job, server, at, mode, ...)
  local process <close>, port = start(server)
  if not process then
    return
  end
  local command = pinned(0, { build .. "/tcp_load", mode, port, process.pid,
    ... })
  command.stderr = "inherit"
  local load <close> = aw.spawn(command)
  for line in load.stdout:lines() do
    local name, value, unit = line:match "^(%S+) (%S+) ?(%S*)$"
    if name == "open" then
      at(math.tointeger(value), process)
      load.stdin:write "\n"
    else
      keep(("%s %s %s"):format(job, name, server[1]), tonumber(value), unit)
    end
  end
  if not load:wait().ok then
    error(("tcp_load %s failed with server %s"):format(mode, server[1]), 0)
  end
end

local jobs = {}

function jobs.echo(server)
  for _, count in ipairs { 1, 64 } do
    local requests = count == 1 and options.requests // 4 or options.requests
    measure("echo-" .. count, server, nil, "echo", count, SIZE, requests)
  end
end

--- Keep the bytes of memory that aiowire itself counts for each connection.
function jobs.idle(server)
  local before
  local function look(count, process)
    if server[1] ~= "aiowire" then
      return
    end
    process:kill "USR1"
    local bytes = tonumber(process.stdout:read "l")
    if count == 1 then
      before = bytes
    else
      keep("idle bytes aiowire", (bytes - before) / (count - 1), "B")
    end
  end
  measure("idle", server, look, "idle", options.connections, SIZE,
    options.requests // 4)
end

function jobs.copy(server)
  measure("copy", server, nil, "copy", options.megabytes)
end

-- ── the table ──────────────────────────────────────────────────────────────

local function sorted(name)
  local list = table.move(figures[name], 1, #figures[name], 1, {})
  table.sort(list)
  return list
end

local function median(name)
  local list = sorted(name)
  return list[(#list + 1) // 2]
end

local function print_lines()
  for _, name in ipairs(order) do
    print(("tcp_%s %.4f %s"):format(name:gsub("[ -]", "_"), median(name),
      units[name]))
  end
end

--- The ratio is that to the server in C.
local function print_row(name)
  local list = sorted(name)
  local floor = name:gsub("%S+$", "c")
  local ratio = name ~= floor and figures[floor]
    and ("%.2f"):format(median(name) / median(floor)) or ""
  print(("%-26s %10.2f %10.2f %10.2f %-2s %6s"):format(name, median(name),
    list[1], list[#list], units[name], ratio))
end

local function print_table()
  print(("%-26s %10s %10s %10s %-2s %6s"):format("figure", "median", "least",
    "most", "", "ratio"))
  for _, name in ipairs(order) do
    if not name:find "_wall" then
      print_row(name)
    end
  end
end

local function write_csv(path)
  local file <close> = assert(io.open(path, "w"))
  file:write "job,figure,server,unit,round,value\n"
  for _, name in ipairs(order) do
    local job, figure, server = name:match "(%S+) (%S+) (%S+)"
    for round, value in ipairs(figures[name]) do
      file:write(("%s,%s,%s,%s,%d,%.4f\n"):format(job, figure, server,
        units[name], round, value))
    end
  end
end

local function chosen(servers)
  local list = {}
  for _, server in ipairs(servers) do
    local asked = (","..options.servers..","):find(","..server[1]..",", 1, true)
    if (options.servers == "all" or asked) and not server.missing then
      list[#list + 1] = server
    end
  end
  return list
end

for _ = 1, rounds do
  for job in options.jobs:gmatch "%l+" do
    for _, server in ipairs(chosen(job == "copy" and copy_servers
      or echo_servers)) do
      io.stderr:write "."
      jobs[job](server)
    end
  end
end
io.stderr:write "\n"

for _, server in ipairs(echo_servers) do
  if server.missing then
    io.stderr:write(("no figures of %s: it takes %s\n"):format(server[1],
      server.needs))
  end
end
if options.lines then
  print_lines()
else
  print_table()
end
if options.csv then
  write_csv(options.csv)
end
