-- A queue of at most 64 values, with conditions for its two ends.
local cqueues = require "cqueues"
local condition = require "cqueues.condition"

local count <const> = math.tointeger(arg[1])

local filled, drained = condition.new(), condition.new()
local queue, first, last = {}, 1, 0

local function send(value)
  while last - first + 1 == 64 do
    drained:wait()
  end
  last = last + 1
  queue[last] = value
  filled:signal(1)
end

local function receive()
  while first > last do
    filled:wait()
  end
  local value = queue[first]
  queue[first] = nil
  first = first + 1
  drained:signal(1)
  return value
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
