-- Loops and tasks in one another: what is started on a loop from inside a task,
-- a loop that runs inside one, and when a loop has ended [S5-S7].
--
-- On the virtual clock, in whole seconds, which may be compared for equality.

local aw = require "aiowire"
local helper = require "spec.support.helper"

local test, recorder, closer = helper.test, helper.recorder, helper.closer

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

  it("refuses to be run by one of its own tasks [S6]", function()
    test(function(ev)
      helper.raises("already running", function()
        ev:run()
      end)
      aw.sleep(1)
      assert.are.equal(1, ev:now())
    end)
  end)
end)

describe("the life of a loop", function()
  local function virtual(opts)
    opts = opts or {}
    opts.clock = "virtual"
    return aw.EventLoop(opts)
  end

  it("lets no task move before its run [S7]", function()
    helper.leak_checked(function()
      local log, note = recorder()
      local ev = virtual()
      local t = ev:start(aw.Call(note, "ran"))
      assert.are.same({}, log)
      assert.are_not.equal("done", t.status)
      ev:run()
      assert.are.same({ "ran" }, log)
      assert.are.equal("done", t.status)
    end)
  end)

  it("lets no task of an inner loop move before its run [S7]", function()
    test(function()
      local log, note = recorder()
      local inner = aw.EventLoop {}
      inner:start(aw.Call(note, "ran"))
      aw.sleep(5)
      assert.are.same({}, log)
      inner:run()
      assert.are.same({ "ran" }, log)
    end)
  end)

  it("may run again after it was done [S7]", function()
    helper.leak_checked(function()
      local log, note = recorder()
      local ev = virtual()
      for round = 1, 3 do
        ev:start(aw.Sleep(1) >> aw.Call(note, round))
        assert.are.equal("done", ev:run())
      end
      assert.are.same({ 1, 2, 3 }, log)
    end)
  end)

  it("runs again when empty [S7]", function()
    helper.leak_checked(function()
      local ev = virtual()
      assert.are.equal("done", ev:run())
      assert.are.equal("done", ev:run())
    end)
  end)

  it("is over after a time-out [S7]", function()
    helper.leak_checked(function()
      local ev = virtual { timeout = 1 }
      ev:start(aw.Never)
      assert.are.equal("timeout", ev:run())
      helper.raises("this EventLoop has ended (timeout)", function()
        ev:start(aw.Sleep(1))
      end)
    end)
  end)

  it("is over after a stop [S7]", function()
    helper.leak_checked(function()
      local ev = virtual()
      ev:start(function()
        aw.sleep(1)
        ev:stop()
        aw.sleep(100)
      end)
      assert.are.equal("stopped", ev:run())
      helper.raises("this EventLoop has ended (stopped)", function()
        ev:start(aw.Sleep(1))
      end)
    end)
  end)

  it("is over after an unhandled error [S7]", function()
    helper.leak_checked(function()
      local ev = virtual()
      ev:start(function()
        error "boom"
      end)
      assert.is_false(pcall(ev.run, ev))
      helper.raises("this EventLoop has ended (failed)", function()
        ev:start(aw.Sleep(1))
      end)
    end)
  end)

  it("is over after close [S7]", function()
    helper.leak_checked(function()
      local ev = virtual()
      ev:close()
      ev:close()
      helper.raises("this EventLoop has ended (closed)", function()
        ev:start(aw.Sleep(1))
      end)
    end)
  end)

  it("is over after its block was left [S7]", function()
    helper.leak_checked(function()
      local kept
      do
        local ev <close> = virtual()
        kept = ev
        ev:start(aw.Sleep(1))
      end
      helper.raises("this EventLoop has ended", function()
        kept:start(aw.Sleep(1))
      end)
    end)
  end)

  it("is cleaned up before a cancel at its run goes on [S7]", function()
    test(function(ev)
      local log, note = recorder()
      local inner
      local t = ev:start(function()
        local _ <close> = closer(function(err)
          note(aw.is_cancelled(err) and "outer cancelled" or tostring(err))
        end)
        inner = aw.EventLoop {}
        inner:start(function()
          local _ <close> = closer(function()
            aw.shield(function()
              aw.sleep(2)
            end)
            note "inner cleaned up"
          end)
          aw.sleep(100)
        end)
        inner:run()
        note "never"
      end)
      aw.sleep(1)
      t:cancel_wait()
      assert.are.same({ "inner cleaned up", "outer cancelled" }, log)
      assert.are.equal("cancelled", t.status)
      assert.are.equal(3, ev:now())
      assert.are.equal(0, #inner:tasks())
    end)
  end)
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
        -- Nobody drives it here, so what began would not end any more.
        ev:close()
        assert.has_error(function()
          ev:start(function() end)
        end)
      end)
      assert.are.equal(before, aw.stats().deadlines)
    end)
  end
end)
