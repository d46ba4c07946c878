--- Counts instructions of one more operation under callgrind.
---
--- Unlike in bench/count, the programs are those of bench/peers, so the
--- collector runs and the clock is real: a count varies by a few percent.
---
--- Of the jobs of ZeroMQ, only the first thread counts, which runs the program.
--- What the threads of libzmq do for a message depends on their batches.
local programs = require "bench.run.programs"
local shell = require "bench.run.shell"

local M = {}

--- The larger run does so many times the operations of the smaller one.
local FACTOR <const> = 3
local LEAST <const>, MOST <const> = 2000, 10000

--- Remove the files of all threads: PATH-01 and so on.
local function remove_parts(path)
  local i = 1
  while os.remove(("%s-%02d"):format(path, i)) do
    i = i + 1
  end
end

--- Return the instructions of the first thread, as callgrind has written them.
local function read_first(path)
  local text = shell.read(path .. "-01")
  remove_parts(path)
  return text and text:match "\ntotals: (%d+)"
end

local function count(build, entry, n)
  local path = os.tmpname()
  local words = { "valgrind", "--tool=callgrind", "--separate-threads=yes",
    "--callgrind-out-file=" .. path }
  table.move(entry.start, 1, #entry.start, #words + 1, words)
  local command = programs.command(build, words, entry.row, n)
  local text = shell.output(shell.join(command) .. " 2>&1")
  local first = read_first(path)
  os.remove(path)
  if entry.row.job.uses == "zmq" then
    return text and tonumber(first)
  end
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
