--- The settings of the incremental collector, which Lua 5.5 names in another
--- way than Lua 5.4.

local M = {}

--- A size of steps, so that each one is a whole cycle.
M.WHOLE = 100

local function param(name, value)
  return collectgarbage("param", name, value)
end

--- Use the incremental collector with this pause and speed, both in percent,
--- and with steps of 2^`size` bytes. Returns the pause and the speed before;
--- Lua 5.5 rounds them.
---@param pause integer
---@param speed integer
---@param size? integer default 13, as in Lua 5.4
---@return integer pause
---@return integer speed
function M.set(pause, speed, size)
  size = size or 13
  if _VERSION == "Lua 5.4" then
    local before = collectgarbage("setpause", pause)
    local speed_before = collectgarbage("setstepmul", speed)
    collectgarbage("incremental", pause, speed, size)
    return before, speed_before
  end
  collectgarbage "incremental"
  if size == M.WHOLE then
    size, speed = 0, 0
  end
  param("stepsize", 1 << size)
  return param("pause", pause), param("stepmul", speed)
end

return M
