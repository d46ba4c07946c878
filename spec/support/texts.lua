--- Checks of the contents of texts. The failure of a check blames the line that
--- calls it, and shows the text.

local busted = require "busted"

local M = {}

local function shown(text)
  return type(text) == "string" and text or "no text: " .. tostring(text)
end

--- Tells whether the text contains `part`, which is no pattern.
local function has(text, part)
  return type(text) == "string" and text:find(part, 1, true) ~= nil
end

--- Check that the text contains `part`, which is no pattern.
---@param text string
---@param part string
function M.contains(text, part)
  if not has(text, part) then
    busted.fail(("%q is not in:\n%s"):format(part, shown(text)), 2)
  end
end

--- Check that the text does not contain `part`.
---@param text string
---@param part string
function M.lacks(text, part)
  if type(text) ~= "string" or has(text, part) then
    busted.fail(("%q is in:\n%s"):format(part, shown(text)), 2)
  end
end

--- Check that the text contains all parts, in this order.
---@param text string
---@param ... string
function M.in_order(text, ...)
  local from = 1
  for _, part in ipairs { ... } do
    local _, last = text:find(part, from, true)
    if not last then
      busted.fail(("%q is missing, or out of order, in:\n%s"):format(part,
        text), 2)
    end
    from = last + 1
  end
end

--- Check that `f(...)` raises exactly the text `said` after its place: the
--- second line of `f`. If `f` is a function of the library, the place is the
--- call here.
---@param said string
---@param f function
function M.told(said, f, ...)
  local function call(...)
    f(...)
    return nil
  end
  local ok, err = pcall(call, ...)
  local at = debug.getinfo(f, "S")
  if at.source:sub(1, 1) ~= "@" then
    at = debug.getinfo(call, "S")
  end
  said = ("%s:%d: %s"):format(at.short_src, at.linedefined + 1, said)
  if ok or tostring(err) ~= said then
    busted.fail(("expected the error %q, got: %s"):format(said,
      ok and "none" or tostring(err)), 2)
  end
end

return M
