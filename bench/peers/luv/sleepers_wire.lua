local uv = require "luv"

local seed = 1
for _ = 1, math.tointeger(arg[1]) do
  seed = seed * 1103515245 + 12345 & 0x7fffffff
  local timer = uv.new_timer()
  timer:start(500 + seed % 500, 0, function()
    timer:close()
  end)
end
uv.run()
