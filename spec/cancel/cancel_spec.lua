-- Cancellation: which task gets Cancelled, at which await, and in which order
-- [C1-C3, C6, C10, C13]. scope_cancel_spec.lua has the cancels of scopes,
-- shield_spec.lua the shields that hide a cancel, grace_spec.lua the grace.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local places = require "spec.support.places"
local texts = require "spec.support.texts"
local wires = require "spec.support.wires"

local test, recorder, closer = helper.test, helper.recorder, helper.closer
local join, caught = helper.join, helper.caught
local line, place = places.line, places.place
local contains = texts.contains

describe("Cancelled", function()
  --- Returns the error that a sleeping task gets when `strike(t)` cancels it.
  local function cancelled_by(ev, strike)
    local err
    local t = ev:start(function()
      err = caught(aw.sleep, 100)
    end)
    aw.sleep(1)
    strike(t)
    join(t)
    return err
  end

  it("carries the reason, for people [C1]", function()
    test(function(ev)
      local err = cancelled_by(ev, function(t)
        t:cancel("lunch")
      end)
      assert.is_true(aw.is_cancelled(err))
      assert.are.equal("lunch", err.reason)
      assert.are.equal("Cancelled: lunch", tostring(err))
    end)
  end)

  it("carries a reason of any type [C1]", function()
    test(function(ev)
      local reason = {}
      local err = cancelled_by(ev, function(t)
        t:cancel(reason)
      end)
      assert.are.equal(reason, err.reason)
    end)
  end)

  it("may have no reason [C1]", function()
    test(function(ev)
      local err = cancelled_by(ev, function(t)
        t:cancel()
      end)
      assert.is_true(aw.is_cancelled(err))
      contains(tostring(err), "Cancelled")
    end)
  end)

  it("says where the cancel was called [C1]", function()
    test(function(ev)
      local here
      local err = cancelled_by(ev, function(t)
        here = line() + 1
        t:cancel("lunch")
      end)
      contains(err.where, place(here))
    end)
  end)

  it("says whether a task, a scope or a deadline was cancelled [C1]", function()
    test(function(ev)
      local kinds = {}
      kinds[1] = cancelled_by(ev, function(t)
        t:cancel()
      end).kind
      aw.scope(function(s)
        s:cancel()
        kinds[2] = caught(aw.sleep, 100).kind
      end)
      aw.scope({ timeout = 1 }, function()
        kinds[3] = caught(aw.sleep, 100).kind
      end)
      assert.are.same({ "task", "scope", "timeout" }, kinds)
    end)
  end)

  it("says that the loop was stopped [C1]", function()
    helper.leak_checked(function()
      local kind
      local ev = aw.EventLoop { clock = "virtual" }
      ev:start(function()
        kind = caught(aw.sleep, 100).kind
      end)
      ev:start(function()
        aw.sleep(1)
        ev:stop()
      end)
      assert.are.equal("stopped", ev:run())
      assert.are.equal("loop", kind)
    end)
  end)

  it("cannot be imitated by a table [C1]", function()
    for _, value in ipairs {
      "Cancelled: lunch",
      { reason = "lunch", kind = "task" },
      true,
      42,
    } do
      assert.is_falsy(aw.is_cancelled(value))
    end
    assert.is_falsy(aw.is_cancelled(nil))
    assert.is_falsy(aw.is_cancelled(false))
  end)
end)

describe("a cancelled task", function()
  --- Run `f` in a task that is cancelled already, and wait for the task.
  local function when_cancelled(ev, f)
    local t
    t = ev:start(function()
      t:cancel("test")
      f(t)
    end)
    join(t)
    return t
  end

  it("gets Cancelled again at each await [C2]", function()
    test(function(ev)
      local count = 0
      when_cancelled(ev, function()
        for _ = 1, 20 do
          if aw.is_cancelled(caught(aw.sleep, 1)) then
            count = count + 1
          end
        end
      end)
      assert.are.equal(20, count)
      assert.are.equal(0, ev:now())
    end)
  end)

  it("gets it before anything is tried [C2]", function()
    test(function(ev)
      local done = ev:start(aw.Value("result"))
      aw.sleep(1)
      assert.are.equal("done", done.status)
      local errs = {}
      when_cancelled(ev, function()
        errs[1] = caught(aw.sleep, 0)
        errs[2] = caught(aw.yield)
        errs[3] = caught(aw.sleep_until, 0)
        errs[4] = caught(done.wait, done)
        errs[5] = caught(aw.await, aw.Sleep(0))
        errs[6] = caught(aw.await, aw.Done(done))
      end)
      for i = 1, 6 do
        assert.is_true(aw.is_cancelled(errs[i]), "await " .. i)
      end
    end)
  end)

  it("gets it in scopes that it opens afterwards, too [C2]", function()
    test(function(ev)
      local err
      when_cancelled(ev, function()
        pcall(aw.scope, function()
          err = caught(aw.sleep, 1)
        end)
      end)
      assert.is_true(aw.is_cancelled(err))
    end)
  end)

  it("passes it on to children that it starts afterwards [C2]", function()
    test(function(ev)
      local log, note = recorder()
      when_cancelled(ev, function()
        pcall(aw.scope, function(s)
          s:start(function()
            note "child starts"
            note(aw.is_cancelled(caught(aw.sleep, 1)))
          end)
        end)
      end)
      assert.are.same({ "child starts", true }, log)
    end)
  end)

  it("cannot hold the engine by swallowing Cancelled [C2]", function()
    test(function(ev)
      local steps, seen = 0, nil
      ev:start(function()
        for _ = 1, 10 do
          aw.yield()
          steps = steps + 1
        end
      end)
      when_cancelled(ev, function()
        for _ = 1, 100 do
          pcall(aw.sleep, 1)
        end
        seen = steps
      end)
      assert.are.equal(10, seen)
    end)
  end)

  it("keeps no race, join or time-out waiting by swallowing it [C2]", function()
    test(function(ev)
      local log, note = recorder()
      local swallower = aw.Wire(function()
        for _ = 1, 3 do
          if not pcall(aw.sleep, 100) then
            note "swallowed"
          end
        end
      end)
      for i, w in ipairs {
        swallower | aw.Sleep(1),
        swallower & wires.fails(1, "boom"),
        swallower:timeout(1),
      } do
        wires.outcome(w)
        assert.are.equal(3 * i, #log)
        assert.are.equal(i, ev:now())
      end
    end)
  end)

  it("is disturbed only in its awaits [C2]", function()
    test(function(ev)
      local sum = 0
      local t = when_cancelled(ev, function()
        for i = 1, 1000 do
          sum = sum + i
        end
      end)
      assert.are.equal(500500, sum)
      assert.are.equal("done", t.status)
    end)
  end)

  it("leaves others alone [C2]", function()
    test(function(ev)
      local other = ev:start(aw.Sleep(1) >> aw.Value("fine"))
      when_cancelled(ev, function()
        pcall(aw.sleep, 1)
      end)
      assert.are.equal("fine", other:wait())
    end)
  end)
end)

describe("the delivery of a cancel", function()
  it("happens after cancel() has returned [C3]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(function()
        local _ <close> = closer(function()
          note "delivered"
        end)
        aw.sleep(100)
      end)
      aw.sleep(1)
      t:cancel()
      note "returned"
      join(t)
      assert.are.same({ "returned", "delivered" }, log)
    end)
  end)

  it("happens at the next await of the running task itself [C3]", function()
    test(function(ev)
      local log, note = recorder()
      local t
      t = ev:start(function()
        t:cancel()
        note "still running"
        aw.sleep(1)
        note "never"
      end)
      join(t)
      assert.are.same({ "still running" }, log)
      assert.are.equal("cancelled", t.status)
    end)
  end)

  it("reaches children in the order of their creation [C3]", function()
    test(function()
      local log, note = recorder()
      aw.scope(function(s)
        for i = 1, 5 do
          s:start(function()
            local _ <close> = closer(function()
              note(i)
            end)
            aw.sleep(100 - i)
          end)
        end
        aw.sleep(1)
        s:cancel()
      end)
      assert.are.same({ 1, 2, 3, 4, 5 }, log)
    end)
  end)

  it("waits for its turn behind tasks that were ready before [C3]",
    function()
      test(function(ev)
        local log, note = recorder()
        local t = ev:start(function()
          local _ <close> = closer(function()
            note "delivered"
          end)
          aw.sleep(100)
        end)
        aw.sleep(1)
        ev:start(aw.Call(note, "ready before"))
        t:cancel()
        join(t)
        assert.are.same({ "ready before", "delivered" }, log)
      end)
    end)

  it("lets a task that never ran run to its first await [C3]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(function()
        local _ <close> = closer(function()
          note "closed"
        end)
        note "started"
        aw.sleep(1)
        note "never"
      end)
      t:cancel()
      join(t)
      assert.are.same({ "started", "closed" }, log)
      assert.are.equal("cancelled", t.status)
    end)
  end)

  it("happens once, however often cancel() is called [C3]", function()
    test(function(ev)
      local err, closed = nil, 0
      local t = ev:start(function()
        local _ <close> = closer(function()
          closed = closed + 1
        end)
        err = caught(aw.sleep, 100)
        error(err)
      end)
      aw.sleep(1)
      t:cancel("first")
      t:cancel("second")
      t:cancel("third")
      join(t)
      t:cancel("late")
      assert.are.equal("first", err.reason)
      assert.are.equal(1, closed)
      assert.are.equal("cancelled", t.status)
    end)
  end)

  it("reaches no task that has ended [C3]", function()
    test(function(ev)
      local t = ev:start(aw.Value("kept"))
      assert.are.equal("kept", t:wait())
      t:cancel()
      assert.are.equal("done", t.status)
      assert.are.equal("kept", t:wait())
    end)
  end)
end)

describe("an operation that has committed", function()
  it("is delivered though its task is cancelled by then [C6]", function()
    test(function(ev)
      local log, note = recorder()
      local victim
      ev:start(function()
        aw.sleep(1)
        victim:cancel()
        note "cancelled"
      end)
      victim = ev:start(function()
        aw.sleep(1)
        note "slept"
        aw.sleep(1)
        note "never"
      end)
      join(victim)
      assert.are.same({ "cancelled", "slept" }, log)
      assert.are.equal("cancelled", victim.status)
      assert.are.equal(1, ev:now())
    end)
  end)

  it("delivers the results of a task that was waited for [C6]", function()
    test(function(ev)
      local log, note = recorder()
      local source = ev:start(aw.Sleep(1) >> aw.Value("result"))
      local victim
      ev:start(function()
        source:wait()
        victim:cancel()
        note "cancelled"
      end)
      victim = ev:start(function()
        note(source:wait())
        aw.sleep(1)
        note "never"
      end)
      join(victim)
      assert.are.same({ "cancelled", "result" }, log)
    end)
  end)

  it("is done, if nothing is awaited any more [C6]", function()
    test(function(ev)
      local victim
      ev:start(function()
        aw.sleep(1)
        victim:cancel()
      end)
      victim = ev:start(function()
        aw.sleep(1)
        return aw.Value "result"
      end)
      assert.are.equal("result", victim:wait())
      assert.are.equal("done", victim.status)
    end)
  end)

  it("differs from one that is still under way [C6]", function()
    test(function(ev)
      local log, note = recorder()
      local victim
      ev:start(function()
        aw.sleep(1)
        victim:cancel()
      end)
      victim = ev:start(function()
        aw.sleep(1.5)
        note "never"
      end)
      join(victim)
      assert.are.same({}, log)
      assert.are.equal(1, ev:now())
    end)
  end)
end)

describe("a wait that is cancelled", function()
  local waits = {
    { "aw.sleep", function()
      aw.sleep(100)
    end },
    { "aw.sleep_until", function()
      aw.sleep_until(100)
    end },
    { "a Sleep", function()
      aw.await(aw.Sleep(100))
    end },
    { "a Never", function()
      aw.await(aw.Never)
    end },
    { "a task's wait", function(other)
      other:wait()
    end },
    { "a Done", function(other)
      aw.await(aw.Done(other))
    end },
    { "a sequence", function()
      aw.await(aw.Sleep(0.25) >> aw.Sleep(100) >> aw.Sleep(1))
    end },
    { "a repetition", function()
      aw.await(aw.Sleep(0.75) * 100)
    end },
    { "a scope", function()
      aw.scope(function(s)
        s:start(aw.Sleep(100))
      end)
    end },
  }
  for _, case in ipairs(waits) do
    local name, wait = case[1], case[2]
    it("is given up at once, as " .. name .. " [C10]", function()
      test(function(ev)
        local other = ev:start(aw.Never)
        local t = ev:start(function()
          wait(other)
          aw.yield()
        end)
        aw.sleep(1)
        t:cancel_wait()
        assert.are.equal("cancelled", t.status)
        assert.are.equal(1, ev:now())
        assert.are.equal("waiting", other.status)
        other:cancel()
      end)
    end)
  end

  it("takes no deadline with it into the future [C10]", function()
    test(function(ev)
      local before = aw.stats().deadlines
      local t = ev:start(aw.Sleep(100))
      aw.yield()
      assert.are.equal(before + 1, aw.stats().deadlines)
      t:cancel_wait()
      assert.are.equal(before, aw.stats().deadlines)
    end)
  end)

  it("cancels the waiter, never the task that it waits for [C10]", function()
    test(function(ev)
      local source = ev:start(aw.Sleep(2) >> aw.Value("result"))
      local waiter = ev:start(function()
        source:wait()
      end)
      aw.sleep(1)
      waiter:cancel_wait()
      assert.are.equal("result", source:wait())
      assert.are.equal("cancelled", waiter.status)
    end)
  end)
end)

describe("aw.pcall", function()
  it("lets Cancelled through [C13]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(function()
        aw.pcall(aw.sleep, 100)
        note "never"
      end)
      aw.sleep(1)
      t:cancel_wait()
      assert.are.same({}, log)
      assert.are.equal("cancelled", t.status)
    end)
  end)

  it("catches every other error, raw [C13]", function()
    test(function()
      for _, value in ipairs { "text", {}, 42, true } do
        local ok, err = aw.pcall(function()
          aw.sleep(1)
          error(value, 0)
        end)
        assert.is_false(ok)
        assert.is_true(rawequal(value, err))
      end
    end)
  end)

  it("catches Timeout and TaskCancelled [C13]", function()
    test(function(ev)
      local ok, err = aw.pcall(aw.timeout, 1, aw.sleep, 100)
      assert.is_false(ok)
      assert.is_true(aw.is_timeout(err))
      local t = ev:start(aw.Never)
      t:cancel()
      ok, err = aw.pcall(t.wait, t)
      assert.is_false(ok)
      assert.is_true(aw.is_task_cancelled(err))
    end)
  end)

  it("passes arguments and results as pcall does [C13]", function()
    test(function()
      local got = table.pack(aw.pcall(function(...)
        aw.sleep(1)
        return ...
      end, 1, nil, 3, nil))
      assert.are.same({ true, 1, nil, 3, nil, n = 5 }, got)
    end)
  end)

  it("has a sister that catches Cancelled, until the next await [C13]",
    function()
      test(function(ev)
        local log, note = recorder()
        local t = ev:start(function()
          local ok, err = pcall(aw.sleep, 100)
          note(ok)
          note(aw.is_cancelled(err))
          aw.sleep(1)
          note "never"
        end)
        aw.sleep(1)
        t:cancel_wait()
        assert.are.same({ false, true }, log)
        assert.are.equal("cancelled", t.status)
      end)
    end)
end)
