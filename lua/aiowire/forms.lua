--- All{…}, Any{…}, Race{…}, Select{…}: the table forms of joins and races [O6].
---
--- The array part comes first, then string keys in byte order. With an array
--- alone the results are those of the core: a list, or a number. With keys,
--- the wire goes on with a step that puts them in place of the numbers.
local _, inner = ...

-- As many arguments as a call takes safely.
local MOST <const> = 500000

local function bad(form, why)
  inner.raise(("bad argument #1 to '%s' (%s)"):format(form, why))
end

--- The keys of `operands` but for `limit`, in order; and how many of them are
--- of the array part.
local function keys_of(form, operands)
  local keys, count = {}, #operands
  for i = 1, count do
    keys[i] = i
  end
  for key in pairs(operands) do
    if type(key) == "string" then
      if key ~= "limit" or form ~= "All" then
        keys[#keys + 1] = key
      end
    elseif math.type(key) ~= "integer" or key < 1 or key > count then
      bad(form, ("key must be a string or of the list, got %s"):format(
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

--- The operand at `key`, as a Wire.
local function operand_of(form, operands, key)
  local value = operands[key]
  local wire = inner.wire(value)
  if not wire then
    bad(form, ("wire expected for %s, got %s"):format(name_of(key),
      type(value)))
  end
  if form == "Select" and not inner.is_event(wire) then
    bad(form, ("event expected for %s, got %s"):format(name_of(key),
      tostring(wire)))
  end
  return wire
end

local function check_limit(operands)
  local limit = operands.limit
  if limit == nil or limit == math.huge then
    return 0
  end
  local whole = type(limit) == "number" and math.tointeger(limit)
  if not whole or whole < 1 then
    bad("All", "limit must be a whole number, at least 1, got "
      .. inner.shown(limit))
  end
  return math.min(whole, 0x7fffffff)
end

local function combine(form, operands)
  if type(operands) ~= "table" then
    bad(form, "table expected, got "
      .. (operands == nil and "no value" or type(operands)))
  end
  local keys, count = keys_of(form, operands)
  if #keys > MOST then
    bad(form, "too many wires: at most " .. MOST)
  end
  if #keys == 0 and form ~= "All" then
    bad(form, "at least one wire expected")
  end
  local wires = {}
  for i, key in ipairs(keys) do
    wires[i] = operand_of(form, operands, key)
  end
  local limit = form == "All" and check_limit(operands) or 0
  local named = #keys > count and form ~= "Any"
  return inner.combine(form, limit, named and keys or nil,
    table.unpack(wires))
end

local forms = {}
for _, form in ipairs { "All", "Any", "Race", "Select" } do
  forms[form] = function(operands)
    return combine(form, operands)
  end
end
return forms
