-- A task that yields once; its starter would wait for 10 s.
local cqueues = require "cqueues"
local promise = require "cqueues.promise"

local count <const> = math.tointeger(arg[1])

local function yields()
  cqueues.sleep(0)
end

local cq = cqueues.new()
cq:wrap(function()
  for _ = 1, count do
    assert(promise.new(yields):wait(10))
  end
end)
assert(cq:loop())
