--- view.lua: what the screen shows, and what keys do to it
---
--- The view knows nothing of terminals and sockets. It takes snapshots and
--- keys, and gives the lines of a screen.
---
---   snapshot ─► View:take ─┐
---   key ──────► View:key ──┴─► View:lines(rows, columns) ─► spans
---
--- A line is a list of spans { text, style }, and has at most `columns`.
--- Styles: a state of a task, "head", "title", "selected", "warning", nil.
---
--- Invariant: `list` is the rows of the table for `snapshot` and `look`; it is
--- nil after a change of one of them, and made anew when it is needed.
local _, part = ...

local figures <const> = part "host.top.figures"
local header <const> = part "host.top.header"
local pages <const> = part "host.top.pages"
local table_ <const> = part "host.top.table"
local texts <const> = part "host.top.texts"

local max <const>, min <const> = math.max, math.min

--- Seconds between two refreshes.
local INTERVALS <const> = { 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60 }

--- Warnings of so many tasks are shown above the table.
local WARNINGS <const> = 3

--- Characters of a filter.
local LONGEST <const> = 100

local M = {}

---@class host.TopView
---@field hello table the first line of the program
---@field snapshot? table
---@field look table how the table looks; see table.lua
---@field list? table[] rows of the table
---@field selected? string key of the selected task; nil: that of row `index`
---@field index integer number of the selected row
---@field first integer number of the first row that is shown
---@field page? "help"|"detail"
---@field page_first integer the first line of the page that is shown
---@field task? table of the page "detail"
---@field before? string while a filter is typed: the filter before
---@field paused boolean
---@field pace integer index in INTERVALS
---@field note? string what is wrong with the connection
---@field body integer rows of the table on the screen
local View = {}
View.__index = View

---@param hello table
---@param ascii boolean the terminal shows ASCII only
function M.new(hello, ascii)
  return setmetatable({ hello = hello, index = 1, first = 1, page_first = 1,
    paused = false, pace = 4, body = 1,
    look = { sort = "busy", filter = "", ascii = ascii, seen = {} } }, View)
end

--- Seconds between two refreshes.
function View:interval()
  return INTERVALS[self.pace]
end

--- Take a snapshot in the place of the one before.
---@param snapshot table
function View:take(snapshot)
  self.snapshot = figures.compare(snapshot, self.snapshot)
  self.list = nil
end

-- The table ------------------------------------------------------------------

--- The rows of the table. The selection stays with its task.
function View:rows()
  if self.list then
    return self.list
  end
  self.list = self.snapshot and table_.select(self.snapshot, self.look) or {}
  for i, row in ipairs(self.list) do
    if row.task.key == self.selected then
      self.index = i
      break
    end
  end
  self.index = max(1, min(self.index, #self.list))
  return self.list
end

local function select_row(self, index)
  local rows = self:rows()
  self.index = max(1, min(index, #rows))
  self.selected = rows[self.index] and rows[self.index].task.key
end

-- Move the part that is shown to the selected row.
local function scroll(self)
  self.first = min(self.first, self.index, max(#self:rows() - self.body + 1, 1))
  self.first = max(self.first, self.index - self.body + 1, 1)
end

-- A text as a line of exactly `columns`.
local function full_line(self, text, columns, style)
  return { { texts.fit(text, columns, false, self.look.ascii), style } }
end

-- A text as a line of at most `columns`.
local function cut_line(self, text, columns, style)
  return { { (texts.shorten(text, columns, self.look.ascii)), style } }
end

-- Append the titles, if they have room, and the rows that are shown.
local function add_table(self, lines, has_titles, columns)
  local rows, look = self:rows(), self.look
  scroll(self)
  local last = min(self.first + self.body - 1, #rows)
  local layout = table_.layout(rows, self.first, last, look, columns)
  if has_titles then
    lines[#lines + 1] = full_line(self, table_.titles(layout, look), columns,
      "title")
  end
  for i = self.first, last do
    local spans = table_.line(layout, rows[i], look)
    if i == self.index then
      local parts = {}
      for k, span in ipairs(spans) do
        parts[k] = span[1]
      end
      spans = full_line(self, table.concat(parts), columns, "selected")
    end
    lines[#lines + 1] = spans
  end
  if #rows == 0 then
    lines[#lines + 1] = full_line(self, not self.snapshot
      and "waiting for an answer" or look.filter == "" and "no tasks"
      or "no task matches the filter", columns)
  end
end

-- The line at the bottom.
local function bottom_line(self, columns)
  local look, parts = self.look, {}
  if self.before then
    return full_line(self, "filter: " .. look.filter .. "_", columns, "head")
  elseif self.note then
    return full_line(self, self.note, columns, "warning")
  end
  parts[1] = self.paused and "paused" or nil
  if look.filter ~= "" then
    parts[#parts + 1] = ("filter '%s'"):format(look.filter)
  end
  parts[#parts + 1] = "q quit  ? keys  / filter  t tree"
  parts[#parts + 1] = ("sorted by %s"):format(table_.title(look.sort))
  parts[#parts + 1] = look.life and "since start" or nil
  parts[#parts + 1] = ("every %g s"):format(self:interval())
  return full_line(self, table.concat(parts, "  "), columns)
end

-- The lines above the table, which share the `room` with its rows. Two rows are
-- left below the lines about the program, three below warnings.
local function lines_above(self, room, columns)
  local ascii, lines = self.look.ascii, {}
  local function add(list, most, style)
    for i = 1, min(#list, most) do
      lines[#lines + 1] = cut_line(self, list[i], columns, style)
    end
  end
  if self.snapshot then
    add(header.head(self.hello, self.snapshot, ascii), room - 2, "head")
    add(header.warnings(self.snapshot, WARNINGS, ascii), room - #lines - 3,
      "warning")
  end
  return lines
end

local function table_page(self, rows, columns)
  local bottom = rows > 1 and 1 or 0
  local has_titles = rows > 2
  local room = rows - bottom - (has_titles and 1 or 0)
  local lines = lines_above(self, room, columns)
  self.body = max(room - #lines, 1)
  add_table(self, lines, has_titles, columns)
  for i = #lines + 1, rows - bottom do
    lines[i] = {}
  end
  if bottom > 0 then
    lines[rows] = bottom_line(self, columns)
  end
  return lines
end

-- Pages ----------------------------------------------------------------------

-- The title and the lines of the page.
local function page_texts(self, columns)
  if self.page == "help" then
    return "keys", pages.help(columns)
  end
  local now = self.snapshot.by_key[self.task.key]
  local title = now and "one task" or "this task has ended"
  self.task = now or self.task
  return title, pages.detail(self.task, self.snapshot, columns,
    self.look.ascii)
end

local function text_page(self, rows, columns)
  local title, list = page_texts(self, columns)
  self.body = max(rows - 2, 1)
  self.page_first = max(min(self.page_first, #list - self.body + 1), 1)
  local lines = {}
  if rows > 1 then
    lines[1] = full_line(self, title, columns, "title")
  end
  for i = self.page_first, min(self.page_first + self.body - 1, #list) do
    lines[#lines + 1] = cut_line(self, list[i], columns,
      list[i]:find "^!" and "warning" or nil)
  end
  for i = #lines + 1, rows - 1 do
    lines[i] = {}
  end
  if rows > 2 then
    local more = self.page_first + self.body <= #list
    lines[rows] = cut_line(self, more and "q back  Down: more" or "q back",
      columns)
  end
  return lines
end

--- The lines of a screen.
---@param rows integer at least 1
---@param columns integer at least 1
---@return table[] lines as many as there are rows
function View:lines(rows, columns)
  if columns ~= self.columns then
    self.columns, self.look.seen = columns, {}
  end
  local make = self.page and text_page or table_page
  return make(self, rows, columns)
end

--- The lines of the whole table, for an output that is no screen.
---@param columns integer? default: no bound
---@return table[] lines
function View:all_lines(columns)
  local look = self.look
  local width = columns or math.maxinteger
  local lines = lines_above(self, math.maxinteger, width)
  look.seen = {}
  local rows = self:rows()
  local layout = table_.layout(rows, 1, #rows, look, width)
  lines[#lines + 1] = { { table_.titles(layout, look), "head" } }
  for _, row in ipairs(rows) do
    lines[#lines + 1] = table_.line(layout, row, look)
  end
  return lines
end

-- Keys -----------------------------------------------------------------------

-- Each function may return what the caller has to do: "quit", "draw" (the
-- whole screen) or "pace" (the interval has changed).

local function set_look(self, name, value)
  self.look[name] = value
  self.list = nil
end

local function set_pace(self, step)
  self.pace = max(1, min(self.pace + step, #INTERVALS))
  return "pace"
end

local function sort_by(step)
  return function(self)
    set_look(self, "sort", table_.neighbour(self.look.sort, step))
  end
end

local function flip(name)
  return function(self)
    set_look(self, name, not self.look[name])
  end
end

local function open_page(self, page)
  self.page, self.page_first = page, 1
end

local TABLE_KEYS <const> = {
  q = function()
    return "quit"
  end,
  ["?"] = function(self)
    open_page(self, "help")
  end,
  enter = function(self)
    local row = self:rows()[self.index]
    if row then
      self.task = row.task
      open_page(self, "detail")
    end
  end,
  ["<"] = sort_by(-1),
  [">"] = sort_by(1),
  s = sort_by(1),
  r = flip "reverse",
  t = flip "tree",
  b = flip "life",
  ["/"] = function(self)
    self.before = self.look.filter
  end,
  p = function(self)
    self.paused = not self.paused
    return "pace"
  end,
  ["+"] = function(self)
    return set_pace(self, -1)
  end,
  ["-"] = function(self)
    return set_pace(self, 1)
  end,
  escape = function(self)
    set_look(self, "filter", "")
  end,
}
TABLE_KEYS["="] = TABLE_KEYS["+"]

local function close_page(self)
  self.page = nil
end

local PAGE_KEYS <const> = { q = close_page, escape = close_page,
  enter = close_page, left = close_page, ["?"] = close_page,
  backspace = close_page,
  p = TABLE_KEYS.p, ["+"] = TABLE_KEYS["+"], ["-"] = TABLE_KEYS["-"] }

local FAR <const> = math.maxinteger // 2

-- How far a key goes down: rows of the table or lines of a page, and screens.
local STEPS <const> = { up = { -1, 0 }, k = { -1, 0 }, down = { 1, 0 },
  j = { 1, 0 }, ["page-up"] = { 0, -1 }, ["page-down"] = { 0, 1 },
  home = { -FAR, 0 }, ["end"] = { FAR, 0 } }
for key, step in pairs(STEPS) do
  TABLE_KEYS[key] = function(self)
    select_row(self, self.index + step[1] + step[2] * self.body)
  end
  PAGE_KEYS[key] = function(self)
    self.page_first = self.page_first + step[1] + step[2] * self.body
  end
end

-- A key while a filter is typed.
local function type_filter(self, key)
  local filter = self.look.filter
  if key == "enter" then
    self.before = nil
  elseif key == "escape" then
    set_look(self, "filter", self.before)
    self.before = nil
  elseif key == "backspace" then
    set_look(self, "filter", texts.without_last(filter))
  elseif key == "ctrl-u" then
    set_look(self, "filter", "")
  elseif texts.is_typed(key) and #filter < LONGEST
    and not (self.look.ascii and #key > 1) then
    set_look(self, "filter", filter .. key)
  elseif key == "up" or key == "down" then
    TABLE_KEYS[key](self)
  end
end

--- Take a key of keys.lua.
---@param key string
---@return "quit"|"draw"|"pace"|nil action
function View:key(key)
  if key == "ctrl-c" then
    return "quit"
  elseif key == "ctrl-l" then
    return "draw"
  elseif self.before and not self.page then
    return type_filter(self, key)
  end
  local f = (self.page and PAGE_KEYS or TABLE_KEYS)[key]
  return f and f(self)
end

return M
