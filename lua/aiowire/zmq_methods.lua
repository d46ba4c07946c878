--- zmq_methods.lua: methods of sockets and monitors that await
---
--- Each of them checks its arguments first, then whether it may await, then
--- whether there is anything to wait for.
local aw, inner = ...

local raw = inner.zmq_raw

local M = {}

local READABLE <const>, WRITABLE <const> = 1, 2

local EVENTS <const> = {
  r = READABLE, w = WRITABLE, rw = READABLE | WRITABLE,
  [1] = READABLE, [2] = WRITABLE, [3] = READABLE | WRITABLE,
}

local function check_timeout(timeout)
  local why = timeout ~= nil and inner.seconds_fault(timeout)
  if why then
    inner.bad_argument(3, why)
  end
end

--- Call a function that awaits, for at most `timeout` seconds; nil: no limit.
local function within(timeout, f, ...)
  if timeout then
    aw.timeout(timeout, f, ...)
  else
    f(...)
  end
end

--- Bind the socket to an address. Awaits if the host is a name that has to be
--- looked up: neither a number, nor an interface, nor "localhost".
function M.bind(self, address)
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
end

--- Return the bits of `flags`, such as "rw".
local function events_of(flags)
  local events = EVENTS[flags == nil and "r" or flags]
  return events or inner.bad_argument(2, "flags must be 'r', 'w' or 'rw', got "
    .. (type(flags) == "string" and inner.shown(flags)
      or inner.type_name(flags)))
end

--- Wait until the socket is ready for one of `flags` ("r", "w", "rw"; default
--- "r"), or until `timeout` seconds are over. Return the bits POLLIN and
--- POLLOUT for which the socket is ready.
function M.poll(self, flags, timeout)
  local now = raw.events(self)
  local wanted = events_of(flags)
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
end

--- Wait until at least `n` peers have completed their handshake and are still
--- connected, or until `timeout` seconds are over. Return true.
function M.wait_peers(self, n, timeout)
  raw.has_peers(self, 0) -- checks the socket first
  local whole = type(n) == "number" and math.tointeger(n)
  if not whole or whole < 0 or whole > 0x7fffffff then
    inner.bad_argument(2, "a number of peers expected, got " .. inner.shown(n))
  end
  check_timeout(timeout)
  inner.awaiter "socket:wait_peers"
  if raw.has_peers(self, whole) then
    raw.turn()
    return true
  end
  local wire, wait = raw.peers(self, whole)
  local _ <close> = wait
  within(timeout, aw.await, wire)
  return true
end

local losses_seen <const> = setmetatable({}, { __mode = "k" }) -- by socket

--- Let libzmq forget the subscribers that are lost. Their connections end in
--- steps: the socket takes part in each of them when it is used, and an I/O
--- thread goes on in between.
local function forget_lost(socket, prefix)
  local losses = raw.losses(socket)
  if not losses or losses == (losses_seen[socket] or 0) then
    return
  end
  for i = 0, 4 do
    if not raw.subscribed(socket, prefix) then
      break
    end
    aw.sleep(0.001 * 2 ^ i)
  end
  losses_seen[socket] = losses
end

--- Wait until somebody has subscribed: to anything, or so that a message that
--- begins with `prefix` reaches somebody. The subscriber may leave before this
--- task runs, so look once more.
local function wait_subscriber(socket, prefix, subscriber)
  repeat
    aw.await(subscriber)
  until raw.subscribed(socket, prefix)
end

--- Wait until a PUB or XPUB has a subscriber, for at most `timeout` seconds.
--- With `prefix`, it is one that gets messages which begin with `prefix`.
function M.wait_subscriber(self, prefix, timeout)
  check_timeout(timeout)
  inner.awaiter "socket:wait_subscriber"
  local subscriber = raw.subscriber(self, prefix) -- checks its arguments
  forget_lost(self, prefix)
  within(timeout, wait_subscriber, self, prefix, subscriber)
  return true
end

--- Iterate over the events of a monitor, until it ends.
function M.iter(monitor)
  return raw.monitor_methods.recv, monitor
end

return M
