--- forms.lua: All{…}, Any{…}, Race{…}, Select{…} [O6], and aw.all{…},
--- aw.any{…}, aw.race{…}, aw.select{…}, which await these wires
---
--- Operands begin in the order of the array part, then of string keys in byte
--- order. The core knows operands by number only. If there are string keys, a
--- further step of the wire replaces the numbers in the results by keys.
local _, inner = ...

-- So many arguments a call can safely have: each operand is one.
local MOST <const> = 500000

local M = {}

--- Raise an error about the table of operands.
local function bad(why)
  inner.bad_argument(1, why)
end

function M.callable(value)
  return type(value) == "function" or inner.is_wire(value)
    and not inner.is_made(value)
end

--- Return the keys of `operands`, except `skipped`, in order, and the number of
--- keys in the array part.
local function keys_of(operands, skipped)
  local keys, count = {}, #operands
  for i = 1, count do
    keys[i] = i
  end
  for key in pairs(operands) do
    if type(key) == "string" then
      if key ~= skipped then
        keys[#keys + 1] = key
      end
    elseif math.type(key) ~= "integer" or key < 1 or key > count then
      bad(("key must be a string or of the list, got %s"):format(
        inner.shown(key)))
    end
  end
  local names = table.move(keys, count + 1, #keys, 1, {})
  table.sort(names, inner.is_before)
  return table.move(names, 1, #names, count + 1, keys), count
end

local function name_of(key)
  return type(key) == "string" and "'" .. inner.shown(key) .. "'" or "#" .. key
end

--- Return the operand at `key` as a Wire.
local function operand_of(operands, key, needs_event)
  local value = operands[key]
  local wire = inner.wire(value)
  if not wire then
    bad(("wire expected for %s, got %s"):format(name_of(key),
      inner.type_name(value)))
  end
  if needs_event and not inner.is_event(wire) then
    bad(("event expected for %s, got %s"):format(name_of(key), tostring(wire)))
  end
  return wire
end

--- Return `limit` as the core takes it, where 0 means no limit; nil if `limit`
--- is invalid.
function M.limit(limit)
  if limit == nil or limit == math.huge then
    return 0
  end
  local whole = type(limit) == "number" and math.tointeger(limit)
  return whole and whole >= 1 and math.min(whole, 0x7fffffff) or nil
end

local function check_limit(limit)
  return M.limit(limit)
    or bad("limit must be a whole number, at least 1, got "
      .. inner.shown(limit))
end

--- Return the keys of `operands`, their wires in the same order, and the number
--- of keys in the array part.
function M.operands(operands, skipped, needs_event)
  if type(operands) ~= "table" then
    inner.bad_type(1, "table", operands)
  end
  local keys, count = keys_of(operands, skipped)
  if #keys > MOST then
    bad("too many wires: at most " .. MOST)
  end
  local wires = {}
  for i, key in ipairs(keys) do
    wires[i] = operand_of(operands, key, needs_event)
  end
  return keys, wires, count
end

--- Make the wire of `form`, such as "All".
local function combine(form, operands)
  local is_join = form == "All"
  local keys, wires, count = M.operands(operands,
    is_join and "limit" or nil, form == "Select")
  if #keys == 0 and not is_join then
    bad("at least one wire expected")
  end
  local limit = is_join and check_limit(operands.limit) or 0
  local named = #keys > count and form ~= "Any"
  return inner.combine(form, limit, named and keys or nil,
    table.unpack(wires))
end

for _, form in ipairs { "All", "Any", "Race", "Select" } do
  local act <const> = form:lower()
  M[form] = function(operands)
    return combine(form, operands)
  end
  M[act] = function(operands)
    return inner.await(combine(form, operands), act)
  end
end
return M
