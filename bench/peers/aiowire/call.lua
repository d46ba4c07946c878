local aw = require "aiowire"

local count <const> = math.tointeger(arg[1])

local function nothing() end

aw.run(aw.Call(nothing) * count)
