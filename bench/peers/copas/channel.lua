-- A place for one value, with a semaphore for each of its two states.
local copas = require "copas"

local count <const> = math.tointeger(arg[1])

local full, empty = copas.semaphore.new(1), copas.semaphore.new(1, 1)
local value

copas.addthread(function()
  for i = 1, count do
    empty:take()
    value = i
    full:give()
  end
end)
copas.addthread(function()
  for i = 1, count do
    full:take()
    assert(value == i)
    empty:give()
  end
end)
copas()
