--- The screen of a terminal, as xterm would show it: feed it what a program
--- writes, and read its rows.
---
--- It knows the control sequences of terminfo's entry "xterm" that programs in
--- text mode use: moving, erasing, inserting, deleting, scrolling, regions,
--- colours, the alternate screen. It lists in `unknown` what it does not know.
---
--- Invariants: `lines` has all rows since the begin, also those that have been
--- scrolled off; the screen is lines[top + 1] to lines[top + rows]. A line has
--- `cells`, each a text or false for a blank, and their `styles`; a wide
--- character has a cell with the text "" to its right. Above the screen a line
--- has only a `text`. `wrapped` is the width of a line that goes on in the next
--- one. `row` and `col` count from 0. After a character in the last column,
--- `col` stays there and `wrap` is set: only the next character moves to the
--- next row.
---
--- Neighbours: terminal.lua runs programs on it.

local M = {}

local Screen = {}
Screen.__index = Screen

-- Widths. --------------------------------------------------------------------

-- First and last code points of characters without a width, and of wide ones.
local NARROW <const> = { { 0x300, 0x36F }, { 0x483, 0x489 }, { 0x591, 0x5BD },
  { 0x200B, 0x200F }, { 0x2060, 0x2064 }, { 0x20D0, 0x20FF },
  { 0xFE00, 0xFE0F }, { 0xFE20, 0xFE2F }, { 0xFEFF, 0xFEFF } }
local WIDE <const> = { { 0x1100, 0x115F }, { 0x2E80, 0x303E },
  { 0x3041, 0xA4CF }, { 0xAC00, 0xD7A3 }, { 0xF900, 0xFAFF },
  { 0xFE30, 0xFE6F }, { 0xFF00, 0xFF60 }, { 0xFFE0, 0xFFE6 },
  { 0x1F300, 0x1F64F }, { 0x1F680, 0x1F6FF }, { 0x1F900, 0x1F9FF },
  { 0x20000, 0x3FFFD } }

local function is_in(ranges, code)
  for _, range in ipairs(ranges) do
    if code >= range[1] and code <= range[2] then
      return true
    end
  end
  return false
end

--- The columns that a character takes.
---@param code integer
---@return integer width 0, 1 or 2
function M.width(code)
  if code < 0x300 then
    return 1
  end
  return is_in(NARROW, code) and 0 or is_in(WIDE, code) and 2 or 1
end

-- Rows. ----------------------------------------------------------------------

--- Returns the row at which the cursor is, or that of a number.
function Screen:line(row)
  return self.lines[self.top + 1 + (row or self.row)]
end

--- Returns the text of a line: `cols` columns.
local function text_of(line, cols)
  if line.text then
    return line.text
  end
  local parts = {}
  for i = 1, cols do
    parts[i] = line.cells[i] or " "
  end
  return table.concat(parts)
end

local function new_line()
  return { cells = {}, styles = {}, wrapped = nil }
end

--- Make the rows of the screen exist.
function Screen:fill()
  for i = #self.lines + 1, self.top + self.rows do
    self.lines[i] = new_line()
  end
end

--- Take the first row off the screen, and keep its text.
function Screen:keep_row()
  local line = self:line(0)
  self.lines[self.top + 1] = { text = text_of(line, self.cols),
    wrapped = line.wrapped }
  self.top = self.top + 1
end

--- Erase the cells of a row from a column to another one.
function Screen:erase(row, from, to)
  local line = self:line(row)
  for i = from + 1, math.min(to, self.cols - 1) + 1 do
    line.cells[i] = false
  end
  if to >= self.cols - 1 then
    line.wrapped = nil
  end
end

--- Move the rows of the region from `row` on up by `count`; negative: down.
--- With `keep`, rows that leave the whole screen at its top are kept above it.
function Screen:scroll(row, count, keep)
  local whole = keep and row == 0 and self.bottom == self.rows - 1
    and not self.main
  for _ = 1, math.min(math.abs(count), self.rows) do
    if count > 0 and whole then
      self:keep_row()
      self:fill()
    elseif count > 0 then
      table.remove(self.lines, self.top + 1 + row)
      table.insert(self.lines, self.top + 1 + self.bottom, new_line())
    else
      table.remove(self.lines, self.top + 1 + self.bottom)
      table.insert(self.lines, self.top + 1 + row, new_line())
    end
  end
end

function Screen:down()
  self.wrap = false
  if self.row == self.bottom then
    self:scroll(self.region_top, 1, true)
  elseif self.row < self.rows - 1 then
    self.row = self.row + 1
  end
end

function Screen:up()
  self.wrap = false
  if self.row == self.region_top then
    self:scroll(self.region_top, -1)
  elseif self.row > 0 then
    self.row = self.row - 1
  end
end

--- Move the cursor, within the screen.
function Screen:go(row, col)
  self.wrap = false
  self.row = math.max(0, math.min(row, self.rows - 1))
  self.col = math.max(0, math.min(col, self.cols - 1))
end

-- Characters. ----------------------------------------------------------------

function Screen:wrap_now()
  self:line().wrapped = self.cols
  self:down()
  self.col = 0
end

--- Append a character without a width to the one before the cursor.
function Screen:combine(text)
  local at = self.wrap and self.col + 1 or self.col
  local cells = self:line().cells
  if cells[at] == "" then
    at = at - 1
  end
  if cells[at] then
    cells[at] = cells[at] .. text
  end
end

--- Insert `count` blanks at the cursor.
function Screen:insert_cells(count)
  local line = self:line()
  for i = self.cols, self.col + 1, -1 do
    local from = i - count
    line.cells[i] = from > self.col and line.cells[from] or false
    line.styles[i] = line.styles[from]
  end
end

function Screen:delete_cells(count)
  local line = self:line()
  for i = self.col + 1, self.cols do
    line.cells[i] = line.cells[i + count] or false
    line.styles[i] = line.styles[i + count]
  end
end

function Screen:put(text, code)
  local width = M.width(code)
  if width == 0 then
    self:combine(text)
    return
  end
  if self.autowrap and (self.wrap or self.col + width > self.cols) then
    self:wrap_now()
  end
  if self.modes["4"] then
    self:insert_cells(width)
  end
  self.last = text
  local line = self:line()
  line.cells[self.col + 1] = text
  line.styles[self.col + 1] = self.style
  if width == 2 then
    line.cells[self.col + 2] = ""
  end
  self.wrap = self.col + width >= self.cols
  self.col = math.min(self.col + width, self.cols - 1)
end

local controls = {
  ["\7"] = function(s)
    s.bells = s.bells + 1
  end,
  ["\b"] = function(s)
    s:go(s.row, s.col - 1)
  end,
  ["\t"] = function(s)
    s:go(s.row, (s.col // 8 + 1) * 8)
  end,
  ["\n"] = Screen.down,
  ["\v"] = Screen.down,
  ["\f"] = Screen.down,
  ["\r"] = function(s)
    s:go(s.row, 0)
  end,
  ["\0"] = function() end,
}

-- Control sequences. ---------------------------------------------------------

--- Set the style: the parameters of SGR since the last reset, joined by ";".
local function set_style(s, _, list)
  for _, number in ipairs(list) do
    s.style = number == 0 and ""
      or (s.style == "" and "" or s.style .. ";") .. math.tointeger(number)
  end
  if #list == 0 then
    s.style = ""
  end
end

--- Show the alternate screen, or the main one again.
local function alternate(s, on)
  if on and not s.main then
    s.main = { lines = s.lines, top = s.top, row = s.row, col = s.col }
    s.lines, s.top = {}, 0
    s:fill()
  elseif not on and s.main then
    s.lines, s.top = s.main.lines, s.main.top
    s:go(s.main.row, s.main.col)
    s.main = nil
  end
end

local function set_mode(s, mode, on)
  s.modes[mode] = on or nil
  if mode == "?7" then
    s.autowrap = on
  elseif mode == "?1049" or mode == "?47" or mode == "?1047" then
    alternate(s, on)
  end
end

local function erase_screen(s, n)
  local from = n == 0 and s.row + 1 or 0
  local to = n == 1 and s.row - 1 or s.rows - 1
  for row = from, to do
    s:erase(row, 0, s.cols - 1)
  end
end

local function erase_line(s, n)
  s.wrap = false
  s:erase(s.row, n == 0 and s.col or 0, n == 1 and s.col or s.cols - 1)
end

-- The functions get the screen, the first parameter (1 if it is missing or 0),
-- the list of parameters, and a "?" or "".
local sequences = {
  A = function(s, n)
    s:go(math.max(s.row - n, s.row >= s.region_top and s.region_top or 0),
      s.col)
  end,
  B = function(s, n)
    s:go(math.min(s.row + n, s.row <= s.bottom and s.bottom or s.rows), s.col)
  end,
  C = function(s, n)
    s:go(s.row, s.col + n)
  end,
  D = function(s, n)
    s:go(s.row, s.col - n)
  end,
  E = function(s, n)
    s:go(s.row + n, 0)
  end,
  F = function(s, n)
    s:go(s.row - n, 0)
  end,
  G = function(s, n)
    s:go(s.row, n - 1)
  end,
  H = function(s, n, list)
    s:go(n - 1, math.max(list[2] or 1, 1) - 1)
  end,
  J = function(s, _, list)
    local n = list[1] or 0
    if n < 2 then
      erase_line(s, n)
    end
    erase_screen(s, n)
  end,
  K = function(s, _, list)
    erase_line(s, list[1] or 0)
  end,
  L = function(s, n)
    s:scroll(s.row, -n)
    s:go(s.row, 0)
  end,
  M = function(s, n)
    s:scroll(s.row, n)
    s:go(s.row, 0)
  end,
  P = function(s, n)
    s.wrap = false
    s:delete_cells(n)
  end,
  ["@"] = function(s, n)
    s.wrap = false
    s:insert_cells(n)
  end,
  S = function(s, n)
    s:scroll(s.region_top, n, true)
  end,
  T = function(s, n)
    s:scroll(s.region_top, -n)
  end,
  X = function(s, n)
    s.wrap = false
    s:erase(s.row, s.col, s.col + n - 1)
  end,
  b = function(s, n)
    for _ = 1, n do
      s:put(s.last, utf8.codepoint(s.last))
    end
  end,
  d = function(s, n)
    s:go(n - 1, s.col)
  end,
  m = set_style,
  n = function(s, n)
    if n == 6 then
      s.replies = ("%s\27[%d;%dR"):format(s.replies, s.row + 1, s.col + 1)
    end
  end,
  r = function(s, n, list)
    s.region_top = n - 1
    s.bottom = math.min(list[2] or s.rows, s.rows) - 1
    s:go(0, 0)
  end,
}
sequences.f = sequences.H
sequences["`"] = sequences.G

function sequences.h(s, _, list, private)
  for _, number in ipairs(list) do
    set_mode(s, private .. math.tointeger(number), true)
  end
end

function sequences.l(s, _, list, private)
  for _, number in ipairs(list) do
    set_mode(s, private .. math.tointeger(number), false)
  end
end

local function save(s)
  s.saved = { s.row, s.col, s.style }
end

local function restore(s)
  s:go(s.saved[1], s.saved[2])
  s.style = s.saved[3]
end

sequences.s, sequences.u = save, restore

local function ignore() end

local escapes = {
  ["7"] = save,
  ["8"] = restore,
  D = Screen.down,
  M = Screen.up,
  E = function(s)
    s.col = 0
    s:down()
  end,
  ["="] = ignore,
  [">"] = ignore,
}

function Screen:control_sequence(private, numbers, middle, final)
  local list = {}
  for number in (numbers .. ";"):gmatch "([%d]*)[;:]" do
    list[#list + 1] = tonumber(number) or 0
  end
  if numbers == "" then
    list = {}
  end
  local f = sequences[final]
  if not f or middle ~= "" or (private ~= "" and not final:find "[hl]") then
    self.unknown[#self.unknown + 1] = private .. numbers .. middle .. final
    return
  end
  f(self, math.max(list[1] or 1, 1), list, private)
end

-- Reading the output. --------------------------------------------------------

--- Read an escape sequence at `at`. Returns the position behind it, or nil if
--- its end is still to come.
function Screen:escape(text, at)
  local private, numbers, middle, final, behind =
    text:match("^\27%[([<-?]?)([%d;:]*)([ -/]*)([@-~])()", at)
  if behind then
    self:control_sequence(private, numbers, middle, final)
    return behind
  end
  local next_byte = text:sub(at + 1, at + 1)
  if next_byte == "]" then
    return text:match("^[^\7\27]*\7()", at + 2)
      or text:match("^[^\7\27]*\27\\()", at + 2)
  elseif next_byte == "(" or next_byte == ")" then
    return #text >= at + 2 and at + 3 or nil
  elseif next_byte == "" or (next_byte == "[" and not text:find("^[ -?]*[^ -?]",
    at + 2)) then
    return nil
  end
  if escapes[next_byte] then
    escapes[next_byte](self)
  else
    self.unknown[#self.unknown + 1] = next_byte
  end
  return at + 2
end

--- The bytes of the character that begins with this byte.
local function length(byte)
  return byte < 0xC0 and 1 or byte < 0xE0 and 2 or byte < 0xF0 and 3 or 4
end

--- Show the character at `at`. Returns the position behind it, or nil if its
--- end is still to come.
function Screen:character(text, at)
  local bytes = length(text:byte(at))
  if at + bytes - 1 > #text then
    return nil
  end
  local char = text:sub(at, at + bytes - 1)
  if not utf8.len(char) then
    self:put("\u{FFFD}", 0xFFFD)
    return at + 1
  end
  self:put(char, utf8.codepoint(char))
  return at + bytes
end

--- Show the plain characters at `at` that leave the last column free, if that
--- needs no care. Returns the position behind them, or nil.
function Screen:plain(text, at)
  local room = self.cols - 1 - self.col
  local run = room > 0 and not self.modes["4"] and text:match("^[ -~]+", at)
  if not run then
    return nil
  end
  local line, count = self:line(), math.min(#run, room)
  for i = 1, count do
    line.cells[self.col + i] = run:sub(i, i)
    line.styles[self.col + i] = self.style
  end
  self.col = self.col + count
  self.last = run:sub(count, count)
  return at + count
end

--- Show what a program has written. It may end within a character or sequence.
---@param output string
function Screen:feed(output)
  local text = self.rest .. output
  local at = 1
  while at and at <= #text do
    local char = text:sub(at, at)
    self.at = at
    if char == "\27" then
      at = self:escape(text, at)
    elseif controls[char] then
      controls[char](self)
      at = at + 1
    elseif char < " " or char == "\127" then
      at = at + 1
    else
      at = self:plain(text, at) or self:character(text, at)
    end
  end
  self.rest = at and "" or text:sub(self.at)
end

--- Change the size. Rows leave at the bottom as long as they are below the
--- cursor, then at the top. Texts are not wrapped anew.
function Screen:resize(rows, cols)
  local over = self.row - (rows - 1)
  if over > 0 then
    for _ = 1, over do
      self:keep_row()
    end
  end
  for i = #self.lines, self.top + rows + 1, -1 do
    self.lines[i] = nil
  end
  self.rows, self.cols = rows, cols
  self:fill()
  for row = 0, rows - 1 do
    local cells = self:line(row).cells
    for i = #cells, cols + 1, -1 do
      cells[i] = nil
    end
  end
  self.region_top, self.bottom = 0, rows - 1
  self:go(self.row - math.max(over, 0), self.col)
end

-- Looking at it. -------------------------------------------------------------

--- Returns the text of a row, without blanks at its end.
---@param row integer from 1; 0 and less: rows that have been scrolled off
---@return string
function Screen:row_text(row)
  local line = self.lines[self.top + row]
  return line and text_of(line, self.cols):gsub(" +$", "") or ""
end

--- Returns the texts of all rows.
---@return string[]
function Screen:texts()
  local list = {}
  for row = 1, self.rows do
    list[row] = self:row_text(row)
  end
  return list
end

--- Returns everything that is to be seen from a row on, up to the last row that
--- is not empty. A text that the terminal has wrapped is one line.
---@param first integer? number of the row, from 1, since the begin
---@return string
function Screen:transcript(first)
  local parts = {}
  for i = first or 1, #self.lines do
    local line = self.lines[i]
    local text = text_of(line, line.wrapped or self.cols)
    parts[#parts + 1] = line.wrapped and text or text:gsub(" +$", "") .. "\n"
  end
  return (table.concat(parts):gsub("\n+$", "\n"))
end

--- Returns the style of a text on the screen: the parameters of its colours,
--- such as "1;31"; nil: the text is not there.
---@param text string
---@return string?
function Screen:style_of(text)
  for row = self.rows, 1, -1 do
    local at = self:row_text(row):find(text, 1, true)
    if at then
      local before = utf8.len(self:row_text(row):sub(1, at - 1))
      return self.lines[self.top + row].styles[before + 1]
    end
  end
  return nil
end

--- Returns a picture of the screen for messages, without empty rows at its end,
--- and the cursor's place.
---@return string
function Screen:picture()
  local frame = "+" .. ("-"):rep(self.cols) .. "+"
  local list = { frame }
  local last = self.rows
  while last > self.row + 1 and self:row_text(last) == "" do
    last = last - 1
  end
  for row = 1, last do
    list[#list + 1] = "|" .. text_of(self.lines[self.top + row], self.cols)
      .. "|"
  end
  list[#list + 1] = frame
  list[#list + 1] = ("cursor: row %d, column %d"):format(self.row + 1,
    self.col + 1)
  if #self.unknown > 0 then
    list[#list + 1] = "unknown sequences: " .. table.concat(self.unknown, " ")
  end
  return table.concat(list, "\n")
end

--- Make an empty screen.
---@param rows integer
---@param cols integer
function M.new(rows, cols)
  local screen = setmetatable({ rows = rows, cols = cols, lines = {}, top = 0,
    row = 0, col = 0, wrap = false, autowrap = true, region_top = 0,
    bottom = rows - 1, style = "", modes = {}, saved = { 0, 0, "" },
    rest = "", replies = "", last = " ", bells = 0, unknown = {} }, Screen)
  screen:fill()
  return screen
end

return M
