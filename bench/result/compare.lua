--- Compares the entries of a row: order, floor, best peer, and musts.
---
--- An entry has `summary` here, made by figures.lua. All functions are pure.
local figures = require "bench.result.figures"
local units = require "bench.result.units"

local M = {}

--- Return the figure that ranks a row.
function M.by(row)
  return row.job.by or "cpu"
end

local function median(entry, figure)
  local spread = entry and entry.summary[figure]
  return spread and spread.median
end

M.median = median

--- Return the entries of `row` that have its figure, the cheapest first.
function M.ranking(row, entries)
  local figure, list = M.by(row), {}
  for _, entry in ipairs(entries) do
    if entry.row == row and median(entry, figure) then
      list[#list + 1] = entry
    end
  end
  table.sort(list, function(a, b)
    return median(a, figure) < median(b, figure)
  end)
  return list
end

--- Return the entry of a peer among the entries of a row.
function M.of(list, name)
  for _, entry in ipairs(list) do
    if entry.peer.name == name then
      return entry
    end
  end
end

--- Return the entry of aiowire: of the program, or else of the C library.
function M.ours(list)
  return M.of(list, "aiowire") or M.of(list, "aiowire_c")
end

--- Return the best peer in a ranking: the first that is neither ours, nor the
--- floor, nor a part that has no event loop.
function M.best(ranking)
  for _, entry in ipairs(ranking) do
    if not entry.peer.role then
      return entry
    end
  end
end

--- Return a / b by the figure that ranks the row.
function M.ratio(a, b)
  if a and b then
    local figure = M.by(a.row)
    return figures.ratio(median(a, figure), median(b, figure))
  end
end

-- ── musts ──────────────────────────────────────────────────────────────────

--- Return whether a must is for `row`.
function M.concerns(must, row)
  return (not must.size or must.size == row.size)
    and (not must.parameter or must.parameter == row.parameter)
end

--- Return what a must compares with, and its name: an entry of another peer in
--- the same row, or of the same peer in another row of the job.
local function base(must, entry, entries)
  for _, other in ipairs(entries) do
    local row = other.row
    if row == entry.row and other.peer.name == must.of then
      return other, must.of
    elseif must.row and row.job == entry.row.job and other.peer == entry.peer
      and (row.size == must.row or row.parameter == must.row) then
      return other, row.title
    end
  end
end

--- Return the verdict about one must, or nil if its figures are missing.
local function judge(must, entry, entries)
  local figure = must[1]
  local value, limit = median(entry, figure), must.most
  local is_ratio = must.of or must.row
  if is_ratio then
    local other, name = base(must, entry, entries)
    value = figures.ratio(value, median(other, figure))
    return value and {
      row = entry.row, peer = entry.peer, over = value > limit,
      text = ("%s at most %s × %s"):format(figure, units.digits(limit), name),
      value = units.digits(value) .. " ×",
    }
  end
  return value and {
    row = entry.row, peer = entry.peer, over = value > limit,
    text = ("%s at most %s"):format(figure, units.show(figure, limit)),
    value = units.show(figure, value),
  }
end

--- Return the verdicts about all musts, in the order of the rows: tables with
--- `row`, `peer`, `text`, `value` and `over`. The second result is the number
--- of musts that lack a figure: no program of ours has a verdict.
function M.verdicts(entries)
  local list, judged = {}, {}
  for _, entry in ipairs(entries) do
    for i, must in ipairs(entry.peer.role == "ours" and entry.row.job.musts
      or {}) do
      if M.concerns(must, entry.row) then
        local verdict = judge(must, entry, entries)
        local key = entry.row.id .. " " .. i
        list[#list + 1] = verdict
        judged[key] = judged[key] or verdict ~= nil
      end
    end
  end
  local missing = 0
  for _, known in pairs(judged) do
    missing = missing + (known and 0 or 1)
  end
  return list, missing
end

return M
