-- zmq_echo_multipart.lua ADDRESS: the same by tables of parts.
local aw = require "aiowire"
local zmq = require "aiowire.zmq"

aw.run(function()
  local router = zmq.socket("router"):bind(arg[1])
  while true do
    router:send_multipart(router:recv_multipart())
  end
end)
