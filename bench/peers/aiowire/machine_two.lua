local aw = require "aiowire"

local left = math.tointeger(arg[1])
local pong

local function ping()
  left = left - 1
  if left > 0 then
    return pong
  end
end

function pong()
  left = left - 1
  if left > 0 then
    return ping
  end
end

aw.run(ping)
