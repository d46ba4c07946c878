--- Addresses that the sockets of specs bind to. Addresses of ipc are files,
--- which libzmq does not remove.

local M = {}

local serial = 0
local base = os.tmpname() -- a name that no other process has
os.remove(base)
local files = {}

--- An address that nobody has used yet.
---@param transport string "tcp", "ipc" or, if it is any other, inproc
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

--- For `local _ <close>`: removes the files of all addresses at its end.
function M.scope()
  return setmetatable({}, { __close = remove_files })
end

return M
