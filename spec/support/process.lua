--- Run programs from a spec: aiowire itself, or a stock lua5.4 with the module.
---
--- A command is a line of shell. In it `$aiowire` and `$lua` stand for the two
--- interpreters; begin it with `exec`, so that a death by signal is seen as
--- such. Every command runs in a new folder that holds the given files, and is
--- ended after PATIENCE (exit code 124).

local aw = require "aiowire"
local busted = require "busted"
local helper = require "spec.support.helper"

local M = {}

--- Seconds until a command is taken to hang, however busy the machine is.
M.PATIENCE = 200

--- A text as one word of a shell.
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

-- The interpreter that runs this file, if it is aiowire.
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

--- The repository's folder.
M.root = root

--- The program under test.
M.binary = absolute(
  os.getenv "AIOWIRE_BIN"
    or this_program()
    or (os.getenv "AIOWIRE_BUILD_DIR" or "build/dev") .. "/aiowire"
)

--- A module with sanitizers cannot be loaded by a program without them.
M.sanitized = M.binary:find("asan", 1, true) ~= nil
  or os.getenv "AIOWIRE_SANITIZED" ~= nil

local preamble = table.concat({
  "export LUA_CPATH_5_4=" .. quoted(folder_of(M.binary) .. "/?.so;;"),
  "unset LUA_INIT LUA_INIT_5_4 AIOWIRE_OPTIONS AIOWIRE_DEBUG",
  "",
}, "\n")

local interpreters = { aiowire = quoted(M.binary), lua = "lua5.4" }

local function write(path, text)
  local file <close> = assert(io.open(path, "wb"))
  file:write(text)
end

--- All that is in a file; nothing if it is not there.
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
---@field reports string the reports of slow steps [F4] among that
---@field code integer? exit code; nil if it died by a signal
---@field signal integer? the signal it died by

-- Split what a program wrote to stderr into reports of slow steps and the rest.
-- A busy machine can stop a program for as long as a slow step takes. So a spec
-- that compares the whole text with warnings on must not see those reports.
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

--- Run one command and wait for its end.
---@param command string
---@param files table<string, string>? name -> text of files in its folder
---@return spec.Outcome
function M.run(command, files)
  local folder = new_folder(files or {})
  local line = command:gsub("%$(%a+)", interpreters)
  write(folder .. "/.command", preamble .. line .. "\n")
  local pipe = assert(io.popen(
    ("cd %s && exec timeout -k 1 %d sh ./.command >.out 2>.err"):format(
      quoted(folder), M.PATIENCE
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
  -- Inherited, so that a spec can compare the whole table without it.
  return setmetatable(outcome, { __index = { reports = reports } })
end

--- An outcome as a person reads it.
local function shown(outcome)
  return ("%s\nstdout: %s\nstderr: %s"):format(outcome.signal
    and "signal " .. outcome.signal or "exit code " .. outcome.code,
    outcome.out, outcome.err)
end

--- The command exited with this code. This check and those below blame the line
--- that calls them.
---@param code integer
---@param outcome spec.Outcome
function M.assert_exit(code, outcome)
  if outcome.code ~= code then
    busted.fail(("exit code %d expected, got %s"):format(code,
      shown(outcome)), 2)
  end
end

--- The command wrote `out`, to the letter, and exited with this code.
---@param out string
---@param code integer
---@param outcome spec.Outcome
function M.assert_outcome(out, code, outcome)
  if outcome.code ~= code or outcome.out ~= out then
    busted.fail(("exit code %d and %q expected, got %s"):format(code, out,
      shown(outcome)), 2)
  end
end

--- The command died by this signal.
---@param signal integer
---@param outcome spec.Outcome
function M.assert_died_by(signal, outcome)
  if outcome.signal ~= signal then
    busted.fail(("signal %d expected, got %s"):format(signal,
      shown(outcome)), 2)
  end
end

--- Run a text as the script `s.lua` of the program.
---@param code string
---@return spec.Outcome
function M.host(code)
  return M.run("exec $aiowire s.lua", { ["s.lua"] = code })
end

--- Run a text as the script `s.lua` of a stock lua5.4.
---@param code string
---@return spec.Outcome
function M.stock(code)
  return M.run("exec $lua s.lua", { ["s.lua"] = code })
end

-- What a program finds when it is started: "block", "ignore" or "forbid_pidfd"
-- and the number of a signal or an error (see spec/support/fork.c).
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

--- Run a text as the script `s.lua`, under each interpreter that can load the
--- module, and check each outcome.
---@param state string how it is started, as "block=17 ignore=2"; "": plainly
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

--- A fact for `it` that runs scripts of a stock lua5.4, if that can load the
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

--- A child that does the line of shell once it is sent CONT: it is stopped.
---@param line string
---@return aiowire.Process
function M.stopped(line)
  local p = aw.spawn { "sh", "-c", "kill -STOP $$; " .. line }
  helper.wait_until(function()
    return M.read("/proc/" .. p.pid .. "/stat"):match "%) (%a)" == "T"
  end)
  return p
end

--- Leave the test that runs where a start that fails looks like one that does
--- not: valgrind's vfork is a fork.
function M.needs_failed_starts()
  if (os.getenv "LD_PRELOAD" or ""):find "vgpreload" then
    helper.pending "valgrind's vfork does not tell what failed"
  end
end

--- Lines of Lua for scripts: `signal_me(name, after)` sends a signal to the
--- script's own process, at once or while the script goes on; `closing(f)` is
--- a value that calls f when its block is left; `say` writes a line at once;
--- `sweeper(name, seconds)` is a value that takes a moment to clean up when
--- its block is left, and then says its name.
--- The signal comes from a child, since os.execute ignores SIGINT meanwhile.
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

--- Files below `folder` (of the repository) whose path matches `pattern`.
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

return M
