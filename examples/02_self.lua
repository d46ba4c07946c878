#!/usr/bin/env aiowire
-- A body that returns itself: the smallest machine that never stops.
--
-- A body returns the wire that runs next. This body returns itself, and no
-- stack grows. Two tasks run it at the same time, until the loop's time-out
-- ends both.
local aw = require "aiowire"

local began

local function blink(ev)
  print(("%.1f s  %s"):format(ev:now() - began, aw.current().name))
  aw.sleep(0.1)
  return blink
end

local ev = aw.EventLoop { timeout = 0.45 }
began = ev:now()
ev:start(blink, nil, { name = "left" })
ev:start(blink, nil, { name = "right" })
print("the loop ended by " .. ev:run())
