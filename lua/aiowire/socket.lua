--- socket.lua: aw.socket, LuaSocket's module whose sockets await
---
---     functions and methods in C   lua/io/luasocket, see luasocket.h
---     socket_names.lua             look-ups, with LuaSocket's errors
---     socket_methods.lua           connect and bind of sockets
---     socket_dns.lua               dns
---     socket_select.lua            select
---     socket_chain.lua             try, protect, source and sink
---
--- All errors of the network are results, nil and a text; what is raised is a
--- mistake of the caller, or Cancelled.
local aw, inner = ...

local names = inner.part "aiowire.socket_names"
local methods = inner.part "aiowire.socket_methods"

local MASTER <const>, CLIENT <const> = 1, 2 -- as in luasocket.h

local M = {
  _VERSION = "LuaSocket 3.1.0 (" .. aw._VERSION .. ")",
  _DATAGRAMSIZE = 8192, _SETSIZE = 1024, _SOCKETINVALID = -1, BLOCKSIZE = 2048,
}

-- ---- making sockets ----

--- Return a function that makes sockets. A socket that has a family has a
--- descriptor, too.
local function maker(family, datagrams)
  return function()
    local s = inner.ls_new(family, datagrams)
    local err = family and family ~= "unix" and inner.ls_make(s, family)
    if err then
      return nil, err
    end
    return s
  end
end

M.tcp = inner.method("tcp", maker())
M.tcp4 = inner.method("tcp4", maker "inet")
M.tcp6 = inner.method("tcp6", maker "inet6")
M.udp = inner.method("udp", maker(nil, true))
M.udp4 = inner.method("udp4", maker("inet", true))
M.udp6 = inner.method("udp6", maker("inet6", true))

local unix = inner.method("unix", maker "unix")
M.unix = setmetatable({ stream = unix, tcp = unix }, {
  __call = function()
    return unix()
  end,
})

-- ---- ready sockets ----

local FAMILIES <const> = { unspec = true, inet = true, inet6 = true }

local function connect(address, port, own_address, own_port, family)
  if family ~= nil and not FAMILIES[family] then
    inner.bad_argument(5, ("invalid option '%s'"):format(tostring(family)))
  end
  names.check_end(1, address, port)
  family = family ~= "unspec" and family or nil
  local s, ok, err = M.tcp(), true, nil
  if own_address then
    ok, err = methods.bind_to(s, own_address, own_port or 0, family)
    family = inner.ls_state(s, MASTER)
  end
  if ok then
    ok, err = methods.connect_to(s, address, port, family)
  end
  if not ok then
    s:close()
    return nil, err
  end
  inner.ls_become(s, CLIENT)
  return s
end

M.connect = inner.method("connect", connect)
M.connect4 = inner.method("connect4", function(address, port, own, own_port)
  return connect(address, port, own, own_port, "inet")
end)
M.connect6 = inner.method("connect6", function(address, port, own, own_port)
  return connect(address, port, own, own_port, "inet6")
end)

--- Bind and listen on one address. Returns the socket, or nil and an error.
local function listen_on(at, port, backlog)
  local s, err = (at.family == "inet" and M.tcp4 or M.tcp6)()
  if not s then
    return nil, err
  end
  local ok
  s:setoption("reuseaddr", true)
  ok, err = s:bind(at.address, port)
  if ok then
    ok, err = s:listen(backlog)
  end
  if ok then
    return s
  end
  s:close()
  return nil, err
end

M.bind = inner.method("bind", function(host, port, backlog)
  names.check_end(1, host, port)
  local list, err = names.find(host == "*" and "0.0.0.0" or host, 0)
  if not list then
    return nil, err
  end
  for _, at in ipairs(list) do
    local s
    s, err = listen_on(at, port, backlog)
    if s then
      return s
    end
  end
  return nil, err
end)

-- ---- time ----

--- The time of day in seconds.
M.gettime = inner.method("gettime", function()
  return aw.time()
end)

M.sleep = inner.method("sleep", function(seconds)
  local number = tonumber(seconds)
  if not number then
    inner.bad_type(1, "number", seconds)
  end
  aw.sleep(math.max(number, 0))
end)

-- ---- the rest ----

M.dns = inner.part "aiowire.socket_dns"
M.select = inner.part "aiowire.socket_select"

for name, value in pairs(inner.part "aiowire.socket_chain"(M)) do
  M[name] = value
end

M.skip = inner.method("skip", function(count, ...)
  local number = math.tointeger(tonumber(count))
  if not number then
    inner.bad_type(1, "number", count)
  end
  return select(math.max(number, 0) + 1, ...)
end)

function M.__unload()
end

return M
