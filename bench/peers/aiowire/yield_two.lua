local aw = require "aiowire"

local count <const> = math.tointeger(arg[1])

local function body()
  for _ = 1, count // 2 do
    aw.yield()
  end
end

aw.run(function(ev)
  ev:start(body)
  ev:start(body)
end)
