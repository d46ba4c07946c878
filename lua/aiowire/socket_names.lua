--- socket_names.lua: look-ups for aw.socket, with LuaSocket's errors
---
--- Neighbour: names.lua, which looks up; its SystemErrors become texts here.
local aw, inner = ...

local names = inner.part "aiowire.names"

local M = {}

local NO_NAME <const> = "host or service not provided, or not known"
local NO_SERVICE <const> = "service not supported for socket type"

--- LuaSocket's texts. Others are those of the system.
local TEXTS <const> = {
  EAI_AGAIN = "temporary failure in name resolution",
  EAI_FAIL = "non-recoverable failure in name resolution",
  EAI_FAMILY = "ai_family not supported",
  EAI_MEMORY = "memory allocation failure",
  EAI_NONAME = NO_NAME,
  EAI_SERVICE = NO_SERVICE,
  EAI_ADDRFAMILY = "Address family for hostname not supported",
  EAI_NODATA = "No address associated with hostname",
}

--- LuaSocket's text for an error that was raised. Raises what is no SystemError
--- again, such as Cancelled.
function M.text_of(err)
  if aw.is_timeout(err) then
    return "timeout"
  elseif not aw.is_system_error(err) then
    error(err, 0)
  end
  return TEXTS[err.code] or err.code
end

--- Raise unless the arguments from `arg` can be an address and a port.
function M.check_end(arg, address, port)
  if type(address) ~= "string" and type(address) ~= "number" then
    inner.bad_type(arg, "string", address)
  elseif type(port) ~= "string" and type(port) ~= "number" then
    inner.bad_type(arg + 1, "string", port)
  end
end

--- Return the number of a port, which may be the name of a service; or nil and
--- an error.
function M.port(port, datagrams)
  local number = math.tointeger(tonumber(port))
  number = number or inner.ls_service(tostring(port), datagrams)
  if not number or number < 0 or number > 65535 then
    return nil, NO_SERVICE
  end
  return number
end

local function can_be_name(host)
  return host ~= "" and #host <= 253 and not host:find "\0"
end

--- Return the addresses of a host, or nil and an error. Awaits if the host is
--- a name.
---@param host string "*" is this machine, as for the system
---@param port integer the port of the results
---@param family? "inet"|"inet6"
---@param limit? number seconds that the look-up may take; 0 and nil: no limit
---@return { address: string, family: string, port: integer }[]?
---@return string? error
function M.find(host, port, family, limit)
  host = host == "*" and "localhost" or tostring(host)
  if not can_be_name(host) then
    return nil, NO_NAME
  end
  local number, its_family = inner.numeric(host)
  if number and family and family ~= its_family then
    return nil, TEXTS.EAI_ADDRFAMILY
  end
  local ok, list
  if not number and limit and limit > 0 then
    ok, list = aw.pcall(aw.timeout, limit, names.addresses, host, port, family,
      "connect")
  else
    ok, list = aw.pcall(names.addresses, host, port, family, "connect")
  end
  if not ok then
    return nil, M.text_of(list)
  end
  return list
end

return M
