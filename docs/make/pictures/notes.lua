-- Prints what tasks do, in the lines that docs/make/timeline.lua draws.

local aw = require "aiowire"

local M = {}

--- Print an event of the running task, or of the lane that is given.
---@param kind string see docs/make/timeline.lua
---@param text any
---@param lane? string
---@param time? number seconds; default now
function M.note(kind, text, lane, time)
  print(("%.3f\t%s\t%s\t%s"):format(time or aw.now(),
    lane or aw.current().name, kind, tostring(text)))
end

--- Return an object for `<close>`: it calls `f(err)`.
---@param f fun(err: any)
function M.closing(f)
  return setmetatable({}, { __close = function(_, err)
    f(err)
  end })
end

return M
