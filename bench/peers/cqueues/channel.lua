-- A place for one value, with a condition for each of its two states.
local cqueues = require "cqueues"
local condition = require "cqueues.condition"

local count <const> = math.tointeger(arg[1])

local full, empty = condition.new(), condition.new()
local value

local function send(new_value)
  while value ~= nil do
    empty:wait()
  end
  value = new_value
  full:signal(1)
end

local function receive()
  while value == nil do
    full:wait()
  end
  local received = value
  value = nil
  empty:signal(1)
  return received
end

local cq = cqueues.new()
cq:wrap(function()
  for i = 1, count do
    send(i)
  end
end)
cq:wrap(function()
  for i = 1, count do
    assert(receive() == i)
  end
end)
assert(cq:loop())
