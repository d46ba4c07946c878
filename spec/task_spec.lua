-- Tasks: T1 to T7.

local aw = require "aiowire"
local helper = require "spec.helper"

--- Run `f(ev, clock)` on a virtual clock; afterwards nothing may be left.
local function test(f)
  helper.leak_checked(function()
    aw.test(f)
  end)
end

--- The same without a main task: `f(ev)` calls `ev:run` itself.
local function with_loop(f)
  helper.leak_checked(function()
    local ev <close> = aw.EventLoop { clock = "virtual" }
    f(ev)
  end)
end

local function recorder()
  local log = {}
  return log, function(what)
    log[#log + 1] = what
  end
end

--- The line of the caller.
local function line()
  return debug.getinfo(2, "l").currentline
end

--- Something to be closed that calls `f`.
local function closing(f, ...)
  local arguments = table.pack(...)
  return setmetatable({}, {
    __close = function()
      f(table.unpack(arguments, 1, arguments.n))
    end,
  })
end

local function nop() end

--- A body that sleeps, and takes half a second more to clean up.
local function slow_to_clean(note)
  return function()
    local _ <close> = closing(function()
      aw.shield(function()
        aw.sleep(0.5)
      end, 3)
      note "cleaned"
    end)
    aw.sleep(100)
    note "never"
  end
end

local terminal = { done = true, failed = true, cancelled = true }

describe("the status of a task", function()
  it("goes from ready to running to waiting to done [T1]", function()
    test(function(ev)
      local log, note = recorder()
      local t
      t = ev:start(function()
        note(t.status)
        aw.sleep(2)
        note(t.status)
      end)
      note(t.status)
      aw.sleep(1)
      note(t.status)
      t:wait()
      note(t.status)
      assert.are.same({
        "ready", "running", "waiting", "running", "done",
      }, log)
    end)
  end)

  it("is failed after an error [T1]", function()
    test(function(ev)
      local t = ev:start(aw.Call(error, {}), nop)
      pcall(t.wait, t)
      assert.are.equal("failed", t.status)
    end)
  end)

  it("is cancelled after a cancel [T1]", function()
    test(function(ev)
      local t = ev:start(aw.Sleep(5))
      aw.sleep(1)
      t:cancel_wait()
      assert.are.equal("cancelled", t.status)
    end)
  end)

  it("never changes once it is terminal [T1]", function()
    test(function(ev)
      local done = ev:start(aw.Value(1))
      local failed = ev:start(aw.Call(error, {}), nop)
      local cancelled = ev:start(aw.Sleep(5))
      cancelled:cancel()
      aw.sleep(1)
      for _ = 1, 2 do
        assert.are.equal("done", done.status)
        assert.are.equal("failed", failed.status)
        assert.are.equal("cancelled", cancelled.status)
        for _, t in ipairs { done, failed, cancelled } do
          t:cancel("late")
          t:cancel_wait()
        end
        aw.sleep(1)
      end
      assert.are.equal(1, done:results())
    end)
  end)

  it("is not terminal while a child is alive [T1]", function()
    test(function(ev, clock)
      local t = ev:start(aw.Wire(function()
        return aw.Sleep(3)
      end) >> aw.Value("result"))
      clock:advance(2)
      assert.is_nil(terminal[t.status])
      assert.are.equal(0, select("#", t:results()))
      clock:advance(2)
      assert.are.equal("done", t.status)
      assert.are.equal("result", t:results())
    end)
  end)

  it("is not terminal while a child still cleans up [T1]", function()
    test(function(ev, clock)
      local log, note = recorder()
      local t = ev:start(aw.Wire(function()
        return slow_to_clean(note)
      end) >> aw.Sleep(1) >> aw.Call(error, {}), function()
        note "handler"
      end)
      clock:advance(1.25)
      assert.is_nil(terminal[t.status])
      assert.are.same({}, log)
      clock:advance(0.5)
      assert.are.equal("failed", t.status)
      assert.are.same({ "cleaned", "handler" }, log)
    end)
  end)
end)

describe("what a task waits for", function()
  it("is shown while it waits, and only then [T1]", function()
    test(function(ev)
      local t = ev:start(aw.Sleep(2))
      assert.is_nil(t.waiting)
      aw.sleep(1)
      assert.is_truthy(t.waiting:find("sleep", 1, true))
      t:wait()
      assert.is_nil(t.waiting)
    end)
  end)
end)

describe("ev:start", function()
  it("only schedules [T2]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(function()
        note "body"
      end)
      note "started"
      t:wait()
      assert.are.same({ "started", "body" }, log)
    end)
  end)

  it("schedules first in, first out [T2]", function()
    test(function(ev)
      local log, note = recorder()
      for i = 1, 10 do
        ev:start(aw.Call(note, i))
      end
      aw.sleep(1)
      assert.are.same({ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, log)
    end)
  end)

  it("names the task as it is told [T2]", function()
    test(function(ev)
      local t = ev:start(aw.Sleep(1), nil, { name = "nap" })
      assert.are.equal("nap", t.name)
      t = ev:start(aw.Sleep(1):named("other"), nil, { name = "nap" })
      assert.are.equal("nap", t.name)
    end)
  end)

  it("takes nil for the handler and for the options [T2]", function()
    test(function(ev)
      local t = ev:start(aw.Value("x"), nil, nil)
      assert.are.equal("x", t:wait())
    end)
  end)

  it("refuses a handler that cannot be called [T2]", function()
    test(function(ev)
      local tasks = #ev:tasks()
      helper.raises("bad argument #2 to 'start'", function()
        ev:start(aw.Sleep(1), 42)
      end)
      helper.raises("bad argument #3 to 'start'", function()
        ev:start(aw.Sleep(1), nil, 42)
      end)
      assert.are.equal(tasks, #ev:tasks())
    end)
  end)

  it("keeps a task in ev:tasks() until it is terminal [T2]", function()
    test(function(ev)
      local tasks = #ev:tasks()
      local a = ev:start(aw.Sleep(1))
      local b = ev:start(aw.Sleep(2))
      assert.are.equal(tasks + 2, #ev:tasks())
      a:wait()
      assert.are.equal(tasks + 1, #ev:tasks())
      b:wait()
      assert.are.equal(tasks, #ev:tasks())
    end)
  end)
end)

describe("a background task", function()
  it("is cancelled when the last foreground task has ended [T2]", function()
    with_loop(function(ev)
      local log, note = recorder()
      local ticks = aw.Forever(aw.Sleep(1) >> aw.Call(note, "tick"))
      local t = ev:start(ticks, function()
        note "handler"
      end, { background = true })
      ev:start(aw.Sleep(2.5) >> aw.Call(note, "end"))
      assert.are.equal("done", ev:run())
      assert.are.same({ "tick", "tick", "end" }, log)
      assert.are.equal("cancelled", t.status)
    end)
  end)

  it("cleans up before run returns [T2]", function()
    with_loop(function(ev)
      local log, note = recorder()
      ev:start(slow_to_clean(note), nil, { background = true })
      ev:start(aw.Sleep(1))
      assert.are.equal("done", ev:run())
      assert.are.same({ "cleaned" }, log)
    end)
  end)

  it("may end before that [T2]", function()
    with_loop(function(ev)
      local t = ev:start(aw.Value("x"), nil, { background = true })
      ev:start(aw.Sleep(1))
      assert.are.equal("done", ev:run())
      assert.are.equal("done", t.status)
      assert.are.equal("x", t:results())
    end)
  end)

  it("is not what a task is by default [T2]", function()
    with_loop(function(ev)
      local t = ev:start(aw.Sleep(3))
      ev:start(aw.Sleep(1), nil, { background = false })
      assert.are.equal("done", ev:run())
      assert.are.equal("done", t.status)
      assert.are.equal(3, ev:now())
    end)
  end)
end)

describe("a task that is cancelled before it ran", function()
  it("runs to its first await, which raises [T3]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(function()
        local _ <close> = closing(note, "closed")
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
        local _ <close> = closing(note, "closed")
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
      assert.is_nil(terminal[t.status])
      pcall(t.wait, t)
      assert.are.same({ "returned", "cancelled" }, log)
      assert.are.equal(1, ev:now())
    end)
  end)

  it("tells its reason to whoever looks [T4]", function()
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
      assert.is_truthy(shown:find("no longer needed", 1, true))
    end)
  end)

  it("may be called any number of times [T4]", function()
    test(function(ev)
      local unwound = 0
      local t = ev:start(function()
        local _ <close> = closing(function()
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
          local _ <close> = closing(note, name)
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

  it("is no error: it calls no handler and stops no loop [T4]", function()
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
      local t = ev:start(slow_to_clean(note))
      aw.sleep(1)
      t:cancel_wait()
      note "returned"
      assert.are.same({ "cleaned", "returned" }, log)
      assert.are.equal(1.5, ev:now())
    end)
  end)

  it("is what waits, t:cancel() does not [T4]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(slow_to_clean(note))
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

describe("t:wait()", function()
  it("gives the results, nil kept [T5]", function()
    test(function(ev)
      local t = ev:start(aw.Sleep(1) >> aw.Value(nil, "x", nil))
      for _ = 1, 2 do
        assert.are.same({ n = 3, nil, "x", nil }, table.pack(t:wait()))
        assert.are.equal(1, ev:now())
      end
    end)
  end)

  it("raises the task's error as it is [T5]", function()
    test(function(ev)
      for _, problem in ipairs { {}, "text", false, 42 } do
        local t = ev:start(function()
          aw.sleep(1)
          error(problem, 0)
        end, nop)
        for _ = 1, 2 do
          local ok, err = pcall(t.wait, t)
          assert.is_false(ok)
          assert.is_true(rawequal(problem, err))
        end
      end
    end)
  end)

  it("raises TaskCancelled if the task was cancelled [T5]", function()
    test(function(ev)
      local t = ev:start(aw.Sleep(5))
      ev:start(aw.Sleep(1) >> aw.Call(t.cancel, t))
      for _ = 1, 2 do
        local ok, err = pcall(t.wait, t)
        assert.is_false(ok)
        assert.is_true(aw.is_task_cancelled(err))
        assert.is_false(aw.is_cancelled(err))
        assert.is_string(tostring(err))
        assert.are.equal(1, ev:now())
      end
    end)
  end)

  it("may be called by many [T5]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(aw.Sleep(1) >> aw.Value("x"))
      for i = 1, 5 do
        ev:start(function()
          note(i .. t:wait())
        end)
      end
      aw.sleep(2)
      assert.are.same({ "1x", "2x", "3x", "4x", "5x" }, log)
    end)
  end)

  it("does not cancel the task with the waiter [T5]", function()
    test(function(ev)
      local t = ev:start(aw.Sleep(2) >> aw.Value("x"))
      local waiter = ev:start(function()
        t:wait()
      end)
      local patient = ev:start(function()
        return aw.Value(t:wait())
      end)
      aw.sleep(1)
      waiter:cancel_wait()
      assert.are.equal("cancelled", waiter.status)
      assert.are.equal(1, ev:now())
      assert.are.equal("x", t:wait())
      assert.are.equal("x", patient:wait())
      assert.are.equal(2, ev:now())
    end)
  end)

  it("is an error on oneself [T5]", function()
    test(function()
      local me = aw.current()
      local ok, err = pcall(me.wait, me)
      assert.is_false(ok)
      assert.is_false(aw.is_cancelled(err))
      assert.is_false(aw.is_task_cancelled(err))
    end)
  end)

  it("is an error on a parent or grandparent [T5]", function()
    test(function(ev)
      local outcomes = {}
      local t = ev:start(function()
        local me = aw.current()
        local function try()
          outcomes[#outcomes + 1] = table.pack(pcall(me.wait, me))
        end
        aw.scope(function(s)
          s:start(try)
          s:start(function()
            aw.scope(function(inner)
              inner:start(try)
            end)
          end)
        end)
        return aw.Wire(function()
          return try
        end) >> aw.Sleep(1)
      end)
      t:wait()
      assert.are.equal(3, #outcomes)
      for _, outcome in ipairs(outcomes) do
        assert.is_false(outcome[1])
        assert.is_false(aw.is_cancelled(outcome[2]))
        assert.is_false(aw.is_task_cancelled(outcome[2]))
      end
    end)
  end)

  it("is no error on whoever called ev:start [T5]", function()
    test(function(ev)
      local got
      local t = ev:start(function(loop)
        local me = aw.current()
        loop:start(function()
          got = me:wait()
        end)
        aw.sleep(1)
        return aw.Value("x")
      end)
      t:wait()
      aw.sleep(1)
      assert.are.equal("x", got)
    end)
  end)

  it("comes after the handler [T5]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(aw.Sleep(1) >> aw.Call(error, {}), function()
        note "handler"
      end)
      ev:start(function()
        pcall(t.wait, t)
        note "waiter"
      end)
      aw.sleep(2)
      assert.are.same({ "handler", "waiter" }, log)
    end)
  end)

  it("does not stand in for a handler [T5]", function()
    with_loop(function(ev)
      local problem = {}
      local t = ev:start(aw.Sleep(1) >> aw.Call(error, problem))
      ev:start(function()
        pcall(t.wait, t)
      end)
      local ok, err = pcall(ev.run, ev)
      assert.is_false(ok)
      assert.is_true(aw.is_unhandled(err))
      assert.is_true(rawequal(problem, err.cause))
    end)
  end)

  it("is refused outside a task [T5]", function()
    test(function(ev)
      local ok
      local t = ev:start(aw.Sleep(5))
      local failing = ev:start(aw.Call(error, {}), function()
        ok = pcall(t.wait, t)
      end)
      pcall(failing.wait, failing)
      assert.is_false(ok)
    end)
  end)
end)

describe("a task", function()
  it("has a number of its own [T6]", function()
    test(function(ev)
      local a, b = ev:start(aw.Sleep(1)), ev:start(aw.Sleep(1))
      assert.are.equal("integer", math.type(a.id))
      assert.are.equal("integer", math.type(b.id))
      assert.are_not.equal(a.id, b.id)
    end)
  end)

  it("is named after its wire if not told otherwise [T6]", function()
    test(function(ev)
      assert.are.equal("Sleep(0.5)", ev:start(aw.Sleep(0.5)).name)
      local named = aw.Sleep(0.5):named("nap")
      assert.are.equal("nap", ev:start(named).name)
      local at = line() + 1
      local function body() end
      local where = "task_spec.lua:" .. at
      assert.is_truthy(ev:start(body).name:find(where, 1, true))
    end)
  end)

  it("has a short name even if its wire is long [T6]", function()
    test(function(ev)
      local w = aw.Sleep(0.5)
      for _ = 1, 100 do
        w = w >> aw.Sleep(0.25)
      end
      assert.is_true(#ev:start(w).name <= 63)
    end)
  end)

  it("knows where it was started [T6]", function()
    test(function(ev)
      local at = line() + 1
      local t = ev:start(aw.Sleep(1))
      local where = "task_spec.lua:" .. at
      assert.are.equal(where, t.started_at:sub(-#where))
    end)
  end)

  it("keeps its results [T6]", function()
    test(function(ev)
      local t = ev:start(aw.Sleep(1) >> aw.Value(nil, "x"))
      t:wait()
      for _ = 1, 2 do
        assert.are.same({ n = 2, nil, "x" }, table.pack(t:results()))
      end
    end)
  end)

  it("has no results unless it is done [T6]", function()
    test(function(ev)
      local waiting = ev:start(aw.Sleep(5) >> aw.Value("x"))
      local failed = ev:start(aw.Call(error, {}), nop)
      local cancelled = ev:start(aw.Sleep(5))
      local ready = ev:start(aw.Value("x"))
      assert.are.equal(0, select("#", ready:results()))
      cancelled:cancel()
      aw.sleep(1)
      assert.are.equal(0, select("#", waiting:results()))
      assert.are.equal(0, select("#", failed:results()))
      assert.are.equal(0, select("#", cancelled:results()))
      assert.are.equal("x", ready:results())
    end)
  end)

  it("has a traceback that shows the user's lines [T6]", function()
    test(function(ev)
      local t = ev:start(function()
        aw.sleep(2)
      end)
      aw.sleep(1)
      assert.is_truthy(t:traceback():find("task_spec.lua:", 1, true))
    end)
  end)

  it("has a traceback in every state [T6]", function()
    test(function(ev)
      local t
      t = ev:start(function()
        assert.is_string(t:traceback())
        aw.sleep(1)
      end)
      assert.is_string(t:traceback())
      t:wait()
      assert.is_string(t:traceback())
      t = ev:start(aw.Sleep(1))
      assert.is_string(t:traceback())
      aw.yield()
      assert.is_string(t:traceback())
      t:cancel_wait()
      assert.is_string(t:traceback())
    end)
  end)

  it("shows its number, name and state [T6]", function()
    test(function(ev)
      local t = ev:start(aw.Sleep(1), nil, { name = "nap" })
      local start = ("task %d 'nap'"):format(t.id)
      assert.are.equal(start, tostring(t):sub(1, #start))
      t:wait()
      assert.are.equal(start, tostring(t):sub(1, #start))
      assert.is_truthy(tostring(t):find("done", 1, true))
    end)
  end)

  it("is what aw.current() gives inside it [T6]", function()
    test(function(ev)
      local inside, later
      local t = ev:start(function()
        inside = aw.current()
        aw.sleep(1)
        later = aw.current()
      end)
      t:wait()
      assert.is_true(inside == t)
      assert.is_true(later == t)
      assert.is_false(aw.current() == t)
    end)
  end)

  it("refuses to have a field written [T6]", function()
    test(function(ev)
      local t = ev:start(aw.Sleep(1))
      for _, field in ipairs { "status", "name", "id", "anything" } do
        assert.is_false((pcall(function()
          t[field] = "x"
        end)))
      end
      assert.are_not.equal("x", t.status)
    end)
  end)
end)

describe("a cancelled task", function()
  it("is done if it returns normally all the same [T7]", function()
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
        local t <close> = ev:start(slow_to_clean(note))
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
        local _ <close> = ev:start(slow_to_clean(note))
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
  -- In the program a spec is in a task, with the engine of that.
  local outside = helper.in_host and function() end or it

  outside("drives its loop no longer than it lasts [T7]", function()
    with_loop(function(ev)
      local log, note = recorder()
      do
        local _ <close> = ev:start(slow_to_clean(note))
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
      local _ <close> = ev:start(slow_to_clean(note))
      ev:start(aw.Sleep(5) >> aw.Call(note, "slow"))
    end)
    assert.are.same({ "cleaned", "slow" }, log)
  end)

  outside("leaves the rest to be cleaned up if the loop is closed [L3]",
    function()
      local log, note = recorder()
      with_loop(function(ev)
        do
          local _ <close> = ev:start(slow_to_clean(note))
          ev:start(function()
            local _ <close> = closing(note, "rest")
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
        local _ <close> = ev:start(slow_to_clean(note))
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
