-- A state is a function that returns the next one. Between two of them, all
-- others have their turn: the idle handle resumes in the loop's next pass.
local uv = require "luv"

local left = math.tointeger(arg[1])

local function state()
  left = left - 1
  if left > 0 then
    return state
  end
end

local idle = uv.new_idle()
local machine = coroutine.create(function()
  local current = left > 0 and state
  while current do
    current = current()
    coroutine.yield()
  end
  idle:close()
end)
idle:start(function()
  assert(coroutine.resume(machine))
end)
uv.run()
