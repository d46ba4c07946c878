--- graph_dot.lua: a graph in the language of Graphviz
---
--- An edge of a box goes from or to a node in the box, and ends at the border
--- of the box (lhead, ltail). In texts, `\` begins an escape and `&` an entity
--- of HTML, also between quotes.
local _, inner = ...

local model <const> = inner.part "aiowire.graph_model"

local HEAD <const> = [[
digraph {
  rankdir=LR
  compound=true
  fontname="sans-serif"
  node [fontname="sans-serif" fontsize=11 shape=box]
  edge [fontname="sans-serif" fontsize=10 color="#555555"]
]]
local SHAPES <const> = {
  body = "",
  event = ' style="rounded"',
  note = ' style="dashed" color="#999999"',
}
local STYLES <const> = {
  ["then"] = "penwidth=2",
  error = ('color="%s" fontcolor="%s"'):format(model.ERROR_COLOR,
    model.ERROR_COLOR),
  child = "style=dashed",
}

local function escaped(text)
  return (model.clean(text):gsub("&", "&amp;"):gsub('[\\"]', "\\%0"))
end

--- Return lines as a label. `ending` stands behind each line, the last one too
--- if it is a "\\l", which puts a line to the left.
local function text_of(lines, ending)
  local texts = {}
  for i, line in ipairs(lines) do
    texts[i] = escaped(line)
  end
  local last = #lines > 1 and ending == "\\l" and ending or ""
  return table.concat(texts, ending) .. last
end

--- Add to `list` the nodes at the `side` of an item, which is "entries" or
--- "exits".
local function add_anchors(list, item, side)
  if not item.items then
    list[#list + 1] = item
    return
  end
  local inside = item[side]
  if not inside or #inside == 0 then
    inside = { item.items[side == "entries" and 1 or #item.items] }
  end
  for _, below in ipairs(inside) do
    add_anchors(list, below, side)
  end
end

--- Return the nodes at a side of an item, and the one that edges are drawn to.
local function anchors(item, side)
  local list = {}
  add_anchors(list, item, side)
  return list, list[(#list + 1) // 2]
end

local Writer = {}
Writer.__index = Writer

function Writer:line(depth, ...)
  self.lines[#self.lines + 1] = ("  "):rep(depth) .. table.concat { ... }
end

local function tip_of(item)
  return item.tip and (' tooltip="%s"'):format(escaped(item.tip)) or ""
end

--- The fill of a task by its state; a round node stays round.
local function fill_of(item)
  local color = model.COLORS[item.state]
  if not color then
    return SHAPES[item.shape] or ""
  end
  return (' style="%s" fillcolor="%s"'):format(
    item.shape == "event" and "rounded,filled" or "filled", color)
end

function Writer:items(items, depth)
  for _, item in ipairs(items) do
    if item.items then
      self:line(depth, "subgraph cluster_", item.id, " {")
      self:box(item, depth + 1)
      self:line(depth, "}")
    else
      self:line(depth, item.id, ' [label="', text_of(item.lines, "\\n"), '"',
        fill_of(item), tip_of(item), "]")
    end
  end
end

--- Write the inside of a box; its border has the color of its state.
function Writer:box(box, depth)
  local color = model.COLORS[box.state]
  self:line(depth, 'label="', text_of(box.lines, "\\l"),
    '" labeljust=l fontsize=11 style="rounded"', tip_of(box))
  self:line(depth, ('color="%s" penwidth=%d'):format(color or "#999999",
    color and 3 or 1))
  self:items(box.items, depth)
end

--- Draw invisible edges beside an edge from box to box: all nodes at the end of
--- one box then stand before all nodes at the beginning of the other one.
function Writer:keep_order(starts, start, stops, stop)
  for _, node in ipairs(starts) do
    if node ~= start then
      self:line(1, node.id, " -> ", stop.id, " [style=invis]")
    end
  end
  for _, node in ipairs(stops) do
    if node ~= stop then
      self:line(1, start.id, " -> ", node.id, " [style=invis]")
    end
  end
end

function Writer:edge(edge)
  local starts, start = anchors(edge.from, "exits")
  local stops, stop = anchors(edge.to, "entries")
  local fields = { STYLES[edge.style] }
  if edge.from ~= start then
    fields[#fields + 1] = "ltail=cluster_" .. edge.from.id
  end
  if edge.to ~= stop then
    fields[#fields + 1] = "lhead=cluster_" .. edge.to.id
  end
  if edge.label then
    fields[#fields + 1] = ('label="%s"'):format(escaped(edge.label))
  end
  self:line(1, start.id, " -> ", stop.id,
    #fields > 0 and " [" .. table.concat(fields, " ") .. "]" or "")
  self:keep_order(starts, start, stops, stop)
end

return function(graph)
  local writer = setmetatable({ lines = {} }, Writer)
  writer:items(graph.items, 1)
  for _, edge in ipairs(graph.edges) do
    writer:edge(edge)
  end
  return HEAD .. table.concat(writer.lines, "\n") .. "\n}\n"
end
