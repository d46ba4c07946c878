--- Reads, writes and compares the figures of the rooms.
---
--- Figures are `{ [room] = { functions, lines, branches } }`, in percent with
--- one decimal; 100 where there is nothing to count. All functions here are
--- pure; main.lua is the program.
local sorted = require "spec.support.sorted"

local M = {}

--- What is counted, in the order of the columns.
M.COUNTED = { "functions", "lines", "branches" }

--- So many points a figure may fall without a failure. In a small room one line
--- is worth more, so a room may lose one line and one branch in any case.
M.TOLERANCE = { functions = 0, lines = 0.5, branches = 1 }
M.AT_LEAST = { functions = 0, lines = 1, branches = 1 }

--- Rooms where it is a matter of time which code runs, and why. One of their
--- functions may be such a case, and what is in it.
M.RACING = {
  ["core/sources"] = "tickets of other threads; messages from libzmq's threads",
  ["lua/bind/run"] = "a signal comes at any instruction",
  ["lua/bind/signals"] = "a signal comes at any instruction",
  ["lua/host/prompt"] = "a terminal takes and gives bytes in any pieces",
  ["lua/host/signals"] = "a signal comes at any instruction",
  ["lua/host/terminal"] = "signals; a terminal takes bytes in any pieces",
  ["lua/host/top"] = "signals; a terminal takes and gives bytes in any pieces",
  ["lua/io/base"] = "jobs of the threads that block end in any order",
  ["lua/io/file"] = "jobs of the threads that block; inotify joins events",
  ["lua/io/net"] = "a peer accepts, sends and closes at any time",
  ["lua/io/process"] = "a child ends at any time",
  ["lua/io/stream"] = "a peer reads and writes in any pieces",
  ["lua/io/thread"] = "threads take, end and abandon jobs in any order",
  ["lua/zmq/context"] = "libzmq's threads",
  ["lua/zmq/proxy"] = "libzmq's threads",
  ["lua/zmq/security"] = "libzmq's threads",
  ["lua/zmq/socket"] = "libzmq's threads",
  ["lua/zmq/watch"] = "libzmq's threads",
}
M.AT_LEAST_RACING = { functions = 1, lines = 8, branches = 6 }

--- What each room should have.
M.GOAL = { functions = 100, lines = 97, branches = 90 }

local HEAD <const> = [[
# Functions, lines and branches that the tests reach, in percent, of each room.
# `./dev coverage --save` raises figures in this file, and lowers none. To lower
# one, change it by hand, and say in the commit why.
]]

--- Return a share in percent, rounded down, so that only all is 100.
function M.percent(covered, total)
  if total == 0 then
    return 100.0
  end
  return covered * 1000 // total / 10
end

--- Make figures of the sums of rooms; see files.lua.
function M.of(rooms)
  local figures = {}
  for name, sums in pairs(rooms) do
    figures[name] = {}
    for _, what in ipairs(M.COUNTED) do
      figures[name][what] = M.percent(table.unpack(sums[what]))
    end
  end
  return figures
end

function M.format(figures)
  local lines = {}
  for _, room in ipairs(sorted.keys(figures)) do
    local f = figures[room]
    lines[#lines + 1] = ("%-24s %5.1f %5.1f %5.1f\n"):format(room,
      f.functions, f.lines, f.branches)
  end
  return HEAD .. table.concat(lines)
end

function M.parse(text)
  local figures = {}
  for line in text:gmatch "[^\n]+" do
    local room, functions, lines, branches =
      line:match "^(%S+) +([%d.]+) +([%d.]+) +([%d.]+)$"
    if room then
      figures[room] = { functions = tonumber(functions),
        lines = tonumber(lines), branches = tonumber(branches) }
    elseif not line:find "^#" then
      error("no figures: " .. line, 0)
    end
  end
  return figures
end

--- Has a room lost more than it may? `pair` is what it has now.
local function fell(room, what, pair, before)
  local now = M.percent(table.unpack(pair))
  local spares = M.RACING[room] and M.AT_LEAST_RACING or M.AT_LEAST
  local spared = pair[2] > 0 and spares[what] * 100 / pair[2] or 0
  return before - now > math.max(M.TOLERANCE[what], spared) + 0.05
end

--- Compare the sums of rooms with the figures `kept`. Return sentences about
--- figures that have fallen, and about rooms that are new or gone.
function M.check(rooms, kept)
  local bad = {}
  for _, room in ipairs(sorted.keys(rooms)) do
    if not kept[room] then
      bad[#bad + 1] = room .. " has no figures yet"
    else
      for _, what in ipairs(M.COUNTED) do
        local pair, before = rooms[room][what], kept[room][what]
        if fell(room, what, pair, before) then
          bad[#bad + 1] = ("%s: %.1f %% of the %s, %.1f %% before"):format(
            room, M.percent(table.unpack(pair)), what, before)
        end
      end
    end
  end
  for _, room in ipairs(sorted.keys(kept)) do
    if not rooms[room] then
      bad[#bad + 1] = room .. " has figures, but no code"
    end
  end
  return bad
end

--- Return the figures to save: the higher ones of `now` and `kept`, for the
--- rooms of `now`.
function M.raised(now, kept)
  local raised = {}
  for room, figures in pairs(now) do
    raised[room] = {}
    for _, what in ipairs(M.COUNTED) do
      raised[room][what] =
        math.max(figures[what], kept[room] and kept[room][what] or 0)
    end
  end
  return raised
end

return M
