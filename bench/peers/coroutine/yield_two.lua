-- The dispatcher of "Programming in Lua": tasks run in turn.
local count <const> = math.tointeger(arg[1])

local function yields()
  for _ = 1, count // 2 do
    coroutine.yield()
  end
end

local tasks = { coroutine.create(yields), coroutine.create(yields) }
while #tasks > 0 do
  for i = #tasks, 1, -1 do
    coroutine.resume(tasks[i])
    if coroutine.status(tasks[i]) == "dead" then
      table.remove(tasks, i)
    end
  end
end
