--- Reads JSON (RFC 8259), strictly: what is no JSON raises an error that names
--- the place.
---
--- Objects and arrays become tables, numbers become integers if they are
--- written so, `null` becomes json.null. A name that occurs twice in an object
--- is an error, and so is a string that is no UTF-8.

local M = {}

--- Stands for `null`.
M.null = setmetatable({}, { __tostring = function()
  return "null"
end })

local ESCAPES <const> = { ['"'] = '"', ["\\"] = "\\", ["/"] = "/", b = "\b",
  f = "\f", n = "\n", r = "\r", t = "\t" }

local function fail(at, why)
  error(("JSON: %s at byte %d"):format(why, at), 0)
end

local function skip_blanks(text, at)
  return text:match("^[ \t\r\n]*()", at)
end

-- Reads what is behind "\u". Returns its character, and the position behind it.
local function read_code(text, at)
  local digits = text:match("^%x%x%x%x", at) or fail(at, "no \\uXXXX")
  local code = tonumber(digits, 16)
  at = at + 4
  if code >= 0xD800 and code < 0xDC00 then
    local low = text:match("^\\u([dD][c-fC-F]%x%x)", at)
      or fail(at, "half a surrogate pair")
    code = 0x10000 + ((code - 0xD800) << 10) + tonumber(low, 16) - 0xDC00
    at = at + 6
  elseif code >= 0xDC00 and code < 0xE000 then
    fail(at, "half a surrogate pair")
  end
  return utf8.char(code), at
end

local function read_string(text, at)
  local parts, first = {}, at
  at = at + 1
  while true do
    local plain, stop, behind = text:match('^([^%c"\\]*)(["\\])()', at)
    if not plain then
      fail(first, "no end of the string")
    end
    parts[#parts + 1] = plain
    if stop == '"' then
      local whole = table.concat(parts)
      return utf8.len(whole) and whole or fail(first, "no UTF-8"), behind
    end
    local letter = text:sub(behind, behind)
    if letter == "u" then
      parts[#parts + 1], at = read_code(text, behind + 1)
    else
      parts[#parts + 1] = ESCAPES[letter] or fail(behind, "no escape")
      at = behind + 1
    end
  end
end

local function read_number(text, at)
  local whole, behind = text:match("^(%-?%d+)()", at)
  if not whole or whole:find "^%-?0%d" then
    fail(at, "no number")
  end
  local part, behind_part = text:match("^(%.%d+)()", behind)
  behind = behind_part or behind
  local power, behind_power = text:match("^([eE][+-]?%d+)()", behind)
  behind = behind_power or behind
  return tonumber(whole .. (part or "") .. (power or "")), behind
end

local read_value -- is declared here, since values contain values

-- Reads values up to a mark: `read_item(at)` reads one, and returns the
-- position behind it. Returns the position behind the mark.
local function read_items(text, at, mark, read_item)
  at = skip_blanks(text, at + 1)
  if text:sub(at, at) == mark then
    return at + 1
  end
  while true do
    at = skip_blanks(text, read_item(skip_blanks(text, at)))
    local sign = text:sub(at, at)
    at = at + 1
    if sign == mark then
      return at
    elseif sign ~= "," then
      fail(at - 1, ("no ',' or '%s'"):format(mark))
    end
  end
end

local function read_array(text, at)
  local list = {}
  return list, read_items(text, at, "]", function(item)
    local behind
    list[#list + 1], behind = read_value(text, item)
    return behind
  end)
end

local function read_object(text, at)
  local object = {}
  return object, read_items(text, at, "}", function(item)
    if text:sub(item, item) ~= '"' then
      fail(item, "no name")
    end
    local name, behind = read_string(text, item)
    if object[name] ~= nil then
      fail(item, ("the name '%s' for the second time"):format(name))
    end
    behind = skip_blanks(text, behind)
    if text:sub(behind, behind) ~= ":" then
      fail(behind, "no ':'")
    end
    object[name], behind = read_value(text, skip_blanks(text, behind + 1))
    return behind
  end)
end

local WORDS <const> = { ["true"] = true, ["false"] = false, null = M.null }
local READERS <const> = { ['"'] = read_string, ["["] = read_array,
  ["{"] = read_object }

function read_value(text, at)
  local reader = READERS[text:sub(at, at)]
  local word, behind = text:match("^(%l+)()", at)
  if reader then
    return reader(text, at)
  elseif word and WORDS[word] ~= nil then
    return WORDS[word], behind
  end
  return read_number(text, at)
end

--- Read a text that is one value.
---@param text string
---@return any value
function M.read(text)
  local value, behind = read_value(text, skip_blanks(text, 1))
  behind = skip_blanks(text, behind)
  if behind <= #text then
    fail(behind, "more than one value")
  end
  return value
end

return M
