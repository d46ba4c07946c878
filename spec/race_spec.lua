-- Races: `a | b`, Race{...} and Any{...} (O5, O6, H2, H3): who decides, what
-- becomes of the losers, and the one choice that a race of events is.
--
-- A loser's outcome is in flight if the loser was not told of its defeat any
-- more: its wait had ended by then. It is dropped. What a loser raises after
-- it got Cancelled is an error of its clean-up, and never dropped.

local aw = require "aiowire"
local helper = require "spec.helper"
local wires = require "spec.wires"

local test = helper.test
local recorder, closer = helper.recorder, helper.closer
local takes, gives, giving = wires.takes, wires.gives, wires.giving
local fails, cleaning = wires.fails, wires.cleaning
local outcome, results = wires.outcome, wires.results

--- A task that was told to end, by itself.
local function self_cancelled(seconds)
  return aw.Wire(function()
    aw.sleep(seconds)
    aw.current():cancel()
    aw.sleep(100)
  end)
end

describe("a | b", function()
  it("has the results of the first to finish, nil kept [O5]", function()
    test(function(ev)
      local w = gives(3, "a") | gives(1, nil, "b", nil) | gives(2, "c")
      assert.are.same({ n = 3, nil, "b", nil }, results(w))
      assert.are.equal(1, ev:now())
    end)
  end)

  it("has no results where the winner has none [O5]", function()
    test(function()
      assert.are.equal(0, results(aw.Sleep(1) | gives(2, "b")).n)
      assert.are.equal(0, results(aw.Call(helper.nop) | aw.Never).n)
    end)
  end)

  it("raises the error of the first to finish, as it is [O5]", function()
    test(function(ev)
      local problem = {}
      local ok, err = outcome(gives(2, "a") | fails(1, problem))
      assert.is_false(ok)
      assert.is_true(rawequal(problem, err))
      assert.are.equal(1, ev:now())
    end)
  end)

  it("hears nothing of an error that would have come later [O5]", function()
    test(function(ev)
      assert.are.equal("a", aw.await(gives(1, "a") | fails(2, "boom")))
      aw.sleep(5)
      assert.are.equal(6, ev:now())
    end)
  end)

  it("starts its operands from left to right [O5]", function()
    test(function()
      local log, note = recorder()
      local function operand(name)
        return aw.Call(note, name) >> aw.Never
      end
      aw.await(operand "a" | operand "b" | operand "c" | aw.Sleep(1))
      assert.are.same({ "a", "b", "c" }, log)
    end)
  end)

  it("starts them all, though the first ends at once [O5] [T3]", function()
    test(function()
      local log, note = recorder()
      local function operand(name)
        return aw.Call(function()
          note(name)
          return name
        end)
      end
      assert.are.equal("a", aw.await(operand "a" | operand "b"))
      assert.are.same({ "a", "b" }, log)
    end)
  end)

  it("has the leftmost win of those that end at the same moment [O5]",
    function()
      test(function()
        for _ = 1, 5 do
          assert.are.equal("a", aw.await(gives(1, "a") | gives(1, "b")))
          assert.are.equal("a", aw.await(aw.Value "a" | aw.Value "b"))
        end
      end)
    end)

  it("counts an operand as finished with its whole chain [O5]", function()
    test(function(ev)
      local w = giving(gives(3, "a")) | gives(2, "b")
      assert.are.equal("b", aw.await(w))
      assert.are.equal(2, ev:now())
      assert.are.equal("a", aw.await(giving(gives(3, "a")) | gives(4, "b")))
      assert.are.equal(5, ev:now())
    end)
  end)

  it("counts what an operand spun off as part of it [O5] [T1]", function()
    test(function(ev)
      local a = giving(aw.Sleep(5)) >> gives(1, "a")
      assert.are.equal("b", aw.await(a | gives(3, "b")))
      assert.are.equal(3, ev:now())
    end)
  end)

  it("cancels and awaits the losers before it ends [O5]", function()
    test(function(ev)
      local log, note = recorder()
      local w = cleaning(2, note, "a cleaned") | gives(1, "winner")
        | cleaning(1, note, "c cleaned") | takes(9, note, "never")
      note(aw.await(w))
      assert.are.same({ "c cleaned", "a cleaned", "winner" }, log)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("awaits them before it raises the winner's error, too [O5]", function()
    test(function(ev)
      local log, note = recorder()
      local _, err = outcome(cleaning(2, note, "cleaned")
        | fails(1, "boom"))
      note(err)
      assert.are.same({ "cleaned", "boom" }, log)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("cancels the losers from left to right [O5] [C3]", function()
    test(function()
      local log, note = recorder()
      local function loser(name)
        return aw.Wire(function()
          local _ <close> = closer(function()
            note(name)
          end)
          aw.sleep(100)
        end)
      end
      aw.await(loser "a" | loser "b" | aw.Sleep(1) | loser "d")
      assert.are.same({ "a", "b", "d" }, log)
    end)
  end)

  it("cancels what the losers spun off [O5]", function()
    test(function(ev)
      local log, note = recorder()
      local a = giving(cleaning(1, note, "child cleaned"))
        >> takes(1, note, "a") >> aw.Never
      assert.are.equal("b", aw.await(a | gives(2, "b")))
      assert.are.same({ "a", "child cleaned" }, log)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("leaves the tasks around it alone [O5]", function()
    test(function(ev)
      local log, note = recorder()
      ev:start(takes(2, note, "bystander"))
      aw.await(aw.Sleep(1) | takes(9, note, "loser"))
      aw.sleep(10)
      assert.are.same({ "bystander" }, log)
    end)
  end)

  it("raises what a loser's clean-up raised, not the results [O5]",
    function()
      test(function()
        local problem = {}
        local ok, err = outcome(gives(1, "won")
          | wires.spoiling(problem))
        assert.is_false(ok)
        assert.are.equal(problem, err)
      end)
    end)

  it("suppresses it where the winner failed before [O5] [E3]", function()
    helper.leak_checked(function()
      local first, second = {}, {}
      local err, info = wires.failure_of(wires.spoiling(second)
        | fails(1, first))
      assert.are.equal(first, err)
      assert.is_true(wires.suppresses(info, second))
    end)
  end)

  it("suppresses nothing where the losers end quietly [E3]", function()
    helper.leak_checked(function()
      local _, info = wires.failure_of(aw.Sleep(5) | fails(1, {}))
      assert.are.equal(0, #(info.suppressed or {}))
    end)
  end)

  it("drops a loser's results that are in flight [O5] [T7]", function()
    test(function()
      local log, note = recorder()
      local function operand(name)
        return aw.Call(function()
          aw.sleep(1)
          note(name)
          return name
        end)
      end
      assert.are.equal("a", aw.await(operand "a" | operand "b"))
      assert.are.same({ "a", "b" }, log)
    end)
  end)

  it("drops a loser's error that is in flight [O5]", function()
    test(function(ev)
      local log, note = recorder()
      local w = aw.Call(function()
        aw.sleep(1)
        return "a"
      end) | aw.Call(function()
        aw.sleep(1)
        note "fails"
        error("late", 0)
      end)
      assert.are.equal("a", aw.await(w))
      assert.are.same({ "fails" }, log)
      assert.are.equal(1, ev:now())
    end)
  end)

  it("is not won by one that was cancelled by itself [O5]", function()
    test(function(ev)
      assert.are.equal("b", aw.await(self_cancelled(1) | gives(3, "b")))
      assert.are.equal(3, ev:now())
      local ok, err = outcome(self_cancelled(1) | fails(2, "boom"))
      assert.is_false(ok)
      assert.are.equal("boom", err)
      assert.are.equal(5, ev:now())
    end)
  end)

  it("is won by nobody if all were cancelled by themselves [O5] [T5]",
    function()
      test(function(ev)
        local ok, err = outcome(self_cancelled(1) | self_cancelled(2))
        assert.is_false(ok)
        assert.is_true(aw.is_task_cancelled(err), tostring(err))
        assert.are.equal(2, ev:now())
      end)
    end)

  it("is won by nobody if the winner's function cancels itself [O5] [H3]",
    function()
      test(function(ev)
        local ok, err = outcome((aw.Sleep(1) / function()
          aw.current():cancel()
          aw.sleep(1)
        end) | aw.Sleep(9))
        assert.is_false(ok)
        assert.is_true(aw.is_task_cancelled(err), tostring(err))
        assert.are.equal(1, ev:now())
      end)
    end)

  it("is won by one that ends in spite of its cancel [O5] [T7]", function()
    test(function(ev)
      local stubborn = aw.Call(function()
        aw.sleep(1)
        aw.current():cancel()
        return "done all the same"
      end)
      assert.are.equal("done all the same",
        aw.await(stubborn | gives(3, "b")))
      assert.are.equal(1, ev:now())
    end)
  end)

  it("is won by an operand that swallows Timeout, too [O5]", function()
    test(function(ev)
      local w = aw.Call(function()
        pcall(aw.timeout, 1, aw.sleep, 100)
        return "went on"
      end) | aw.Sleep(2)
      assert.are.equal("went on", aw.await(w))
      assert.are.equal(1, ev:now())
    end)
  end)

  it("takes functions and callable objects as operands [V2]", function()
    test(function()
      local object = setmetatable({}, {
        __call = function()
          return aw.Value "object"
        end,
      })
      local function body()
        return aw.Value "function"
      end
      assert.are.equal("function", aw.await(aw.Never | body))
      assert.are.equal("function", aw.await(body | aw.Never))
      assert.are.equal("object", aw.await(aw.Never | object))
      assert.are.equal("object", aw.await(object | aw.Never))
    end)
  end)

  it("is flat: the leftmost of all wins [V4]", function()
    test(function()
      local function name(what)
        return gives(1, what)
      end
      local a, b, c = name "a", name "b", name "c"
      assert.are.equal("a", aw.await((a | b) | c))
      assert.are.equal("a", aw.await(a | (b | c)))
    end)
  end)
end)

describe("a race that is cancelled", function()
  it("cancels all operands and waits for them [O5]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(cleaning(2, note, "a cleaned")
        | cleaning(1, note, "b cleaned"))
      aw.sleep(1)
      t:cancel_wait()
      note(t.status)
      assert.are.same({ "b cleaned", "a cleaned", "cancelled" }, log)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("has no winner [O5] [C5]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start((aw.Sleep(2) | aw.Sleep(3)) >> aw.Call(note, "won"))
      aw.sleep(1)
      t:cancel_wait()
      assert.are.same({}, log)
      assert.are.equal("cancelled", t.status)
      assert.are.equal(1, ev:now())
    end)
  end)

  it("fails with an error of its clean-up [E3]", function()
    test(function(ev)
      local late, got = {}, nil
      local t = ev:start(aw.Never | wires.spoiling(late), function(_, err)
        got = err
      end)
      aw.sleep(1)
      t:cancel_wait()
      assert.are.equal("failed", t.status)
      assert.are.equal(late, got)
    end)
  end)

  it("stays decided if the cancel comes after its decision [O5]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start((gives(1, "a") / note)
        | cleaning(4, note, "cleaned"))
      aw.sleep(3)
      t:cancel_wait()
      assert.are.same({ "a", "cleaned" }, log)
      assert.are.equal(5, ev:now())
    end)
  end)
end)

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
      -- The cancel of the loser has a grace, which is a deadline, too [C8].
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

  it("goes on with the wire that a bind gives [H3] [O11]", function()
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
      -- The other would end in the round in which the event's task runs.
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

describe("Race{...}", function()
  it("gives the results, then the winner's place [O6]", function()
    test(function(ev)
      local w = aw.Race { gives(3, "a"), gives(1, "b", nil), gives(2, "c") }
      assert.are.same({ n = 3, "b", nil, 2 }, results(w))
      assert.are.equal(1, ev:now())
    end)
  end)

  it("gives the winner's key [O6]", function()
    test(function()
      assert.are.same({ n = 2, "x", "left" },
        results(aw.Race { right = aw.Sleep(3), left = gives(1, "x") }))
      assert.are.same({ n = 1, "right" },
        results(aw.Race { right = aw.Sleep(1), left = gives(3, "x") }))
    end)
  end)

  it("gives nothing but the key where there are no results [O6]",
    function()
      test(function()
        assert.are.same({ n = 1, 2 },
          results(aw.Race { aw.Never, aw.Sleep(1) }))
      end)
    end)

  it("gives the key in a race of events, after their functions [O6]",
    function()
      test(function()
        assert.are.same({ n = 3, "a", "b", "tick" },
          results(aw.Race {
            tick = aw.Sleep(1) / function()
              return "a", "b"
            end,
            tock = aw.Sleep(2),
          }))
      end)
    end)

  it("raises the first error, as it is [O6]", function()
    test(function()
      local problem = {}
      local ok, err = outcome(aw.Race {
        a = gives(2, "a"), b = fails(1, problem),
      })
      assert.is_false(ok)
      assert.are.equal(problem, err)
    end)
  end)

  it("has the first in order win at the same moment [O6]", function()
    test(function()
      for _ = 1, 5 do
        assert.are.equal("a", (select(2, aw.await(aw.Race {
          b = gives(1, "x"), a = gives(1, "x"), c = gives(1, "x"),
        }))))
        assert.are.equal(1, (select(2, aw.await(aw.Race {
          b = gives(1, "x"), a = gives(1, "x"), gives(1, "x"),
        }))))
        assert.are.equal("a", (aw.await(aw.Race {
          b = aw.Sleep(1), a = aw.Sleep(1), c = aw.Sleep(1),
        })))
      end
    end)
  end)

  it("cancels and awaits its losers [O6]", function()
    test(function(ev)
      local log, note = recorder()
      local got, key = aw.await(aw.Race {
        slow = cleaning(2, note, "cleaned"), quick = gives(1, "won"),
      })
      assert.are.same({ "won", "quick" }, { got, key })
      assert.are.same({ "cleaned" }, log)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("of one wire is that wire, and its key [O6]", function()
    test(function()
      assert.are.same({ n = 2, "a", 1 }, results(aw.Race { gives(1, "a") }))
      assert.are.same({ n = 2, "a", "k" },
        results(aw.Race { k = aw.Value "a" }))
    end)
  end)
end)

describe("Any{...}", function()
  it("has the results of the first success [O6]", function()
    test(function(ev)
      local w = aw.Any { gives(3, "a"), gives(2, "b"), fails(1, "boom") }
      assert.are.equal("b", (aw.await(w)))
      assert.are.equal(2, ev:now())
    end)
  end)

  it("waits on where operands fail [O6]", function()
    test(function(ev)
      local w = aw.Any { fails(1, "x"), fails(2, "y"), gives(3, "c") }
      assert.are.equal("c", (aw.await(w)))
      assert.are.equal(3, ev:now())
    end)
  end)

  it("cancels and awaits the others at the first success [O6]", function()
    test(function(ev)
      local log, note = recorder()
      note((aw.await(aw.Any {
        cleaning(2, note, "cleaned"), gives(1, "won"), fails(5, "never"),
      })))
      assert.are.same({ "cleaned", "won" }, log)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("cancels nobody for a failure [O6]", function()
    test(function(ev)
      local log, note = recorder()
      aw.await(aw.Any { fails(1, "boom"), takes(3, note, "b") })
      assert.are.same({ "b" }, log)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("raises the last error if all fail, as it is [O6]", function()
    test(function(ev)
      local last = {}
      local ok, err = outcome(aw.Any {
        fails(1, "first"), fails(3, last), fails(2, "second"),
      })
      assert.is_false(ok)
      assert.are.equal(last, err)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("suppresses the other errors then [O6] [E3]", function()
    helper.leak_checked(function()
      local one, two, three = {}, {}, {}
      local err, info = wires.failure_of(aw.Any {
        fails(1, one), fails(3, three), fails(2, two),
      })
      assert.are.equal(three, err)
      assert.is_true(wires.suppresses(info, one))
      assert.is_true(wires.suppresses(info, two))
      assert.is_false(wires.suppresses(info, three))
    end)
  end)

  it("goes on after an event that fails [O6] [H3]", function()
    test(function(ev)
      local t = ev:start(fails(1, "boom"), helper.nop)
      assert.are.equal("b", (aw.await(aw.Any {
        aw.Done(t), gives(3, "b"),
      })))
      assert.are.equal(3, ev:now())
      local u = ev:start(fails(1, "boom"), helper.nop)
      assert.are.equal("b", (aw.await(aw.Any {
        aw.Done(u), aw.Sleep(2) / function()
          return "b"
        end,
      })))
      assert.are.equal(5, ev:now())
    end)
  end)

  it("goes on after an event whose function fails [O6] [H3]", function()
    test(function(ev)
      local w = aw.Any {
        aw.Sleep(1) / function()
          error "boom"
        end,
        aw.Sleep(1) / function()
          return "b"
        end,
        aw.Sleep(9),
      }
      assert.are.equal("b", (aw.await(w)))
      assert.are.equal(1, ev:now())
    end)
  end)

  it("counts Timeout as a failure [O6]", function()
    test(function(ev)
      local w = aw.Any { aw.Sleep(100):timeout(1), gives(3, "b") }
      assert.are.equal("b", (aw.await(w)))
      assert.are.equal(3, ev:now())
    end)
  end)

  it("forgives what was cut off by a time-out of its own [O6]", function()
    test(function(ev)
      local w = aw.Any {
        wires.spoiling "clean-up":timeout(1), gives(2, "b"),
      }
      assert.are.equal("b", (aw.await(w)))
      assert.are.equal(2, ev:now())
    end)
  end)

  it("forgives a Cancelled that somebody raised by hand [O6] [E5]",
    function()
      test(function(ev)
        local stored
        local t = ev:start(function()
          local _, err = pcall(aw.sleep, 9)
          stored = err
        end)
        aw.yield()
        t:cancel_wait()
        local w = aw.Any { fails(1, stored), gives(2, "b") }
        assert.are.equal("b", (aw.await(w)))
        assert.are.equal(2, ev:now())
      end)
    end)

  it("raises what a loser's clean-up raised [O5] [O6]", function()
    test(function()
      local problem = {}
      local ok, err = outcome(aw.Any {
        gives(1, "won"), wires.spoiling(problem),
      })
      assert.is_false(ok)
      assert.are.equal(problem, err)
    end)
  end)

  it("is not won by one that was cancelled by itself [O5] [O6]", function()
    test(function(ev)
      assert.are.equal("b", (aw.await(aw.Any {
        self_cancelled(1), gives(3, "b"),
      })))
      assert.are.equal(3, ev:now())
      local ok, err = outcome(aw.Any {
        self_cancelled(2), fails(1, "boom"),
      })
      assert.is_false(ok)
      assert.are.equal("boom", err)
    end)
  end)

  it("is cancelled from outside as a race is [O6]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(aw.Any {
        cleaning(2, note, "cleaned"), fails(5, "never"),
      } >> aw.Call(note, "never"))
      aw.sleep(1)
      t:cancel_wait()
      assert.are.same({ "cleaned" }, log)
      assert.are.equal("cancelled", t.status)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("takes string keys, too [O6]", function()
    test(function()
      assert.are.equal("b", (aw.await(aw.Any {
        a = fails(1, "boom"), b = gives(2, "b"),
      })))
    end)
  end)
end)
