--- Writes what the tests reach as text. All functions here are pure.
local M = {}

local figures = require "spec.coverage.figures"
local files_of = require "spec.coverage.files"
local sorted = require "spec.support.sorted"

--- So many files are listed as the least covered ones.
local WORST <const> = 25

local function cell(pair, goal)
  local percent = figures.percent(table.unpack(pair))
  return ("%5.1f%s %11s"):format(percent, percent < goal and "-" or " ",
    ("%d/%d"):format(table.unpack(pair)))
end

local function row(name, sums)
  local cells = {}
  for _, what in ipairs(figures.COUNTED) do
    cells[#cells + 1] = cell(sums[what], figures.GOAL[what])
  end
  return ("%-22s %s\n"):format(name, table.concat(cells, " "))
end

--- Return the table of rooms. A minus marks what is below the goal.
function M.rooms(rooms)
  local lines = { ("%-22s %18s %18s %18s\n"):format("room",
    table.unpack(figures.COUNTED)) }
  local all = {}
  for _, what in ipairs(figures.COUNTED) do
    all[what] = { 0, 0 }
  end
  for _, name in ipairs(sorted.keys(rooms)) do
    lines[#lines + 1] = row(name, rooms[name])
    for what, sum in pairs(all) do
      sum[1] = sum[1] + rooms[name][what][1]
      sum[2] = sum[2] + rooms[name][what][2]
    end
  end
  lines[#lines + 1] = row("all", all)
  return table.concat(lines)
end

local function left(pair)
  return pair[2] - pair[1]
end

--- Return the files with the most lines that did not run.
function M.worst(files)
  local list = {}
  for _, file in ipairs(files) do
    list[#list + 1] = { path = file.path, sums = files_of.sums(file) }
  end
  table.sort(list, function(a, b)
    local x, y = left(a.sums.lines), left(b.sums.lines)
    return x > y or x == y and a.path < b.path
  end)
  local lines = {}
  for i = 1, math.min(WORST, #list) do
    local sums = list[i].sums
    lines[i] = ("%-44s lines %5.1f (%d left), branches %5.1f\n"):format(
      list[i].path, figures.percent(table.unpack(sums.lines)),
      left(sums.lines), figures.percent(table.unpack(sums.branches)))
  end
  return table.concat(lines)
end

--- Return the functions that were not called.
function M.functions(files)
  local lines = {}
  for _, file in ipairs(files) do
    for _, f in ipairs(files_of.idle_functions(file)) do
      lines[#lines + 1] = ("%s:%d: %s\n"):format(file.path, f.line, f.name)
    end
  end
  return table.concat(lines)
end

--- Return the lines that did not run, file by file, and those that ran without
--- some of their branches: `12(3/4)` took three of four.
function M.lines(files)
  local lines = {}
  for _, file in ipairs(files) do
    local words, branches = {}, {}
    for _, s in ipairs(files_of.idle_lines(file)) do
      words[#words + 1] = s.first == s.last and s.first
        or s.first .. "-" .. s.last
    end
    for _, number in ipairs(sorted.keys(file.branches)) do
      local pair = file.branches[number]
      if pair[1] < pair[2] and file.lines[number] > 0 then
        branches[#branches + 1] = ("%d(%d/%d)"):format(number, pair[1], pair[2])
      end
    end
    if #words > 0 then
      lines[#lines + 1] = file.path .. ": " .. table.concat(words, " ") .. "\n"
    end
    if #branches > 0 then
      lines[#lines + 1] = file.path .. ": branches "
        .. table.concat(branches, " ") .. "\n"
    end
  end
  return table.concat(lines)
end

return M
