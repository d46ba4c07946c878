--- Lists of keys in an order that is the same in each run.

local M = {}

--- Returns the sorted keys of a table.
function M.keys(t)
  return M.without(t, {})
end

--- Returns the sorted keys of `set` that are not in `other`.
function M.without(set, other)
  local list = {}
  for key in pairs(set) do
    if not other[key] then
      list[#list + 1] = key
    end
  end
  table.sort(list)
  return list
end

return M
