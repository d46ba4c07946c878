--- Run programs from a spec: aiowire itself, or a stock lua5.4 with the module.
---
--- A command is a line for the shell. In a command `$aiowire` and `$lua` stand
--- for the two interpreters. Begin a command with `exec`, so that a death by a
--- signal is reported as such. Each command runs in a new folder with the given
--- files. It is killed after PATIENCE seconds (exit code 124).

local aw = require "aiowire"
local busted = require "busted"
local helper = require "spec.support.helper"

local M = {}

--- After so many seconds a command has failed, even on a busy machine.
M.PATIENCE = tonumber(os.getenv "AIOWIRE_PATIENCE") or 200

--- Quotes a text as one word for the shell.
---@param text string
---@return string
function M.quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local quoted = M.quoted

local function first_line(command)
  local pipe <close> = assert(io.popen(command))
  return pipe:read "l"
end

local root = first_line "pwd"

local function absolute(path)
  return path:sub(1, 1) == "/" and path or root .. "/" .. path
end

-- Returns the path of the interpreter that runs this file, if it is aiowire.
local function this_program()
  local name
  for i = 0, -20, -1 do
    name = arg and arg[i] or name
  end
  if name and name:find("/", 1, true) and name:find "aiowire$" then
    return name
  end
end

local function folder_of(path)
  return path:match "^(.*)/[^/]*$"
end

--- The folder of the repository.
M.root = root

--- The program under test.
M.binary = absolute(
  os.getenv "AIOWIRE_BIN"
    or this_program()
    or (os.getenv "AIOWIRE_BUILD_DIR" or "build/dev") .. "/aiowire"
)

--- True if the module has sanitizers. Then stock Lua cannot load it.
M.sanitized = M.binary:find("asan", 1, true) ~= nil
  or os.getenv "AIOWIRE_SANITIZED" ~= nil

-- The ends of the names of Lua's variables: "_5_4".
local suffix = _VERSION:gsub("^Lua ", "_"):gsub("%.", "_")

local preamble = table.concat({
  ("export LUA_CPATH%s=%s"):format(suffix,
    quoted(folder_of(M.binary) .. "/?.so;;")),
  ("unset LUA_INIT LUA_INIT%s AIOWIRE_OPTIONS AIOWIRE_DEBUG"):format(suffix),
  "",
}, "\n")

local interpreters = { aiowire = quoted(M.binary), lua = "lua5.4" }

local function write(path, text)
  local file <close> = assert(io.open(path, "wb"))
  file:write(text)
end

--- Returns the text of a file, "" if there is no such file.
---@param path string
---@return string
function M.read(path)
  local file <close> = io.open(path, "rb")
  return file and file:read "a" or ""
end

local function new_folder(files)
  local folder = first_line "mktemp -d"
  for name, text in pairs(files) do
    write(folder .. "/" .. name, text)
  end
  return folder
end

---@class spec.Outcome
---@field out string what it wrote to stdout
---@field err string what it wrote to stderr, without reports of slow steps
---@field reports string the reports of slow steps [F4] that it wrote to stderr
---@field code integer? exit code; nil if it died by a signal
---@field signal integer? the signal it died by

-- Split the text of stderr into reports of slow steps and the rest. A busy
-- machine can stop a program for as long as a slow step takes. So a spec that
-- compares the whole text with warnings on must not see those reports.
local function split_reports(text)
  local report = "Lua warning: aiowire: for [%d.]+ s nothing else could run;"
    .. "[^\n]*\n"
  local reports = {}
  local rest = text:gsub(report, function(line)
    reports[#reports + 1] = line
    return ""
  end)
  return rest, table.concat(reports)
end

-- A shell ignores signals for its background jobs, and they would stay ignored.
-- Where env(1) can, a command gets none that was ignored for this process.
local reset = "env --default-signal=HUP,INT,QUIT,TERM "
if not os.execute(reset .. "true 2>/dev/null") then
  reset = ""
end

--- Run a command and wait for its end.
---@param command string
---@param files table<string, string>? name -> text of files in its folder
---@return spec.Outcome
function M.run(command, files)
  local folder = new_folder(files or {})
  local line = command:gsub("%$(%a+)", interpreters)
  write(folder .. "/.command", preamble .. line .. "\n")
  local pipe = assert(io.popen(
    ("cd %s && exec %stimeout -k 1 %d sh ./.command >.out 2>.err"):format(
      quoted(folder), reset, M.PATIENCE
    )
  ))
  local _, how, number = pipe:close()
  local err, reports = split_reports(M.read(folder .. "/.err"))
  local outcome = {
    out = M.read(folder .. "/.out"),
    err = err,
    code = how == "exit" and number or nil,
    signal = how == "signal" and number or nil,
  }
  os.execute("rm -rf " .. quoted(folder))
  -- `reports` is inherited, so that a spec can compare the table without it.
  return setmetatable(outcome, { __index = { reports = reports } })
end

--- Formats an outcome for messages.
local function shown(outcome)
  return ("%s\nstdout: %s\nstderr: %s"):format(outcome.signal
    and "signal " .. outcome.signal or "exit code " .. outcome.code,
    outcome.out, outcome.err)
end

--- Check that the command exited with this code. The failure of this check, and
--- of those below, blames the line that calls it.
---@param code integer
---@param outcome spec.Outcome
function M.assert_exit(code, outcome)
  if outcome.code ~= code then
    busted.fail(("exit code %d expected, got %s"):format(code,
      shown(outcome)), 2)
  end
end

--- Check that the command wrote exactly `out` and exited with this code.
---@param out string
---@param code integer
---@param outcome spec.Outcome
function M.assert_outcome(out, code, outcome)
  if outcome.code ~= code or outcome.out ~= out then
    busted.fail(("exit code %d and %q expected, got %s"):format(code, out,
      shown(outcome)), 2)
  end
end

--- Check that the command died by this signal.
---@param signal integer
---@param outcome spec.Outcome
function M.assert_died_by(signal, outcome)
  if outcome.signal ~= signal then
    busted.fail(("signal %d expected, got %s"):format(signal,
      shown(outcome)), 2)
  end
end

--- Returns the place of the line of the script `s.lua` that has `-- comment`.
---@param code string
---@param comment string
---@return string
function M.place_of(code, comment)
  local line = 1
  for text in code:gmatch "([^\n]*)\n" do
    if text:find("-- " .. comment, 1, true) then
      return "s.lua:" .. line
    end
    line = line + 1
  end
  error("no line with -- " .. comment)
end

--- Run a text as the script `s.lua` with the program.
---@param code string
---@return spec.Outcome
function M.host(code)
  return M.run("exec $aiowire s.lua", { ["s.lua"] = code })
end

--- Run a text as the script `s.lua` with a stock lua5.4.
---@param code string
---@return spec.Outcome
function M.stock(code)
  return M.run("exec $lua s.lua", { ["s.lua"] = code })
end

-- A script that changes the state of its process and becomes a program. Each
-- word of its first argument is "block", "ignore" or "forbid_pidfd", a "=", and
-- the number of a signal or an error (see spec/support/fork.c).
local launcher = [[
local fork = require "spec_fork"
for word in arg[1]:gmatch "%S+" do
  local what, number = word:match "^([%a_]+)=(%d+)$"
  if fork[what](tonumber(number)) == false then
    print "cannot be had here"
    os.exit(0)
  end
end
fork.exec(table.unpack(arg, 2))
]]

--- Run a text as the script `s.lua` under each interpreter that can load the
--- module, and check each outcome.
---@param state string changes for the launcher, such as "block=17 ignore=2"
---@param code string
---@param check fun(outcome: spec.Outcome, interpreter: string)
function M.each(state, code, check)
  for _, name in ipairs(M.sanitized and { "aiowire" } or { "aiowire", "lua" })
  do
    local outcome = M.run(("exec $aiowire launch.lua '%s' $%s s.lua"):format(
      state, name), { ["s.lua"] = code, ["launch.lua"] = launcher })
    if outcome.out == "cannot be had here\n" then
      helper.pending "a filter of system calls is not to be had"
    end
    check(outcome, name)
  end
end

--- Returns a function for `it` that needs a stock lua5.4 which can load the
--- module.
---@param f fun()
---@return fun()
function M.under_stock(f)
  return function()
    if M.sanitized then
      helper.pending "a stock lua5.4 cannot load a module with sanitizers"
    end
    f()
  end
end

--- Start a child that stops itself, and runs the line of shell after a CONT.
---@param line string
---@return aiowire.Process
function M.stopped(line)
  local p = aw.spawn { "sh", "-c", "kill -STOP $$; " .. line }
  helper.wait_until(function()
    return M.read("/proc/" .. p.pid .. "/stat"):match "%) (%a)" == "T"
  end)
  return p
end

--- End the current test as pending under valgrind: its vfork is a fork, so a
--- start that fails looks like one that succeeds.
function M.needs_failed_starts()
  if (os.getenv "LD_PRELOAD" or ""):find "vgpreload" then
    helper.pending "valgrind's vfork does not tell what failed"
  end
end

--- Functions for scripts:
---   say(...)                writes a line, unbuffered
---   closing(f)              returns a value whose `__close` is f
---   signal_me(name, after)  sends a signal to the script, at once or after so
---                           many seconds. A child of io.popen does it, since
---                           os.execute ignores SIGINT meanwhile.
---   sweeper(name, seconds)  returns a value whose `__close` sleeps in a shield
---                           and then writes the name
M.prelude = [[
local aw = require "aiowire"
local function say(...)
  io.stdout:write(table.concat({ ... }, " "), "\n")
  io.stdout:flush()
end
local function closing(f)
  return setmetatable({}, { __close = f })
end
local function signal_me(name, after)
  local kill = ("kill -%s $PPID"):format(name)
  if after then
    kill = ("(sleep %s; %s) >/dev/null 2>&1 &"):format(after, kill)
  end
  io.popen(kill):close()
end
local function sweeper(name, seconds)
  return closing(function()
    aw.shield(function()
      aw.sleep(seconds or 0.01)
      say(name)
    end, 60)
  end)
end
]]

--- Returns the files below a folder of the repository whose path matches.
---@param folder string
---@param pattern string
---@return string[] paths relative to the repository, in byte order
function M.files(folder, pattern)
  local found = {}
  local pipe <close> = assert(io.popen(
    "find " .. quoted(folder) .. " -type f 2>/dev/null | LC_ALL=C sort"
  ))
  for path in pipe:lines() do
    if path:find(pattern) then
      found[#found + 1] = path
    end
  end
  return found
end

--- The state of a process in /proc, such as "S"; nil if there is none.
---@param pid integer|string
---@return string?
function M.state_of(pid)
  return M.read("/proc/" .. pid .. "/stat"):match "%) (%a)"
end

--- Does the process run? A zombie does not.
---@param pid integer|string
---@return boolean
function M.lives(pid)
  local state = M.state_of(pid)
  return state ~= nil and state ~= "Z" and state ~= "X"
end

return M
