--- keys.lua: the names of keys in what a terminal sends
---
--- A key is "up", "page-down", "enter", "escape", "ctrl-l" and so on, or the
--- character itself. A sequence of an unknown key is left out. A lone Escape
--- looks like the begin of a sequence. Only the caller sees that nothing
--- follows soon; then it calls Keys:flush().

local M = {}

local FINALS <const> = { A = "up", B = "down", C = "right", D = "left",
  H = "home", F = "end" }
local NUMBERS <const> = { ["1"] = "home", ["4"] = "end", ["5"] = "page-up",
  ["6"] = "page-down", ["7"] = "home", ["8"] = "end", ["3"] = "delete" }
local CONTROLS <const> = { ["\r"] = "enter", ["\n"] = "enter",
  ["\t"] = "tab", ["\b"] = "backspace", ["\127"] = "backspace" }

--- A sequence that has no end after so many bytes is none.
local MOST <const> = 32

---@class host.TopKeys
---@field rest string the begin of a key
local Keys = {}
Keys.__index = Keys

function M.new()
  return setmetatable({ rest = "" }, Keys)
end

-- Read the sequence at `at`, which is an ESC. Returns the position behind it,
-- and its key if it has one; nil: its end is still to come.
local function read_sequence(text, at)
  local final, behind = text:match("^\27O(%a)()", at)
  if final then
    return behind, FINALS[final]
  end
  local numbers
  numbers, final, behind = text:match("^\27%[([0-?]*)[ -/]*([@-~])()", at)
  if final then
    return behind, final == "~" and NUMBERS[numbers:match "^%d*"]
      or FINALS[final]
  elseif text:find("^\27[O%[]?[0-?]*[ -/]*$", at) and #text - at < MOST then
    return nil
  elseif text:find("^\27[O%[]", at) then
    return at + 2, nil -- no sequence after all
  end
  return at + 1, "escape"
end

-- Read the character at `at`.
local function read_character(text, at)
  local first = text:sub(at, at)
  if CONTROLS[first] then
    return at + 1, CONTROLS[first]
  elseif first < " " then
    return at + 1, "ctrl-" .. string.char(first:byte() + 96)
  elseif first < "\128" then
    return at + 1, first
  end
  local size = first < "\xC2" and 1 or first < "\xE0" and 2
    or first < "\xF0" and 3 or 4
  local char = text:sub(at, at + size - 1)
  if utf8.len(char) then
    return at + size, char
  elseif at + size - 1 > #text and char:find "^.[\128-\191]*$" then
    return nil
  end
  return at + 1, nil
end

--- Take what the terminal has sent.
---@param bytes string
---@return string[] keys
function Keys:feed(bytes)
  local text, at, keys = self.rest .. bytes, 1, {}
  self.rest = ""
  while at <= #text do
    local read = text:sub(at, at) == "\27" and read_sequence or read_character
    local behind, key = read(text, at)
    if not behind then
      self.rest = text:sub(at)
      break
    end
    keys[#keys + 1] = key
    at = behind
  end
  return keys
end

--- Is there the begin of a key whose end is still to come?
function Keys:is_waiting()
  return self.rest ~= ""
end

--- Nothing has followed: an Escape was the key.
---@return string[] keys
function Keys:flush()
  local rest = self.rest
  self.rest = ""
  return rest == "\27" and { "escape" } or {}
end

return M
