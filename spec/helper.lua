--- What all specs share: loops that are proved to leave nothing behind.
---
--- busted loads this file once, before the specs (see .busted), so that all
--- of them see one copy of the library; `require "spec.helper"` gives it.
--- AIOWIRE_GCSTRESS=1 in the environment makes the collector work without
--- pause, and collects all before and after each `it`.

if package.loaded["spec.helper"] then
  return package.loaded["spec.helper"]
end

local aw = require "aiowire"
local lfs = require "lfs" -- comes with busted

local M = {}

--- Whether the specs run in the program rather than under stock Lua.
M.in_host = package.preload.aiowire ~= nil
M.gc_stress = os.getenv("AIOWIRE_GCSTRESS") == "1"

--- How many of `n` to take in bulk: the collector's stress makes each of them
--- cost a full collection, of all that is alive.
---@param n integer
---@return integer
function M.scale(n)
  return M.gc_stress and (n + 19) // 20 or n
end

-- Pools keep what they have grown to; everything else returns to its start.
local POOLED <const> = { idle = true, bytes = true }

--- The engine remembers the info of an error that a body has just caught,
--- until that body's next await; aw.stats() makes it forget.
local function collect_twice()
  aw.stats()
  collectgarbage()
  collectgarbage()
end

--- The open descriptors: number -> what it is.
local function descriptors()
  local list = {}
  for name in lfs.dir("/proc/self/fd") do
    local number = tonumber(name)
    local target = number
      and lfs.symlinkattributes("/proc/self/fd/" .. name, "target")
    -- The directory being read is open, too, but not for long.
    if target and not target:find("^/proc/%d+/fd$") then
      list[number] = target
    end
  end
  return list
end

local function sorted_keys(a, b)
  local keys = {}
  for key in pairs(a) do
    keys[#keys + 1] = key
  end
  for key in pairs(b) do
    if a[key] == nil then
      keys[#keys + 1] = key
    end
  end
  table.sort(keys)
  return keys
end

--- Append to `list` a line for each entry that is not what it was.
local function compare(what, before, after, list)
  for _, key in ipairs(sorted_keys(before, after)) do
    if not POOLED[key] and before[key] ~= after[key] then
      list[#list + 1] = ("%s %s: %s before, %s after"):format(what, key,
        before[key] or "none", after[key] or "none")
    end
  end
  return list
end

-- The counters after the last collection. Where they still hold there is no
-- garbage that could hide a leak, and nothing to collect before a test.
local clean = {}

local function clean_stats()
  if #compare("", clean, aw.stats(), {}) > 0 then
    collect_twice()
    clean = aw.stats()
  end
  return clean
end

--- Run `f` and fail if it leaves anything behind: a counter of aw.stats()
--- that differs after two full collections, or an open descriptor.
--- Errors of `f` pass untouched.
---@param f fun(...): ...
---@return any ... what `f` returned
function M.leak_checked(f, ...)
  local before, open_before = clean_stats(), descriptors()
  local results = table.pack(f(...))
  collect_twice()
  clean = aw.stats()
  local left = compare("counter", before, clean, {})
  compare("descriptor", open_before, descriptors(), left)
  if #left > 0 then
    error("left behind:\n  " .. table.concat(left, "\n  "), 2)
  end
  return table.unpack(results, 1, results.n)
end

--- A test for `it`: `f`, leak-checked.
---@param f fun()
---@return fun()
function M.sealed(f)
  return function()
    M.leak_checked(f)
  end
end

--- A loop on a virtual clock of its own, that leaves signals alone.
---@param opts? table the loop's other options
---@return aiowire.EventLoop
function M.virtual(opts)
  opts = opts or {}
  opts.clock, opts.signals = "virtual", false
  return aw.EventLoop(opts)
end

--- Make a loop, let `f` start its wires, run it to its end, and fail if
--- anything is left of it (see leak_checked).
---@param f fun(ev: aiowire.EventLoop)
---@param opts? table the loop's options
---@return string how "done", "timeout" or "stopped"
function M.run_loop(f, opts)
  return M.leak_checked(function()
    local ev <close> = aw.EventLoop(opts or {})
    f(ev)
    return ev:run()
  end)
end

--- Call `f`, which must raise an error whose text holds `text` (plain).
---@param text string
---@param f function
---@return any err the error, for a closer look
function M.raises(text, f, ...)
  local ok, err = pcall(f, ...)
  if ok then
    error(("no error was raised; expected one with %q"):format(text), 2)
  end
  if not tostring(err):find(text, 1, true) then
    error(("expected an error with %q, got: %s"):format(text,
      tostring(err)), 2)
  end
  return err
end

--- Run a shell command; for specs of the program and of its exit status.
---@param command string
---@return string output stdout, with stderr where the command asks for it
---@return integer status exit status, or 128 + the signal's number
function M.shell(command)
  local pipe = assert(io.popen(command, "r"))
  local output = pipe:read("a")
  local _, how, code = pipe:close()
  return output, how == "signal" and 128 + code or code
end

-- Some descriptors are opened once for the whole process, at first use.
aw.run(function() end)

if M.gc_stress then
  collectgarbage("incremental", 1, 1000)
  local busted = require "busted"
  busted.subscribe({ "test", "start" }, function()
    collectgarbage()
    return nil, true
  end)
  busted.subscribe({ "test", "end" }, function()
    collect_twice()
    return nil, true
  end)
end

--- Run `f(ev, clock)` under aw.test, and check that nothing is left.
function M.test(f)
  return M.leak_checked(function()
    aw.test(f)
  end)
end

--- A log and a function that appends to it.
function M.recorder()
  local log = {}
  return log, function(event)
    log[#log + 1] = event
  end
end

--- A value whose `<close>` calls `f(err)`.
function M.closer(f)
  return setmetatable({}, {
    __close = function(_, err)
      f(err)
    end,
  })
end

--- The error that `f(...)` raises.
function M.caught(f, ...)
  local ok, err = pcall(f, ...)
  assert(not ok, "an error is raised")
  return err
end

package.loaded["spec.helper"] = M
return M
