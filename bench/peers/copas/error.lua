local copas = require "copas"

local count <const> = math.tointeger(arg[1])

local function fails()
  error "boom"
end

copas(function()
  for _ = 1, count do
    local ok, message = copas.future.addthread(fails):get()
    assert(not ok and message)
  end
end)
