-- zmq_proxy.lua: zmq.Proxy beside zmq_proxy of libzmq.
--
--   aiowire bench/zmq_proxy.lua BUILD_DIR [ROUNDS [COUNT]]
--   aiowire bench/zmq_proxy.lua proxy KIND FRONT BACK    what is measured
--
-- The two take turns, a round each, since the speed of a machine changes. A row
-- has the medians of messages per second, and of the CPU time of the process of
-- the proxy for each message. KIND is one of those of zmq_proxy.c.

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

--- Return the CPU seconds of a process.
local function cpu_of(pid)
  local TICKS <const> = 100
  local file <close> = assert(io.open(("/proc/%d/stat"):format(pid)))
  local text = file:read "a"
  local fields = {}
  for field in text:match "%) (.*)$":gmatch "%S+" do
    fields[#fields + 1] = field
  end
  return (fields[12] + fields[13]) / TICKS
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
  return tonumber(load.out), cpu / count
end

local function compare(build, rounds, count)
  local program = build .. "/zmq_proxy"
  local both = { { program }, { build .. "/aiowire", arg[0] } }
  print(("%-10s %12s %12s %7s %10s %10s %7s"):format("", "libzmq /s",
    "aiowire /s", "ratio", "CPU us", "CPU us", "ratio"))
  for _, kind in ipairs(order) do
    local rates, cpus = { {}, {} }, { {}, {} }
    for i = 1, rounds do
      for which, command in ipairs(both) do
        rates[which][i], cpus[which][i] =
          measure(command, program, kind, count)
      end
    end
    local rate, cpu = {}, {}
    for which = 1, 2 do
      rate[which], cpu[which] = median(rates[which]), median(cpus[which]) * 1e6
    end
    print(("%-10s %12.0f %12.0f %7.2f %10.2f %10.2f %7.2f"):format(kind,
      rate[1], rate[2], rate[1] / rate[2], cpu[1], cpu[2], cpu[2] / cpu[1]))
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
