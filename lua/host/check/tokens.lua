-- The tokens of a Lua text, for names.lua.
--
-- The text is one that `load` has accepted. So a token ends where its pattern
-- ends, and nothing here looks for mistakes.
--
-- Lines are counted as Lua does: "\r\n" and "\n\r" are one end of a line. Texts
-- with "\r" are rewritten first, so that the rest meets "\n" only.

local byte <const>, find <const>, sub <const> =
  string.byte, string.find, string.sub

local keywords <const> = {}
for word in ([[and break do else elseif end false for function goto if in local
  nil not or repeat return then true until while]]):gmatch "%a+" do
  keywords[word] = true
end

-- Operators of two bytes. `...` is looked for before `..`.
local pairs_of_bytes <const> = {
  ["=="] = true, ["~="] = true, ["<="] = true, [">="] = true, ["//"] = true,
  ["::"] = true, ["<<"] = true, [">>"] = true, [".."] = true,
}

-- How a token begins, by its first byte. Other bytes are operators.
local kinds <const> = {}
for code = 0, 255 do
  local c = string.char(code)
  if c:find "[%d]" then
    kinds[code] = "number"
  elseif c:find "[A-Za-z_\x80-\xff]" then
    kinds[code] = "name"
  elseif c == '"' or c == "'" then
    kinds[code] = "string"
  end
end

-- Return the text with "\n" at the end of each line.
local function with_newlines(text)
  if not find(text, "\r", 1, true) then
    return text
  end
  return (text:gsub("[\r\n]+", function(run)
    local lines, at = 0, 1
    while at <= #run do
      local two = sub(run, at, at + 1)
      at = at + ((two == "\r\n" or two == "\n\r") and 2 or 1)
      lines = lines + 1
    end
    return ("\n"):rep(lines)
  end))
end

-- Return how many lines end in text[from..to].
local function lines_in(text, from, to)
  local count = 0
  local at = find(text, "\n", from, true)
  while at and at <= to do
    count = count + 1
    at = find(text, "\n", at + 1, true)
  end
  return count
end

-- Return the last byte of the long bracket that begins at `at`, and the first
-- and last byte of its content; nil if no long bracket begins there.
local function long_bracket(text, at)
  local _, open, level = find(text, "^%[(=*)%[", at)
  if open then
    local close, last = find(text, "]" .. level .. "]", open + 1, true)
    return last, open + 1, close - 1
  end
end

-- Return the place of the first byte after the comment whose "--" is at `at`.
local function after_comment(text, at)
  local last = long_bracket(text, at + 2)
  return last and last + 1 or find(text, "\n", at + 2, true) or #text + 1
end

-- Return the place of the quote that ends the string whose quote is at `at`.
local function end_of_string(text, at)
  local stop = byte(text, at) == 34 and '["\\]' or "['\\]"
  local p = find(text, stop, at + 1)
  while byte(text, p) == 92 do -- a backslash
    p = find(text, stop, p + 2)
  end
  return p
end

local function end_of_number(text, at)
  local _, last = find(text, "^0[xX][%x.]*", at)
  local exponent = "^[pP][+-]?%d+"
  if not last then
    _, last = find(text, "^[%d.]+", at)
    exponent = "^[eE][+-]?%d+"
  end
  local _, more = find(text, exponent, last + 1)
  return more or last
end

local function end_of_operator(text, at)
  if find(text, "^%.%.%.", at) then
    return at + 2
  end
  return pairs_of_bytes[sub(text, at, at + 1)] and at + 1 or at
end

-- Return the place of the next token at or after `at`, which is behind the text
-- at its end, and the line there, if `at` is in line `line`.
local function skip_blanks(text, at, line)
  while true do
    at = find(text, "[^ \t\v\f]", at) or #text + 1
    local c = byte(text, at)
    if c == 10 then
      at, line = at + 1, line + 1
    elseif c == 45 and byte(text, at + 1) == 45 then -- "--"
      local after = after_comment(text, at)
      line = line + lines_in(text, at, after - 1)
      at = after
    else
      return at, line
    end
  end
end

--- Return a function that returns the next token of a text:
---   kind   "name", "number", "string", "end of text", or the keyword or
---          operator itself
---   value  the name; of a string without escapes its content
---   line   where the token begins
return function(text)
  text = with_newlines(text)
  local at, line, ended = 1, 1, false

  local function string_token(first)
    local last, from, to = long_bracket(text, first)
    local value
    if last then
      value = sub(text, from, to):gsub("^\n", "")
    else
      last = end_of_string(text, first)
      value = sub(text, first + 1, last - 1)
      value = not find(value, "\\", 1, true) and value or nil
    end
    at = last + 1
    local begins = line
    line = line + lines_in(text, first, last)
    return "string", value, begins
  end

  return function()
    local first
    first, line = skip_blanks(text, at, line)
    local c = byte(text, first)
    local kind = kinds[c]
    if kind == "name" then
      local _, last = find(text, "^[A-Za-z0-9_\x80-\xff]+", first)
      local word = sub(text, first, last)
      at = last + 1
      return keywords[word] and word or kind, word, line
    elseif kind == "number"
      or c == 46 and kinds[byte(text, first + 1)] == "number" then
      at = end_of_number(text, first) + 1
      return "number", nil, line
    elseif kind == "string" or c == 91 and long_bracket(text, first) then
      return string_token(first)
    elseif not c then
      assert(not ended, "read beyond the end of the text")
      ended = true
      return "end of text", nil, line
    end
    local last = end_of_operator(text, first)
    at = last + 1
    return sub(text, first, last), nil, line
  end
end
