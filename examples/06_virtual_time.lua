#!/usr/bin/env aiowire
-- A day in a moment: tests on a virtual clock.
--
-- aw.test makes a loop whose clock starts at 0 and jumps to the next deadline
-- when no task is ready. The test fails if it leaves a task that never ends.
local aw = require "aiowire"

local real = os.clock()

aw.test(function(ev, clock)
  local log = {}
  local function note()
    log[#log + 1] = ("%d h"):format(ev:now() // 3600)
  end
  local day = ev:start((aw.Sleep(3600) >> aw.Call(note)) * 24)

  clock:advance(3 * 3600) -- runs everything that is due in three hours
  assert(table.concat(log, " ") == "1 h 2 h 3 h")

  clock:run_until(12 * 3600)
  assert(#log == 12 and day.status == "waiting")

  day:wait()
  assert(#log == 24 and ev:now() == 86400)
  print("after a day:", log[24], day.status)

  aw.at { hour = 8 } -- the wall clock moves with the virtual one
  print("good morning:", os.date("%H:%M", aw.time() // 1 | 0))
end)

-- A task that can never end fails the test; the error says where it started.
print(pcall(aw.test, function(ev)
  ev:start(aw.Never, nil, { name = "forgotten" })
end))

-- Any loop can have such a clock. A seed shuffles the tasks that are ready.
local order = {}
do
  local ev <close> = aw.EventLoop { clock = "virtual", seed = 7 }
  for i = 1, 5 do
    ev:start(aw.Sleep(60) >> aw.Call(table.insert, order, i))
  end
end
print("five at once, shuffled:", table.concat(order, " "))

print(("real time used: less than a second (%s)"):format(os.clock() - real < 1))
