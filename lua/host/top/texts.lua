--- texts.lua: texts of other programs, made harmless and cut to columns
---
--- A name that comes from the program under inspection may contain anything. A
--- *clean* text has only characters that a terminal shows: no control
--- character, no byte that is no UTF-8, nothing that changes the direction of
--- the text. Only clean texts go to a terminal.
---
---   text ─► clean ─► fit ─► exactly so many columns
---
--- Widths are those of Unicode 15: 2 for characters of East Asian width W or F
--- and for emoji, 0 for marks that combine. A terminal may differ in some of
--- them; the screen therefore starts each row anew.

local byte <const>, format <const> = string.byte, string.format
local concat <const> = table.concat
local char <const>, codes <const>, codepoint <const> = utf8.char, utf8.codes,
  utf8.codepoint

--- So many marks may combine with one character; more are left out.
local MARKS <const> = 2

local M = {}

-- Widths ---------------------------------------------------------------------

-- First and last code points.
local NONE <const> = { 0x300, 0x36F, 0x483, 0x489, 0x591, 0x5BD, 0x610, 0x61A,
  0x64B, 0x65F, 0x6D6, 0x6DC, 0x6DF, 0x6E4, 0x730, 0x74A, 0x93A, 0x93A, 0x93C,
  0x93C, 0x941, 0x948, 0x94D, 0x94D, 0xE31, 0xE31, 0xE34, 0xE3A, 0xE47, 0xE4E,
  0x1AB0, 0x1ACE, 0x1DC0, 0x1DFF, 0x200B, 0x200D, 0x2060, 0x2064, 0x20D0,
  0x20F0, 0x302A, 0x302D, 0x3099, 0x309A, 0xFE00, 0xFE0F, 0xFE20, 0xFE2F,
  0xFEFF, 0xFEFF, 0xE0100, 0xE01EF }
local WIDE <const> = { 0x1100, 0x115F, 0x231A, 0x231B, 0x2329, 0x232A, 0x23E9,
  0x23EC, 0x23F0, 0x23F0, 0x23F3, 0x23F3, 0x25FD, 0x25FE, 0x2614, 0x2615,
  0x2648, 0x2653, 0x267F, 0x267F, 0x2693, 0x2693, 0x26A1, 0x26A1, 0x26AA,
  0x26AB, 0x26BD, 0x26BE, 0x26C4, 0x26C5, 0x26CE, 0x26CE, 0x26D4, 0x26D4,
  0x26EA, 0x26EA, 0x26F2, 0x26F3, 0x26F5, 0x26F5, 0x26FA, 0x26FA, 0x26FD,
  0x26FD, 0x2705, 0x2705, 0x270A, 0x270B, 0x2728, 0x2728, 0x274C, 0x274C,
  0x274E, 0x274E, 0x2753, 0x2755, 0x2757, 0x2757, 0x2795, 0x2797, 0x27B0,
  0x27B0, 0x27BF, 0x27BF, 0x2B1B, 0x2B1C, 0x2B50, 0x2B50, 0x2B55, 0x2B55,
  0x2E80, 0x303E, 0x3041, 0x33FF, 0x3400, 0x4DBF, 0x4E00, 0xA4CF, 0xA960,
  0xA97F, 0xAC00, 0xD7A3, 0xF900, 0xFAFF, 0xFE30, 0xFE6F, 0xFF00, 0xFF60,
  0xFFE0, 0xFFE6, 0x1F004, 0x1F004, 0x1F0CF, 0x1F0CF, 0x1F18E, 0x1F18E,
  0x1F191, 0x1F19A, 0x1F200, 0x1F320, 0x1F32D, 0x1F335, 0x1F337, 0x1F37C,
  0x1F37E, 0x1F393, 0x1F3A0, 0x1F3CA, 0x1F3CF, 0x1F3D3, 0x1F3E0, 0x1F3F0,
  0x1F3F4, 0x1F3F4, 0x1F3F8, 0x1F43E, 0x1F440, 0x1F440, 0x1F442, 0x1F4FC,
  0x1F4FF, 0x1F53D, 0x1F54B, 0x1F54E, 0x1F550, 0x1F567, 0x1F57A, 0x1F57A,
  0x1F595, 0x1F596, 0x1F5A4, 0x1F5A4, 0x1F5FB, 0x1F64F, 0x1F680, 0x1F6C5,
  0x1F6CC, 0x1F6CC, 0x1F6D0, 0x1F6D2, 0x1F6D5, 0x1F6D7, 0x1F6DC, 0x1F6DF,
  0x1F6EB, 0x1F6EC, 0x1F6F4, 0x1F6FC, 0x1F7E0, 0x1F7EB, 0x1F7F0, 0x1F7F0,
  0x1F90C, 0x1F93A, 0x1F93C, 0x1F945, 0x1F947, 0x1F9FF, 0x1FA70, 0x1FAFF,
  0x20000, 0x3FFFD }

-- Is the code in one of the ranges, which are in order?
local function is_in(ranges, code)
  local low, high = 1, #ranges // 2
  while low <= high do
    local middle = (low + high) // 2
    if code < ranges[2 * middle - 1] then
      high = middle - 1
    elseif code > ranges[2 * middle] then
      low = middle + 1
    else
      return true
    end
  end
  return false
end

local function width_of(code)
  if code < 0x300 then
    return 1
  end
  return is_in(NONE, code) and 0 or is_in(WIDE, code) and 2 or 1
end

--- The columns of a clean text.
---@param text string
---@return integer
function M.width(text)
  if not text:find "[\128-\255]" then
    return #text
  end
  local width = 0
  for _, code in codes(text) do
    width = width + width_of(code)
  end
  return width
end

-- Cleaning -------------------------------------------------------------------

local ESCAPES <const> = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

local function escaped(letter)
  return ESCAPES[letter] or format("\\x%02x", byte(letter))
end

-- Characters that are shown by their number: C1 controls, separators of lines,
-- marks of direction, private ones, and what is no character.
local HARMFUL <const> = { 0x80, 0x9F, 0x61C, 0x61C, 0x200E, 0x200F, 0x2028,
  0x202E, 0x2066, 0x2069, 0xE000, 0xF8FF, 0xFFF9, 0xFFFB, 0xFFFE, 0xFFFF,
  0xE0000, 0xE007F, 0xF0000, 0x7FFFFFFF }

-- Append the characters of a text that is valid UTF-8.
local function add_characters(parts, text, ascii)
  local marks = 0
  for _, code in codes(text) do
    if is_in(HARMFUL, code) then
      parts[#parts + 1] = format("\\u{%x}", code)
    elseif code < 0x80 then
      parts[#parts + 1] = char(code)
    elseif ascii then
      parts[#parts + 1] = "?"
    else
      marks = width_of(code) == 0 and marks + 1 or 0
      if marks <= MARKS then
        parts[#parts + 1] = char(code)
      end
    end
  end
end

local function clean_bytes(text, ascii)
  local parts, at = {}, 1
  while at <= #text do
    local good, bad = utf8.len(text, at)
    local behind = good and #text + 1 or bad
    add_characters(parts, text:sub(at, behind - 1), ascii)
    if behind <= #text then
      parts[#parts + 1] = escaped(text:sub(behind, behind))
    end
    at = behind + 1
  end
  return concat(parts)
end

--- Return the text without what could change the state of a terminal.
---@param text string any bytes
---@param ascii? boolean the terminal shows ASCII only
---@return string clean
function M.clean(text, ascii)
  if text:find "[%c\127]" then
    text = text:gsub("[%c\127]", escaped)
  end
  return text:find "[\128-\255]" and clean_bytes(text, ascii) or text
end

-- Fitting --------------------------------------------------------------------

--- Return the longest start of a clean text that has at most `columns`, and its
--- columns.
---@param text string
---@param columns integer
---@return string start
---@return integer width
function M.head(text, columns)
  if not text:find "[\128-\255]" then
    text = text:sub(1, columns)
    return text, #text
  end
  local width = 0
  for at, code in codes(text) do
    local own = width_of(code)
    if width + own > columns then
      return text:sub(1, at - 1), width
    end
    width = width + own
  end
  return text, width
end

--- Return a clean text with at most `columns`, cut with an ellipsis, and its
--- columns.
---@param text string
---@param columns integer
---@param ascii? boolean
---@return string
---@return integer width
function M.shorten(text, columns, ascii)
  local width = M.width(text)
  if width <= columns then
    return text, width
  elseif columns < 1 then
    return "", 0
  end
  text, width = M.head(text, columns - 1)
  return text .. (ascii and "~" or "…"), width + 1
end

--- As shorten(), but the end of the text is kept, as of "/path/to/file.lua:3".
---@param text string
---@param columns integer
---@param ascii? boolean
---@return string
function M.shorten_start(text, columns, ascii)
  local left_out = M.width(text) - columns
  if left_out <= 0 then
    return text
  elseif columns < 1 then
    return ""
  end
  local start, width = M.head(text, left_out + 1)
  if width < left_out + 1 then -- a wide character stands in between
    start = M.head(text, left_out + 2)
  end
  return (ascii and "~" or "…") .. text:sub(#start + 1)
end

--- Return a clean text with exactly `columns`: cut with an ellipsis, or with
--- blanks behind it, or before it if `right`.
---@param text string
---@param columns integer
---@param right? boolean
---@param ascii? boolean
---@return string
function M.fit(text, columns, right, ascii)
  local width
  text, width = M.shorten(text, columns, ascii)
  local blanks = (" "):rep(columns - width)
  return right and blanks .. text or text .. blanks
end

--- Cut a clean text into lines of at most `columns`.
---@param text string
---@param columns integer at least 2
---@return string[] lines at least one
function M.wrap(text, columns)
  local lines = {}
  repeat
    local line = M.head(text, columns)
    lines[#lines + 1] = line
    text = text:sub(#line + 1)
  until text == ""
  return lines
end

--- Return the text without its last character.
---@param text string clean
---@return string
function M.without_last(text)
  local at = utf8.offset(text, -1)
  return at and text:sub(1, at - 1) or ""
end

--- May the user type this character into a text?
---@param key string
---@return boolean
function M.is_typed(key)
  return utf8.len(key) == 1 and M.clean(key) == key and codepoint(key) >= 32
end

return M
