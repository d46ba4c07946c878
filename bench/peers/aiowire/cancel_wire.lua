local aw = require "aiowire"

local count <const> = math.tointeger(arg[1])

aw.run(function()
  aw.scope(function(s)
    for _ = 1, count do
      s:start(aw.Sleep(3600))
    end
    aw.yield() -- now all of them sleep
    s:cancel()
  end)
end)
