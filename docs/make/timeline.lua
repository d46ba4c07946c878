--- timeline.lua: draws what tasks did, a lane for each task
---
--- A program such as docs/make/pictures/race.lua prints lines of four fields
--- with tabs between them: time, lane, event, text. The events:
---   head       what is drawn above the lanes; its lane is empty
---   wait       the task waits; the bar ends at the next event of the lane
---   cleanup    the same, a wait of the clean-up
---   cancelled  Cancelled is raised
---   hard       Cancelled is raised again, since the grace is over
---   ended      the task has ended
---   killed     the engine has ended the task

local lanes = require "docs.make.lanes"
local svg = require "docs.make.svg"

local M = {}

local WIDTH <const>, LEFT <const>, TOP <const> = 800, 84, 92
local BARS <const> = { wait = "blue", cleanup = "green" }
local SIGNS <const> = {
  cancelled = { "cross", "line-red" },
  hard = { "cross", "line-red" },
  ended = { "disc", "full-green" },
  killed = { "square", "full-red" },
}
local LEGEND <const> = {
  { "wait", "waits" },
  { "cleanup", "cleans up, and waits for it" },
  { "cancelled", "Cancelled is raised" },
  { "ended", "has ended" },
  { "killed", "is killed" },
}

--- Return the events of a program's output, and its lanes in their order.
---@param output string
---@return table[] events
---@return string[] names of the lanes
function M.read(output)
  local events, names = {}, {}
  for line in output:gmatch "[^\n]+" do
    local time, lane, kind, text = line:match "^([%d.]+)\t(.-)\t(%l+)\t(.*)$"
    if not BARS[kind] and not SIGNS[kind] and kind ~= "head" then
      error("no event: " .. line, 0)
    end
    events[#events + 1] = { time = tonumber(time), lane = lane, kind = kind,
      text = text }
    if lane ~= "" and not names[lane] then
      names[#names + 1] = lane
      names[lane] = true
    end
  end
  return events, names
end

-- Returns the first event of a kind.
local function first(events, kind)
  for _, event in ipairs(events) do
    if event.kind == kind then
      return event
    end
  end
end

-- Returns the next event of the same lane.
local function after(events, i)
  for j = i + 1, #events do
    if events[j].lane == events[i].lane then
      return events[j]
    end
  end
end

-- Draws a vertical line through all lanes, with a text beside its top.
local function draw_moment(page, at, time, top, text, anchor)
  local x = at:x(time)
  page:line(x, top, x, at.bottom, "line-red dashed")
  page:text(anchor == "end" and x - 6 or x + 6, top + 8, text, "bad", anchor)
end

local function draw_moments(page, at, events)
  local cancel, hard = first(events, "cancelled"), first(events, "hard")
  if hard then
    local from, to = at:x(cancel.time), at:x(hard.time)
    page:rect(from, at.top, to - from, at.bottom - at.top, "band", 0)
    draw_moment(page, at, hard.time, at.top - 17,
      ("the grace of %g s is over"):format(hard.time - cancel.time), "end")
  end
  draw_moment(page, at, cancel.time, at.top - 34, cancel.text)
end

local function draw_bars(page, at, events)
  for i, event in ipairs(events) do
    if BARS[event.kind] then
      local x, y = at:x(event.time), at:y(event.lane)
      local width = at:x(after(events, i).time) - x
      page:rect(x, y - lanes.BAR / 2, width, lanes.BAR, BARS[event.kind])
      page:text(x + 12, y + 4, event.text, "code")
    end
  end
end

-- Draws the signs above the bars. Those of the same moment stand side by side.
local function draw_signs(page, at, events)
  local newest = {} -- lane -> where its last sign stands
  for i, event in ipairs(events) do
    if SIGNS[event.kind] then
      local x, y = at:x(event.time), at:y(event.lane)
      x = math.max(x, (newest[event.lane] or 0) + 13)
      newest[event.lane] = x
      page:sign(SIGNS[event.kind][1], x, y, SIGNS[event.kind][2])
      if not after(events, i) then
        page:text(x + 11, y + 4, event.text, "code")
      end
    end
  end
end

-- Draws the meaning of what is in the picture.
local function draw_legend(page, at, events)
  local seen = {}
  for _, event in ipairs(events) do
    seen[event.kind] = true
  end
  at:draw_legend(page, seen, { legend = LEGEND, boxes = BARS, signs = SIGNS })
end

--- Return the file of a picture.
---@param about table title, desc, tick (seconds), right (pixels for texts)
---@param output string
---@return string
function M.draw(about, output)
  local events, names = M.read(output)
  local at = lanes.new { names = names, top = TOP, left = LEFT,
    width = WIDTH - LEFT - about.right, from = 0, to = events[#events].time }
  local page = svg.page { width = WIDTH, height = at.bottom + 56,
    title = about.title, desc = about.desc }
  page:text(16, 26, about.title, "title")
  page:text(16, 46, first(events, "head").text, "code")
  at:draw_axis(page, about.tick, "s")
  draw_moments(page, at, events)
  at:draw_names(page)
  draw_bars(page, at, events)
  draw_signs(page, at, events)
  draw_legend(page, at, events)
  return page:file()
end

return M
