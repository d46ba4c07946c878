--- svg.lua: writes pictures as SVG
---
--- A page has a background, colours for light and for dark mode, a title and a
--- description for screen readers, and texts of 12 to 14 px. Fonts are those of
--- the reader, so widths of texts are estimates, on the wide side. All numbers
--- are rounded: the same calls write the same bytes on each machine.

local M = {}

---@class docs.Page
---@field width number
---@field height number
---@field parts string[]
local Page = {}
Page.__index = Page

--- The width of a letter, as a part of the size of the font.
local LETTER <const> = 0.61

--- Sizes of the classes of texts: usual, title, small and grey; and in the font
--- of code: plain, strong, bad, the states of tasks, faint, on a full color.
M.SIZES = { usual = 13, title = 14, grey = 12, code = 12, strong = 12,
  bad = 12, waits = 12, runs = 12, ready = 12, faint = 12, on = 12 }

-- Each colour: in light mode, in dark mode.
local COLOURS <const> = {
  { "page", "#ffffff", "#0d1117" },
  { "text", "#1f2328", "#e6edf3" },
  { "grey", "#59636e", "#9198a1" },
  { "edge", "#d1d9e0", "#3d444d" },
  { "band", "#f6f8fa", "#151b23" },
  { "blue", "#0969da", "#4493f8" },
  { "blue-in", "#ddf4ff", "#12263f" },
  { "green", "#1a7f37", "#3fb950" },
  { "green-in", "#dafbe1", "#12301d" },
  { "gold", "#9a6700", "#d29922" },
  { "gold-in", "#fff8c5", "#332a10" },
  { "red", "#cf222e", "#f85149" },
  { "red-in", "#ffebe9", "#3a1a1e" },
}

local FORMS <const> = [[
text{font-family:system-ui,Helvetica,Arial,sans-serif}
.usual{font-size:13px}
.title{font-size:14px;font-weight:bold}
.grey,.code,.strong,.bad,.waits,.runs,.ready,.faint,.on{font-size:12px}
.code,.strong,.bad,.waits,.runs,.ready,.faint,.on]]
  .. [[{font-family:ui-monospace,Menlo,Consolas,monospace}
.strong{font-weight:bold}
.line-grey,.line-red{stroke-width:1.5}
.dashed{stroke-dasharray:4 3}
]]

-- The rules of one mode; @NAME is a colour.
local PAINT <const> = [[
text{fill:@text}
text.grey,text.faint,.full-grey{fill:@grey}
text.bad,.full-red{fill:@red}
text.waits{fill:@blue}
text.runs{fill:@green}
text.ready{fill:@gold}
text.on{fill:@page}
.page{fill:@page}
.band{fill:@band}
.box{fill:@page;stroke:@edge}
.frame{fill:@band;stroke:@edge}
.blue{fill:@blue-in;stroke:@blue}
.green{fill:@green-in;stroke:@green}
.gold{fill:@gold-in;stroke:@gold}
.red{fill:@red-in;stroke:@red}
.full-blue{fill:@blue}
.full-green{fill:@green}
.full-gold{fill:@gold}
.line{stroke:@edge}
.line-grey{stroke:@grey}
.line-red{stroke:@red}
]]

local ESCAPES <const> = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;",
  ['"'] = "&quot;" }

--- Return a text for XML. Characters that XML does not know become "?".
---@param text string in UTF-8
---@return string
function M.escape(text)
  return (text:gsub("[%z\1-\8\11\12\14-\31\127]", "?"):gsub('[&<>"]', ESCAPES))
end

local function number(x)
  return ("%.1f"):format(x):gsub("%.0$", ""):gsub("^%-0$", "0")
end

--- Return the estimated width of a text.
---@param text string in UTF-8
---@param class? string see SIZES
---@return number pixels
function M.width(text, class)
  return (utf8.len(text) or #text) * LETTER * M.SIZES[class or "usual"]
end

--- Return a page to draw on.
---@param about { width: number, height: number, title: string, desc: string }
---@return docs.Page
function M.page(about)
  local page = setmetatable({ parts = {}, width = about.width,
    height = about.height, title = about.title, desc = about.desc }, Page)
  page:rect(0, 0, about.width, about.height, "page", 8)
  return page
end

function Page:add(form, ...)
  local values = table.pack(...)
  for i = 1, values.n do
    local value = values[i]
    values[i] = type(value) == "number" and number(value) or M.escape(value)
  end
  table.insert(self.parts, form:format(table.unpack(values, 1, values.n)))
end

--- Write a text.
---@param x number
---@param y number of its base line
---@param text string
---@param class? string see SIZES
---@param anchor? "middle"|"end" what of the text is at x; default its start
function Page:text(x, y, text, class, anchor)
  if anchor then
    self:add('<text x="%s" y="%s" class="%s" text-anchor="%s">%s</text>', x, y,
      class or "usual", anchor, text)
  else
    self:add('<text x="%s" y="%s" class="%s">%s</text>', x, y,
      class or "usual", text)
  end
end

--- Draw a box.
---@param class string a colour
---@param round? number radius of its corners
function Page:rect(x, y, width, height, class, round)
  self:add('<rect x="%s" y="%s" width="%s" height="%s" rx="%s" class="%s"/>',
    x, y, width, height, round or 3, class)
end

--- Draw a line.
function Page:line(x1, y1, x2, y2, class)
  self:add('<line x1="%s" y1="%s" x2="%s" y2="%s" class="%s"/>', x1, y1, x2, y2,
    class or "line")
end

--- Draw a full shape with straight edges.
---@param class string a full color
---@param ... number x and y of each corner
function Page:shape(class, ...)
  local values = table.pack(...)
  local corners = {}
  for i = 1, values.n // 2 do
    corners[i] = "%s %s"
  end
  values[values.n + 1] = class
  self:add('<path d="M' .. table.concat(corners, "L") .. 'Z" class="%s"/>',
    table.unpack(values, 1, values.n + 1))
end

--- Draw a line with a head at its end.
function Page:arrow(x1, y1, x2, y2)
  local dx, dy = x2 - x1, y2 - y1
  local length = math.sqrt(dx * dx + dy * dy)
  dx, dy = dx / length, dy / length
  self:line(x1, y1, x2 - 4 * dx, y2 - 4 * dy, "line-grey")
  self:shape("full-grey", x2, y2,
    x2 - 7 * dx - 3.5 * dy, y2 - 7 * dy + 3.5 * dx,
    x2 - 7 * dx + 3.5 * dy, y2 - 7 * dy - 3.5 * dx)
end

--- Draw a small sign around a point.
---@param kind "cross"|"disc"|"square"
---@param class string of a line for a cross, else a full colour
function Page:sign(kind, x, y, class)
  if kind == "cross" then
    self:line(x - 5, y - 5, x + 5, y + 5, class)
    self:line(x - 5, y + 5, x + 5, y - 5, class)
  elseif kind == "disc" then
    self:add('<circle cx="%s" cy="%s" r="5" class="%s"/>', x, y, class)
  else
    self:rect(x - 5, y - 5, 10, 10, class, 0)
  end
end

--- Draw what colours and signs mean, one beside the other.
---@param y number
---@param entries table[] { class of a box, text }, or { nil, text, { sign,
--- class } }
function Page:legend(y, entries)
  local x = 16
  for _, entry in ipairs(entries) do
    local class, text, sign = entry[1], entry[2], entry[3]
    if class then
      self:rect(x, y - 10, 18, 12, class)
    else
      self:sign(sign[1], x + 9, y - 4, sign[2])
    end
    self:text(x + 24, y, text, "grey")
    x = x + 24 + M.width(text, "grey") + 12
  end
end

-- Returns the rules with the colours at an index of the entries of COLOURS.
local function paint(mode)
  local colours = {}
  for _, colour in ipairs(COLOURS) do
    colours[colour[1]] = colour[mode]
  end
  return (PAINT:gsub("@([%l-]+)", colours))
end

local function style()
  return ("%s%s@media (prefers-color-scheme:dark){\n%s}\n"):format(FORMS,
    paint(2), paint(3))
end

local FILE <const> = [[
<svg xmlns="http://www.w3.org/2000/svg" width="%s" height="%s" ]]
  .. [[viewBox="0 0 %s %s" role="img" aria-labelledby="title desc">
<title id="title">%s</title>
<desc id="desc">%s</desc>
<style>
%s</style>
%s
</svg>
]]

--- Return the file.
---@return string
function Page:file()
  local width, height = number(self.width), number(self.height)
  return FILE:format(width, height, width, height, M.escape(self.title),
    M.escape(self.desc), style(), table.concat(self.parts, "\n"))
end

return M
