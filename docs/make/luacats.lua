--- luacats.lua: reads annotations of LuaCATS, as lua/aiowire/meta.lua has them
---
--- The text is read line by line. A block of lines that begin with `---` and
--- the line of code after it are one item. Comments belong to the next tag, as
--- language servers see them: to the next @field, @class or @alias. In a
--- function the comments before the first tag are its description, and the
--- comments after a tag continue that tag.
---
--- docs/make/api.lua writes docs/api.md from the items. Specs in spec/tree
--- compare them with the library.

local M = {}

---@class luacats.Field
---@field name string a name, or "[type]"
---@field optional boolean
---@field type string
---@field text string

---@class luacats.Choice
---@field type string such as `"done"`
---@field text string

---@class luacats.Item
---@field kind "section"|"text"|"class"|"alias"|"function"|"value"
---@field level integer? of a section: 1, or 2 inside another one
---@field name string? a title, "aiowire.Wire", "aw.sleep", "Wire:timeout"
---@field text string description, in lines
---@field line integer of the first tag or of the code
---@field type string? of an alias or a value
---@field choices luacats.Choice[]? of an alias
---@field parent string? of a class
---@field variable string? the variable that stands for the class: "Wire", "aw"
---@field fields luacats.Field[]? of a class
---@field operators string[]? of a class, such as "shr(aiowire.Wireable): …"
---@field params luacats.Field[]? of a function
---@field returns { type: string, name: string?, text: string }[]?
---@field overloads string[]? of a function
---@field arguments string[]? the names in the code of a function

-- Types -----------------------------------------------------------------------

local OPENING <const>, CLOSING <const> = "^[%(%[{<]", "^[%)%]}>]"

--- Split the text of a tag into the type at its begin and the rest. A type ends
--- at the first blank outside of brackets and quotes that follows no `:`, `,`
--- or `|`.
---@param text string
---@return string type
---@return string rest
function M.split_type(text)
  local depth, quoted, at = 0, false, 1
  while at <= #text do
    local c = text:sub(at, at)
    if c == '"' then
      quoted = not quoted
    elseif quoted then
      depth = depth + 0
    elseif c:find(OPENING) then
      depth = depth + 1
    elseif c:find(CLOSING) then
      depth = depth - 1
    elseif c == " " and depth == 0 and not text:sub(1, at - 1):find "[:,|]$"
      and not text:sub(at):find "^ |" then
      break
    end
    at = at + 1
  end
  return text:sub(1, at - 1), text:sub(at):match "^%s*(.*)$"
end

--- Return the names of types that a type mentions, without those that it
--- defines itself: names of parameters, and of fields of a table.
---@param text string
---@return string[]
function M.names_of_type(text)
  local names = {}
  text = text:gsub('"[^"]*"', " "):gsub("[%w_]+%??%s*:%s", " ")
    :gsub("fun%(", "(")
  for name in text:gmatch "[%a_][%w_.]*" do
    names[#names + 1] = name
  end
  return names
end

-- Blocks ----------------------------------------------------------------------

-- Returns a list of { tag, text } for the lines of a block without their "---".
-- A tag of "" is a comment, of "|" a choice of an alias.
local function tags_of(block)
  local list, inside = {}, false
  for _, row in ipairs(block) do
    local tag, text = row:match "^@([%a]+)%s*(.*)$"
    local choice = row:match "^|%s*(.*)$"
    if tag then
      inside = tag == "param" or tag == "return" or tag == "overload"
      list[#list + 1] = { tag = tag, text = text }
    elseif choice then
      list[#list + 1] = { tag = "|", text = choice }
    elseif inside then
      local last = list[#list]
      last.text = last.text .. " " .. row:match "^%s*(.*)$"
    elseif #list > 0 and list[#list].tag == "" then
      list[#list].text = list[#list].text .. "\n" .. row:gsub("^ ", "")
    else
      list[#list + 1] = { tag = "", text = (row:gsub("^ ", "")) }
    end
  end
  return list
end

local function field_of(text, comment)
  local name, rest = text:match "^(%b[])%s+(.*)$"
  local optional = ""
  if not name then
    name, optional, rest = text:match "^([%w_.]+)(%??)%s+(.*)$"
  end
  assert(name, text)
  local type, own = M.split_type(rest)
  -- A comment in front of the field is several lines, so it has no other.
  return { name = name, optional = optional == "?", type = type,
    text = comment or own }
end

local function return_of(text)
  local type, rest = M.split_type(text)
  local name, more = rest:match "^([%a_][%w_]*)%s*(.*)$"
  if type == "any" and rest:find "^%.%.%." then
    return { type = "any ...", text = rest:match "^%.%.%.%s*(.*)$" }
  elseif rest:find "^%.%.%." then
    return { type = type .. " ...", text = rest:match "^%.%.%.%s*(.*)$" }
  end
  return { type = type, name = name, text = more or rest }
end

local function choice_of(text)
  local type, comment = text:match "^(.-)%s*#%s*(.*)$"
  return { type = type or text, text = comment or "" }
end

-- What each tag does to the item; `comment` is the text in front of the tag.
local tag_readers <const> = {
  class = function(item, text, comment)
    item.kind, item.text = "class", comment or ""
    item.name, item.parent = text:match "^([%w_.]+)%s*:?%s*(.*)$"
    item.fields, item.operators = {}, {}
  end,
  alias = function(item, text, comment)
    item.kind, item.text = "alias", comment or ""
    item.name, item.type = text:match "^([%w_.]+)%s*(.*)$"
    item.choices = {}
  end,
  ["|"] = function(item, text)
    item.choices[#item.choices + 1] = choice_of(text)
  end,
  field = function(item, text, comment)
    item.fields[#item.fields + 1] = field_of(text, comment)
  end,
  operator = function(item, text)
    item.operators[#item.operators + 1] = text
  end,
  param = function(item, text)
    item.params[#item.params + 1] = field_of(text)
  end,
  ["return"] = function(item, text)
    item.returns[#item.returns + 1] = return_of(text)
  end,
  overload = function(item, text)
    item.overloads[#item.overloads + 1] = text
  end,
  type = function(item, text)
    item.type = M.split_type(text)
  end,
  meta = function() end,
}

-- `...` as the name of a parameter is no word.
local function normal(tag, text)
  return tag == "param" and text:gsub("^%.%.%.%s+", "__rest ") or text
end

-- Returns the item of a block of lines, which ends before the line `code`.
local function item_of(block, code, line)
  local item = { kind = "text", text = "", line = line, params = {},
    returns = {}, overloads = {} }
  local comment
  for _, tag in ipairs(tags_of(block)) do
    if tag.tag == "" then
      comment = tag.text
      item.text = item.text == "" and item.kind == "text" and comment
        or item.text
    else
      local read = tag_readers[tag.tag]
      assert(read, ("line %d: unknown tag @%s"):format(line, tag.tag))
      read(item, normal(tag.tag, tag.text), comment)
      comment = nil
    end
  end
  if comment and (item.fields or item.choices) then
    error(("line %d: a comment after the last tag"):format(line))
  end
  local name, arguments = code:match "^function ([%w_.:]+)%((.-)%) end$"
  if name then
    item.kind, item.name, item.arguments = "function", name, {}
    for argument in arguments:gmatch "[%w_.]+" do
      item.arguments[#item.arguments + 1] = argument
    end
    for _, param in ipairs(item.params) do
      param.name = param.name == "__rest" and "..." or param.name
    end
    return item
  end
  local variable = code:match "^local ([%a_]+) = {}$"
    or code:match "^([%a_.]+) = "
  if item.kind == "class" then
    item.variable = variable
  elseif item.kind == "text" and variable then
    item.kind, item.name = "value", variable
  end
  return item
end

-- Sections --------------------------------------------------------------------

-- Returns the title and the level of the section that begins at a line, and
-- the number of its lines.
local function section_at(lines, at)
  if lines[at]:find "^%-%-%-%-%-+$" then
    return lines[at + 1]:match "^%-%- (.*)$", 1, 3
  end
  return lines[at]:match "^%-%- (.-) %-%-%-+$", 2, 1
end

--- Read a file of annotations.
---@param text string
---@return luacats.Item[] items in the order of the file
function M.read(text)
  local lines, items, at = {}, {}, 1
  for line in (text .. "\n"):gmatch "(.-)\n" do
    lines[#lines + 1] = line
  end
  while at <= #lines do
    local title, level, count = section_at(lines, at)
    local first, block = at, {}
    while not title and (lines[at] or ""):find "^%-%-%-" do
      block[#block + 1] = lines[at]:sub(4)
      at = at + 1
    end
    if title then
      items[#items + 1] = { kind = "section", name = title, level = level,
        text = "", line = at }
      at = at + count
    elseif #block > 0 then
      local item = item_of(block, lines[at] or "", first)
      items[#items + 1] = item
      if item.variable or item.kind == "value" then
        at = at + 1
      end
    else
      local variable = lines[at]:match "^([%a_.]+) = {}$"
      if variable then
        items[#items + 1] = { kind = "value", name = variable, text = "",
          line = at }
      end
      at = at + 1
    end
  end
  return items
end

return M
