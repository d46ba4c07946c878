-- Running an EventLoop, its ends and its clean-up [L1-L5, S7].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local texts = require "spec.support.texts"

local virtual, sealed = helper.virtual, helper.sealed
local closer = helper.closer
local contains = texts.contains

local function logger()
  local log = {}
  return log, function(...)
    log[#log + 1] = select("#", ...) > 1 and { ... } or (...)
  end
end

describe("an event loop", function()
  it("takes its options in a table [L1]", sealed(function()
    local ev = virtual { timeout = 9, grace = 2, seed = 7, name = "tiny" }
    assert.are.equal("done", ev:run())
    contains(tostring(ev), "tiny")
  end))

  it("takes a number of seconds as its time-out [L1]", sealed(function()
    local ev = aw.EventLoop(0.01)
    ev:start(aw.Sleep(3600))
    assert.are.equal("timeout", ev:run())
  end))

  it("refuses a value that is not a time-out [L1]", sealed(function()
    assert.is_false((pcall(aw.EventLoop, true)))
    assert.is_false((pcall(aw.EventLoop, print)))
    assert.is_false((pcall(aw.EventLoop, -1)))
    assert.is_false((pcall(aw.EventLoop, { timeout = {} })))
  end))

  it("refuses a clock it does not know [L1]", sealed(function()
    assert.is_false((pcall(aw.EventLoop, { clock = "sundial" })))
  end))

  it("returns 'done' when its tasks have ended [L1, P10]", sealed(function()
    local ev = virtual()
    ev:start(aw.Sleep(1))
    assert.are.equal("done", ev:run())
    assert.are.equal("done", ev.status)
  end))

  it("returns 'timeout' when its time is over [L1]", sealed(function()
    local ev = virtual { timeout = 5 }
    ev:start(aw.Sleep(10))
    assert.are.equal("timeout", ev:run())
    assert.are.equal("timeout", ev.status)
    assert.are.equal(5, ev:now())
  end))

  it("takes a time-out for one run, too [L1]", sealed(function()
    local ev = virtual()
    ev:start(aw.Sleep(10))
    assert.are.equal("timeout", ev:run(4))
    assert.are.equal(4, ev:now())
  end))

  it("is not held up by a time-out that it does not need [L1]",
    sealed(function()
      local ev = virtual { timeout = 1000 }
      ev:start(aw.Sleep(1))
      assert.are.equal("done", ev:run())
      assert.are.equal(1, ev:now())
    end))

  it("returns 'stopped' after stop [L1]", sealed(function()
    local log, say = logger()
    local ev = virtual()
    ev:start(aw.Sleep(100) >> aw.Call(say, "never"))
    ev:start(aw.Sleep(1) >> aw.Call(ev.stop, ev))
    assert.are.equal("stopped", ev:run())
    assert.are.equal("stopped", ev.status)
    assert.are.same({}, log)
  end))

  it("raises an unhandled error [L1]", sealed(function()
    local ev = virtual()
    ev:start(function()
      error("lost", 0)
    end)
    local ok, err = pcall(ev.run, ev)
    assert.is_false(ok)
    assert.is_true(aw.is_unhandled(err))
    assert.are.equal("lost", err.cause)
    assert.are.equal("failed", ev.status)
  end))

  it("is idle before and running while it runs [L1]", sealed(function()
    local ev = virtual()
    local seen
    ev:start(function()
      seen = ev.status
    end)
    assert.are.equal("idle", ev.status)
    ev:run()
    assert.are.equal("running", seen)
  end))

  it("counts its time-out from each run [L1]", sealed(function()
    local ev = virtual { timeout = 5 }
    ev:start(aw.Sleep(3))
    assert.are.equal("done", ev:run())
    ev:start(aw.Sleep(4))
    assert.are.equal("done", ev:run())
    assert.are.equal(7, ev:now())
  end))

  it("counts its time-out from run, not from when it was made [L1, P11]",
    function()
      helper.test(function(ev)
        for _, case in ipairs { { 0.5, "done" }, { 1.5, "timeout" } } do
          local inner <close> = aw.EventLoop { timeout = 1 }
          inner:start(aw.Sleep(case[1]))
          aw.sleep(5)
          local began = ev:now()
          assert.are.equal(case[2], inner:run())
          assert.are.equal(math.min(case[1], 1), ev:now() - began)
        end
      end)
    end)
end)

describe("a loop in a <close> variable", function()
  it("runs when its block is left without an error [L1]", sealed(function()
    local log, say = logger()
    do
      local ev <close> = virtual()
      ev:start(aw.Sleep(1) >> aw.Call(say, "ran"))
      say "leaving"
    end
    assert.are.same({ "leaving", "ran" }, log)
  end))

  it("observes its time-out then [L1]", sealed(function()
    local log, say = logger()
    do
      local ev <close> = virtual { timeout = 2 }
      ev:start((aw.Sleep(1) >> aw.Call(say, "tick")) * 10)
    end
    assert.is_true(#log >= 1 and #log <= 2)
  end))

  it("keeps the error its block is left with [L1, P12]", sealed(function()
    local log, say = logger()
    local mine, task = { "mine" }, nil
    local ok, err = pcall(function()
      local ev <close> = virtual()
      task = ev:start(aw.Call(say, "never"))
      error(mine)
    end)
    assert.is_false(ok)
    assert.are.equal(mine, err)
    assert.are.same({}, log)
    assert.are.equal("cancelled", task.status)
  end))

  it("raises an unhandled error from the end of its block [L1]",
    sealed(function()
      local ok, err = pcall(function()
        local ev <close> = virtual()
        ev:start(function()
          error("lost", 0)
        end)
      end)
      assert.is_false(ok)
      assert.is_true(aw.is_unhandled(err))
      assert.are.equal("lost", err.cause)
    end))

  it("may have run in its block already [L1]", sealed(function()
    local log, say = logger()
    do
      local ev <close> = virtual()
      ev:start(aw.Call(say, "one"))
      ev:run()
      ev:start(aw.Call(say, "two"))
    end
    assert.are.same({ "one", "two" }, log)
  end))

  it("may have ended in its block already [L1]", sealed(function()
    do
      local ev <close> = virtual { timeout = 1 }
      ev:start(aw.Never)
      assert.are.equal("timeout", ev:run())
    end
  end))
end)

describe("the end of a loop", function()
  it("waits for every foreground task [L2]", sealed(function()
    local log, say = logger()
    local ev = virtual()
    ev:start(aw.Sleep(2) >> aw.Call(say, "late"))
    ev:start(aw.Call(say, "early"))
    ev:run()
    assert.are.same({ "early", "late" }, log)
  end))

  it("waits for tasks that a task started [L2]", sealed(function()
    local log, say = logger()
    local ev = virtual()
    ev:start(function()
      ev:start(aw.Sleep(3) >> aw.Call(say, "grandchild"))
    end)
    ev:run()
    assert.are.same({ "grandchild" }, log)
  end))

  it("does not wait for a background task [L2]", sealed(function()
    local log, say = logger()
    local ev = virtual()
    local task = ev:start(function()
      local _ <close> = closer(function()
        say "swept"
      end)
      aw.sleep(1000)
      say "never"
    end, nil, { background = true })
    ev:start(aw.Sleep(1) >> aw.Call(say, "foreground"))
    assert.are.equal("done", ev:run())
    assert.are.same({ "foreground", "swept" }, log)
    assert.are.equal("cancelled", task.status)
    assert.are.equal(1, ev:now())
  end))

  it("comes at once if only background tasks are there [L2]",
    sealed(function()
      local ev = virtual()
      ev:start(aw.Never, nil, { background = true })
      assert.are.equal("done", ev:run())
    end))

  it("lets clean-up end before run returns from a time-out [L2, U6]",
    sealed(function()
      local log, say = logger()
      local ev = virtual { timeout = 1 }
      ev:start(function()
        local _ <close> = closer(function()
          aw.shield(function()
            aw.sleep(2)
            say "cleaned"
          end, 3)
        end)
        aw.sleep(100)
      end)
      assert.are.equal("timeout", ev:run())
      assert.are.same({ "cleaned" }, log)
      assert.are.equal(3, ev:now())
    end))

  it("lets clean-up end before run returns from stop [L2]",
    sealed(function()
      local log, say = logger()
      local ev = virtual()
      ev:start(function()
        local _ <close> = closer(function()
          say "cleaned"
        end)
        ev:stop()
        say "stopping"
        aw.sleep(1)
        say "never"
      end)
      assert.are.equal("stopped", ev:run())
      assert.are.same({ "stopping", "cleaned" }, log)
    end))

  it("calls no handler for a time-out or a stop [L2, P10]", sealed(function()
    for _, ending in ipairs { "timeout", "stopped" } do
      local calls = 0
      local ev = virtual { timeout = 2 }
      ev:start(aw.Never, function()
        calls = calls + 1
      end)
      if ending == "stopped" then
        ev:start(aw.Sleep(1) >> aw.Call(ev.stop, ev))
      end
      assert.are.equal(ending, ev:run())
      assert.are.equal(0, calls)
    end
  end))

  it("lets a task that was only just started reach its first await [L2]",
    sealed(function()
      local log, say = logger()
      local ev = virtual()
      ev:start(function()
        ev:start(function()
          say "began"
          aw.sleep(1)
          say "never"
        end)
        ev:stop()
      end)
      assert.are.equal("stopped", ev:run())
      assert.are.same({ "began" }, log)
    end))
end)

describe("every way out of a loop", function()
  local function swept_task(say)
    return function()
      local _ <close> = closer(function()
        say "swept"
      end)
      aw.sleep(1000)
    end
  end

  it("sweeps the tasks after an error [L3]", sealed(function()
    local log, say = logger()
    local ev = virtual()
    ev:start(swept_task(say))
    ev:start(function()
      aw.sleep(1)
      error("boom", 0)
    end)
    assert.is_false((pcall(ev.run, ev)))
    assert.are.same({ "swept" }, log)
    assert.are.same({}, ev:tasks())
  end))

  it("sweeps the tasks after a handler's error [L3]", sealed(function()
    local log, say = logger()
    local ev = virtual()
    ev:start(swept_task(say))
    ev:start(function()
      error("boom", 0)
    end, function()
      error("in the handler", 0)
    end)
    local ok, err = pcall(ev.run, ev)
    assert.is_false(ok)
    assert.are.equal("in the handler", err)
    assert.are.same({ "swept" }, log)
  end))

  it("sweeps the tasks after an error of aw.run's own function [L3, P12]",
    sealed(function()
      local log, say = logger()
      local problem = {}
      local ok, err = pcall(aw.run, function(ev)
        ev:start(swept_task(say))
        aw.sleep(1)
        error(problem)
      end, { clock = "virtual" })
      assert.is_false(ok)
      assert.is_true(rawequal(problem, err))
      assert.are.same({ "swept" }, log)
    end))

  it("sweeps the tasks after a deadlock [L3]", sealed(function()
    local log, say = logger()
    local ev = virtual()
    ev:start(function()
      local _ <close> = closer(function()
        say "swept"
      end)
      aw.await(aw.Never)
    end)
    assert.is_false((pcall(ev.run, ev)))
    assert.are.same({ "swept" }, log)
  end))

  it("leaves no live task behind [L3]", sealed(function()
    local ev = virtual { timeout = 1 }
    ev:start(aw.Never)
    ev:start(aw.Sleep(50))
    assert.are.equal(2, #ev:tasks())
    ev:run()
    assert.are.same({}, ev:tasks())
  end))

  it("ends a clean-up that outlasts its grace [L3]", sealed(function()
    local log, say = logger()
    local ev = virtual { timeout = 1, grace = 2 }
    ev:start(function()
      local _ <close> = closer(function()
        aw.shield(function()
          aw.sleep(100)
          say "never"
        end, 1000)
      end)
      aw.sleep(1000)
    end)
    assert.are.equal("timeout", ev:run())
    assert.are.same({}, log)
    assert.is_true(ev:now() < 100)
  end))

  it("kills a task that will not end, and lists it [L3]",
    sealed(function()
      local log, say = logger()
      local ev = virtual { timeout = 1 }
      local task = ev:start(function()
        local _ <close> = closer(function()
          say "closed"
        end)
        while true do
          pcall(aw.sleep, 1)
        end
      end, nil, { name = "the swallower" })
      assert.are.equal("timeout", ev:run())
      assert.are.same({ "closed" }, log)
      assert.are.equal(1, #ev.stuck)
      assert.are.equal(task, ev.stuck[1].task)
      assert.are.equal("the swallower", ev.stuck[1].name)
      contains(ev.stuck[1].traceback, "loop_spec.lua")
    end))

  it("lists no task that ended in time [L3]", sealed(function()
    local ev = virtual { timeout = 1 }
    ev:start(aw.Never)
    ev:run()
    assert.are.same({}, ev.stuck)
  end))
end)

describe("a deadlock", function()
  local function deadlock_of(ev)
    local ok, err = pcall(ev.run, ev)
    assert.is_false(ok)
    contains(tostring(err):lower(), "deadlock")
    return tostring(err)
  end

  it("is raised when all tasks are blocked for ever [L4]",
    sealed(function()
      local ev = virtual()
      ev:start(aw.Never)
      deadlock_of(ev)
    end))

  it("is raised when two tasks wait for each other [L4]",
    sealed(function()
      local ev = virtual()
      local a, b
      a = ev:start(function()
        b:wait()
      end)
      b = ev:start(function()
        a:wait()
      end)
      deadlock_of(ev)
    end))

  it("shows the blocked tasks [L4]", sealed(function()
    local ev = virtual()
    ev:start(aw.Never, nil, { name = "the idler" })
    ev:start(aw.Never, nil, { name = "its twin" })
    local text = deadlock_of(ev)
    contains(text, "the idler")
    contains(text, "its twin")
  end))

  it("ends its loop [L4]", sealed(function()
    local ev = virtual()
    ev:start(aw.Never)
    deadlock_of(ev)
    assert.are.equal("failed", ev.status)
    helper.raises("this EventLoop has ended", function()
      ev:start(aw.Sleep(1))
    end)
  end))

  it("comes only when the last sleeper is up [L4]", sealed(function()
    local log, say = logger()
    local ev = virtual()
    ev:start(aw.Never)
    ev:start(aw.Sleep(5) >> aw.Call(say, "up"))
    deadlock_of(ev)
    assert.are.same({ "up" }, log)
  end))

  it("is not raised while a deadline is ahead [L4]", sealed(function()
    local ev = virtual { timeout = 3 }
    ev:start(aw.Never)
    assert.are.equal("timeout", ev:run())
    ev = virtual()
    ev:start(function()
      aw.scope({ timeout = 2 }, function()
        aw.await(aw.Never)
      end)
    end)
    assert.are.equal("done", ev:run())
  end))

  it("is not raised while another task can cancel the blocked one [L4]",
    sealed(function()
      local ev = virtual()
      local blocked = ev:start(aw.Never)
      ev:start(aw.Sleep(1) >> aw.Call(blocked.cancel, blocked))
      assert.are.equal("done", ev:run())
      assert.are.equal("cancelled", blocked.status)
    end))

  it("is raised from the innermost run that holds a blocked task [L4]",
    sealed(function()
      local log, say = logger()
      local outer = virtual()
      outer:start(function()
        local inner = aw.EventLoop { name = "inner" }
        inner:start(aw.Never)
        local text = deadlock_of(inner)
        say(type(text))
        aw.sleep(1)
        say "the outer loop goes on"
      end)
      assert.are.equal("done", outer:run())
      assert.are.same({ "string", "the outer loop goes on" }, log)
    end))
end)

describe("the clock of a loop", function()
  it("never goes backwards [L5]", sealed(function()
    local ev = aw.EventLoop { signals = false }
    ev:start(function()
      local last = ev:now()
      for _ = 1, 200 do
        aw.yield()
        local now = ev:now()
        assert(now >= last)
        last = now
      end
    end)
    assert.are.equal("done", ev:run())
  end))

  it("counts seconds, and in fractions [L5]", sealed(function()
    local ev = virtual()
    ev:start(aw.Sleep(0.25))
    ev:run()
    assert.are.equal(0.25, ev:now())
  end))

  it("stands still while the loop does not run [L5]", sealed(function()
    local ev = virtual()
    ev:start(aw.Sleep(1))
    assert.are.equal(0, ev:now())
    assert.are.equal(0, ev:now())
    ev:run()
    assert.are.equal(1, ev:now())
    assert.are.equal(1, ev:now())
  end))
end)

describe("aw.run", function()
  it("raises TaskCancelled if its task was cancelled alone [T5]", sealed(
    function()
      local ok, err = pcall(aw.run, function()
        aw.current():cancel()
        aw.sleep(1)
      end)
      assert.is_false(ok)
      assert.is_true(aw.is_task_cancelled(err), tostring(err))
    end))

  it("gives nothing if the loop was stopped [L1]", sealed(function()
    assert.are.equal(0, select("#", aw.run(function(ev)
      ev:stop()
      aw.sleep(1)
    end)))
  end))
end)
