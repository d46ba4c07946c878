-- luasocket_lines.lua N PORT: reads N lines from a connection.
local socket = require "socket"

local server = assert(socket.bind("127.0.0.1", arg[2]))
local client = assert(server:accept())
for _ = 0, tonumber(arg[1]) do
  client:receive "*l"
end
