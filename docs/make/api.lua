--- api.lua: writes docs/api.md from lua/aiowire/meta.lua
---
---   lua5.4 docs/make/api.lua     (or ./dev docs)
---
--- spec/tree/api_spec.lua fails if the file differs from what this makes. It
--- uses M.text(); a run as a program writes the file.

package.path = "./?.lua;" .. package.path
local luacats = require "docs.make.luacats"

local M = {}

local META <const>, PAGE <const> = "lua/aiowire/meta.lua", "docs/api.md"
local RULES <const>, TRAPS <const> = "docs/semantics.md", "docs/pitfalls.md"

--- What stands in front of the contents.
local HEAD <const> = [[
# Reference

<!-- docs/make/api.lua writes this page from lua/aiowire/meta.lua. -->

All public names of `require "aiowire"`; [the tour](tour.md) introduces them,
and [program.md](program.md) describes the program. An editor with a language
server shows the same text.

* Times are numbers of seconds; fractions are allowed.
* Names with a capital build a wire and run nothing. Names in lower case act
  now. Methods of a wire build. Methods of live objects (loops, tasks, scopes,
  channels) act.
* "Awaits." means: the function may suspend the running task. It raises
  [Cancelled](#cancelled) if the task is cancelled, and "cannot await outside a
  task" outside of tasks.
* `name?` may be left out or be nil. `...` stands for any number of values.
* Marks such as C6 name rules in [semantics.md](semantics.md).
]]

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

-- Links -----------------------------------------------------------------------

--- The name of a heading in a link, as GitHub makes it.
---@param heading string
---@return string
function M.anchor(heading)
  return (heading:lower():gsub("[^%w _-]", ""):gsub(" ", "-"))
end

-- Returns a table from each rule of a Markdown file to the anchor of the
-- heading above it.
local function rules_of(path)
  local anchors, heading = {}, nil
  for line in read(path):gmatch "[^\n]+" do
    heading = line:match "^#+ (.*)$" or heading
    local rule = line:match "^%- %*%*(%u+%d+)%*%* "
    if rule then
      anchors[rule] = path:match "[^/]+$" .. "#" .. M.anchor(heading)
    end
  end
  return anchors
end

local links <const> = {} -- from names in texts and types to anchors
local marks <const> = {}

-- Returns the name that people write: without the prefix of the library.
local function plain(name)
  return (name:gsub("^aiowire%.", ""))
end

local function link(name, shown)
  local anchor = links[name]
  return anchor and ("[%s](#%s)"):format(shown or name, anchor) or shown or name
end

-- Returns "[C6](…)" for a mark; a range links its first and its last mark.
local function linked_marks(inside)
  return (inside:gsub("%u+%d+", function(mark)
    return marks[mark] and ("[%s](%s)"):format(mark, marks[mark])
  end))
end

-- Returns prose with links: marks, pages, and declared names in back quotes.
local function linked(text)
  text = text:gsub("`([^`]+)`", function(code)
    local name = code:match "^([%w_.:]+)%(?%)?$"
    return name and links[name] and link(name, "`" .. code .. "`")
  end)
  text = text:gsub("%[(%u%u?%d[%u%d, %-]*)%]", function(inside)
    return "[" .. linked_marks(inside) .. "]"
  end)
  text = text:gsub("docs/([%w-]+%.md)", "[%1](%1)")
  return (text:gsub("%f[%w_`][%u]%w+:[%l_]+%f[^%w_]", function(name)
    return links[name] and link(name)
  end))
end

-- Layout ----------------------------------------------------------------------

-- Returns the words of a text in lines of 80 columns; `first` and `rest` are in
-- front of the first line and of the others.
local function wrapped(text, first, rest)
  local lines, line, empty = {}, first, true
  for word in text:gmatch "%S+" do
    if not empty and utf8.len(line .. word) + 1 > 80 then
      lines[#lines + 1] = line
      line, empty = rest, true
    end
    line = line .. (empty and "" or " ") .. word
    empty = false
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n")
end

-- Returns a description as Markdown. Blocks of code and lists keep their lines.
local function prose(text)
  local out, paragraph = {}, {}
  local function flush()
    if #paragraph > 0 then
      out[#out + 1] = wrapped(linked(table.concat(paragraph, " ")), "", "")
      paragraph = {}
    end
  end
  for line in (text .. "\n"):gmatch "(.-)\n" do
    local bullet = line:match "^%s%s?%s?(%* .*)$"
    if line == "" then
      flush()
      out[#out + 1] = ""
    elseif line:find "^    " and #paragraph == 0
      and not (out[#out] or ""):find "^%*" then
      out[#out + 1] = line
    elseif bullet then
      flush()
      out[#out + 1] = bullet
    elseif #paragraph == 0 and (out[#out] or ""):find "^%*" then
      out[#out] = out[#out] .. "\n  " .. line:match "^%s*(.*)$"
    else
      paragraph[#paragraph + 1] = line
    end
  end
  flush()
  return (table.concat(out, "\n"):gsub("\n+$", ""))
end

-- Returns a type as Markdown, in which classes are links.
local function type_text(type)
  return (type:gsub("[%[%]*<>]", { ["["] = "\\[", ["]"] = "\\]", ["*"] = "\\*",
    ["<"] = "&lt;", [">"] = "&gt;" })
    :gsub("aiowire[%w_.]*", function(name)
      return link(name, plain(name))
    end):gsub("|", " or "))
end

-- Entries ---------------------------------------------------------------------

-- A line for a parameter, a field or a result.
local function line_of(name, type, text)
  text = linked((text:gsub("\n", " ")))
  type = name and ("`%s` (%s)"):format(name, type_text(type))
    or type_text(type)
  return wrapped(type .. (text ~= "" and ": " .. text or ""), "* ", "  ")
end

local function optional(field)
  return field.name .. (field.optional and "?" or "")
end

local function fields_of(fields, out)
  for _, field in ipairs(fields) do
    out[#out + 1] = line_of(optional(field), field.type, field.text)
  end
end

-- The results of a function, in words.
local function returns_of(item, out)
  if #item.returns == 0 then
    return
  end
  out[#out + 1] = #item.params > 0 and "\nReturns:\n" or "Returns:\n"
  for _, r in ipairs(item.returns) do
    out[#out + 1] = line_of(r.name, r.type, r.text)
  end
end

local function signature(item)
  local names = {}
  for i, name in ipairs(item.arguments) do
    local param = item.params[i]
    names[i] = name .. (param and param.optional and "?" or "")
  end
  return ("%s(%s)"):format(item.name, table.concat(names, ", "))
end

local function overload_of(item, overload)
  return (overload:gsub("^fun", item.name):gsub("self: [%w_.]+, ", ""))
end

local entries <const> = {}

function entries.text(item, out)
  out[#out + 1] = prose(item.text) .. "\n"
end

entries["function"] = function(item, out)
  out[#out + 1] = ("### %s\n"):format(item.name)
  out[#out + 1] = ("`%s`\n"):format(signature(item))
  out[#out + 1] = prose(item.text) .. "\n"
  fields_of(item.params, out)
  returns_of(item, out)
  if #item.overloads > 0 then
    out[#out + 1] = "\nAlso:\n"
    for _, overload in ipairs(item.overloads) do
      out[#out + 1] = "* " .. type_text(overload_of(item, overload))
    end
  end
  out[#out + 1] = ""
end

local OPERATORS <const> = { shr = "x >> y", mul = "x * y", band = "x & y",
  bor = "x | y", idiv = "x // y", div = "x / y", call = "x(y)" }

local function operators_of(item, out)
  for _, operator in ipairs(item.operators) do
    local name, operand, result = operator:match "^(%l+)%((.-)%): (.*)$"
    out[#out + 1] = ("* `%s` with %s gives %s"):format(OPERATORS[name],
      type_text(operand), type_text(result))
  end
  out[#out + 1] = #item.operators > 0 and "" or nil
end

function entries.class(item, out)
  out[#out + 1] = ("### %s\n"):format(plain(item.name))
  if item.parent ~= "" then
    out[#out + 1] = ("All fields of %s, and more.\n"):format(
      type_text(item.parent))
  end
  out[#out + 1] = item.text ~= "" and prose(item.text) .. "\n" or nil
  operators_of(item, out)
  fields_of(item.fields, out)
  out[#out + 1] = ""
end

function entries.alias(item, out)
  out[#out + 1] = ("### %s\n"):format(plain(item.name))
  out[#out + 1] = item.text ~= "" and prose(item.text) .. "\n" or nil
  if item.type ~= "" then
    out[#out + 1] = wrapped(type_text(item.type), "", "") .. "\n"
  end
  for _, choice in ipairs(item.choices) do
    out[#out + 1] = line_of(nil, choice.type, choice.text)
  end
  out[#out + 1] = ""
end

function entries.value(item, out)
  out[#out + 1] = ("### %s\n"):format(item.name)
  out[#out + 1] = item.text ~= "" and prose(item.text) .. "\n" or nil
  if item.type then
    out[#out + 1] = type_text(item.type) .. "\n"
  end
end

function entries.section(item, out)
  out[#out + 1] = ("## %s\n"):format(item.name)
end

-- The page --------------------------------------------------------------------

-- Returns the heading of an item, or nil.
local function heading_of(item)
  if item.kind == "text" then
    return nil
  end
  return plain(item.name)
end

-- Fill `links`. A heading that occurs again has a number in its link.
local function name_items(items)
  local seen = { reference = 1 }
  for _, item in ipairs(items) do
    local heading = heading_of(item)
    if heading then
      local anchor = M.anchor(heading)
      local count = seen[anchor]
      seen[anchor] = (count or 0) + 1
      item.anchor = count and anchor .. "-" .. count or anchor
      if item.kind ~= "section" then
        links[item.name] = item.anchor
      end
    end
  end
end

-- Returns the contents: for each section a line of links.
local function contents(items)
  local out, row = {}, nil
  for _, item in ipairs(items) do
    if item.kind == "section" then
      row = { ("**[%s](#%s)**:"):format(item.name, item.anchor) }
      out[#out + 1] = row
    elseif item.anchor and row then
      local name = item.kind == "function" and item.name:match ":.*$"
        or heading_of(item)
      row[#row + 1] = ("[%s](#%s)"):format(name, item.anchor)
    end
  end
  for i, row_of in ipairs(out) do
    local first = table.remove(row_of, 1)
    out[i] = wrapped(first .. " " .. table.concat(row_of, ", "), "* ", "  ")
  end
  return table.concat(out, "\n")
end

-- A class that only has the name of the module is not shown.
local function shown(items)
  local list = {}
  for i, item in ipairs(items) do
    local next_item = items[i + 1]
    if not (item.kind == "section" and next_item
        and next_item.kind == "section")
      and not (item.kind == "text" and i == 1) then
      list[#list + 1] = item
    end
  end
  return list
end

--- Return the text of docs/api.md.
---@return string
function M.text()
  local items = shown(luacats.read(read(META)))
  for _, path in ipairs { RULES, TRAPS } do
    for mark, target in pairs(rules_of(path)) do
      marks[mark] = target
    end
  end
  name_items(items)
  local out = { HEAD, contents(items) .. "\n" }
  for _, item in ipairs(items) do
    entries[item.kind](item, out)
  end
  return (table.concat(out, "\n"):gsub("\n\n\n+", "\n\n"):gsub("\n+$", "\n"))
end

if arg and arg[0] and arg[0]:find "docs/make/api%.lua$" then
  local text = M.text()
  local file <close> = assert(io.open(PAGE, "w"))
  file:write(text)
end

return M
