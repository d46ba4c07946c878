local tasks = {}
for i = 1, math.tointeger(arg[1]) do
  tasks[i] = coroutine.create(function()
    coroutine.yield()
  end)
  coroutine.resume(tasks[i])
end
for _, task in ipairs(tasks) do
  coroutine.close(task)
end
