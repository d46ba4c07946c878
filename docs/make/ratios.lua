--- ratios.lua: draws the table of docs/performance.md, a bar for each row

local compare = require "bench.result.compare"
local figures = require "bench.result.figures"
local jobs = require "bench.jobs"
local peers = require "bench.peers"
local rows = require "bench.result.rows"
local svg = require "docs.make.svg"
local units = require "bench.result.units"

local M = {}

local WIDTH <const>, TOP <const>, PITCH <const>, BAR <const> = 800, 92, 18, 12
local LEFT <const>, RIGHT <const> = 264, 212
local TICKS <const> = { 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100 }

local function by_field(list, field)
  local map = {}
  for _, entry in ipairs(list) do
    map[entry[field]] = entry
  end
  return map
end

-- Returns the entry of a row and a peer, a new one if there is none.
local function entry_of(entries, row, peer)
  local of_row = entries[row] or {}
  entries[row] = of_row
  local entry = of_row[peer]
  if not entry then
    entry = { row = row, peer = peer, costs = {} }
    of_row[peer] = entry
    entries[#entries + 1] = entry
  end
  return entry
end

--- Return the entries of a file that bench/result/csv.lua has written, with
--- summaries of the figures that rank their rows; and the rows.
---@param csv string
---@return table[] entries
---@return table[] all_rows
function M.read(csv)
  local all_rows = rows.expand(jobs, {})
  local row_of, peer_of = by_field(all_rows, "id"), by_field(peers, "name")
  local entries = {}
  for id, name, round, figure, at in
    csv:gmatch "\n([^,\n]+),([^,]+),%d+,(%d+),([^,\n]+),()" do
    local row, peer = row_of[id], peer_of[name]
    if row and peer and figure == compare.by(row) then
      entry_of(entries, row, peer).costs[tonumber(round)] = {
        [figure] = tonumber(csv:match("[^\n]+", at)),
      }
    end
  end
  for _, entry in ipairs(entries) do
    entry.summary = figures.summary(entry.costs)
  end
  return entries, all_rows
end

--- Return a list of { title =, peer =, ratio = }: the rows that have a peer.
---@param csv string
---@return table[]
function M.list(csv)
  local entries, all_rows = M.read(csv)
  local list = {}
  for _, row in ipairs(all_rows) do
    local ranking = compare.ranking(row, entries)
    local best = compare.best(ranking)
    local ratio = compare.ratio(compare.ours(ranking), best)
    if ratio then
      list[#list + 1] = { title = row.title, peer = best.peer.title,
        ratio = ratio }
    end
  end
  return list
end

-- Returns a function from ratios to places on a logarithmic axis, and the least
-- and the greatest ratio on it.
local function axis_of(list)
  local low, high = 0.5, 2
  for _, entry in ipairs(list) do
    low, high = math.min(low, entry.ratio), math.max(high, entry.ratio)
  end
  low, high = low * 0.8, high * 1.75
  return function(ratio)
    local part = math.log(ratio / low) / math.log(high / low)
    return LEFT + part * (WIDTH - LEFT - RIGHT)
  end, low, high
end

local function draw_axis(page, bottom, x_of, low, high)
  for _, tick in ipairs(TICKS) do
    if tick >= low and tick <= high then
      local x = x_of(tick)
      page:line(x, TOP, x, bottom, tick == 1 and "line-grey" or "line")
      page:text(x, TOP - 8, ("%g×"):format(tick), "grey", "middle")
    end
  end
end

local function draw_row(page, entry, y, x_of)
  local from = x_of(math.min(1, entry.ratio))
  local to = x_of(math.max(1, entry.ratio))
  local loses = entry.ratio > 1
  page:text(LEFT - 10, y + 10, entry.title, "usual", "end")
  page:rect(from, y, math.max(to - from, 1), BAR,
    loses and "full-gold" or "full-blue", 1)
  page:text(WIDTH - RIGHT + 60, y + 10, units.digits(entry.ratio) .. "×",
    loses and "strong" or "code", "end")
  page:text(WIDTH - RIGHT + 72, y + 10, entry.peer, "grey")
end

--- Return the file of a picture.
---@param about table title, desc
---@param csv string
---@return string
function M.draw(about, csv)
  local list = M.list(csv)
  local bottom, losses = TOP + PITCH * #list, 0
  local page = svg.page { width = WIDTH, height = bottom + 16,
    title = about.title, desc = about.desc }
  local x_of, low, high = axis_of(list)
  draw_axis(page, bottom, x_of, low, high)
  for i, entry in ipairs(list) do
    draw_row(page, entry, TOP + PITCH * (i - 1) + 4, x_of)
    losses = losses + (entry.ratio > 1 and 1 or 0)
  end
  page:text(16, 26, about.title, "title")
  page:rect(16, 40, 18, 10, "full-blue", 1)
  page:text(40, 50, ("aiowire is cheaper: %d rows"):format(#list - losses),
    "grey")
  page:rect(256, 40, 18, 10, "full-gold", 1)
  page:text(280, 50, ("the peer is cheaper: %d rows"):format(losses), "grey")
  page:text(WIDTH - RIGHT + 72, TOP - 8, "best peer", "grey")
  page:text(WIDTH - 16, 50, "logarithmic axis", "grey", "end")
  return page:file()
end

return M
