--- table.lua: which tasks a table shows, in which order and columns
---
---   snapshot ─► select (filter, sort, tree) ─► rows, all of them
---   rows, columns ─► layout ─► widths ─► line ─► spans of text and style
---
--- A row is { task, tree = what stands before its name }. Everything here is
--- linear in the tasks but for the sort, and texts are made only of the rows
--- that are shown.
local _, part = ...

local figures <const> = part "host.top.figures"
local texts <const> = part "host.top.texts"

local clean <const>, fit <const>, width <const> = texts.clean, texts.fit,
  texts.width
local find <const>, lower <const> = string.find, string.lower
local max <const>, min <const> = math.max, math.min
local sort <const> = table.sort

local M = {}

-- Columns --------------------------------------------------------------------

-- What comes first, sorted by the state, by warnings.
local STATE_ORDER <const> = { running = 1, ready = 2, waiting = 3 }

local GLYPHS <const> = { running = "▶ ", waiting = "⏸ ", ready = "⏫ ",
  done = "⏹ " }

local function state_text(task, look)
  return (not look.ascii and GLYPHS[task.state] or "") .. task.state
end

local function share_of(task, look)
  return task[look.life and "life_share" or "share"]
end

local function rate_of(task, look)
  return task[look.life and "life_rate" or "rate"]
end

---@class host.TopColumn
---@field name string its key in sorts
---@field title string
---@field right? boolean numbers are at the right
---@field text fun(task, look): string of a cell
---@field value fun(task, look): any by which tasks are sorted
---@field falling? boolean the largest value comes first
---@field tail? boolean the end of a long text is shown, not its start
---@field least? integer its width at least where the screen is narrow; nil:
--- what its widest cell needs
---@field most integer its width at most

--- In the order of the table.
---@type host.TopColumn[]
M.COLUMNS = {
  { name = "id", title = "id", right = true, most = 12,
    text = function(task)
      return task.label or task.id
    end,
    value = function(task)
      return task.number
    end },
  { name = "warn", title = "!", most = 1, falling = true,
    text = function(task)
      return task.suspect and "!" or ""
    end,
    value = function(task)
      return task.suspect and 1 or 0
    end },
  { name = "state", title = "state", most = 12, text = state_text,
    value = function(task)
      return STATE_ORDER[task.state] or 4
    end },
  { name = "name", title = "name", least = 12, most = 40,
    text = function(task)
      return task.name
    end,
    value = function(task)
      return task.name
    end },
  { name = "busy", title = "busy %", right = true, most = 6, falling = true,
    text = function(task, look)
      return figures.percent(share_of(task, look))
    end,
    value = function(task, look)
      return share_of(task, look) or -1
    end },
  { name = "steps", title = "steps/s", right = true, most = 9, falling = true,
    text = function(task, look)
      return figures.per_second(rate_of(task, look))
    end,
    value = function(task, look)
      return rate_of(task, look) or -1
    end },
  { name = "waits", title = "waits for", least = 9, most = 48,
    text = function(task)
      local runs_at = task.state == "running" and task.waits == "" and task.at
      return runs_at and runs_at ~= "" and "(at " .. runs_at .. ")"
        or task.waits
    end,
    value = function(task)
      return task.waits
    end },
  { name = "age", title = "age", right = true, most = 11, falling = true,
    text = function(task)
      return figures.duration(task.age)
    end,
    value = function(task)
      return task.age or -1
    end },
  { name = "started", title = "started at", tail = true, least = 12,
    most = 48,
    text = function(task)
      return task.started or ""
    end,
    value = function(task)
      return task.started or ""
    end },
}

--- More bytes of a text than the widest column can show.
local MOST_BYTES <const> = 1000

--- The columns that a narrow terminal loses, one after the other.
local LOST <const> = { "started", "age", "steps", "waits", "busy", "state",
  "id", "warn" }

local BY_NAME <const> = {}
for _, column in ipairs(M.COLUMNS) do
  BY_NAME[column.name] = column
end

--- Returns the name of the column that is `step` columns after another one.
---@param name string
---@param step integer
---@return string name
function M.neighbour(name, step)
  for i, column in ipairs(M.COLUMNS) do
    if column.name == name then
      return M.COLUMNS[(i + step - 1) % #M.COLUMNS + 1].name
    end
  end
  return name
end

function M.title(name)
  return BY_NAME[name].title
end

-- Rows -----------------------------------------------------------------------

-- Is `a` before `b` if nothing else tells them apart?
local function by_id(a, b)
  if a.engine ~= b.engine then
    return (tonumber(a.engine) or 0) < (tonumber(b.engine) or 0)
  elseif a.loop ~= b.loop then
    return a.loop < b.loop
  end
  return a.number < b.number
end

-- Sort a list of tasks as the look says.
local function sort_tasks(list, look)
  local column = BY_NAME[look.sort]
  local falling = (column.falling or false) ~= (look.reverse or false)
  local values = {}
  for _, task in ipairs(list) do
    values[task] = column.value(task, look)
  end
  sort(list, function(a, b)
    local x, y = values[a], values[b]
    if x == y then
      return by_id(a, b)
    elseif falling then
      return x > y
    end
    return x < y
  end)
  return list
end

local function contains(text, what)
  return find(lower(text), what, 1, true) ~= nil
end

-- Returns a set of the tasks that the filter lets pass, or nil: all.
local function filtered(snapshot, filter)
  if filter == "" then
    return nil
  end
  local what, passed = lower(filter), {}
  for _, task in ipairs(snapshot.tasks) do
    passed[task] = contains(task.name, what) or contains(task.state, what)
      or contains(task.waits, what) or nil
  end
  return passed
end

local function select_flat(snapshot, look, passed)
  local list = {}
  for _, task in ipairs(snapshot.tasks) do
    if not passed or passed[task] then
      list[#list + 1] = task
    end
  end
  for i, task in ipairs(sort_tasks(list, look)) do
    list[i] = { task = task, tree = "" }
  end
  return list
end

-- The parent of a task that is in the snapshot; nil: none. A task that is its
-- own ancestor, as by an error of the other program, has none.
local function parents_of(snapshot)
  local parents = {}
  for _, task in ipairs(snapshot.tasks) do
    local above = task.parent_key and snapshot.by_key[task.parent_key]
    parents[task] = above ~= task and above or nil
  end
  local sound = {} -- tasks whose chain of parents ends
  for _, task in ipairs(snapshot.tasks) do
    local at, way = task, {}
    while at and not sound[at] do
      if way[at] then
        parents[task], at = nil, nil
      else
        way[at], at = true, parents[at]
      end
    end
    for passed in pairs(way) do
      sound[passed] = true
    end
  end
  return parents
end

local BRANCHES <const> = { "├─ ", "╰─ ", "│  ", "   " }
local ASCII_BRANCHES <const> = { "|- ", "`- ", "|  ", "   " }

--- So many bytes of branches, at most, stand before a name.
local DEEPEST <const> = 120

-- Returns a set of the tasks that have passed, and of all that are above them.
local function with_parents(passed, parents)
  local shown = {}
  for task in pairs(passed) do
    while task and not shown[task] do
      shown[task], task = true, parents[task]
    end
  end
  return shown
end

-- Returns the tasks at the root, and the children of each other task that has
-- some, in the order of the snapshot.
local function families(snapshot, passed)
  local parents, children, roots = parents_of(snapshot), {}, {}
  local shown = passed and with_parents(passed, parents)
  for _, task in ipairs(snapshot.tasks) do
    if not shown or shown[task] then
      local above = parents[task]
      local list = above and children[above] or above and {} or roots
      if above then
        children[above] = list
      end
      list[#list + 1] = task
    end
  end
  return roots, children
end

-- A tree may be deep, so the tasks that are still to come are on a stack.
local function select_tree(snapshot, look, passed)
  local roots, children = families(snapshot, passed)
  local branch = look.ascii and ASCII_BRANCHES or BRANCHES
  local rows, stack = {}, {}
  local function push(list, indent, is_root)
    sort_tasks(list, look)
    indent = #indent < DEEPEST and indent or indent:sub(1, DEEPEST)
    for i = #list, 1, -1 do
      local last = i == #list
      stack[#stack + 1] = { task = list[i],
        tree = is_root and "" or indent .. branch[last and 2 or 1],
        indent = is_root and "" or indent .. branch[last and 4 or 3] }
    end
  end
  push(roots, "", true)
  while #stack > 0 do
    local row = table.remove(stack)
    rows[#rows + 1] = row
    if children[row.task] then
      push(children[row.task], row.indent, false)
    end
    row.indent = nil
  end
  return rows
end

--- Return the rows of a table.
---@param snapshot table
---@param look table { sort, reverse, filter, tree, life, ascii }
---@return table[] rows { task, tree }
function M.select(snapshot, look)
  local passed = filtered(snapshot, look.filter or "")
  return look.tree and select_tree(snapshot, look, passed)
    or select_flat(snapshot, look, passed)
end

-- Widths ---------------------------------------------------------------------

-- A clean cell, with the branches of the tree before a name.
local function cell_text(column, row, look)
  local text = column.text(row.task, look)
  text = clean(#text > MOST_BYTES and text:sub(1, MOST_BYTES) or text,
    look.ascii)
  return column.name == "name" and row.tree .. text or text
end

-- The columns that have room with their least widths.
local function kept_columns(natural, columns)
  local kept, lost = {}, {}
  local needed = -1
  for _, column in ipairs(M.COLUMNS) do
    needed = needed + 1 + min(column.least or natural[column.name],
      natural[column.name])
  end
  for _, name in ipairs(LOST) do
    if needed > columns then
      lost[name] = true
      needed = needed - 1 - min(BY_NAME[name].least or natural[name],
        natural[name])
    end
  end
  for _, column in ipairs(M.COLUMNS) do
    kept[#kept + 1] = not lost[column.name] and column or nil
  end
  return kept, columns - needed
end

-- Give the room to the columns that miss most, one column of the screen at a
-- time.
local function share_room(layout, room)
  while room > 0 do
    local neediest = layout[1]
    for _, place in ipairs(layout) do
      neediest = place.missing > neediest.missing and place or neediest
    end
    if neediest.missing == 0 then
      return
    end
    neediest.missing = neediest.missing - 1
    neediest.width = neediest.width + 1
    room = room - 1
  end
end

--- Choose the columns and their widths.
---@param rows table[] what is shown, from `first` to `last`
---@param first integer
---@param last integer
---@param look table its `seen` keeps the widths, so that columns stay in place
---@param columns integer the width of the screen
---@return table[] layout { column, width }
function M.layout(rows, first, last, look, columns)
  local natural = look.seen or {}
  look.seen = natural
  for _, column in ipairs(M.COLUMNS) do
    local most = natural[column.name] or width(column.title)
    for i = first, last do
      if most >= column.most then
        break
      end
      most = max(most, min(width(cell_text(column, rows[i], look)),
        column.most))
    end
    natural[column.name] = most
  end
  local kept, room = kept_columns(natural, columns)
  local layout = {}
  for i, column in ipairs(kept) do
    local own = natural[column.name]
    local least = min(column.least or own, own)
    layout[i] = { column = column, missing = own - least,
      width = max(least + min(room, 0), 0) }
  end
  share_room(layout, room)
  return layout
end

-- Lines ----------------------------------------------------------------------

local function style_of(column, task)
  if column.name == "state" then
    return task.state
  end
  return column.name == "warn" and "warning" or nil
end

--- Return the spans of a row: { text, style }.
---@param layout table[]
---@param row table
---@param look table
---@return table[] spans
function M.line(layout, row, look)
  local spans = {}
  for i, place in ipairs(layout) do
    local column = place.column
    local text = cell_text(column, row, look)
    text = column.tail and texts.shorten_start(text, place.width, look.ascii)
      or text
    text = fit(text, place.width, column.right, look.ascii)
    spans[#spans + 1] = { i > 1 and " " or "" }
    spans[#spans + 1] = { text, style_of(column, row.task) }
  end
  return spans
end

--- Return the line of titles, with a mark at the column of the sort.
---@param layout table[]
---@param look table
---@return string
function M.titles(layout, look)
  local list = {}
  for i, place in ipairs(layout) do
    local column = place.column
    local title = column.title
    if column.name == look.sort and width(title) < place.width then
      local falling = (column.falling or false) ~= (look.reverse or false)
      local mark = look.ascii and (falling and "v" or "^")
        or falling and "▾" or "▴"
      title = column.right and mark .. title or title .. mark
    end
    list[i] = fit(title, place.width, column.right, look.ascii)
  end
  return table.concat(list, " ")
end

return M
