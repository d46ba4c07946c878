--- dns.lua: aw.dns, names of hosts
---
--- Neighbour: names.lua, which other parts use, too.
local _, inner = ...

local names = inner.part "aiowire.names"

local M = {}

M.resolve = inner.method("resolve", function(host, opts)
  host = names.check(host, "resolve")
  local family, port = inner.name_options(host, opts)
  return names.addresses(host, port or 0, family, "resolve")
end)

M.reverse = inner.method("reverse", function(address)
  return inner.lookup_name(address)
end)

return M
