-- zmq_pub.lua N ADDRESS: publishes N messages to 100 subscribers.
local aw = require "aiowire"
local zmq = require "aiowire.zmq"

local body = "x" .. ("\0"):rep(63)
aw.run(function()
  local pub = zmq.socket("pub", { sndhwm = 0, rcvhwm = 0, linger = 30000 })
  pub:bind(arg[2])
  for i = 1, 100 do
    pub:wait_subscriber("i" .. i)
  end
  for _ = 1, tonumber(arg[1]) do
    pub:send(body)
  end
  pub:close()
end)
