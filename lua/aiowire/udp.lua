--- udp.lua: aw.udp.bind and aw.udp.connect make UDP sockets
---
--- The addresses of a name are tried in turn. The first one that this machine
--- can use makes the socket: UDP has no handshake that would tell more.
--- Neighbour: udp_object.c has the class, and checks all arguments.
local _, inner = ...

local names = inner.part "aiowire.names"

--- Return the address for `local_host` in a socket of `family`, or nil if that
--- host has none.
local function local_address(host, port, family)
  for _, at in ipairs(names.addresses(host, port, nil, "bind")) do
    if at.family == family then
      return at.address
    end
  end
  return nil
end

local function bind(host, port, opts)
  local plan, family
  plan, host, family = inner.udp_plan(host, port, opts, false)
  local list = names.addresses(host, port, family, "bind")
  for i, at in ipairs(list) do
    local u = inner.udp_open(plan, i == #list, at.address, at.port)
    if u then
      return u
    end
  end
end

local function connect(host, port, opts)
  local plan, family, own_host, own_port
  plan, host, family, own_host, own_port =
    inner.udp_plan(host, port, opts, true)
  local list = names.addresses(host, port, family, "connect")
  for i, at in ipairs(list) do
    local from = own_host or own_port and (at.family == "inet6" and "::"
      or "0.0.0.0")
    if own_host then
      -- Without an address of that family, let the kernel say what is wrong.
      from = local_address(own_host, own_port or 0, at.family)
        or local_address(own_host, own_port or 0,
          at.family == "inet" and "inet6" or "inet")
    end
    local u = inner.udp_open(plan, i == #list, from, own_port or 0, at.address,
      at.port)
    if u then
      return u
    end
  end
end

inner.udp_names(inner.method("send", function(host, port, family)
  return names.addresses(host, port, family, "send")[1].address
end))

return { bind = inner.method("bind", bind),
  connect = inner.method("connect", connect) }
