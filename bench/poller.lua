-- A Poller over many descriptors of which few are active: what an event costs
-- must depend on the active ones only.
--
--   aiowire bench/poller.lua [descriptors [active [rounds]]]
--
-- Uses LuaSocket's socket pairs by way of connected UDP sockets. Raise the
-- limit of descriptors first: ulimit -n 25000
local aw = require "aiowire"
local socket = require "socket"

local most = math.tointeger(arg[1]) or 10000
local active = math.tointeger(arg[2]) or 100
local rounds = math.tointeger(arg[3]) or 200

local function new_socket()
  local s = assert(socket.udp())
  assert(s:setsockname("127.0.0.1", 0))
  s:settimeout(0)
  return s
end

local function measure(count)
  local sender = assert(socket.udp())
  local sockets, ports = {}, {}
  local events = 0
  local poller = aw.Poller {}
  for i = 1, count do
    local s = new_socket()
    sockets[i] = s
    ports[i] = select(2, s:getsockname())
    poller:register(s:getfd(), function()
      s:receive()
      events = events + 1
    end)
  end
  local before = collectgarbage "count"
  local spent, register
  aw.run(function(ev)
    local t = aw.now()
    ev:start(poller)
    while aw.stats().handles < count do
      aw.sleep(0.01) -- it has yet to start all of them
    end
    aw.sleep(0.01)
    register = aw.now() - t
    local start = os.clock()
    for round = 1, rounds do
      for i = 1, active do
        sender:sendto("x", "127.0.0.1", ports[i * (count // active)])
      end
      while events < round * active do
        aw.sleep(0)
      end
    end
    spent = os.clock() - start
    poller:shutdown()
  end)
  collectgarbage()
  -- What sending and receiving cost without any engine.
  local start = os.clock()
  for _ = 1, rounds do
    for i = 1, active do
      local at = i * (count // active)
      sender:sendto("x", "127.0.0.1", ports[at])
      sockets[at]:receive()
    end
  end
  local floor = os.clock() - start
  for _, s in ipairs(sockets) do
    s:close()
  end
  sender:close()
  local ns = 1e9 / (rounds * active)
  print(("%6d descriptors, %d active: %6.0f ns an event, %6.0f ns of it the "
    .. "sockets; started in %.0f ms, %.0f KiB of Lua"):format(count, active,
    spent * ns, floor * ns, register * 1e3, before))
  return (spent - floor) * ns
end

local few = measure(active)
local many = measure(most)
print(("an event costs %.0f ns among %d and %.0f ns among %d: %.2f x"):format(
  few, active, many, most, many / few))
