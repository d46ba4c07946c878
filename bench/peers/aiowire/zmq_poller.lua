-- zmq_poller.lua ADDRESS: the same, called back by a Poller.
local aw = require "aiowire"
local zmq = require "aiowire.zmq"

aw.run(function()
  local router = zmq.socket("router"):bind(arg[1])
  return aw.Poller { [router] = function()
    router:send(router:recv())
  end }
end)
