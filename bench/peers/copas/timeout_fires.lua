local copas = require "copas"

local function sleeper()
  copas.timeout(0.1, copas.wakeup)
  copas.pause(10)
end

for _ = 1, math.tointeger(arg[1]) do
  copas.addthread(sleeper)
end
copas()
