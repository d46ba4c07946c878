--- pages.lua: texts of whole pages: the keys, and all about one task
---
--- A page is a list of lines of plain text, clean and cut to the columns of the
--- screen.
local _, part = ...

local figures <const> = part "host.top.figures"
local texts <const> = part "host.top.texts"

local clean <const>, fit <const>, wrap <const> = texts.clean, texts.fit,
  texts.wrap

--- Columns of the words to the left.
local LEFT <const> = 16

local M = {}

--- Each key of the table, as docs/program.md lists them.
M.KEYS = {
  { "q, Ctrl-C", "leave" },
  { "?", "show this list" },
  { "Up, Down", "select a task" },
  { "PgUp, PgDn", "move by a screen; Home, End: to the first or last task" },
  { "Enter", "show all about the selected task" },
  { "<, >", "sort by the column to the left or right; s: by the next one" },
  { "r", "reverse the order" },
  { "/", "show only tasks whose name, state or wait contains a text" },
  { "t", "show tasks below their parents" },
  { "b", "busy % and steps/s: since the last refresh, or since the start" },
  { "p", "pause" },
  { "+, -", "refresh more often, or less often" },
  { "Ctrl-L", "draw the screen anew" },
  { "Esc", "leave a page; remove the filter" },
}

-- Append a word, and a text to its right, on as many lines as needed.
local function add_entry(lines, entry, columns, ascii)
  local word, text, room = entry[1], entry[2], columns - LEFT
  if room < 8 then
    for _, line in ipairs(wrap(word .. " " .. text, math.max(columns, 2))) do
      lines[#lines + 1] = line
    end
    return
  end
  for i, line in ipairs(wrap(text, room)) do
    lines[#lines + 1] = fit(i == 1 and word or "", LEFT - 1, false, ascii)
      .. " " .. line
  end
end

--- The page of the key `?`.
---@param columns integer
---@return string[]
function M.help(columns)
  local lines = {}
  for _, entry in ipairs(M.KEYS) do
    add_entry(lines, entry, columns)
  end
  return lines
end

-- A task by its id and name.
local function named(task)
  return ("%s '%s'"):format(task.id, task.name)
end

local function parent_text(task, snapshot)
  local above = task.parent_key and snapshot.by_key[task.parent_key]
  return above and named(above) or task.parent or "-"
end

local function children_count(task, snapshot)
  local count = 0
  for _, other in ipairs(snapshot.tasks) do
    count = count + (other.parent_key == task.key and 1 or 0)
  end
  return tostring(count)
end

local function busy_text(task)
  return ("%s %% since the last refresh, %s %% since its start (%s)"):format(
    figures.percent(task.share), figures.percent(task.life_share),
    figures.duration(task.busy))
end

local function steps_text(task)
  return ("%s per second, %s since its start"):format(
    figures.per_second(task.rate), task.steps or "-")
end

-- Fields that the page shows in words of its own.
local SHOWN <const> = {}
for name in ("id name state waits since age busy steps longest started at "
  .. "parent engine warn"):gmatch "%a+" do
  SHOWN[name] = true
end

--- All about a task.
---@param task table
---@param snapshot table the one that the task is in
---@param columns integer
---@param ascii? boolean
---@return string[]
function M.detail(task, snapshot, columns, ascii)
  local lines = {}
  local function add(word, text)
    add_entry(lines, { word, clean(text, ascii) }, columns, ascii)
  end
  add("task", task.id)
  add("name", task.name)
  add("state", task.state .. (task.since and ", for "
    .. figures.duration(task.since) or ""))
  add("waits for", task.waits == "" and "-" or task.waits)
  add("awaits at", task.at or "-")
  add("started at", task.started or "-")
  add("age", figures.duration(task.age))
  add("busy", busy_text(task))
  add("steps", steps_text(task))
  add("longest step", figures.duration(task.longest))
  add("parent", parent_text(task, snapshot))
  add("children", children_count(task, snapshot))
  if #snapshot.engines > 1 then
    add("engine", task.engine or "-")
  end
  for _, text in ipairs(figures.warnings_of(task)) do
    add("! warning", text)
  end
  for _, name in ipairs(task.names) do
    if not SHOWN[name] then
      add(clean(name), tostring(task[name]))
    end
  end
  return lines
end

return M
