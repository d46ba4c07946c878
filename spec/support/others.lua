--- Libraries of others for specs of how they run inside tasks.
---
--- A library in Lua that is installed for an older Lua only is loaded from
--- there.

local M = {}

local OLDER <const> = { "5.3", "5.2", "5.1" }

--- Returns the module, or nil and what is missing.
---@param name string
---@return any? module
---@return string? why_not
function M.load(name)
  local path = package.path
  for _, version in ipairs(OLDER) do
    package.path = ("%s;/usr/share/lua/%s/?.lua"):format(package.path, version)
  end
  local ok, found = pcall(require, name)
  package.path = path
  if ok then
    return found
  end
  return nil, name .. " is not installed"
end

return M
