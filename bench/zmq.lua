-- zmq.lua: the servers that zmq_peers.c measures, on aiowire.
--
--   aiowire zmq.lua echo ADDRESS          a ROUTER that echoes, in one task
--   aiowire zmq.lua echo_multipart ADDRESS     the same by tables of parts
--   aiowire zmq.lua poller ADDRESS        a ROUTER that echoes, in a Poller
--   aiowire zmq.lua pull ADDRESS COUNT    a PULL; prints messages per second
--   aiowire zmq.lua pub ADDRESS COUNT     a PUB; prints messages per second

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

function servers.echo_multipart(address)
  local router = zmq.socket("router"):bind(address)
  local parts
  repeat
    parts = router:recv_multipart()
    router:send_multipart(parts)
  until parts[2] == ""
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

function servers.pub(address, count)
  local SUBSCRIBERS <const> = 100
  local pub = zmq.socket("pub", { sndhwm = 0, rcvhwm = 0, linger = 30000 })
  pub:bind(address)
  for i = 1, SUBSCRIBERS do
    pub:wait_subscriber("i" .. i)
  end
  local body = "x" .. ("\0"):rep(63)
  local start = aw.now()
  for _ = 1, count do
    pub:send(body)
  end
  print(("%.0f"):format(count / (aw.now() - start)))
  pub:close()
end

local name, address, count = ...
aw.run(function()
  servers[name](address, math.tointeger(count))
end)
