--- graph_wires.lua: draws the table of a wire (bind/wire/look.c) into a graph
---
--- Each wire becomes a fragment:
---
---   entries  the items (nodes or boxes) at which it begins
---   exits    the items at which it ends; none: it never ends by itself
---   unit     the one item that it consists of; nil: there are several
---
---   a >> b             [a] ══► [b]
---   a * 3              [a] with an edge to itself, "×3"
---   a & b, timeout, …  a box with a title, around [a] and [b]
---   a // b             [a] ──error──► [b]; both are exits
---   w:catch(f)         box "catch" around [w] ──error──► [f]; both are exits
---   w:finally(f)       box "finally" around [w] ──always──► [f]
---
--- Equal neighbours are folded into one, with their number. Long lists and deep
--- wires are cut, and a node tells how much is missing.
local _, inner = ...

local M = {}

local DEEPEST <const> = 12 -- boxes in boxes
local MOST_LISTED <const> = 40 -- of a list, after folding
local MOST_NODES <const> = 300

local Drawer = {}
Drawer.__index = Drawer

-- Texts -----------------------------------------------------------------------

--- Times are kept in whole nanoseconds, so 0.7 s may be 0.700000001 s.
local function seconds(s)
  if s == math.huge then
    return "for ever"
  elseif s < 1 then
    return ("%.6g s"):format(s)
  end
  return ("%.14g s"):format(math.floor(s * 1e6 + 0.5) / 1e6)
end

local function times(n)
  return n and "×" .. n or "∞"
end

--- Return a place without its folders.
local function short_place(place)
  return place:match "([^/]+)$" or place
end

-- What stands before and after the name of a function in its first line.
local NAMED_BY <const> = { "function%s+([%w_.:]+)%s*%(",
  "([%a_][%w_.]*)%s*=%s*function", "%[\"([^\"]+)\"%]%s*=%s*function" }

--- Return the name in the first line of a function, if just one begins there.
local function name_in(line)
  local found
  for _, pattern in ipairs(NAMED_BY) do
    local first, _, name = line:find(pattern)
    if found and first then
      return nil
    end
    found = found or name
  end
  return found
end

--- Return the name of a function for people, from the name that the library
--- gives it: the one in its first line, or else its place without folders.
function M.state_name(name)
  local place = name:match "^function@(.+:%d+)$"
  return place and (name_in(inner.source_line(place)) or short_place(place))
    or name
end

--- The same for a function of a wire, { name=, place=, line= }.
local function function_name(fn)
  if fn.place then
    return name_in(fn.line) or short_place(fn.place)
  end
  return M.state_name(fn.name)
end

local function call_text(wire)
  return function_name(wire) .. (wire.text and "(" .. wire.text .. ")"
    or "")
end

--- The text of each kind of wire that has no parts.
local LEAVES <const> = {
  body = call_text,
  call = call_text,
  value = function(wire)
    return wire.text == "" and "value" or "value " .. (wire.text or "")
  end,
  step = function()
    return "C step"
  end,
  sleep = function(wire)
    return "sleep " .. seconds(wire.seconds)
  end,
  ["until"] = function(wire)
    return "sleep until " .. seconds(wire.seconds)
  end,
  wait = function(wire)
    return wire.text
  end,
  done = function(wire)
    return "done " .. wire.text
  end,
  cut = function(wire)
    return wire.text
  end,
}
local SHAPES <const> = {
  sleep = "event", ["until"] = "event", wait = "event", done = "event",
  cut = "note",
}

local function retry_title(wire)
  local parts = { "retry " .. times(wire.times) }
  local function add(name, value)
    parts[#parts + 1] = value and name .. " " .. value or nil
  end
  add("delay", wire.delay and seconds(wire.delay))
  add("factor", wire.factor ~= 2 and ("%.14g"):format(wire.factor))
  add("max", wire.most and seconds(wire.most))
  add("within", wire.within and seconds(wire.within))
  add("reset after", wire.reset_after and seconds(wire.reset_after))
  parts[#parts + 1] = wire.jitter and "jitter" or nil
  add("when", wire.fn and function_name(wire.fn))
  return table.concat(parts, ", ")
end

local function timeout_title(wire)
  return "timeout " .. seconds(wire.seconds)
    .. (wire.grace and ", grace " .. seconds(wire.grace) or "")
end

--- The title of each kind of wire that is a box.
local TITLES <const> = {
  all = function(wire)
    return wire.limit and ("all, %d at a time"):format(wire.limit) or "all"
  end,
  race = function()
    return "race"
  end,
  any = function()
    return "any"
  end,
  select = function()
    return "select"
  end,
  timeout = timeout_title,
  retry = retry_title,
  whole = function()
    return "whole"
  end,
  shielded = function(wire)
    return wire.seconds and "shielded " .. seconds(wire.seconds) or "shielded"
  end,
  every = function(wire)
    return "every " .. seconds(wire.seconds)
      .. (wire.missed ~= "skip" and ", missed " .. wire.missed or "")
  end,
  named = function(wire)
    return wire.name
  end,
  catch = function()
    return "catch"
  end,
  supervise = function()
    return "supervise"
  end,
  finally = function(wire)
    return wire.grace and "finally, grace " .. seconds(wire.grace) or "finally"
  end,
}

-- Folding ---------------------------------------------------------------------

local SCALARS <const> = { "kind", "name", "text", "place", "key", "more",
  "seconds", "grace", "times", "limit", "missed", "delay", "factor", "most",
  "within", "reset_after", "jitter" }

--- Return a text that two wires share only if they look the same.
local function signature(wire)
  if wire.signature then
    return wire.signature
  end
  local parts = {}
  for i, key in ipairs(SCALARS) do
    parts[i] = tostring(wire[key])
  end
  for _, part in ipairs(wire.parts or {}) do
    parts[#parts + 1] = signature(part)
  end
  if wire.fn then
    parts[#parts + 1] = wire.fn.name
  end
  wire.signature = "(" .. table.concat(parts, "\0") .. ")"
  return wire.signature
end

--- Return a list of { wire=, times= }, with equal neighbours in one entry.
local function folded(parts)
  local list = {}
  for _, part in ipairs(parts) do
    local last = list[#list]
    if last and signature(last.wire) == signature(part) then
      last.times = last.times + 1
    else
      list[#list + 1] = { wire = part, times = 1 }
    end
  end
  return list
end

-- Items -----------------------------------------------------------------------

local function append(list, others)
  table.move(others, 1, #others, #list + 1, list)
end

local function fragment_of(item)
  return { entries = { item }, exits = { item }, unit = item }
end

function Drawer:node(shape, lines, tip)
  self.left = self.left - 1
  return self.graph:node(shape, lines, { tip = tip })
end

--- Draw "… 57 more".
function Drawer:note(count)
  return fragment_of(self:node("note", { ("… %d more"):format(count) }))
end

--- Draw what stands for no wires at all.
function Drawer:nothing()
  return fragment_of(self:node("note", { "nothing" }))
end

--- Is it a function of the library, as that behind Serve(…)?
local function is_ours(wire)
  return (wire.name or ""):find("^function@%[aiowire%.") ~= nil
end

function Drawer:leaf(wire, name)
  local shape = SHAPES[wire.kind] or "body"
  if is_ours(wire) then
    return fragment_of(self:node(shape, { name or "aiowire's own" }))
  end
  local text = LEAVES[wire.kind](wire)
  local lines = name and name ~= text and { name, text } or { text }
  return fragment_of(self:node(shape, lines, wire.place))
end

function Drawer:fn(fn)
  return self:node("body", { function_name(fn) }, fn.place)
end

--- Draw a box around the items of a fragment.
function Drawer:boxed(title, items, inside)
  local box = self.graph:box({ title }, nil, items, inside)
  return { entries = { box }, exits = #inside.exits > 0 and { box } or {},
    unit = box }
end

--- Draw the fragment that `draw` draws into a box.
function Drawer:box(title, draw)
  self.depth = self.depth + 1
  local items, inside = self.graph:collect(draw)
  self.depth = self.depth - 1
  return self:boxed(title, items, inside)
end

local function join_title(item, label)
  local lines = item.lines
  lines[1] = lines[1] == "" and label or lines[1] .. " " .. label
end

--- Draw a wire as one item: in a box without a title if it is several.
function Drawer:unit(wire)
  local graph = self.graph
  local items, fragment = graph:collect(function()
    return self:wire(wire)
  end)
  if fragment.unit then
    graph:adopt(items)
    return fragment
  end
  return self:boxed("", items, fragment)
end

--- Draw a wire that runs again and again; `label` says how often.
function Drawer:loop(wire, label)
  local graph = self.graph
  local items, fragment = graph:collect(function()
    return self:wire(wire)
  end)
  local start, stop = fragment.entries[1], fragment.exits[1]
  local is_line = #fragment.entries == 1 and #fragment.exits == 1
    and start ~= stop
  if is_line or fragment.unit and not fragment.unit.items then
    graph:adopt(items)
    graph:edge(stop, start, "then", label)
  elseif fragment.unit then
    graph:adopt(items)
    join_title(fragment.unit, label)
  else
    return self:boxed(label, items, fragment)
  end
  return fragment
end

--- Draw the entries of a list by `draw(wire, times)`, and return the fragments.
--- `more` further ones are not in the list.
function Drawer:list(list, more, draw)
  local fragments = {}
  local missing = more or 0
  for i, entry in ipairs(list) do
    if i > MOST_LISTED or self.left <= 0 then
      missing = missing + entry.times
    else
      fragments[#fragments + 1] = draw(entry.wire, entry.times)
    end
  end
  if missing > 0 then
    fragments[#fragments + 1] = self:note(missing)
  end
  return fragments
end

-- Kinds -----------------------------------------------------------------------

local draw = {}

function draw.sequence(self, wire)
  local fragments = self:list(folded(wire.parts or {}), wire.more,
    function(part, n)
      return n > 1 and self:loop(part, times(n)) or self:wire(part)
    end)
  if #fragments == 0 then
    return self:nothing()
  end
  for i = 2, #fragments do
    self.graph:join(fragments[i - 1].exits, fragments[i].entries, "then")
  end
  return { entries = fragments[1].entries, exits = fragments[#fragments].exits,
    unit = #fragments == 1 and fragments[1].unit or nil }
end

draw["repeat"] = function(self, wire)
  local fragment = self:loop(wire.parts[1], times(wire.times))
  if not wire.times then
    fragment = { entries = fragment.entries, exits = {}, unit = fragment.unit }
  end
  return fragment
end

draw["else"] = function(self, wire)
  local exits = {}
  local units = self:list(folded(wire.parts), wire.more, function(part, n)
    local fragment = self:unit(part)
    if n > 1 then
      join_title(fragment.unit, times(n))
    end
    append(exits, fragment.exits)
    return fragment
  end)
  for i = 2, #units do
    self.graph:edge(units[i - 1].unit, units[i].unit, "error", "error")
  end
  return { entries = units[1].entries, exits = exits,
    unit = #units == 1 and units[1].unit or nil }
end

--- Draw an operand of a group, which has a key, or stands for several.
function Drawer:operand(wire, n)
  if n == 1 and not wire.key then
    return self:wire(wire)
  end
  local fragment = self:unit(wire)
  if wire.key then
    local lines = fragment.unit.lines
    lines[1] = lines[1] == "" and wire.key or wire.key .. ": " .. lines[1]
  end
  if n > 1 then
    join_title(fragment.unit, times(n))
  end
  return fragment
end

--- Draw a box around operands that run side by side. A race ends with one of
--- them, a join only if all of them end.
local function group(self, wire)
  return self:box(TITLES[wire.kind](wire), function()
    local inside = { entries = {}, exits = {} }
    local fragments = self:list(folded(wire.parts or {}), wire.more,
      function(part, n)
        return self:operand(part, n)
      end)
    if #fragments == 0 then
      return self:nothing()
    end
    local is_endless = false
    for _, fragment in ipairs(fragments) do
      is_endless = is_endless or #fragment.exits == 0
      append(inside.entries, fragment.entries)
      append(inside.exits, fragment.exits)
    end
    if wire.kind == "all" and is_endless then
      inside.exits = {}
    end
    return inside
  end)
end
draw.all, draw.race, draw.any, draw.select = group, group, group, group

--- Draw a box around the one part of a wire.
local function around(self, wire)
  return self:box(TITLES[wire.kind](wire), function()
    return self:wire(wire.parts[1])
  end)
end
draw.timeout, draw.retry, draw.whole, draw.shielded =
  around, around, around, around

function draw.every(self, wire)
  local fragment = around(self, wire)
  fragment.exits = {} -- only a failure or a cancel ends it
  return fragment
end

function draw.named(self, wire)
  local part = wire.parts[1]
  return LEAVES[part.kind] and self:leaf(part, wire.name) or around(self, wire)
end

--- Draw a wire, and the function that gets its results.
local function applied(self, wire)
  local fragment = self:wire(wire.parts[1])
  local node = self:fn(wire.fn)
  self.graph:join(fragment.exits, { node }, "flow", wire.kind)
  return { entries = fragment.entries, exits = { node } }
end
draw.map, draw.bind = applied, applied

--- Draw a box around what is guarded, and the function that gets its error.
local function caught(self, wire)
  local guarded = around(self, wire)
  local node = self:fn(wire.fn)
  self.graph:edge(guarded.unit, node, "error", "error")
  return { entries = guarded.entries, exits = { node, guarded.exits[1] } }
end
draw.catch, draw.supervise = caught, caught

function draw.finally(self, wire)
  local guarded = around(self, wire)
  local node = self:fn(wire.fn)
  self.graph:edge(guarded.unit, node, "flow", "always")
  return { entries = guarded.entries,
    exits = #guarded.exits > 0 and { node } or {} }
end

function Drawer:wire(wire)
  if LEAVES[wire.kind] then
    return self:leaf(wire)
  elseif self.depth >= DEEPEST or self.left <= 0 then
    local text = (M.title(wire) or wire.kind) .. " …"
    return fragment_of(self:node("note", { text }))
  end
  return draw[wire.kind](self, wire)
end

--- Draw a table of a wire, and return its fragment. `most` is the number of
--- nodes after which the rest is cut.
function M.add(graph, wire, most)
  local drawer = setmetatable({ graph = graph, depth = 0,
    left = most or MOST_NODES }, Drawer)
  return drawer:wire(wire)
end

--- Does the table show a wire that is one node?
function M.is_leaf(wire)
  return LEAVES[wire.kind] ~= nil
end

--- Return the text of a wire that is one node, or the title of its box. nil: it
--- has none.
function M.title(wire)
  local title = LEAVES[wire.kind] or TITLES[wire.kind]
  return title and title(wire)
end

M.signature = signature

return M
