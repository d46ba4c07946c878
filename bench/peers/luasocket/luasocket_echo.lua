-- luasocket_echo.lua PORT: sends back what comes, a connection at a time.
local socket = require "socket"

local server = assert(socket.bind("127.0.0.1", arg[1], 1024))

while true do
  local client = assert(server:accept())
  client:setoption("tcp-nodelay", true)
  repeat
    local data = client:receive(64)
  until not data or not client:send(data)
  client:close()
end
