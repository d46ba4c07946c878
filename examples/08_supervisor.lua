#!/usr/bin/env aiowire
-- A supervisor: children that crash are started again, with growing delays.
--
-- Each child has a task of its own. One that has lived for a while begins with
-- the shortest delay again. Leaving the scope ends those that still run.
local aw = require "aiowire"

local FIRST <const>, MOST <const>, STEADY <const> = 0.02, 0.16, 1

--- Run a command until it ends well; a body, so that it can be started.
local function supervise(_, name, command)
  local delay = FIRST
  while true do
    local started = aw.now()
    local child <close> = aw.spawn { "sh", "-c", command, stdin = "null",
      stderr = "stdout" }
    for line in child.stdout:lines() do
      print(name, line)
    end
    local how = child:wait()
    if how.ok then
      print(name, "is done")
      return
    end
    if aw.now() - started > STEADY then
      delay = FIRST
    end
    print(name, ("ended by %s; again in %g s"):format(
      how.code and "code " .. how.code or "signal " .. how.signal, delay))
    aw.sleep(delay)
    delay = math.min(delay * 2, MOST)
  end
end

aw.run(function()
  aw.scope({ timeout = 0.5 }, function(s)
    s:start(aw.Wire(supervise, "crash", "echo trying; exit 1"))
    s:start(aw.Wire(supervise, "steady", "echo serving; exec sleep 60"))
    s:start(aw.Wire(supervise, "once", "echo hello"))
  end)
  print "half a second is over, and no child is left"
end)
