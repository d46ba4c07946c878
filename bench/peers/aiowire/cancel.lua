local aw = require "aiowire"

local count <const> = math.tointeger(arg[1])

local function body()
  aw.sleep(3600)
end

aw.run(function()
  aw.scope(function(s)
    for _ = 1, count do
      s:start(body)
    end
    aw.yield()
    aw.yield() -- now all of them sleep
    s:cancel()
  end)
end)
