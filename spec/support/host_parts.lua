--- Parts of the library and of the program that are written in Lua, for specs
--- that call them. In a build that counts lines, their lines count.

local aw = require "aiowire"
local lua_lines = require "spec.coverage.lua_lines"
local process = require "spec.support.process"

local M = {}

local build <const> = process.binary:match "^(.*coverage)/[^/]*$"

--- Returns the chunk of a source.
---@param path string such as "lua/host/prompt/show.lua"
---@return function
function M.chunk(path)
  local text = build and lua_lines.counting(build .. "/hits.so", path)
    or process.read(process.root .. "/" .. path)
  local name = path:match "^lua/(.*)%.lua$":gsub("^host", "aiowire.host")
  return assert(load(text, ("=[%s]"):format(name:gsub("/", ".")), "t"))
end

local loaded = {}

--- Returns what a part of the program returns.
---@param name string such as "prompt.show", for lua/host/prompt/show.lua
function M.part(name)
  if loaded[name] == nil then
    local path <const> = "lua/host/" .. name:gsub("%.", "/") .. ".lua"
    loaded[name] = M.chunk(path)(aw, function(other)
      return M.part(other:match "^host%.(.*)$")
    end)
  end
  return loaded[name]
end

return M
