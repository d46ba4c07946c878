--- Libraries of Lua in Debian's packages, with event loops or sockets of their
--- own.

local helper = require "spec.support.helper"

local M = {}

-- Debian installs pure Lua libraries for Lua 5.1 to 5.3 only. They run under
-- 5.4 as well.
local OLDER <const> = ";/usr/share/lua/5.3/?.lua;/usr/share/lua/5.1/?.lua"

--- Require a module, also one that is installed for an older Lua. Returns nil
--- if it is missing.
function M.find(name)
  local path = package.path
  package.path = path .. OLDER
  local ok, module = pcall(require, name)
  package.path = path
  return ok and module or nil
end

--- Returns a function like `it`, which skips its tests if `module` is nil.
---@param it function of busted
---@param module any what find() returned
---@param package string its name in Debian
function M.facts(it, module, package)
  return function(fact, f)
    it(fact, module and f or function()
      helper.pending(package .. " is not installed")
    end)
  end
end

return M
