--- test.lua: aw.test([opts,] f) tests on a virtual clock and reports leaks [K6]
---
--- `f(ev, clock)` is the main task. When `f` has returned, the loop runs until
--- all tasks that `f` started have ended. A task that cannot end is leaked.
--- `opts`: seed=, limit= (real seconds; default 2, or AIOWIRE_TEST_TIMEOUT).
local aw, inner = ...

local Clock = { __name = "Clock" }
Clock.__index = Clock

--- Raise unless argument 1 is a clock and argument 2 is seconds.
local function check_seconds(clock, seconds)
  if getmetatable(clock) ~= Clock then
    inner.bad_type(1, "clock", clock)
  elseif type(seconds) ~= "number" then
    inner.bad_type(2, "number", seconds)
  elseif seconds ~= seconds then
    inner.bad_argument(2, "seconds must not be NaN")
  end
end

--- Return the time on the clock, in seconds.
Clock.now = inner.method("now", function(self)
  check_seconds(self, 0)
  return self._ev:now()
end)

--- Run everything that is due until `t`, inclusive.
Clock.run_until = inner.method("run_until", function(self, t)
  check_seconds(self, t)
  inner.idle(t)
end)

--- Run everything that is due in the next `dt` seconds, inclusive.
Clock.advance = inner.method("advance", function(self, dt)
  check_seconds(self, dt)
  if dt < 0 then
    inner.bad_argument(2, "seconds must not be negative")
  end
  inner.idle(self._ev:now() + dt)
end)

local function limit_of(opts)
  local limit = opts.limit
  if limit == nil then
    return tonumber(os.getenv "AIOWIRE_TEST_TIMEOUT") or 2
  end
  local why = inner.seconds_fault(limit)
  if why then
    inner.raise(("bad option 'limit' (%s)"):format(why))
  end
  return limit
end

--- Return one line for each task in `tree`, the text of a Deadlock.
local function leak_report(tree)
  local lines = {}
  for line in tree:gmatch "[^\n]+" do
    local task = line:match "task %d+ '.*"
    if task then
      lines[#lines + 1] = "leaked " .. task
    end
  end
  return table.concat(lines, "\n")
end

--- [how the loop ended] = why the function of the test has not returned
local UNFINISHED <const> = {
  done = "the test's task was cancelled",
  stopped = "the test's loop was stopped",
}

local function run_checked(ev, f, limit)
  local clock = setmetatable({ _ev = ev }, Clock)
  local returned, results = false, nil
  local function main()
    results = table.pack(inner.screened(f(ev, clock)))
    returned = true
  end
  inner.start_raw(ev, aw.Call(main):named "test")
  local ok, outcome = pcall(inner.run_limited, ev, limit)
  local dump = inner.limit_dump(ev)
  if dump then
    error(("test took longer than %g s\n%s"):format(limit, dump), 0)
  end
  if not ok and returned and aw.is_deadlock(outcome) then
    error(leak_report(outcome.message), 0)
  end
  if not ok then
    error(outcome, 0)
  end
  if not returned then
    error(UNFINISHED[outcome] .. " before its function returned", 0)
  end
  return results
end

local KNOWN <const> = { "limit", "seed" }

return function(opts, f)
  local at = f == nil and 1 or 2
  if f == nil then
    opts, f = {}, opts
  end
  if type(f) ~= "function" then
    inner.bad_type(at, "function", f)
  end
  inner.check_options(1, opts, KNOWN)
  local limit = limit_of(opts)
  local ev = aw.EventLoop { clock = "virtual", seed = opts.seed,
    signals = false, name = "test" }
  local results = run_checked(ev, f, limit)
  ev:close()
  return table.unpack(results, 1, results.n)
end
