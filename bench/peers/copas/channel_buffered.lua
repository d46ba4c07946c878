-- A queue, and a semaphore that limits it to 64 values.
local copas = require "copas"

local count <const> = math.tointeger(arg[1])

local queue, free = copas.queue.new(), copas.semaphore.new(64, 64)

copas.addthread(function()
  for i = 1, count do
    free:take()
    queue:push(i)
  end
end)
copas.addthread(function()
  for i = 1, count do
    assert(queue:pop() == i)
    free:give()
  end
end)
copas()
