local aw = require "aiowire"

local count <const> = math.tointeger(arg[1])

local function fails()
  error "failed"
end

local function nothing() end

aw.run((aw.Call(fails) // aw.Call(nothing)) * count)
