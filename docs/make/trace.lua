--- trace.lua: draws a file of --trace, a lane for each task
---
--- The file is in the format of Chrome's trace viewer. A track has the number
--- of its task; on it are the life of the task, its steps and its waits, and
--- instants such as a cancel. Track 0 is the engine, with the pauses of the
--- collector. Times are microseconds.

local json = require "spec.support.json"
local lanes = require "docs.make.lanes"
local svg = require "docs.make.svg"

local M = {}

local WIDTH <const>, TOP <const>, EDGE <const>, TICK <const> = 800, 90, 24, 52

--- The classes of slices. A step that lasts `about.long` or longer is "long".
local BOXES <const> = { wait = "blue", step = "full-green", long = "red",
  collector = "full-grey" }
local SIGNS <const> = { cancel = { "cross", "line-red" },
  error = { "square", "full-red" } }
local LEGEND <const> = {
  { "wait", "waits" },
  { "step", "a short step" },
  { "long", "computes: nothing else runs" },
  { "cancel", "is cancelled" },
  { "error", "fails" },
  { "collector", "pause of the collector" },
}

-- Returns the text in a box: of a wait, also what is waited for.
local function text_of(event)
  local about = event.cat == "wait" and event.args and event.args.about
  return about and event.name .. " " .. about or event.name
end

--- The tracks of a file by their names: { name, life, slices }. A life and a
--- slice have kind, text, from and to, in milliseconds.
---@param text string
---@return table<string, table> tracks
function M.read(text)
  local tracks, by_id = {}, {}
  local events = json.read(text).traceEvents
  for _, event in ipairs(events) do
    if event.name == "thread_name" then
      local track = { name = event.args.name, slices = {} }
      by_id[event.tid], tracks[track.name] = track, track
    end
  end
  for _, event in ipairs(events) do
    local track, kind = by_id[event.tid], event.cat
    if event.ph == "X" or event.ph == "i" then
      local from = event.ts / 1000
      local slice = { kind = kind == "event" and event.name or kind,
        text = text_of(event), from = from,
        to = from + (event.dur or 0) / 1000 }
      if kind == "task" then
        track.life = slice
      else
        table.insert(track.slices, slice)
      end
    end
  end
  return tracks
end

-- Returns as much of a text as has room: all of it, its first word, or that cut
-- short; nil: nothing.
local function fitting(text, class, room)
  local word = text:match "^%S*"
  for _, shorter in ipairs { text, word } do
    if svg.width(shorter, class) <= room then
      return shorter
    end
  end
  local letters = math.floor(room / svg.width("m", class)) - 1
  return letters >= 3 and word:sub(1, letters) .. "…" or nil
end

-- Draws the time for which nothing else could run, through all lanes.
local function draw_shadow(page, at, slice)
  local x, right = at:x(slice.from), at:x(slice.to)
  page:rect(x, at.top, right - x, at.bottom - at.top, "band", 0)
  page:line(x, at.top, x, at.bottom, "line-red dashed")
  page:line(right, at.top, right, at.bottom, "line-red dashed")
  page:text((x + right) / 2, at.top - 8,
    ("%.0f ms"):format(slice.to - slice.from), "bad", "middle")
end

-- Draws a slice; a short step is as wide as a line.
local function draw_box(page, at, track, slice)
  local x, y = at:x(slice.from), at:y(track.name) - lanes.BAR / 2
  local width = math.max(at:x(slice.to) - x, 2)
  page:rect(x, y, width, lanes.BAR, BOXES[slice.kind],
    slice.kind == "step" and 0 or nil)
  local text = slice.kind ~= "step" and fitting(slice.text, "code", width - 12)
  if text then
    page:text(x + 6, y + lanes.BAR / 2 + 4, text, "code")
  end
end

-- Returns the tracks whose names begin with these.
local function tracks_of(all, names)
  local tracks = {}
  for i, name in ipairs(names) do
    for full, track in pairs(all) do
      if full:sub(1, #name) == name then
        tracks[i] = track
      end
    end
    tracks[i] = tracks[i] or error("no track: " .. name, 0)
  end
  return tracks
end

-- Calls `f(track, slice)` for each slice of the kinds that `classes` has, or of
-- all kinds.
local function for_slices(tracks, classes, f)
  for _, track in ipairs(tracks) do
    for _, slice in ipairs(track.slices) do
      if not classes or classes[slice.kind] then
        f(track, slice)
      end
    end
  end
end

-- Gives long steps a kind of their own, and returns the kinds that are there.
local function sort_kinds(tracks, long)
  local seen = {}
  for_slices(tracks, nil, function(_, slice)
    if slice.kind == "step" and slice.to - slice.from >= long then
      slice.kind, slice.text = "long", "computes"
    end
    seen[slice.kind] = true
  end)
  return seen
end

-- Lays out a lane for each track.
local function lanes_of(tracks)
  local names, first, last, width = {}, math.huge, 0, 0
  for i, track in ipairs(tracks) do
    names[i] = track.name
    width = math.max(width, svg.width(track.name, "strong"))
  end
  for_slices(tracks, nil, function(_, slice)
    first, last = math.min(first, slice.from), math.max(last, slice.to)
  end)
  local left = width + EDGE
  return lanes.new { names = names, top = TOP, left = left,
    width = WIDTH - left - EDGE, from = first, to = last }
end

-- Returns milliseconds between two ticks that have room.
local function tick_of(at)
  for _, tick in ipairs { 1, 2, 5, 10, 20, 50, 100, 200, 500 } do
    if at:x(tick) - at:x(0) >= TICK then
      return tick
    end
  end
  return 1000
end

--- Return the file of a picture.
---@param about table title, desc, head, lanes (of tracks: how their names
--- begin), long (milliseconds of a long step)
---@param text string
---@return string
function M.draw(about, text)
  local tracks = tracks_of(M.read(text), about.lanes)
  local seen, at = sort_kinds(tracks, about.long), lanes_of(tracks)
  local page = svg.page { width = WIDTH, height = at.bottom + 56,
    title = about.title, desc = about.desc }
  page:text(16, 26, about.title, "title")
  page:text(16, 46, about.head, "code")
  for_slices(tracks, { long = true }, function(_, slice)
    draw_shadow(page, at, slice)
  end)
  at:draw_axis(page, tick_of(at), "ms")
  at:draw_names(page)
  for_slices(tracks, BOXES, function(track, slice)
    draw_box(page, at, track, slice)
  end)
  for_slices(tracks, SIGNS, function(track, slice)
    local sign = SIGNS[slice.kind]
    page:sign(sign[1], at:x(slice.from), at:y(track.name), sign[2])
  end)
  at:draw_legend(page, seen, { legend = LEGEND, boxes = BOXES, signs = SIGNS })
  return page:file()
end

return M
