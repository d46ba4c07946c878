-- tcp_copy.lua N PORT: copies N megabytes from one connection to the next.
local copas = require "copas"
local socket = require "socket"

local server = assert(socket.bind("127.0.0.1", arg[2], 2))
local from

local function copy(to)
  while true do
    local all, err, part = copas.receivePartial(from, 65536)
    copas.send(to, all or part)
    if err == "closed" then
      os.exit()
    end
  end
end

copas.autoclose = false
copas.addserver(server, function(client)
  if from then
    copy(client)
  else
    from = client
  end
end)
copas.loop()
