--- locals.lua: aw.locals, values of the running task, which other tasks inherit
---
--- Many tasks may share one table of values, so such a table never changes:
--- setting a field replaces the task's table by a changed copy.
local _, inner = ...

local meta = { __name = "aiowire.Locals", __metatable = false }

function meta.__index(_, key)
  local values = inner.locals()
  return values and values[key]
end

function meta.__newindex(_, key, value)
  if key == nil or key ~= key then
    error("index is " .. (key == nil and "nil" or "NaN"), 2)
  end
  local new = {}
  for k, v in pairs(inner.locals() or new) do
    new[k] = v
  end
  new[key] = value
  inner.set_locals(next(new) ~= nil and new or nil)
end

--- The order is undefined. Fields that are set during the walk do not disturb
--- the walk, which goes through the table as it was.
function meta.__pairs()
  return next, inner.locals() or {}, nil
end

function meta.__tostring()
  return "aw.locals"
end

return setmetatable({}, meta)
