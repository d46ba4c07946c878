-- A task that can be cancelled sleeps on a condition.
local cqueues = require "cqueues"
local condition = require "cqueues.condition"

local stop = condition.new()

local function sleeper()
  assert(stop:wait(3600), "not cancelled")
end

local cq = cqueues.new()
for _ = 1, math.tointeger(arg[1]) do
  cq:wrap(sleeper)
end
assert(cq:step(0))
stop:signal()
assert(cq:loop())
