#!/usr/bin/env aiowire
-- A body that returns itself: the smallest machine that never stops.
--
-- A body returns what happens next. Here that is the same body again; no stack
-- grows. It is started twice, both tasks run at the same time, and the loop's
-- time-out ends them.
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
