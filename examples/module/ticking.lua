-- Uses ticker.c, a module in C that awaits and makes wires.

local aw = require "aiowire"
local ticker = require "ticker"

aw.run(function()
  local t = ticker.every(0.01)
  print("tick", t:wait())
  aw.run(t:Tick() * 2 >> aw.Call(print, "two more"))
  print("tick", t:ticks())

  -- A wait for a tick can be cut short, as any other.
  local slow = ticker.every(3600)
  print(aw.pcall(aw.timeout, 0.01, slow.wait, slow))
  print(aw.run(slow:Tick() | aw.Sleep(0.01) >> aw.Value "no tick"))
end)

-- Where no task can wait, ticker:wait() raises the error of all awaits.
print(pcall(string.gsub, "x", "x", function()
  ticker.every(1):wait()
end))
