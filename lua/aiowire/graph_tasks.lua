--- graph_tasks.lua: draws an EventLoop with its tasks into a graph
---
--- Each task is an item with an edge from its parent. A scope between both is
--- the label of that edge. The item has the color of the task's state. A task
--- that went from wire to wire is a box with these states in it, and how often
--- it went where; another one has its wire inside. Tasks that look the same are
--- one item, with their number.
---
--- Neighbours: graph_wires.lua draws the wires; objects/tree.c has the tree.
local _, inner = ...

local wires <const> = inner.part "aiowire.graph_wires"

local M = {}

local MOST_ENTRIES <const> = 2000 -- of the tree, to look at
local MOST_TASKS <const> = 100
local MOST_CHILDREN <const> = 40 -- of one parent, after folding
local MOST_NODES <const> = 30 -- of the wire of one task
local MANY <const> = 12 -- more children than these are compared without numbers

-- The scopes of operators, whose operands are tasks.
local OPERATORS <const> = {
  join = true, race = true, any = true, select = true,
}

-- The tree --------------------------------------------------------------------

--- Return the tree of tasks, { children = {{ task=, via=, children= }, …} },
--- from the list of scopes and tasks. Those in the set `skipped` are left out.
local function tree_of(entries, skipped)
  local root = { children = {} }
  local path = { [0] = { task = root } } -- by depth
  for _, entry in ipairs(entries) do
    local above = path[entry.depth - 1]
    local via = entry.label ~= "scope" and entry.label or nil
    if entry.task and not skipped[entry.task] then
      local child = { task = entry.task, cancelled = entry.cancelled,
        via = above.via, children = {} }
      table.insert(above.task.children, child)
      path[entry.depth] = { task = child, via = via }
    else
      path[entry.depth] = { task = above.task, via = via or above.via }
    end
  end
  return root
end

--- Return what a task waits for, without what changes from moment to moment.
local function waits_for(task)
  local text = task.waiting
  return text and text:gsub(" %([%d.]+ left%)$", "") or "?"
end

local function state_of(branch)
  return branch.cancelled and "cancelled" or branch.task.status
end

--- Look at a task, and set the fields of its branch.
local function look(branch)
  local task = branch.task
  branch.name, branch.wire, branch.chain = inner.look_task(task)
  branch.state = state_of(branch)
  branch.about = task.status == "waiting" and "waiting: " .. waits_for(task)
    or task.status
  if branch.cancelled then
    branch.about = "cancelled, " .. branch.about
  end
end

--- Return a text that two tasks share only if they look the same; or the same
--- but for what `blur` takes out of their texts.
local function signature(branch, blur)
  blur = blur or tostring
  local parts = { blur(tostring(branch.name)), blur(branch.about),
    tostring(branch.via), branch.task.started_at or "",
    branch.wire and blur(wires.signature(branch.wire)) or "" }
  for _, state in ipairs(branch.chain) do
    parts[#parts + 1] = state.name
  end
  return table.concat(parts, "\0")
end

--- Replace numbers, but for those of lines, which tell functions apart.
local function without_numbers(text)
  return (text:gsub("%.lua:%d+", function(place)
    return (place:gsub("%d", function(digit)
      return string.char(digit:byte() + 49) -- a letter
    end))
  end):gsub("%d[%d.]*", "0"))
end

--- Let `first` stand for `branch` as well.
local function merge(first, branch)
  first.times, first.last = first.times + branch.times, branch.name
  if first.about ~= branch.about and not first.is_cut then
    first.is_cut = true
    first.about = first.about:match "^%D*" .. "…" -- what both begin with
  end
end

--- Return the branches, where those that look the same and have no children are
--- one branch.
local function merged(branches, blur)
  local list, seen = {}, {}
  for _, branch in ipairs(branches) do
    local key = #branch.children == 0 and signature(branch, blur)
    if key and seen[key] then
      merge(seen[key], branch)
    else
      seen[key or branch] = branch
      list[#list + 1] = branch
    end
  end
  return list
end

local function folded(children)
  for _, branch in ipairs(children) do
    look(branch)
    branch.times = 1
  end
  local list = merged(children)
  return #list > MANY and merged(list, without_numbers) or list
end

-- States ----------------------------------------------------------------------

--- Return the name by which a chain remembers the wire at which a task is.
local function current_state(wire)
  return wire and (wire.kind == "named" or wire.kind == "body") and wire.name
    or "wire"
end

--- Return how often a task went from one state to another one, a list
--- { from=, to=, count= }: while somebody counts, all tasks that were started
--- at the same line; else what the chain of the task remembers.
local function transitions_of(branch)
  local counted = inner.transitions(branch.task)
  if counted and #counted > 0 and #branch.chain > 0 then
    return counted
  end
  local list, by_pair = {}, {}
  local function count(from, to, n)
    local pair = from .. "\0" .. to
    if not by_pair[pair] then
      by_pair[pair] = { from = from, to = to, count = 0 }
      list[#list + 1] = by_pair[pair]
    end
    by_pair[pair].count = by_pair[pair].count + n
  end
  local last
  for i = #branch.chain, 1, -1 do
    local state = branch.chain[i]
    if last then
      count(last, state.name, 1)
    end
    if state.times > 1 then
      count(state.name, state.name, state.times - 1)
    end
    last = state.name
  end
  if last and branch.wire then
    count(last, current_state(branch.wire), 1)
  end
  return list
end

-- Items -----------------------------------------------------------------------

--- The lines of a task's item.
local function lines_of(branch)
  local name = branch.name and wires.state_name(branch.name)
    or branch.wire and wires.title(branch.wire)
  local lines = { name }
  if branch.times > 1 then
    local last = branch.last and wires.state_name(branch.last)
    if last and last ~= name then
      name = name .. " … " .. last
    end
    lines[1] = (name or "tasks") .. " ×" .. branch.times
    lines[2] = branch.about
  else
    lines[#lines + 1] = ("task %d, %s"):format(branch.task.id, branch.about)
  end
  return lines
end

--- Draw the states of a task, with edges. The one at which it is has its color.
local function draw_states(graph, branch, transitions)
  local nodes = {}
  local current = current_state(branch.wire)
  local function node_of(name)
    if not nodes[name] then
      nodes[name] = graph:node("body", { wires.state_name(name) },
        { state = name == current and branch.state or nil })
    end
    return nodes[name]
  end
  for _, transition in ipairs(transitions) do
    graph:edge(node_of(transition.from), node_of(transition.to), "flow",
      "×" .. transition.count)
  end
end

--- Do the children of a task stand for the parts of its wire?
local function is_spread(branch)
  for _, child in ipairs(branch.children) do
    if OPERATORS[child.via] then
      return true
    end
  end
  return false
end

--- Return the wire of a task, without the name if the title tells it.
local function unnamed_wire(branch)
  local wire = branch.wire
  return wire and wire.kind == "named" and wire.name == branch.name
    and wire.parts[1] or wire
end

--- Draw a task, and return its item.
local function draw_task(graph, branch)
  local fields = { state = branch.state, tip = branch.task.started_at }
  local transitions = transitions_of(branch)
  local lines, wire = lines_of(branch), unnamed_wire(branch)
  if #transitions > 0 then
    return graph:box(lines, fields, graph:collect(function()
      draw_states(graph, branch, transitions)
    end))
  elseif not wire or wires.is_leaf(wire) or is_spread(branch) then
    return graph:node("body", lines, fields)
  end
  return graph:box(lines, fields, graph:collect(function()
    return wires.add(graph, wire, MOST_NODES)
  end))
end

local function draw_more(graph, count, from)
  local note = graph:node("note", { ("… %d more task%s"):format(count,
    count == 1 and "" or "s") })
  graph:edge(from, note, "child")
end

--- The number of tasks in a branch, with those below it.
local function size_of(branch)
  local count = branch.times or 1
  for _, child in ipairs(branch.children) do
    count = count + size_of(child)
  end
  return count
end

--- Draw the tasks below `branch`, whose item is `item`. `left` has the number
--- of items that may still be drawn.
local function draw_children(graph, branch, item, left)
  local missing = 0
  for i, child in ipairs(folded(branch.children)) do
    if i > MOST_CHILDREN or left.items <= 0 then
      missing = missing + size_of(child)
    else
      left.items = left.items - 1
      local below = draw_task(graph, child)
      graph:edge(item, below, "child", child.via)
      draw_children(graph, child, below, left)
    end
  end
  if missing > 0 then
    draw_more(graph, missing, item)
  end
end

--- Draw a loop with its tasks, but those in the set `skipped`.
function M.add_loop(graph, ev, skipped)
  local entries, beyond = inner.tree(ev, MOST_ENTRIES)
  local root = graph:node("body", { tostring(ev) })
  draw_children(graph, tree_of(entries, skipped or {}), root,
    { items = MOST_TASKS })
  if beyond > 0 then
    draw_more(graph, beyond, root)
  end
end

--- Draw the wire of a task in a box with the task's name.
function M.add_wire(graph, task)
  local name, wire = inner.look_task(task)
  if not name or wires.is_leaf(wire) or wire.kind == "named" then
    wires.add(graph, wire)
  else
    M.add_titled(graph, name, wire)
  end
end

--- Draw a wire in a box.
function M.add_titled(graph, title, wire)
  graph:box({ title }, nil, graph:collect(function()
    return wires.add(graph, wire)
  end))
end

return M
