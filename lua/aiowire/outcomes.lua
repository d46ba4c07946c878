--- outcomes.lua: aw.Settle, aw.settle, aw.each report how each operand ends
---
--- All three run an All{} of guarded wires. The guard turns the end of its wire
--- into a value, so that no operand fails the All. If the task of an operand
--- was cancelled, but not the whole, its value is nil. If the whole is being
--- cancelled, an error in the clean-up of an operand is no outcome, but is
--- raised [O5, E3].
---
--- aw.each receives the outcomes in the order of the ends, through a channel.
--- Neighbour: forms.lua checks operands.
local aw, inner = ...

local forms = inner.part "aiowire.forms"

local M = {}

local OPTIONS <const> = { "limit" }

-- ---- checks ----

local function limit_of(opts)
  if opts == nil then
    return 0
  end
  inner.check_options(2, opts, OPTIONS)
  return forms.limit(opts.limit)
    or inner.raise("bad option 'limit' (a whole number, at least 1, expected, "
      .. "got " .. inner.shown(opts.limit) .. ")")
end

-- ---- outcomes ----

local function success(...)
  return { ok = true, n = select("#", ...), ... }
end

local function failure(err, info)
  if inner.in_clean_up() then
    error(err, 0)
  end
  return { ok = false, err = err, info = info }
end

--- Return the outcome of an operand whose task was cancelled.
local function cancelled()
  return { ok = false, err = inner.task_cancelled() }
end

-- ---- settle ----

local function failure_value(err, info)
  return aw.Value(failure(err, info))
end

--- Return a function that puts outcomes, in the order of `keys`, into a table.
local function by_keys(keys)
  return function(...)
    local given, outcomes = table.pack(...), {}
    for i, key in ipairs(keys) do
      outcomes[key] = given[i] or cancelled()
    end
    return outcomes
  end
end

--- Return the expression of the wire, with the first few operands.
local function name_of(keys, operands)
  local MOST <const> = 4
  local parts = {}
  for i, key in ipairs(keys) do
    if i > MOST then
      parts[i] = "..."
      break
    end
    local name = type(key) == "string" and inner.shown(key) .. " = " or ""
    parts[i] = name .. tostring(operands[i])
  end
  return "Settle{" .. table.concat(parts, ", ") .. "}"
end

local function settle_wire(operands, opts)
  local keys, wires = forms.operands(operands)
  local limit = limit_of(opts)
  local name = name_of(keys, wires)
  for i, wire in ipairs(wires) do
    wires[i] = wire:map(success):catch(failure_value):named(inner.shown(wire))
  end
  return (inner.combine("All", limit, nil, table.unpack(wires))
    / by_keys(keys)):named(name)
end

function M.Settle(operands, opts)
  return settle_wire(operands, opts)
end

function M.settle(operands, opts)
  return inner.await(settle_wire(operands, opts), "settle")
end

-- ---- each ----

--- Make a wire that runs `wire`, and then sends its outcome, with the key, to
--- the channel `ended`, also if `wire` is cancelled.
local function told(wire, key, ended)
  local outcome
  return wire:map(function(...)
    outcome = success(...)
  end):catch(function(err, info)
    outcome = failure(err, info)
  end):finally(function()
    outcome = outcome or cancelled()
    outcome.key = key
    ended:try_send(outcome)
  end):named(inner.shown(wire))
end

local function visited(visit, outcome)
  if outcome.ok then
    return visit(outcome.key, true, table.unpack(outcome, 1, outcome.n))
  end
  return visit(outcome.key, false, outcome.err, outcome.info)
end

local function visit_each(keys, wires, limit, visit)
  local ended = aw.channel(math.huge, { name = "each" })
  for i, wire in ipairs(wires) do
    wires[i] = told(wire, keys[i], ended)
  end
  local all = inner.combine("All", limit, nil, table.unpack(wires))
  local where = inner.where()
  aw.scope(function(s)
    inner.start(s, all, nil, "each", where)
    for _ = 1, #keys do
      if visited(visit, ended:recv()) == true then
        s:cancel "aw.each was told to stop"
        return
      end
    end
  end)
end

function M.each(operands, opts, visit)
  local arg = 3
  if visit == nil and not (type(opts) == "table" and not forms.callable(opts))
  then
    opts, visit, arg = nil, opts, 2
  end
  local keys, wires = forms.operands(operands)
  local limit = limit_of(opts)
  if not forms.callable(visit) then
    inner.bad_type(arg, "function", visit)
  end
  inner.awaiter "each"
  visit_each(keys, wires, limit, visit)
end

return M
