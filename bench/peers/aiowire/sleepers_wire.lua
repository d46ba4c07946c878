local aw = require "aiowire"

local count <const> = math.tointeger(arg[1])
local seed = 1

aw.run(function(ev)
  for _ = 1, count do
    seed = seed * 1103515245 + 12345 & 0x7fffffff
    ev:start(aw.Sleep((500 + seed % 500) / 1000))
  end
end)
