-- What is ready wins against 10 s.
local cqueues = require "cqueues"
local promise = require "cqueues.promise"

local count <const> = math.tointeger(arg[1])

local function nothing() end

local cq = cqueues.new()
cq:wrap(function()
  for _ = 1, count do
    local ready = promise.new(nothing)
    assert(cqueues.poll(ready, 10) == ready)
  end
end)
assert(cq:loop())
