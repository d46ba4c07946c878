-- A state is a function that returns the next one. Between two of them, all
-- others have their turn: the idle handle resumes in the loop's next pass.
local uv = require "luv"

local left = math.tointeger(arg[1])
local pong

local function ping()
  left = left - 1
  if left > 0 then
    return pong
  end
end

function pong()
  left = left - 1
  if left > 0 then
    return ping
  end
end

local idle = uv.new_idle()
local machine = coroutine.create(function()
  local current = left > 0 and ping
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
