--- A new folder for the files of a spec.

local process = require "spec.support.process"

local M = {}

local Folder = {}
Folder.__index = Folder

--- Make a folder, which is removed when it is closed.
function M.new()
  local pipe <close> = assert(io.popen "mktemp -d")
  return setmetatable({ path = pipe:read "l" }, Folder)
end

--- Returns the path of a file in the folder. Writes `text` into it, if given.
function Folder:file(name, text)
  local path = self.path .. "/" .. name
  if text then
    local file <close> = assert(io.open(path, "w"))
    file:write(text)
  end
  return path
end

--- Returns what a command of the shell writes, when run in the folder.
function Folder:shell(command)
  local pipe <close> = assert(io.popen(("cd %s && { %s; } 2>&1"):format(
    process.quoted(self.path), command)))
  return pipe:read "a"
end

function Folder:__close()
  os.execute("rm -rf " .. process.quoted(self.path))
end

return M
