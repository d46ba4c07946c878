-- A state is an object whose method returns the next one. Whoever resumes the
-- coroutine can give others their turn after each state.
local left = math.tointeger(arg[1])

local State = {}
State.__index = State

function State:run()
  left = left - 1
  if left > 0 then
    return self
  end
end

local machine = coroutine.create(function()
  local current = left > 0 and setmetatable({}, State)
  while current do
    current = current:run()
    coroutine.yield()
  end
end)
while coroutine.status(machine) ~= "dead" do
  coroutine.resume(machine)
end
