--- programs.lua: runs programs to their ends and collects their output
---
--- The common part of exec.lua, which runs one program, and pipeline.lua, which
--- runs several. The output of each program is the input of the next by a pipe
--- of the kernel; its bytes never pass through here.
---
--- A *plan* says what to run. It is checked when it is made, and a run does not
--- change it, so the wire of aw.Exec can keep one.
---
---     spawns   the options of aw.spawn for each program, in order
---     input    text or stream to feed to the first program; nil: none
---     most     max_output, for each pipe
---     check    raise the error Failed unless all programs succeed
---     drain    seconds to wait for pipes after the last end of a program
---
--- The processes come from aw.spawn and are closed on every way out. A scope
--- holds the tasks: one feeds the input, the running task reads the first pipe,
--- and each other pipe has a task that reads it. The scope ends when all
--- programs and pipes have ended. With `drain`, the wait for pipes that other
--- processes keep open has a time limit. An error carries the output so far.
local aw, inner = ...

local M = {}

local MAX_OUTPUT <const> = 64 * 1024 * 1024
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

-- ---- plans ----

local STDIN <const> = "text, a stream, a Lua file, a descriptor, "
  .. "\"inherit\" or \"null\""

local function copy(t)
  local new = {}
  for key, value in pairs(t) do
    new[key] = value
  end
  return new
end

--- Decide where the input of the first program comes from. Without an input, a
--- terminal gets the end of the file at once.
local function plan_input(plan, input)
  local first = plan.spawns[1]
  if input == nil then
    input = first.pty and "" or "null"
  end
  local kind = inner.file_kind(input)
  if input == "null" or input == "inherit" or kind == "file"
    or math.type(input) then
    first.stdin = input
  elseif type(input) == "string" or kind == "stream" then
    first.stdin = not first.pty and "pipe" or nil
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
  end
end

--- Raise now the errors that aw.spawn would raise for its options. Leave a
--- SystemError, as for a zero byte, to the run, which also raises the error for
--- a command that is not found.
local function check_spawn(spawn, arg)
  local ok, err = pcall(inner.check_spawn, spawn, arg)
  if not ok and not aw.is_system_error(err) then
    error(err, 0)
  end
end

--- Copy the words and options of a command, so that a plan made of them cannot
--- change.
---@param given table argument `arg` of the user's call
---@param arg integer
---@return table spawn
function M.command(given, arg)
  if type(given[1]) ~= "string" then
    inner.bad_argument(arg, ("command expected, got %s"):format(
      given[1] == nil and "nothing" or inner.type_name(given[1])))
  end
  local spawn = inner.command_of(given, arg)
  if type(spawn.env) == "table" then
    spawn.env = copy(spawn.env)
  end
  return spawn
end

--- Make a plan. Program i is argument i of the user's call.
---@param spawns table[] from command()
---@param options table with stdin, check and drain
---@return table plan
function M.plan(spawns, options)
  local plan = { spawns = spawns, check = options.check,
    drain = options.drain }
  check_own(plan)
  plan_input(plan, options.stdin)
  for i, spawn in ipairs(spawns) do
    if spawn.max_output == nil then
      spawn.max_output = MAX_OUTPUT
    end
    check_spawn(spawn, i)
  end
  plan.most = spawns[1].max_output
  return plan
end

-- ---- errors ----

--- Return the command as a person would type it, cut to one line.
function M.show(words)
  local shown = {}
  for i, word in ipairs(words) do
    word = tostring(word)
    shown[i] = word:find "^[%w%./_=:,+@%%-]+$" and word
      or ("%q"):format(word):gsub("\\\n", "\\n")
  end
  local line = table.concat(shown, " ")
  return #line <= 200 and line or line:sub(1, 197) .. "..."
end

--- Return the number of the program to blame. A program that died of SIGPIPE is
--- the victim of a later one, so it is blamed only if no other has failed.
local function culprit(ended)
  local SIGPIPE <const> = 13
  local found
  for i, how in ipairs(ended) do
    if not how.ok and how.signal ~= SIGPIPE then
      return i
    end
    found = found or not how.ok and i
  end
  return found
end

local function failure(plan, result, ended, said)
  local number, count = culprit(ended), #ended
  local how = ended[number]
  local text = how.code and "with code " .. how.code
    or how.signal and "by signal " .. how.signal
    or "in a way that is not known"
  said = (said[number] or ""):sub(-TAIL):gsub("%s+$", "")
  result.command = M.show(plan.spawns[number])
  result.message = ("command %s'%s' ended %s%s"):format(
    count > 1 and ("%d of %d "):format(number, count) or "",
    result.command, text, said ~= "" and ": " .. said or "")
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

--- Close the processes from number `i` on, also if closing one raises.
local function close_from(procs, i)
  local proc <close> = procs[i]
  if proc then
    close_from(procs, i + 1)
  end
end

--- A list of processes. All get TERM before the first of them is awaited, so
--- that their graces run at the same time.
local Processes <const> = {
  __close = function(procs)
    for _, proc in ipairs(procs) do
      inner.end_process(proc)
    end
    close_from(procs, 1)
  end,
}

--- Start all programs, and add their processes to `procs`. The reading end of
--- each pipe passes to the next program.
local function start_all(spawns, procs)
  for i, spawn in ipairs(spawns) do
    if i > 1 then
      spawn.stdin = procs[i - 1].stdout
    end
    procs[i] = aw.spawn(spawn)
    if i > 1 then
      spawn.stdin = nil
    end
  end
end

local function wait_all(procs)
  local ended = {}
  for i, proc in ipairs(procs) do
    ended[i] = proc:wait()
  end
  return ended
end

--- The pipes to read: `out` of the last program, and the errors of each, with
--- the number of the program as key.
local function pipes_of(procs)
  local pipes = {}
  local out = procs[#procs].stdout
  if out then
    pipes[1] = { key = "out", name = "stdout", stream = out }
  end
  for i, proc in ipairs(procs) do
    if proc.stderr then
      pipes[#pipes + 1] = { key = i, name = "stderr", stream = proc.stderr }
    end
  end
  return pipes
end

--- Return the errors of `count` programs, one after the other; nil: no pipe.
local function all_errors(got, count)
  local texts = {}
  for i = 1, count do
    texts[#texts + 1] = got[i]
  end
  return #texts > 1 and table.concat(texts) or texts[1]
end

local function read_all(pipe, got)
  got[pipe.key] = pipe.stream:read "a"
end

--- In the scope `s`, read all of a pipe into `got`.
local function start_reader(s, pipe, got)
  return s:start(aw.Wire(function()
    read_all(pipe, got)
  end):named(pipe.name))
end

--- Wait for the ends of the programs, then at most `drain` seconds for the ends
--- of their pipes. Then take what the pipes hold, which includes all output of
--- the programs themselves.
local function drain(s, procs, plan, pipes, got)
  local readers = {}
  for i, pipe in ipairs(pipes) do
    readers[i] = start_reader(s, pipe, got)
  end
  local ended = wait_all(procs)
  aw.scope({ timeout = plan.drain }, function()
    for _, reader in ipairs(readers) do
      reader:wait()
    end
  end)
  for i, pipe in ipairs(pipes) do
    readers[i]:cancel_wait "the time to drain is over"
    got[pipe.key] = got[pipe.key]
      or inner.unread(pipe.stream, plan.most, true)
  end
  return ended
end

--- Wait for the ends of the programs and of their pipes, without a time limit.
local function read_to_end(s, procs, pipes, got)
  local readers = {}
  for i = 2, #pipes do
    readers[i - 1] = start_reader(s, pipes[i], got)
  end
  if pipes[1] then
    read_all(pipes[1], got)
  end
  for _, reader in ipairs(readers) do
    reader:wait()
  end
  return wait_all(procs)
end

local function collect(procs, plan, pipes, got)
  local ended
  aw.scope(function(s)
    local feeder = plan.input
      and s:start(aw.Wire(function()
        feed(procs[1].stdin, plan.input)
      end):named "stdin")
    if plan.drain then
      ended = drain(s, procs, plan, pipes, got)
    else
      ended = read_to_end(s, procs, pipes, got)
    end
    if feeder then
      feeder:cancel "the programs have ended"
    end
  end)
  return ended
end

--- Adds the output so far to a SystemError that ends the reading.
local Partial <const> = {
  __close = function(self, err)
    -- no function of aw works any more for a task that is killed at the end
    if err == nil or not aw.is_system_error(err) then
      return
    end
    local got = self.got
    for _, pipe in ipairs(self.pipes) do
      got[pipe.key] = got[pipe.key]
        or inner.unread(pipe.stream, self.most, true)
    end
    err.out, err.err = got.out, all_errors(got, self.count)
  end,
}

--- Run a plan. Awaits.
---@param plan table
---@return aiowire.Ended[] ended how each program ended
---@return table got the output under "out", and the errors of each program
local function collect_all(plan)
  local procs <close> = setmetatable({}, Processes)
  start_all(plan.spawns, procs)
  local pipes, got = pipes_of(procs), {}
  local _ <close> = setmetatable({ pipes = pipes, got = got,
    count = #procs, most = plan.most }, Partial)
  if plan.input or plan.drain or #pipes > 1 then
    return collect(procs, plan, pipes, got), got
  end
  return read_to_end(nil, procs, pipes, got), got
end

--- Run a plan. Awaits.
---@param plan table
---@param result_of fun(ended: aiowire.Ended[]): table without out and err
---@return table result
function M.run(plan, result_of)
  local ended, got = collect_all(plan)
  local result = result_of(ended)
  result.out, result.err = got.out, all_errors(got, #ended)
  if plan.check and not result.ok then
    error(failure(plan, result, ended, got), 0)
  end
  return result
end

return M
