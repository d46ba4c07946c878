-- lines.lua: lines from a child's pipe, beside io.lines on the same file.
--
--   aiowire bench/lines.lua [MEGABYTES [ROUNDS]]     (1000, 3)
--
-- The file is made in /tmp, lines of 0 to 100 bytes, and removed again. Wall
-- time; the best of the rounds. Exit status 1 below half the speed of io.lines.

local aw = require "aiowire"

local megabytes <const> = math.tointeger(arg[1] or 1000)
local rounds <const> = math.tointeger(arg[2] or 3)
local LEAST <const> = 0.5

local function make_file()
  local path = os.tmpname()
  local lines = {}
  for i = 1, 20000 do
    lines[i] = ("%d "):format(i) .. ("x"):rep(i * 7 % 95) .. "\n"
  end
  local text = table.concat(lines)
  local file <close> = assert(io.open(path, "w"))
  for _ = 1, megabytes * 1000000 // #text + 1 do
    file:write(text)
  end
  return path
end

local function count(...)
  local n = 0
  for _ in ... do
    n = n + 1
  end
  return n
end

--- Lines for each second.
local function speed(read)
  local best = 0
  for _ = 1, rounds do
    local start = aw.now()
    local n = read()
    best = math.max(best, n / (aw.now() - start))
  end
  return best
end

local path <const> = make_file()
local base <const> = speed(function()
  return count(io.lines(path))
end)
local piped <const> = speed(function()
  local cat <close> = aw.spawn { "cat", path }
  return count(cat.stdout:lines())
end)
os.remove(path)

local ok <const> = piped >= LEAST * base
print(("io.lines %6.2f M lines/s   a child's pipe %6.2f M lines/s   "
  .. "%.2f x  at least %.2f  %s"):format(base / 1e6, piped / 1e6, piped / base,
    LEAST, ok and "ok" or "OVER"))
os.exit(ok)
