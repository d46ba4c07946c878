-- The virtual clock, which jumps to the next deadline [K6].

local aw = require "aiowire"
local helper = require "spec.support.helper"

local virtual, sealed = helper.virtual, helper.sealed
local recorder, in_task = helper.recorder, helper.in_task

describe("a virtual clock", function()
  it("starts at 0 [K6]", sealed(function()
    assert.are.equal(0, virtual():now())
    aw.test(function(ev, clock)
      assert.are.equal(0, ev:now())
      assert.are.equal(0, clock:now())
      assert.are.equal(0, aw.now())
    end)
  end))

  it("jumps to the next deadline [K6]", sealed(function()
    local ev = virtual()
    ev:start(aw.Sleep(86400 * 365))
    assert.are.equal("done", ev:run())
    assert.are.equal(86400 * 365, ev:now())
  end))

  it("visits every deadline on its way [K6]", sealed(function()
    local log, say = recorder()
    local ev = virtual()
    for _, at in ipairs { 30, 10, 20 } do
      ev:start(function()
        aw.sleep(at)
        say(ev:now())
      end)
    end
    ev:run()
    assert.are.same({ 10, 20, 30 }, log)
  end))

  it("stands still while a task is ready [K6]", sealed(function()
    local log, say = recorder()
    local ev = virtual()
    ev:start(aw.Sleep(0.001) >> aw.Call(say, "slept"))
    ev:start(function()
      for _ = 1, 1000 do
        aw.yield()
      end
      say(ev:now())
    end)
    ev:run()
    assert.are.same({ 0, "slept" }, log)
  end))

  it("stands still while a body computes [K6]", in_task(function(ev)
    local x = 0
    for i = 1, 1e5 do
      x = x + i
    end
    assert.are.equal(0, ev:now())
  end))

  it("is read by all functions of time [K6]", in_task(function(ev, clock)
    aw.sleep(1.5)
    assert.are.equal(1.5, ev:now())
    assert.are.equal(1.5, clock:now())
    assert.are.equal(1.5, aw.now())
  end))

  it("is each loop's own [K6]", sealed(function()
    local one, two = virtual(), virtual()
    one:start(aw.Sleep(1))
    two:start(aw.Sleep(2))
    one:run()
    assert.are.equal(0, two:now())
    two:run()
    assert.are.equal(1, one:now())
    assert.are.equal(2, two:now())
  end))
end)

describe("clock:advance", function()
  it("runs all that is due on the way, then returns [K6]",
    sealed(function()
      local log, say = recorder()
      aw.test(function(ev, clock)
        for _, at in ipairs { 1, 2, 3 } do
          ev:start(aw.Sleep(at) >> aw.Call(say, at))
        end
        clock:advance(2.5)
        say(clock:now())
        clock:advance(10)
        say(clock:now())
      end)
      assert.are.same({ 1, 2, 2.5, 3, 12.5 }, log)
    end))

  it("runs what is due at its end, too [K6]", sealed(function()
    local log, say = recorder()
    aw.test(function(ev, clock)
      ev:start(aw.Sleep(2) >> aw.Call(say, "slept"))
      clock:advance(2)
      say "advanced"
      assert.are.equal(2, clock:now())
    end)
    assert.are.same({ "slept", "advanced" }, log)
  end))

  it("runs no more than that [K6]", sealed(function()
    local log, say = recorder()
    aw.test(function(ev, clock)
      ev:start(aw.Sleep(2) >> aw.Call(say, "slept"))
      clock:advance(1.999)
      say "advanced"
    end)
    assert.are.same({ "advanced", "slept" }, log)
  end))

  it("lets a task sleep again and again [K6]", sealed(function()
    local log, say = recorder()
    aw.test(function(ev, clock)
      local ticker = ev:start(aw.Forever(
        aw.Sleep(1) >> aw.Call(function()
          say(clock:now())
        end)
      ))
      clock:advance(3)
      say "advanced"
      ticker:cancel_wait()
    end)
    assert.are.same({ 1, 2, 3, "advanced" }, log)
  end))

  it("goes to its end if nothing is due [K6]", in_task(function(_, clock)
    clock:advance(100)
    assert.are.equal(100, clock:now())
    clock:advance(0.5)
    assert.are.equal(100.5, clock:now())
  end))

  it("sees the first steps of what was just started [K6]",
    sealed(function()
      local log, say = recorder()
      aw.test(function(ev, clock)
        ev:start(aw.Call(say, "started"))
        clock:advance(1)
        say "advanced"
      end)
      assert.are.same({ "started", "advanced" }, log)
    end))

  it("does not go back [K6]", in_task(function(_, clock)
    clock:advance(5)
    assert.is_false((pcall(clock.advance, clock, -1)))
    assert.is_true(clock:now() >= 5)
  end))
end)

describe("clock:run_until", function()
  it("runs all that is due up to a time [K6]", sealed(function()
    local log, say = recorder()
    aw.test(function(ev, clock)
      for _, at in ipairs { 1, 2, 3 } do
        ev:start(aw.Sleep(at) >> aw.Call(say, at))
      end
      clock:run_until(1)
      say(clock:now())
      clock:run_until(2.5)
      say(clock:now())
    end)
    assert.are.same({ 1, 1, 2, 2.5, 3 }, log)
  end))

  it("counts from the clock's beginning, not from now [K6]",
    in_task(function(_, clock)
      clock:advance(4)
      clock:run_until(6)
      assert.are.equal(6, clock:now())
    end))
end)

describe("a time-out on the virtual clock", function()
  it("comes at its time [K6]", in_task(function(ev)
    local ok, err = pcall(aw.timeout, 60, function()
      aw.sleep(3600)
    end)
    assert.is_false(ok)
    assert.is_true(aw.is_timeout(err))
    assert.are.equal(60, ev:now())
  end))

  it("does not come when time is advanced to just before it [K6]",
    sealed(function()
      local log, say = recorder()
      aw.test(function(ev, clock)
        ev:start(function()
          aw.scope({ timeout = 60 }, function()
            aw.sleep(3600)
          end)
          say "cut off"
        end)
        clock:advance(59.9)
        say "before"
        clock:advance(0.2)
        say "after"
      end)
      assert.are.same({ "before", "cut off", "after" }, log)
    end))
end)
