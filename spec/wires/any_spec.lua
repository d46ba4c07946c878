-- Any{...}: the first success wins; if all operands fail, the last failure is
-- raised [O6].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local wires = require "spec.support.wires"

local test, recorder, sealed = helper.test, helper.recorder, helper.sealed
local takes, gives, fails = wires.takes, wires.gives, wires.fails
local cleaning, outcome = wires.cleaning, wires.outcome
local self_cancelled = wires.self_cancelled

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

  it("cancels no operand for a failure [O6]", function()
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

  it("forgives an operand that its own time-out cut off [O6]", function()
    test(function(ev)
      local w = aw.Any {
        wires.spoiling "clean-up":timeout(1), gives(2, "b"),
      }
      assert.are.equal("b", (aw.await(w)))
      assert.are.equal(2, ev:now())
    end)
  end)

  it("forgives a Cancelled that user code raised [O6] [E5]",
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

  it("forgives an error that another task raised in clean-up [O5] [O6]",
    function()
      test(function(ev)
        local t = ev:start(aw.Value(1) | wires.spoiling "e", helper.nop)
        pcall(t.wait, t)
        for _, w in ipairs {
          aw.Any { aw.Value(17), aw.Done(t) },
          aw.Any { aw.Value(17), aw.Call(t.wait, t) },
          aw.Value(17) | aw.Call(t.wait, t),
        } do
          assert.are.equal(17, (aw.await(w)))
        end
      end)
    end)

  it("is not won by an operand that cancelled itself [O5] [O6]", function()
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

describe("an Any with errors of clean-up", function()
  --- Returns the error of `w`, and the number of errors that it suppresses.
  local function failure_of(w)
    local err, info = wires.failure_of(w)
    return err, #info.suppressed
  end

  local early = fails(0.5, "early")

  local function unclean(what)
    return aw.Sleep(9):finally(function()
      error(what, 0)
    end)
  end

  it("forgives one of an operand's own time-out [O6]", sealed(function()
    test(function(ev)
      aw.await(aw.Any { unclean "clean":timeout(1), aw.Sleep(2) })
      assert.are.equal(2, ev:now())
    end)
  end))

  it("raises the last one if all have failed, cut off from outside [O6]",
    sealed(function()
      local err, suppressed = failure_of(
        aw.Any { early, unclean "clean" }:timeout(1))
      assert.are.equal("clean", err)
      assert.are.equal(1, suppressed)
      assert.are.equal("c2",
        (failure_of(aw.Any { unclean "c1", unclean "c2" }:timeout(1))))
    end))

  it("raises one rather than Timeout, cut off from outside [E3]",
    sealed(function()
      local err, suppressed = failure_of(
        aw.Any { early, aw.Never, unclean "clean" }:timeout(1))
      assert.are.equal("clean", err)
      assert.are.equal(0, suppressed)
    end))
end)
