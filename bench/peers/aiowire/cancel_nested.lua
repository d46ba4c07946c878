local aw = require "aiowire"

local depth <const> = math.tointeger(arg[1])

local sleeps = false

local function nest(left)
  if left == 0 then
    sleeps = true
    aw.sleep(3600)
  end
  aw.scope(function(s)
    s:start(function()
      nest(left - 1)
    end)
  end)
end

aw.run(function(ev)
  local task = ev:start(function()
    nest(depth)
  end)
  while not sleeps do
    aw.yield()
  end
  task:cancel()
end)
