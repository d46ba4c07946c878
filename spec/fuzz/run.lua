--- Runs a program in a process of its own, and judges its end.
---
--- A finding has a text, `what`. Two programs with the same `what` most likely
--- show the same fault. A program takes some tenths of a second; the limits are
--- much longer, since the machine may be busy.
---
--- Lua skips a finalizer if there is no stack left to call it, and gives a
--- warning. Until the state ends, the counters include the values that such an
--- object holds. So counters that differ are no finding after such a warning.
--- Memory that is never freed is always a finding.

local M = {}

local LIMITS <const> = { cpu = 20, wall = 120 }

--- Limits for runs that check whether a program still hangs.
M.SHORT = { cpu = 3, wall = 15 }

-- The exit code of sanitizers, which no program uses.
local SANITIZER_CODE <const> = 99
local TIMED_OUT <const> = 124

-- Exit codes that a program may have: success, an error, its os.exit, and a
-- deadlock of the main loop.
local EXPECTED <const> = { [0] = true, [1] = true, [3] = true, [13] = true }

local function quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end
M.quoted = quoted

local function read(path)
  local file <close> = io.open(path, "rb")
  return file and file:read "a" or ""
end

-- Judge -----------------------------------------------------------------------

--- Returns the innermost function of this tree in the report of a sanitizer.
local function nearest_frame(report)
  for name, place in report:gmatch "#%d+ 0x%x+ in ([%w_:]+) ([^\n]*)" do
    if place:find "/core/" or place:find "/lua/%l+/[%w_]+%.[ch]:" then
      return name
    end
  end
  return report:match "#%d+ 0x%x+ in ([%w_:]+)" or "?"
end

local function sanitizer_finding(report)
  local kind = report:match "ERROR: AddressSanitizer:? ([%w-]+)"
  if kind then
    return kind .. " in " .. nearest_frame(report)
  end
  if report:find "ERROR: LeakSanitizer" then
    return "leak from " .. nearest_frame(report)
  end
  local place, text =
    report:match "([%w_]+%.[ch]:%d+):%d+: runtime error: ([^\n]*)"
  return place and ("undefined behaviour at %s: %s"):format(place, text)
end

local function has_lost_finalizers(report)
  for how in report:gmatch "error in __gc %(([^\n]*)%)" do
    if how:find "stack overflow" or how:find "error in error handling" then
      return true
    end
  end
  return false
end

--- Returns the fault that the program itself has written, or nil.
local function told_fault(report)
  for told in report:gmatch "FAULT: ([^\n]*)" do
    if not (told:find "^left:" and has_lost_finalizers(report)) then
      return told
    end
  end
end

--- Returns the finding in a report, or nil. Numbers and addresses, which differ
--- from run to run, are replaced.
local function reported(report)
  local assertion = report:match "Assertion [^\n]*"
  if assertion then
    return "assertion: " .. assertion
  end
  local told = told_fault(report)
  return sanitizer_finding(report)
    or told and told:gsub("0x%x+", "N"):gsub("%d+", "N")
end

--- Returns the finding of a program that has ended, or nil.
local function judge(how, code, report)
  -- `timeout` dies by the signal that ended its child.
  code = how == "signal" and 128 + code or code
  if code == TIMED_OUT or code == 128 + 9 then
    return "hang: it does not end"
  elseif code == 128 + 24 then
    return "hang: it does not end, and is busy"
  end
  local what = reported(report)
  if what then
    return what
  elseif code >= 128 then
    return ("signal %d"):format(code - 128)
  end
  return not EXPECTED[code] and ("exit code %d"):format(code) or nil
end

-- Run -------------------------------------------------------------------------

---@class fuzz.Setup
---@field build string absolute path of the build's folder
---@field sanitized boolean
---@field libasan? string for a stock lua5.4 and a module with ASan
---@field root string absolute path of the tree
---@field folder string in which programs run; emptied before each

--- Returns lines for the shell that set the environment and the limits.
local function environment(setup, program, limits)
  local lines = {
    "unset LUA_INIT LUA_INIT_5_4 AIOWIRE_OPTIONS AIOWIRE_DEBUG",
    ("export LUA_CPATH_5_4=%s"):format(quoted(setup.build .. "/?.so;;")),
    ("export AIOWIRE_GCSTRESS=%d"):format(program.gc_stress and 1 or 0),
    -- A stock lua5.4 is run with ASan preloaded, and so are its children. Leaks
    -- of these programs are not ours.
    ("export ASAN_OPTIONS=exitcode=%d:detect_leaks=%d:handle_abort=1")
      :format(SANITIZER_CODE,
        program.leaks and not program.stock and 1 or 0),
    ("export UBSAN_OPTIONS=print_stacktrace=1:exitcode=%d")
      :format(SANITIZER_CODE),
    "export LSAN_OPTIONS=print_suppressions=0:suppressions="
      .. quoted(setup.root .. "/spec/support/libzmq.supp"),
    ("ulimit -c 0; ulimit -S -t %d"):format(limits.cpu),
  }
  return table.concat(lines, "\n") .. "\n"
end

local function interpreter(setup, stock)
  if not stock then
    return quoted(setup.build .. "/aiowire")
  end
  return setup.sanitized
    and "env LD_PRELOAD=" .. quoted(setup.libasan) .. " lua5.4" or "lua5.4"
end

--- Returns the command that runs a saved program as M.run() did.
---@param setup fuzz.Setup
---@param program fuzz.Program
---@return string
function M.command(setup, program, path)
  return ("env AIOWIRE_GCSTRESS=%d LUA_CPATH_5_4=%s %s %s"):format(
    program.gc_stress and 1 or 0, quoted(setup.build .. "/?.so;;"),
    interpreter(setup, program.stock), path)
end

--- Run the text of a program.
---@param setup fuzz.Setup
---@param program fuzz.Program
---@param text string
---@param limits? { cpu: integer, wall: integer } seconds
---@return string? what the finding, or nil
---@return string report the output
function M.run(setup, program, text, limits)
  limits = limits or LIMITS
  local folder = quoted(setup.folder)
  os.execute(("rm -rf %s && mkdir -p %s && mkfifo %s/fifo"):format(folder,
    folder, folder))
  local file = assert(io.open(setup.folder .. "/program.lua", "wb"))
  file:write(text)
  file:close()
  local _, how, code = os.execute(("cd %s && %sexec timeout -s ABRT -k 10 %d"
    .. " %s program.lua >out 2>&1 </dev/null"):format(folder,
    environment(setup, program, limits), limits.wall,
    interpreter(setup, program.stock)))
  local report = read(setup.folder .. "/out")
  return judge(how, code, report), report
end

return M
