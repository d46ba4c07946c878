-- The loop returns the error of a task to its caller.
local cqueues = require "cqueues"

local function fails()
  error "boom"
end

local cq = cqueues.new()
for _ = 1, math.tointeger(arg[1]) do
  cq:wrap(fails)
  local ok, message = cq:loop()
  assert(not ok and message)
end
