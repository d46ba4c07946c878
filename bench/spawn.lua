-- spawn.lua: aw.exec, compared with plain libuv in C. run.lua runs it.
--
--   aiowire bench/spawn.lua [BUILD_DIR [ROUNDS]]     (build/release, 5)
--
-- The floor is bench/spawn.c, built by the target `bench`. Both do the same
-- work in turn, so that a slower machine slows both. Figures are medians of the
-- CPU time of this process and its children together, since both pay for the
-- start of a child.

local aw = require "aiowire"

local build <const> = arg[1] or "build/release"
local rounds <const> = math.tointeger(arg[2] or 5)
local COUNT <const> = 600
local TICK <const> = 1e4 -- us in a tick of /proc

--- Return the CPU time of this process and its reaped children, in us.
local function spent()
  local file <close> = assert(io.open "/proc/self/stat")
  local fields = {}
  for field in file:read("a"):match("%) (.*)"):gmatch "%S+" do
    fields[#fields + 1] = field
  end
  return (fields[12] + fields[13] + fields[14] + fields[15]) * TICK
end

--- Return the microseconds for each of COUNT children, `at_once` at a time.
local function ours(at_once)
  local left = COUNT
  local function worker()
    while left > 0 do
      left = left - 1
      aw.exec "/bin/true"
    end
  end
  local start = spent()
  aw.scope(function(s)
    for _ = 1, at_once do
      s:start(worker)
    end
  end)
  return (spent() - start) / COUNT
end

local function floor(at_once)
  return tonumber(aw.exec { build .. "/spawn", COUNT, at_once,
    check = true }.out)
end

local function median(list)
  table.sort(list)
  return list[#list // 2 + 1]
end

for _, at_once in ipairs { 1, 64 } do
  local a, b = {}, {}
  for i = 1, rounds do
    b[i] = floor(at_once)
    a[i] = ours(at_once)
  end
  print(("exec_%d %.2f us"):format(at_once, median(a)))
  print(("exec_%d_floor %.2f us"):format(at_once, median(b)))
end
