-- A state is a function that returns the next one. Between two of them, all
-- others have their turn.
local copas = require "copas"

local left = math.tointeger(arg[1])
local pong

local function ping()
  left = left - 1
  if left > 0 then
    return pong
  end
end

function pong()
  left = left - 1
  if left > 0 then
    return ping
  end
end

copas(function()
  local current = left > 0 and ping
  while current do
    current = current()
    copas.pause()
  end
end)
