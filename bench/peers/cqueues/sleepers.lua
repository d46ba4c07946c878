local cqueues = require "cqueues"

local seed = 1

local function sleeper()
  seed = seed * 1103515245 + 12345 & 0x7fffffff
  cqueues.sleep((500 + seed % 500) / 1000)
end

local cq = cqueues.new()
for _ = 1, math.tointeger(arg[1]) do
  cq:wrap(sleeper)
end
assert(cq:loop())
