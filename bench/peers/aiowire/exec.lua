-- exec.lua N AT_ONCE: runs a program N times.
local aw = require "aiowire"

local left, at_once = tonumber(arg[1]), tonumber(arg[2])

local function work()
  while left > 0 do
    left = left - 1
    aw.exec "/bin/true"
  end
end

aw.run(function(ev)
  for _ = 1, at_once do
    ev:start(work)
  end
end)
