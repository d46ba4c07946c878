--- show.lua: values as text, for the prompt [R38]
---
--- A value is shown as `print` shows it, but for tables: a table without
--- __tostring and __name is shown with its contents, on one line if that fits.
---
--- The text is bounded in depth, in entries and in the length of strings, so
--- that it ends for cycles and stays small for large tables. Of a user's code,
--- only __tostring and __pairs are called, in protected mode, and __pairs only
--- for as many entries as are shown. Nothing here raises; what does not end is
--- a user's function, which Ctrl-C interrupts.
---
--- The text is made in two steps: `Reader` makes bounded nodes of a value, and
--- `render` makes lines of them. A node is a text, or a table
---   { items = { { key = text or nil, node = node }, … }, rest = text or nil }
---
--- Neighbours: repl.lua shows the results of lines.

local getmetatable <const>, ipairs <const> = debug.getmetatable, ipairs
local next <const>, pairs <const>, pcall <const> = next, pairs, pcall
local rawget <const>, tostring <const>, type <const> = rawget, tostring, type
local math_type <const> = math.type
local concat <const>, sort <const> = table.concat, table.sort
local len <const> = utf8.len

local DEEPEST <const> = 3 -- tables inside tables
local MOST_ENTRIES <const> = 60 -- of the table itself
local MOST_INNER <const> = 20 -- of each table inside
local MOST_NODES <const> = 200 -- of all tables together
local MOST_KEYS <const> = 10000 -- keys that are counted and sorted
local MOST_BYTES <const> = 200 -- of a text inside a table
local WIDTH <const> = 78 -- characters of a line

local KEYWORDS <const> = {}
for word in ("and break do else elseif end false for function goto if in "
  .. "local nil not or repeat return then true until while"):gmatch "%a+" do
  KEYWORDS[word] = true
end

local ESCAPES <const> = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t",
  ['"'] = '\\"', ["\\"] = "\\\\" }

-- Texts ----------------------------------------------------------------------

local function escaped(char)
  return ESCAPES[char] or ("\\x%02X"):format(char:byte())
end

--- Cut a text after `most` bytes, but not inside a character.
local function cut(text, most)
  if #text <= most then
    return text
  end
  while most > 0 and (text:byte(most + 1) & 0xC0) == 0x80 do
    most = most - 1
  end
  return text:sub(1, most), "…"
end

local function quoted(text)
  local first, dots = cut(text, MOST_BYTES)
  first = first:gsub('[%c"\\\127]', escaped)
  if not len(first) then
    first = first:gsub("[\128-\255]", escaped)
  end
  return '"' .. first .. '"' .. (dots or "")
end

--- The text of a value whose own __tostring cannot be had.
local function plain(value)
  return ("%s: %p"):format(type(value), value)
end

--- tostring() that does not raise.
local function text_of(value)
  local ok, text = pcall(tostring, value)
  if ok then
    return text
  end
  local why = type(text) == "string" and text or "error of type " .. type(text)
  return ("%s (its __tostring failed: %s)"):format(plain(value), why)
end

--- The same on one line that is not too long.
local function short_text_of(value)
  local text, dots = cut(text_of(value):match "^[^\n]*", MOST_BYTES)
  return text .. (dots or "")
end

local function leaf(value)
  return type(value) == "string" and quoted(value) or short_text_of(value)
end

local function key_text(key)
  if type(key) == "string" and key:find "^[%a_][%w_]*$"
    and not KEYWORDS[key] then
    return key
  end
  return "[" .. leaf(key) .. "]"
end

-- Reading --------------------------------------------------------------------

--- Does a table have a text of its own?
local function has_text(meta)
  return meta and (rawget(meta, "__tostring") ~= nil
    or type(rawget(meta, "__name")) == "string")
end

local RANKS <const> = { number = 1, string = 2, boolean = 3 }

--- Numbers come before strings, and other keys last in their own order.
local function comes_before(a, b)
  local rank_a, rank_b = RANKS[type(a.key)] or 4, RANKS[type(b.key)] or 4
  if rank_a ~= rank_b then
    return rank_a < rank_b
  elseif rank_a <= 2 then
    return a.key < b.key
  end
  return a.order < b.order
end

--- Return the entries of a table as { key, value } in the order in which they
--- are shown, whether there are more, and the length of the list in front.
local function entries_of(t)
  local list, count = {}, 0
  while count < MOST_KEYS and rawget(t, count + 1) ~= nil do
    count = count + 1
    list[count] = { key = count, value = rawget(t, count) }
  end
  local rest, looked = {}, 0
  for key, value in next, t do
    looked = looked + 1
    if looked > MOST_KEYS then
      break
    elseif math_type(key) ~= "integer" or key < 1 or key > count then
      rest[#rest + 1] = { key = key, value = value, order = looked }
    end
  end
  sort(rest, comes_before)
  for i, entry in ipairs(rest) do
    list[count + i] = entry
  end
  return list, looked > MOST_KEYS, count
end

--- The same for a table with __pairs, which is asked for few entries.
local function entries_of_pairs(t)
  local list, front = {}, 0
  local more = false
  for key, value in pairs(t) do
    if #list == MOST_ENTRIES then
      more = true
      break
    end
    list[#list + 1] = { key = key, value = value }
    front = front == #list - 1 and key == #list and #list or front
  end
  return list, more, front
end

local read

--- Return a node of a table, or a text if its entries cannot be had.
local function read_table(t, meta, state, depth)
  local entries = meta and rawget(meta, "__pairs") ~= nil and entries_of_pairs
    or entries_of
  local ok, list, more, front = pcall(entries, t)
  if not ok then
    return plain(t)
  end
  local most = depth == 1 and MOST_ENTRIES or MOST_INNER
  local node = { items = {} }
  for i, entry in ipairs(list) do
    if i > most or state.nodes >= MOST_NODES then
      node.rest = more and "… more" or ("… %d more"):format(#list - i + 1)
      return node
    end
    state.nodes = state.nodes + 1
    node.items[i] = { key = i > front and key_text(entry.key) or nil,
      node = read(entry.value, state, depth + 1) }
  end
  node.rest = more and "… more" or nil
  return node
end

--- Return the node of a value.
---
---   state.nodes  how many there are so far
---   state.open   set of the tables around the value
function read(value, state, depth)
  if type(value) ~= "table" then
    return leaf(value)
  end
  local meta = getmetatable(value)
  if has_text(meta) then
    return short_text_of(value)
  elseif state.open[value] then
    return "<cycle>"
  elseif depth > DEEPEST then
    return next(value) == nil and "{}" or "{…}"
  end
  state.open[value] = true
  local node = read_table(value, meta, state, depth)
  state.open[value] = nil
  return node
end

-- Rendering ------------------------------------------------------------------

local function width_of(text)
  return len(text) or #text
end

--- Return the node on one line, or nil if that is wider than `room`.
local function flat(node, room)
  if type(node) == "string" then
    return width_of(node) <= room and node or nil
  end
  local parts, used = {}, 2
  for _, item in ipairs(node.items) do
    local lead = item.key and item.key .. " = " or ""
    local text = flat(item.node, room - used - width_of(lead))
    if not text then
      return nil
    end
    parts[#parts + 1] = lead .. text
    used = used + width_of(lead) + width_of(text) + 2
  end
  parts[#parts + 1] = node.rest
  local text = "{" .. concat(parts, ", ") .. "}"
  return width_of(text) <= room and text or nil
end

--- Return the node as text of one or more lines.
---
---   indent  spaces before the lines after the first
---   used    characters that stand before the text on its first line, and after
local function render(node, indent, used)
  local line = flat(node, WIDTH - indent - used)
  if line or type(node) == "string" then
    return line or node
  end
  local space = (" "):rep(indent + 2)
  local lines = { "{" }
  for _, item in ipairs(node.items) do
    local lead = item.key and item.key .. " = " or ""
    lines[#lines + 1] = space .. lead
      .. render(item.node, indent + 2, width_of(lead) + 1) .. ","
  end
  lines[#lines + 1] = node.rest and space .. node.rest
  lines[#lines + 1] = (" "):rep(indent) .. "}"
  return concat(lines, "\n")
end

--- Return the text of a value, as the prompt shows it.
local function show(value)
  if type(value) ~= "table" or has_text(getmetatable(value)) then
    return text_of(value)
  end
  return render(read(value, { nodes = 0, open = {} }, 1), 0, 0)
end

--- Return the text of `n` results: with tabs between them, as `print` does, or
--- on lines of their own if one of them has more than one line.
return function(results, n)
  local texts, separator = {}, "\t"
  for i = 1, n do
    texts[i] = show(results[i])
    if type(results[i]) == "table" and texts[i]:find("\n", 1, true) then
      separator = "\n"
    end
  end
  return concat(texts, separator)
end
