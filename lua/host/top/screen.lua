--- screen.lua: lines of spans as bytes for a terminal or a file
---
--- The screen remembers the rows that the terminal shows, and gives only those
--- that have changed. Each row is put at its own place, and what follows a
--- character that is not ASCII at its own column, so a terminal that takes
--- another width for a character shifts nothing.
local _, part = ...

local texts <const> = part "host.top.texts"

local concat <const>, format <const> = table.concat, string.format

local M = {}

-- A line with the codes of its styles.
local function encode(line, codes, placed)
  local parts, column = {}, 1
  for _, span in ipairs(line) do
    local text, code = span[1], codes[span[2] or ""]
    if code and text:find "%S" then
      parts[#parts + 1] = format("\27[%sm%s\27[0m", code, text)
    else
      parts[#parts + 1] = text
    end
    column = column + texts.width(text)
    if placed and text:find "[\128-\255]" then
      parts[#parts + 1] = format("\27[%dG", column)
    end
  end
  return concat(parts)
end

---@class host.TopScreen
---@field codes table<string, string> style -> SGR
---@field shown table<integer, string> what the rows show
local Screen = {}
Screen.__index = Screen

---@param codes table<string, string>
function M.new(codes)
  return setmetatable({ codes = codes, shown = {} }, Screen)
end

--- Forget what the terminal shows: the next paint() writes all.
function Screen:forget()
  self.shown = {}
end

--- Return the bytes that make the terminal show these lines.
---@param lines table[] as many as the terminal has rows
---@return string
function Screen:paint(lines)
  local parts = {}
  if #self.shown ~= #lines then
    parts[1] = "\27[0m\27[2J"
    self.shown = {}
  end
  for i, line in ipairs(lines) do
    local text = encode(line, self.codes, true)
    if self.shown[i] ~= text then
      self.shown[i] = text
      parts[#parts + 1] = format("\27[%d;1H\27[2K%s", i, text)
    end
  end
  return concat(parts)
end

--- Return lines for a file or a pipe, without blanks at their ends.
---@param lines table[]
---@param codes table<string, string>
---@return string
function M.text(lines, codes)
  local list = {}
  for i, line in ipairs(lines) do
    list[i] = encode(line, codes, false):gsub(" +$", "")
  end
  list[#list + 1] = ""
  return concat(list, "\n")
end

return M
