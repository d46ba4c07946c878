-- How to cancel a task, and how the task ends [T3, T4, T7]. cancel_spec.lua has
-- the delivery of Cancelled inside the task.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local texts = require "spec.support.texts"
local wires = require "spec.support.wires"

local test, with_loop, recorder = helper.test, helper.with_loop, helper.recorder
local closer = helper.closer
local contains = texts.contains
local cleaning = wires.cleaning

describe("a task that is cancelled before it ran", function()
  it("runs to its first await, which raises [T3]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(function()
        local _ <close> = closer(note, "closed")
        note "began"
        aw.sleep(1)
        note "never"
      end)
      t:cancel()
      pcall(t.wait, t)
      assert.are.same({ "began", "closed" }, log)
      assert.are.equal("cancelled", t.status)
      assert.are.equal(0, ev:now())
    end)
  end)

  it("runs so even if that was before the loop ran [T3]", function()
    with_loop(function(ev)
      local log, note = recorder()
      local t = ev:start(function()
        local _ <close> = closer(note, "closed")
        note "began"
        aw.sleep(1)
        note "never"
      end)
      t:cancel()
      assert.are.same({}, log)
      assert.are.equal("done", ev:run())
      assert.are.same({ "began", "closed" }, log)
      assert.are.equal("cancelled", t.status)
    end)
  end)

  it("runs the first element of a sequence, not the second [T3]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(aw.Wire(function()
        note "first"
      end) >> function()
        note "second"
      end)
      t:cancel_wait()
      assert.are.same({ "first" }, log)
      assert.are.equal("cancelled", t.status)
    end)
  end)

  it("does not wait for anything if it is a mere event [T3]", function()
    test(function(ev)
      local sleeper = ev:start(aw.Sleep(1))
      local never = ev:start(aw.Never)
      sleeper:cancel()
      never:cancel()
      sleeper:cancel_wait()
      never:cancel_wait()
      assert.are.equal("cancelled", sleeper.status)
      assert.are.equal("cancelled", never.status)
      assert.are.equal(0, ev:now())
    end)
  end)

  it("is done if it never awaits [T3] [T7]", function()
    test(function(ev)
      local t = ev:start(function()
        return aw.Value("all the same")
      end)
      t:cancel()
      assert.are.equal("all the same", t:wait())
      assert.are.equal("done", t.status)
    end)
  end)
end)

describe("t:cancel()", function()
  it("returns at once and raises at the await in its turn [T4]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(function()
        local ok, err = pcall(aw.sleep, 5)
        note(not ok and aw.is_cancelled(err) and "cancelled")
        error(err, 0)
      end)
      aw.sleep(1)
      t:cancel()
      note "returned"
      assert.are.equal("ready", t.status)
      pcall(t.wait, t)
      assert.are.same({ "returned", "cancelled" }, log)
      assert.are.equal(1, ev:now())
    end)
  end)

  it("shows its reason [T4]", function()
    test(function(ev)
      local reason, shown
      local t = ev:start(function()
        local _, err = pcall(aw.sleep, 5)
        reason, shown = err.reason, tostring(err)
        error(err, 0)
      end)
      aw.sleep(1)
      t:cancel("no longer needed")
      pcall(t.wait, t)
      assert.are.equal("no longer needed", reason)
      contains(shown, "no longer needed")
    end)
  end)

  it("may be called any number of times [T4]", function()
    test(function(ev)
      local unwound = 0
      local t = ev:start(function()
        local _ <close> = closer(function()
          unwound = unwound + 1
        end)
        aw.sleep(5)
      end)
      aw.sleep(1)
      for _ = 1, 10 do
        t:cancel()
      end
      t:cancel_wait()
      t:cancel()
      t:cancel_wait()
      assert.are.equal(1, unwound)
      assert.are.equal("cancelled", t.status)
    end)
  end)

  it("cancels all below the task [T4]", function()
    test(function(ev)
      local log, note = recorder()
      local function sleeper(name)
        return function()
          local _ <close> = closer(note, name)
          aw.sleep(10)
          note "never"
        end
      end
      local t = ev:start(function()
        aw.scope(function(s)
          s:start(sleeper "scoped")
          s:start(aw.Wire(function()
            return sleeper "grandchild"
          end) >> sleeper "sequel")
          aw.await(sleeper "awaited")
        end)
      end)
      aw.sleep(1)
      assert.are.same({}, log)
      t:cancel_wait()
      table.sort(log)
      assert.are.same({
        "awaited", "grandchild", "scoped", "sequel",
      }, log)
      assert.are.equal(1, ev:now())
    end)
  end)

  it("leaves other tasks alone [T4]", function()
    test(function(ev)
      local other
      local t = ev:start(function(loop)
        other = loop:start(aw.Sleep(3) >> aw.Value("fine"))
        aw.sleep(10)
      end)
      local sibling = ev:start(aw.Sleep(2) >> aw.Value("fine"))
      aw.sleep(1)
      t:cancel_wait()
      assert.are.equal("fine", sibling:wait())
      assert.are.equal("fine", other:wait())
    end)
  end)

  it("does nothing to a task that has ended [T4]", function()
    test(function(ev)
      local t = ev:start(aw.Value("x"))
      t:wait()
      t:cancel("too late")
      t:cancel_wait()
      assert.are.equal("done", t.status)
      assert.are.equal("x", t:wait())
    end)
  end)

  it("is not an error: no handler is called, no loop ends [T4, U9]", function()
    with_loop(function(ev)
      local log, note = recorder()
      local handled = ev:start(aw.Sleep(5), function()
        note "handler"
      end)
      local bare = ev:start(aw.Sleep(5))
      ev:start(function()
        aw.sleep(1)
        handled:cancel()
        bare:cancel()
      end)
      ev:start(aw.Sleep(2) >> aw.Call(note, "other"))
      assert.are.equal("done", ev:run())
      assert.are.same({ "other" }, log)
      assert.are.equal("cancelled", handled.status)
      assert.are.equal("cancelled", bare.status)
      assert.are.equal(2, ev:now())
    end)
  end)

  it("does not interrupt the task that calls it on itself [T4]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(function()
        aw.current():cancel()
        note "still here"
        aw.sleep(0)
        note "never"
      end)
      pcall(t.wait, t)
      assert.are.same({ "still here" }, log)
      assert.are.equal("cancelled", t.status)
    end)
  end)
end)

describe("t:cancel_wait()", function()
  it("returns after the clean-up [T4]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(cleaning(0.5, note, "cleaned"))
      aw.sleep(1)
      t:cancel_wait()
      note "returned"
      assert.are.same({ "cleaned", "returned" }, log)
      assert.are.equal(1.5, ev:now())
    end)
  end)

  it("waits, where t:cancel() does not [T4]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(cleaning(0.5, note, "cleaned"))
      aw.sleep(1)
      t:cancel()
      note "returned"
      pcall(t.wait, t)
      assert.are.same({ "returned", "cleaned" }, log)
      assert.are.equal(1.5, ev:now())
    end)
  end)

  it("does not raise, unlike t:wait() [T4]", function()
    test(function(ev)
      local t = ev:start(aw.Sleep(5))
      aw.sleep(1)
      t:cancel_wait()
      assert.is_false((pcall(t.wait, t)))
    end)
  end)
end)

describe("a cancelled task", function()
  it("is done if it returns normally in spite of the cancel [T7]", function()
    test(function(ev)
      local t = ev:start(function()
        pcall(aw.sleep, 5)
        return aw.Value("kept", nil)
      end)
      aw.sleep(1)
      t:cancel()
      assert.are.same({ n = 2, "kept", nil }, table.pack(t:wait()))
      assert.are.equal("done", t.status)
      assert.are.equal(1, ev:now())
    end)
  end)

  it("is cancelled if Cancelled leaves it [T7]", function()
    test(function(ev)
      local t = ev:start(function()
        aw.sleep(5)
        return aw.Value("lost")
      end)
      aw.sleep(1)
      t:cancel_wait()
      assert.are.equal("cancelled", t.status)
      assert.are.equal(0, select("#", t:results()))
    end)
  end)

  it("is failed if it raises an error of its own [T7]", function()
    test(function(ev)
      local problem, got = {}, nil
      local t = ev:start(function()
        pcall(aw.sleep, 5)
        error(problem)
      end, function(_, err)
        got = err
      end)
      aw.sleep(1)
      t:cancel_wait()
      assert.are.equal("failed", t.status)
      assert.is_true(rawequal(problem, got))
    end)
  end)
end)

describe("a task in a <close> variable", function()
  it("is cancelled and joined at the end of the block [T7]", function()
    test(function(ev)
      local log, note = recorder()
      local outer
      do
        local t <close> = ev:start(cleaning(0.5, note, "cleaned"))
        outer = t
        aw.sleep(1)
        note "leaving"
      end
      note "left"
      assert.are.same({ "leaving", "cleaned", "left" }, log)
      assert.are.equal("cancelled", outer.status)
      assert.are.equal(1.5, ev:now())
    end)
  end)

  it("is left alone if it has ended before [T7]", function()
    test(function(ev)
      local outer
      do
        local t <close> = ev:start(aw.Sleep(1) >> aw.Value("x"))
        outer = t
        aw.sleep(2)
      end
      assert.are.equal("done", outer.status)
      assert.are.equal("x", outer:results())
      assert.are.equal(2, ev:now())
    end)
  end)

  it("is joined on the way out of an error, too [T7]", function()
    test(function(ev)
      local log, note = recorder()
      local problem = {}
      local ok, err = pcall(function()
        local _ <close> = ev:start(cleaning(0.5, note, "cleaned"))
        aw.sleep(1)
        error(problem)
      end)
      assert.is_false(ok)
      assert.is_true(rawequal(problem, err))
      assert.are.same({ "cleaned" }, log)
    end)
  end)

  it("outlives the block if it is in a plain variable [T7]", function()
    test(function(ev)
      local outer
      do
        local t = ev:start(aw.Sleep(2) >> aw.Value("x"))
        outer = t
        aw.sleep(1)
      end
      assert.are.equal("waiting", outer.status)
      assert.are.equal("x", outer:wait())
    end)
  end)
end)

describe("a task in a <close> variable outside any task", function()
  -- In the program all specs run inside a task, so these are left out there.
  local outside = helper.in_host and function() end or it

  outside("drives its loop no longer than it lasts [T7]", function()
    with_loop(function(ev)
      local log, note = recorder()
      do
        local _ <close> = ev:start(cleaning(0.5, note, "cleaned"))
        ev:start(aw.Sleep(5) >> aw.Call(note, "slow"))
      end
      note "left"
      assert.are.equal(0.5, ev:now())
      assert.are.equal("done", ev:run())
      assert.are.same({ "cleaned", "left", "slow" }, log)
    end)
  end)

  outside("leaves the rest to the loop that is left after it [L1]", function()
    local log, note = recorder()
    helper.leak_checked(function()
      local ev <close> = aw.EventLoop { clock = "virtual" }
      local _ <close> = ev:start(cleaning(0.5, note, "cleaned"))
      ev:start(aw.Sleep(5) >> aw.Call(note, "slow"))
    end)
    assert.are.same({ "cleaned", "slow" }, log)
  end)

  outside("leaves the rest to be cleaned up if the loop is closed [L3]",
    function()
      local log, note = recorder()
      with_loop(function(ev)
        do
          local _ <close> = ev:start(cleaning(0.5, note, "cleaned"))
          ev:start(function()
            local _ <close> = closer(note, "rest")
            aw.sleep(5)
          end)
        end
        ev:close()
      end)
      assert.are.same({ "cleaned", "rest" }, log)
    end)

  outside("keeps a loop that has clean-up to do [L3]", function()
    helper.leak_checked(function()
      local log, note = recorder()
      local other
      do
        local ev = aw.EventLoop { clock = "virtual" }
        local _ <close> = ev:start(cleaning(0.5, note, "cleaned"))
        other = ev:start(aw.Sleep(5) >> aw.Call(note, "slow"))
      end
      collectgarbage()
      collectgarbage()
      assert.are.equal("waiting", other.status)
      other:close()
      assert.are.same({ "cleaned" }, log)
    end)
  end)
end)

describe("a value of a task that is cancelled before it starts", function()
  --- Returns a wire whose body takes over a value that must be closed.
  local function owned(note)
    local value = closer(function()
      note "closed"
    end)
    return aw.Wire(function(_, v)
      local _ <close> = v
      note "owned"
      aw.sleep(100)
    end, value)
  end

  it("is taken over and closed [T3]", function()
    test(function(ev)
      local log, note = recorder()
      ev:start(owned(note)):cancel_wait()
      assert.are.same({ "owned", "closed" }, log)
    end)
  end)

  it("is taken over by each operand [T3] [O4] [O5]", function()
    test(function(ev)
      local log, note = recorder()
      ev:start(owned(note) & owned(note)):cancel_wait()
      assert.are.same({ "owned", "owned", "closed", "closed" }, log)
      ev:start(owned(note) | owned(note)):cancel_wait()
      assert.are.equal(8, #log)
    end)
  end)

  it("is taken over by a loser that has not begun [T3] [O5]", function()
    test(function()
      local log, note = recorder()
      assert.are.equal("won", aw.await(aw.Value "won" | owned(note)))
      assert.are.same({ "owned", "closed" }, log)
    end)
  end)
end)
