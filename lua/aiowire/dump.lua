--- ev:dump(): the tree of scopes and tasks, as text [D2].
---
--- Scopes that tell nothing are left out: plain ones that own no task, which
--- wires open by the dozen.
local _, inner = ...

local DEEPEST <const> = 40

--- Is entry `i` the last one of its depth below the same parent?
local function is_last(tree, i)
  for j = i + 1, #tree do
    if tree[j].depth < tree[i].depth then
      return true
    elseif tree[j].depth == tree[i].depth then
      return false
    end
  end
  return true
end

local function describe(entry)
  local task = entry.task
  if not task then
    return entry.label
  end
  local parts = { ("task %d '%s'"):format(task.id, task.name), task.status }
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

--- Take scopes out that are plain and have nothing, or only another scope,
--- directly below.
local function pruned(tree)
  local kept, hidden = {}, 0
  local depths = {} -- depth in `tree` at which each hidden one stands
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

--- Cut what is nested deeper than people read; the count of it stands instead.
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

return function(ev)
  local tree = cut(pruned(inner.tree(ev)))
  local lines = { tostring(ev) }
  local bars = {}
  for i, entry in ipairs(tree) do
    local last = is_last(tree, i)
    local lead = table.concat(bars, "", 1, entry.depth - 1)
    bars[entry.depth] = last and "   " or "│  "
    local text = describe(entry) .. (entry.cancelled and "  CANCELLED" or "")
    lines[#lines + 1] = lead .. (last and "╰─ " or "├─ ") .. text
    local place = entry.task and entry.task.status == "waiting"
      and await_line(entry.task)
    if place then
      local below = tree[i + 1] and tree[i + 1].depth > entry.depth
      lines[#lines + 1] = lead .. bars[entry.depth]
        .. (below and "│ " or "  ") .. place
    end
  end
  return table.concat(lines, "\n")
end
