-- pool_job.lua N M: calls a function of another thread N times, M at a time.
local aw = require "aiowire"

local left, at_once = tonumber(arg[1]), tonumber(arg[2])

aw.run(function()
  local pool <close> = aw.pool(nil, function(number)
    return number
  end)
  local function work()
    while left > 0 do
      left = left - 1
      pool:call(left)
    end
  end
  aw.scope(function(s)
    for _ = 1, at_once do
      s:start(work)
    end
  end)
end)
