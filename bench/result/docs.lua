--- Makes the part of docs/performance.md with the figures. All functions are
--- pure.
local compare = require "bench.result.compare"
local text = require "bench.result.text"

local M = {}

local BEGIN <const> = "<!-- figures, written by `./dev bench --docs` -->\n"
local END <const> = "<!-- end of figures -->\n"

local function table_row(cells)
  return "| " .. table.concat(cells, " | ") .. " |\n"
end

local function about_list(about)
  local lines = {}
  for i, line in ipairs(about) do
    lines[i] = "* " .. line .. "\n"
  end
  return table.concat(lines)
end

local function summary(results)
  local parts = { table_row(text.SUMMARY_HEAD),
    "|---|--:|--:|---|--:|--:|\n" }
  for _, row in ipairs(results.rows) do
    local cells = text.summary_cells(row, results.entries)
    parts[#parts + 1] = cells and table_row(cells)
  end
  return table.concat(parts)
end

--- Return a table of the musts that aiowire does not reach, or a sentence; and
--- how many musts lack a figure.
local function unreached(entries)
  local parts = {}
  local verdicts, missing = compare.verdicts(entries)
  for _, verdict in ipairs(verdicts) do
    if verdict.over then
      parts[#parts + 1] = table_row { verdict.row.title, verdict.peer.title,
        verdict.text, verdict.value }
    end
  end
  local note = missing == 0 and ""
    or ("\nTargets without a figure here: %d.\n"):format(missing)
  if #parts == 0 then
    return "Every figure is within its target.\n" .. note
  end
  return "Figures above their targets:\n\n"
    .. table_row { "row", "", "target", "measured" } .. "|---|---|---|--:|\n"
    .. table.concat(parts) .. note
end

local function pictures(chapters)
  local parts = {}
  for i, chapter in ipairs(chapters) do
    parts[i] = ("![%s: a bar for each program](performance/%s.svg)\n"):format(
      chapter, chapter)
  end
  return table.concat(parts, "\n")
end

--- Return the part: machine, summary, targets, peers that were missing, and a
--- picture for each of `chapters`.
function M.section(results, chapters)
  local parts = { about_list(results.about), summary(results),
    unreached(results.entries), text.missing(results.missing),
    pictures(chapters) }
  for i = #parts, 1, -1 do
    if parts[i] == "" then
      table.remove(parts, i)
    end
  end
  return table.concat(parts, "\n")
end

--- Return `document` with another part.
function M.replace(document, section)
  local _, from = document:find(BEGIN, 1, true)
  local to = document:find(END, 1, true)
  if not from or not to then
    error("no place for figures in the document", 0)
  end
  return document:sub(1, from) .. "\n" .. section .. "\n" .. document:sub(to)
end

return M
