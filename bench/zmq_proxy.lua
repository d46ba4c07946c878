-- zmq_proxy.lua: zmq.Proxy beside zmq_proxy of libzmq.
--
--   aiowire bench/zmq_proxy.lua BUILD_DIR [ROUNDS [COUNT]]
--   aiowire bench/zmq_proxy.lua proxy KIND FRONT BACK    what is measured
--
-- The two take turns, a round each, since the speed of a machine changes. It
-- prints lines of "name value us": the medians of the time, and of the CPU time
-- of the process of the proxy, for each message. KIND is one of those of
-- zmq_proxy.c, which is the other proxy and the load.

local aw = require "aiowire"
local zmq = require "aiowire.zmq"

local kinds <const> = {
  requests = { "router", "dealer" },
  topics = { "xsub", "xpub" },
  jobs = { "pull", "push" },
}
local order <const> = { "requests", "topics", "jobs" }

local function open(type, address)
  local options = type == "xpub" and { sndhwm = 0 } or {}
  options.linger = 0
  return zmq.socket(type, options):bind(address)
end

local function proxy(kind, front, back)
  local types = kinds[kind]
  aw.await(zmq.Proxy(open(types[1], front), open(types[2], back)))
end

-- ---- measuring ----

local function median(list)
  table.sort(list)
  return list[#list // 2 + 1]
end

--- Return the CPU seconds of the threads of a process.
local function cpu_of(pid)
  local sum = 0
  for thread in aw.exec("ls", ("/proc/%d/task"):format(pid)).out:gmatch "%d+" do
    local file <close> =
      io.open(("/proc/%d/task/%s/schedstat"):format(pid, thread))
    sum = sum + (file and file:read "n" or 0)
  end
  return sum / 1e9
end

local number = 0

local function measure(command, program, kind, count)
  number = number + 1
  local front = ("ipc://@aiowire-bench-%d-f%d"):format(os.time(), number)
  local back = front:gsub("f", "b")
  local words = { table.unpack(command) }
  table.move({ "proxy", kind, front, back }, 1, 4, #words + 1, words)
  local server <close> = aw.spawn(words)
  aw.sleep(0.3)
  local before = cpu_of(server.pid)
  local load = aw.exec { program, "load", kind, front, back, tostring(count),
    check = true }
  local cpu = cpu_of(server.pid) - before
  server:kill()
  return 1e6 / tonumber(load.out), cpu / count * 1e6
end

local function compare(build, rounds, count)
  local program = build .. "/zmq_proxy"
  local both <const> = { zmq_c_proxy = { program },
    zmq_proxy = { build .. "/aiowire", arg[0] } }
  for _, kind in ipairs(order) do
    local times, cpus = {}, {}
    for i = 1, rounds do
      for name, command in pairs(both) do
        times[name], cpus[name] = times[name] or {}, cpus[name] or {}
        times[name][i], cpus[name][i] = measure(command, program, kind, count)
      end
    end
    for name in pairs(both) do
      print(("%s_%s %.4f us"):format(name, kind, median(times[name])))
      print(("%s_%s_cpu %.4f us"):format(name, kind, median(cpus[name])))
    end
  end
end

local first <const>, second <const>, third <const>, fourth <const> = ...
aw.run(function()
  if first == "proxy" then
    proxy(second, third, fourth)
  else
    compare(first, tonumber(second) or 5, tonumber(third) or 300000)
  end
end)
