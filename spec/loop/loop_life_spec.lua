-- The life of an EventLoop [S6, S7]: when its tasks begin, when the loop ends,
-- and how long the engine keeps a loop to which no Lua value refers.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local texts = require "spec.support.texts"

local sealed, virtual, closer = helper.sealed, helper.virtual, helper.closer
local test, recorder = helper.test, helper.recorder

--- Collect all garbage, and overwrite the freed memory.
local function collect()
  collectgarbage()
  collectgarbage()
  local junk = {}
  for i = 1, 500 do
    junk[i] = ("x"):rep(100 + i % 50)
  end
  return #junk
end

--- Make a loop on the engine of the running task, begin it by closing one of
--- its tasks, and keep no reference to it. `start(ev)` starts its other tasks.
--- Returns a weak table with the loop.
local function abandoned(start)
  local ev = aw.EventLoop { name = "left running" }
  local t = ev:start(aw.Never)
  start(ev)
  t:close()
  return setmetatable({ ev }, { __mode = "v" })
end

local function in_task(f)
  return sealed(function()
    local ev <close> = virtual()
    ev:start(f)
    assert.are.equal("done", ev:run())
  end)
end

describe("an EventLoop that a task's close has begun", function()
  it("goes on with its other tasks without a reference to it [S7]",
    in_task(function()
      local log = {}
      local weak = abandoned(function(ev)
        ev:start(function(own)
          for i = 1, 3 do
            collect()
            aw.sleep(1)
            log[#log + 1] = i
          end
          own:start(aw.Call(table.insert, log, "started inside"))
        end)
      end)
      collect()
      assert.are.equal("running", weak[1].status)
      aw.sleep(5)
      assert.are.same({ 1, 2, 3, "started inside" }, log)
      collect()
      assert.is_nil(weak[1])
    end))

  it("is let go when its tasks fail [S7]", in_task(function()
    local weak = abandoned(function(ev)
      ev:start(function()
        aw.sleep(1)
        error "oops"
      end)
      ev:start(aw.Sleep(9))
    end)
    collect()
    aw.sleep(2)
    collect()
    assert.is_nil(weak[1])
  end))

  it("is let go when it is stopped [S7]", in_task(function()
    local weak = abandoned(function(ev)
      ev:start(aw.Sleep(1) >> aw.Call(ev.stop, ev))
      ev:start(aw.Never)
    end)
    collect()
    aw.sleep(2)
    collect()
    assert.is_nil(weak[1])
  end))

  it("may be run through a reference to it [S7]", in_task(function()
    local ev = aw.EventLoop()
    local t = ev:start(aw.Never)
    local other = ev:start(aw.Sleep(3) >> aw.Value "slept")
    t:close()
    collect()
    assert.are.equal("done", ev:run())
    assert.are.equal("slept", other:results())
  end))

  it("ends while no loop is run, and goes on with the next run [S7]",
    sealed(function()
      local log = {}
      local weak
      local outer = virtual()
      outer:start(function()
        weak = abandoned(function(ev)
          ev:start(aw.Sleep(1) >> aw.Call(table.insert, log, "end"))
        end)
      end)
      outer:run()
      collect()
      assert.are.equal("running", weak[1].status)
      outer:start(aw.Sleep(2))
      outer:run()
      assert.are.same({ "end" }, log)
      outer:close()
      collect()
      assert.is_nil(weak[1])
    end))
end)

describe("the life of a loop", function()
  it("is not changed by setting fields", function()
    local ev <close> = aw.EventLoop()
    for key, shown in pairs { name = "name", status = "status", [7] = "7" } do
      texts.contains(helper.caught(function() ev[key] = 1 end),
        ("an EventLoop's fields are read only (cannot set '%s')"):format(shown))
    end
    assert.are.equal("idle", ev.status)
  end)

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

if helper.in_host then
  return -- the coroutine.close of the program refuses this
end

describe("an EventLoop whose run is awaited by a coroutine that is closed",
  function()
    for how, close in pairs {
      ["by hand"] = function(t)
        pcall(coroutine.close, t.co)
      end,
      ["with its generator"] = function(t)
        pcall(coroutine.close, t.inner)
      end,
    } do
      it("goes on, closed " .. how .. " [S7]",
        in_task(function()
          local log, kept = {}, {}
          local function go()
            local ev = aw.EventLoop()
            ev:start(aw.Sleep(3) >> aw.Call(table.insert, log, "ran"))
            ev:start(aw.Sleep(1) >> aw.Call(collect))
            ev:run()
          end
          local failed
          aw.start(function()
            kept.co = coroutine.running()
            aw.wrap(function()
              kept.inner = coroutine.running()
              go()
            end)()
          end, function(_, err)
            failed = tostring(err)
          end)
          aw.yield()
          aw.yield()
          close(kept)
          kept.co, kept.inner = nil, nil
          collect()
          aw.sleep(5)
          assert.are.same({ "ran" }, log)
          assert.is_string(failed)
        end))
    end

    it("ends in its time when its task is cancelled [S7]",
      in_task(function()
        local log, co = {}, nil
        local t = aw.start(function()
          co = coroutine.running()
          local ev = aw.EventLoop()
          ev:start(function()
            local _ <close> = closer(function()
              log[#log + 1] = "cleaned up"
            end)
            aw.sleep(9)
          end)
          ev:run()
        end, helper.nop)
        aw.yield()
        aw.yield()
        coroutine.close(co)
        co = nil -- luacheck: ignore 311
        collect()
        t:cancel()
        aw.sleep(1)
        assert.are.same({ "cleaned up" }, log)
      end))
  end)

describe("an EventLoop that was left half way, outside of tasks", function()
  --- Begin a loop and leave it unfinished. Then call `within(f)`; `f` ends the
  --- loop by `finish(ev)`. Check that the task has cleaned up and that `how` is
  --- the status.
  local function ends(how, within, finish)
    helper.outside(function()
      local log = {}
      local ev = helper.virtual()
      ev:start(aw.Sleep(5):finally(function()
        aw.sleep(1)
        log[#log + 1] = "cleaned up"
      end))
      ev:start(aw.Sleep(1)):close()
      if ev.status ~= "running" then
        ev:close()
        return -- a handler cannot drive a loop
      end
      within(function()
        finish(ev)
        log[#log + 1] = ev.status
      end)
      assert.are.same({ "cleaned up", how }, log)
    end)
  end

  local function close(ev)
    ev:close()
  end

  local function leave(ev)
    do
      local _ <close> = ev
    end
  end

  local function in_body(f)
    aw.run(f, { clock = "virtual" })
  end

  local function in_handler(f)
    local ev <close> = helper.virtual()
    ev:start(aw.Call(error, "for the handler"), f)
    ev:run()
  end

  it("is ended by a close in a task of another engine [L1, S6]", function()
    ends("stopped", in_body, close)
  end)

  it("is ended when it is left in a task of another engine [L1, S6]",
    function()
      ends("closed", in_body, leave)
    end)

  it("is ended by a close in a handler of another engine [L1, S6]", function()
    ends("stopped", in_handler, close)
  end)
end)
