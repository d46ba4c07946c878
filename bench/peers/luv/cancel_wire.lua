local uv = require "luv"

local function expired()
  error "not cancelled"
end

local timers = {}
for i = 1, math.tointeger(arg[1]) do
  timers[i] = uv.new_timer()
  timers[i]:start(3600 * 1000, 0, expired)
end
uv.run "nowait"
for _, timer in ipairs(timers) do
  timer:close()
end
uv.run()
