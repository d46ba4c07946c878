-- Uses ticker.c, a module in C that awaits and makes wires.

local aw = require "aiowire"
local ticker = require "ticker"

aw.run(function(ev)
  local t = ticker.every(0.01)
  print("tick", t:wait())
  ev:start(t:Tick() * 2 >> aw.Call(print, "two more"))
  aw.sleep(0.1)
  print("tick", t:ticks())

  -- A wait for a tick is an event: time-outs and races cut it short.
  local slow = ticker.every(3600)
  print(aw.pcall(aw.timeout, 0.01, slow.wait, slow))
  print(aw.run and aw.Race { slow:Tick(), aw.Sleep(0.01) } ~= nil, slow:ticks())
end)
