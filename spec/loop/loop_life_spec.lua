-- How long an EventLoop lives that the engine runs and nobody holds [S6, S7].

local aw = require "aiowire"
local helper = require "spec.support.helper"

local sealed, virtual, closer = helper.sealed, helper.virtual, helper.closer

--- Collect, and fill the memory that was freed.
local function collect()
  collectgarbage()
  collectgarbage()
  local junk = {}
  for i = 1, 500 do
    junk[i] = ("x"):rep(100 + i % 50)
  end
  return #junk
end

--- A loop on the engine of the running task that nobody holds, and which runs
--- since a task of it was joined; `start(ev)` starts its other tasks.
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
  it("goes on with its other tasks while nobody holds it [S7]",
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

  it("may be run by somebody who held it [S7]", in_task(function()
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

if helper.in_host then
  return -- there coroutine.close refuses
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
  --- Leave a loop so, and let `finish(ev)` end it where `within` calls that.
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
        return -- in a handler nothing is driven
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
