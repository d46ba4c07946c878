local aw = require "aiowire"

local count <const> = math.tointeger(arg[1])
local seed = 1

local function body()
  seed = seed * 1103515245 + 12345 & 0x7fffffff
  aw.sleep((500 + seed % 500) / 1000)
end

aw.run(function(ev)
  for _ = 1, count do
    ev:start(body)
  end
end)
