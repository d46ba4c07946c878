--- Addresses for the sockets of specs. libzmq leaves the files of ipc addresses
--- behind, so scope() removes them.

local M = {}

local serial = 0
local base = os.tmpname() -- unique among all processes
os.remove(base)
local files = {}

--- Returns an unused address.
---@param transport string "tcp" or "ipc"; anything else means inproc
---@return string
function M.fresh(transport)
  serial = serial + 1
  if transport == "tcp" then
    return "tcp://127.0.0.1:*"
  elseif transport == "ipc" then
    local file = ("%s-%d"):format(base, serial)
    files[#files + 1] = file
    return "ipc://" .. file
  end
  return "inproc://spec-" .. serial
end

local function remove_files()
  for _, file in ipairs(files) do
    os.remove(file)
  end
  files = {}
end

--- Returns a value for `local _ <close>` that removes the files of all
--- addresses.
function M.scope()
  return setmetatable({}, { __close = remove_files })
end

return M
