-- spawn.lua: what aw.exec costs, beside plain libuv in C. Run by the program:
--
--   aiowire bench/spawn.lua [BUILD_DIR [ROUNDS]]     (build/release, 7)
--
-- The floor is bench/spawn.c, made by the target `bench`; both do the same
-- work, in turn, so a machine that slows down slows both. Wall time; medians.
-- Exit status 1 if we take more than 1.15 times as long.

local aw = require "aiowire"

local build <const> = arg[1] or "build/release"
local rounds <const> = math.tointeger(arg[2] or 7)
local MOST <const> = 1.15
local COUNT <const> = 600

--- Microseconds for each of COUNT children, `at_once` of them at a time.
local function ours(at_once)
  local left = COUNT
  local function worker()
    while left > 0 do
      left = left - 1
      aw.exec("/bin/true")
    end
  end
  local start = aw.now()
  aw.scope(function(s)
    for _ = 1, at_once do
      s:start(worker)
    end
  end)
  return (aw.now() - start) / COUNT * 1e6
end

local function floor(at_once)
  return tonumber(aw.exec { build .. "/spawn", COUNT, at_once,
    check = true }.out)
end

local function median(list)
  table.sort(list)
  return list[#list // 2 + 1]
end

local failed = false
for _, at_once in ipairs { 1, 64 } do
  local a, b = {}, {}
  for i = 1, rounds do
    b[i] = floor(at_once)
    a[i] = ours(at_once)
  end
  local value, least = median(a), median(b)
  local over = value / least > MOST
  failed = failed or over
  print(("exec, %2d at once %9.1f us  floor %9.1f us  %.2f x  of %.2f  %s")
    :format(at_once, value, least, value / least, MOST,
      over and "OVER" or "ok"))
end
os.exit(not failed)
