-- The idle handle resumes the coroutine in each pass of the loop.
local uv = require "luv"

local count <const> = math.tointeger(arg[1])

local idle = uv.new_idle()
local task = coroutine.create(function()
  for _ = 1, count do
    coroutine.yield()
  end
  idle:close()
end)
idle:start(function()
  assert(coroutine.resume(task))
end)
uv.run()
