-- The sweep over combinators: see spec/sweep/sweep.lua. The sweep strikes each
-- scenario at each await, in normal running and in clean-up. Then each of a
-- thousand seeds of the scheduler makes one strike.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local sweep = require "spec.sweep.sweep"

local nop = helper.nop

local SEEDS <const> = helper.scale(1000)

-- Parts of scenarios, made with a probe. -------------------------------------

--- Sleep `count` times for a second each.
local function sleep(p, count)
  for _ = 1, count do
    p.sleep(1)
  end
end

--- Returns a guarded body that sleeps `count` times and returns `result`.
local function body(p, count, result)
  return aw.Wire(function()
    local _ <close> = p.guard()
    sleep(p, count)
    return aw.Value(result)
  end)
end

--- As body(), with a clean-up that awaits.
local function slow(p, count, result)
  return aw.Wire(function()
    local _ <close> = p.slow_guard(1)
    sleep(p, count)
    return aw.Value(result)
  end)
end

--- Returns a body that fails after `count` seconds with `p.expected`.
local function failing(p, count)
  p.expected = p.expected or {}
  return aw.Wire(function()
    local _ <close> = p.guard()
    sleep(p, count)
    error(p.expected)
  end)
end

--- Returns a sequence whose first element spins off `w`.
local function spinning(w, then_w)
  return aw.Wire(function()
    return w
  end) >> then_w
end

--- Returns a guarded function that awaits and returns its arguments.
local function passing(p)
  return function(...)
    local _ <close> = p.guard()
    p.sleep(0.5)
    return ...
  end
end

-- Each scenario: what it is about, and body(ev, probe). ----------------------

local scenarios, scenario = sweep.scenarios()

--- Add a scenario that awaits the wire which `build(probe, ev)` returns.
local function awaiting(name, build)
  scenario(name, function(ev, p)
    local _ <close> = p.guard()
    p.await(build(p, ev))
    p.sleep(0.5)
  end)
end

awaiting("a join of two", function(p)
  return body(p, 2) & body(p, 3)
end)

awaiting("a join of slow cleaners", function(p)
  return slow(p, 1) & slow(p, 3) & slow(p, 2)
end)

awaiting("a join with leaves", function(p)
  return aw.Sleep(2) & body(p, 1) & aw.Sleep(1) >> aw.Sleep(1)
end)

awaiting("a join in a join", function(p)
  return (body(p, 1) & slow(p, 2)):named "inner" & (body(p, 3) & slow(p, 1))
end)

awaiting("a join of what spins off", function(p)
  return spinning(slow(p, 2), body(p, 1)) & spinning(body(p, 1), body(p, 2))
end)

awaiting("a join of chains", function(p)
  local function state(n)
    return function()
      local _ <close> = p.guard()
      p.sleep(1)
      return n > 1 and state(n - 1) or nil
    end
  end
  return aw.Wire(state(3)) & state(2)
end)

awaiting("a join that fails", function(p)
  return (slow(p, 3) & failing(p, 1) & body(p, 2)) // body(p, 1)
end)

awaiting("a join in which two fail", function(p)
  return (failing(p, 1) & failing(p, 1) & slow(p, 2)):catch(nop)
end)

awaiting("All with keys", function(p)
  return aw.All { x = body(p, 1), y = slow(p, 2), body(p, 1) }
end)

awaiting("All with a limit", function(p)
  local list = { limit = 2 }
  for i = 1, 5 do
    list[i] = i % 2 == 0 and slow(p, 1) or body(p, 1)
  end
  return aw.All(list)
end)

awaiting("All one after another", function(p)
  return aw.All { body(p, 1), slow(p, 1), body(p, 1), limit = 1 }
end)

awaiting("All with a limit, and a failure", function(p)
  return aw.All { slow(p, 3), failing(p, 1), body(p, 1), limit = 2 }
    // body(p, 1)
end)

awaiting("a repeated join", function(p)
  return (body(p, 1) & slow(p, 1)) * 3
end)

awaiting("a race of two", function(p)
  return body(p, 2) | body(p, 3)
end)

awaiting("a race with slow losers", function(p)
  return slow(p, 3) | body(p, 1) | slow(p, 4)
end)

awaiting("a race with an event", function(p)
  return slow(p, 3) | aw.Sleep(2) / passing(p)
end)

awaiting("a race that an event loses", function(p)
  return body(p, 1) | aw.Sleep(9) / passing(p) | slow(p, 2)
end)

awaiting("a race of events", function(p)
  return aw.Sleep(2) / passing(p) | aw.Sleep(1) / passing(p) | aw.Never
end)

awaiting("a race of events, again and again", function(p)
  return (aw.Sleep(9) | aw.Sleep(1) / passing(p)) * 3
end)

awaiting("a race of events at the same moment", function(p)
  return aw.Sleep(1) / passing(p) | aw.Sleep(1) / passing(p)
end)

awaiting("a race of bodies at the same moment", function(p)
  return slow(p, 1) | slow(p, 1) | body(p, 1)
end)

awaiting("a race in a race", function(p)
  return (slow(p, 3) | body(p, 2)):named "inner" | slow(p, 4)
end)

awaiting("a race in a join in a race", function(p)
  return ((body(p, 1) | slow(p, 2)) & (slow(p, 2) | body(p, 3))) | slow(p, 4)
end)

awaiting("a race won by a failure", function(p)
  return (slow(p, 2) | failing(p, 1)) // body(p, 1)
end)

awaiting("a race whose loser spun off", function(p)
  return spinning(slow(p, 9), slow(p, 9)) | body(p, 2)
end)

awaiting("Race with keys", function(p)
  return aw.Race { x = slow(p, 2), y = body(p, 1), aw.Sleep(3) }
    / passing(p)
end)

awaiting("Any with failures", function(p)
  return aw.Any { failing(p, 1), body(p, 3), slow(p, 4), failing(p, 2) }
end)

awaiting("Any in which all fail", function(p)
  return aw.Any { failing(p, 1), failing(p, 2) } // slow(p, 1)
end)

awaiting("a race with the end of a task", function(p)
  local t = p.start(slow(p, 2), { name = "waited for" })
  return aw.Done(t) / passing(p) | aw.Sleep(3) | body(p, 4)
end)

awaiting("a race that lets a task go on", function(p)
  local t = p.start(slow(p, 4), { name = "goes on" })
  return aw.Done(t) | body(p, 1)
end)

awaiting("a Select", function(p)
  return aw.Select {
    x = aw.Sleep(2) / passing(p), y = aw.Sleep(1) / passing(p),
  } / passing(p)
end)

scenario("a loop over a Select", function(_, p)
  local _ <close> = p.slow_guard(1)
  local w = aw.Select { tick = aw.Sleep(1), tock = aw.Sleep(1.5) }
  for _ = 1, 4 do
    p.await(w)
  end
end)

awaiting("a Select with the end of a task", function(p)
  local t = p.start(body(p, 1))
  return aw.Select { task = aw.Done(t), tick = aw.Sleep(2) }
end)

awaiting("a fall-back that is not needed", function(p)
  return slow(p, 2) // body(p, 1)
end)

awaiting("a fall-back", function(p)
  return failing(p, 2) // slow(p, 2)
end)

awaiting("two fall-backs", function(p)
  return failing(p, 1) // failing(p, 1) // body(p, 1)
end)

awaiting("a fall-back from what spun off", function(p)
  return spinning(slow(p, 5), failing(p, 1)) // body(p, 1)
end)

awaiting("a fall-back in a race", function(p)
  return (failing(p, 1) // slow(p, 3)) | body(p, 3)
end)

awaiting("a time-out that is not due", function(p)
  return slow(p, 2):timeout(9)
end)

awaiting("a time-out", function(p)
  return body(p, 9):timeout(2.5) // body(p, 1)
end)

awaiting("a time-out with a slow clean-up", function(p)
  return slow(p, 9):timeout(1.5) // slow(p, 1)
end)

awaiting("a time-out in a time-out", function(p)
  return (slow(p, 9):timeout(1) // slow(p, 9)):timeout(2) // body(p, 1)
end)

awaiting("two time-outs in one moment", function(p)
  return (slow(p, 9):timeout(1) // slow(p, 9)):timeout(1) // body(p, 1)
end)

awaiting("a time-out for what spun off", function(p)
  return spinning(slow(p, 9), body(p, 1)):timeout(2) // body(p, 1)
end)

awaiting("a time-out with a short grace", function(p)
  return aw.Wire(function()
    local _ <close> = p.guard(function()
      pcall(aw.shield, function()
        p.sleep(50)
      end)
    end)
    p.sleep(9)
  end):timeout(1, { grace = 0.5 }) // body(p, 1)
end)

awaiting("a time-out for a join", function(p)
  return (slow(p, 1) & slow(p, 9)):timeout(2) // body(p, 1)
end)

awaiting("a time-out in each round", function(p)
  return (slow(p, 9):timeout(1) // body(p, 1)) * 2
end)

awaiting("a time-out of events", function(p)
  return (aw.Never | aw.Sleep(9)):timeout(1) // body(p, 1)
end)

--- Returns a wire that fails twice and then succeeds.
local function third(p, make)
  local tries = 0
  return aw.Wire(function()
    tries = tries + 1
    return tries % 3 == 0 and body(p, 1) or make()
  end)
end

awaiting("a retry", function(p)
  return third(p, function()
    return failing(p, 1)
  end):retry { times = 3 }
end)

awaiting("a retry that gives up", function(p)
  return failing(p, 1):retry { times = 2, delay = 1 } // body(p, 1)
end)

awaiting("a retry with delays", function(p)
  return third(p, function()
    return failing(p, 0)
  end):retry { times = 9, delay = 0.5, max = 2, jitter = "full" }
end)

awaiting("a retry in a given time", function(p)
  return failing(p, 1):retry { delay = 1, factor = 1, within = 4.5 }
    // slow(p, 1)
end)

awaiting("a retry whose tries are timed out", function(p)
  return third(p, function()
    return slow(p, 9)
  end):timeout(2):retry { times = 3 } // body(p, 1)
end)

awaiting("a retry of what spins off", function(p)
  return spinning(slow(p, 5), failing(p, 1)):retry { times = 2 }
    // body(p, 1)
end)

awaiting("a retry that asks", function(p)
  return failing(p, 1):retry { times = 5, when = function(_, n)
    return n < 2
  end } // body(p, 1)
end)

awaiting("a retry in a race", function(p)
  return failing(p, 1):retry { delay = 1 } | slow(p, 3)
end)

awaiting("a catch whose function awaits", function(p)
  return failing(p, 1):catch(function()
    local _ <close> = p.slow_guard(1)
    p.sleep(1)
  end)
end)

awaiting("a catch that goes on with a wire", function(p)
  return failing(p, 1):catch(function()
    return slow(p, 1)
  end)
end)

awaiting("a catch that raises, in a catch", function(p)
  return failing(p, 1):catch(function(err)
    local _ <close> = p.guard()
    p.sleep(1)
    error(err)
  end):catch(nop)
end)

--- Returns a guarded function for finally that awaits.
local function farewell(p, seconds)
  return function()
    local _ <close> = p.guard()
    p.sleep(seconds / 2)
    p.sleep(seconds / 2)
  end
end

awaiting("a finally", function(p)
  return body(p, 2):finally(farewell(p, 1))
end)

awaiting("a finally after a failure", function(p)
  return failing(p, 1):finally(farewell(p, 1)) // slow(p, 1)
end)

awaiting("a finally in a finally", function(p)
  return slow(p, 1):finally(farewell(p, 1)):finally(farewell(p, 1))
end)

awaiting("a finally in each operand of a join", function(p)
  return body(p, 1):finally(farewell(p, 1))
    & slow(p, 2):finally(farewell(p, 2))
end)

awaiting("a finally of a loser", function(p)
  return body(p, 9):finally(farewell(p, 1)) | slow(p, 1)
end)

awaiting("a finally with all combinators in it", function(p)
  return body(p, 1):finally(function()
    local _ <close> = p.guard()
    p.await((body(p, 1) & slow(p, 1)) | aw.Sleep(9))
    p.await(slow(p, 9):timeout(0.5) // body(p, 1))
  end)
end)

awaiting("a finally of what spins off", function(p)
  return spinning(slow(p, 2), body(p, 1)):finally(farewell(p, 1))
end)

awaiting("functions on results", function(p)
  return slow(p, 1, "x") / passing(p) / passing(p)
end)

awaiting("functions that give wires", function(p)
  return body(p, 1, "x"):bind(function(x)
    p.sleep(1)
    return slow(p, 1, x):bind(function()
      return body(p, 1)
    end)
  end)
end)

awaiting("functions on events", function(p)
  return (aw.Sleep(1) / passing(p) / passing(p)):bind(function()
    return slow(p, 1)
  end)
end)

awaiting("a supervised failure", function(p)
  return failing(p, 1):supervise(nop) >> slow(p, 1)
end)

awaiting("an acceptor with supervised connections", function(p)
  local count = 0
  return (aw.Sleep(1) >> aw.Wire(function()
    count = count + 1
    local serve = count == 2 and failing(p, 1) or slow(p, 2)
    return serve:supervise(nop)
  end)) * 3
end)

awaiting("ticks", function(p)
  return aw.Every(2, body(p, 1)):timeout(5) // slow(p, 1)
end)

awaiting("ticks that are skipped", function(p)
  return aw.Every(1, slow(p, 2)) | aw.Sleep(7)
end)

awaiting("ticks in a burst", function(p)
  return aw.Every(1, slow(p, 2), { missed = "burst" }) | body(p, 5)
end)

awaiting("ticks on a grid that starts anew", function(p)
  return aw.Every(1, slow(p, 2), { missed = "delay" }) | body(p, 5)
end)

awaiting("a race in a shield", function(p)
  return (slow(p, 2) | body(p, 3)):shielded(60) >> body(p, 1)
end)

awaiting("a fetch with a time-out, tries and a fall-back", function(p)
  return (third(p, function()
    return slow(p, 9)
  end):timeout(1.5):retry { times = 3, delay = 0.5 } // body(p, 1))
    :finally(farewell(p, 1))
end)

awaiting("workers on a channel", function(p)
  local jobs = aw.channel(2)
  local function worker()
    local _ <close> = p.slow_guard(1)
    for _ in jobs:iter() do
      p.sleep(1)
    end
  end
  return aw.Wire(function()
    local _ <close> = p.guard()
    for i = 1, 5 do
      p.step(jobs.send, jobs, i)
    end
    jobs:close()
  end) & worker & worker
end)

awaiting("a receiver with patience", function(p)
  local ch = aw.channel()
  return aw.Wire(function()
    local _ <close> = p.guard()
    for _ = 1, 3 do
      p.await(aw.Recv(ch) / passing(p) | aw.Sleep(0.75))
    end
    ch:close()
  end) & (aw.Sleep(1) >> aw.Send(ch, "message"):timeout(0.5)
    // aw.Value()) * 2
end)

awaiting("a Select of channels", function(p)
  local a, b = aw.channel(), aw.channel()
  return aw.Wire(function()
    local _ <close> = p.guard()
    for _ = 1, 4 do
      p.await(aw.Select { a = aw.Recv(a), b = aw.Recv(b) })
    end
  end) & (aw.Sleep(1) >> aw.Send(a, 1)) * 2
    & (aw.Send(b, 2) >> body(p, 1)) * 2
end)

-- AIOWIRE_GCSTRESS makes runs slow: then only some scenarios are swept.
local swept = scenarios
if helper.gc_stress then
  swept = {}
  for i = 1, #scenarios, 5 do
    swept[#swept + 1] = scenarios[i]
  end
end

-- The sweep. -----------------------------------------------------------------

describe("the sweep of combinators", function()
  for sentence, proof in sweep.all_facts(swept) do
    it(sentence, proof)
  end

  it("leaves nothing in a shuffled order, for many seeds [F6] [C2] [C3] [C12]",
    helper.sealed(function()
      for seed = 1, SEEDS do
        sweep.strike_seeded(scenarios, seed)
      end
    end))

  it("covers 60 scenarios and 4,000 strikes [C2]", function()
    assert.is_true(#scenarios >= 60, tostring(#scenarios))
    assert.is_true(sweep.strikes(scenarios) >= 4000,
      tostring(sweep.strikes(scenarios)))
  end)
end)
