-- A state is an object whose method returns the next one. Between two of them,
-- all others have their turn.
local copas = require "copas"

local left = math.tointeger(arg[1])

local State = {}
State.__index = State

function State:run()
  left = left - 1
  if left > 0 then
    return self
  end
end

copas(function()
  local current = left > 0 and setmetatable({}, State)
  while current do
    current = current:run()
    copas.pause()
  end
end)
