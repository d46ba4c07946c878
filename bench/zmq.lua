-- zmq.lua: the servers that zmq_peers.c measures, on aiowire.
--
--   aiowire zmq.lua echo ADDRESS          a ROUTER that echoes, in one task
--   aiowire zmq.lua poller ADDRESS        a ROUTER that echoes, in a Poller
--   aiowire zmq.lua pull ADDRESS COUNT    a PULL; prints messages per second

local aw = require "aiowire"
local zmq = require "aiowire.zmq"

local servers = {}

function servers.echo(address)
  local router = zmq.socket("router"):bind(address)
  local id, body
  repeat
    id, body = router:recv()
    router:send(id, body)
  until body == ""
  router:close()
end

function servers.poller(address)
  local router = zmq.socket("router"):bind(address)
  local poller
  poller = aw.Poller { [router] = function()
    local id, body = router:recv()
    router:send(id, body)
    if body == "" then
      poller:shutdown()
    end
  end }
  aw.await(poller)
  router:close()
end

function servers.pull(address, count)
  local pull = zmq.socket("pull"):bind(address)
  pull:recv()
  local start = aw.now()
  for _ = 2, count do
    pull:recv()
  end
  print(("%.0f"):format(count / (aw.now() - start)))
  pull:close()
end

local name, address, count = ...
aw.run(function()
  servers[name](address, math.tointeger(count))
end)
