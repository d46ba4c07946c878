--- aw.exec and aw.Exec: run a program to its end, with what it writes.
---
--- A process of aw.spawn, closed on every way out, in a scope with a task that
--- feeds its standard input and one that reads its standard error, while the
--- running task reads its standard output. The scope is left when the process
--- has ended and both pipes have.
local aw, inner = ...

local M = {}

local MAX_OUTPUT <const> = 64 * 1024 * 1024
local TAIL <const> = 1000 -- bytes of stderr in an error

-- What `check` raises: the fields of the result, `command` and `message`.
local Failed <const> = {
  __name = "aiowire.ProcessFailed",
  __metatable = false,
  __tostring = function(e)
    return e.message
  end,
}

-- ---- what to run ----

local OWN <const> = { check = true, stdin = true, max_output = true }
local STDIN <const> = "bad option 'stdin' (text, a stream, a Lua file, a "
  .. "descriptor, \"inherit\" or \"null\" expected, got %s)"

local function copy(t)
  local new = {}
  for key, value in pairs(t) do
    new[key] = value
  end
  return new
end

--- Where standard input comes from: `plan.input`, text or a stream, is fed.
---@return string? why not
local function plan_input(plan, given)
  local input = given.stdin
  if input == nil then
    input = "null"
  end
  local kind = inner.file_kind(input)
  if input == "null" or input == "inherit" or kind == "file"
    or math.type(input) then
    plan.spawn.stdin = input
  elseif type(input) == "string" or kind == "stream" then
    plan.spawn.stdin, plan.input = "pipe", input
  else
    return STDIN:format(type(input))
  end
end

--- Copy what was given, so that a wire of it cannot change.
local function plan_of(level, name, command, ...)
  local given = command
  if type(command) ~= "table" then
    given = { command, ... }
  end
  if type(given[1]) ~= "string" then
    error(("bad argument #1 to '%s' (command expected, got %s)"):format(name,
      given[1] == nil and "nothing" or type(given[1])), level + 1)
  end
  local spawn = {}
  for key, value in pairs(given) do
    if not OWN[key] then
      spawn[key] = value
    end
  end
  if type(spawn.env) == "table" then
    spawn.env = copy(spawn.env)
  end
  local plan = { spawn = spawn, check = given.check }
  local why = plan_input(plan, given)
  if why then
    error(why, level + 1)
  end
  spawn.max_output = given.max_output or MAX_OUTPUT
  return plan
end

-- ---- errors ----

--- The command as a person would type it, cut to a line.
local function show(words)
  local shown = {}
  for i, word in ipairs(words) do
    word = tostring(word)
    shown[i] = word:find "^[%w%./_=:,+@%%-]+$" and word
      or ("%q"):format(word):gsub("\\\n", "\\n")
  end
  local line = table.concat(shown, " ")
  return #line <= 200 and line or line:sub(1, 197) .. "..."
end

local function failure(plan, result)
  local how = result.code and "with code " .. result.code
    or result.signal and "by signal " .. result.signal
    or "in a way that is not known"
  local said = (result.err or ""):sub(-TAIL):gsub("%s+$", "")
  result.command = show(plan.spawn)
  result.message = ("command '%s' ended %s%s"):format(result.command, how,
    said ~= "" and ": " .. said or "")
  return setmetatable(result, Failed)
end

-- ---- running it ----

--- A program need not read all that it is given.
local function ignore_broken_pipe(ok, err)
  if not ok and not (aw.is_system_error(err) and err.code == "EPIPE") then
    error(err, 0)
  end
end

local function feed(stream, input)
  ignore_broken_pipe(aw.pcall(function()
    if type(input) == "string" then
      stream:write(input)
    else
      local chunk = input:read_some()
      while chunk do
        stream:write(chunk)
        chunk = input:read_some()
      end
    end
    stream:shutdown()
  end))
end

local function collect(proc, plan)
  local out, err, status
  aw.scope(function(s)
    local feeder = plan.input
      and s:start(aw.Wire(function()
        feed(proc.stdin, plan.input)
      end):named "stdin")
    local reader = proc.stderr
      and s:start(aw.Wire(function()
        err = proc.stderr:read "a"
      end):named "stderr")
    if proc.stdout then
      out = proc.stdout:read "a"
    end
    if reader then
      reader:wait()
    end
    status = proc:wait()
    if feeder then
      feeder:cancel "the process has ended"
    end
  end)
  status.out, status.err = out, err
  return status
end

local function run(plan)
  local proc <close> = aw.spawn(plan.spawn)
  local result
  if plan.input or (proc.stdout and proc.stderr) then
    result = collect(proc, plan)
  else
    local stream = proc.stdout or proc.stderr
    local text = stream and stream:read "a"
    result = proc:wait()
    result.out = proc.stdout and text
    result.err = proc.stderr and text
  end
  if plan.check and not result.ok then
    error(failure(plan, result), 0)
  end
  return result
end

-- Called by a C function, so the caller is one level further up.
function M.exec(...)
  return run(plan_of(3, "exec", ...))
end

function M.Exec(...)
  local plan = plan_of(3, "Exec", ...)
  return aw.Call(run, plan):named("Exec(" .. show(plan.spawn) .. ")")
end

return M
