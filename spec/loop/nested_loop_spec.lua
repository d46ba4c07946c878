-- Tasks that a task starts on its loop, and loops that run inside a task
-- [S5, S6].
--
-- All specs run on a virtual clock, in whole seconds, so they may compare times
-- for equality.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local places = require "spec.support.places"

local test, recorder = helper.test, helper.recorder
local sealed, virtual = helper.sealed, helper.virtual
local blames = places.blames

describe("a task started on the loop from inside a task", function()
  it("outlives the scope it was started in [S5]", function()
    test(function(ev)
      local log, note = recorder()
      local t
      aw.scope(function()
        t = ev:start(aw.Sleep(2) >> aw.Call(note, "free"))
      end)
      note "scope left"
      t:wait()
      assert.are.same({ "scope left", "free" }, log)
    end)
  end)

  it("lives on when the task that started it is cancelled [S5]", function()
    test(function(ev)
      local log, note = recorder()
      local free, owned
      local t = ev:start(function()
        free = ev:start(aw.Sleep(3) >> aw.Call(note, "free"))
        aw.scope(function(s)
          owned = s:start(aw.Sleep(3) >> aw.Call(note, "owned"))
        end)
      end)
      aw.sleep(1)
      t:cancel_wait()
      free:wait()
      assert.are.same({ "free" }, log)
      assert.are.equal("done", free.status)
      assert.are.equal("cancelled", owned.status)
    end)
  end)

  it("does not hold back the end of the task that started it [S5]", function()
    test(function(ev)
      local free
      local t = ev:start(function()
        free = ev:start(aw.Sleep(5))
      end)
      t:wait()
      assert.are.equal("done", t.status)
      assert.are.equal(0, ev:now())
      free:wait()
      assert.are.equal(5, ev:now())
    end)
  end)
end)

describe("a loop inside a task", function()
  it("runs beside the tasks outside it [S6]", function()
    test(function(ev)
      local log, note = recorder()
      ev:start(aw.Sleep(2) >> aw.Call(note, "outer 2"))
      local inner = aw.EventLoop {}
      inner:start(aw.Sleep(1) >> aw.Call(note, "inner 1"))
      inner:start(aw.Sleep(3) >> aw.Call(note, "inner 3"))
      assert.are.equal("done", inner:run())
      note "run returned"
      assert.are.same(
        { "inner 1", "outer 2", "inner 3", "run returned" }, log)
    end)
  end)

  it("waits for its own tasks only [S6]", function()
    test(function(ev)
      local t = ev:start(aw.Sleep(9))
      local inner = aw.EventLoop {}
      inner:start(aw.Sleep(1))
      inner:run()
      assert.are.equal(1, ev:now())
      assert.are.equal("waiting", t.status)
    end)
  end)

  it("waits for them in any order of ready tasks [F6, S6]", function()
    helper.leak_checked(function()
      for seed = 1, helper.scale(100) do
        local inside, outside = 0, 0
        local ev = virtual { seed = seed }
        ev:start(function()
          ev:start(function()
            for _ = 1, 5 do
              aw.sleep(1)
              outside = outside + 1
            end
          end)
          local inner = aw.EventLoop {}
          for i = 1, 3 do
            inner:start(function()
              aw.sleep(i)
              inside = inside + 1
            end)
          end
          assert.are.equal("done", inner:run())
          assert.are.equal(3, inside)
          assert.is_true(outside < 5)
        end)
        assert.are.equal("done", ev:run())
        assert.are.equal(5, outside)
      end
    end)
  end)

  it("shares the clock of the task's engine [S6]", function()
    test(function(ev)
      aw.sleep(5)
      local seen
      local inner = aw.EventLoop {}
      inner:start(function(own)
        aw.sleep(1)
        seen = { own:now(), aw.now() }
      end)
      inner:run()
      assert.are.same({ 6, 6 }, seen)
      assert.are.equal(6, ev:now())
    end)
  end)

  it("gives its bodies itself, not the loop around [S6]", function()
    test(function()
      local seen
      local inner = aw.EventLoop {}
      inner:start(function(own)
        seen = own
      end)
      inner:run()
      assert.is_true(rawequal(inner, seen))
    end)
  end)

  it("runs when a `<close>` block is left [S6]", function()
    test(function()
      local log, note = recorder()
      do
        local inner <close> = aw.EventLoop { timeout = 10 }
        inner:start(aw.Sleep(1) >> aw.Call(note, "ran"))
        note "block ends"
      end
      note "left"
      assert.are.same({ "block ends", "ran", "left" }, log)
    end)
  end)

  it("ends by its own time-out, which the outer loop survives [S6]",
    function()
      test(function(ev)
        local log, note = recorder()
        local inner = aw.EventLoop { timeout = 2 }
        inner:start(aw.Sleep(9) >> aw.Call(note, "never"))
        ev:start(aw.Sleep(3) >> aw.Call(note, "outer"))
        assert.are.equal("timeout", inner:run())
        assert.are.equal(2, ev:now())
        aw.sleep(2)
        assert.are.same({ "outer" }, log)
      end)
    end)

  it("on a clock of its own stops the world around it [S6]", function()
    test(function(ev)
      local log, note = recorder()
      ev:start(aw.Call(note, "outer"))
      local inner = aw.EventLoop { clock = "virtual" }
      inner:start(function(own)
        assert(own:now() == 0 and aw.now() == 0)
        aw.sleep(50)
        assert(own:now() == 50 and aw.now() == 50)
        note "inner"
      end)
      assert.are.equal("done", inner:run())
      note "run returned"
      assert.are.equal(0, ev:now())
      assert.are.equal(0, aw.now())
      aw.sleep(1)
      assert.are.same({ "inner", "run returned", "outer" }, log)
    end)
  end)

  it("refuses to be run by one of its own tasks [I6, S6]", function()
    test(function(ev)
      blames("this EventLoop is already running", function()
        ev:run()
      end)
      aw.sleep(1)
      assert.are.equal(1, ev:now())
    end)
  end)

  it("refuses to be run by a task of a loop inside it [I6]", function()
    test(function(ev)
      local refused = false
      local inner = aw.EventLoop {}
      inner:start(function()
        blames("this EventLoop is already running", function()
          ev:run()
        end)
        refused = true
      end)
      assert.are.equal("done", inner:run())
      assert.is_true(refused)
    end)
  end)

  it("closes a task of a loop that does not run [S7]", sealed(function()
    local ev = virtual()
    local status
    ev:start(function()
      local idle = aw.EventLoop()
      local task
      do
        local t <close> = idle:start(function()
          aw.sleep(100)
        end)
        task = t
      end
      status = task.status
      idle:close()
    end)
    assert.are.equal("done", ev:run())
    assert.are.equal("cancelled", status)
  end))

  it("of another engine runs nothing in a cancelled task [C2, S6]",
    sealed(function()
      local ev = virtual()
      local ran, kept
      local task = ev:start(function()
        aw.pcall(function()
          pcall(aw.sleep, 10)
          local inner = aw.EventLoop { clock = "virtual" }
          inner:start(function()
            ran = true
          end)
          local ok, err = pcall(inner.run, inner)
          inner:close()
          kept = not ok and aw.is_cancelled(err)
        end)
      end)
      ev:start(function()
        aw.sleep(1)
        task:cancel()
      end)
      ev:run()
      assert.is_nil(ran)
      assert.is_true(kept)
    end))
end)

describe("a task of a loop with an engine of its own", function()
  for _, how in ipairs { "close", "cancel_wait" } do
    it("does not begin its loop by " .. how .. "() from elsewhere", function()
      local before = aw.stats().deadlines
      local ev = helper.virtual()
      local t = ev:start(function() end)
      aw.run(function()
        assert.has_error(function()
          t[how](t)
        end)
        -- No code drives this loop here. If close() began the loop, it would
        -- never end.
        ev:close()
        assert.has_error(function()
          ev:start(function() end)
        end)
      end)
      assert.are.equal(before, aw.stats().deadlines)
    end)
  end
end)
