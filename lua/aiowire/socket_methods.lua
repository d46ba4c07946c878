--- socket_methods.lua: methods of aw.socket's objects that look up names
---
--- They become methods of the classes that lua/io/luasocket/object.c has made;
--- the numbers of roles are those of its header.
local _, inner = ...

local names = inner.part "aiowire.socket_names"

local M = {}

local MASTER <const>, CLIENT <const>, SERVER <const> = 1, 2, 4
local UNCONNECTED <const>, CONNECTED <const> = 8, 16
local STREAMS <const> = MASTER | CLIENT | SERVER
local DATAGRAMS <const> = UNCONNECTED | CONNECTED
local ANY <const> = STREAMS | DATAGRAMS

--- All addresses of this machine, in the order of the system.
local ANYWHERE <const> = {
  { address = "0.0.0.0", family = "inet" },
  { address = "::", family = "inet6" },
}

-- ---- both ends ----

--- Return what `find` returns for the socket: a list of addresses with their
--- ports; or nil and an error.
local function look_up(find, s, address, port, family)
  local own_family, limit, datagrams = inner.ls_state(s, ANY)
  local number, err = names.port(port, datagrams)
  if not number then
    return nil, err
  end
  return find(address, number, own_family or family, limit)
end

-- ---- binding ----

local function find_own(address, port, family, limit)
  if address ~= "*" then
    return names.find(address, port, family, limit)
  end
  local list = {}
  for _, at in ipairs(ANYWHERE) do
    if not family or family == at.family then
      list[#list + 1] = { address = at.address, port = port }
    end
  end
  return list
end

--- Bind to the first address of a host that the system allows. Returns true,
--- or nil and an error.
function M.bind_to(s, address, port, family)
  local list, err = look_up(find_own, s, address, port, family)
  for _, at in ipairs(list or {}) do
    err = inner.ls_bind(s, at.address, at.port)
    if not err then
      return true
    end
  end
  return nil, err
end

-- ---- connecting ----

--- Connect to the first address of a host that answers. The limit of the
--- socket is one of each attempt. Returns true, or nil and an error.
function M.connect_to(s, address, port, family)
  local _, limit = inner.ls_state(s, ANY)
  local list, err = look_up(names.find, s, address, port, family)
  for _, at in ipairs(list or {}) do
    err = inner.ls_connect(s, at.address, at.port)
    if not err then
      return true
    elseif limit == 0 then
      break
    end
  end
  return nil, err
end

--- Return LuaSocket's results: 1, or nil and an error.
local function told(ok, err)
  if ok then
    return 1.0
  end
  return nil, err
end

-- ---- the methods ----

--- A socket whose connect() has failed is a client, too: a connection that
--- does not wait goes on after "timeout".
local function connect(s, address, port)
  inner.ls_state(s, STREAMS)
  names.check_end(2, address, port)
  local ok, err = M.connect_to(s, address, port)
  inner.ls_become(s, CLIENT)
  return told(ok, err)
end

local function bind(s, address, port)
  inner.ls_state(s, MASTER)
  names.check_end(2, address, port)
  return told(M.bind_to(s, address, port))
end

local function connect_path(s, path)
  inner.ls_state(s, STREAMS)
  names.check_end(2, path, 0)
  local err = inner.ls_connect(s, tostring(path))
  if not err then
    inner.ls_become(s, CLIENT)
  end
  return told(not err, err)
end

local function bind_path(s, path)
  inner.ls_state(s, MASTER)
  names.check_end(2, path, 0)
  local err = inner.ls_bind(s, tostring(path))
  return told(not err, err)
end

local function set_peer(s, address, port)
  inner.ls_state(s, DATAGRAMS)
  names.check_end(2, address, address == "*" and 0 or port)
  if address == "*" then
    inner.ls_disconnect(s)
    inner.ls_become(s, UNCONNECTED)
    return 1.0
  end
  local ok, err = M.connect_to(s, address, port)
  if ok then
    inner.ls_become(s, CONNECTED)
  end
  return told(ok, err)
end

local function set_name(s, address, port)
  inner.ls_state(s, UNCONNECTED)
  names.check_end(2, address, port)
  return told(M.bind_to(s, address, port))
end

local BY_KIND <const> = {
  tcp = { connect = connect, setpeername = connect, bind = bind,
    setsockname = bind },
  unixstream = { connect = connect_path, setpeername = connect_path,
    bind = bind_path, setsockname = bind_path },
  udp = { setpeername = set_peer, setsockname = set_name },
}

for class, methods in pairs(inner.ls_methods) do
  for name, method in pairs(BY_KIND[class:match "^%l+"]) do
    methods[name] = inner.method(name, method)
  end
end

return M
