local copas = require "copas"

local count <const> = math.tointeger(arg[1])

copas(function()
  for _ = 1, count do
    copas.pause()
  end
end)
