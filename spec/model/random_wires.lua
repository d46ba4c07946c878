--- Makes random programs of wires, as descriptions: trees of plain tables.
---
---   generate(seed)        all kinds of wires, mixed; durations from a wide
---                         range, so that few events have the same time
---   generate_exact(seed)  programs whose order of events the rules fix
---
--- spec/model/wire_source.lua turns a description into Lua.
--- spec/model/compare_wires.lua runs the program on the library and on the
--- model.

local new_random = require "spec.support.random"

local M = {}

-- Descriptions ----------------------------------------------------------------
-- A node is { kind =, id =, …fields }. Child nodes are in the array part or in
-- fields. The sort of a node says where it may stand: "wire", "step" of a body,
-- "block", or "fn".

local SORTS <const> = { nap = "step", put = "step", take = "step",
  close = "step",
  ["do"] = "step", guard = "step", shield = "step", within = "step",
  scope = "step", block = "block", fn = "fn" }

local function sort_of(node)
  return SORTS[node.kind] or "wire"
end

local RACES <const> = { race = true, Race = true, Any = true }

local Draw = {}
Draw.__index = Draw

function Draw:node(kind, fields)
  fields = fields or {}
  self.ids = self.ids + 1
  fields.kind, fields.id = kind, self.ids
  return fields
end

function Draw:choose(choices)
  return self.random:weighted(choices, self.without)
end

function Draw:duration()
  return self.random:between(1, 20000)
end

--- Returns a time limit. Half of the limits are long.
function Draw:limit()
  return self.random:between(1, self.random:chance(50) and 20000 or 60000)
end

--- Returns nil, or the grace of a shield or a cancel.
function Draw:grace()
  return self.random:chance(40) and self:limit() or nil
end

function Draw:channel()
  return self.random:between(1, #self.program.channels)
end

--- Splits `budget` nodes into `n` shares of at least one.
function Draw:deal(budget, n)
  local shares = {}
  for i = 1, n do
    shares[i] = 1
  end
  for _ = 1, n > 0 and budget - n or 0 do
    local i = self.random:between(1, n)
    shares[i] = shares[i] + 1
  end
  return shares
end

function Draw:wires(kind, budget, n)
  local node = self:node(kind)
  for i, share in ipairs(self:deal(budget - 1, n)) do
    if RACES[kind] and self.random:chance(30) then
      node[i] = self:event(share)
    elseif kind == "seq" and i < n and self.random:chance(25) then
      node[i] = self:machine(share) -- the wire that it returns is spun off
    else
      node[i] = self:wire(share)
    end
  end
  return node
end

--- Makes a wire that is one event: a race with it decides at its commit [H3].
function Draw:event(budget)
  local layer = budget > 1 and self:choose { { 2, "none" }, { 2, "bind" },
    { 1, "map" }, { 1, "named" } } or "none"
  if layer ~= "none" then
    return self:around(layer, self:event(budget - 1), budget)
  end
  return self:primitive(self:choose { { 4, "sleep" }, { 3, "send" },
    { 5, "recv" }, { self.task > 1 and 2 or 0, "done" } })
end

function Draw:primitive(kind)
  if kind == "sleep" then
    return self:node(kind, { seconds = self:duration() })
  elseif kind == "send" or kind == "recv" then
    return self:node(kind, { channel = self:channel() })
  elseif kind == "done" then -- of an earlier task, which therefore exists
    return self:node(kind, { task = self.random:between(1, self.task - 1) })
  end
  return self:node(kind)
end

function Draw:step(budget)
  local kind = self:choose { { 20, "nap" }, { 4, "put" }, { 4, "take" },
    { 1, "close" },
    { budget > 1 and 6 or 0, "do" }, { budget > 1 and 6 or 0, "guard" },
    { budget > 1 and 2 or 0, "shield" }, { budget > 1 and 2 or 0, "within" },
    { budget > 2 and 4 or 0, "scope" } }
  local node = self:node(kind)
  if kind == "nap" then
    node.seconds = self:duration()
  elseif kind == "put" or kind == "take" or kind == "close" then
    node.channel = self:channel()
  elseif kind == "do" then
    node[1] = self:wire(budget - 1)
  elseif kind == "scope" then
    self:scope(node, budget)
  elseif kind == "within" then
    node.try, node.seconds = self:block(budget - 1), self:limit()
  else
    node.try = self:block(budget - 1)
    node.grace = self:grace()
    if kind == "guard" then
      node.clean_up = self:block(2)
      node.after = self:choose { { 5, "go on up" }, { 2, "fail" },
        { 2, "swallow" } }
    end
  end
  return node
end

--- Makes a scope with children. Some of the children have a handler [S1, E9].
function Draw:scope(node, budget)
  for i, share in ipairs(self:deal(budget - 1, self.random:between(1, 2))) do
    node[i] = self:wire(share)
  end
  node.try = self:block(1)
  node.handled = self.random:chance(30) or nil
  node.within = self.random:chance(40) and self:limit() or nil
end

function Draw:steps(node, budget, most)
  local n = self.random:between(0, most)
  for i, share in ipairs(self:deal(math.max(budget, n), n)) do
    node[i] = self:step(share)
  end
  return node
end

function Draw:block(budget)
  return self:steps(self:node "block", budget, 2)
end

--- Makes the end of a function. Random:weighted chooses among `endings`.
function Draw:ending(node, budget, endings)
  node.ending = self:choose(endings)
  if node.ending == "next" then
    node.next = self:wire(math.max(1, budget))
  elseif node.ending == "fail first" then
    node.failures = self.random:between(1, 2)
  end
  return node
end

function Draw:body(budget)
  local node = self:node "body"
  self:steps(node, budget // 2, 3)
  return self:ending(node, budget // 2, { { 3, "none" }, { 5, "value" },
    { 3, "fail" }, { 2, "fail first" }, { budget > 1 and 4 or 1, "next" } })
end

--- Makes a body that returns another wire.
function Draw:machine(budget)
  local node = self:steps(self:node "body", budget // 2, 2)
  return self:ending(node, budget // 2, { { 1, "next" } })
end

function Draw:fn(budget, endings, most)
  local node = self:node "fn"
  self:steps(node, 1, most or 0)
  return self:ending(node, budget, endings)
end

function Draw:leaf()
  local kind = self:choose { { 4, "sleep" }, { 2, "value" },
    { 10, "body" }, { 1, "never" }, { 2, "send" }, { 3, "recv" },
    { self.task > 1 and 1 or 0, "done" } }
  return kind == "body" and self:body(1) or self:primitive(kind)
end

local unary = {}

function unary.map(self, node)
  node.fn = self:fn(1, { { 3, "value" }, { 2, "pass" }, { 1, "fail" } })
end
function unary.bind(self, node, budget)
  node.fn = self:fn(budget // 2, { { 2, "none" }, { 3, "next" },
    { 1, "fail" } })
end
function unary.catch(self, node, budget)
  node.fn = self:fn(budget // 2, { { 3, "none" }, { 2, "next" },
    { 1, "fail" } }, 1)
  node.fn.takes = "err"
end
function unary.finally(self, node)
  node.fn = self:fn(1, { { 4, "none" }, { 1, "fail" } }, 2)
  node.grace = self:grace()
end
function unary.supervise(self, node)
  node.fn = self:fn(1, { { 1, "none" } })
end
function unary.timeout(self, node)
  node.seconds, node.grace = self:limit(), self:grace()
end
function unary.forever(self, node)
  node.seconds = self:limit()
end
function unary.every(self, node)
  node.period, node.seconds = self:duration(), self:limit()
  node.missed = self:choose { { 2, "skip" }, { 1, "burst" }, { 1, "delay" } }
end
function unary.shielded(self, node)
  node.grace = self:grace()
end
unary["repeat"] = function(self, node)
  node.times = self.random:between(0, 3)
end
function unary.retry(self, node)
  local r = self.random
  node.times, node.delay = r:between(1, 3), self:duration()
  node.factor = r:chance(30) and r:between(1, 3) or nil
  node.max = r:chance(30) and self:duration() or nil
  node.within = r:chance(20) and self:limit() or nil
  node.when = r:chance(20) and r:between(1, 2) or nil
end
function unary.whole() end
function unary.named() end

--- Makes a wire that applies a method or an operator with one operand to
--- `inner`.
function Draw:around(kind, inner, budget)
  local node = self:node(kind, { inner })
  unary[kind](self, node, budget)
  return node
end

--- Makes the operands of a table form, with numbers or with names as keys.
function Draw:table_form(kind, budget)
  local n = self.random:between(1, 3)
  local node = self:wires(kind, budget, n)
  node.keyed = self.random:chance(40) or nil
  if kind == "All" and self.random:chance(50) then
    node.limit = self.random:between(1, n)
  end
  return node
end

local COMPOSITES <const> = { { 7, "seq" }, { 3, "repeat" }, { 4, "all" },
  { 5, "race" }, { 3, "fall" }, { 2, "map" }, { 2, "bind" }, { 5, "timeout" },
  { 3, "retry" }, { 3, "catch" }, { 4, "finally" }, { 2, "whole" },
  { 2, "shielded" }, { 1, "supervise" }, { 1, "named" }, { 1, "forever" },
  { 1, "every" }, { 2, "All" }, { 2, "Any" }, { 1, "Race" } }

function Draw:wire(budget)
  if budget <= 1 then
    return self:leaf()
  elseif self.random:chance(25) then
    return self:body(budget)
  end
  local kind = self:choose(COMPOSITES)
  if kind == "whole" and self.random:chance(50) then
    return self:around(kind, self:machine(budget - 1), budget)
  end
  if unary[kind] then
    return self:around(kind, self:wire(budget - 1), budget)
  elseif kind:find "^%u" then
    return self:table_form(kind, budget)
  end
  return self:wires(kind, budget, self.random:between(2, 3))
end

--- Makes the program of this seed. `without` is a set of kinds that it must not
--- use.
function M.generate(seed, without)
  local random = new_random(seed)
  local program = { channels = {}, tasks = {}, starts = {}, cancels = {} }
  local draw = setmetatable({ random = random, ids = 0, program = program,
    without = without or {} }, Draw)
  for i = 1, draw.without.recv and 0 or random:between(1, 2) do
    program.channels[i] = random:between(0, 2)
  end
  for i = 1, random:between(1, 3) do
    draw.task = i
    program.tasks[i] = draw:wire(random:between(3, 20))
    program.starts[i] = i > 1 and draw:duration() or 0
  end
  for i = 1, random:between(0, 2) do
    program.cancels[i] = { task = random:between(1, #program.tasks),
      at = draw:limit() }
  end
  return program
end

--- Makes a program in which many things happen at the same time, and the rules
--- still fix the whole trace. Its bodies start from left to right, sleep for
--- moments, meet on channels and end, as tasks or directly under one operator
--- [F1, F2, F3, K1, K2].
function M.generate_exact(seed, without)
  local random = new_random(seed)
  local program = { channels = { random:between(0, 2) }, tasks = {},
    starts = {}, cancels = {} }
  local draw = setmetatable({ random = random, ids = 0, program = program,
    task = 1, without = { ["do"] = true, guard = true, shield = true,
      within = true, scope = true } }, Draw)
  function draw.duration()
    return random:between(1, 3)
  end
  local kind = random:weighted({ { 1, "tasks" }, { 2, "all" }, { 2, "race" },
    { 1, "Any" } }, without or {})
  local together = draw:node(kind)
  for i = 1, random:between(2, 5) do
    together[i] = draw:ending(draw:steps(draw:node "body", 1, 4), 1,
      { { 1, "none" }, { 3, "value" }, { 1, "fail" } })
  end
  program.tasks = kind == "tasks" and together or { together }
  return program
end

M.sort_of = sort_of

return M
