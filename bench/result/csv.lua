--- Writes all figures of all rounds as CSV.
local M = {}

local ORDER <const> = { "cpu", "user", "system", "wall", "peak" }

--- Return the names of the figures of a cost, the common ones first.
local function names(cost)
  local list, others, common = {}, {}, {}
  for _, name in ipairs(ORDER) do
    common[name] = true
    list[#list + 1] = cost[name] and name
  end
  for name in pairs(cost) do
    others[#others + 1] = not common[name] and name or nil
  end
  table.sort(others)
  return table.move(others, 1, #others, #list + 1, list)
end

--- Return the text: seconds and bytes of one operation, N operations in a run.
function M.format(about, entries)
  local lines = {}
  for _, text in ipairs(about) do
    lines[#lines + 1] = "# " .. text
  end
  lines[#lines + 1] = "row,peer,n,round,figure,value"
  for _, entry in ipairs(entries) do
    for round, cost in ipairs(entry.costs) do
      for _, name in ipairs(names(cost)) do
        lines[#lines + 1] = ("%s,%s,%d,%d,%s,%.6g"):format(entry.row.id,
          entry.peer.name, entry.n, round, name, cost[name])
      end
    end
  end
  return table.concat(lines, "\n") .. "\n"
end

return M
