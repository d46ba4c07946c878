-- A state is a function that returns the next one. Whoever resumes the
-- coroutine can give others their turn after each state.
local left = math.tointeger(arg[1])
local pong

local function ping()
  left = left - 1
  if left > 0 then
    return pong
  end
end

function pong()
  left = left - 1
  if left > 0 then
    return ping
  end
end

local machine = coroutine.create(function()
  local current = left > 0 and ping
  while current do
    current = current()
    coroutine.yield()
  end
end)
while coroutine.status(machine) ~= "dead" do
  coroutine.resume(machine)
end
