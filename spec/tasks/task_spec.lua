-- Tasks: their status, how to start them, how to wait for them
-- [T1, T2, T5, T6]. task_cancel_spec.lua has their cancels.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local places = require "spec.support.places"
local texts = require "spec.support.texts"
local wires = require "spec.support.wires"

local test, with_loop, recorder = helper.test, helper.with_loop, helper.recorder
local nop = helper.nop
local blames = places.blames
local contains = texts.contains
local cleaning = wires.cleaning

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
        return cleaning(0.5, note, "cleaned")
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
      contains(t.waiting, "sleep")
      t:wait()
      assert.is_nil(t.waiting)
    end)
  end)

  it("has times with as many digits as they need [D1]", function()
    local texts_of = { [2] = "2.0 (2.0 left)", [0.1] = "0.1 (0.09 left)",
      [0.05] = "0.05 (0.04 left)", [0.02] = "0.02 (0.01 left)",
      [0.015] = "0.015 (0.005 left)", [0.01234] = "0.012 (0.0023 left)",
      [0.010002] = "0.01 (0.000002 left)" }
    test(function(ev)
      local tasks = {}
      for seconds in pairs(texts_of) do
        tasks[seconds] = ev:start(aw.Sleep(seconds))
      end
      aw.sleep(0.01)
      for seconds, text in pairs(texts_of) do
        assert.are.equal("sleep " .. text, tasks[seconds].waiting)
      end
    end)
  end)
end)

describe("ev:start", function()
  it("only schedules [T2, P3]", function()
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

  it("gives the task the name in its options [T2]", function()
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

  it("refuses a handler that cannot be called [T2, E7]", function()
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

  it("refuses other values than wires, and its loop goes on [V2]", function()
    test(function(ev)
      local tasks = #ev:tasks()
      for _, bad in ipairs { 42, "x", true, {} } do
        blames(("bad argument #1 to 'start' (wire expected, got %s)")
          :format(type(bad)), function()
            ev:start(bad)
          end)
      end
      assert.are.equal(tasks, #ev:tasks())
      assert.are.equal("x", ev:start(aw.Value "x"):wait())
    end)
  end)

  it("of nil does nothing [P2]", function()
    test(function(ev)
      local log, note = recorder()
      local tasks = #ev:tasks()
      ev:start(nil)
      ev:start(nil, note)
      ev:start(nil, note, { name = "nothing" })
      assert.are.equal(tasks, #ev:tasks())
      aw.sleep(1)
      assert.are.same({}, log)
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
      ev:start(cleaning(0.5, note, "cleaned"), nil, { background = true })
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

  it("has its children in the background, too [T2]", function()
    with_loop(function(ev)
      local child, spun_off
      ev:start(function()
        aw.scope(function(s)
          child = s:start(aw.Never)
          aw.await(aw.Wire(function()
            return function()
              spun_off = aw.current()
              aw.sleep(math.huge)
            end
          end) >> aw.Never)
        end)
      end, nil, { background = true })
      ev:start(aw.Sleep(1))
      assert.are.equal("done", ev:run())
      assert.are.equal(1, ev:now())
      assert.is_true(child.background and spun_off.background)
      assert.are.equal("cancelled", child.status)
      assert.are.equal("cancelled", spun_off.status)
    end)
  end)

  it("starts tasks at the root in the foreground [S5, T2]", function()
    with_loop(function(ev)
      local t
      ev:start(function()
        t = ev:start(aw.Sleep(3))
        aw.sleep(math.huge)
      end, nil, { background = true })
      ev:start(aw.Sleep(1))
      assert.are.equal("done", ev:run())
      assert.are.equal("done", t.status)
      assert.is_false(t.background)
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

  it("is one object among thousands that come and go, on two engines [T6]",
    function()
      local count <const> = helper.gc_stress and 60 or 3000
      local function crowd()
        local kept, seen = {}, 0
        local ev = aw.EventLoop { clock = "virtual" }
        for i = 1, count do
          local t
          t = ev:start(function()
            aw.sleep(i % 7)
            if i % 50 == 0 then
              collectgarbage "step"
            end
            if kept[i] then
              seen = seen + 1
              assert.are.equal(kept[i], aw.current())
            end
            assert.are.equal(aw.current(), aw.current())
          end)
          kept[i] = i % 3 == 0 and t or nil
        end
        ev:run()
        return seen
      end
      assert.are.equal(count // 3, crowd())
      test(function()
        aw.start(aw.Sleep(1) * 10)
        assert.are.equal(count // 3, crowd())
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
