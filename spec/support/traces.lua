--- Reads files of aw.trace(), and checks them: JSON, slices that nest, times in
--- order.

local json = require "spec.support.json"
local process = require "spec.support.process"

local M = {}

--- The track of an event, or the counter.
local function track_of(event)
  return event.ph == "C" and "counter " .. event.name or event.tid
end

--- Times are microseconds with three digits: compare nanoseconds.
local function ns(us)
  return math.floor(us * 1000 + 0.5)
end

local function check_order(event, last)
  local track = track_of(event)
  local at = ns(event.ts)
  assert(at >= 0 and at >= (last[track] or 0),
    ("%s of track %s goes back in time"):format(event.name, track))
  last[track] = at
end

-- A slice begins when the one before has ended, or inside of it.
local function check_nesting(event, open)
  local stack = open[event.tid] or {}
  open[event.tid] = stack
  local from, to = ns(event.ts), ns(event.ts) + ns(event.dur)
  while #stack > 0 and stack[#stack] <= from do
    stack[#stack] = nil
  end
  assert(to >= from, "a slice ends before it begins")
  assert(#stack == 0 or to <= stack[#stack],
    ("%s of track %s does not nest"):format(event.name, event.tid))
  if to > from then
    stack[#stack + 1] = to
  end
end

local FIELDS <const> = { "ph", "pid", "tid", "name" }

--- Read a trace, and check what holds for each.
---@param text string
---@return { events: table[], other: table, pid: integer } trace
function M.read(text)
  local whole = json.read(text)
  local last, open, begun = {}, {}, {}
  for _, event in ipairs(whole.traceEvents) do
    for _, field in ipairs(FIELDS) do
      assert(event[field] ~= nil, "an event without " .. field)
    end
    if event.ph ~= "M" then
      check_order(event, last)
    end
    if event.ph == "X" then
      check_nesting(event, open)
    elseif event.ph == "s" then
      begun[event.id] = true
    end
  end
  for _, event in ipairs(whole.traceEvents) do
    assert(event.ph ~= "f" or begun[event.id], "a flow without a begin")
  end
  return { events = whole.traceEvents, other = whole.otherData,
    pid = whole.traceEvents[1].pid }
end

function M.read_file(path)
  return M.read(process.read(path))
end

--- Returns the events with these fields, as { ph = "X", name = "step" }.
function M.find(trace, fields)
  local found = {}
  for _, event in ipairs(trace.events) do
    local fits = true
    for key, value in pairs(fields) do
      fits = fits and event[key] == value
    end
    if fits then
      found[#found + 1] = event
    end
  end
  return found
end

--- Returns the number of the track with this name.
function M.track(trace, name)
  for _, event in ipairs(M.find(trace, { ph = "M", name = "thread_name" })) do
    if event.args.name == name then
      return event.tid
    end
  end
  error(("no track '%s'"):format(name), 2)
end

--- Returns the names of the events of a track, without its life, in order.
function M.names(trace, name, ph)
  local names = {}
  for _, event in ipairs(M.find(trace,
    { ph = ph or "X", tid = M.track(trace, name) })) do
    if event.cat ~= "task" then
      names[#names + 1] = event.name
    end
  end
  return names
end

return M
