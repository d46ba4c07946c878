--- Shrinks a program while it shows the same finding. Each step leaves out
--- statements, or replaces a statement by the statements in it, or an
--- expression by a part of it. The steps end when none is possible or the
--- limits are reached.

local tree = require "spec.fuzz.tree"

local M = {}

local RUNS <const>, SECONDS <const> = 250, 90

--- Leave out statements of one block: many at once first, then fewer.
local function thin(list, holds)
  local count, changed = #list, false
  while count >= 1 do
    local first = 1
    while first <= #list do
      local undo = tree.cut(list, first, math.min(count, #list - first + 1))
      if holds() then
        changed = true
      else
        undo()
        first = first + count
      end
    end
    count = count // 2
  end
  return changed
end

local function thin_all(root, holds)
  local changed, done = false, {}
  local again = true
  while again do
    again = false
    for _, list in ipairs(tree.lists(root)) do
      if not done[list] then -- look again: some blocks may be cut away now
        done[list], again = true, true
        changed = thin(list, holds) or changed
        break
      end
    end
  end
  return changed
end

--- Replace one node by a part of it. Returns false if none can be replaced.
local function lift(root, holds)
  for _, place in ipairs(tree.replaceable(root)) do
    for _, node in ipairs(place.kin) do
      local undo = tree.replace(place.parent, place.index, node)
      if holds() then
        return true
      end
      undo()
    end
  end
  return false
end

--- Shrink `root` in place.
---@param root table
---@param fails fun(): boolean tells whether the finding is still there
---@return integer runs number of calls of `fails`
function M.shrink(root, fails)
  local runs, ends = 0, os.time() + SECONDS
  local function holds()
    runs = runs + 1
    return runs <= RUNS and os.time() < ends and fails()
  end
  local changed
  repeat
    changed = thin_all(root, holds)
    while lift(root, holds) do
      changed = true
    end
  until not changed or runs >= RUNS or os.time() >= ends
  return runs
end

return M
