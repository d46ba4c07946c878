--- Helpers of all specs: runs of loops that check that nothing is left behind,
--- and small parts for bodies.
---
--- busted loads this file once, before the specs (see .busted), so that all
--- specs share one copy of the library; `require "spec.support.helper"` returns
--- it. AIOWIRE_GCSTRESS=1 in the environment makes the collector run all the
--- time, with a full collection before and after each `it`.

if package.loaded["spec.support.helper"] then
  return package.loaded["spec.support.helper"]
end

local aw = require "aiowire"
local busted = require "busted"
local collector = require "spec.support.collector"
local lfs = require "lfs" -- comes with busted

local M = {}

--- True if the specs run in the program, false under stock Lua.
M.in_host = package.preload.aiowire ~= nil
M.gc_stress = os.getenv("AIOWIRE_GCSTRESS") == "1"

--- Returns `n`, or a twentieth of it under AIOWIRE_GCSTRESS, where each of many
--- objects costs a full collection.
---@param n integer
---@return integer
function M.scale(n)
  return M.gc_stress and (n + 19) // 20 or n
end

-- After so many seconds a test has failed, even on a busy machine.
local REAL_LIMIT <const> = 120

-- Counters of pools, which do not shrink. All other counters must return to
-- their values before the test.
local POOLED <const> = { idle = true, bytes = true }

--- aw.stats() also releases the info of an error that a body has just caught.
--- Otherwise the engine keeps that info until the next await of the body.
local function collect_twice()
  aw.stats()
  collectgarbage()
  collectgarbage()
end

--- Returns the open descriptors: number -> target of its link in /proc.
local function descriptors()
  local list = {}
  for name in lfs.dir("/proc/self/fd") do
    local number = tonumber(name)
    local target = number
      and lfs.symlinkattributes("/proc/self/fd/" .. name, "target")
    -- Skip the directory that is being read.
    if target and not target:find("^/proc/%d+/fd$") then
      list[number] = target
    end
  end
  return list
end

--- Returns the children of this process, with zombies: pid -> text.
local function children()
  local list = {}
  local file <close> = io.open "/proc/thread-self/children"
  for pid in (file and file:read "a" or ""):gmatch "%d+" do
    list[tonumber(pid)] = "alive or a zombie"
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

--- Append to `list` a line for each entry that has changed.
local function compare(what, before, after, list)
  for _, key in ipairs(sorted_keys(before, after)) do
    if not POOLED[key] and before[key] ~= after[key] then
      list[#list + 1] = ("%s %s: %s before, %s after"):format(what, key,
        before[key] or "none", after[key] or "none")
    end
  end
  return list
end

-- The counters after the last full collection. If they are unchanged before a
-- test, there is no garbage, and no collection is needed.
local clean = {}

local function clean_stats()
  if #compare("", clean, aw.stats(), {}) > 0 then
    collect_twice()
    clean = aw.stats()
  end
  return clean
end

--- May a descriptor of this kind close at any time? The threads of libzmq close
--- some, and the collector closes those of loops. Only the test can close any
--- other descriptor.
local function may_go(target)
  return target == "/dev/null" or target:find "^socket:"
    or target:find "^anon_inode:"
end

--- Returns a line for each descriptor that was opened since `before`, and for
--- each descriptor of other code that the test has closed.
local function changed_descriptors(before)
  local after = descriptors()
  for number, target in pairs(before) do
    if not after[number] and may_go(target) then
      after[number] = target
    end
  end
  return compare("descriptor", before, after, {})
end

--- As changed_descriptors(), once the threads of libzmq have closed their
--- descriptors. Meanwhile this function blocks the thread: it may be called
--- outside loops, where it cannot sleep.
local function left_descriptors(before)
  local patience = os.time() + REAL_LIMIT
  local left = changed_descriptors(before)
  while #left > 0 and os.time() < patience do
    left = changed_descriptors(before)
  end
  return left
end

--- Returns the counters after a full collection, once the workers have ended
--- that it has cancelled. Blocks, as left_descriptors() does.
local function stats_at_rest(before)
  collect_twice()
  local patience = os.time() + REAL_LIMIT
  local stats = aw.stats()
  while stats.threads > before.threads and os.time() < patience do
    stats = aw.stats()
  end
  return stats
end

local this_file = debug.getinfo(1, "S").source

--- Returns the place to blame, as error messages have it: the first line of a
--- function; for any other value, the line that passed it to this file.
local function place_of(owner)
  if type(owner) == "function" then
    local at = debug.getinfo(owner, "S")
    return ("%s:%d: "):format(at.short_src, at.linedefined)
  end
  local level = 4
  while debug.getinfo(level, "S").source == this_file do
    level = level + 1
  end
  local at = debug.getinfo(level, "Sl")
  return ("%s:%d: "):format(at.short_src, at.currentline)
end

--- Call `f(...)` and fail if it leaves anything behind. The message blames
--- `owner`.
local function leak_checked(owner, f, ...)
  local before = clean_stats()
  local open_before, children_before = descriptors(), children()
  local results = table.pack(f(...))
  clean = stats_at_rest(before)
  local left = compare("counter", before, clean, {})
  local still_open = left_descriptors(open_before)
  table.move(still_open, 1, #still_open, #left + 1, left)
  compare("child", children_before, children(), left)
  if #left > 0 then
    busted.fail(place_of(owner) .. "left behind:\n  "
      .. table.concat(left, "\n  "), 0)
  end
  return table.unpack(results, 1, results.n)
end

--- Run `f` and fail if it leaves anything behind: a counter of aw.stats() that
--- differs after two full collections, a new descriptor, or a child. A missing
--- descriptor of other code is a failure, too, unless libzmq or the collector
--- may have closed it. Errors of `f` pass unchanged.
---@param f fun(...): ...
---@return any ... what `f` returned
function M.leak_checked(f, ...)
  return leak_checked(f, f, ...)
end

--- Returns a function for `it` that runs `f` under leak_checked().
---@param f fun(...)
---@return fun(...)
function M.sealed(f)
  return function(...)
    M.leak_checked(f, ...)
  end
end

-- Loops. ---------------------------------------------------------------------

--- Returns a loop with a virtual clock of its own, which leaves signals alone.
---@param opts? table the loop's other options
---@return aiowire.EventLoop
function M.virtual(opts)
  opts = opts or {}
  opts.clock, opts.signals = "virtual", false
  return aw.EventLoop(opts)
end

--- Run `f(ev, clock)` under aw.test, and check that nothing is left.
---@param f fun(ev: aiowire.EventLoop, clock: aiowire.Clock)
function M.test(f)
  leak_checked(f, aw.test, { limit = REAL_LIMIT }, f)
end

--- Returns a function for `it` that runs `f` under test().
---@param f fun(ev: aiowire.EventLoop, clock: aiowire.Clock)
---@return fun()
function M.in_task(f)
  return function()
    M.test(f)
  end
end

--- As in_task(), with an empty log: `f(ev, log, note)`.
---@param f fun(ev: aiowire.EventLoop, log: any[], note: fun(what: any))
---@return fun()
function M.logged(f)
  return function()
    leak_checked(f, aw.test, { limit = REAL_LIMIT }, function(ev)
      f(ev, M.recorder())
    end)
  end
end

--- Run `f(ev)` outside of the loop's tasks, with a virtual clock, under
--- leak_checked(); `f` calls `ev:run` itself.
---@param f fun(ev: aiowire.EventLoop)
---@param opts? table the loop's other options
function M.with_loop(f, opts)
  leak_checked(f, function()
    opts = opts or {}
    opts.clock = "virtual"
    local ev <close> = aw.EventLoop(opts)
    f(ev)
  end)
end

--- Make a loop, let `f` start wires in it, run it to its end, and fail if
--- anything is left (see leak_checked).
---@param f fun(ev: aiowire.EventLoop)
---@param opts? table the loop's options
---@return string how "done", "timeout" or "stopped"
function M.run_loop(f, opts)
  return leak_checked(f, function()
    local ev <close> = aw.EventLoop(opts or {})
    f(ev)
    return ev:run()
  end)
end

--- Run `w` as aw.run does, and fail if anything is left (see leak_checked).
---@param w aiowire.Wireable
---@return any ... its results
function M.run(w)
  return leak_checked(w, aw.run, w)
end

--- Wait in real time until `holds()` returns true.
---@param holds fun(): boolean
function M.wait_until(holds)
  aw.timeout(REAL_LIMIT, function()
    while not holds() do
      aw.sleep(0.001)
    end
  end)
end

--- The advice in the error of an await that M.outside() calls.
M.outside_advice = aw.current() and ": a handler is not a task; start a task "
  .. "that waits, as ev:start(function() ... end)"
  or "; run it with aw.run(function() ... end)"

--- Call `f(...)` outside of tasks. The main chunk of the program is a task, so
--- the call happens in a handler there, which is no task [E7].
function M.outside(f, ...)
  if not aw.current() then
    f(...)
    return
  end
  local arguments, ok, err = table.pack(...), nil, nil
  local ev = M.virtual()
  ev:start(function()
    error("so that its handler is called", 0)
  end, function()
    ok, err = pcall(f, table.unpack(arguments, 1, arguments.n))
  end)
  ev:run()
  if not ok then
    error(err, 0)
  end
end

-- Parts for bodies. ----------------------------------------------------------

function M.nop() end

--- Returns a log and a function that appends to it.
---@return any[] log
---@return fun(what: any) note
function M.recorder()
  local log = {}
  return log, function(what)
    log[#log + 1] = what
  end
end

--- Returns the position of `what` in a log.
---@return integer
function M.position(log, what)
  for i, entry in ipairs(log) do
    if entry == what then
      return i
    end
  end
  busted.fail("not in the log: " .. tostring(what), 2)
end

--- Returns a value whose `__close` calls `f(..., err)`.
function M.closer(f, ...)
  local bound = table.pack(...)
  return setmetatable({}, {
    __close = function(_, err)
      bound[bound.n + 1] = err
      f(table.unpack(bound, 1, bound.n + 1))
    end,
  })
end

--- Start a wire, as `ev:start(...)` does, and return its task once it waits.
function M.waiting(ev, ...)
  local task = ev:start(...)
  M.wait_until(function()
    return task.status == "waiting"
  end)
  return task
end

--- Wait for `t`. Returns true and its results, or false and the error of
--- wait().
function M.join(t)
  return pcall(t.wait, t)
end

--- Cancel a task that runs `f` after one yield, then another one after two, and
--- so on, until one has finished. Each has a loop of its own.
---@param f fun()
function M.cut_at_each_await(f)
  local yields, finished = 0, false
  repeat
    yields = yields + 1
    M.run(function(ev)
      local task = ev:start(function()
        f()
        finished = true
      end)
      for _ = 1, yields do
        aw.yield()
      end
      task:cancel_wait()
    end)
  until finished or yields == 40
end

--- Run `f` with a time limit of 0 to 12 ms, each time in a loop of its own.
---@param f fun()
function M.cut_at_any_time(f)
  for ms = 0, 12 do
    M.run(function()
      aw.scope({ timeout = ms / 1000 }, f)
    end)
  end
end

--- Keep the thread busy for so many seconds of processor time.
function M.busy(seconds)
  local ends = os.clock() + seconds
  repeat
    local x = 0
    for i = 1, 1000 do
      x = x + i
    end
  until os.clock() >= ends
end

--- For helpers: check that `got` is `expected`. The failure blames the line
--- that called the helper.
---@param what string name of the value, for the message
---@param expected any
---@param got any
function M.expect(what, expected, got)
  if not rawequal(expected, got) then
    busted.fail(("%s: %s expected, got %s"):format(what, tostring(expected),
      tostring(got)), 3)
  end
end

--- Returns the error that `f(...)` raises.
---@return any err
function M.caught(f, ...)
  local ok, err = pcall(f, ...)
  if ok then
    busted.fail("no error was raised", 2)
  end
  return err
end

--- Call `f(...)`, which must raise an error whose text contains `text`.
---@param text string plain, not a pattern
---@param f function
---@return any err the error
function M.raises(text, f, ...)
  local ok, err = pcall(f, ...)
  if ok then
    busted.fail(("no error was raised; expected one with %q"):format(text), 2)
  end
  if not tostring(err):find(text, 1, true) then
    busted.fail(("expected an error with %q, got: %s"):format(text,
      tostring(err)), 2)
  end
  return err
end

-- The function `pending` in the environment of the current `it`. No other
-- function ends a test as pending.
local pending
busted.subscribe({ "test", "start" }, function(element)
  pending = element.env and element.env.pending -- a pending test has no env
  return nil, true
end)

--- End the current test as pending: it cannot run here.
---@param reason string
function M.pending(reason)
  pending(reason)
end

-- The first run opens some descriptors once for the whole process.
aw.run(M.nop)

if M.gc_stress then
  collector.set(1, 1000)
  busted.subscribe({ "test", "start" }, function()
    collectgarbage()
    return nil, true
  end)
  busted.subscribe({ "test", "end" }, function()
    collect_twice()
    return nil, true
  end)
end

package.loaded["spec.support.helper"] = M
return M
