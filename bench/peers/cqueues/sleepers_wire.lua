-- Each is a coroutine: cqueues has no timers with callbacks.
local cqueues = require "cqueues"

local seed = 1
local cq = cqueues.new()
for _ = 1, math.tointeger(arg[1]) do
  seed = seed * 1103515245 + 12345 & 0x7fffffff
  cq:wrap(cqueues.sleep, (500 + seed % 500) / 1000)
end
assert(cq:loop())
