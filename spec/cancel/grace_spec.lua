-- The grace of a cancel: how long clean-up in shields may take, and when a task
-- that does not end is killed [C8, C9, C12].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local texts = require "spec.support.texts"
local wires = require "spec.support.wires"

local test, recorder, closer = helper.test, helper.recorder, helper.closer
local sealed, virtual = helper.sealed, helper.virtual
local join, caught = helper.join, helper.caught
local contains = texts.contains

describe("the grace of a cancel", function()
  --- Run `body(ev, note)` as a task of a loop with this grace, and cancel the
  --- task after 1 s.
  local function drive(grace, body)
    local log, note = recorder()
    local ev = aw.EventLoop { clock = "virtual", grace = grace }
    local t = ev:start(function()
      body(ev, note)
    end)
    ev:start(function()
      aw.sleep(1)
      t:cancel()
    end)
    assert.are.equal("done", ev:run())
    return log, t, ev
  end

  it("ends the power of shields when it expires [C8]", function()
    helper.leak_checked(function()
      local log, t, ev = drive(2, function(ev, note)
        local _ <close> = closer(function()
          note(ev:now())
        end)
        aw.shield(function()
          aw.sleep(100)
          note "never"
        end, 1000)
      end)
      assert.are.same({ 3 }, log)
      assert.are.equal("cancelled", t.status)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("raises Cancelled inside the shield then [C8]", function()
    helper.leak_checked(function()
      local log = drive(2, function(_, note)
        aw.shield(function()
          note(aw.is_cancelled(caught(aw.sleep, 100)))
        end, 1000)
      end)
      assert.are.same({ true }, log)
    end)
  end)

  it("goes through a shield in a shield [C8]", function()
    helper.leak_checked(function()
      local _, _, ev = drive(2, function()
        aw.shield(function()
          aw.shield(function()
            aw.sleep(100)
          end, 1000)
        end, 1000)
      end)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("reaches shields that are made after the cancel [C8]", function()
    helper.leak_checked(function()
      local _, t, ev = drive(2, function()
        local _ <close> = closer(function()
          aw.shield(function()
            aw.sleep(100)
          end, 1000)
        end)
        aw.sleep(50)
      end)
      assert.are.equal("cancelled", t.status)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("is the loop's, five seconds if nothing is said [C8]", function()
    helper.leak_checked(function()
      local _, _, ev = drive(nil, function()
        aw.shield(function()
          aw.sleep(100)
        end, 1000)
      end)
      assert.are.equal(6, ev:now())
    end)
  end)

  it("does not delay tasks that end before it [C8]", function()
    helper.leak_checked(function()
      local log, _, ev = drive(50, function(_, note)
        aw.shield(function()
          aw.sleep(2)
          note "slept"
        end, 1000)
      end)
      assert.are.same({ "slept" }, log)
      assert.are.equal(2, ev:now())
    end)
  end)

  it("lets no task run that is started after it [T3]", function()
    helper.leak_checked(function()
      local log, note = recorder()
      local late
      local ev = aw.EventLoop { clock = "virtual", grace = 2 }
      ev:start(function()
        local _ <close> = closer(function()
          late = ev:start(aw.Call(note, "ran"))
        end)
        aw.shield(function()
          aw.sleep(100)
        end, 1000)
      end)
      ev:start(aw.Call(ev.stop, ev))
      assert.are.equal("stopped", ev:run())
      assert.are.same({}, log)
      assert.are.equal("cancelled", late.status)
    end)
  end)

  it("may be none for a task [C8]", function()
    helper.leak_checked(function()
      local log, note = recorder()
      local ev = aw.EventLoop { clock = "virtual", grace = 5 }
      local task = ev:start(function()
        local _ <close> = closer(note, "cut off")
        aw.shield(function()
          aw.sleep(100)
        end, 1000)
      end, nil, { grace = 0 })
      ev:start(function()
        aw.sleep(1)
        ev:start(aw.Sleep(0.5) >> aw.Call(note, "half a second"))
        task:cancel()
      end)
      assert.are.equal("done", ev:run())
      assert.are.same({ "cut off", "half a second" }, log)
    end)
  end)

  it("is counted from the stop of the loop, too [C8]", function()
    helper.leak_checked(function()
      local at
      local ev = aw.EventLoop { clock = "virtual", grace = 2 }
      ev:start(function()
        local _ <close> = closer(function()
          at = ev:now()
        end)
        aw.shield(function()
          aw.sleep(100)
        end, 1000)
      end)
      ev:start(function()
        aw.sleep(1)
        ev:stop()
      end)
      assert.are.equal("stopped", ev:run())
      assert.are.equal(3, at)
    end)
  end)
end)

describe("clean-up after Cancelled", function()
  it("may await inside a shield [C12]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(function()
        local _ <close> = closer(function(err)
          note(aw.is_cancelled(err))
          aw.shield(function()
            aw.sleep(2)
          end)
          note(ev:now())
        end)
        aw.sleep(100)
      end)
      aw.sleep(1)
      t:cancel_wait()
      assert.are.same({ true, 3 }, log)
      assert.are.equal("cancelled", t.status)
    end)
  end)

  it("may not await outside one [C12]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(function()
        local _ <close> = closer(function()
          note(aw.is_cancelled(caught(aw.sleep, 1)))
        end)
        aw.sleep(100)
      end)
      aw.sleep(1)
      t:cancel_wait()
      assert.are.same({ true }, log)
      assert.are.equal(1, ev:now())
    end)
  end)

  it("may await in a shield after a caught Cancelled [C12]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(function()
        local ok, err = pcall(aw.sleep, 100)
        note(ok)
        aw.shield(function()
          aw.sleep(2)
        end)
        note(ev:now())
        error(err)
      end)
      aw.sleep(1)
      t:cancel_wait()
      assert.are.same({ false, 3 }, log)
      assert.are.equal("cancelled", t.status)
    end)
  end)

  it("runs every `<close>` once, the last one first [C12]", function()
    test(function(ev)
      local log, note = recorder()
      local function noted(name)
        return closer(function()
          aw.shield(function()
            aw.sleep(1)
          end)
          note(name)
        end)
      end
      local t = ev:start(function()
        local _ <close> = noted "first"
        local _ <close> = noted "second"
        do
          local _ <close> = noted "inner"
          aw.sleep(100)
        end
      end)
      aw.sleep(1)
      t:cancel()
      aw.sleep(1)
      t:cancel()
      join(t)
      assert.are.same({ "inner", "second", "first" }, log)
      assert.are.equal(4, ev:now())
    end)
  end)

  it("may open scopes with children in its shield [C12]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(function()
        local _ <close> = closer(function()
          aw.shield(function()
            aw.scope(function(s)
              s:start(aw.Sleep(2) >> aw.Call(note, "two"))
              s:start(aw.Sleep(1) >> aw.Call(note, "one"))
            end)
          end)
        end)
        aw.sleep(100)
      end)
      t:cancel_wait()
      assert.are.same({ "one", "two" }, log)
    end)
  end)

  it("waits for a task that a `<close>` ends [C12]", function()
    test(function(ev)
      local log, note = recorder()
      local child
      local t = ev:start(function()
        aw.scope(function(s)
          local mine <close> = s:start(function()
            local _ <close> = closer(function()
              aw.shield(function()
                aw.sleep(2)
              end)
              note "child cleaned up"
            end)
            aw.sleep(100)
          end)
          child = mine
          local _ <close> = closer(function()
            note "body unwinds"
          end)
          aw.sleep(100)
        end)
      end)
      aw.sleep(1)
      t:cancel_wait()
      assert.are.equal("child cleaned up", log[#log])
      assert.are.equal(2, #log)
      assert.are.equal("cancelled", child.status)
      assert.are.equal("cancelled", t.status)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("is not shortened by the end of the block of a `<close>` task [C12]",
    function()
      test(function(ev)
        local log, note = recorder()
        do
          local mine <close> = ev:start(function()
            local _ <close> = closer(function()
              aw.shield(function()
                aw.sleep(2)
              end)
              note "cleaned up"
            end)
            aw.sleep(100)
          end)
          aw.sleep(1)
          note(mine.status)
        end
        note "block left"
        assert.are.same({ "waiting", "cleaned up", "block left" }, log)
        assert.are.equal(3, ev:now())
      end)
    end)

  it("may await without a shield after an ordinary error [C12]", function()
    test(function(ev)
      local log, note = recorder()
      local ok, err = pcall(function()
        local _ <close> = closer(function()
          aw.sleep(2)
          note "awaited"
        end)
        error("boom", 0)
      end)
      assert.is_false(ok)
      assert.are.equal("boom", err)
      assert.are.same({ "awaited" }, log)
      assert.are.equal(2, ev:now())
    end)
  end)
end)

describe("a task that does not end", function()
  --- Run `body` as the task "mule" of a loop, and cancel the task after 1 s.
  local function drive(body)
    local ev = aw.EventLoop { clock = "virtual", grace = 2 }
    local mule = ev:start(body, nil, { name = "mule" })
    ev:start(function()
      aw.sleep(1)
      mule:cancel("stop")
    end)
    pcall(ev.run, ev)
    return ev, mule
  end

  local function assert_killed(ev, mule)
    assert.are.equal(1, #ev.stuck)
    assert.are.equal("mule", ev.stuck[1].name)
    assert.are.equal(mule.id, ev.stuck[1].task.id)
    local trace = ev.stuck[1].traceback
    contains(trace, "grace_spec.lua:")
    assert.are.equal(0, #ev:tasks())
    local status = mule.status
    assert.is_true(status == "cancelled" or status == "failed", status)
  end

  it("is killed after 1,000 Cancelled and its `<close>` run [C9]", function()
    helper.leak_checked(function()
      local count, closed = 0, 0
      local ev, mule = drive(function()
        local _ <close> = closer(function()
          closed = closed + 1
        end)
        while true do
          if not pcall(aw.sleep, 1) then
            count = count + 1
          end
        end
      end)
      assert_killed(ev, mule)
      assert.is_true(count > 1 and count <= 1001, count)
      assert.are.equal(1, closed)
    end)
  end)

  it("is killed when its shields outlast the grace [C9]", function()
    helper.leak_checked(function()
      local closed = 0
      local ev, mule = drive(function()
        local _ <close> = closer(function()
          closed = closed + 1
        end)
        while true do
          pcall(aw.shield, function()
            aw.sleep(1)
          end, 1000)
        end
      end)
      assert_killed(ev, mule)
      assert.are.equal(1, closed)
    end)
  end)

  it("is closed from the innermost coroutine outwards [C9]", function()
    helper.leak_checked(function()
      local log, note = recorder()
      local function noted(name)
        return closer(function()
          note(name)
        end)
      end
      local ev, mule = drive(function()
        local _ <close> = noted "outer"
        aw.await(function()
          local _ <close> = noted "middle"
          aw.await(function()
            local _ <close> = noted "inner"
            while true do
              pcall(aw.sleep, 1)
            end
          end)
        end)
      end)
      assert_killed(ev, mule)
      assert.are.same({ "inner", "middle", "outer" }, log)
    end)
  end)

  it("leaves the others their clean-up [C9]", function()
    helper.leak_checked(function()
      local log, note = recorder()
      local ev = aw.EventLoop { clock = "virtual", grace = 2 }
      ev:start(function()
        while true do
          pcall(aw.sleep, 1)
        end
      end, nil, { name = "mule" })
      ev:start(function()
        local _ <close> = closer(function()
          aw.shield(function()
            aw.sleep(1)
          end)
          note "cleaned up"
        end)
        aw.sleep(100)
      end)
      ev:start(function()
        aw.sleep(1)
        ev:stop()
      end)
      pcall(ev.run, ev)
      assert.are.same({ "cleaned up" }, log)
      assert.are.equal(1, #ev.stuck)
    end)
  end)

  --- Run a crowd of clean-ups in real time that spin, each longer than a step
  --- should take. Those that have not begun a while after the grace never do,
  --- even if quick steps before them have made looks at the clock rare.
  local function run_slow_crowd()
    local CROWD, SLOW = 60, 0.11
    local ev = aw.EventLoop { grace = 0.01 }
    local begun = 0
    ev:start(function()
      for _ = 1, 1000 do
        aw.sleep(0)
      end
    end)
    for _ = 1, CROWD do
      ev:start(function()
        pcall(aw.sleep, 100)
        begun = begun + 1
        local over = os.clock() + SLOW
        repeat until os.clock() >= over
      end)
    end
    assert.are.equal("timeout", ev:run(0.01))
    assert.is_true(begun < CROWD)
  end

  it("may be one of a crowd whose clean-up is slow [C9]", function()
    helper.leak_checked(run_slow_crowd)
  end)

  it("may be one of such a crowd on a loop that a task runs [C9]", function()
    helper.leak_checked(function()
      local outer = aw.EventLoop {}
      outer:start(run_slow_crowd)
      assert.are.equal("done", outer:run())
    end)
  end)

  it("is not one that ends after a few Cancelled [C9]", function()
    helper.leak_checked(function()
      local ev, mule = drive(function()
        for _ = 1, 50 do
          pcall(aw.sleep, 1)
        end
      end)
      assert.are.equal(0, #ev.stuck)
      assert.are.equal("done", mule.status)
    end)
  end)

  it("is not one whose many time-outs each ended in time [C9]",
    sealed(function()
      local ev = virtual()
      local count = 0
      local task = ev:start(function()
        for _ = 1, 3000 do
          aw.scope({ timeout = 0.01 }, function()
            aw.sleep(1)
          end)
          count = count + 1
        end
      end)
      assert.are.equal("done", ev:run())
      assert.are.equal(3000, count)
      assert.are.equal("done", task.status)
      assert.are.equal(0, #ev.stuck)
    end))

  it("is not one that cleans up within the grace [C9]", function()
    helper.leak_checked(function()
      local ev, mule = drive(function()
        local _ <close> = closer(function()
          aw.shield(function()
            aw.sleep(1)
          end)
        end)
        aw.sleep(100)
      end)
      assert.are.equal(0, #ev.stuck)
      assert.are.equal("cancelled", mule.status)
    end)
  end)
end)

describe("a clean-up that never ends", function()
  local function stubborn(grace)
    return aw.Never:finally(function()
      aw.await(aw.Never)
    end, grace)
  end

  it("does not hang the end of a loop, for any grace [C8, L3]",
    function()
      helper.leak_checked(function()
        local ev = virtual { timeout = 1, grace = 5 }
        ev:start(stubborn())
        ev:start(stubborn(math.huge))
        ev:start(aw.Never:finally(function()
          aw.await((aw.Never & aw.Never):shielded(math.huge))
        end, math.huge))
        assert.are.equal("timeout", ev:run())
        assert.is_true(ev:now() <= 6)
      end)
    end)

  it("does not hang the race or the join around it [C8, O4, O5]", function()
    test(function(ev)
      assert.are.equal("won",
        aw.await(stubborn(math.huge) | wires.gives(1, "won")))
      assert.are.equal(6, ev:now())
      local _, err = wires.outcome(stubborn(math.huge)
        & wires.fails(1, "boom"))
      assert.are.equal("boom", err)
      assert.are.equal(12, ev:now())
    end)
  end)
end)
