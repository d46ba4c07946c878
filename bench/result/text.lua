--- Writes the results as text: a block for each row, the musts, a summary.
---
--- Results are { about = { line… }, rows =, entries =, missing = { { title =,
--- package = }… } }. All functions are pure.
local compare = require "bench.result.compare"
local units = require "bench.result.units"

local M = {}

local WIDTH <const> = 18

--- Pad by characters, not by bytes.
local function pad(text, width)
  return text .. (" "):rep(width - utf8.len(text))
end

local function pad_left(text, width)
  return (" "):rep(width - utf8.len(text)) .. text
end

local function ratio(value)
  return value and units.digits(value) .. "×" or ""
end

local function spread(entry, figure)
  local s = entry.summary[figure]
  if not s then
    return "", "", ""
  end
  return units.show(figure, s.median), units.show(figure, s.least),
    units.show(figure, s.most)
end

local function line(cells)
  local widths <const> = { 7, 7, 7, 7, 7, 7, 7, 6, 6 }
  local text = "  " .. pad(cells[1], WIDTH)
  for i, width in ipairs(widths) do
    text = text .. " " .. pad_left(cells[i + 1] or "", width)
  end
  return (text:gsub(" +$", ""))
end

local function entry_line(entry, floor, best)
  local figure = compare.by(entry.row)
  local median, least, most = spread(entry, figure)
  local memory = entry.row.job.memory and spread(entry, "peak") or ""
  local other = figure == "wall" and "cpu" or "wall"
  return line { entry.peer.title, median, least, most,
    (spread(entry, "user")), (spread(entry, "system")),
    (spread(entry, other)), memory,
    ratio(compare.ratio(entry, floor)), ratio(compare.ratio(entry, best)) }
end

--- Return the lines about programs that were not measured.
local function absent_lines(row, entries)
  local lines = {}
  for _, entry in ipairs(entries) do
    local why = entry.row == row and (entry.failed or entry.skipped)
    if why then
      lines[#lines + 1] = "  " .. pad(entry.peer.title, WIDTH) .. " " .. why
    end
  end
  return lines
end

--- Return the block of a row.
function M.block(row, entries)
  local ranking = compare.ranking(row, entries)
  local figure = compare.by(row)
  local names <const> = { cpu = "CPU time", wall = "wall time",
    peak = "memory" }
  local lines = {
    ("%s: %s of one operation"):format(row.title, names[figure]),
    "  " .. row.job.operation,
    line { "", "median", "least", "most", "user", "system",
      figure == "wall" and "CPU" or "wall", row.job.memory and "memory" or "",
      "/ floor", "/ best" },
  }
  local floor, best = compare.of(ranking, "floor"), compare.best(ranking)
  for _, entry in ipairs(ranking) do
    lines[#lines + 1] = entry_line(entry, floor, best)
  end
  table.move(absent_lines(row, entries), 1, 99, #lines + 1, lines)
  return table.concat(lines, "\n") .. "\n"
end

local function verdict_line(verdict)
  return ("  %s %s %s %s\n"):format(verdict.over and "OVER" or "ok  ",
    pad(verdict.row.title .. ", " .. verdict.peer.title, 44),
    pad(verdict.text, 44), verdict.value)
end

--- Return the list of musts, or "" without any.
function M.musts(entries)
  local verdicts, missing = compare.verdicts(entries)
  local text = #verdicts > 0 and "musts\n" or ""
  for _, verdict in ipairs(verdicts) do
    text = text .. verdict_line(verdict)
  end
  if missing > 0 then
    text = text .. ("  %d more lack a figure: of a peer, of another row, or "
      .. "--instructions\n"):format(missing)
  end
  return text
end

local function place(ranking, ours)
  local at, of = 1, 0
  for _, entry in ipairs(ranking) do
    if not entry.peer.role then
      of = of + 1
      at = at + ((compare.ratio(entry, ours) or 1) < 1 and 1 or 0)
    end
  end
  return of > 0 and ("%d of %d"):format(at, of + 1) or ""
end

--- Return the cells of a row in the summary, or nil if aiowire has no figure:
--- title, figure, ratio to the floor, best peer, ratio to it, place.
function M.summary_cells(row, entries)
  local ranking = compare.ranking(row, entries)
  local ours, best = compare.ours(ranking), compare.best(ranking)
  if not ours then
    return nil
  end
  return { row.title, (spread(ours, compare.by(row))),
    ratio(compare.ratio(ours, compare.of(ranking, "floor"))),
    best and best.peer.title or "", ratio(compare.ratio(ours, best)),
    place(ranking, ours) }
end

M.SUMMARY_HEAD = { "aiowire", "median", "/ floor", "best peer", "/ best",
  "place" }

function M.summary(rows, entries)
  local lines = {}
  local function put(cells)
    local text = pad(cells[1], 32)
    for i, width in ipairs { 10, 8 } do
      text = text .. " " .. pad_left(cells[i + 1], width)
    end
    text = text .. "  " .. pad(cells[4], 18) .. pad_left(cells[5], 8) .. "  "
      .. cells[6]
    lines[#lines + 1] = text:gsub(" +$", "") .. "\n"
  end
  put(M.SUMMARY_HEAD)
  for _, row in ipairs(rows) do
    local cells = M.summary_cells(row, entries)
    if cells then
      put(cells)
    end
  end
  return table.concat(lines)
end

--- Return one line for each peer that is not here.
function M.missing(missing)
  local lines = {}
  for _, peer in ipairs(missing) do
    lines[#lines + 1] = ("missing: %s (Debian's package: %s)\n"):format(
      peer.title, peer.package)
  end
  return table.concat(lines)
end

return M
