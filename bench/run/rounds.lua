--- Measures entries, round by round.
---
--- An entry is a program in a row: { row =, peer =, program =, n =, costs = {},
--- failed =, skipped = }. In a round each entry of a row has its turn, so what
--- slows the machine for a while slows all of them; the first turn goes to
--- another entry in each round. `run(entry, n)` runs the program once and
--- returns what it cost, or nil and an error text.
local figures = require "bench.result.figures"
local sizes = require "bench.run.sizes"

local M = {}

--- A program that has taken so many seconds gets no more rounds: a crowd of a
--- million would take most of the time of a run.
local ENOUGH <const> = 8

--- Most tries to find N.
local TRIES <const> = 6

--- Return what a run costs. An error ends the entry.
local function measured(entry, n, run)
  local result, message = run(entry, n)
  if not result then
    error({ failed = message })
  end
  entry.spent = (entry.spent or 0) + result.wall
  return result
end

--- What a program that waits may take in wall time, in targets.
local WAIT <const> = 10

--- Return the seconds that count. Wall time alone would give a small N on a
--- busy machine.
local function seconds(cost)
  return math.max(cost.cpu, cost.wall / WAIT)
end

--- Choose N of an entry. Returns the cost of its last try.
local function choose_size(entry, target, run)
  local n = sizes.first(entry.row.size)
  local zero = measured(entry, 0, run)
  local last
  for _ = 1, TRIES do
    entry.n = n
    last = measured(entry, n, run)
    n = sizes.next(n, seconds(last) - seconds(zero), target)
    if n == entry.n then
      break
    end
  end
  return figures.cost(last, zero, entry.n)
end

--- Return the cost of the same job and peer in a smaller crowd.
local function smaller(entry, entries)
  local best
  for _, other in ipairs(entries) do
    local same = other.peer == entry.peer and other.row.job == entry.row.job
    if same and other.row.size < entry.row.size and other.costs[1] then
      best = other
    end
  end
  return best and best.costs[1]
end

--- Set N of an entry, or why it is left out. Returns a cost if that took a
--- measurement.
local function prepare(entry, entries, target, run)
  local job = entry.row.job
  if job.times then
    entry.n = 0
  elseif not job.sizes then
    return choose_size(entry, target, run)
  else
    local cost = smaller(entry, entries)
    entry.skipped = cost and sizes.too_much(cost, entry.row.size)
    entry.n = entry.row.size
  end
end

local function take_turn(entry, entries, target, run)
  local cost = not entry.n and prepare(entry, entries, target, run)
  if not cost and not entry.skipped then
    local zero = entry.n > 0 and measured(entry, 0, run)
    cost = figures.cost(measured(entry, entry.n, run), zero, entry.n)
  end
  table.insert(entry.costs, cost or nil)
end

--- Return a list of lists: the entries of each row.
local function by_row(entries)
  local lists, list = {}, nil
  for _, entry in ipairs(entries) do
    if not list or list[1].row ~= entry.row then
      list = {}
      lists[#lists + 1] = list
    end
    list[#list + 1] = entry
  end
  return lists
end

local function may_go_on(entry)
  return not entry.failed and not entry.skipped
    and (entry.spent or 0) < ENOUGH
end

--- Measure `entries` in one round. A run should take `target` seconds.
--- `begin(row)` is called before the entries of each row.
function M.round(number, entries, target, run, begin)
  for _, list in ipairs(by_row(entries)) do
    begin(list[1].row)
    for i = 1, #list do
      local entry = list[(i + number - 2) % #list + 1]
      if may_go_on(entry) then
        local good, problem = pcall(take_turn, entry, entries, target, run)
        if not good then
          entry.failed = type(problem) == "table" and problem.failed
            or error(problem, 0)
        end
      end
    end
  end
end

return M
