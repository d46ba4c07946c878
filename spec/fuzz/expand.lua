--- Makes a tree from a grammar and random numbers.
---
--- A grammar is a table: rule -> list of productions. A production is a text
--- with holes, `<rule>`. A production may begin with a weight: "5*
--- aw.Sleep(<seconds>)". The hole `<block>` is a list of statements (rule
--- `statement`), which may be empty. `<close>` is Lua's own.
---
--- Rules can be off. A production with a hole for such a rule is never taken,
--- and a rule without usable productions is off, too. So each program uses a
--- few classes of objects in a few places, which then meet often. Rules can be
--- favoured: productions with a hole for such a rule are taken more often.

local M = {}

local NEVER <const> = math.maxinteger

-- Factor of the weight of productions that name a favoured rule.
local FAVOUR <const> = 6

-- Prepare ---------------------------------------------------------------------

--- Parses a production: { weight =, parts… }; a part is a text or
--- { hole = rule }.
local function parse(text, favoured)
  local weight, rest = text:match "^(%d+)%* (.*)$"
  local production = { weight = tonumber(weight) or 2 }
  for hole in text:gmatch "<([%a_]+)>" do
    if favoured[hole] then
      production.weight = production.weight * FAVOUR
      break
    end
  end
  rest = rest or text
  local at = 1
  for before, rule, after in rest:gmatch "()<([%a_]+)>()" do
    if rule ~= "close" then
      production[#production + 1] = rest:sub(at, before - 1)
      production[#production + 1] = { hole = rule }
      at = after
    end
  end
  production[#production + 1] = rest:sub(at)
  return production
end

--- Returns the least depth of a tree of a production; NEVER if a hole is off.
local function height_of(production, heights)
  local height = 0
  for _, part in ipairs(production) do
    if type(part) == "table" and part.hole ~= "block" then
      local below = heights[part.hole] or NEVER
      height = below == NEVER and NEVER or math.max(height, below)
      if height == NEVER then
        return NEVER
      end
    end
  end
  return height + 1
end

--- Update the heights of all rules once. Returns true if one has changed.
local function lower(rules, heights)
  local changed = false
  for rule, productions in pairs(rules) do
    for _, production in ipairs(productions) do
      production.height = height_of(production, heights)
      if production.height < (heights[rule] or NEVER) then
        heights[rule], changed = production.height, true
      end
    end
  end
  return changed
end

--- Check that every hole has a rule, once for each grammar.
local function check(grammar)
  for rule, productions in pairs(grammar) do
    for _, text in ipairs(productions) do
      for hole in text:gmatch "<([%a_]+)>" do
        if hole ~= "close" and hole ~= "block" and not grammar[hole] then
          error(("rule '%s' names no rule: <%s>"):format(rule, hole))
        end
      end
    end
  end
end

--- Parse a grammar, without the rules that are off.
---@param grammar table<string, string[]>
---@param off table<string, true>
---@param favoured table<string, true>
function M.prepare(grammar, off, favoured)
  check(grammar)
  local rules, heights = {}, {}
  for rule, productions in pairs(grammar) do
    rules[rule] = {}
    for i, text in ipairs(off[rule] and {} or productions) do
      rules[rule][i] = parse(text, favoured)
    end
  end
  while lower(rules, heights) do end
  return { rules = rules, heights = heights }
end

-- Expand ----------------------------------------------------------------------

local Expander = {}
Expander.__index = Expander

---@param prepared table from prepare()
---@param random table from spec.support.random
---@param statements integer most statements of the program
function M.new(prepared, random, statements)
  return setmetatable({ rules = prepared.rules, heights = prepared.heights,
    random = random, statements = statements }, Expander)
end

--- Tells whether a rule can be expanded: it is not off.
function Expander:knows(rule)
  return self.heights[rule] ~= nil
end

function Expander:choose(rule, depth)
  depth = math.max(depth, self.heights[rule])
  local choices = {}
  for _, production in ipairs(self.rules[rule]) do
    if production.height <= depth then
      choices[#choices + 1] = { production.weight, production }
    end
  end
  return self.random:weighted(choices)
end

--- Makes a node of this rule.
function Expander:node(rule, depth)
  local node = { rule = rule }
  for i, part in ipairs(self:choose(rule, depth)) do
    if type(part) == "string" then
      node[i] = part
    elseif part.hole == "block" then
      node[i] = self:block(depth - 1, 3)
    else
      node[i] = self:node(part.hole, depth - 1)
    end
  end
  return node
end

--- Makes a block of at most `most` statements, an empty one deep in the tree.
function Expander:block(depth, most)
  local list = { list = true }
  for i = 1, self.random:between(1, most) do
    if self.statements <= 0 or depth < self.heights.statement then
      break
    end
    self.statements = self.statements - 1
    list[i] = self:node("statement", depth)
  end
  return list
end

return M
