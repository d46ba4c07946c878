local aw = require "aiowire"

local left = math.tointeger(arg[1])

local step
step = aw.Wire(function()
  left = left - 1
  if left > 0 then
    return step
  end
end)

aw.run(step)
