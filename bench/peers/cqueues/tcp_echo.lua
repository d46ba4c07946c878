-- tcp_echo.lua PORT: sends back what comes.
local cqueues = require "cqueues"
local socket = require "cqueues.socket"

local queue = cqueues.new()
local server = socket.listen { host = "127.0.0.1", port = arg[1],
  nodelay = true }

queue:wrap(function()
  for client in server:clients() do
    client:setmode("b", "bn")
    queue:wrap(function()
      for chunk in client:lines(-65536) do
        client:write(chunk)
      end
      client:shutdown "rw"
    end)
  end
end)
assert(queue:loop())
