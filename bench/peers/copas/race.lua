-- What is ready wins against 10 s.
local copas = require "copas"

local count <const> = math.tointeger(arg[1])

copas(function()
  local ready = copas.semaphore.new(1)
  for _ = 1, count do
    copas.addthread(ready.give, ready)
    assert(ready:take(1, 10))
  end
end)
