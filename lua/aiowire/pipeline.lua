--- pipeline.lua: aw.pipeline runs programs, each of which reads the output of
--- the one before
---
--- Neighbour: programs.lua runs them.
local _, inner = ...

local programs = inner.part "aiowire.programs"

local M = {}

-- Options that hold for each program, unless its command has its own.
local OF_EACH <const> = { "cwd", "env", "stderr", "append", "grace", "group",
  "high_water" }

local OPTIONS <const> = { "stdin", "stdout", "check", "drain", "max_output",
  table.unpack(OF_EACH) }

local ERROR_WORDS <const> = { pipe = true, inherit = true, null = true,
  stdout = true }

--- Split the arguments into commands and options. A table at the end that holds
--- no word is the table of options.
local function split(...)
  local commands, count = table.pack(...), select("#", ...)
  local last = commands[count]
  if count > 0 and type(last) == "table" and rawget(last, 1) == nil then
    inner.check_options(count, last, OPTIONS)
    return commands, count - 1, last
  end
  return commands, count, {}
end

--- Copy the words of command `i` and its options, or else those of the whole
--- pipeline. Other options, which a table may inherit, would break the pipes.
local function command_of(given, i, options)
  if type(given) ~= "table" then
    inner.bad_argument(i, "a list of words expected, got "
      .. (given == nil and "nothing" or inner.type_name(given)))
  end
  inner.check_options(i, given, OF_EACH, true)
  local command = {}
  for k = 1, rawlen(given) do
    command[k] = rawget(given, k)
  end
  for _, name in ipairs(OF_EACH) do
    command[name] = given[name]
    if command[name] == nil then
      command[name] = options[name]
    end
  end
  command.max_output = options.max_output
  return programs.command(command, i)
end

--- Refuse a common `stderr` that only one program can have: a path, which each
--- would truncate, or a stream, which would pass to the first.
local function check_shared_errors(spawns, options)
  local shared, users = options.stderr, 0
  for _, spawn in ipairs(spawns) do
    users = users + (spawn.stderr == shared and not spawn.append and 1 or 0)
  end
  local is_path = type(shared) == "string" and not ERROR_WORDS[shared]
  if users > 1 and (is_path or inner.file_kind(shared) == "stream") then
    inner.raise("bad option 'stderr' (" .. (is_path
      and "a path for several programs: only with append = true"
      or "a stream passes to one program: give each its own") .. ")")
  end
end

local function plan_of(...)
  local commands, count, options = split(...)
  local spawns = {}
  for i = 1, math.max(count, 1) do
    spawns[i] = command_of(i <= count and commands[i] or nil, i, options)
  end
  spawns[#spawns].stdout = options.stdout
  check_shared_errors(spawns, options)
  return programs.plan(spawns, options)
end

--- Return the exit code, as a shell counts it.
local function code_of(how)
  local BY_SIGNAL <const> = 128
  return how.signal and BY_SIGNAL + how.signal or how.code or false
end

local function result_of(ended)
  local last, codes, ok = ended[#ended], {}, true
  for i, how in ipairs(ended) do
    codes[i] = code_of(how)
    ok = ok and how.ok
  end
  return { ok = ok, code = last.code, signal = last.signal, lost = last.lost,
    codes = codes }
end

function M.pipeline(...)
  local plan = plan_of(...)
  inner.awaiter "pipeline" -- where nothing can wait, nothing is run
  return programs.run(plan, result_of)
end

return M
