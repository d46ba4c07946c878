#!/usr/bin/env aiowire
-- A state machine: each of `ready` and `working` returns the other one.
--
--     ready --job--> working --> ready ... --no job left--> end
--
-- A state is a function, and its `return` is the arrow. Arguments for the next
-- state go with it: aw.Wire(working, job).
local aw = require "aiowire"

local jobs = { "sweep", "mop", "dust", "polish", "rest" }
local ready

local function working(_, job)
  print(("%s: %s"):format(aw.current().name, job))
  aw.sleep(0.05 * #job)
  return ready
end

function ready()
  local job = table.remove(jobs, 1)
  if job then
    return aw.Wire(working, job)
  end
  print(aw.current().name .. ": no job left")
end -- returns nothing: this machine has ended

local ev <close> = aw.EventLoop { timeout = 2 }
ev:start(ready, nil, { name = "ann" }) -- two machines made of the same states
ev:start(ready, nil, { name = "bob" })
