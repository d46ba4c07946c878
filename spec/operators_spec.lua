-- Operators and methods, the part about what comes after what:
-- O1 to O3, O12, O13, O15 (Sleep, SleepUntil, Never, Done, named), O16,
-- and the laws that follow from them.

local aw = require "aiowire"
local helper = require "spec.helper"
local places = require "spec.places"
local texts = require "spec.texts"
local wires = require "spec.wires"

local test, long_test = helper.test, helper.long_test
local recorder = helper.recorder
local nop = helper.nop
local takes, giving = wires.takes, wires.giving
local outcome = wires.outcome
local line, place = places.line, places.place
local contains = texts.contains

describe("a >> b", function()
  it("runs b after a has ended [O1]", function()
    test(function(ev)
      local log, note = recorder()
      ev:start(takes(2, note, "a") >> takes(1, note, "b")):wait()
      assert.are.same({ "a", "b" }, log)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("does not run b if a fails [O1]", function()
    test(function()
      local log, note = recorder()
      local problem = {}
      local ok, err = outcome(aw.Call(error, problem)
        >> aw.Call(note, "b"))
      assert.is_false(ok)
      assert.is_true(rawequal(problem, err))
      assert.are.same({}, log)
    end)
  end)

  it("spins off a wire returned by a body that is not last [O1]", function()
    test(function(ev)
      local log, note = recorder()
      local child = takes(2, note, "child")
      local w = giving(child, note, "a") >> takes(1, note, "b")
      ev:start(w):wait()
      assert.are.same({ "a", "b", "child" }, log)
      assert.are.equal(2, ev:now())
    end)
  end)

  it("goes on with the wire that b returns [O1]", function()
    test(function(ev)
      local log, note = recorder()
      local following = takes(2, note, "next") >> aw.Value("result")
      local w = aw.Call(note, "a") >> giving(following, note, "b")
      assert.are.equal("result", aw.await(w))
      assert.are.same({ "a", "b", "next" }, log)
      assert.are.equal(2, ev:now())
    end)
  end)

  it("has the results of b [O1]", function()
    test(function()
      local w = aw.Value("a") >> aw.Value(nil, "b", nil)
      assert.are.same(
        { n = 3, nil, "b", nil },
        table.pack(aw.await(w))
      )
    end)
  end)

  it("has no results if b has none [O1]", function()
    test(function()
      local function results(w)
        return select("#", aw.await(w))
      end
      assert.are.equal(0, results(aw.Value("a") >> nop))
      assert.are.equal(0, results(aw.Value("a") >> aw.Call(nop)))
      assert.are.equal(0, results(giving(aw.Value("a")) >> nop))
    end)
  end)

  it("spins off a Value that a returned, which changes nothing [O1]",
    function()
      test(function()
        local w = giving(aw.Value("lost")) >> aw.Value("kept")
        assert.are.equal("kept", aw.await(w))
      end)
    end)

  it("spins nothing off for the inside of a composite a [O1]", function()
    test(function(ev, clock)
      local log, note = recorder()
      local tasks = #ev:tasks()
      local inner = takes(1, note, 1) >> takes(1, note, 2)
      local w = (inner * 2) >> inner:named("inner") >> takes(1, note, 3)
      ev:start(w)
      for _ = 1, 6 do
        clock:advance(1)
        assert.is_true(#ev:tasks() <= tasks + 1)
      end
      clock:advance(1.5)
      assert.are.same({ 1, 2, 1, 2, 1, 2, 3 }, log)
    end)
  end)

  it("spins off what the last body of a composite a returned [O1]",
    function()
      test(function(ev)
        local log, note = recorder()
        local child = takes(5, note, "child")
        local a = takes(1, note, 1) >> giving(child, note, 2)
        local w = (a:named("a") >> takes(1, note, 3))
        ev:start(w):wait()
        assert.are.same({ 1, 2, 3, "child" }, log)
        assert.are.equal(6, ev:now())
      end)
    end)

  it("spins off a returned composite as one task [O1]", function()
    test(function(ev)
      local log, note = recorder()
      local child = (takes(2, note, "x") >> takes(2, note, "y")) * 2
      ev:start(giving(child) >> takes(3, note, "b")):wait()
      assert.are.same({ "x", "b", "y", "x", "y" }, log)
      assert.are.equal(8, ev:now())
    end)
  end)

  it("spins off one child for each body that returned a wire [O1]",
    function()
      test(function(ev)
        local log, note = recorder()
        local w = giving(takes(3, note, 3))
          >> giving(takes(2, note, 2))
          >> giving(takes(1, note, 1))
          >> takes(0.5, note, "last")
        ev:start(w):wait()
        assert.are.same({ "last", 1, 2, 3 }, log)
        assert.are.equal(3, ev:now())
      end)
    end)
end)

describe("Sequence(a, b, ...)", function()
  it("is a >> b >> ... [O1]", function()
    test(function(ev)
      local log, note = recorder()
      local child = takes(5, note, "child")
      local w = aw.Sequence(
        takes(1, note, 1),
        giving(child),
        takes(1, note, 2),
        giving(aw.Value("result"))
      )
      local t = ev:start(w)
      assert.are.equal("result", t:wait())
      assert.are.same({ 1, 2, "child" }, log)
    end)
  end)

  it("of one wire is that wire [O1]", function()
    test(function()
      local w = aw.Sequence(giving(aw.Value("result")))
      assert.are.equal("result", aw.await(w))
    end)
  end)
end)

describe("a * n", function()
  it("runs a n times, one after another [O2]", function()
    test(function(ev)
      local log, note = recorder()
      local a = aw.Call(note, "in") >> aw.Sleep(1) >> aw.Call(note, "out")
      ev:start(a * 3):wait()
      assert.are.same({ "in", "out", "in", "out", "in", "out" }, log)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("is n * a and Repeat(a, n) [O2]", function()
    test(function()
      local count = 0
      local a = aw.Wire(function()
        count = count + 1
      end)
      aw.await(3 * a)
      assert.are.equal(3, count)
      aw.await(aw.Repeat(a, 3))
      assert.are.equal(6, count)
    end)
  end)

  it("takes a float that is a whole number [O2]", function()
    test(function()
      local count = 0
      local a = aw.Wire(function()
        count = count + 1
      end)
      aw.await(a * 2.0)
      assert.are.equal(2, count)
      aw.await(2.0 * a)
      assert.are.equal(4, count)
    end)
  end)

  it("refuses anything else [O2]", function()
    test(function()
      local a = aw.Sleep(1)
      local whole = "whole number of times, got "
      helper.raises(whole .. "1.5", function()
        return a * 1.5
      end)
      helper.raises(whole .. "1.5", function()
        return 1.5 * a
      end)
      helper.raises(whole .. "string", function()
        return a * "3"
      end)
      helper.raises(whole .. "string", function()
        return "3" * a
      end)
      helper.raises(whole, function()
        return a * (0 / 0)
      end)
      for _, bad in ipairs { true, false, {}, print } do
        helper.raises(whole .. type(bad), function()
          return a * bad
        end)
      end
      helper.raises(whole .. "nil", function()
        return a * nil
      end)
      helper.raises("wire", function()
        return a * a
      end)
      for _, bad in ipairs { 1.5, "x", {}, 0 / 0 } do
        assert.is_false((pcall(aw.Repeat, a, bad)))
      end
      assert.is_false((pcall(aw.Repeat, a)))
    end)
  end)

  it("does nothing if n is zero or less [O2]", function()
    test(function(ev)
      local log, note = recorder()
      local a = takes(1, note, "a")
      for _, n in ipairs { 0, -1, -7.0, math.mininteger } do
        assert.are.equal(0, select("#", aw.await(a * n)))
      end
      aw.await(a * 0 >> aw.Call(note, "b"))
      aw.await((a >> a * 0) * 0)
      assert.are.same({ "b" }, log)
      assert.are.equal(0, ev:now())
    end)
  end)

  it("spins off what all runs but the last return [O2]", function()
    test(function(ev)
      local log, note = recorder()
      local n = 0
      local a = aw.Sleep(1) >> aw.Wire(function()
        n = n + 1
        note("run " .. n)
        return takes(10, note, "child " .. n)
      end)
      ev:start(a * 3):wait()
      assert.are.same({
        "run 1", "run 2", "run 3",
        "child 1", "child 2", "child 3",
      }, log)
      assert.are.equal(13, ev:now())
    end)
  end)

  it("goes on with what the last run returns [O2]", function()
    test(function(ev)
      local n = 0
      local a = aw.Wire(function()
        n = n + 1
        return aw.Value(n)
      end)
      assert.are.equal(3, aw.await(a * 3))
      n = 0
      assert.are.equal(3, ev:start(a * 3):wait())
      n = 0
      assert.are.equal(1, aw.await(a * 1))
      n = 0
      assert.are.equal(6, aw.await((a * 2) * 3))
    end)
  end)

  it("is done with its last run's chain, not before [O2]", function()
    test(function(ev)
      local log, note = recorder()
      aw.await(giving(takes(2, note, "child")) * 1)
      note "after"
      assert.are.same({ "child", "after" }, log)
      assert.are.equal(2, ev:now())
    end)
  end)

  it("spins off the last run's wire too if something follows [O2]",
    function()
      test(function(ev)
        local log, note = recorder()
        local w = giving(takes(2, note, "child")) * 2
          >> takes(1, note, "b")
        ev:start(w):wait()
        assert.are.same({ "b", "child", "child" }, log)
        assert.are.equal(2, ev:now())
      end)
    end)

  it("ends at the first run that fails [O2]", function()
    test(function()
      local n = 0
      local a = aw.Wire(function()
        n = n + 1
        aw.sleep(1)
        if n == 2 then
          error "second"
        end
      end)
      helper.raises("second", function()
        aw.await(a * 5)
      end)
      assert.are.equal(2, n)
    end)
  end)

  it("counts further than 32 bits [O2]", function()
    test(function(ev)
      for _, n in ipairs { 2 ^ 32 + 1, 1 << 33, math.maxinteger } do
        local count = 0
        local t = ev:start(aw.Wire(function()
          count = count + 1
          if count == 5 then
            aw.current():cancel()
          end
        end) * n)
        pcall(t.wait, t)
        assert.are.equal(5, count)
        assert.are.equal("cancelled", t.status)
      end
    end)
  end)

  it("is Forever if n is math.huge [O2]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(takes(1, note, "a") * math.huge)
      aw.sleep(1000.5)
      assert.are.equal(1000, #log)
      t:cancel_wait()
      assert.are.equal("cancelled", t.status)
      aw.sleep(10)
      assert.are.equal(1000, #log)
    end)
  end)
end)

describe("Forever(a)", function()
  it("repeats a without end [O3]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(aw.Forever(takes(1, note, "a"))
        >> aw.Call(note, "never"))
      aw.sleep(3.5)
      t:cancel_wait()
      assert.are.same({ "a", "a", "a" }, log)
    end)
  end)

  it("lets others run after each iteration [O3]", function()
    test(function(ev)
      local count = 0
      local t = ev:start(aw.Forever(function()
        count = count + 1
      end))
      local seen = {}
      for i = 1, 4 do
        aw.yield()
        seen[i] = count
      end
      t:cancel_wait()
      assert.are.same({ 1, 2, 3, 4 }, seen)
    end)
  end)

  it("lets others run even if it repeats nothing [O3]", function()
    test(function(ev)
      local endless = {
        aw.Forever(nop),
        aw.Forever(aw.Value(1)),
        aw.Forever(aw.Value(1) * 0),
        aw.Forever(aw.Value(1) >> aw.Value(2)),
        aw.Forever(aw.SleepUntil(0)),
      }
      for _, w in ipairs(endless) do
        local t = ev:start(w)
        for _ = 1, 10 do
          aw.yield()
        end
        t:cancel_wait()
        assert.are.equal("cancelled", t.status)
      end
    end)
  end)

  it("spins off every wire that a returns [O3]", function()
    test(function(ev)
      local log, note = recorder()
      local n = 0
      local t = ev:start(aw.Forever(function()
        aw.sleep(1)
        n = n + 1
        note("run " .. n)
        return takes(1.5, note, "child " .. n)
      end))
      aw.sleep(3.75)
      assert.are.same({
        "run 1", "run 2", "child 1", "run 3", "child 2",
      }, log)
      t:cancel_wait()
      aw.sleep(10)
      assert.are.equal(5, #log)
    end)
  end)

  it("ends with the first error [O3]", function()
    test(function()
      local n, problem = 0, {}
      local ok, err = outcome(aw.Forever(function()
        n = n + 1
        aw.yield()
        if n == 3 then
          error(problem)
        end
      end))
      assert.is_false(ok)
      assert.is_true(rawequal(problem, err))
      assert.are.equal(3, n)
    end)
  end)
end)

describe("w:whole()", function()
  --- A machine that takes a second for each of `n` states.
  local function machine(n, note)
    local function state(i)
      return function()
        aw.sleep(1)
        note(i)
        if i < n then
          return state(i + 1)
        end
        return aw.Value("end of " .. n)
      end
    end
    return aw.Wire(state(1))
  end

  it("includes the chain that the wire becomes [O12]", function()
    test(function(ev)
      local log, note = recorder()
      local w = machine(3, note):whole() >> aw.Call(note, "b")
      ev:start(w):wait()
      assert.are.same({ 1, 2, 3, "b" }, log)
    end)
  end)

  it("is needed for that: without it the chain is spun off [O12]",
    function()
      test(function(ev)
        local log, note = recorder()
        ev:start(machine(3, note) >> aw.Call(note, "b")):wait()
        assert.are.same({ 1, "b", 2, 3 }, log)
      end)
    end)

  it("has the results of the end of the chain [O12]", function()
    test(function()
      local _, note = recorder()
      assert.are.equal("end of 3", aw.await(machine(3, note):whole()))
    end)
  end)

  it("keeps the iterations of a machine apart [O12]", function()
    test(function(ev)
      local log, note = recorder()
      aw.await(machine(2, note):whole() * 2)
      assert.are.same({ 1, 2, 1, 2 }, log)
      assert.are.equal(4, ev:now())
    end)
  end)

  it("of a repeat includes the last chain only [O12]", function()
    test(function(ev)
      local log, note = recorder()
      local w = (machine(3, note) * 2):whole() >> aw.Call(note, "b")
      ev:start(w):wait()
      assert.are.equal(7, #log)
      assert.are.equal("b", log[7])
      assert.are.equal(4, ev:now())
    end)
  end)

  it("of a sequence spins off what an earlier element returns [O12]",
    function()
      test(function(ev)
        local log, note = recorder()
        local w = (giving(takes(9, note, "early"))
          >> giving(takes(2, note, "late"))):whole()
          >> takes(1, note, "b")
        ev:start(w):wait()
        assert.are.same({ "late", "b", "early" }, log)
        assert.are.equal(9, ev:now())
      end)
    end)

  it("changes nothing for a wire that returns none [O12]", function()
    test(function(ev)
      local log, note = recorder()
      aw.await(takes(1, note, "a"):whole():whole() >> aw.Call(note, "b"))
      assert.are.same({ "a", "b" }, log)
      assert.are.equal(1, ev:now())
      assert.are.equal("x", aw.await(aw.Value("x"):whole()))
    end)
  end)
end)

describe("w:shielded(grace)", function()
  it("lets w end although its task is cancelled [O13]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(takes(2, note, "saved"):shielded(4))
      aw.sleep(1)
      t:cancel_wait()
      assert.are.same({ "saved" }, log)
      assert.are.equal(2, ev:now())
    end)
  end)

  it("is needed for that [O13]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(takes(2, note, "saved"))
      aw.sleep(1)
      t:cancel_wait()
      assert.are.same({}, log)
      assert.are.equal(1, ev:now())
    end)
  end)

  it("does not hide the cancel from what follows [O13]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(takes(2, note, "saved"):shielded(4)
        >> aw.Call(note, "never"))
      aw.sleep(1)
      t:cancel_wait()
      assert.are.same({ "saved" }, log)
      assert.are.equal("cancelled", t.status)
    end)
  end)

  it("stops hiding when its grace is over [O13]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(takes(4, note, "saved"):shielded(2))
      aw.sleep(1)
      t:cancel_wait()
      assert.are.same({}, log)
      assert.are.equal("cancelled", t.status)
      assert.are.equal(2, ev:now())
    end)
  end)

  it("does not limit a w that nobody cancels [O13]", function()
    test(function(ev)
      local log, note = recorder()
      aw.await(takes(4, note, "a"):shielded(1) >> aw.Call(note, "b"))
      assert.are.same({ "a", "b" }, log)
      assert.are.equal(4, ev:now())
    end)
  end)

  it("passes results and errors on [O13]", function()
    test(function()
      local w = (aw.Sleep(1) >> aw.Value(nil, "x")):shielded(1)
      assert.are.same({ n = 2, nil, "x" }, table.pack(aw.await(w)))
      local problem = {}
      local ok, err = outcome(aw.Call(error, problem):shielded(1))
      assert.is_false(ok)
      assert.is_true(rawequal(problem, err))
    end)
  end)

  it("refuses a grace that is no duration [O13]", function()
    test(function()
      local w = aw.Sleep(1)
      for _, bad in ipairs { -1, 0 / 0, "soon", {} } do
        assert.is_false((pcall(w.shielded, w, bad)))
      end
    end)
  end)
end)

describe("Sleep(s)", function()
  it("lets a shorter sleeper finish first [O15]", function()
    test(function(ev)
      local log, note = recorder()
      ev:start(takes(2, note, "late"))
      ev:start(takes(1, note, "early"))
      aw.sleep(3)
      assert.are.same({ "early", "late" }, log)
    end)
  end)

  it("counts from when it runs, not from when it was built [O15]",
    function()
      test(function(ev)
        local w = aw.Sleep(1)
        aw.sleep(5)
        aw.await(w >> w)
        assert.are.equal(7, ev:now())
      end)
    end)

  it("is over in order for sleepers of the same time [O15]", function()
    test(function(ev)
      local log, note = recorder()
      for i = 1, 10 do
        ev:start(takes(1, note, i))
      end
      aw.sleep(2)
      assert.are.same({ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, log)
    end)
  end)

  it("takes no time if s is zero [O15]", function()
    test(function(ev)
      aw.await(aw.Sleep(0) * 100)
      assert.are.equal(0, ev:now())
    end)
  end)

  it("refuses what is no duration when it is built [O15]", function()
    test(function()
      helper.raises("must not be negative", function()
        return aw.Sleep(-1)
      end)
      helper.raises("must not be negative", function()
        return aw.Sleep(-math.huge)
      end)
      helper.raises("NaN", function()
        return aw.Sleep(0 / 0)
      end)
      helper.raises("bad argument #1 to 'Sleep'", function()
        return aw.Sleep("soon")
      end)
      helper.raises("bad argument #1 to 'Sleep'", function()
        return aw.Sleep()
      end)
    end)
  end)
end)

describe("SleepUntil(t)", function()
  it("ends at that time of the loop's clock [O15]", function()
    test(function(ev)
      local log, note = recorder()
      ev:start(aw.SleepUntil(3) >> aw.Call(note, "three"))
      aw.sleep(2)
      ev:start(takes(0.5, note, "two and a half"))
      ev:start(takes(1.5, note, "three and a half"))
      aw.await(aw.SleepUntil(4))
      assert.are.same({
        "two and a half", "three", "three and a half",
      }, log)
      assert.are.equal(4, ev:now())
    end)
  end)

  it("is due at once if that time has passed [O15]", function()
    test(function(ev)
      aw.sleep(2)
      aw.await(aw.SleepUntil(1))
      aw.await(aw.SleepUntil(2))
      aw.await(aw.SleepUntil(-1))
      assert.are.equal(2, ev:now())
    end)
  end)

  it("refuses what is no time when it is built [O15]", function()
    test(function()
      helper.raises("NaN", function()
        return aw.SleepUntil(0 / 0)
      end)
      helper.raises("bad argument #1 to 'SleepUntil'", function()
        return aw.SleepUntil("noon")
      end)
    end)
  end)
end)

describe("Never", function()
  it("does not end by itself [O15]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(aw.Never >> aw.Call(note, "never"))
      aw.sleep(1e6)
      assert.are.equal("waiting", t.status)
      assert.are.same({}, log)
      t:cancel_wait()
      assert.are.equal("cancelled", t.status)
      assert.are.same({}, log)
    end)
  end)

  it("is a wire, and can be combined [O15]", function()
    test(function(ev)
      local t = ev:start((aw.Sleep(1) >> aw.Never) * 2)
      aw.sleep(5)
      t:cancel_wait()
      assert.are.equal(5, ev:now())
    end)
  end)
end)

describe("Done(task)", function()
  it("ends when the task has ended [O15]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(takes(2, note, "task"))
      ev:start(aw.Done(t) >> aw.Call(note, "after"))
      ev:start(takes(1, note, "before"))
      aw.sleep(3)
      assert.are.same({ "before", "task", "after" }, log)
    end)
  end)

  it("ends at once if the task has ended [O15]", function()
    test(function(ev)
      local t = ev:start(aw.Sleep(1))
      t:wait()
      local w = aw.Done(t)
      aw.await(w >> w)
      assert.are.equal(1, ev:now())
    end)
  end)

  it("waits for what the task has spun off, too [O15]", function()
    test(function(ev)
      local t = ev:start(giving(aw.Sleep(3)) >> aw.Sleep(1))
      aw.await(aw.Done(t))
      assert.are.equal(3, ev:now())
    end)
  end)

  it("does not cancel the task when it is cancelled itself [O15]",
    function()
      test(function(ev)
        local log, note = recorder()
        local t = ev:start(takes(2, note, "task"))
        local waiter = ev:start(aw.Done(t) >> aw.Call(note, "never"))
        aw.sleep(1)
        waiter:cancel_wait()
        t:wait()
        assert.are.same({ "task" }, log)
        assert.are.equal("done", t.status)
        assert.are.equal("cancelled", waiter.status)
      end)
    end)

  it("shows the task [O15]", function()
    test(function(ev)
      local t = ev:start(aw.Sleep(1), nil, { name = "nap" })
      local expected = "Done(task " .. t.id .. " 'nap')"
      assert.are.equal(expected, tostring(aw.Done(t)))
    end)
  end)

  it("refuses what is no task [O15]", function()
    test(function()
      for _, bad in ipairs { 42, "x", {}, aw.Never } do
        helper.raises("bad argument #1 to 'Done'", function()
          return aw.Done(bad)
        end)
      end
    end)
  end)
end)

describe("w:named(s)", function()
  it("behaves as w [O15]", function()
    test(function(ev)
      local log, note = recorder()
      local w = giving(takes(2, note, "child"), note, "a"):named("a")
      ev:start(w >> takes(1, note, "b")):wait()
      assert.are.same({ "a", "b", "child" }, log)
      assert.are.equal("x", aw.await(aw.Value("x"):named("v")))
    end)
  end)

  it("names the task that runs it [O15]", function()
    test(function(ev)
      local t = ev:start(aw.Sleep(1):named("nap"))
      assert.are.equal("nap", t.name)
    end)
  end)

  it("leaves w without the name [O15]", function()
    test(function()
      local w = aw.Sleep(0.5)
      local named = w:named("nap")
      assert.are.equal("Sleep(0.5)", tostring(w))
      assert.are.equal("nap", tostring(named))
      assert.are.equal("rest", tostring(named:named("rest")))
    end)
  end)

  it("refuses what is no name [O15]", function()
    test(function()
      local w = aw.Sleep(1)
      assert.is_false((pcall(w.named, w)))
      assert.is_false((pcall(w.named, w, {})))
      assert.is_false((pcall(w.named, w, true)))
    end)
  end)
end)

describe("an operator without a meaning", function()
  local binary = {
    ["+"] = function(a, b) return a + b end,
    ["-"] = function(a, b) return a - b end,
    ["%"] = function(a, b) return a % b end,
    ["^"] = function(a, b) return a ^ b end,
    ["~"] = function(a, b) return a ~ b end,
    ["<<"] = function(a, b) return a << b end,
    ["<"] = function(a, b) return a < b end,
    ["<="] = function(a, b) return a <= b end,
  }
  local unary = {
    ["-"] = function(a) return -a end,
    ["~"] = function(a) return ~a end,
    ["#"] = function(a) return #a end,
  }

  it("says so between two wires [O16]", function()
    test(function()
      for _, operate in pairs(binary) do
        helper.raises("means nothing for wires", function()
          return operate(aw.Sleep(1), aw.Sleep(2))
        end)
      end
    end)
  end)

  it("says so with a wire on either side [O16]", function()
    test(function()
      for _, operate in pairs(binary) do
        for _, other in ipairs { 1, {}, nop, true } do
          helper.raises("means nothing for wires", function()
            return operate(aw.Sleep(1), other)
          end)
          helper.raises("means nothing for wires", function()
            return operate(other, aw.Sleep(1))
          end)
        end
      end
    end)
  end)

  it("says so before a wire [O16]", function()
    test(function()
      for _, operate in pairs(unary) do
        helper.raises("means nothing for wires", function()
          return operate(aw.Sleep(1))
        end)
      end
    end)
  end)

  it("names itself and what to use instead [O16]", function()
    test(function()
      local w = aw.Sleep(1)
      local err = helper.raises("'+' means nothing for wires", function()
        return w + w
      end)
      contains(err, "a >> b")
      helper.raises("'<<' means nothing for wires", function()
        return w << w
      end)
    end)
  end)

  it("blames the line that used it [O16]", function()
    test(function()
      local w = aw.Sleep(1)
      local at = line() + 2
      helper.raises(place(at) .. ":", function()
        return w + w
      end)
    end)
  end)

  it("is left to Lua's own message if it is `..` [O16]", function()
    test(function()
      helper.raises("concatenate", function()
        return aw.Sleep(1) .. "x"
      end)
      helper.raises("concatenate", function()
        return "x" .. aw.Sleep(1)
      end)
    end)
  end)

  it("is not one that has a meaning: >> and * build [O16]", function()
    test(function()
      local w = aw.Sleep(0.1)
      assert.are.equal("Sleep(0.1) >> Sleep(0.1)", tostring(w >> w))
      assert.are.equal("Sleep(0.1) * 2", tostring(w * 2))
    end)
  end)
end)

describe("an operand of >>", function()
  it("is named in the message if it is no wire [O16]", function()
    test(function()
      local w = aw.Sleep(1)
      local message = "attempt to use a string as a wire (operand of '>>')"
      helper.raises(message, function()
        return "x" >> w
      end)
      helper.raises(message, function()
        return w >> "x"
      end)
      helper.raises("as a wire", function()
        return w >> 42
      end)
      helper.raises("as a wire", function()
        return nil >> w
      end)
    end)
  end)
end)

describe("the laws of wires", function()
  --- A small generator of our own, the same everywhere.
  local function dice(seed)
    local state = seed
    return function(n)
      state = (state * 1103515245 + 12345) % 2147483648
      return (state >> 16) % n + 1
    end
  end

  --- Everything that happens when `build(note)` runs, with the times.
  local function trace(build)
    local log = {}
    aw.test(function(ev)
      local function note(what)
        log[#log + 1] = ("%s at %g"):format(what, ev:now())
      end
      local t = ev:start(build(note))
      local results = table.concat({ t:wait() }, " ")
      log[#log + 1] = "results " .. results
      log[#log + 1] = ("end at %g"):format(ev:now())
    end)
    return log
  end

  --- A body that takes a while and returns a wire that takes longer.
  local function busy_body(note, name)
    return aw.Wire(function()
      note(name)
      aw.sleep(1)
      return takes(2.25, note, name .. "'") >> aw.Value("from " .. name)
    end)
  end

  it("hold for the grouping of >> [O1]", function()
    helper.leak_checked(function()
      local groupings = {
        function(a, b, c, d) return ((a >> b) >> c) >> d end,
        function(a, b, c, d) return (a >> (b >> c)) >> d end,
        function(a, b, c, d) return (a >> b) >> (c >> d) end,
        function(a, b, c, d) return a >> ((b >> c) >> d) end,
        function(a, b, c, d) return a >> (b >> (c >> d)) end,
        function(a, b, c, d) return aw.Sequence(a, b, c, d) end,
        function(a, b, c, d) return aw.Sequence(a, aw.Sequence(b, c), d) end,
      }
      local first
      for i, group in ipairs(groupings) do
        local got = trace(function(note)
          return group(
            busy_body(note, "a"),
            busy_body(note, "b"),
            busy_body(note, "c"),
            busy_body(note, "d")
          )
        end)
        first = first or got
        assert.are.same(first, got, "grouping " .. i)
      end
      assert.are.same({
        "a at 0",
        "b at 1",
        "c at 2",
        "d at 3",
        "a' at 3.25",
        "b' at 4.25",
        "c' at 5.25",
        "d' at 6.25",
        "results from d",
        "end at 6.25",
      }, first)
    end)
  end)

  it("hold for a * n and a >> a >> ... [O2]", function()
    helper.leak_checked(function()
      local function with(build)
        return trace(function(note)
          return build(busy_body(note, "a"))
        end)
      end
      local expected = with(function(a)
        return a >> a >> a
      end)
      assert.are.same(expected, with(function(a)
        return a * 3
      end))
      assert.are.same(expected, with(function(a)
        return a >> a * 2
      end))
      assert.are.same(expected, with(function(a)
        return a * 2 >> a
      end))
      assert.are.same(expected, with(function(a)
        return (a * 3) * 1
      end))
    end)
  end)

  it("let (a * 2) * 3 run six times [O2]", function()
    helper.leak_checked(function()
      local six = trace(function(note)
        return busy_body(note, "a") * 6
      end)
      assert.are.same(six, trace(function(note)
        return (busy_body(note, "a") * 2) * 3
      end))
      assert.are.same(six, trace(function(note)
        return 2 * (busy_body(note, "a") * 3)
      end))
      assert.are.equal("end at 8.25", six[#six])
    end)
  end)

  it("let a hundred tasks run one value at once [V1]", function()
    long_test(function(ev)
      local runs, children, ends = 0, 0, {}
      local w = (aw.Sleep(0.5) >> aw.Wire(function()
        runs = runs + 1
        return aw.Sleep(1) >> aw.Call(function()
          children = children + 1
        end)
      end)) * 3 >> aw.Value("end")
      local tasks = {}
      for i = 1, 100 do
        tasks[i] = ev:start(w)
      end
      for i = 1, 100 do
        ends[i] = tasks[i]:wait()
      end
      assert.are.equal(300, runs)
      assert.are.equal(300, children)
      assert.are.equal(2.5, ev:now())
      for i = 1, 100 do
        assert.are.equal("end", ends[i])
      end
    end)
  end)

  it("let a hundred tasks run one value at different times [V1]", function()
    test(function(ev)
      local count = {}
      local w = (aw.Wire(function()
        local id = aw.current().id
        count[id] = (count[id] or 0) + 1
      end) >> aw.Sleep(1)) * 4
      for i = 1, 100 do
        ev:start(aw.Sleep(i / 8) >> w)
      end
      aw.sleep(20)
      local tasks = 0
      for _, n in pairs(count) do
        tasks = tasks + 1
        assert.are.equal(4, n)
      end
      assert.are.equal(100, tasks)
    end)
  end)

  it("make an element of Forever never reach what follows [O3]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start((aw.Forever(takes(1, note, "a"))
        >> aw.Call(note, "b")) * 2)
      aw.sleep(2.5)
      t:cancel_wait()
      assert.are.same({ "a", "a" }, log)
    end)
  end)

  it("hold for expressions thrown together at random [O1] [O2] [O12]",
    function()
      -- The model: a list of leaf numbers in order. Every leaf returns a
      -- wire, so each must be gone on with or spun off exactly once.
      local function random_wire(roll, depth, leaf)
        local kind = depth == 0 and 1 or roll(6)
        if kind == 1 then
          return leaf()
        elseif kind <= 3 then
          local a, model_a = random_wire(roll, depth - 1, leaf)
          local b, model_b = random_wire(roll, depth - 1, leaf)
          local model = table.move(model_b, 1, #model_b, #model_a + 1,
            table.move(model_a, 1, #model_a, 1, {}))
          return a >> b, model
        elseif kind == 4 then
          local a, model_a = random_wire(roll, depth - 1, leaf)
          local n, model = roll(4) - 1, {}
          for _ = 1, n do
            table.move(model_a, 1, #model_a, #model + 1, model)
          end
          return a * n, model
        elseif kind == 5 then
          local a, model_a = random_wire(roll, depth - 1, leaf)
          return a:whole(), model_a
        else
          local a, model_a = random_wire(roll, depth - 1, leaf)
          return a:named("n"), model_a
        end
      end

      long_test(function(ev)
        for seed = 1, 100 do
          local ran, gone_on, leaves = {}, {}, 0
          local function leaf()
            leaves = leaves + 1
            local k = leaves
            return aw.Wire(function()
              ran[#ran + 1] = k
              return aw.Sleep(0.125) >> aw.Call(function()
                gone_on[#gone_on + 1] = k
              end)
            end), { k }
          end
          local w, model = random_wire(dice(seed), 5, leaf)
          ev:start(w):wait()
          local message = "seed " .. seed .. ": " .. tostring(w)
          assert.are.same(model, ran, message)
          local expected = table.move(model, 1, #model, 1, {})
          table.sort(expected)
          table.sort(gone_on)
          assert.are.same(expected, gone_on, message)
        end
      end)
    end)
end)

describe("a deeply nested wire", function()
  it("runs and is freed without running out of stack [O2]", function()
    long_test(function()
      local count = 0
      local w = aw.Wire(function()
        count = count + 1
      end)
      for i = 1, 3000 do
        if i % 3 == 0 then
          w = w * 1
        elseif i % 3 == 1 then
          w = w:named("n")
        else
          w = w:whole()
        end
      end
      aw.await(w)
      assert.are.equal(1, count)
    end)
  end)

  it("may hold itself many times over [O2]", function()
    test(function()
      local count = 0
      local w = aw.Call(function()
        count = count + 1
      end)
      for _ = 1, 10 do
        w = (w >> w):named("n")
      end
      aw.await(w)
      assert.are.equal(1024, count)
    end)
  end)
end)
