--- Scripts whose system calls on files hang or fail at will: see files.c. Each
--- one is the body of a task, and has its folder for itself.

local preloaded = require "spec.support.preloaded"

local M = {}

M.run = preloaded.runner("files", "TMPDIR=.", [[
local fs = aw.fs

--- The names in the folder, without those of the spec.
local function names()
  local list = {}
  for _, entry in ipairs(fs.scandir ".") do
    if entry.name ~= "s.lua" and entry.name:sub(1, 1) ~= "." then
      list[#list + 1] = entry.name:gsub("^aiowire%-.*", "TEMPORARY")
    end
  end
  return table.concat(list, " ")
end
aw.run(function(ev)
%s
end)]])
M.prints = preloaded.printer(M.run)

return M
