-- Producer and consumer, as in "Programming in Lua".
local count <const> = math.tointeger(arg[1])

local receive = coroutine.wrap(function()
  for i = 1, count do
    coroutine.yield(i)
  end
end)
for i = 1, count do
  assert(receive() == i)
end
