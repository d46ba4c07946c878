--- names.lua: the addresses of hosts, for connect, listen, UDP and aw.dns
---
--- Numbers, "localhost" and the wildcards of servers need no look-up: they
--- await nothing and work outside of tasks. All other names are looked up in
--- threads, see lua/io/net/lookup.h.
local _, inner = ...

local M = {}

local INET <const>, INET6 <const> = "inet", "inet6"

--- "localhost" never leaves the machine (RFC 6761). IPv4 comes first: a server
--- takes the first address, and more programs find it there.
local LOCALHOST <const> = { { "127.0.0.1", INET }, { "::1", INET6 } }
--- All addresses of the machine, for servers.
local ANY <const> = { { "::", INET6 }, { "0.0.0.0", INET } }

local KNOWN <const> = {
  localhost = LOCALHOST, ["localhost."] = LOCALHOST, ["*"] = ANY, [""] = ANY,
}

--- Return the known addresses that are of the family, or raise that there are
--- none.
local function of_family(known, host, port, family, call)
  local list = {}
  for _, pair in ipairs(known) do
    if family == nil or family == pair[2] then
      list[#list + 1] = { address = pair[1], family = pair[2], port = port }
    end
  end
  if #list == 0 then
    inner.no_address(call, host, true)
  end
  return list
end

local function looked_up(host, port, family, call)
  local list = inner.lookup(host, family, call)
  for _, found in ipairs(list) do
    found.port = port
  end
  if #list == 0 then
    inner.no_address(call, host)
  end
  return list
end

--- Return the addresses of a host, the best one first. Awaits if the host is a
--- name other than "localhost". `""` and `"*"` stand for all addresses of this
--- machine; callers that connect refuse them first.
---@param host string as the user gave it; already checked
---@param port integer the port of the results
---@param family "inet"|"inet6"|nil the only family to look for
---@param call string the operation of the user, for a SystemError
---@return { address: string, family: "inet"|"inet6", port: integer }[]
function M.addresses(host, port, family, call)
  local number, its_family = inner.numeric(host)
  local known = number and { { number, its_family } } or KNOWN[host:lower()]
  if known then
    return of_family(known, host, port, family, call)
  end
  return looked_up(host, port, family, call)
end

--- Raise unless argument 1 of the user's function, `host`, can be the name of
--- another host. Returns the host as a string.
---@return string
function M.check(host, call)
  host = inner.check_name(host, call)
  if host == "*" then
    inner.no_address(call, host)
  end
  return host
end

return M
