--- Counts instructions of one more operation under callgrind.
---
--- Unlike in bench/count, the programs are those of bench/peers, so the
--- collector runs and the clock is real: a count varies by a few percent.
local programs = require "bench.run.programs"
local shell = require "bench.run.shell"

local M = {}

--- The larger run does so many times the operations of the smaller one.
local FACTOR <const> = 3
local LEAST <const>, MOST <const> = 2000, 10000

local VALGRIND <const> = { "valgrind", "--tool=callgrind",
  "--callgrind-out-file=/dev/null" }

local function count(build, entry, n)
  local words = table.move(VALGRIND, 1, #VALGRIND, 1, {})
  table.move(entry.start, 1, #entry.start, #words + 1, words)
  local command = programs.command(build, words, entry.row, n)
  local text = shell.output(shell.join(command) .. " 2>&1")
  return text and tonumber(text:match "Collected : (%d+)")
end

--- Return the instructions of one operation of an entry, or nil.
function M.each(build, entry)
  local n = math.min(MOST, math.max(LEAST, entry.row.size // 10))
  local small = count(build, entry, n)
  local large = count(build, entry, FACTOR * n)
  return small and large and (large - small) / ((FACTOR - 1) * n)
end

return M
