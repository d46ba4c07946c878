-- A sleep of 10 s, which a timer of 0.1 s ends.
local uv = require "luv"

for _ = 1, math.tointeger(arg[1]) do
  local sleep, timeout = uv.new_timer(), uv.new_timer()
  sleep:start(10 * 1000, 0, function()
    error "no time-out"
  end)
  timeout:start(100, 0, function()
    sleep:close()
    timeout:close()
  end)
end
uv.run()
