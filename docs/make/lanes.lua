--- lanes.lua: lanes over an axis of time, for pictures of what tasks did
---
---   name │ ▭▭▭▭▭▭▭▭▭   ▭▭▭
---   name │     ▭▭▭▭▭▭▭▭▭▭▭
---        └──┬─────┬─────┬──
---
--- Neighbours: timeline.lua and trace.lua draw what is in the lanes.

local M = {}

local PITCH <const> = 42

--- The height of a bar in a lane.
M.BAR = 24

---@class docs.Lanes
---@field top number
---@field bottom number
---@field left number
---@field private scale number pixels for a unit of time
---@field private from number
---@field private to number
---@field private names string[]
---@field private rows table<string, integer>
local Lanes = {}
Lanes.__index = Lanes

--- Lay out lanes. Times are in the unit of the axis, of which `width` pixels
--- show those between `from` and `to`.
---@param about table names, top, left, width, from, to
---@return docs.Lanes
function M.new(about)
  local rows = {}
  for i, name in ipairs(about.names) do
    rows[name] = i
  end
  return setmetatable({ top = about.top, left = about.left, from = about.from,
    to = about.to, bottom = about.top + PITCH * #about.names,
    scale = about.width / (about.to - about.from), names = about.names,
    rows = rows }, Lanes)
end

--- Return the place of a time.
function Lanes:x(time)
  return self.left + (time - self.from) * self.scale
end

--- Return the middle of a lane.
function Lanes:y(name)
  return self.top + PITCH * (self.rows[name] - 0.5)
end

--- Draw the axis, and a line for each tick.
---@param page docs.Page
---@param tick number
---@param unit string
function Lanes:draw_axis(page, tick, unit)
  for i = 0, math.floor((self.to - self.from) / tick + 0.001) do
    local x = self:x(self.from + i * tick)
    page:line(x, self.top, x, self.bottom + 4)
    page:text(x, self.bottom + 18, ("%g %s"):format(i * tick, unit), "grey",
      "middle")
  end
end

--- Draw the names of the lanes.
---@param page docs.Page
function Lanes:draw_names(page)
  for _, name in ipairs(self.names) do
    page:text(self.left - 10, self:y(name) + 4, name, "strong", "end")
  end
end

--- Draw the meaning of the kinds that are in a picture, below the axis.
---@param page docs.Page
---@param seen table<string, any> these kinds
---@param kinds table legend = all kinds and their meaning, { kind, text };
--- boxes = the classes of those that are boxes; signs = { sign, class } of the
--- others
function Lanes:draw_legend(page, seen, kinds)
  local entries = {}
  for _, entry in ipairs(kinds.legend) do
    local kind, text = entry[1], entry[2]
    if seen[kind] then
      entries[#entries + 1] = { kinds.boxes[kind], text, kinds.signs[kind] }
    end
  end
  page:legend(self.bottom + 44, entries)
end

return M
