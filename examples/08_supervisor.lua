#!/usr/bin/env aiowire
-- A supervisor: it starts children that crash again, with growing delays.
--
-- Each child has a task of its own. A child that ran for a while before its
-- crash gets the shortest delay again. Leaving the scope ends the children that
-- still run.
local aw = require "aiowire"

local AGAIN <const> = { delay = 0.02, max = 0.16, reset_after = 1 }

--- Run a command to its end; fail unless it exits with the code 0.
local function run(_, name, command)
  local child <close> = aw.spawn { "sh", "-c", command, stdin = "null",
    stderr = "stdout" }
  for line in child.stdout:lines() do
    print(name, line)
  end
  local how = child:wait()
  if not how.ok then
    print(name, "ended by " .. (how.code and "code " .. how.code
      or "signal " .. how.signal) .. "; again")
    error(name .. " has crashed", 0)
  end
  print(name, "is done")
end

--- Run a command until it exits with the code 0.
local function supervised(name, command)
  return aw.Wire(run, name, command):retry(AGAIN)
end

aw.run(function()
  aw.scope({ timeout = 0.5 }, function(s)
    s:start(supervised("crash", "echo trying; exit 1"))
    s:start(supervised("steady", "echo serving; exec sleep 60"))
    s:start(supervised("once", "echo hello"))
  end)
  print "half a second is over, and no child is left"
end)
