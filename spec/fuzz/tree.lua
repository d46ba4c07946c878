--- Programs as trees: prints them, and removes parts of them.
---
--- A node is an array of texts and nodes, with one of two more fields:
---
---   rule   the rule of the grammar that made it; a node in it that was made
---          by the same rule may replace it
---   list   the node is a block: each of its nodes is a statement, on a line of
---          its own; any of them may be left out
---
--- Trees are changed in place. A function that changes one returns a function
--- that undoes the change.

local M = {}

-- Print -----------------------------------------------------------------------

local print_node

local function print_list(list, out, indent)
  if #list == 0 then
    out[#out + 1] = " "
    return
  end
  local deeper = indent .. "  "
  for _, statement in ipairs(list) do
    out[#out + 1] = "\n" .. deeper
    print_node(statement, out, deeper)
  end
  out[#out + 1] = "\n" .. indent
end

function print_node(node, out, indent)
  for _, part in ipairs(node) do
    if type(part) == "string" then
      out[#out + 1] = part
    elseif part.list then
      print_list(part, out, indent)
    else
      print_node(part, out, indent)
    end
  end
end

--- Returns the statements of a block as text.
---@param list table
---@return string
function M.text(list)
  local out = {}
  for _, statement in ipairs(list) do
    print_node(statement, out, "")
    out[#out + 1] = "\n"
  end
  return table.concat(out)
end

-- Look ------------------------------------------------------------------------

--- Collects the blocks of a tree, the outer ones first.
local function lists_below(node, found)
  if node.list then
    found[#found + 1] = node
  end
  for _, part in ipairs(node) do
    if type(part) == "table" then
      lists_below(part, found)
    end
  end
  return found
end

--- Returns all blocks of a tree, the outer ones first.
function M.lists(node)
  return lists_below(node, {})
end

--- Collects the nodes nearest below `node` that may replace it.
local function kin_below(node, rule, found)
  for _, part in ipairs(node) do
    if type(part) == "table" and part.rule == rule then
      found[#found + 1] = part
    elseif type(part) == "table" then
      kin_below(part, rule, found)
    end
  end
  return found
end

--- Returns all nodes that a smaller one may replace, as a list of
--- { parent =, index =, kin = replacements }.
function M.replaceable(node, found)
  found = found or {}
  for i, part in ipairs(node) do
    if type(part) == "table" then
      local kin = part.rule and kin_below(part, part.rule, {}) or {}
      if #kin > 0 then
        found[#found + 1] = { parent = node, index = i, kin = kin }
      end
      M.replaceable(part, found)
    end
  end
  return found
end

-- Change ----------------------------------------------------------------------

--- Remove `count` statements of a block, from `first` on.
---@return fun() undo
function M.cut(list, first, count)
  local taken = table.move(list, first, first + count - 1, 1, {})
  for _ = 1, count do
    table.remove(list, first)
  end
  return function()
    for i, statement in ipairs(taken) do
      table.insert(list, first + i - 1, statement)
    end
  end
end

--- Replace a node by another.
---@return fun() undo
function M.replace(parent, index, node)
  local before = parent[index]
  parent[index] = node
  return function()
    parent[index] = before
  end
end

return M
