--- dump.lua: ev:dump(), the tree of scopes and tasks as text [D2]
---
--- Plain scopes that own no task are left out: wires open many such scopes, and
--- a reader learns nothing from them.
local _, inner = ...

local DEEPEST <const> = 40
local MOST_LINES <const> = 1000 -- the most entries in the output
-- the most entries of the tree to look at
local MOST_ENTRIES <const> = 4 * MOST_LINES

--- Set `last` in each entry that is the last child of its parent. The walk goes
--- from the end; `open[depth]` is set if a sibling at that depth follows.
local function mark_last(tree)
  local open, deepest = {}, 0
  for i = #tree, 1, -1 do
    local depth = tree[i].depth
    tree[i].last = not open[depth]
    for deeper = depth + 1, deepest do
      open[deeper] = nil
    end
    open[depth], deepest = true, depth
  end
end

local function describe(entry)
  local task = entry.task
  if not task then
    return entry.label
  end
  local parts = { inner.shown(task), task.status }
  if task.waiting then
    parts[#parts + 1] = task.waiting
  end
  parts[#parts + 1] = ("age %.1f s"):format(task.age)
  parts[#parts + 1] = ("steps %d"):format(task.steps)
  if task.started_at then
    parts[#parts + 1] = "started at " .. task.started_at
  end
  return table.concat(parts, "  ")
end

local function await_line(task)
  local place = task:traceback():match "\n\t([^\n]-%.lua:%d+): in"
  return place and "awaits at " .. place
end

--- Remove plain scopes that have nothing, or only another scope, directly
--- below.
local function pruned(tree)
  local kept, hidden = {}, 0
  local depths = {} -- depth in `tree` of each hidden scope
  for i, entry in ipairs(tree) do
    while hidden > 0 and depths[hidden] >= entry.depth do
      hidden = hidden - 1
    end
    local below = tree[i + 1]
    local owns = below and below.depth > entry.depth and below.task
    if entry.label == "scope" and not entry.task and not owns
      and not entry.cancelled then
      hidden = hidden + 1
      depths[hidden] = entry.depth
    else
      entry.shown = entry.depth - hidden
      kept[#kept + 1] = entry
    end
  end
  for _, entry in ipairs(kept) do
    entry.depth = entry.shown
  end
  return kept
end

--- Replace entries that are nested too deeply for a reader by their number.
local function cut(tree)
  local kept, deeper = {}, 0
  local function tell()
    if deeper > 0 then
      kept[#kept + 1] = { depth = DEEPEST, label = ("... %d more below")
        :format(deeper) }
      deeper = 0
    end
  end
  for _, entry in ipairs(tree) do
    if entry.depth >= DEEPEST then
      deeper = deeper + 1
    else
      tell()
      kept[#kept + 1] = entry
    end
  end
  tell()
  return kept
end

--- Replace the entries after the first MOST_LINES by the number of their tasks;
--- `beyond` more tasks are not in the tree at all.
local function shortened(tree, beyond)
  for i = MOST_LINES + 1, #tree do
    beyond = beyond + (tree[i].task and 1 or 0)
    tree[i] = nil
  end
  if beyond > 0 then
    local label = ("... %d more tasks"):format(beyond)
    tree[#tree + 1] = { depth = 1, label = label }
  end
  return tree
end

--- `busy`, for a dump in the middle of a step, says what those tasks do that do
--- not await: busy[task] = "busy at s.lua:12".
return function(ev, busy)
  local entries, beyond = inner.tree(ev, MOST_ENTRIES)
  local tree = shortened(cut(pruned(entries)), beyond)
  mark_last(tree)
  local lines = { tostring(ev) }
  local bars = {}
  for i, entry in ipairs(tree) do
    local last = entry.last
    local lead = table.concat(bars, "", 1, entry.depth - 1)
    bars[entry.depth] = last and "   " or "│  "
    local text = describe(entry) .. (entry.cancelled and "  CANCELLED" or "")
    lines[#lines + 1] = lead .. (last and "╰─ " or "├─ ") .. text
    local place = entry.task and (busy and busy[entry.task]
      or entry.task.status == "waiting" and await_line(entry.task))
    if place then
      local below = tree[i + 1] and tree[i + 1].depth > entry.depth
      lines[#lines + 1] = lead .. bars[entry.depth]
        .. (below and "│ " or "  ") .. place
    end
  end
  return table.concat(lines, "\n")
end
