-- A time-out of 10 s for work that ends in the next pass of the loop.
local uv = require "luv"

local left = math.tointeger(arg[1])
local timeout, work = uv.new_timer(), uv.new_idle()

local function expired()
  error "timeout"
end

local function ended()
  timeout:stop()
  left = left - 1
  if left > 0 then
    timeout:start(10 * 1000, 0, expired)
  else
    work:stop()
  end
end

if left > 0 then
  timeout:start(10 * 1000, 0, expired)
  work:start(ended)
end
uv.run()
