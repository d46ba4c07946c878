-- Each is a coroutine: so are the timers of copas, and those cost more.
local copas = require "copas"

local seed = 1
for _ = 1, math.tointeger(arg[1]) do
  seed = seed * 1103515245 + 12345 & 0x7fffffff
  copas.addthread(copas.pause, (500 + seed % 500) / 1000)
end
copas()
