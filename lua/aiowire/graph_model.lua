--- graph_model.lua: nodes, boxes and edges, which are the same for all formats
---
---   node  { lines = {text, …}, shape = …, state = …, tip = text }
---   box   { lines = {text, …}, items = {node or box, …}, state = …,
---           tip = text, entries = items, exits = items }
---   edge  { from, to, style = …, label = text }; from and to are nodes or
---           boxes
---
--- Shapes: "body" for code of the user, "event" for a wait, "note" for what the
--- picture leaves out. Styles of edges: "then" in a sequence, "flow" for other
--- ways to go on, "error", "child" from a task to its child. A `state` is the
--- status of a task.
---
--- `entries` and `exits` are the items in a box at which it begins and ends.
--- They may be missing or empty.
---
--- While items are made, `graph.items` is the list of the box around them. A
--- box is made around items that are there already: collect() them first. Ids
--- are given at the end, in the order of the drawing.

local Graph = {}
Graph.__index = Graph

function Graph:node(shape, lines, fields)
  local node = fields or {}
  node.shape, node.lines = shape, lines
  self.items[#self.items + 1] = node
  return node
end

--- Call `draw`, and return the items that it makes, and its result: for box().
function Graph:collect(draw)
  local outer, items = self.items, {}
  self.items = items
  local result = draw()
  self.items = outer
  return items, result
end

--- Add items that collect() has returned.
function Graph:adopt(items)
  table.move(items, 1, #items, #self.items + 1, self.items)
end

--- Add a box around items, of which there is at least one. `inside` may have
--- its `entries` and `exits`.
function Graph:box(lines, fields, items, inside)
  local box = fields or {}
  box.lines, box.items = lines, items
  if inside then
    box.entries, box.exits = inside.entries, inside.exits
  end
  self.items[#self.items + 1] = box
  return box
end

function Graph:edge(from, to, style, label)
  self.edges[#self.edges + 1] = { from = from, to = to, style = style,
    label = label }
end

--- Draw edges between all items of two lists.
function Graph:join(from, to, style, label)
  for _, start in ipairs(from) do
    for _, stop in ipairs(to) do
      self:edge(start, stop, style, label)
    end
  end
end

local function give_ids(graph, items)
  for _, item in ipairs(items) do
    local kind = item.items and "boxes" or "nodes"
    graph[kind] = graph[kind] + 1
    item.id = (item.items and "g" or "w") .. graph[kind]
    if item.items then
      give_ids(graph, item.items)
    end
  end
end

--- Return the graph, with ids.
function Graph:finished()
  self.nodes, self.boxes = 0, 0
  give_ids(self, self.items)
  return self
end

local M = {}

function M.new()
  return setmetatable({ items = {}, edges = {} }, Graph)
end

--- Colors of states that people with any color vision can tell apart: those of
--- Okabe and Ito.
M.COLORS = {
  waiting = "#56B4E9",
  running = "#009E73",
  ready = "#F0E442",
  failed = "#D55E00",
  cancelled = "#999999",
}
M.STATES = { "cancelled", "failed", "ready", "running", "waiting" }
M.ERROR_COLOR = "#D55E00"

--- Return a text that is valid UTF-8, on one line: other bytes, and control
--- characters, become "?" and blanks.
function M.clean(text)
  if not utf8.len(text) then
    text = text:gsub("[\x80-\xff]", "?")
  end
  text = text:gsub("[%z\1-\31\127]", " ")
  -- C1 controls and surrogates, and what XML does not allow
  return (text:gsub("\xc2[\x80-\x9f]", " "):gsub("\xef\xbf[\xbe\xbf]", " "))
end

return M
