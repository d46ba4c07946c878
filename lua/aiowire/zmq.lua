--- zmq.lua: aw.zmq, the sockets of ZeroMQ
---
--- This file assembles the module and adds methods to its classes:
---
---     functions in C (lua/zmq)   are copied from `raw`
---     functions in Lua           are in parts, which the first call loads:
---       zmq_methods.lua            s:bind, s:poll, s:wait_…, m:iter
---       zmq_proxy.lua              Proxy
---       zmq_request.lua            request
---       zmq_service.lua            Service
---       zmq_auth.lua               the task of an authenticator
---
--- Parts find the functions in C in `inner.zmq_raw`. The first socket, context
--- or version() loads libzmq.
local _, inner = ...

local raw = inner.zmq()
inner.zmq_raw = raw

local M = {}

-- ---- constants ----

M.POLLIN, M.POLLOUT = 1, 2
M.NULL, M.PLAIN, M.CURVE, M.GSSAPI = 0, 1, 2, 3 -- mechanisms

for _, type in ipairs(raw.types()) do
  M[type.name] = type.number
end

--- The options of sockets: a list of { name=, number=, readable=, writable= }.
M.options = raw.options()

for _, option in ipairs(M.options) do
  M[option.name:upper()] = option.number
end

-- ---- functions in C ----

for _, name in ipairs { "socket", "context", "has", "auth", "curve_keypair",
  "curve_public", "save_keys", "load_keys" } do
  M[name] = raw[name]
end

raw.methods.monitor = raw.monitor

--- Return the version of libzmq, such as "4.3.4".
function M.version()
  return ("%d.%d.%d"):format(raw.version())
end

-- ---- functions in Lua ----

--- Return a function that calls the one of that name in a part.
local function late(name, part)
  local found
  return inner.method(name, function(...)
    found = found or inner.part(part)[name]
    return found(...)
  end)
end

--- Add functions of a part to a table.
local function add_late(to, part, ...)
  for _, name in ipairs { ... } do
    to[name] = late(name, part)
  end
end

add_late(raw.methods, "aiowire.zmq_methods", "bind", "poll", "wait_peers",
  "wait_subscriber")
add_late(raw.monitor_methods, "aiowire.zmq_methods", "iter")
add_late(M, "aiowire.zmq_proxy", "Proxy")
add_late(M, "aiowire.zmq_request", "request")
add_late(M, "aiowire.zmq_service", "Service")
add_late(raw, "aiowire.zmq_auth", "serve_auth")

return M
