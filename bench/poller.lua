-- poller.lua: a Poller of many descriptors, few of them active. The cost of an
-- event must depend on the active ones only.
--
--   aiowire bench/poller.lua [descriptors [active [rounds]]]
--
-- The script uses UDP sockets of LuaSocket. It prints the CPU time of an event
-- among `descriptors` sockets, among 2 * `active` sockets, and of sending and
-- receiving alone. run.lua runs this script with a sufficient limit of
-- descriptors.
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
  local spent
  aw.run(function(ev)
    ev:start(poller)
    while aw.stats().handles < count do
      aw.sleep(0.01) -- until the Poller watches all sockets
    end
    aw.sleep(0.01)
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
  -- Sending and receiving without an engine.
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
  return spent * ns, floor * ns
end

measure(2 * active) -- warm up
local few <const> = measure(2 * active)
local many <const>, sockets <const> = measure(most)
print(("poller_many %.2f ns"):format(many))
print(("poller_few %.2f ns"):format(few))
print(("poller_sockets %.2f ns"):format(sockets))
