-- tcp_copy.lua N PORT: copies N megabytes from one connection to the next.
local cqueues = require "cqueues"
local socket = require "cqueues.socket"

local queue = cqueues.new()

queue:wrap(function()
  local server = socket.listen("127.0.0.1", arg[2])
  local from, to = server:accept(), server:accept()
  from:setmode("b", "bn")
  to:setmode("b", "bn")
  for chunk in from:lines(-65536) do
    to:write(chunk)
  end
  to:close()
end)
assert(queue:loop())
