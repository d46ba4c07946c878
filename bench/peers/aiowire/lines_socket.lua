-- lines_socket.lua N PORT: reads N lines from a connection.
local aw = require "aiowire"

local left = tonumber(arg[1])
aw.run(function()
  local server <close> = aw.tcp.listen("127.0.0.1", arg[2])
  local stream <close> = server:accept()
  for _ in stream:lines() do
    left = left - 1
    if left < 0 then
      break
    end
  end
end)
