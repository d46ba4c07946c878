--- listen.lua: aw.tcp.listen, aw.tls.listen, aw.unix.listen
---
--- listen.c makes the sockets. A host that is no number and no empty text is
--- looked up first, and the server listens on the first of its addresses that
--- the system allows.
local _, inner = ...

local M = {}

--- Listen on the first address of a name that the system allows. `tls` is the
--- context of TLS, or nil.
local function listen_by_name(host, port, opts, tls)
  local names = inner.part "aiowire.names"
  local code
  for _, found in ipairs(names.addresses(host, port, nil, "listen")) do
    local server
    server, code = inner.listen_tcp(found.address, port, opts, tls)
    if server then
      return server
    end
  end
  return nil, code
end

local function is_any(host)
  return host == nil or host == "" or host == "*"
end

local function listen(host, port, opts, tls)
  if type(host) == "table" then
    return inner.listen_fd(host, false, tls)
  end
  if is_any(host) then
    host = nil
  end
  local server, code = inner.listen_tcp(host, port, opts, tls)
  if not server and not code then
    server, code = listen_by_name(host, port, opts, tls)
  end
  return server or inner.listen_failed(code, host or "*", port)
end

--- aw.tcp.listen(host, port [, opts]) or aw.tcp.listen{fd=, ...}
M.tcp = inner.method("listen", function(host, port, opts)
  return listen(host, port, opts)
end)

--- aw.tls.listen(host, port, opts) or aw.tls.listen{fd=, ...}
M.tls = inner.method("listen", function(host, port, opts)
  return listen(host, port, opts, inner.tls_listening(host, port, opts))
end)

--- aw.unix.listen(path [, opts]) or aw.unix.listen{fd=, ...}
M.unix = inner.method("listen", function(path, opts)
  if type(path) == "table" then
    return inner.listen_fd(path, true)
  end
  return inner.listen_unix(path, opts)
end)

return M
