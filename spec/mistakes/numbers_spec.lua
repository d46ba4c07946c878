-- Unusual numbers as durations [K3] and as counts [O2]. Each raises an error at
-- the caller's line, or is clamped as the manual says. None causes an endless
-- wait or an immediate return by accident.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local places = require "spec.support.places"

local virtual, sealed = helper.virtual, helper.sealed
local in_task, nop = helper.in_task, helper.nop
local blames, blamed = places.blames, places.blamed

local nan = 0 / 0

-- Values that are no duration.
local nans <const> = { { "NaN", nan }, { "-NaN", -nan } }
local negatives <const> = {
  { "-1", -1 },
  { "-1e-9", -1e-9 },
  { "-inf", -math.huge },
  { "-1e300", -1e300 },
  { "math.mininteger", math.mininteger },
}
local zeros <const> = { { "0", 0 }, { "-0.0", -0.0 } }
local longs <const> = {
  { "2^31", 2 ^ 31 },
  { "2^31 as an integer", 1 << 31 },
  { "2^53", 2 ^ 53 },
  { "2^53 as an integer", 1 << 53 },
  { "2^63", 2 ^ 63 },
  { "2^64", 2 ^ 64 },
  { "math.maxinteger", math.maxinteger },
  { "1e300", 1e300 },
  { "inf", math.huge },
}
local no_numbers <const> = {
  { "a word", "soon" },
  { "an empty text", "" },
  { "a boolean", true },
  { "a function", print },
}

-- Functions that pass a duration `s` to one function or option. The specs call
-- them in a task with the loop `ev` and the clock `clock`. Each function is on
-- one line, which is the line to blame.
local intervals <const> = {
  { "aw.sleep", function(s) aw.sleep(s) end },
  { "aw.Sleep", function(s) aw.Sleep(s) end },
  { "aw.Call(aw.sleep)", function(s) aw.Call(aw.sleep, s) end },
  { "aw.timeout", function(s) aw.timeout(s, nop) end },
  { "aw.scope's timeout", function(s) aw.scope({ timeout = s }, nop) end },
  { "aw.scope's grace", function(s) aw.scope({ grace = s }, nop) end },
  { "aw.shield", function(s) aw.shield(nop, s) end },
  { "w:shielded", function(s) aw.Never:shielded(s) end },
  { "EventLoop", function(s) aw.EventLoop(s) end },
  { "EventLoop's timeout", function(s) aw.EventLoop { timeout = s } end },
  { "EventLoop's grace", function(s) aw.EventLoop { grace = s } end },
  { "ev:run", function(s) aw.EventLoop({}):run(s) end },
  { "start", function(s, ev) ev:start(nop, nil, { grace = s }) end },
  { "aw.run's timeout", function(s) aw.run(nop, { timeout = s }) end },
  { "aw.test's limit", function(s) aw.test({ limit = s }, nop) end },
  { "clock:advance", function(s, _, clock) clock:advance(s) end },
}

local points <const> = {
  { "aw.sleep_until", function(s) aw.sleep_until(s) end },
  { "aw.SleepUntil", function(s) aw.SleepUntil(s) end },
}

-- Define specs: each function refuses each value, and blames the line of the
-- call.
local function refuses(users, values, word)
  for _, user in ipairs(users) do
    local where, use = user[1], user[2]
    for _, value in ipairs(values) do
      it(("is refused by %s if it is %s [K3]"):format(where, value[1]),
        in_task(function(ev, clock)
          local err = helper.raises(word, use, value[2], ev, clock)
          blamed(err, use)
          assert.are.equal(0, ev:now())
          assert.are.equal(1, #ev:tasks())
        end))
    end
  end
end

describe("a duration", function()
  refuses(intervals, nans, "NaN")
  refuses(intervals, negatives, "negative")
  refuses(intervals, no_numbers, "number")
end)

describe("a point in time", function()
  refuses(points, nans, "NaN")
  refuses(points, no_numbers, "number")

  for _, value in ipairs(negatives) do
    it(("is past if it is %s [K3]"):format(value[1]), in_task(function(ev)
      aw.sleep_until(value[2])
      aw.await(aw.SleepUntil(value[2]))
      assert.are.equal(0, ev:now())
    end))
  end

  for _, value in ipairs(zeros) do
    it(("is the beginning if it is %s [K3]"):format(value[1]),
      in_task(function(ev)
        aw.sleep_until(value[2])
        aw.await(aw.SleepUntil(value[2]))
        assert.are.equal(0, ev:now())
      end))
  end

  for _, value in ipairs(longs) do
    it(("is far ahead if it is %s [K3]"):format(value[1]),
      sealed(function()
        local ev = virtual { timeout = 1e9 }
        local over = 0
        ev:start(function()
          aw.sleep_until(value[2])
          over = over + 1
        end)
        ev:start(aw.SleepUntil(value[2]) >> function()
          over = over + 1
        end)
        assert.are.equal("timeout", ev:run())
        assert.are.equal(0, over)
      end))
  end
end)

describe("a duration of nothing", function()
  for _, value in ipairs(zeros) do
    local name, s = value[1], value[2]

    it(("is over at once if it is %s [K3]"):format(name),
      in_task(function(ev)
        aw.sleep(s)
        aw.await(aw.Sleep(s))
        aw.await(aw.Call(aw.sleep, s))
        assert.are.equal(0, ev:now())
      end))

    it(("as a time-out cuts off a sleep if it is %s [O8]"):format(name),
      in_task(function(ev)
        local ok, err = pcall(aw.timeout, s, aw.sleep, 1)
        assert.is_false(ok)
        assert.is_true(aw.is_timeout(err))
        assert.are.equal(0, ev:now())
      end))

    it(("as a loop's time-out ends it if it is %s [L1]"):format(name),
      sealed(function()
        local ev = virtual { timeout = s }
        ev:start(aw.Sleep(1))
        assert.are.equal("timeout", ev:run())
        assert.are.equal(0, ev:now())
      end))

    it(("advances no clock if it is %s [K6]"):format(name),
      in_task(function(_, clock)
        clock:advance(s)
        assert.are.equal(0, clock:now())
      end))

    it(("is a grace if it is %s [C8]"):format(name), sealed(function()
      local ev = virtual { timeout = 1, grace = s }
      ev:start(aw.Never)
      assert.are.equal("timeout", ev:run())
      assert.are.equal(1, ev:now())
    end))
  end
end)

describe("a very long duration", function()
  for _, value in ipairs(longs) do
    local name, s = value[1], value[2]

    it(("is not over soon if it is %s [K3]"):format(name),
      sealed(function()
        local ev = virtual { timeout = 1e9 }
        local over = 0
        local function count()
          over = over + 1
        end
        ev:start(aw.Sleep(s) >> count)
        ev:start(aw.Call(aw.sleep, s) >> count)
        ev:start(function()
          aw.sleep(s)
          count()
        end)
        assert.are.equal("timeout", ev:run())
        assert.are.equal(0, over)
      end))

    it(("is not over soon either if begun late, of %s [K3]")
      :format(name), sealed(function()
        local ev = virtual { timeout = 1e9 }
        local over = false
        ev:start(function()
          aw.sleep(1e6 + 0.5)
          aw.sleep(s)
          over = true
        end)
        assert.are.equal("timeout", ev:run())
        assert.is_false(over)
      end))

    it(("as a time-out cuts off nothing if it is %s [O8]"):format(name),
      in_task(function()
        assert.are.equal("ended", aw.timeout(s, function()
          aw.sleep(1)
          return "ended"
        end))
        assert.are.equal("ended", aw.scope({ timeout = s }, function()
          aw.sleep(1)
          return "ended"
        end))
      end))

    it(("as a loop's time-out cuts off nothing if it is %s [L1]")
      :format(name), sealed(function()
        local ev = virtual { timeout = s }
        ev:start(aw.Sleep(1))
        assert.are.equal("done", ev:run())
        ev:start(aw.Sleep(1))
        assert.are.equal("done", ev:run(s))
        assert.are.equal(2, ev:now())
      end))

    it(("as a grace lets clean-up end if it is %s [C8]"):format(name),
      sealed(function()
        local ev = virtual { timeout = 1, grace = s }
        local cleaned = 0
        local sweeper = setmetatable({}, {
          __close = function()
            aw.shield(function()
              aw.sleep(100)
              cleaned = cleaned + 1
            end, s)
          end,
        })
        ev:start(function()
          local _ <close> = sweeper
          aw.sleep(1000)
        end)
        assert.are.equal("timeout", ev:run())
        assert.are.equal(1, cleaned)
        assert.are.equal(101, ev:now())
      end))
  end

  it("keeps the order of deadlines [K1]",
    sealed(function()
      local ev = virtual()
      local log = {}
      for _, s in ipairs { 2 ^ 31 + 1, 1, 2 ^ 31, 0 } do
        ev:start(aw.Sleep(s) >> aw.Call(table.insert, log, s))
      end
      assert.are.equal("done", ev:run())
      assert.are.same({ 0, 1, 2 ^ 31, 2 ^ 31 + 1 }, log)
    end))

  it("advances the clock by as much, if that is finite [K6]",
    in_task(function(_, clock)
      clock:advance(2 ^ 31)
      assert.are.equal(2 ^ 31, clock:now())
      clock:run_until(2 ^ 32)
      assert.are.equal(2 ^ 32, clock:now())
    end))
end)

describe("a number as text", function()
  -- Many functions of Lua take "1" for 1; here a string is no number.
  it("is not a duration to sleep [K3]", in_task(function(ev)
    blames("number expected, got string", function()
      aw.sleep "1"
    end)
    assert.are.equal(0, ev:now())
  end))

  it("is not a duration to build a wire with [K3]", sealed(function()
    blames("number expected, got string", function()
      aw.Sleep "1"
    end)
  end))
end)

describe("a number of times", function()
  local function runs(times)
    local count = 0
    local ev = virtual()
    ev:start(aw.Call(function()
      count = count + 1
    end) * times)
    assert.are.equal("done", ev:run())
    return count
  end

  it("is accepted if it is whole [O2]", sealed(function()
    assert.are.equal(1, runs(1))
    assert.are.equal(3, runs(3))
    assert.are.equal(3, runs(3.0))
    assert.are.equal("Never * 2", tostring(2.0 * aw.Never))
  end))

  for _, times in ipairs {
    0, -0.0, -1, -1.0, -2 ^ 31, math.mininteger, -2 ^ 63,
  } do
    it(("of %s runs nothing [P8]"):format(times), sealed(function()
      assert.are.equal(0, runs(times))
    end))
  end

  for _, value in ipairs {
    { "NaN", nan }, { "0.5", 0.5 }, { "-1.5", -1.5 }, { '"1"', "1" },
    { "2^31 + 0.5", 2 ^ 31 + 0.5 }, { "nil", nil }, { "true", true },
    { "false", false }, { "a table", {} }, { "a function", print },
  } do
    it(("of %s is an error [O2]"):format(value[1]), sealed(function()
      blames("a whole number of times", function()
        return (aw.Never * value[2]) and nil
      end)
      blames("a whole number of times", function()
        return (value[2] * aw.Never) and nil
      end)
      blames("a whole number of times", function()
        return aw.Repeat(aw.Never, value[2]) and nil
      end)
    end))
  end

  it("is not a wire [O2]", sealed(function()
    blames("a whole number of times", function()
      return (aw.Never * aw.Never) and nil
    end)
  end))

  for _, value in ipairs {
    { "2^31", 2 ^ 31 }, { "2^53", 2 ^ 53 }, { "2^62", 1 << 62 },
    { "math.maxinteger", math.maxinteger }, { "math.huge", math.huge },
  } do
    it(("of %s goes on for long [O2]"):format(value[1]),
      sealed(function()
        local count = 0
        local ev = virtual { timeout = 100.5 }
        ev:start((aw.Sleep(1) >> function()
          count = count + 1
        end) * value[2])
        assert.are.equal("timeout", ev:run())
        assert.are.equal(100, count)
      end))
  end

  for _, value in ipairs { { "2^63", 2 ^ 63 }, { "1e300", 1e300 } } do
    it(("of %s, which is no integer of Lua's, is refused [O2]")
      :format(value[1]), sealed(function()
        blames("a whole number of times", function()
          return (aw.Sleep(1) * value[2])
        end)
      end))
  end
end)
