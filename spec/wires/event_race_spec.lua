-- Races of events: one event commits, and all others are unregistered before
-- any other code runs [H2, H3].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local wires = require "spec.support.wires"

local test, recorder, closer = helper.test, helper.recorder, helper.closer
local takes, gives, fails = wires.takes, wires.gives, wires.fails
local outcome, results = wires.outcome, wires.results

describe("a race of events", function()
  it("is decided by the first of them [H3]", function()
    test(function(ev)
      local log, note = recorder()
      local function on(seconds, what)
        return aw.Sleep(seconds) / function()
          note(what)
          return what
        end
      end
      assert.are.equal("b", aw.await(on(3, "a") | on(1, "b") | on(2, "c")))
      assert.are.equal(1, ev:now())
      aw.sleep(9)
      assert.are.same({ "b" }, log)
    end)
  end)

  it("commits exactly one, the leftmost, at the same moment [O5] [H3]",
    function()
      test(function(ev)
        local log, note = recorder()
        local w = (aw.Sleep(1) / function()
          note "a"
          return "a"
        end) | (aw.Sleep(1) / note) | (aw.Sleep(1) / note)
        assert.are.equal("a", aw.await(w))
        aw.sleep(5)
        assert.are.same({ "a" }, log)
        assert.are.equal(6, ev:now())
      end)
    end)

  it("commits exactly one if several are ready at once [O5] [H2]",
    function()
      test(function(ev)
        local log, note = recorder()
        local done = ev:start(gives(1, "done"))
        aw.sleep(5)
        local w = (aw.Done(done) / function(what)
          note "done"
          return what
        end) | (aw.SleepUntil(2) / note)
        assert.are.equal("done", aw.await(w))
        assert.are.same({ "done" }, log)
        assert.are.equal(5, ev:now())
      end)
    end)

  it("has the leftmost win for any seed [O5] [F5] [F6]", function()
    helper.leak_checked(function()
      local function named(seconds, what)
        return aw.Sleep(seconds) / function()
          return what
        end
      end
      for seed = 1, helper.scale(50) do
        local ev = helper.virtual { seed = seed }
        local t = ev:start(named(1, "a") | named(1, "b") | named(1, "c"))
        local v = ev:start(aw.Sleep(2) >> (named(0, "a") | named(0, "b")))
        assert.are.equal("done", ev:run())
        assert.are.equal("a", t:results(), "seed " .. seed)
        assert.are.equal("a", v:results(), "seed " .. seed)
      end
    end)
  end)

  it("tries nothing if it was cancelled before [C2] [H2]", function()
    test(function(ev)
      local log, note = recorder()
      local ready = ev:start(helper.nop)
      ready:wait()
      local t = ev:start(aw.Done(ready) / note | aw.Sleep(1) / note)
      local u = ev:start(aw.Select { aw.Done(ready) / note })
      t:cancel_wait()
      u:cancel()
      u:cancel_wait()
      assert.are.same({}, log)
      assert.are.equal("cancelled", t.status)
    end)
  end)

  it("takes the end of a task as an event [H3] [T5]", function()
    test(function(ev)
      local slow = ev:start(gives(3, "slow"))
      local fast = ev:start(gives(1, "fast", 2))
      assert.are.same({ n = 2, "fast", 2 },
        results(aw.Done(slow) | aw.Done(fast)))
      assert.are.equal(1, ev:now())
      assert.are.equal("slow", slow:wait())
      assert.are.equal(3, ev:now())
    end)
  end)

  it("raises the error of a task whose end wins [H3] [T5]", function()
    test(function(ev)
      local problem = {}
      local t = ev:start(fails(1, problem), helper.nop)
      local ok, err = outcome(aw.Done(t) | aw.Sleep(2))
      assert.is_false(ok)
      assert.are.equal(problem, err)
    end)
  end)

  it("leaves the task alone whose end loses [H3]", function()
    test(function(ev)
      local t = ev:start(gives(5, "alive"))
      aw.await(aw.Done(t) | aw.Sleep(1))
      assert.are.equal(1, ev:now())
      assert.are.equal("waiting", t.status)
      assert.are.equal("alive", t:wait())
    end)
  end)

  it("leaves no waiter at a task whose end loses [H2, T5]", function()
    test(function(ev)
      local t = ev:start(aw.Sleep(1000))
      local function held_after(rounds)
        for _ = 1, rounds do
          aw.await(aw.Done(t) | aw.Sleep(1))
        end
        local stats = aw.stats()
        return { stats.refs, stats.deadlines, stats.tasks, stats.scopes }
      end
      assert.are.same(held_after(1), held_after(50))
    end)
  end)

  it("leaves no deadline behind [H2]", function()
    test(function()
      local before = aw.stats().deadlines
      for _ = 1, 20 do
        aw.await(aw.Sleep(1000) | aw.Sleep(1) | aw.Sleep(2000))
        assert.are.equal(before, aw.stats().deadlines)
      end
    end)
  end)

  it("leaves no deadline behind where others race along [H3]", function()
    test(function(ev)
      local before = aw.stats().deadlines
      for _ = 1, 20 do
        aw.await(aw.Sleep(1000) | aw.Call(helper.nop) | aw.Sleep(2000))
        assert.are.equal(before, aw.stats().deadlines)
      end
      assert.are.equal(0, ev:now())
    end)
  end)

  it("unregisters losing events when it commits, not later [H3]",
    function()
      test(function()
        local before = aw.stats().deadlines
        local seen = aw.await((aw.Sleep(1000) | aw.Sleep(1)) / function()
          return aw.stats().deadlines
        end)
        assert.are.equal(before, seen)
        seen = aw.await(aw.Sleep(1000) | aw.Sleep(1) / function()
          return aw.stats().deadlines
        end)
        assert.are.equal(before, seen)
      end)
    end)

  it("does so before a composite loser cleans up [H3]", function()
    test(function()
      local seen
      local before = aw.stats().deadlines
      local loser = aw.Wire(function()
        local _ <close> = closer(function()
          seen = aw.stats().deadlines
        end)
        aw.await(aw.Never)
      end)
      local w = loser | aw.Sleep(1)
      for _ = 1, 10 do
        w = w | aw.Sleep(1000)
      end
      aw.await(w)
      -- The cancel of the loser has a grace, which counts as one deadline [C8].
      assert.is_true(seen - before <= 1, tostring(seen - before))
    end)
  end)

  it("is still one under names and functions [H3]", function()
    test(function(ev)
      local log, note = recorder()
      local w = ((aw.Sleep(1):named "tick" / function()
        return "tick"
      end):named "named" / function(what)
        return what .. "!"
      end) | (aw.Sleep(1):map(note):named "loser")
      assert.are.equal("tick!", aw.await(w))
      aw.sleep(5)
      assert.are.same({}, log)
      assert.are.equal(6, ev:now())
    end)
  end)

  it("runs the wire that a bind returns [H3] [O11]", function()
    test(function(ev)
      local w = aw.Sleep(1):bind(function()
        return gives(2, "bound")
      end) | (aw.Sleep(2) / function()
        return "mapped"
      end)
      assert.are.equal("bound", aw.await(w))
      assert.are.equal(3, ev:now())
    end)
  end)

  it("is one no more with a composite: that is a race [H3]", function()
    test(function(ev)
      local log, note = recorder()
      local w = gives(1, "composite") | (aw.Sleep(2) / note)
      assert.are.equal("composite", aw.await(w))
      assert.are.same({}, log)
      assert.are.equal(1, ev:now())
    end)
  end)

  it("never ends if none of them comes [H2]", function()
    test(function(ev)
      local t = ev:start(aw.Never | aw.Sleep(math.huge))
      aw.sleep(1000)
      assert.are.equal("waiting", t.status)
      t:cancel_wait()
      assert.are.equal("cancelled", t.status)
    end)
  end)

  it("is given up at once when cancelled [C10]", function()
    test(function(ev)
      local before = aw.stats().deadlines
      local t = ev:start(aw.Sleep(5) | aw.Sleep(6) | aw.Never)
      aw.yield()
      t:cancel_wait()
      assert.are.equal(0, ev:now())
      assert.are.equal(before, aw.stats().deadlines)
    end)
  end)
end)

describe("an event in a race with others", function()
  it("decides at its commit [H3]", function()
    test(function(ev)
      -- Without the commit, the other operand would end in the same round.
      local other = ev:start(aw.Sleep(1))
      local w = (aw.Sleep(1) / function()
        return "event"
      end) | aw.Call(function()
        other:wait()
        return "other"
      end)
      assert.are.equal("event", aw.await(w))
    end)
  end)

  it("lets its function await, though it has won [H3] [O11]", function()
    test(function(ev)
      local log, note = recorder()
      local w = (aw.Sleep(1) / function()
        note "begins"
        aw.sleep(5)
        note "ends"
        return "event"
      end) | takes(3, note, "other")
      assert.are.equal("event", aw.await(w))
      assert.are.same({ "begins", "ends" }, log)
      assert.are.equal(6, ev:now())
    end)
  end)
end)
