-- The server of spec/zmq/zmq_crash_spec.lua, a Service that is killed.
--
-- zmq_service_server.lua TYPE ADDRESS: writes each request, then answers it.
local aw = require "aiowire"
local zmq = require "aiowire.zmq"

io.stdout:setvbuf "line"

aw.run(function()
  local s <close> = zmq.socket(arg[1]):bind(arg[2])
  aw.await(zmq.Service(s, function(_, body)
    print(body)
    if body == "hang" then
      aw.sleep(100)
    end
    aw.sleep(0.001)
    return "re:" .. body
  end))
end)
