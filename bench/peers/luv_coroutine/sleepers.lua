local uv = require "luv"

local function sleep(milliseconds)
  local task = coroutine.running()
  local timer = uv.new_timer()
  timer:start(milliseconds, 0, function()
    timer:close()
    assert(coroutine.resume(task))
  end)
  coroutine.yield()
end

local seed = 1

local function sleeper()
  seed = seed * 1103515245 + 12345 & 0x7fffffff
  sleep(500 + seed % 500)
end

for _ = 1, math.tointeger(arg[1]) do
  coroutine.wrap(sleeper)()
end
uv.run()
