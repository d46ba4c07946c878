--- Programs that no one here wrote: curl, nc, socat, wrk, redis-cli. A spec
--- that needs a missing one is pending. ./dev installs them.

local helper = require "spec.support.helper"
local process = require "spec.support.process"

local M = {}

--- Does the shell find this program?
local function is_there(name)
  return process.run("command -v " .. name).code == 0
end

--- There are several programs named nc, with other options. The one of OpenBSD
--- has -N, which passes the end of its input on.
local function find_nc()
  for _, name in ipairs { "nc.openbsd", "nc" } do
    local help = process.run(name .. " -h")
    if (help.out .. help.err):find "OpenBSD netcat" then
      return name
    end
  end
end

-- The programs that have been looked for: name → name to call, or false.
local found = {}

--- Return the name to call a client by; nil: it is missing.
---@param name "curl"|"nc"|"socat"|"wrk"|"redis-cli"
---@return string?
function M.find(name)
  if found[name] == nil then
    found[name] = name == "nc" and find_nc()
      or name ~= "nc" and is_there(name) and name or false
  end
  return found[name] or nil
end

--- Return the names to call these clients by. If one is missing, end the
--- current test as pending.
---@param ... "curl"|"nc"|"socat"|"wrk"|"redis-cli"
---@return string ...
function M.needed(...)
  local names = { ... }
  for i, name in ipairs(names) do
    names[i] = M.find(name)
      or helper.pending(name .. " is not installed")
  end
  return table.unpack(names)
end

return M
