local count <const> = math.tointeger(arg[1])

local task = coroutine.create(function()
  for _ = 1, count do
    coroutine.yield()
  end
end)
while coroutine.status(task) ~= "dead" do
  coroutine.resume(task)
end
