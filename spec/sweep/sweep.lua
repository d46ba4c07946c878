--- The sweep strikes a scenario at each of its awaits in turn.
---
--- A scenario makes all its awaits through a probe, which counts them. A first
--- run finds their number N. Then the scenario runs once for each k in 1..N,
--- and is struck just before its k-th await. A strike is a cancel by the task
--- itself, by another task, again in clean-up, or of the scope around it; an
--- error; or the end of the whole loop. On a virtual clock there are also
--- time-outs that are due as the k-th await begins or a little later. After
--- each strike the sweep checks that every `<close>` has run exactly once, that
--- the loop ends, and that nothing is left
--- [C2, C3, C5, C8, C12, E1, E7, O8, S2, S3, L3].

local aw = require "aiowire"
local helper = require "spec.support.helper"

local assert = require "luassert"

local M = {}

-- Virtual seconds after which a run counts as hanging.
M.FOR_EVER = 10000

--- Returns a probe: all awaits of a run go through it, and it records what
--- happens.
local function new_probe(ev)
  local probe = { count = 0, closed = {}, failures = {}, errors = {},
    times = {} }

  --- Await `f(...)` and count the await. Strike if it is the one to be struck.
  local function step(f, ...)
    probe.count = probe.count + 1
    probe.times[probe.count] = ev:now()
    if probe.count == probe.at then
      probe.strike()
    elseif probe.again and probe.count > probe.at then
      probe.again()
    end
    return f(...)
  end

  --- For awaits that have no method below.
  probe.step = step

  function probe.sleep(seconds)
    return step(aw.sleep, seconds)
  end

  function probe.yield()
    return step(aw.yield)
  end

  function probe.await(w)
    return step(aw.await, w)
  end

  function probe.wait(t)
    return step(t.wait, t)
  end

  function probe.cancel_wait(t)
    return step(t.cancel_wait, t)
  end

  --- Returns a value that counts its `<close>` calls. `clean_up`, if given,
  --- runs in each.
  function probe.guard(clean_up)
    local id = #probe.closed + 1
    probe.closed[id] = 0
    return setmetatable({}, {
      __close = function(_, err)
        probe.closed[id] = probe.closed[id] + 1
        if clean_up then
          clean_up(err)
        end
      end,
    })
  end

  --- Returns a guard whose clean-up awaits `count` times.
  function probe.slow_guard(count)
    return probe.guard(function()
      aw.shield(function()
        for _ = 1, count do
          probe.sleep(0.25)
        end
      end)
    end)
  end

  --- Returns a handler that counts its calls under `name`.
  function probe.handler(name)
    return function(_, err)
      probe.failures[name] = (probe.failures[name] or 0) + 1
      probe.errors[#probe.errors + 1] = err
    end
  end

  --- Start another task on the loop, with a handler.
  local started = 0
  function probe.start(w, opts)
    started = started + 1
    return ev:start(w, probe.handler("task " .. started), opts)
  end

  return probe
end

-- The ways to strike: each gets what it needs of one run. -------------------

local function cancel_itself(run)
  run.probe.strike = function()
    run.victim:cancel("sweep")
  end
end

local function cancel_from_another_task(run)
  run.probe.strike = function()
    run.ev:start(function()
      run.victim:cancel("sweep")
    end)
  end
end

local function cancel_again_and_again(run)
  cancel_itself(run)
  run.probe.again = function()
    run.victim:cancel("again")
    run.ev:start(function()
      run.victim:cancel("and again")
    end)
  end
end

local function cancel_scope(run)
  run.scoped = true
  run.probe.strike = function()
    if run.scope then
      run.scope:cancel("sweep")
    end
  end
end

local function raise(run)
  run.boom = {}
  run.probe.strike = function()
    error(run.boom)
  end
end

local function stop_loop(run)
  run.probe.strike = function()
    run.ev:stop()
  end
end

--- Returns a way to strike: a deadline for the whole victim, `later` seconds
--- after its k-th await begins.
local function time_out(later)
  return function(run)
    run.later = later
    run.probe.strike = function() end
  end
end

-- One run, and what must hold after each. -----------------------------------

-- For each scenario, the times at which its awaits begin if nothing strikes it.
local times_of

--- Run a scenario in a time-out. Only a Timeout may end it early.
local function timed(run, seconds, case)
  local ok, err = pcall(aw.timeout, seconds, aw.await, function()
    return case.body(run.ev, run.probe)
  end)
  if not ok and not aw.is_timeout(err) then
    error(err, 0)
  end
  aw.sleep(1)
  run.went_on = true
end

local function run_once(case, k, way, seed)
  local ev = aw.EventLoop { clock = case.clock or "virtual",
    timeout = M.FOR_EVER, seed = seed,
    grace = case.clock == "real" and M.FOR_EVER or nil }
  local run = { ev = ev, probe = new_probe(ev) }
  run.probe.at = k
  if way then
    way(run)
  end
  run.victim = ev:start(function()
    if run.later then
      return timed(run, times_of[case][k] + run.later, case)
    elseif not run.scoped then
      return case.body(ev, run.probe)
    end
    aw.scope(function(s)
      run.scope = s
      aw.await(function()
        return case.body(ev, run.probe)
      end)
    end)
    run.scope = nil
    aw.sleep(case.clock == "real" and 0.001 or 1)
    run.went_on = true
  end, run.probe.handler "victim", { name = "victim" })
  run.how = ev:run()
  return run
end

local TERMINAL <const> = { done = true, failed = true, cancelled = true }

--- Check what must hold after every run, however it was struck.
local function assert_clean(run)
  local probe = run.probe
  assert.is_true(TERMINAL[run.victim.status], run.victim.status)
  for id, count in ipairs(probe.closed) do
    assert.are.equal(1, count, "times that guard " .. id .. " was closed")
  end
  for name, count in pairs(probe.failures) do
    assert.are.equal(1, count, "times that the handler of " .. name
      .. " was called")
  end
  assert.are.equal(0, #run.ev:tasks())
  assert.are.equal(0, #run.ev.stuck)
end

--- A cancel is no failure: the handlers get no error but `probe.expected`,
--- which the scenario raises itself.
local function assert_no_failure(run)
  assert_clean(run)
  assert.is_nil(run.probe.failures.victim)
  for _, err in ipairs(run.probe.errors) do
    assert.are.equal(run.probe.expected, err)
  end
end

local ways = {
  { "cancelled by itself", cancel_itself, function(run)
    assert_no_failure(run)
    assert.are.equal("done", run.how)
  end },
  { "cancelled by another task", cancel_from_another_task, function(run)
    assert_no_failure(run)
    assert.are.equal("done", run.how)
  end },
  { "cancelled again in its clean-up", cancel_again_and_again,
    function(run)
      assert_no_failure(run)
      assert.are.equal("done", run.how)
    end },
  { "cancelled with the scope around it", cancel_scope, function(run)
    assert_no_failure(run)
    assert.are.equal("done", run.how)
    assert.are.equal("done", run.victim.status)
    assert.is_true(run.went_on)
  end },
  { "struck by an error", raise, function(run)
    assert_clean(run)
    assert.are.equal("done", run.how)
    for _, err in ipairs(run.probe.errors) do
      assert.is_true(err == run.boom or err == run.probe.expected
        or aw.is_task_cancelled(err), tostring(err))
    end
    if run.victim.status == "failed" then
      assert.are.equal(1, run.probe.failures.victim)
    end
  end },
  { "ended with its loop", stop_loop, function(run)
    assert_no_failure(run)
    assert.is_true(run.how == "stopped" or run.how == "done", run.how)
  end },
}

local function assert_timed(run)
  assert_no_failure(run)
  assert.are.equal("done", run.how)
  assert.are.equal("done", run.victim.status)
  assert.is_true(run.went_on)
end

-- These ways need the same times in each run.
local virtual_ways = {
  { "timed out as an await begins", time_out(0), assert_timed },
  { "timed out a little later", time_out(0.125), assert_timed },
}

--- Returns the ways to strike a scenario.
local function ways_of(case)
  local list = table.move(ways, 1, #ways, 1, {})
  if (case.clock or "virtual") == "virtual" then
    table.move(virtual_ways, 1, #virtual_ways, #list + 1, list)
  end
  return list
end

-- The first access to an entry runs the scenario. So each `it` works alone.
times_of = setmetatable({}, {
  __index = function(self, case)
    self[case] = run_once(case).probe.times
    return self[case]
  end,
})

--- For each scenario, the number of its awaits if nothing strikes it.
local awaits <const> = setmetatable({}, {
  __index = function(_, case)
    return #times_of[case]
  end,
})

--- Strike `case` at each of its awaits in turn, and check how it ended. With
--- gc_stress each run is slow: then each way strikes only one await, a
--- different one as far as there are enough.
local function strike_all(case, way, part)
  local count, first, last = awaits[case], 1, awaits[case]
  if helper.gc_stress then
    first = (count - 1) * part // (#ways + #virtual_ways) + 1
    last = first
  end
  for k = first, last do
    local run = run_once(case, k, way[2])
    local ok, err = pcall(way[3], run)
    if not ok then
      if type(err) == "table" and err.message then
        err.message = ("at await %d of %d: %s"):format(k, count,
          tostring(err.message))
      end
      error(err, 0)
    end
  end
end

local function ends_by_itself(case)
  local run = run_once(case)
  assert_no_failure(run)
  assert.are.equal("done", run.how)
  assert.are.equal("done", run.victim.status)
end

--- Returns an empty list of scenarios, and a function that appends one to it.
---@param clock? "real" if the scenarios wait for more than the virtual
--- clock
---@return table[] scenarios
---@return fun(name: string, body: fun(ev, probe)) scenario
function M.scenarios(clock)
  local list = {}
  return list, function(name, body)
    list[#list + 1] = { name = name, body = body, clock = clock }
  end
end

--- Returns the facts of one scenario.
---@param case table { name=, body=function(ev, probe), clock= }
---@return { [1]: string, [2]: function }[] facts for `it`
function M.facts(case)
  local facts = {
    { "it ends by itself [T1, S2]", function()
      helper.leak_checked(ends_by_itself, case)
    end },
  }
  for part, way in ipairs(ways_of(case)) do
    facts[#facts + 1] = {
      "it leaves nothing when " .. way[1] .. " [C2, C3, C12]",
      function()
        helper.leak_checked(strike_all, case, way, part)
      end,
    }
  end
  return facts
end

--- Iterates over the facts of several scenarios: the sentence and the function
--- of each `it`.
---@param scenarios table[]
---@return fun(): string?, function? iterator
function M.all_facts(scenarios)
  return coroutine.wrap(function()
    for _, case in ipairs(scenarios) do
      for _, fact in ipairs(M.facts(case)) do
        coroutine.yield(("of a task that has: %s; %s"):format(case.name,
          fact[1]), fact[2])
      end
    end
  end)
end

--- Run one scenario with one strike; `seed` chooses both. The seed also goes to
--- the scheduler, so the order of events may differ from that in the sweep.
---@param cases table[]
---@param seed integer
function M.strike_seeded(cases, seed)
  local case = cases[seed % #cases + 1]
  local list = ways_of(case)
  local way = list[seed // #cases % #list + 1]
  local k = seed // #cases // #list % awaits[case] + 1
  local ok, err = pcall(function()
    way[3](run_once(case, k, way[2], seed))
  end)
  if not ok then
    if type(err) == "table" then
      err = err.message or err
    end
    error(("seed %d, %s, %s at await %d: %s"):format(seed, case.name,
      way[1], k, tostring(err)), 0)
  end
end

--- Returns how often the sweep strikes these scenarios. Each has at least one
--- await.
---@param cases table[]
---@return integer
function M.strikes(cases)
  local strikes = 0
  for _, case in ipairs(cases) do
    assert.is_true(awaits[case] >= 1, case.name)
    strikes = strikes + awaits[case] * #ways_of(case)
  end
  return strikes
end

--- Returns a body that awaits through the probe `p`. If `err` is given, it
--- fails at its end.
function M.worker(p, seconds, err)
  return function()
    local _ <close> = p.guard()
    p.sleep(seconds)
    if err then
      error(err, 0)
    end
  end
end

return M
