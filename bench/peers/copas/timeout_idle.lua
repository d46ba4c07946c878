local copas = require "copas"

local count <const> = math.tointeger(arg[1])

local function expired()
  error "timeout"
end

copas(function()
  for _ = 1, count do
    copas.timeout(10, expired)
    copas.pause()
    copas.timeout(0)
  end
end)
