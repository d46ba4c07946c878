-- lines_socket.lua N PORT: reads N lines from a connection.
local copas = require "copas"
local socket = require "socket"

local left = tonumber(arg[1])
local server = assert(socket.bind("127.0.0.1", arg[2]))

copas.addserver(server, function(client)
  client = copas.wrap(client)
  while left >= 0 do
    client:receive "*l"
    left = left - 1
  end
  os.exit()
end)
copas.loop()
