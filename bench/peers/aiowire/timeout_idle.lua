local aw = require "aiowire"

local count <const> = math.tointeger(arg[1])

aw.run(function()
  for _ = 1, count do
    aw.timeout(10, aw.yield)
  end
end)
