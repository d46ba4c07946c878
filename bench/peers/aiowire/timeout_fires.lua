local aw = require "aiowire"

local count <const> = math.tointeger(arg[1])

local function handled() end

aw.run(function(ev)
  local limited <const> = aw.Sleep(3600):timeout(0.1)
  for _ = 1, count do
    ev:start(limited, handled)
  end
end)
