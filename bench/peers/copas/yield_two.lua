local copas = require "copas"

local count <const> = math.tointeger(arg[1])

for _ = 1, 2 do
  copas.addthread(function()
    for _ = 1, count // 2 do
      copas.pause()
    end
  end)
end
copas()
