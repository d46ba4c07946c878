--- graph.lua: aw.graph(w_or_loop [, format]): a picture of a wire, or of a loop
--- with its tasks, as text [D30]
---
---     Wire ──► inner.look_wire ──► graph_wires ─┐
---                                               ├► graph_model ─► mermaid, dot
---     loop ──► inner.tree ───────► graph_tasks ─┘
---
--- The model is a tree of boxes with nodes in them, and edges between nodes and
--- boxes. All texts in it are raw: the two writers escape them. The same wire
--- gives the same text each time. No code of users runs.
---
--- Neighbours: bind/wire/look.c takes wires apart.
local _, inner = ...

local M = {}

local FORMATS <const> = {
  mermaid = "aiowire.graph_mermaid",
  dot = "aiowire.graph_dot",
}

--- Return a graph as text.
function M.written(graph, format)
  return inner.part(FORMATS[format])(graph:finished())
end

--- Return a picture of several loops. For the inspector.
function M.loops(list, format)
  local graph = inner.part "aiowire.graph_model".new()
  for _, ev in ipairs(list) do
    inner.part "aiowire.graph_tasks".add_loop(graph, ev)
  end
  return M.written(graph, format)
end

-- A C function calls this function, so errors blame level 3.
function M.graph(subject, format)
  local is_loop = inner.is_loop(subject)
  if not is_loop and (subject == nil or not inner.is_wire(subject)) then
    inner.bad_type(1, "wire or EventLoop", subject)
  end
  format = format == nil and "mermaid" or format
  if not FORMATS[format] then
    inner.bad_argument(2, "\"mermaid\" or \"dot\" expected, got "
      .. inner.shown(format))
  end
  local graph = inner.part "aiowire.graph_model".new()
  if is_loop then
    inner.part "aiowire.graph_tasks".add_loop(graph, subject)
  else
    inner.part "aiowire.graph_wires".add(graph,
      inner.look_wire(inner.wire(subject)))
  end
  return M.written(graph, format)
end

return M
