local aw = require "aiowire"

local left = math.tointeger(arg[1])

local function fails()
  error "failed"
end

local function start(ev)
  if left > 0 then
    left = left - 1
    ev:start(fails, start)
  end
end

aw.run(start)
