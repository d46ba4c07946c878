-- An idle handle resumes each coroutine in each pass of the loop.
local uv = require "luv"

local count <const> = math.tointeger(arg[1])

for _ = 1, 2 do
  local idle = uv.new_idle()
  local task = coroutine.create(function()
    for _ = 1, count // 2 do
      coroutine.yield()
    end
    idle:close()
  end)
  idle:start(function()
    assert(coroutine.resume(task))
  end)
end
uv.run()
