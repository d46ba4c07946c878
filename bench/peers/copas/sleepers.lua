local copas = require "copas"

local seed = 1

local function sleeper()
  seed = seed * 1103515245 + 12345 & 0x7fffffff
  copas.pause((500 + seed % 500) / 1000)
end

for _ = 1, math.tointeger(arg[1]) do
  copas.addthread(sleeper)
end
copas()
