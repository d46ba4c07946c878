-- w:retry{...} runs w again until it succeeds [O10].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local texts = require "spec.support.texts"
local wires = require "spec.support.wires"

local test, sealed, virtual = helper.test, helper.sealed, helper.virtual
local recorder = helper.recorder
local takes, giving = wires.takes, wires.giving
local fails, cleaning = wires.fails, wires.cleaning
local fails_until = wires.fails_until
local outcome = wires.outcome
local contains = texts.contains

describe("w:retry{times=n}", function()
  it("has the results of the first try that works [O10]", function()
    test(function()
      local w, times = fails_until(3, "boom")
      assert.are.equal(3, aw.await(w:retry { times = 5 }))
      assert.are.equal(3, #times)
    end)
  end)

  it("keeps all of them, nil too, and tries once if that works [O10]",
    function()
      test(function()
        local log, note = recorder()
        local w = aw.Call(note, "try") >> aw.Value(nil, "b", nil)
        assert.are.same({ n = 3, nil, "b", nil },
          table.pack(aw.await(w:retry { times = 5 })))
        assert.are.same({ "try" }, log)
      end)
    end)

  it("tries n times in all, then raises the last error raw [O10]",
    function()
      test(function()
        local errors, tries = {}, 0
        local w = aw.Wire(function()
          tries = tries + 1
          errors[tries] = {}
          error(errors[tries])
        end)
        local ok, err = outcome(w:retry { times = 4 })
        assert.is_false(ok)
        assert.are.equal(4, tries)
        assert.is_true(rawequal(errors[4], err))
      end)
    end)

  it("tries once with times=1 [O10]", function()
    test(function()
      local w, times = fails_until(2, "boom")
      local ok, err = outcome(w:retry { times = 1 })
      assert.is_false(ok)
      assert.are.equal("boom", err)
      assert.are.equal(1, #times)
    end)
  end)

  it("tries at once again without a delay [O10]", function()
    test(function()
      local w, times = fails_until(9, "boom")
      aw.await(w:retry { times = 9 })
      assert.are.same({ 0, 0, 0, 0, 0, 0, 0, 0, 0 }, times)
    end)
  end)

  it("tries again and again without times [O10]", function()
    test(function(ev)
      local w, times = fails_until(100, "boom")
      assert.are.equal(100,
        aw.await(w:retry { delay = 1, factor = 1 }))
      assert.are.equal(100, #times)
      assert.are.equal(99, ev:now())
    end)
  end)

  it("lets others run between its tries [O10]", function()
    test(function(ev)
      local log, note = recorder()
      ev:start(function()
        note "other"
      end)
      local tries = 0
      local ok = outcome(aw.Wire(function()
        tries = tries + 1
        note("try " .. tries)
        error "boom"
      end):retry { times = 3 })
      assert.is_false(ok)
      assert.are_not.equal("other", log[#log])
      assert.are.equal(4, #log)
    end)
  end)

  it("tries the whole chain of w [O10]", function()
    test(function(ev)
      local log, note = recorder()
      local w = giving(takes(1, note, "try") >> fails(1, "boom"))
      outcome(w:retry { times = 2 })
      assert.are.same({ "try", "try" }, log)
      assert.are.equal(4, ev:now())
    end)
  end)

  it("counts what a try spun off as part of it [O10] [S4]", function()
    test(function(ev)
      local log, note = recorder()
      local w = giving(takes(2, note, "child") >> fails(0, "child's"))
        >> aw.Call(note, "try")
      local ok, err = outcome(w:retry { times = 2 })
      assert.is_false(ok)
      assert.are.equal("child's", err)
      assert.are.same({ "try", "child", "try", "child" }, log)
      assert.are.equal(4, ev:now())
    end)
  end)

  it("cleans a try up before the next one begins [O10] [S4]", function()
    test(function(ev)
      local log, note = recorder()
      local w = giving(cleaning(2, note, "cleaned"))
        >> takes(1, note, "try") >> fails(0, "boom")
      outcome(w:retry { times = 2 })
      assert.are.same({ "try", "cleaned", "try", "cleaned" }, log)
      assert.are.equal(6, ev:now())
    end)
  end)

  it("retries after a Timeout of the try [O10] [O8]", function()
    test(function(ev)
      local log, note = recorder()
      local w = (aw.Call(note, "try") >> aw.Sleep(9)):timeout(2)
      local ok, err = outcome(w:retry { times = 3 })
      assert.is_false(ok)
      assert.is_true(aw.is_timeout(err))
      assert.are.same({ "try", "try", "try" }, log)
      assert.are.equal(6, ev:now())
    end)
  end)

  it("counts anew in each run [V1] [U3]", function()
    test(function()
      local tries = 0
      local w = aw.Wire(function()
        tries = tries + 1
        error("boom", 0)
      end):retry { times = 3 }
      outcome(w)
      outcome(w)
      assert.are.equal(6, tries)
    end)
  end)

  it("is not changed by a later change of the table [V1]", function()
    test(function()
      local w, times = fails_until(9, "boom")
      local opts = { times = 2 }
      local retried = w:retry(opts)
      opts.times = 5
      outcome(retried)
      assert.are.equal(2, #times)
    end)
  end)
end)

describe("a try that is cancelled", function()
  it("is never retried [O10]", function()
    test(function(ev)
      local log, note = recorder()
      local w = aw.Call(note, "try") >> aw.Sleep(9)
      local t = ev:start(w:retry { times = 3 })
      aw.sleep(1)
      t:cancel_wait()
      assert.are.equal("cancelled", t.status)
      assert.are.same({ "try" }, log)
      assert.are.equal(1, ev:now())
    end)
  end)

  it("is never retried because of a time-out around it [O10]", function()
    test(function(ev)
      local log, note = recorder()
      local w = aw.Call(note, "try") >> aw.Sleep(9)
      local ok, err = outcome(w:retry { times = 3 }:timeout(1))
      assert.is_false(ok)
      assert.is_true(aw.is_timeout(err))
      assert.are.same({ "try" }, log)
      assert.are.equal(1, ev:now())
    end)
  end)

  it("is never retried if its race is lost [O10] [O5]", function()
    test(function(ev)
      local log, note = recorder()
      local w = (aw.Call(note, "try") >> aw.Sleep(9)):retry { times = 3 }
      aw.await(w | aw.Sleep(1))
      assert.are.same({ "try" }, log)
      assert.are.equal(1, ev:now())
    end)
  end)

  it("is never retried for an error of its clean-up [O10] [E3]",
    function()
      test(function(ev)
        local problem, got, tries = {}, nil, 0
        local w = aw.Wire(function()
          tries = tries + 1
          pcall(aw.sleep, 9)
          error(problem)
        end)
        local t = ev:start(w:retry { times = 5 }, function(_, err)
          got = err
        end)
        aw.sleep(1)
        t:cancel_wait()
        assert.are.equal(1, tries)
        assert.are.equal(problem, got)
        assert.are.equal("failed", t.status)
      end)
    end)

  it("is never retried for what a time-out makes it raise [E3, O10]",
    sealed(function()
      local ev = virtual()
      local got
      local unclean = aw.Sleep(9):finally(function()
        error("unclean", 0)
      end)
      ev:start(unclean:retry { times = 2, delay = 1 }:timeout(1),
        function(_, err)
          got = err
        end)
      ev:run()
      assert.are.equal("unclean", got)
    end))

  it("has not failed by an error before its cancel arrived [O10] [T4]",
    function()
      test(function(ev)
        local log, note = recorder()
        local t
        ev:start(function()
          aw.yield()
          t:cancel()
        end)
        t = ev:start(aw.Wire(function()
          note "try"
          return function()
            note "fails"
            error "boom"
          end
        end):retry { times = 5, delay = 1 }, function()
          note "handler"
        end)
        pcall(t.wait, t)
        assert.are.same({ "try", "fails" }, log)
        assert.are.equal("cancelled", t.status)
        assert.are.equal(0, ev:now())
      end)
    end)

  it("ends the delay between two tries, too [O10]", function()
    test(function(ev)
      local w, times = fails_until(9, "boom")
      local t = ev:start(w:retry { times = 9, delay = 100 })
      aw.sleep(1)
      t:cancel_wait()
      assert.are.equal("cancelled", t.status)
      assert.are.same({ 0 }, times)
      assert.are.equal(1, ev:now())
    end)
  end)
end)

describe("the delay between two tries", function()
  local function times_of(opts)
    local got
    helper.test(function()
      local w, times = fails_until(1000, "boom")
      outcome(w:retry(opts))
      got = times
    end)
    return got
  end

  it("doubles each time if nothing else is said [O10]", function()
    assert.are.same({ 0, 1, 3, 7, 15 },
      times_of { times = 5, delay = 1 })
  end)

  it("grows by the factor [O10]", function()
    assert.are.same({ 0, 1, 4, 13 },
      times_of { times = 4, delay = 1, factor = 3 })
    assert.are.same({ 0, 2, 4, 6 },
      times_of { times = 4, delay = 2, factor = 1 })
    assert.are.same({ 0, 2, 5, 9.5 },
      times_of { times = 4, delay = 2, factor = 1.5 })
  end)

  it("is never longer than max [O10]", function()
    assert.are.same({ 0, 1, 3, 6, 9, 12 },
      times_of { times = 6, delay = 1, max = 3 })
    assert.are.same({ 0, 2, 4, 6 },
      times_of { times = 4, delay = 10, max = 2 })
  end)

  it("stays at max after any number of tries [O10]", function()
    local count = helper.scale(300)
    local times = times_of { times = count, delay = 1, max = 8 }
    assert.are.equal(count, #times)
    for k = 5, count do
      assert.are.equal(8, times[k] - times[k - 1])
    end
  end)

  it("counts from the end of the try, with its clean-up [O10]", function()
    test(function(ev)
      local log, note = recorder()
      local w = aw.Wire(function()
        note(ev:now())
        local _ <close> = helper.closer(function()
          aw.sleep(2)
        end)
        aw.sleep(1)
        error "boom"
      end)
      outcome(w:retry { times = 3, delay = 10, factor = 1 })
      assert.are.same({ 0, 13, 26 }, log)
      assert.are.equal(29, ev:now())
    end)
  end)

  it("does not follow the last try [O10]", function()
    test(function(ev)
      local w = fails_until(9, "boom")
      outcome(w:retry { times = 2, delay = 5 })
      assert.are.equal(5, ev:now())
    end)
  end)
end)

describe("a delay with jitter", function()
  --- Returns the delays between the tries of a retry, on a loop with this seed.
  local function delays(seed, opts)
    local list = {}
    local ev = helper.virtual { seed = seed }
    ev:start(function()
      local w, times = fails_until(1000, "boom")
      outcome(w:retry(opts))
      for k = 2, #times do
        list[k - 1] = times[k] - times[k - 1]
      end
    end)
    assert.are.equal("done", ev:run())
    return list
  end
  local opts = { times = 30, delay = 1, max = 8, jitter = "full" }

  it("is a part of the full one [O10]", function()
    helper.leak_checked(function()
      local list, differ = delays(1, opts), false
      assert.are.equal(29, #list)
      for k, delay in ipairs(list) do
        local full = math.min(8, 2 ^ (k - 1))
        assert.is_true(delay >= 0 and delay <= full, k .. ": " .. delay)
        differ = differ or (delay > 0 and delay < full)
      end
      assert.is_true(differ)
    end)
  end)

  it("spreads over all of the full one [O10]", function()
    helper.leak_checked(function()
      local list = delays(1, { times = 201, delay = 4, factor = 1,
        jitter = "full" })
      local low, high = 0, 0
      for _, delay in ipairs(list) do
        low = low + (delay < 1 and 1 or 0)
        high = high + (delay > 3 and 1 or 0)
      end
      assert.is_true(low > 10 and high > 10, low .. " " .. high)
    end)
  end)

  it("is the same with the same seed [O10] [F6]", function()
    helper.leak_checked(function()
      assert.are.same(delays(42, opts), delays(42, opts))
    end)
  end)

  it("is another with another seed [O10]", function()
    helper.leak_checked(function()
      assert.are_not.same(delays(1, opts), delays(2, opts))
    end)
  end)

  it("does not come from math.random [O10] [F6]", function()
    helper.leak_checked(function()
      math.randomseed(1)
      local first = delays(42, opts)
      local expected = math.random(1 << 30)
      math.randomseed(1)
      assert.are.same(first, delays(42, opts))
      assert.are.equal(expected, math.random(1 << 30))
    end)
  end)

  it("is the full one with jitter=false [O10]", function()
    helper.leak_checked(function()
      assert.are.same({ 1, 2, 4 },
        delays(1, { times = 4, delay = 1, jitter = false }))
    end)
  end)
end)

describe("a retry with when=f", function()
  it("asks f with the error and the number of the try [O10]", function()
    test(function()
      local log, note = recorder()
      local problem = {}
      local w = fails_until(9, problem)
      outcome(w:retry { times = 4, when = function(...)
        note(table.pack(...))
        return true
      end })
      assert.is_true(#log >= 3)
      for k = 1, 3 do
        assert.is_true(rawequal(problem, log[k][1]))
        assert.are.equal(k, log[k][2])
      end
    end)
  end)

  it("raises the error at once if f says no [O10]", function()
    test(function(ev)
      local w, times = fails_until(9, "boom")
      local ok, err = outcome(w:retry { times = 9, delay = 1,
        when = function(_, n)
          return n < 3
        end })
      assert.is_false(ok)
      assert.are.equal("boom", err)
      assert.are.same({ 0, 1, 3 }, times)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("takes nil for no [O10]", function()
    test(function()
      local w, times = fails_until(9, "boom")
      outcome(w:retry { times = 9, when = helper.nop })
      assert.are.equal(1, #times)
    end)
  end)

  it("does not ask f about a try that works [O10]", function()
    test(function()
      local log, note = recorder()
      local w = fails_until(1, "boom")
      aw.await(w:retry { times = 9, when = note })
      assert.are.same({}, log)
    end)
  end)

  it("does not ask f about Cancelled [O10]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(aw.Sleep(9):retry { times = 9, when = note })
      aw.sleep(1)
      t:cancel_wait()
      assert.are.same({}, log)
    end)
  end)

  it("raises what f raises [O10]", function()
    test(function()
      local problem = {}
      local w, times = fails_until(9, "boom")
      local ok, err = outcome(w:retry { times = 9, when = function()
        error(problem)
      end })
      assert.is_false(ok)
      assert.are.equal(problem, err)
      assert.are.equal(1, #times)
    end)
  end)
end)

describe("what `when` raises", function()
  it("has the error of the try suppressed [O10] [E3]", function()
    helper.leak_checked(function()
      local first, second = {}, {}
      local w = fails_until(9, first)
      local err, info = wires.failure_of(w:retry { times = 9,
        when = function()
          error(second)
        end })
      assert.are.equal(second, err)
      assert.is_true(wires.suppresses(info, first))
    end)
  end)
end)

describe("a retry with within=s", function()
  it("raises the last error when the time is over [O10]", function()
    test(function(ev)
      local errors, tries = {}, 0
      local w = aw.Wire(function()
        tries = tries + 1
        errors[tries] = {}
        error(errors[tries])
      end)
      local ok, err = outcome(w:retry { delay = 1, factor = 1,
        within = 3.5 })
      assert.is_false(ok)
      assert.are.equal(4, tries)
      assert.is_true(rawequal(errors[4], err))
      assert.is_true(ev:now() <= 3.5)
    end)
  end)

  it("cuts off a try that takes longer [O10]", function()
    test(function(ev)
      local log, note = recorder()
      local tries = 0
      local w = aw.Wire(function()
        tries = tries + 1
        if tries == 1 then
          error("first", 0)
        end
        return cleaning(1, note, "cleaned")
      end)
      local ok, err = outcome(w:retry { within = 5 })
      assert.is_false(ok)
      assert.are.equal("first", err)
      assert.are.same({ "cleaned" }, log)
      assert.are.equal(6, ev:now())
    end)
  end)

  it("raises Timeout if there was no error before [O10]", function()
    test(function(ev)
      local ok, err = outcome(aw.Sleep(100):retry { within = 5 })
      assert.is_false(ok)
      assert.is_true(aw.is_timeout(err), tostring(err))
      assert.are.equal(5, ev:now())
    end)
  end)

  it("changes nothing for what works in time [O10]", function()
    test(function(ev)
      local before = aw.stats().deadlines
      local w = fails_until(3, "boom")
      assert.are.equal(3, aw.await(w:retry { delay = 1, within = 100 }))
      assert.are.equal(before, aw.stats().deadlines)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("ends by times, if these are over first [O10]", function()
    test(function(ev)
      local w, times = fails_until(9, "boom")
      local ok = outcome(w:retry { times = 2, delay = 1, within = 100 })
      assert.is_false(ok)
      assert.are.equal(2, #times)
      assert.are.equal(1, ev:now())
    end)
  end)

  it("cancels no other task: fallbacks run after it [O10] [O7]",
    function()
      test(function()
        local w = aw.Sleep(100):retry { within = 5 }
        assert.are.equal("instead", aw.await(w // aw.Value "instead"))
      end)
    end)

  it("is Cancelled if the cancel comes from outside [O10]", function()
    test(function(ev)
      local t = ev:start(aw.Sleep(100):retry { within = 5 })
      aw.sleep(1)
      t:cancel_wait()
      assert.are.equal("cancelled", t.status)
      assert.are.equal(1, ev:now())
    end)
  end)
end)

--- Returns a wire, and the times at which its tries begin. The i-th try takes
--- `lasting[i]` seconds; the last try succeeds, all others fail.
local function lasts(lasting)
  local times = {}
  return aw.Wire(function(ev)
    times[#times + 1] = ev:now()
    aw.sleep(lasting[#times])
    if #times < #lasting then
      error(#times, 0)
    end
  end), times
end

describe("a retry with reset_after=s", function()
  it("begins delay and count anew after a try of s or more [O10]", function()
    test(function()
      local w, times = lasts { 0, 0, 10, 0, 9.5, 0 }
      aw.await(w:retry { times = 4, delay = 1, reset_after = 10 })
      assert.are.same({ 0, 1, 3, 14, 16, 29.5 }, times)
    end)
  end)

  it("ends when so many failed in a row that were shorter [O10]", function()
    test(function()
      local w, times = lasts { 5, 5, 4.9, 4.9, 4.9, 0 }
      local ok, err = outcome(w:retry { times = 3, reset_after = 5 })
      assert.is_false(ok)
      assert.are.equal(4, err)
      assert.are.equal(4, #times)
    end)
  end)

  it("counts from the long try, for `when` and info [O10] [E2]", function()
    helper.leak_checked(function()
      local w, seen = lasts { 0, 6, 0, 0 }, {}
      local _, info = wires.failure_of(w:retry { times = 3, reset_after = 5,
        when = function(err, n)
          seen[#seen + 1] = err .. ":" .. n
          return err ~= 3
        end })
      assert.are.same({ "1:1", "2:1", "3:2" }, seen)
      assert.are.equal(2, info.attempts)
    end)
  end)

  it("leaves a try that works alone, however long [O10]", function()
    test(function()
      local w, times = lasts { 100 }
      aw.await(w:retry { times = 1, reset_after = 5 })
      assert.are.same({ 0 }, times)
    end)
  end)

  it("is shown with the other options [V8]", helper.sealed(function()
    assert.are.equal("Sleep(1):retry{times = 2, reset_after = 60}",
      tostring(aw.Sleep(1):retry { times = 2, reset_after = 60 }))
  end))

  it("is refused if that is not a time [O10]", helper.sealed(function()
    for value, why in pairs {
      [0] = "seconds must be positive",
      [-1] = "seconds must not be negative",
      x = "number of seconds expected, got string",
    } do
      local err = helper.caught(aw.Sleep(1).retry, aw.Sleep(1),
        { reset_after = value })
      contains(tostring(err), "bad option 'reset_after' (" .. why .. ")")
    end
  end))
end)

describe("the info of a retry that failed", function()
  it("has the number of its tries [O10] [E2]", function()
    helper.leak_checked(function()
      local w = fails_until(9, {})
      local _, info = wires.failure_of(w:retry { times = 3, delay = 1 })
      assert.are.equal(3, info.attempts)
    end)
  end)

  it("has it where `when` gave up, too [O10] [E2]", function()
    helper.leak_checked(function()
      local w = fails_until(9, {})
      local _, info = wires.failure_of(w:retry { times = 9,
        when = function(_, n)
          return n < 2
        end })
      assert.are.equal(2, info.attempts)
    end)
  end)

  it("has no number without a retry [E2]", function()
    helper.leak_checked(function()
      local _, info = wires.failure_of(fails(1, {}))
      assert.is_nil(info.attempts)
    end)
  end)

  it("has it in its text [E2]", function()
    helper.leak_checked(function()
      local w = fails_until(9, "boom")
      local _, info = wires.failure_of(w:retry { times = 3 })
      contains(tostring(info), "3 attempts")
    end)
  end)
end)

describe("a retry in a retry", function()
  it("tries n times m times [O10]", function()
    test(function()
      local w, times = fails_until(100, "boom")
      outcome(w:retry { times = 3 }:retry { times = 4 })
      assert.are.equal(12, #times)
    end)
  end)
end)
