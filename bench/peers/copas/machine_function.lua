-- A state is a function that returns the next one. Between two of them, all
-- others have their turn.
local copas = require "copas"

local left = math.tointeger(arg[1])

local function state()
  left = left - 1
  if left > 0 then
    return state
  end
end

copas(function()
  local current = left > 0 and state
  while current do
    current = current()
    copas.pause()
  end
end)
