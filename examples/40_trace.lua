#!/usr/bin/env aiowire
-- Where the time goes: 40_trace.lua [FILE.json]. A queue, two fast workers and
-- a slow one, and a trace of the run. Open the file in https://ui.perfetto.dev,
-- where each task is a track.
local aw = require "aiowire"

local path = ... or os.tmpname()

--- Take jobs until there are none left; each takes `seconds`.
local function work(jobs, seconds)
  for _ in jobs:iter() do
    aw.sleep(seconds)
  end
end

aw.run(function()
  aw.trace(path)
  local jobs = aw.channel(2, { name = "jobs" })
  aw.scope(function(scope)
    for i, seconds in ipairs { 0.001, 0.001, 0.02 } do
      scope:start(aw.Call(work, jobs, seconds):named("worker " .. i))
    end
    for i = 1, 20 do
      jobs:send(i)
    end
    jobs:close()
  end)
  -- The same as text: the slow worker is the last one to end.
  for worker in aw.recorded(20):gmatch "'(worker %d)' ended" do
    print(worker)
  end
  local events, overwritten = aw.trace()
  print(events > 60, overwritten)
end)

if ... then
  print("see " .. path)
else
  os.remove(path)
end
