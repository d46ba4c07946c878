--- exec.lua: aw.exec and aw.Exec run a program and return its output
---
--- Neighbour: programs.lua runs it.
local aw, inner = ...

local programs = inner.part "aiowire.programs"

local M = {}

local function plan_of(command, ...)
  local given = command
  if type(command) ~= "table" then
    given = { command, ... }
  end
  local spawn = programs.command(given, 1)
  if spawn.detach then
    inner.raise("bad option 'detach' (exec waits for the end of its program: "
      .. "use aw.spawn)")
  end
  local options = { stdin = spawn.stdin, check = spawn.check,
    drain = spawn.drain }
  spawn.check, spawn.drain = nil, nil
  return programs.plan({ spawn }, options)
end

local function first(ended)
  return ended[1]
end

function M.exec(...)
  local plan = plan_of(...)
  inner.awaiter "exec" -- where nothing can wait, nothing is run
  return programs.run(plan, first)
end

function M.Exec(...)
  local plan = plan_of(...)
  return aw.Call(programs.run, plan, first)
    :named("Exec(" .. programs.show(plan.spawns[1]) .. ")")
end

return M
