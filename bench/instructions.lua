--- Counts instructions of one more operation under callgrind.
---
--- Unlike bench/count, the programs are those of bench/peers, so the collector
--- runs and the clock is real. Hence a count varies by a few percent.
local programs = require "bench.programs"
local shell = require "bench.shell"

local M = {}

--- The larger run does so many times the operations of the smaller one.
local FACTOR <const> = 3
local MOST <const> = 10000

local function count(words)
  local text = shell.output("valgrind --tool=callgrind "
    .. "--callgrind-out-file=/dev/null " .. shell.join(words) .. " 2>&1")
  return text and tonumber(text:match "Collected : (%d+)")
end

--- Return the instructions of one operation of an entry, or nil.
function M.each(build, entry)
  local row, parts = entry.row, programs.start(build, entry.peer,
    entry.program)
  local n = math.min(MOST, math.max(2000, row.size // 10))
  local function at(times)
    local words = table.move(parts, 1, #parts, 1, {})
    words[#words + 1] = times
    return count(words)
  end
  local small, large = at(n), at(FACTOR * n)
  return small and large and (large - small) / ((FACTOR - 1) * n)
end

return M
