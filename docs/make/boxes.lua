--- boxes.lua: draws what ev:dump() returns, each task in the box of its owner

local svg = require "docs.make.svg"

local M = {}

local WIDTH <const>, TOP <const>, HEAD <const>, GAP <const> = 800, 44, 26, 6
local INSET <const> = 16
local COLOURS <const> = { waiting = "blue", ready = "green", running = "green",
  CANCELLED = "red" }
local LEGEND <const> = {
  { "box", "loop, scope, race, shield" },
  { "blue", "task that waits" },
  { "green", "task that runs" },
  { "red", "cancelled task" },
}

-- Returns what a line of a task says. Its fields have two spaces between them.
local function task_of(text)
  local id, name, status, rest = text:match
    "^(task %d+) '(.-)'  (%l+)(.*)$"
  return id and {
    name = name, id = id, wait = rest:match "^  (.-)  age",
    state = rest:find("CANCELLED", 1, true) and "CANCELLED" or status,
    children = {},
  }
end

--- Return the tree that a dump shows: nodes with `children`, and with `name`,
--- `state`, `wait` and `place`, if the dump tells them.
---@param dump string
---@return table loop
function M.read(dump)
  local path, newest = {}, nil -- path: the node at each depth, and above it
  for line in dump:gmatch "[^\n]+" do
    local indent, text = line:match "^([^%w]*)(.*)$"
    local depth = utf8.len(indent) // 3
    if newest and not indent:find "─" then
      newest.place = text:match "^awaits at (.*)$" or error("line: " .. line, 0)
    else
      newest = task_of(text) or { name = text, children = {} }
      path[depth] = newest
      if depth > 0 then
        table.insert(path[depth - 1].children, newest)
      end
    end
  end
  return path[0]
end

local function height_of(node)
  local height = HEAD
  for _, child in ipairs(node.children) do
    height = height + height_of(child) + GAP
  end
  return #node.children > 0 and height + 2 or height
end

-- Draws a node with all that it owns. Returns its height.
local function draw(page, node, x, y, width)
  local height = height_of(node)
  page:rect(x, y, width, height, COLOURS[node.state] or "box", 5)
  page:text(x + 10, y + 17, node.name, "strong")
  if node.state then
    page:text(340, y + 17, node.wait and node.wait ~= "" and node.wait
      or node.state, "code")
  end
  if node.place then
    page:text(x + width - 10, y + 17, "awaits at " .. node.place, "grey", "end")
  end
  local top = y + HEAD
  for _, child in ipairs(node.children) do
    top = top + GAP + draw(page, child, x + INSET, top, width - INSET - 8)
  end
  return height
end

--- Return the file of a picture.
---@param about table title, desc
---@param dump string
---@return string
function M.draw(about, dump)
  local loop = M.read(dump)
  local height = height_of(loop)
  local page = svg.page { width = WIDTH, height = TOP + height + 36,
    title = about.title, desc = about.desc }
  page:text(16, 26, about.title, "title")
  draw(page, loop, 16, TOP, WIDTH - 32)
  page:legend(TOP + height + 24, LEGEND)
  return page:file()
end

return M
