local copas = require "copas"

local count <const> = math.tointeger(arg[1])

local function sleeper()
  copas.pause(3600)
end

copas(function()
  local tasks = {}
  for i = 1, count do
    tasks[i] = copas.addthread(sleeper)
  end
  copas.pause()
  for _, task in ipairs(tasks) do
    copas.removethread(task)
  end
end)
