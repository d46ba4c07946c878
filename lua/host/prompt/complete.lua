--- complete.lua: what may stand at the cursor of the prompt [R40]
---
--- The words of Lua are completed by the values that are there: globals, fields
--- and methods, along chains such as `a.b[1].c:`, and through __index tables.
--- No code of a user runs for that: tables are read raw, and an __index that is
--- a function is called only if it is a C function of a class of the library.
---
---   text ─► command_words, file names, or: split() ─► value_of() ─► names_of()
---
--- The names of a class of the library come from the table of its methods,
--- which is an upvalue of its __index, and from FIELDS.
---
--- Neighbours: repl.lua calls this for the editor, commands.lua has the
--- commands of the prompt.
local aw = ...

local getinfo <const>, getmetatable <const> = debug.getinfo, debug.getmetatable
local getupvalue <const> = debug.getupvalue
local next <const>, pcall <const> = next, pcall
local rawget <const>, type <const> = rawget, type
local sort <const> = table.sort

local MOST_NAMES <const> = 1000 -- candidates of one completion
local MOST_KEYS <const> = 100000 -- keys of a table that are looked at
local MOST_TEXT <const> = 100000 -- bytes that are searched for strings
local MOST_CHAIN <const> = 300 -- bytes at the end that are a chain
local DEEPEST <const> = 20 -- __index tables of a value

local KEYWORDS <const> = { "and", "break", "do", "else", "elseif", "end",
  "false", "for", "function", "goto", "if", "in", "local", "nil", "not", "or",
  "repeat", "return", "then", "true", "until", "while" }

--- Fields that an __index function of the library computes, by class.
local FIELDS <const> = {
  ["aiowire.EventLoop"] = { "name", "status", "stuck", "failure", "waited" },
  ["aiowire.Task"] = { "id", "name", "status", "waiting", "started_at", "age",
    "steps", "background" },
  ["aiowire.Info"] = { "err", "traceback", "waited", "task", "id", "name",
    "chain", "started_at", "attempts", "cause", "suppressed" },
  ["aiowire.Process"] = { "pid", "stdin", "stdout", "stderr" },
  ["aiowire.Thread"] = { "status", "name", "id" },
}

--- Fields of the library that are opened by their first use.
local LATE <const> = { "zmq", "locals", "tcp", "unix", "udp", "dns", "fs",
  "pool" }

-- Looking into values --------------------------------------------------------

local function index_of(value)
  local meta = getmetatable(value)
  return meta and rawget(meta, "__index"), meta
end

--- Is the __index function `f` of the metatable one of this library?
local function is_ours(value, f, meta)
  local name = rawget(meta, "__name")
  return getinfo(f, "S").what == "C" and (value == aw
    or type(name) == "string" and name:find("^aiowire%.") ~= nil)
end

--- Return the field `key` of a value, without running code of a user.
local function field(value, key)
  for _ = 1, DEEPEST do
    if type(value) == "table" then
      local found = rawget(value, key)
      if found ~= nil then
        return found
      end
    end
    local index, meta = index_of(value)
    if type(index) == "function" and is_ours(value, index, meta) then
      local ok, found = pcall(index, value, key)
      return ok and found or nil
    elseif type(index) ~= "table" then
      return nil
    end
    value = index
  end
end

local function is_callable(value)
  local meta = getmetatable(value)
  return type(value) == "function"
    or type(meta) == "table" and rawget(meta, "__call") ~= nil
end

--- A set of names that begin with `word`; with `methods`, only of functions.
local function new_names(word, methods)
  return { word = word, methods = methods, count = 0, set = {} }
end

local function add_name(names, name, value)
  if type(name) ~= "string" or names.set[name] or names.count >= MOST_NAMES
    or name:sub(1, #names.word) ~= names.word
    or not name:find "^[%a_][%w_]*$"
    or names.word == "" and name:find "^__"
    or names.methods and not is_callable(value) then
    return
  end
  names.set[name] = true
  names.count = names.count + 1
end

local function add_keys(names, t)
  local looked = 0
  for key, value in next, t do
    add_name(names, key, value)
    looked = looked + 1
    if looked == MOST_KEYS then
      return
    end
  end
end

--- Add the names that the __index function of a class in C knows.
local function add_class(names, value, f, meta)
  if getinfo(f, "S").what ~= "C" then
    return
  end
  for i = 1, 3 do
    local _, methods = getupvalue(f, i)
    if type(methods) == "table" and methods ~= meta then
      add_keys(names, methods)
    end
  end
  for _, name in ipairs(value == aw and LATE
    or FIELDS[rawget(meta, "__name")] or {}) do
    add_name(names, name)
  end
end

--- Add the names of all fields of a value.
local function add_fields(names, value)
  for _ = 1, DEEPEST do
    if type(value) == "table" then
      add_keys(names, value)
    end
    local index, meta = index_of(value)
    if type(index) == "function" then
      return add_class(names, value, index, meta)
    elseif type(index) ~= "table" then
      return
    end
    value = index
  end
end

-- Reading the text -----------------------------------------------------------

--- Take the last link of a chain of indexing from the end of a text. Return the
--- text before it and its key.
local function last_link(text)
  local rest, key = text:match "^(.-)([%a_][%w_]*)%s*$"
  if rest then
    return rest, key, true
  end
  rest, key = text:match "^(.*)%[%s*(%-?%d+)%s*%]%s*$"
  if rest then
    return rest, math.tointeger(key)
  end
  local _
  rest, _, key = text:match "^(.*)%[%s*([\"'])([^\"'\\]*)%2%s*%]%s*$"
  return rest, key
end

--- Return the value of the expression at the end of a text, if it is a chain of
--- indexing from a global, or a string in parentheses.
local function value_of(text)
  if text:find "%(%s*([\"'])[^\"'\\]*%1%s*%)%s*$" then
    return ""
  end
  local keys = {}
  while true do
    local rest, key, is_name = last_link(text)
    if key == nil then
      return nil
    end
    table.insert(keys, 1, key)
    text = is_name and rest:match "^(.*[^.])%.%s*$" or rest
    if is_name and text == rest then
      break -- the first name
    end
  end
  if text:find "[%w_.:]%s*$" and not text:find "%.%.%s*$"
    and not text:find "%f[%w_]%l+%s+$" then
    return nil -- a method, or the end of a number
  end
  local value = _G
  for _, key in ipairs(keys) do
    value = field(value, key)
    if value == nil then
      return nil
    end
  end
  return value
end

--- Return the place of the quote `mark` that closes a string, from `at` on.
local function closing_quote(text, mark, at)
  repeat
    at = text:find("[\\" .. mark .. "]", at)
    local escape = at and text:byte(at) == 92
    at = escape and at + 2 or at
  until not escape
  return at
end

--- Is the end of a text inside a string or a comment?
local function is_quoted(text)
  local at = text:find "[\"'%-%[]"
  while at do
    local char = text:sub(at, at)
    local is_comment = text:find("^%-%-", at) ~= nil
    local level = text:match(is_comment and "^%-%-%[(=*)%[" or "^%[(=*)%[", at)
    local last = at
    if level then
      local _, bracket = text:find("]" .. level .. "]", at + #level + 2, true)
      last = bracket
    elseif is_comment then
      last = text:find("\n", at, true)
    elseif char == '"' or char == "'" then
      last = closing_quote(text, char, at + 1)
    end
    if not last then
      return true
    end
    at = text:find("[\"'%-%[]", last + 1)
  end
  return false
end

-- Completing -----------------------------------------------------------------

local function sorted(set)
  local list = {}
  for name in next, set do
    list[#list + 1] = name
  end
  sort(list)
  return list
end

local function lua_words(text)
  if #text > MOST_TEXT or is_quoted(text) then
    return 0, {}
  end
  text = text:sub(-MOST_CHAIN)
  local word = text:match "[%w_]*$"
  local before = text:sub(1, -#word - 1)
  local names
  local base, mark = before:match "^(.-)%s*([.:])%s*$"
  if word:find "^%d" or before:find "::%s*$" then
    return 0, {}
  elseif mark and not before:find "%.%.%s*$" then
    names = new_names(word, mark == ":")
    local value = value_of(base)
    if value ~= nil then
      add_fields(names, value)
    end
  else
    names = new_names(word)
    add_fields(names, _G)
    for _, keyword in ipairs(KEYWORDS) do
      add_name(names, keyword)
    end
  end
  return #word, sorted(names.set)
end

local function beginning_with(list, word)
  local found = {}
  for _, name in ipairs(list) do
    if name:sub(1, #word) == word and #found < MOST_NAMES then
      found[#found + 1] = name
    end
  end
  sort(found)
  return found
end

--- Complete the last part of a path. `entries` gives the names in a folder,
--- with a "/" after those of folders.
local function file_names(path, entries)
  local folder, word = path:match "^(.*/)([^/]*)$"
  word = word or path
  local list = entries(folder or ".") or {}
  local found = beginning_with(list, word)
  if word == "" then -- hidden files only if they are asked for
    for i = #found, 1, -1 do
      if found[i]:sub(1, 1) == "." then
        table.remove(found, i)
      end
    end
  end
  return #word, found
end

--- Return the length of the word at the end of `text`, and the words that may
--- replace it, in order.
---
---   context.commands  names of the commands, such as ".load"
---   context.entries   see file_names()
---   context.ids       returns the ids of the tasks, as texts
return function(text, context)
  local command, argument = text:match "^%s*(%.%a+)%s+(.*)$"
  if command == ".load" then
    return file_names(argument, context.entries)
  elseif command == ".cancel" then
    return #argument, beginning_with(context.ids(), argument)
  end
  local word = text:match "^%s*(%.%a*)$"
  if word then
    return #word, beginning_with(context.commands, word)
  end
  return lua_words(command and argument or text)
end
