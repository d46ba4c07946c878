--- socket_dns.lua: aw.socket.dns
---
--- The system's look-up functions tell addresses and names, but no aliases: the
--- lists `alias` are empty.
local aw, inner = ...

local names = inner.part "aiowire.socket_names"

local M = {}

local NOT_FOUND <const> = "host not found"

local function check_host(host)
  names.check_end(1, host, 0)
  return tostring(host)
end

--- Return the name of a numeric address, or nil and an error.
local function name_of(address)
  local ok, name = aw.pcall(aw.dns.reverse, address)
  if not ok then
    return nil, names.text_of(name)
  end
  return name
end

--- Return the IPv4 addresses of a host as a list of texts, or nil.
local function addresses_of(host)
  local list = names.find(host, 0, "inet")
  if not list then
    return nil
  end
  local ips = {}
  for i, at in ipairs(list) do
    ips[i] = at.address
  end
  return ips
end

--- Return a name for the host and its addresses, or nil.
local function resolved(host)
  local ips = addresses_of(host)
  if not ips then
    return nil
  end
  local name = host
  if inner.numeric(host) then
    name = name_of(host)
  end
  return name and { name = name, alias = {}, ip = ips }
end

M.toip = inner.method("toip", function(host)
  local found = resolved(check_host(host))
  if not found then
    return nil, NOT_FOUND
  end
  return found.ip[1], found
end)

M.tohostname = inner.method("tohostname", function(host)
  local found = resolved(check_host(host))
  if not found then
    return nil, NOT_FOUND
  end
  return found.name, found
end)

M.getaddrinfo = inner.method("getaddrinfo", function(host)
  local list, err = names.find(check_host(host), 0)
  if not list then
    return nil, err
  end
  local found = {}
  for i, at in ipairs(list) do
    found[i] = { family = at.family, addr = at.address }
  end
  return found
end)

M.getnameinfo = inner.method("getnameinfo", function(host, service)
  if host == nil and service == nil then
    inner.raise "host and serv cannot be both nil"
  end
  local port, err = names.port(service or 0)
  if not port then
    return nil, err
  end
  local list
  list, err = names.find(host or "localhost", port)
  if not list then
    return nil, err
  end
  local found = {}
  if host ~= nil then
    for i, at in ipairs(list) do
      found[i] = name_of(at.address) or at.address
    end
  end
  if service == nil then
    return found
  end
  return found, tostring(service)
end)

M.gethostname = inner.method("gethostname", function()
  return inner.ls_hostname()
end)

return M
