#!/usr/bin/env aiowire
-- The tour: what wires do, in one second, on one thread of plain Lua.
local aw = require "aiowire"
local ev = aw.EventLoop { timeout = 0.9, name = "tour" }
local began, lines = ev:now(), 0

local function say(who, text)
  lines = lines + 1
  print(("%5.2f s  %-8s %s"):format(ev:now() - began, who, text))
end

-- A wire is a value. Building it runs nothing, so one alarm can run twice.
local alarm = (aw.Sleep(0.2) >> aw.Call(say, "alarm", "beep")) * 3
ev:start(alarm)
ev:start(aw.Sleep(0.1) >> alarm)

-- A state machine: each state is a function that returns the next one.
local jobs, ready = { "sweep", "mop", "dust" }, nil
local function working(_, job)
  aw.sleep(0.14) -- only this wire waits; the others go on
  say("machine", job .. " done")
  return ready
end
function ready()
  local job = table.remove(jobs, 1)
  return job and aw.Wire(working, job)
end
ev:start(ready)

-- This wire would wait for ever, but its time-out is 0.35 s. The resource is
-- always released.
ev:start(function()
  local held = setmetatable({}, { __close = function()
    aw.shield(function() aw.sleep(0.1) end, 1)
    say("patient", "cleaned up, which took 0.1 s")
  end })
  aw.scope({ timeout = 0.35 }, function()
    local _ <close> = held
    aw.await(aw.Never)
  end)
  say("patient", "went on without")
end)

-- This machine fails in its second state; the handler gets the error.
local function greet() error "nobody there" end
local function connect() aw.sleep(0.33) return aw.Wire(greet) end
ev:start(connect, function(_, err, info)
  say("client", "failed: " .. err)
  print((tostring(info):gsub("[^\n]+", "         | %0")))
end)

-- This wire never ends by itself: the loop's time-out ends it.
ev:start(aw.Forever(aw.Sleep(0.26) >> aw.Call(say, "clock", "tick")))

local cpu, how, took = os.clock(), ev:run(), ev:now() - began
print(([[

%d lines from 6 wires in %.2f s; the loop ended by its %s; %.1f %% idle.
Next: read examples/01_alarm.lua to 09_server.lua, then docs/tour.md,
or run a line of your own:  ./dev run -e 'aw.sleep(0.5) print "awake"']])
  :format(lines, took, how, 100 - 100 * (os.clock() - cpu) / took))
