-- An idle handle is called once a pass of the loop.
local uv = require "luv"

local left = math.tointeger(arg[1])

local idle = uv.new_idle()
if left > 0 then
  idle:start(function()
    left = left - 1
    if left == 0 then
      idle:stop()
    end
  end)
end
uv.run()
