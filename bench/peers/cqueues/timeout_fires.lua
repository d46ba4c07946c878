-- Each wait has a time-out of its own.
local cqueues = require "cqueues"
local condition = require "cqueues.condition"

local function waiter()
  assert(not condition.new():wait(0.1))
end

local cq = cqueues.new()
for _ = 1, math.tointeger(arg[1]) do
  cq:wrap(waiter)
end
assert(cq:loop())
