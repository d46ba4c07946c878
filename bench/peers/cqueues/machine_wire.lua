-- A state is an object whose method returns the next one. Between two of them,
-- all others have their turn.
local cqueues = require "cqueues"

local left = math.tointeger(arg[1])

local State = {}
State.__index = State

function State:run()
  left = left - 1
  if left > 0 then
    return self
  end
end

local cq = cqueues.new()
cq:wrap(function()
  local current = left > 0 and setmetatable({}, State)
  while current do
    current = current:run()
    cqueues.sleep(0)
  end
end)
assert(cq:loop())
