-- luv_timers.lua: 200,000 timers of luv, comparable to bench.lua's sleepers.
--
--   lua5.4 bench/luv_timers.lua [COUNT]
--
-- The script prints "name value unit" lines: the CPU time to make, fire and
-- close a timer, and the memory of the process for each timer while all timers
-- wait. The delays are those of bench.lua, so that both have the same order of
-- deadlines.

local uv = require "luv"

local count <const> = math.tointeger(arg[1] or 200000)

--- Return the resident bytes of the process.
local function resident()
  local file = io.open "/proc/self/statm"
  if not file then
    return 0
  end
  local _, pages = file:read("n", "n")
  file:close()
  return pages * 4096
end

collectgarbage()
local before <const> = resident()
local fired, seed = 0, 1

local start = os.clock()
for _ = 1, count do
  seed = seed * 1103515245 + 12345 & 0x7fffffff
  local timer = uv.new_timer()
  timer:start(500 + seed % 500, 0, function()
    fired = fired + 1
    timer:close()
  end)
end
local took = os.clock() - start

local bytes = (resident() - before) / count

start = os.clock()
uv.run()
took = took + os.clock() - start
assert(fired == count, "not every timer fired")

print(("luv_timer %.4f us"):format(took / count * 1e6))
print(("luv_timer_rss %.0f B"):format(bytes))
