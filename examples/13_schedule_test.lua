#!/usr/bin/env aiowire
-- A test of a ten-minute schedule that runs in a millisecond.
--
-- The schedule: measure every minute, report every three, and give up when the
-- sensor has failed for two minutes. It is written for real time, and aw.test
-- runs it on a virtual clock.
local aw = require "aiowire"

local function station(sensor, report)
  local sum, count = 0, 0

  local function measure()
    sum, count = sum + sensor(), count + 1
  end

  local function tell()
    if count > 0 then
      report(sum / count)
      sum, count = 0, 0
    end
  end

  local measuring = aw.Call(measure):retry { delay = 10, within = 120 }
  return aw.Every(60, measuring) & aw.Sleep(1) >> aw.Every(180, aw.Call(tell))
end

aw.test(function(ev, clock)
  local broken_from, reports = 8 * 60, {}
  local function sensor()
    if ev:now() >= broken_from then
      error("no signal", 0)
    end
    return ev:now() / 60
  end

  local failed_at
  ev:start(station(sensor, function(mean)
    table.insert(reports, ("%4d s: %.1f"):format(ev:now(), mean))
  end), function(_, err, info)
    failed_at = ev:now()
    table.insert(reports, ("%4d s: gave up, %s after %d attempts"):format(
      failed_at, err, info.attempts))
  end)

  clock:run_until(600)
  print(table.concat(reports, "\n"))
  assert(#reports == 5 and failed_at == broken_from + 120)
  print(("ten minutes in %.0f ms or so"):format(os.clock() * 1000))
end)
