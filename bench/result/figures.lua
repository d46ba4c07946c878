--- Costs of an operation, their medians and ratios. All functions are pure.
---
--- A cost is { wall =, user =, system =, cpu =, peak = } in seconds and bytes,
--- perhaps with figures that a load printed. A summary is { [figure] = { median
--- =, least =, most = } }.
local M = {}

--- Return the figures in the lines "name value" of `text`.
function M.parse(text)
  local figures = {}
  for name, value in text:gmatch "(%S+) (%S+)[^\n]*\n" do
    figures[name] = tonumber(value)
  end
  if figures.user and figures.system then
    figures.cpu = figures.user + figures.system
  end
  return figures
end

--- What measure.c prints: figures of the whole run. Others, printed by a load,
--- are taken as they are.
local WHOLE <const> = { wall = true, user = true, system = true, cpu = true,
  peak = true }

--- Return the cost of one of `n` operations: `run` less the start and end,
--- which `zero` has. Without operations, the cost is that of the run.
function M.cost(run, zero, n)
  local cost = {}
  for name, value in pairs(run) do
    local whole = WHOLE[name] and n > 0
    cost[name] = whole and (value - zero[name]) / n or value
  end
  return cost
end

--- Return the median of a list, its least and its greatest value.
function M.spread(list)
  local sorted = table.move(list, 1, #list, 1, {})
  table.sort(sorted)
  local upper = #sorted // 2 + 1
  local median = #sorted % 2 == 1 and sorted[upper]
    or (sorted[upper - 1] + sorted[upper]) / 2
  return { median = median, least = sorted[1], most = sorted[#sorted] }
end

--- Return the summary of a list of costs.
function M.summary(costs)
  local lists, summary = {}, {}
  for _, cost in ipairs(costs) do
    for name, value in pairs(cost) do
      lists[name] = lists[name] or {}
      table.insert(lists[name], value)
    end
  end
  for name, list in pairs(lists) do
    summary[name] = M.spread(list)
  end
  return summary
end

--- Return a / b, or nil if noise made one of them less than nothing.
function M.ratio(a, b)
  return a and b and a > 0 and b > 0 and a / b or nil
end

return M
