--- exec.lua: aw.exec and aw.Exec run a program and return its output
---
--- The process comes from aw.spawn and is closed on every way out. A scope
--- holds one task that feeds standard input and one that reads standard error,
--- while the running task reads standard output. The scope ends when the
--- process and both pipes have ended. With `drain`, the wait for pipes that
--- other processes keep open has a time limit. An error carries the output so
--- far.
local aw, inner = ...

local M = {}

local MAX_OUTPUT <const> = 64 * 1024 * 1024
local OUTPUTS <const> = { "stdout", "stderr" }
local TAIL <const> = 1000 -- bytes of stderr in an error

-- The error of `check`: the fields of the result, `command`, `message`,
-- `where`.
local Failed <const> = {
  __name = "aiowire.ProcessFailed",
  __metatable = false,
  __tostring = function(e)
    return (e.where and e.where .. ": " or "") .. e.message
  end,
}

-- ---- options ----

local STDIN <const> = "text, a stream, a Lua file, a descriptor, "
  .. "\"inherit\" or \"null\""

local function copy(t)
  local new = {}
  for key, value in pairs(t) do
    new[key] = value
  end
  return new
end

--- Decide where standard input comes from. `plan.input` is a text or a stream
--- to feed. Without an input, a terminal gets the end of the file at once.
local function plan_input(plan)
  local input = plan.spawn.stdin
  if input == nil then
    input = plan.spawn.pty and "" or "null"
  end
  local kind = inner.file_kind(input)
  if input == "null" or input == "inherit" or kind == "file"
    or math.type(input) then
    plan.spawn.stdin = input
  elseif type(input) == "string" or kind == "stream" then
    plan.spawn.stdin = not plan.spawn.pty and "pipe" or nil
    plan.input = input
  else
    inner.bad_option("stdin", STDIN, input)
  end
end

local function check_own(plan)
  local check, drain = plan.check, plan.drain
  if check ~= nil and type(check) ~= "boolean" then
    inner.bad_option("check", "boolean", check)
  elseif drain ~= nil and type(drain) ~= "number" then
    inner.bad_option("drain", "number of seconds", drain)
  elseif drain ~= nil and (drain ~= drain or drain < 0) then
    inner.raise "bad option 'drain' (seconds, not negative, expected)"
  elseif plan.spawn.detach then
    inner.raise("bad option 'detach' (exec waits for the end of its program: "
      .. "use aw.spawn)")
  end
end

--- Raise now the errors that aw.spawn would raise for its options. Leave a
--- SystemError, as for a zero byte, to the run, which also raises the error for
--- a command that is not found.
local function check_spawn(spawn)
  local ok, err = pcall(inner.check_spawn, spawn)
  if not ok and not aw.is_system_error(err) then
    error(err, 0)
  end
end

--- Copy the options, so that a wire made of them cannot change.
local function plan_of(command, ...)
  local given = command
  if type(command) ~= "table" then
    given = { command, ... }
  end
  if type(given[1]) ~= "string" then
    inner.bad_argument(1, ("command expected, got %s"):format(
      given[1] == nil and "nothing" or inner.type_name(given[1])))
  end
  local spawn = inner.command_of(given)
  if type(spawn.env) == "table" then
    spawn.env = copy(spawn.env)
  end
  local plan = { spawn = spawn, check = spawn.check, drain = spawn.drain }
  spawn.check, spawn.drain = nil, nil
  check_own(plan)
  plan_input(plan)
  if spawn.max_output == nil then
    spawn.max_output = MAX_OUTPUT
  end
  check_spawn(spawn)
  return plan
end

-- ---- errors ----

--- Return the command as a person would type it, cut to one line.
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
  result.where = inner.place()
  return setmetatable(result, Failed)
end

-- ---- running ----

--- Raise the error of feeding, but not EPIPE: a program need not read its whole
--- input.
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

--- In the scope `s`, read all of a pipe into `got`.
local function start_reader(s, proc, name, got)
  return proc[name] and s:start(aw.Wire(function()
    got[name] = proc[name]:read "a"
  end):named(name))
end

--- Wait for the end of the process, then at most `drain` seconds for the ends
--- of its pipes. Then take what the pipes hold, which includes all output of
--- the process itself.
local function drain(s, proc, plan, got)
  local readers = {}
  for _, name in ipairs(OUTPUTS) do
    readers[name] = start_reader(s, proc, name, got)
  end
  local status = proc:wait()
  aw.scope({ timeout = plan.drain }, function()
    for _, name in ipairs(OUTPUTS) do
      if readers[name] then
        readers[name]:wait()
      end
    end
  end)
  for _, name in ipairs(OUTPUTS) do
    if readers[name] then
      readers[name]:cancel_wait "the time to drain is over"
      got[name] = got[name]
        or inner.unread(proc[name], plan.spawn.max_output, true)
    end
  end
  return status
end

--- Wait for the ends of the process and of its pipes, without a time limit.
local function read_to_end(s, proc, got)
  local reader = start_reader(s, proc, "stderr", got)
  if proc.stdout then
    got.stdout = proc.stdout:read "a"
  end
  if reader then
    reader:wait()
  end
  return proc:wait()
end

local function collect(proc, plan, got)
  local status
  aw.scope(function(s)
    local feeder = plan.input
      and s:start(aw.Wire(function()
        feed(proc.stdin, plan.input)
      end):named "stdin")
    if plan.drain then
      status = drain(s, proc, plan, got)
    else
      status = read_to_end(s, proc, got)
    end
    if feeder then
      feeder:cancel "the process has ended"
    end
  end)
  return status
end

--- Adds the output so far to a SystemError that ends the reading.
local Partial <const> = {
  __close = function(self, err)
    if not aw.is_system_error(err) then
      return
    end
    local proc, got, most = self.proc, self.got, self.most
    err.out = got.stdout
      or proc.stdout and inner.unread(proc.stdout, most, true)
    err.err = got.stderr
      or proc.stderr and inner.unread(proc.stderr, most, true)
  end,
}

local function run(plan)
  local proc <close> = aw.spawn(plan.spawn)
  local got = {}
  local _ <close> = setmetatable({ proc = proc, got = got,
    most = plan.spawn.max_output }, Partial)
  local result
  if plan.input or plan.drain or (proc.stdout and proc.stderr) then
    result = collect(proc, plan, got)
  else
    local stream = proc.stdout or proc.stderr
    got[proc.stdout and "stdout" or "stderr"] = stream and stream:read "a"
    result = proc:wait()
  end
  result.out, result.err = got.stdout, got.stderr
  if plan.check and not result.ok then
    error(failure(plan, result), 0)
  end
  return result
end

function M.exec(...)
  local plan = plan_of(...)
  inner.awaiter "exec" -- where nothing can wait, nothing is run
  return run(plan)
end

function M.Exec(...)
  local plan = plan_of(...)
  return aw.Call(run, plan):named("Exec(" .. show(plan.spawn) .. ")")
end

return M
