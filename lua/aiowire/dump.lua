--- ev:dump(): the tree of scopes and tasks, as text [D2].
local _, inner = ...

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
    return entry.shield and "shield" or "scope"
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

return function(ev)
  local tree = inner.tree(ev)
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
