-- Every(p, w) runs w again and again, on a grid of times [K4].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local wires = require "spec.support.wires"

local test = helper.test
local recorder = helper.recorder
local giving, fails, cleaning = wires.giving, wires.fails, wires.cleaning
local outcome = wires.outcome

--- Run Every(period, w, opts) for `seconds`. The k-th tick takes `lengths[k]`
--- or `lengths.rest` seconds. Returns the times at which the ticks begin.
local function ticks(period, seconds, lengths, opts)
  local begins, running = {}, 0
  test(function(ev)
    local every = aw.Every(period, function()
      local k = #begins + 1
      begins[k] = ev:now()
      running = running + 1
      assert.are.equal(1, running, "ticks at once")
      aw.sleep(lengths[k] or lengths.rest or 0)
      running = running - 1
    end, opts)
    local t = ev:start(every)
    aw.sleep(seconds)
    t:cancel_wait()
  end)
  return begins
end

describe("Every(p, w)", function()
  it("runs w at once, then every p seconds [K4]", function()
    assert.are.same({ 0, 10, 20, 30 }, ticks(10, 35, {}))
  end)

  it("counts from when it begins [K4]", function()
    test(function(ev)
      local log, note = recorder()
      local every = aw.Every(10, function()
        note(ev:now())
      end)
      aw.sleep(7)
      local t = ev:start(every)
      aw.sleep(25)
      t:cancel_wait()
      assert.are.same({ 7, 17, 27 }, log)
    end)
  end)

  it("does not drift with the time that w takes [K4]", function()
    assert.are.same({ 0, 10, 20, 30, 40 }, ticks(10, 45, { rest = 3 }))
  end)

  it("does not drift over ten thousand ticks [K4]", function()
    test(function(ev)
      local count, last = 0, nil
      local t = ev:start(aw.Every(0.1, function()
        count = count + 1
        last = ev:now()
        aw.sleep(0.03)
      end))
      aw.sleep(1000.05)
      t:cancel_wait()
      assert.are.equal(10001, count)
      assert.is_true(math.abs(last - 1000) < 1e-6, tostring(last))
    end)
  end)

  it("runs a tick that is due as the one before it ends [K4]", function()
    for _, missed in ipairs { "skip", "burst", "delay" } do
      assert.are.same({ 0, 10, 20, 30 },
        ticks(10, 35, { rest = 10 }, { missed = missed }))
    end
  end)

  it("never ends by itself [K4]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(aw.Every(1, helper.nop) >> aw.Call(note, "never"))
      aw.sleep(1000.5)
      assert.are.equal("waiting", t.status)
      t:cancel_wait()
      assert.are.same({}, log)
    end)
  end)

  it("ends with the first error of w, as it is [K4]", function()
    test(function(ev)
      local problem, count = {}, 0
      local ok, err = outcome(aw.Every(10, function()
        count = count + 1
        if count == 3 then
          error(problem)
        end
      end))
      assert.is_false(ok)
      assert.are.equal(problem, err)
      assert.are.equal(20, ev:now())
    end)
  end)

  it("goes on after supervised failures [K4] [O14]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(aw.Every(10, fails(1, "boom")
        :supervise(function(_, err)
          note(err)
        end)))
      aw.sleep(25)
      t:cancel_wait()
      assert.are.same({ "boom", "boom", "boom" }, log)
    end)
  end)

  it("is cancelled while it waits for a tick [K4]", function()
    test(function(ev)
      local before = aw.stats().deadlines
      local t = ev:start(aw.Every(10, helper.nop))
      aw.sleep(5)
      t:cancel_wait()
      assert.are.equal(5, ev:now())
      assert.are.equal("cancelled", t.status)
      assert.are.equal(before, aw.stats().deadlines)
    end)
  end)

  it("is cancelled in a tick, which cleans up [K4]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(aw.Every(10, cleaning(2, note, "cleaned")))
      aw.sleep(5)
      t:cancel_wait()
      assert.are.same({ "cleaned" }, log)
      assert.are.equal(7, ev:now())
    end)
  end)

  it("waits for the whole chain of a tick [K4]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(aw.Every(10, giving(aw.Sleep(12)
        / function()
          note(ev:now())
        end)))
      aw.sleep(55)
      t:cancel_wait()
      assert.are.same({ 12, 32, 52 }, log)
    end)
  end)

  it("may run many times at once, each with its own times [V1]",
    function()
      test(function(ev)
        local log, note = recorder()
        local every = aw.Every(10, function()
          note(ev:now())
        end)
        local a = ev:start(every)
        local b = ev:start(aw.Sleep(3) >> every)
        aw.sleep(25)
        a:cancel_wait()
        b:cancel_wait()
        assert.are.same({ 0, 3, 10, 13, 20, 23 }, log)
      end)
    end)

  it("lets others run if w takes no time [O3] [K4]", function()
    test(function(ev)
      local count = 0
      local t = ev:start(aw.Every(1e-9, function()
        count = count + 1
      end))
      aw.yield()
      aw.yield()
      t:cancel_wait()
      assert.is_true(count >= 1 and count < 10, tostring(count))
    end)
  end)

  it("may be the operand of an operator [K4]", function()
    test(function(ev)
      local log, note = recorder()
      aw.await(aw.Every(10, aw.Call(note, "tick")) | aw.Sleep(25))
      assert.are.same({ "tick", "tick", "tick" }, log)
      assert.are.equal(25, ev:now())
    end)
  end)

  it("needs no Lua in a tick that needs none [V7]", function()
    test(function(ev)
      local ok, err = pcall(aw.await,
        aw.Every(10, aw.Sleep(1)):timeout(1000.5))
      assert.is_false(ok)
      assert.is_true(aw.is_timeout(err))
      assert.are.equal(1000.5, ev:now())
    end)
  end)
end)

describe("a tick of Every that was missed", function()
  it("is skipped: the next is on the grid [K4]", function()
    assert.are.same({ 0, 20, 30, 40 }, ticks(10, 45, { 15 }))
    assert.are.same({ 0, 30, 40 }, ticks(10, 45, { 25 }))
  end)

  it("is skipped with missed=\"skip\" [K4]", function()
    assert.are.same({ 0, 20, 30, 40 },
      ticks(10, 45, { 15 }, { missed = "skip" }))
  end)

  it("is skipped each time [K4]", function()
    assert.are.same({ 0, 20, 40, 60 }, ticks(10, 75, { rest = 15 }))
  end)

  it("is run at once if missed=\"burst\", until all are made up [K4]",
    function()
      assert.are.same({ 0, 35, 36, 37, 40, 50 },
        ticks(10, 55, { 35, rest = 1 }, { missed = "burst" }))
      assert.are.same({ 0, 35, 35, 35, 40, 50 },
        ticks(10, 55, { 35 }, { missed = "burst" }))
    end)

  it("runs w without a pause in a burst that is never over [K4]",
    function()
      assert.are.same({ 0, 15, 30, 45 },
        ticks(10, 50, { rest = 15 }, { missed = "burst" }))
    end)

  it("starts the grid anew if missed=\"delay\" [K4]", function()
    assert.are.same({ 0, 15, 25, 35, 45, 55 },
      ticks(10, 60, { 15 }, { missed = "delay" }))
    assert.are.same({ 0, 15, 30, 40 },
      ticks(10, 45, { 15, 15 }, { missed = "delay" }))
  end)
end)
