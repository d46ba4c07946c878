local cqueues = require "cqueues"

local count <const> = math.tointeger(arg[1])

local cq = cqueues.new()
for _ = 1, 2 do
  cq:wrap(function()
    for _ = 1, count // 2 do
      cqueues.sleep(0)
    end
  end)
end
assert(cq:loop())
