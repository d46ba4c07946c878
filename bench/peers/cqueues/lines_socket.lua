-- lines_socket.lua N PORT: reads N lines from a connection.
local cqueues = require "cqueues"
local socket = require "cqueues.socket"

local left = tonumber(arg[1])
local queue = cqueues.new()

queue:wrap(function()
  local server = socket.listen("127.0.0.1", arg[2])
  for _ in server:accept():lines() do
    left = left - 1
    if left < 0 then
      break
    end
  end
end)
assert(queue:loop())
