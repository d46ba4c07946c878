-- zmq_echo.lua ADDRESS: a ROUTER that sends back what comes.
local aw = require "aiowire"
local zmq = require "aiowire.zmq"

aw.run(function()
  local router = zmq.socket("router"):bind(arg[1])
  while true do
    router:send(router:recv())
  end
end)
