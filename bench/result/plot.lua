--- Makes scripts of gnuplot: a picture for each chapter, a panel for each row.
---
--- A panel has a horizontal bar for each program, the cheapest on top, and a
--- whisker from the least to the greatest value. Its axis begins at zero, or is
--- logarithmic where the greatest value is far above the least; then the axis
--- says so. Pictures have no background, and colours that can be read on a
--- white and on a dark page and by the colour-blind. All functions are pure.
local compare = require "bench.result.compare"
local units = require "bench.result.units"

local M = {}

local COLUMNS <const> = 2
local WIDTH <const>, HEAD <const>, BAR <const> = 440, 96, 20

--- Values further apart than that take a logarithmic axis.
local FAR <const> = 20

local TEXT <const> = "#7f7f7f"
local COLOURS <const> = { ours = 0xE69F00, floor = 0x999999, part = 0x999999 }
local PEER <const> = 0x56B4E9

local NAMES <const> = { cpu = "CPU time", wall = "wall time", peak = "memory" }

local function quote(text)
  return '"' .. text:gsub('[\\"]', "\\%0") .. '"'
end

--- Return the bars of a row, the dearest first, which gnuplot draws lowest.
local function bars_of(row, entries)
  local bars, figure = {}, compare.by(row)
  for _, entry in ipairs(compare.ranking(row, entries)) do
    local s = entry.summary[figure]
    if s.median > 0 then
      table.insert(bars, 1, { title = entry.peer.title, median = s.median,
        least = math.max(s.least, s.median / 100), most = s.most,
        colour = COLOURS[entry.peer.role] or PEER })
    end
  end
  return bars
end

--- Return the axis: its unit, its ends in that unit, whether it is logarithmic.
local function axis_of(bars, figure)
  local low, high = math.huge, 0
  for _, bar in ipairs(bars) do
    low, high = math.min(low, bar.least), math.max(high, bar.most)
  end
  local logarithmic = high / low > FAR
  local factor, unit = units.unit(figure, bars[#bars].median)
  if logarithmic then
    return { factor = factor, unit = unit, log = true,
      low = 10 ^ math.floor(math.log(low / factor, 10)),
      high = 8 * high / factor }
  end
  return { factor = factor, unit = unit, low = 0, high = 1.35 * high / factor }
end

local PANEL <const> = [[
set title %s
set xlabel %s
%s
set xrange [%g:%g]
set yrange [-0.6:%g]
set ytics (%s)
$bars << END
%sEND
plot $bars using 2:1:(%g):2:($1-0.35):($1+0.35):5 with boxxyerror \
  fillstyle solid 0.85 noborder linecolor rgb variable notitle, \
  '' using 2:1:3:4 with xerrorbars linecolor rgb "%s" pointtype 0 notitle, \
  '' using 4:1:6 with labels left offset 0.6,0 textcolor rgb "%s" notitle
]]

--- Return the part of a script that draws one row, or nil without any bar.
function M.panel(row, entries)
  local figure, bars = compare.by(row), bars_of(row, entries)
  if #bars == 0 then
    return nil
  end
  local axis = axis_of(bars, figure)
  local tics, data = {}, {}
  for i, bar in ipairs(bars) do
    tics[i] = ("%s %d"):format(quote(bar.title), i - 1)
    data[i] = ("%d %.6g %.6g %.6g %d %s\n"):format(i - 1,
      bar.median / axis.factor, bar.least / axis.factor,
      bar.most / axis.factor, bar.colour,
      quote(units.show(figure, bar.median)))
  end
  return PANEL:format(quote(row.title),
    quote(("%s, %s%s"):format(NAMES[figure], axis.unit,
      axis.log and " (logarithmic axis)" or "")),
    axis.log and "set logscale x" or "unset logscale x",
    axis.low, axis.high, #bars - 0.4, table.concat(tics, ", "),
    table.concat(data), axis.low, TEXT, TEXT), #bars
end

local PICTURE <const> = [[
set terminal svg size %d,%d font "sans-serif,12" noenhanced
set output %s
set multiplot
set border 1 linecolor rgb "%s"
set tics nomirror textcolor rgb "%s"
set title textcolor rgb "%s"
set xlabel textcolor rgb "%s"
set ytics scale 0
set lmargin 17
set tmargin 2.5
set bmargin 3.5
set rmargin 1
]]

local PLACE <const> = "set size %.6f,%.6f\nset origin %.6f,%.6f\n"

--- Return the panels of rows as lists of COLUMNS, each list with the height of
--- its longest panel, and the height of all.
local function lines_of(rows, entries)
  local lines, height = {}, 0
  for _, row in ipairs(rows) do
    local text, bars = M.panel(row, entries)
    if text then
      local line = lines[#lines]
      if not line or #line == COLUMNS then
        line = { height = 0 }
        lines[#lines + 1] = line
      end
      line[#line + 1] = text
      height = height - line.height
      line.height = math.max(line.height, HEAD + BAR * bars)
      height = height + line.height
    end
  end
  return lines, height
end

--- Return a script that draws `rows` into the file `path`, or nil without any
--- bar.
function M.script(path, rows, entries)
  local lines, height = lines_of(rows, entries)
  if #lines == 0 then
    return nil
  end
  local parts = { PICTURE:format(COLUMNS * WIDTH, height, quote(path), TEXT,
    TEXT, TEXT, TEXT) }
  local top = height
  for _, line in ipairs(lines) do
    for i, panel in ipairs(line) do
      local bars_low = top - line.height
      parts[#parts + 1] = PLACE:format(1 / COLUMNS, line.height / height,
        (i - 1) / COLUMNS, bars_low / height) .. panel
    end
    top = top - line.height
  end
  return table.concat(parts) .. "unset multiplot\n"
end

return M
