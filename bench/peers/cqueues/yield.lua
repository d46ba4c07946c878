local cqueues = require "cqueues"

local count <const> = math.tointeger(arg[1])

local cq = cqueues.new()
cq:wrap(function()
  for _ = 1, count do
    cqueues.sleep(0)
  end
end)
assert(cq:loop())
