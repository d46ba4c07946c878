-- A timer of 0 s against one of 10 s: the first that fires stops the other.
local uv = require "luv"

local left = math.tointeger(arg[1])
local ready, late = uv.new_timer(), uv.new_timer()
local race

local function won()
  late:stop()
  left = left - 1
  if left > 0 then
    race()
  end
end

local function lost()
  error "10 s have passed"
end

function race()
  ready:start(0, 0, won)
  late:start(10 * 1000, 0, lost)
end

if left > 0 then
  race()
end
uv.run()
