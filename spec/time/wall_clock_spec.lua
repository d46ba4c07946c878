-- Wall-clock time: aw.time, aw.at and aw.At, mostly on the virtual clock.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local places = require "spec.support.places"
local process = require "spec.support.process"

local in_task, says = helper.in_task, places.says

local function local_time(t)
  return os.date("*t", t or aw.time() // 1 | 0)
end

local function clock_of(t)
  return ("%02d:%02d:%02d"):format(t.hour, t.min, t.sec)
end

describe("wall-clock time", function()
  it("is the system's, in seconds [K7]", function()
    local before = os.time()
    local now = aw.time()
    -- The seconds of os.time() begin a few ms late: it reads a coarse clock.
    assert.is_true(before <= now and now < os.time() + 2)
    assert.are.equal("float", math.type(now))
  end)

  it("is real at the start of a test, then virtual", in_task(function(_, clock)
    local start = aw.time()
    assert.is_true(math.abs(start - os.time()) < 100)
    clock:advance(7200)
    assert.is_true(math.abs(aw.time() - start - 7200) < 1e-3)
  end))

  it("is the running engine's [K7]", in_task(function()
    aw.time()
    aw.sleep(100000)
    local inner
    local real = aw.EventLoop { clock = "real", signals = false }
    real:start(function()
      inner = aw.time()
    end)
    real:run()
    assert.is_true(aw.time() - inner > 50000)
  end))
end)

describe("a wait for a time of day", function()
  it("ends at the next such second [K7]", in_task(function()
    for _, moment in ipairs { { hour = 8, min = 30, sec = 5 },
      { hour = 23, min = 59, sec = 59 }, { hour = 0, min = 0, sec = 0 } } do
      local before = aw.time()
      aw.at(moment)
      local now = aw.time()
      assert.are.equal(("%02d:%02d:%02d"):format(moment.hour, moment.min,
        moment.sec), clock_of(local_time()))
      assert.is_true(now % 1 < 1e-3, "late")
      assert.is_true(before < now)
    end
  end))

  it("takes missing smaller fields as 0 [K7]", in_task(function()
    for moment, pattern in pairs {
      [{ hour = 7 }] = "^07:00:00$", [{ min = 20 }] = "^%d%d:20:00$",
      [{ sec = 9 }] = "^%d%d:%d%d:09$", [{ hour = 3, sec = 4 }] = "^03:00:04$",
      [{ min = 1.0, sec = 2 }] = "^%d%d:01:02$" } do
      aw.at(moment)
      assert.is_truthy(clock_of(local_time()):find(pattern))
    end
  end))

  it("takes missing larger fields as any [K7]", in_task(function()
    for period, moment in pairs { [3600] = { min = 20 }, [60] = { sec = 9 } } do
      aw.at(moment)
      local last = aw.time()
      for _ = 1, 100 do
        aw.at(moment)
        assert.is_true(math.abs(aw.time() - last - period) < 1e-3)
        last = aw.time()
      end
    end
  end))

  it("goes on to the next day, over ends of months [K7]", in_task(function()
    local days = {}
    for _ = 1, 400 do
      aw.at { hour = 12 }
      local now = local_time()
      assert.are.equal("12:00:00", clock_of(now))
      days[#days + 1] = now.yday
    end
    for i = 2, #days do
      assert.is_true(days[i] == days[i - 1] + 1
        or days[i] == 1 and days[i - 1] >= 365)
    end
  end))

  it("is an event [K7]", in_task(function(ev)
    local far = { hour = (local_time().hour + 12) % 24 }
    local key = aw.await(aw.Select { slow = aw.At(far),
      soon = aw.Sleep(0.001) })
    assert.are.equal("soon", key)
    assert.are.equal(1, (aw.await(aw.Race { aw.At { sec = 30 },
      aw.Sleep(61) })))
    far = { min = (local_time().min + 30) % 60 }
    aw.await(aw.Any { aw.At(far), aw.At { sec = 15 } })
    assert.are.equal(15, local_time().sec)
    local count = 0
    local task = ev:start(aw.Forever(aw.At { sec = 0 } >> aw.Call(function()
      count = count + 1
    end)))
    aw.sleep(600)
    task:cancel_wait()
    assert.are.equal(10, count)
  end))

  it("shows its time in texts [K7]", in_task(function(ev)
    assert.are.equal("At(08:30:00)", tostring(aw.At { hour = 8, min = 30 }))
    assert.are.equal("At(*:05:00)", tostring(aw.At { min = 5 }))
    assert.are.equal("At(*:*:07)", tostring(aw.At { sec = 7 }))
    local task = ev:start(aw.At { hour = 3 })
    aw.yield()
    assert.is_truthy(ev:dump():find("waiting  at 03:00:00", 1, true))
    task:cancel_wait()
  end))

  it("ends by a time-out or a cancel, and leaves nothing", in_task(function(ev)
    local far = { hour = (local_time().hour + 12) % 24 }
    assert.is_true(aw.is_timeout(helper.caught(aw.timeout, 5, aw.at, far)))
    local ended
    local task = ev:start(function()
      local _ <close> = helper.closer(function(err)
        ended = aw.is_cancelled(err)
      end)
      aw.at(far)
    end)
    aw.yield()
    task:cancel_wait()
    assert.is_true(ended)
    local err
    aw.scope(function(s)
      s:cancel()
      err = helper.caught(aw.at, far)
    end)
    assert.is_true(aw.is_cancelled(err))
  end))

  it("is woken by the real clock, and never early [K7]", function()
    helper.run(function()
      for _ = 1, 2 do
        local due = aw.time() // 1 + 2
        aw.at { sec = local_time(due // 1 | 0).sec }
        assert.is_true(aw.time() >= due)
        assert.is_true(os.time() >= due) -- os.time() agrees
      end
    end)
  end)

  it("watches for changes of the real clock, one watch for all [K7]", function()
    local function timers()
      local count = 0
      local pipe <close> = assert(io.popen(
        "readlink /proc/$PPID/fd/* 2>/dev/null"))
      for line in pipe:lines() do
        count = count + (line:find("timerfd", 1, true) and 1 or 0)
      end
      return count
    end
    helper.run(function(ev)
      local before = timers()
      local far = { hour = (local_time().hour + 12) % 24 }
      local a, b = ev:start(aw.At(far)), ev:start(aw.At(far))
      aw.yield()
      assert.are.equal(before + 1, timers())
      a:cancel_wait()
      assert.are.equal(before + 1, timers())
      b:cancel_wait()
      assert.are.equal(before, timers())
    end)
  end)

  it("refuses fields that are not a time of day [K7]", function()
    local span = "field '%s' must be an integer from 0 to %d, got %s"
    local unknown = "unknown field '%s'; there are 'hour', 'min' and 'sec'"
    for argument, why in pairs {
      [{ hour = 24 }] = span:format("hour", 23, 24),
      [{ hour = 1.5 }] = span:format("hour", 23, 1.5),
      [{ hour = -1 }] = span:format("hour", 23, -1),
      [{ hour = "8" }] = span:format("hour", 23, "string"),
      [{ hour = 1, min = 60 }] = span:format("min", 59, 60),
      [{ sec = 60 }] = span:format("sec", 59, 60),
      [{ day = 1 }] = unknown:format "day",
      [{ 8, 30 }] = unknown:format "1",
      [{}] = "a field 'hour', 'min' or 'sec' expected",
      [8] = "table expected, got number" } do
      says(("bad argument #1 to 'at' (%s)"):format(why), function()
        aw.at(argument)
      end)
      says(("bad argument #1 to 'At' (%s)"):format(why), function()
        aw.At(argument)
      end)
    end
  end)

  it("stands in a task [K7]", function()
    helper.outside(function()
      helper.raises("await", aw.at, { hour = 8 })
    end)
  end)
end)

-- Changes of daylight saving -------------------------------------------------

-- Returns a value for TZ: summer time begins the day after tomorrow and ends
-- two days later. `format` takes both days as POSIX numbers.
local function zone(format)
  local function number(days)
    local at = os.date("!*t", os.time() + days * 86400)
    local leap = at.year % 4 == 0 and at.yday > 60
    return leap and at.yday - 1 or at.yday
  end
  return format:format(number(2), number(4))
end

local prelude <const> = [[
local aw = require "aiowire"
local function wall() return aw.time() // 1 | 0 end
local function day(n) return os.date("!%d", os.time() + n * 86400) end
]]

local function in_zone(format, body)
  return function()
    local code = prelude .. "aw.test({ limit = 60 }, function()\n" .. body
      .. "\nend)\nprint 'done'"
    for _, name in ipairs(process.sanitized and { "aiowire" }
      or { "aiowire", "lua" }) do
      local outcome = process.run(("TZ='%s' exec $%s s.lua"):format(
        zone(format), name), { ["s.lua"] = code })
      assert.are.equal("done\n", outcome.out, outcome.err)
    end
  end
end

describe("a change to summer time and back", function()
  it("has one 02:30 for each day, as cron has it [K7]", in_zone(
    "AAA0BBB,J%d/02:00:00,J%d/03:00:00", [[
    local of_day, first = {}, nil
    for _ = 1, 7 do
      aw.at { hour = 2, min = 30 }
      local now = wall()
      local date = os.date("%d", now)
      assert(not of_day[date], "twice on day " .. date)
      of_day[date] = os.date("%H:%M:%S %Z", now)
    end
    assert(of_day[day(1)] == "02:30:00 AAA", of_day[day(1)])
    assert(of_day[day(2)] == "03:00:00 BBB", of_day[day(2)]) -- there is none
    assert(of_day[day(3)] == "02:30:00 BBB", of_day[day(3)])
    assert(of_day[day(4)] == "02:30:00 BBB", of_day[day(4)]) -- the first
    assert(of_day[day(5)] == "02:30:00 AAA", of_day[day(5)])
  ]]))

  it("leaves each hour and each minute as long as it is [K7]", in_zone(
    "AAA0BBB,J%d/02:00:00,J%d/03:00:00", [[
    aw.at { min = 30 }
    local last = wall()
    for _ = 1, 24 * 7 do
      aw.at { min = 30 }
      assert(wall() - last == 3600, wall() - last)
      last = wall()
    end
  ]]))

  it("of half an hour leaves a minute of the hour what it is [K7]", in_zone(
    "AAA-10:30BBB-11,J%d/02:00:00,J%d/02:00:00", [[
    aw.at { min = 20 }
    local last = wall()
    for _ = 1, 24 * 7 do
      aw.at { min = 20 }
      assert(os.date("%M:%S", wall()) == "20:00")
      assert(wall() - last <= 5400 and wall() - last >= 1800, wall() - last)
      last = wall()
    end
  ]]))

  it("at midnight moves its 00:15, which comes once [K7]", in_zone(
    "AAA3BBB,J%d/00:00:00,J%d/00:00:00", [[
    local last
    for _ = 1, 7 do
      aw.at { hour = 0, min = 15 }
      local text = os.date("%H:%M", wall())
      assert(text == "00:15" or text == "01:00", text)
      assert(not last or wall() - last > 80000, "twice")
      last = wall()
    end
  ]]))
end)
