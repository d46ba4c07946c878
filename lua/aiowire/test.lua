--- aw.test([opts,] f): a test on a virtual clock that proves that nothing is
--- left [K6].
---
--- `f(ev, clock)` is the main task; when it has returned, the loop runs on
--- until all that it started has ended. What cannot end is leaked. `opts`:
--- seed=, limit= (real seconds; 2, or AIOWIRE_TEST_TIMEOUT).
local aw, inner = ...

local Clock = {}
Clock.__index = Clock

--- The time on the clock, in seconds.
function Clock:now()
  return self.ev:now()
end

--- Run all that is due until `t`, inclusive.
function Clock.run_until(_, t)
  inner.idle(t)
end

--- Raise, at `level` from here, if `seconds` are none.
local function check_seconds(what, seconds, level)
  local why
  if type(seconds) ~= "number" then
    why = "number expected, got " .. type(seconds)
  elseif seconds ~= seconds then
    why = "seconds must not be NaN"
  elseif seconds < 0 then
    why = "seconds must not be negative"
  end
  if why then
    error(("bad %s (%s)"):format(what, why), level)
  end
end

--- Run all that is due in the next `dt` seconds, inclusive.
function Clock:advance(dt)
  check_seconds("argument #1 to 'advance'", dt, 3)
  inner.idle(self.ev:now() + dt)
end

local function limit_of(opts)
  if opts.limit == nil then
    return tonumber(os.getenv "AIOWIRE_TEST_TIMEOUT") or 2
  end
  return opts.limit
end

--- What is left of the loop, told by a Deadlock: one line for each task.
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

--- Why the function of a test has not returned, by how its loop ended.
local UNFINISHED <const> = {
  done = "the test's task was cancelled",
  stopped = "the test's loop was stopped",
}

local function run_checked(ev, f, limit)
  local clock = setmetatable({ ev = ev }, Clock)
  local returned, results = false, nil
  local function main()
    results = table.pack(f(ev, clock))
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

-- Called by a C function, so the caller is one level further up.
return function(opts, f)
  if f == nil then
    opts, f = {}, opts
  end
  if type(f) ~= "function" then
    error("bad argument #1 to 'test' (function expected, got "
      .. type(f) .. ")", 3)
  end
  local limit = limit_of(opts)
  check_seconds("option 'limit'", limit, 4)
  local ev = aw.EventLoop { clock = "virtual", seed = opts.seed,
    signals = false, name = "test" }
  local results = run_checked(ev, f, limit)
  ev:close()
  return table.unpack(results, 1, results.n)
end
