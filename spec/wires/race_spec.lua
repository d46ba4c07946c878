-- Races: `a | b` and Race{...} [O5, O6]: which operand wins, and how the losers
-- end. event_race_spec.lua has races of events.
--
-- If a loser has ended before its cancel reaches it, its outcome is dropped. An
-- error that a loser raises after it got Cancelled is an error of clean-up, and
-- is never dropped.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local wires = require "spec.support.wires"

local test, recorder, closer = helper.test, helper.recorder, helper.closer
local sealed, virtual = helper.sealed, helper.virtual
local takes, gives, giving = wires.takes, wires.gives, wires.giving
local fails, cleaning, outcome = wires.fails, wires.cleaning, wires.outcome
local results, self_cancelled = wires.results, wires.self_cancelled

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

  it("ignores an error that would come later [O5]", function()
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

  it("is not won by an operand that cancelled itself [O5]", function()
    test(function(ev)
      assert.are.equal("b", aw.await(self_cancelled(1) | gives(3, "b")))
      assert.are.equal(3, ev:now())
      local ok, err = outcome(self_cancelled(1) | fails(2, "boom"))
      assert.is_false(ok)
      assert.are.equal("boom", err)
      assert.are.equal(5, ev:now())
    end)
  end)

  it("has no winner if all cancelled themselves [O5] [T5]",
    function()
      test(function(ev)
        local ok, err = outcome(self_cancelled(1) | self_cancelled(2))
        assert.is_false(ok)
        assert.is_true(aw.is_task_cancelled(err), tostring(err))
        assert.are.equal(2, ev:now())
      end)
    end)

  it("has no winner if the winner's function cancels itself [O5] [H3]",
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

describe("an error of a loser's clean-up", function()
  it("is raised, whoever won [O5]", function()
    test(function()
      local problem = {}
      for _, winner in ipairs {
        aw.Sleep(1), gives(1, "won"), aw.Sleep(1) / helper.nop,
      } do
        local ok, err = outcome(winner | wires.spoiling(problem))
        assert.is_false(ok)
        assert.are.equal(problem, err)
      end
    end)
  end)

  it("is raised after all clean-up, and the others suppressed [O5] [E3]",
    sealed(function()
      local first, second = {}, {}
      local err, info = wires.failure_of(gives(1, "won")
        | wires.spoiling(first) | wires.spoiling(second))
      assert.are.equal(first, err)
      assert.is_true(wires.suppresses(info, second))
    end))

  it("is raised for what a loser spun off, too [O5]", function()
    test(function()
      local problem = {}
      local loser = wires.giving(wires.spoiling(problem)) >> aw.Never
      local ok, err = outcome(gives(1, "won") | loser)
      assert.is_false(ok)
      assert.are.equal(problem, err)
    end)
  end)

  it("is raised after a time-out and a scope in its shield, too [O5] [C7]",
    function()
      test(function()
        local problem = {}
        for _, inner in ipairs {
          function() aw.timeout(1, helper.nop) end,
          function() aw.scope(helper.nop) end,
          function() aw.shield(helper.nop) end,
        } do
          local ok, err = outcome(gives(1, "won") | aw.Wire(function()
            pcall(aw.sleep, 9)
            aw.shield(inner)
            error(problem, 0)
          end))
          assert.is_false(ok)
          assert.are.equal(problem, err)
        end
      end)
    end)
end)

describe("an error that was on its way when the race was decided", function()
  local function wins(w)
    local ev = virtual()
    local failure
    local task = ev:start(w, function(_, err)
      failure = err
    end)
    ev:run()
    assert.is_nil(failure)
    assert.are.equal("done", task.status)
  end

  local function late()
    error("late", 0)
  end

  it("is dropped, though it had to leave a scope first [O5]",
    sealed(function()
      wins(aw.Any { function() aw.scope(late) end, function() end })
      wins(aw.Any { function() aw.shield(late) end, function() end })
      wins(aw.Wire(function()
        aw.timeout(1, function() end)
        late()
      end) | aw.Send(aw.channel(1), "sent"))
    end))

  it("is dropped, though the clean-up after it was cut off [O5]",
    sealed(function()
      local slow = aw.Wire(late):finally(function()
        aw.sleep(1000)
      end)
      wins(aw.Sleep(10) | slow:timeout(20, { grace = 30 }))
    end))
end)
