-- Deadlines and sleeps on the virtual clock [K1-K3]. real_time_spec.lua has the
-- real clock.

local aw = require "aiowire"
local helper = require "spec.support.helper"

local virtual, sealed = helper.virtual, helper.sealed
local recorder = helper.recorder

describe("deadlines", function()
  it("expire in the order of their times [K1]", sealed(function()
    local log, say = recorder()
    local ev = virtual()
    for _, at in ipairs { 3, 1, 5, 2, 4 } do
      ev:start(aw.Sleep(at) >> aw.Call(say, at))
    end
    ev:run()
    assert.are.same({ 1, 2, 3, 4, 5 }, log)
  end))

  it("of one time expire in the order they were made in [K1]",
    sealed(function()
      local log, say = recorder()
      local ev = virtual()
      for i = 1, 5 do
        local sleep = i % 2 == 0 and aw.Sleep(1) or aw.SleepUntil(1)
        ev:start(sleep >> aw.Call(say, i))
      end
      ev:run()
      assert.are.same({ 1, 2, 3, 4, 5 }, log)
    end))

  it("of one time expire so even if made at different times [K1]",
    sealed(function()
      local log, say = recorder()
      local ev = virtual()
      ev:start(function()
        aw.sleep(1)
        aw.sleep_until(4)
        say "made second"
      end)
      ev:start(function()
        aw.sleep(2)
        aw.sleep(2)
        say "made third"
      end)
      ev:start(function()
        aw.sleep(4)
        say "made first"
      end)
      ev:run()
      assert.are.same({ "made first", "made second", "made third" }, log)
    end))

  it("do not expire early [K1]", sealed(function()
    local ev = virtual()
    local in_time = true
    for _, d in ipairs { 0.1, 1e-9, 1 / 3, 0.7, 123.456789012 } do
      ev:start(function()
        local start = ev:now()
        aw.sleep(d)
        -- Times are whole nanoseconds, so a sum of two is wrong by at most one.
        in_time = in_time and ev:now() - start >= d - 1e-9
      end)
    end
    ev:run()
    assert.is_true(in_time)
  end))

  it("keep their order among ten thousand [K1]", sealed(function()
    local log, say = recorder()
    local ev = virtual()
    local n = helper.scale(10000)
    for i = 1, n do
      local at = i * 7919 % n
      ev:start(aw.Sleep(at) >> aw.Call(say, at))
    end
    ev:run()
    assert.are.equal(n, #log)
    for i = 2, n do
      assert.is_true(log[i - 1] <= log[i])
    end
  end))

  it("that were cancelled never expire [K1]", sealed(function()
    local log, say = recorder()
    local ev = virtual()
    local sleepers = {}
    for i = 1, 10 do
      sleepers[i] = ev:start(aw.Sleep(i) >> aw.Call(say, i))
    end
    ev:start(function()
      for i = 2, 10, 2 do
        sleepers[i]:cancel()
      end
    end)
    ev:run()
    assert.are.same({ 1, 3, 5, 7, 9 }, log)
  end))
end)

describe("a time-out", function()
  it("cuts off what takes longer [K2]", sealed(function()
    local ev = virtual()
    local ok, err
    ev:start(function()
      ok, err = pcall(aw.timeout, 2, function()
        aw.sleep(10)
      end)
    end)
    ev:run()
    assert.is_false(ok)
    assert.is_true(aw.is_timeout(err))
    assert.are.equal(2, err.after)
    assert.are.equal(2, ev:now())
  end))

  it("leaves alone what ends before [K2]", sealed(function()
    local ev = virtual()
    local result
    ev:start(function()
      result = aw.timeout(2, function(...)
        aw.sleep(1)
        return ...
      end, "in time")
    end)
    ev:run()
    assert.are.equal("in time", result)
    assert.are.equal(1, ev:now())
  end))

  it("made before a sleep with the same deadline aborts it [K2]",
    sealed(function()
      local log, say = recorder()
      local ev = virtual()
      local ok, err
      ev:start(function()
        ok, err = pcall(aw.timeout, 1, function()
          aw.sleep(1)
          say "slept"
        end)
      end)
      ev:run()
      assert.is_false(ok)
      assert.is_true(aw.is_timeout(err))
      assert.are.same({}, log)
    end))

  it("does not undo a sleep that was over before it [K2]",
    sealed(function()
      local log, say = recorder()
      local ev = virtual()
      ev:start(function()
        pcall(aw.timeout, 2, function()
          aw.sleep(1)
          say "slept"
          aw.sleep(5)
          say "never"
        end)
      end)
      ev:run()
      assert.are.same({ "slept" }, log)
    end))
end)

describe("a sleep", function()
  it("counts from when it begins [K3]", sealed(function()
    local ev = virtual()
    local wire = aw.Sleep(2)
    ev:start(aw.Sleep(5) >> wire)
    ev:run()
    assert.are.equal(7, ev:now())
  end))

  it("of 0 lets the others go first [K3]", sealed(function()
    local log, say = recorder()
    local ev = virtual()
    ev:start(function()
      say "a"
      aw.sleep(0)
      say "c"
    end)
    ev:start(aw.Call(say, "b"))
    ev:run()
    assert.are.same({ "a", "b", "c" }, log)
    assert.are.equal(0, ev:now())
  end))

  it("may be called as well as built [K3]", sealed(function()
    local ev = virtual()
    ev:start(aw.Call(aw.sleep, 3))
    ev:run()
    assert.are.equal(3, ev:now())
  end))

  it("until a time ends at that time [K3]", sealed(function()
    local ev = virtual()
    ev:start(function()
      aw.sleep(2)
      aw.sleep_until(3.5)
    end)
    ev:run()
    assert.are.equal(3.5, ev:now())
  end))
end)
