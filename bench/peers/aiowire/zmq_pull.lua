-- zmq_pull.lua N ADDRESS: receives N messages.
local aw = require "aiowire"
local zmq = require "aiowire.zmq"

aw.run(function()
  local pull <close> = zmq.socket("pull"):bind(arg[2])
  for _ = 1, tonumber(arg[1]) do
    pull:recv()
  end
end)
