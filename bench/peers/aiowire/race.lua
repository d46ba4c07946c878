local aw = require "aiowire"

local count <const> = math.tointeger(arg[1])

local function ready() end

aw.run((aw.Sleep(10) | aw.Call(ready)) * count)
