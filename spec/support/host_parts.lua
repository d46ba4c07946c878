--- Parts of the program that are written in Lua, for specs that call them.

local aw = require "aiowire"
local process = require "spec.support.process"

local M = {}

local loaded = {}

--- Returns what the part lua/host/NAME.lua returns, such as "show".
---@param name string
function M.part(name)
  if loaded[name] == nil then
    local text = process.read(("%s/lua/host/%s.lua"):format(process.root, name))
    local chunk = assert(load(text, ("=[aiowire.host.%s]"):format(name), "t"))
    loaded[name] = chunk(aw, function(other)
      return M.part(other:match "^host%.(.*)$")
    end)
  end
  return loaded[name]
end

return M
