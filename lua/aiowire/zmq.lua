--- zmq.lua: aw.zmq, the sockets of ZeroMQ
---
--- This file assembles the parts in C (lua/zmq), and adds functions that are
--- simpler in Lua. The first socket, context or version() loads libzmq.
local aw, inner = ...

local raw = inner.zmq()

local READABLE <const>, WRITABLE <const> = 1, 2

local EVENTS <const> = {
  r = READABLE, w = WRITABLE, rw = READABLE | WRITABLE,
  [1] = READABLE, [2] = WRITABLE, [3] = READABLE | WRITABLE,
}

local M = {
  socket = raw.socket,
  context = raw.context,
  has = raw.has,
  curve_keypair = raw.curve_keypair,
  curve_public = raw.curve_public,
  save_keys = raw.save_keys,
  load_keys = raw.load_keys,
  auth = raw.auth,
  POLLIN = READABLE,
  POLLOUT = WRITABLE,
  NULL = 0, PLAIN = 1, CURVE = 2, GSSAPI = 3, -- mechanisms
}

for _, type in ipairs(raw.types()) do
  M[type.name] = type.number
end

--- The options of sockets: a list of { name=, number=, readable=, writable= }.
M.options = raw.options()

for _, option in ipairs(M.options) do
  M[option.name:upper()] = option.number
end

--- Return the version of libzmq, such as "4.3.4".
function M.version()
  return ("%d.%d.%d"):format(raw.version())
end

local function check_timeout(timeout)
  local why = timeout ~= nil and inner.seconds_fault(timeout)
  if why then
    inner.bad_argument(3, why)
  end
end

--- Bind the socket to an address. Awaits if the host is a name that has to be
--- looked up: neither a number, nor an interface, nor "localhost".
raw.methods.bind = inner.method("bind", function(self, address)
  local host, family = raw.host_to_bind(self, address)
  if not host then
    return raw.bind(self, address)
  end
  inner.awaiter "socket:bind"
  local numbers = inner.lookup(host, family, "bind")
  for i, found in ipairs(numbers) do
    numbers[i] = found.address
  end
  if #numbers == 0 then
    inner.no_address("bind", host)
  end
  return raw.bind_number(self, address, table.unpack(numbers))
end)

--- Wait until the socket is ready for one of `flags` ("r", "w", "rw"; default
--- "r"), or until `timeout` seconds are over. Return the bits POLLIN and
--- POLLOUT for which the socket is ready.
raw.methods.poll = inner.method("poll", function(self, flags, timeout)
  local now = raw.events(self)
  local wanted = EVENTS[flags == nil and "r" or flags]
  if not wanted then
    inner.bad_argument(2, "flags must be 'r', 'w' or 'rw', got "
      .. (type(flags) == "string" and inner.shown(flags)
        or inner.type_name(flags)))
  end
  check_timeout(timeout)
  now = now & wanted
  if now ~= 0 or timeout == 0 then
    raw.turn()
    return now
  end
  inner.awaiter "socket:poll"
  local ready = raw.ready(self, wanted)
  if timeout then
    aw.scope({ timeout = timeout }, function()
      aw.await(ready)
    end)
  else
    aw.await(ready)
  end
  return raw.events(self) & wanted
end)

--- Pass messages from `front` to `back` and back: see zmq_proxy.lua.
M.Proxy = inner.method("Proxy", inner.part "aiowire.zmq_proxy"(raw.proxy))

--- Add a function that stands in a part of its own, which its first call loads.
local function add_late(name, part)
  M[name] = inner.method(name, function(...)
    return inner.part(part)[name](...)
  end)
end

inner.is_bound, inner.without_watch = raw.bound, raw.without_watch

add_late("request", "aiowire.zmq_request")
add_late("Service", "aiowire.zmq_service")

-- ---- who is there ----

raw.methods.monitor = raw.monitor

raw.monitor_methods.iter = inner.method("iter", function(self)
  local recv <const> = raw.monitor_methods.recv
  return recv, self
end)

--- Wait until at least `n` peers have completed their handshake and are still
--- connected, or until `timeout` seconds are over. Return true.
raw.methods.wait_peers = inner.method("wait_peers", function(self, n, timeout)
  raw.has_peers(self, 0) -- checks the socket first
  if math.type(n) ~= "integer" or n < 0 or n > 0x7fffffff then
    inner.bad_argument(2, "a number of peers expected, got " .. inner.shown(n))
  end
  check_timeout(timeout)
  inner.awaiter "socket:wait_peers"
  if raw.has_peers(self, n) then
    raw.turn()
    return true
  end
  local wire, wait = raw.peers(self, n)
  local _ <close> = wait
  if timeout then
    aw.timeout(timeout, aw.await, wire)
  else
    aw.await(wire)
  end
  return true
end)

--- Let a task serve the notices of an authenticator.
function raw.serve_auth(...)
  inner.part "aiowire.zmq_auth"(raw, ...)
end

--- Wait until somebody has subscribed: to anything, or so that a message that
--- begins with `prefix` reaches somebody. The subscriber may leave before this
--- task runs, so look once more.
local function wait_subscriber(socket, prefix)
  local subscriber = raw.subscriber(socket, prefix)
  repeat
    aw.await(subscriber)
  until raw.subscribed(socket, prefix)
end

--- Wait until a PUB or XPUB has a subscriber, for at most `timeout` seconds.
--- With `prefix`, it is one that gets messages which begin with `prefix`.
raw.methods.wait_subscriber = inner.method("wait_subscriber",
  function(self, prefix, timeout)
    check_timeout(timeout)
    inner.awaiter "socket:wait_subscriber"
    if timeout then
      aw.timeout(timeout, wait_subscriber, self, prefix)
    else
      wait_subscriber(self, prefix)
    end
    return true
  end)

return M
