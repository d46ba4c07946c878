-- The wire w:timeout(s) [O8, C4, C5]. scope_cancel_spec.lua has the function
-- aw.timeout.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local texts = require "spec.support.texts"
local wires = require "spec.support.wires"

local test, sealed, virtual = helper.test, helper.sealed, helper.virtual
local recorder = helper.recorder
local takes, gives, giving = wires.takes, wires.gives, wires.giving
local fails, cleaning = wires.fails, wires.cleaning
local outcome = wires.outcome
local contains = texts.contains

--- Returns the Timeout that `w` raises.
local function timeout_of(w)
  local ok, err = outcome(w)
  assert.is_false(ok)
  assert.is_true(aw.is_timeout(err), tostring(err))
  return err
end

describe("w:timeout(s)", function()
  it("has the results of w if it ends in time, nil kept [O8]", function()
    test(function(ev)
      assert.are.same({ n = 3, nil, "w", nil },
        table.pack(aw.await(gives(1, nil, "w", nil):timeout(2))))
      assert.are.equal(1, ev:now())
    end)
  end)

  it("raises Timeout if w takes longer [O8]", function()
    test(function(ev)
      timeout_of(aw.Sleep(100):timeout(1))
      assert.are.equal(1, ev:now())
    end)
  end)

  it("raises the errors of w as they are [O8] [E1]", function()
    test(function()
      local problem = {}
      local ok, err = outcome(fails(1, problem):timeout(2))
      assert.is_false(ok)
      assert.is_true(rawequal(problem, err))
      assert.is_false(aw.is_timeout(err))
    end)
  end)

  it("says after what time, and what ran out of it [O8] [E4]", function()
    test(function()
      local w = aw.Sleep(100):named "the slow one"
      local err = timeout_of(w:timeout(1.5))
      assert.are.equal(1.5, err.after)
      assert.are.equal("the slow one", tostring(err.wire))
      contains(tostring(err), "1.5")
    end)
  end)

  it("says what ran out of it where that is an operand [O8]", function()
    test(function()
      local w = aw.Wire(function()
        aw.sleep(100)
      end, "argument")
      for _, around in ipairs {
        w:timeout(1) & aw.Never, w:timeout(1) | aw.Never,
        aw.All { x = w:timeout(1) },
      } do
        assert.are.equal(tostring(w), tostring(timeout_of(around).wire))
      end
    end)
  end)

  it("keeps the wire that it names alive [O8] [E4]", function()
    test(function()
      local function timed(around)
        return timeout_of(around(aw.Wire(function()
          aw.sleep(100)
        end, "argument"):timeout(1)))
      end
      for _, around in ipairs {
        function(w) return w end,
        function(w) return w & aw.Never end,
        function(w) return aw.Race { aw.Never, w } end,
      } do
        local err = timed(around)
        collectgarbage()
        collectgarbage()
        contains(tostring(err.wire), "argument")
      end
    end)
  end)

  it("counts from when it begins [O8]", function()
    test(function(ev)
      local w = aw.Sleep(100):timeout(2)
      aw.sleep(5)
      timeout_of(aw.Sleep(1) >> w)
      assert.are.equal(8, ev:now())
      timeout_of(w)
      assert.are.equal(10, ev:now())
    end)
  end)

  it("leaves no deadline behind when w ends in time [O8] [S2]", function()
    test(function()
      local before = aw.stats().deadlines
      aw.await(gives(1, "w"):timeout(1000))
      outcome(fails(1, "boom"):timeout(1000))
      assert.are.equal(before, aw.stats().deadlines)
    end)
  end)

  it("raises Timeout after the clean-up of w [O8]", function()
    test(function(ev)
      local log, note = recorder()
      timeout_of(cleaning(3, note, "cleaned"):timeout(1))
      note "timeout"
      assert.are.same({ "cleaned", "timeout" }, log)
      assert.are.equal(4, ev:now())
    end)
  end)

  it("counts what w spun off as part of it [O8]", function()
    test(function(ev)
      local log, note = recorder()
      local w = giving(cleaning(1, note, "child cleaned"))
        >> takes(1, note, "w")
      timeout_of(w:timeout(2))
      assert.are.same({ "w", "child cleaned" }, log)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("waits for what w spun off, if that ends in time [O8]", function()
    test(function(ev)
      local w = giving(aw.Sleep(3)) >> gives(1, "w")
      assert.are.equal("w", aw.await(w:timeout(4)))
      assert.are.equal(3, ev:now())
    end)
  end)

  it("cuts off the whole chain of w [O8]", function()
    test(function(ev)
      timeout_of(giving(giving(aw.Sleep(9))):timeout(1))
      assert.are.equal(1, ev:now())
    end)
  end)

  it("raises an error that the clean-up raises, not Timeout [O8] [E3]",
    function()
      test(function()
        local problem = {}
        local ok, err = outcome(wires.spoiling(problem):timeout(1))
        assert.is_false(ok)
        assert.are.equal(problem, err)
      end)
    end)

  it("lets a w that succeeds in spite of it have its results [O8] [T7]",
    function()
      test(function(ev)
        local w = aw.Call(function()
          pcall(aw.sleep, 100)
          return "done all the same"
        end)
        assert.are.equal("done all the same", aw.await(w:timeout(1)))
        assert.are.equal(1, ev:now())
      end)
    end)

  it("does not fail the task around it, which may go on [O8]", function()
    test(function(ev)
      timeout_of(aw.Sleep(9):timeout(1))
      aw.sleep(1)
      assert.are.equal(2, ev:now())
    end)
  end)

  it("fails a task that lets it pass [O8]", function()
    helper.leak_checked(function()
      local err = wires.failure_of(aw.Sleep(9):timeout(1))
      assert.is_true(aw.is_timeout(err))
    end)
  end)

  it("of no time lets w run to its first await [O8] [T3]", function()
    test(function(ev)
      local log, note = recorder()
      timeout_of((aw.Call(note, "begins") >> aw.Sleep(1)):timeout(0))
      assert.are.same({ "begins" }, log)
      assert.are.equal(0, ev:now())
    end)
  end)

  it("of math.huge never expires [O8]", function()
    test(function(ev)
      assert.are.equal("w", aw.await(gives(1e6, "w"):timeout(math.huge)))
      assert.are.equal(1e6, ev:now())
    end)
  end)

  it("may be run in many tasks at once [V1]", function()
    test(function(ev)
      local w = aw.Sleep(100):timeout(2) // aw.Value "late"
      local tasks = {}
      for i = 1, 100 do
        tasks[i] = ev:start(aw.Sleep(i / 100) >> w)
      end
      for i = 1, 100 do
        assert.are.equal("late", tasks[i]:wait())
      end
      assert.are.equal(3, ev:now())
    end)
  end)

  it("cuts off what needs no Lua, too [V7]", function()
    test(function(ev)
      timeout_of((aw.Sleep(1) * 1000):timeout(10.5))
      assert.are.equal(10.5, ev:now())
      timeout_of((aw.Never | aw.Never):timeout(1))
      timeout_of((aw.Never & aw.Sleep(0.5)):timeout(1))
      assert.are.equal(12.5, ev:now())
    end)
  end)
end)

describe("a time-out in a time-out", function()
  it("reports the inner one if that is due first [O8]", function()
    test(function(ev)
      assert.are.equal(1,
        timeout_of(aw.Sleep(9):timeout(1):timeout(2)).after)
      assert.are.equal(1, ev:now())
    end)
  end)

  it("reports the outer one if that is due first [O8]", function()
    test(function(ev)
      assert.are.equal(1,
        timeout_of(aw.Sleep(9):timeout(2):timeout(1)).after)
      assert.are.equal(1, ev:now())
    end)
  end)

  it("reports the outermost if both are due at once [O8]", function()
    test(function()
      local w = aw.Sleep(9)
      local err = timeout_of(w:timeout(1):named("inner"):timeout(1))
      assert.are.equal("inner", tostring(err.wire))
    end)
  end)

  it("reports the outermost that expired by the end of the clean-up [O8]",
    function()
      test(function(ev)
        local log, note = recorder()
        local w = cleaning(3, note, "cleaned"):timeout(1):timeout(2)
        assert.are.equal(2, timeout_of(w).after)
        assert.are.same({ "cleaned" }, log)
        assert.are.equal(4, ev:now())
      end)
    end)

  it("reports the middle one if the outer one has time left [O8]",
    function()
      test(function()
        local log, note = recorder()
        local w = cleaning(3, note, "cleaned")
          :timeout(1):timeout(2):timeout(100)
        assert.are.equal(2, timeout_of(w).after)
        assert.are.same({ "cleaned" }, log)
      end)
    end)

  it("leaves the outer one running for what comes instead [O8] [O7]",
    function()
      test(function(ev)
        local w = (aw.Sleep(9):timeout(1) // gives(1, "instead"))
        assert.are.equal("instead", aw.await(w:timeout(3)))
        assert.are.equal(2, ev:now())
        assert.are.equal(1.5, timeout_of(w:timeout(1.5)).after)
        assert.are.equal(3.5, ev:now())
      end)
    end)

  it("lets no fallback inside run for the outer one [O8] [O7]", function()
    test(function()
      local log, note = recorder()
      local w = aw.Sleep(9):timeout(5) // aw.Call(note, "never")
      assert.are.equal(1, timeout_of(w:timeout(1)).after)
      assert.are.same({}, log)
    end)
  end)
end)

describe("a time-out and a cancel", function()
  it("are Cancelled if the cancel comes first [O8] [C5]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start((aw.Sleep(9):timeout(2) // aw.Call(note, "never")))
      aw.sleep(1)
      t:cancel_wait()
      assert.are.equal("cancelled", t.status)
      assert.are.same({}, log)
      assert.are.equal(1, ev:now())
    end)
  end)

  it("are Cancelled if the cancel comes during the clean-up [O8] [C5]",
    function()
      test(function(ev)
        local log, note = recorder()
        local t = ev:start(cleaning(3, note, "cleaned"):timeout(1)
          // aw.Call(note, "never"))
        aw.sleep(2)
        t:cancel_wait()
        assert.are.equal("cancelled", t.status)
        assert.are.same({ "cleaned" }, log)
        assert.are.equal(4, ev:now())
      end)
    end)

  it("are Cancelled if the deadline comes during the clean-up [O8] [C5]",
    function()
      test(function(ev)
        local log, note = recorder()
        local t = ev:start(cleaning(3, note, "cleaned"):timeout(2)
          // aw.Call(note, "never"))
        aw.sleep(1)
        t:cancel_wait()
        assert.are.equal("cancelled", t.status)
        assert.are.same({ "cleaned" }, log)
        assert.are.equal(4, ev:now())
      end)
    end)
end)

describe("the grace of a time-out", function()
  it("bounds the clean-up of w [O8] [C8]", function()
    test(function(ev)
      local log, note = recorder()
      local w = aw.Wire(function()
        local _ <close> = helper.closer(function()
          local ok, err = pcall(aw.shield, function()
            aw.sleep(100)
          end, 100)
          note(ok)
          note(aw.is_cancelled(err))
        end)
        aw.sleep(100)
      end)
      timeout_of(w:timeout(1, { grace = 2 }))
      assert.are.same({ false, true }, log)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("is the loop's if nothing is said [O8] [C8]", function()
    test(function(ev)
      local w = aw.Wire(function()
        local _ <close> = helper.closer(function()
          pcall(aw.shield, function()
            aw.sleep(100)
          end, 100)
        end)
        aw.sleep(100)
      end)
      timeout_of(w:timeout(1))
      assert.are.equal(6, ev:now())
    end)
  end)

  it("is not waited for by a w that cleans up sooner [O8] [C8]", function()
    test(function(ev)
      local log, note = recorder()
      timeout_of(cleaning(1, note, "cleaned"):timeout(1, { grace = 50 }))
      assert.are.same({ "cleaned" }, log)
      assert.are.equal(2, ev:now())
    end)
  end)

  it("may be nothing: no shield holds then [O8] [C8]", function()
    test(function(ev)
      local log, note = recorder()
      local w = aw.Wire(function()
        local _ <close> = helper.closer(function(err)
          note(aw.is_cancelled(err))
          pcall(aw.shield, function()
            aw.sleep(50)
          end, 100)
        end)
        aw.sleep(100)
      end)
      timeout_of(w:timeout(1, { grace = 0 }))
      assert.are.same({ true }, log)
      assert.are.equal(1, ev:now())
    end)
  end)
end)

describe("a time-out that comes when its wire has ended", function()
  --- Run `w`. Returns its error, the time of its end, and its results.
  local function outcome_of(w)
    local ev = virtual { grace = 100 }
    local failure
    local task = ev:start(w, function(_, err)
      failure = err
    end)
    ev:run()
    return failure, ev:now(), task:results()
  end

  it("has cut it short if it cut a child of it [O8]",
    sealed(function()
      local w = giving(aw.Sleep(5)) >> aw.Sleep(4):shielded()
      local err, ended = outcome_of(w:timeout(3))
      assert.is_true(aw.is_timeout(err))
      assert.are.equal(4, ended)
    end))

  it("has not cut it short if its children end by themselves [S3, T7]",
    sealed(function()
      local w = giving(aw.Sleep(5):shielded(50)) >> aw.Value(1)
      local err, ended, result = outcome_of(w:timeout(3))
      assert.is_nil(err)
      assert.are.equal(5, ended)
      assert.are.equal(1, result)
      err, ended, result = outcome_of(aw.Call(aw.scope, { timeout = 3 },
        function(s)
          s:start(aw.Sleep(5):shielded(50))
          return "all"
        end))
      assert.is_nil(err)
      assert.are.equal(5, ended)
      assert.are.equal("all", result)
    end))
end)

describe("the texts of Timeouts, which are kept for the next one", function()
  it("are those of each limit and each wait, in any order [E2, E4]",
    function()
      local seen = {}
      local function sleeps(limit, span)
        local err = timeout_of(aw.Sleep(span):timeout(limit))
        seen[#seen + 1] = err.message .. " | "
          .. tostring(err):match "cut short: (sleep [%d.]+ s)"
      end
      test(function()
        for _ = 1, 2 do
          sleeps(1, 7)
          sleeps(2, 7)
          sleeps(2, 8)
          sleeps(0.25, 7)
        end
      end)
      local round = {
        "timeout after 1.0 s | sleep 7 s", "timeout after 2.0 s | sleep 7 s",
        "timeout after 2.0 s | sleep 8 s", "timeout after 0.25 s | sleep 7 s" }
      assert.are.same(table.move(round, 1, 4, 5), seen)
    end)
end)
