-- tcp_echo.lua PORT: sends back what comes.
local copas = require "copas"
local socket = require "socket"

local server = assert(socket.bind("127.0.0.1", arg[1], 1024))

copas.addserver(server, function(client)
  client:setoption("tcp-nodelay", true)
  client = copas.wrap(client)
  client:settimeout(0) -- receive what is there
  while true do
    local all, err, part = client:receive(65536)
    if err == "closed" then
      break
    end
    client:send(all or part)
  end
end)
copas.loop()
