--- connect.lua: aw.tcp.connect, aw.tls.connect, aw.unix.connect
---
---     names.lua → addresses → one:     an attempt of the running task
---                             several: a race, see happy_eyeballs.lua
---
--- TLS begins when the TCP connection is made; its handshake is a part of the
--- same call, and of its time limit.
---
--- A connection is a value of the core until the last await of connect(): if
--- it loses a race, or is dropped for another reason, its descriptor is closed
--- at once. Then it is a Stream, which only the collector would close. So the
--- last step, inner.keep(), closes the Stream of a task that was cancelled
--- meanwhile.
---
--- Neighbour: lua/io/net/connect.c, which makes an attempt.
local aw, inner = ...

local happy_eyeballs = inner.part "aiowire.happy_eyeballs"
local names = inner.part "aiowire.names"

local M = {}

-- ---- errors ----

--- Failures that say little: this machine cannot use the address. Any other
--- failure is reported rather than one of these.
local UNTELLING <const> = {
  ENETUNREACH = true, EHOSTUNREACH = true, EADDRNOTAVAIL = true,
  EAFNOSUPPORT = true, EPERM = true, EACCES = true,
}

--- Return the failure to report: the last one that says most.
local function most_telling(failures)
  for i = #failures, 1, -1 do
    if not UNTELLING[failures[i].code] then
      return failures[i]
    end
  end
  return failures[#failures]
end

--- Tell whether all failures are SystemErrors; an attempt may lack memory.
local function all_of_system(failures)
  for _, failure in ipairs(failures) do
    if not aw.is_system_error(failure) then
      return false
    end
  end
  return true
end

--- Raise one error for all attempts. It has the code of the most telling one
--- and names all addresses; `tried` has their own errors.
local function raise_all(host, port, failures)
  local telling, shown = most_telling(failures), {}
  for i, failure in ipairs(failures) do
    shown[i] = failure.code == telling.code and failure.about
      or failure.about .. ": " .. failure.code
  end
  local err = inner.connect_error(telling.errno, ("%s:%d (tried %s)"):format(
    host, port, table.concat(shown, ", ")))
  err.tried = failures
  error(err, 0)
end

-- ---- TCP ----

--- Connect to the first of several addresses that answers. Awaits.
local function connect_to_any(plan, host, port, addresses)
  local failures = {}
  local function attempt(address)
    local wire, tried = inner.Attempt(plan, address.address, port)
    return wire:catch(function(err)
      inner.failed(tried)
      failures[#failures + 1] = err
      error(err, 0)
    end)
  end
  local ok, stream = aw.pcall(inner.await,
    happy_eyeballs.race(addresses, attempt), "tcp.connect")
  if ok then
    return stream
  elseif not aw.is_system_error(stream) or not all_of_system(failures)
    or #failures < #addresses then
    error(stream, 0)
  end
  return raise_all(host, port, failures)
end

local function connect_tcp(plan, host, port, family)
  local addresses = names.addresses(host, port, family, "connect")
  if #addresses > 1 then
    return connect_to_any(plan, host, port, addresses)
  end
  local address = addresses[1].address
  return inner.attempt(plan, address, port, address ~= host and host or nil)
end

-- ---- both ----

local function check_timeout(opts)
  local seconds = opts and opts.timeout
  local fault = seconds ~= nil and inner.seconds_fault(seconds)
  if fault then
    inner.raise(("bad option 'timeout' (%s)"):format(fault))
  end
  return seconds
end

--- Call `connect(plan, …)` with a time limit, if there is one.
local function connect_within(seconds, connect, plan, ...)
  if not seconds then
    return inner.keep(connect(plan, ...), plan)
  end
  return inner.keep(aw.timeout(seconds, connect, plan, ...), plan)
end

M.tcp = inner.method("connect", function(host, port, opts)
  local plan, family = inner.tcp_plan(host, port, opts)
  host = names.check(host, "connect")
  local seconds = check_timeout(opts)
  inner.awaiter "tcp.connect"
  return connect_within(seconds, connect_tcp, plan, host, port, family)
end)

-- ---- TLS ----

--- Closes the stream, unless its handshake has succeeded.
local Guard <const> = {
  __close = function(guard)
    if not guard.done then
      guard.stream:close()
    end
  end,
}

local function connect_tls(plan, host, port, family, context)
  local stream = connect_tcp(plan, host, port, family)
  local guard <close> = setmetatable({ stream = stream }, Guard)
  inner.secure(stream, context, host, port)
  guard.done = true
  return stream
end

M.tls = inner.method("connect", function(host, port, opts)
  local plan, family = inner.tcp_plan(host, port, opts, true)
  host = names.check(host, "connect")
  local seconds = check_timeout(opts)
  local context = inner.tls_context(opts)
  inner.awaiter "tls.connect"
  return connect_within(seconds, connect_tls, plan, host, port, family,
    context)
end)

M.unix = inner.method("connect", function(path, opts)
  local plan = inner.unix_plan(path, opts)
  local seconds = check_timeout(opts)
  inner.awaiter "unix.connect"
  return connect_within(seconds, inner.attempt, plan)
end)

return M
