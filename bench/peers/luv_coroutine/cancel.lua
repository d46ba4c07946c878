-- A cancel closes what the task waits for, then the task.
local uv = require "luv"

local timers = {}

local function sleep(milliseconds)
  local task = coroutine.running()
  local timer = uv.new_timer()
  timers[task] = timer
  timer:start(milliseconds, 0, function()
    timer:close()
    assert(coroutine.resume(task))
  end)
  coroutine.yield()
end

local function sleeper()
  sleep(3600 * 1000)
end

for _ = 1, math.tointeger(arg[1]) do
  coroutine.wrap(sleeper)()
end
uv.run "nowait"
for task, timer in pairs(timers) do
  timer:close()
  coroutine.close(task)
end
uv.run()
