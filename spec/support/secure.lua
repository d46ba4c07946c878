--- Connections with TLS for specs.
---
---   it("is read by lines", secure.connected(function(ev, client, accepted)
---     …
---   end))
---
--- A client trusts certificates.ca, and a server shows certificates.server.
--- What the options of a spec name replaces that; secure.NONE leaves it out.

local assert = require "luassert"
local aw = require "aiowire"
local busted = require "busted"
local certificates = require "spec.support.certificates"
local clients = require "spec.support.clients"
local d = require "spec_descriptors"
local helper = require "spec.support.helper"
local socketpairs = require "spec.support.socketpairs"
local texts = require "spec.support.texts"

local M = {}

-- After so many seconds a test has failed, even on a busy machine.
local PATIENCE <const> = 120

--- In options: without this one.
M.NONE = {}

--- Returns a value whose `__close` closes all of these, the last one first.
function M.closing(...)
  local list = { ... }
  return helper.closer(function()
    for i = #list, 1, -1 do
      list[i]:close()
    end
  end)
end

local has_libssl

--- End the current test as pending if there is no OpenSSL.
function M.needed()
  if has_libssl == nil then
    has_libssl = package.loadlib("libssl.so.3", "*") == true
  end
  if not has_libssl then
    helper.pending "libssl.so.3 is not installed"
  end
  certificates.needed()
end

local function replaced(options, other)
  for name, value in pairs(other or {}) do
    options[name] = value
    if value == M.NONE then
      options[name] = nil
    end
  end
  return options
end

--- Returns the options of a client.
---@param more table? replaces some
function M.client(more)
  return replaced({ ca = certificates.file "ca" }, more)
end

--- Returns the options of a server.
---@param more table? replaces some
function M.server(more)
  return replaced(certificates.server, more)
end

--- Returns a server of TLS on a free port of 127.0.0.1, and the port.
---@param more table? options
function M.listen(more)
  local server = aw.tls.listen("127.0.0.1", 0, M.server(more))
  return server, select(2, server:name())
end

--- Connect to a server on 127.0.0.1.
---@param server aiowire.Server
---@param more table? options
---@param host string? default "localhost"
---@return aiowire.Stream
function M.connect(server, more, host)
  return aw.tls.connect(host or "localhost", select(2, server:name()),
    M.client(more))
end

--- Connect to a server. Returns the streams of both sides, whose handshakes are
--- over.
---@param server aiowire.Server
---@param more table? options of the client
---@param host string? default "localhost"
---@return aiowire.Stream client
---@return aiowire.Stream accepted
function M.meet(server, more, host)
  local accepting <close> = aw.start(aw.Call(function()
    return server:accept():handshake()
  end), aw.keep)
  local client = M.connect(server, more, host)
  return client, (accepting:wait())
end

--- Connect to a server, and have each side read a byte of the other. Returns
--- the errors of the client and of the connection that was accepted, or nil.
---@param server aiowire.Server
---@param more table? options of the client
---@param host string? default "localhost"
function M.try(server, more, host)
  local accepting <close> = aw.start(aw.Call(function()
    local s <close> = server:accept():handshake()
    s:write(s:read(1) or "")
    s:read "a"
  end), aw.keep)
  local mine, theirs
  mine = select(2, aw.pcall(function()
    local s <close> = M.connect(server, more, host)
    s:write "x"
    assert(s:read(1) == "x", "the end came early")
    s:shutdown()
    s:read "a"
  end))
  theirs = select(2, aw.pcall(accepting.wait, accepting))
  return mine, theirs
end

--- Give the stream TLS on both sides: `a` is the client.
---@param a aiowire.Stream
---@param b aiowire.Stream
---@param mine table? options of the client
---@param theirs table? options of the server
function M.start(a, b, mine, theirs)
  local starting <close> = aw.start(aw.Call(b.starttls, b,
    M.server(replaced({ server = true }, theirs))), aw.keep)
  a:starttls(M.client(replaced({ host = "localhost" }, mine)))
  starting:wait()
end

-- Functions for `it`. --------------------------------------------------------

--- Returns a function for `it` that runs `f(ev)` in a loop, if TLS is there.
---@param f fun(ev: aiowire.EventLoop)
function M.fact(f)
  return function()
    M.needed()
    helper.leak_checked(function()
      aw.run(function(ev)
        aw.timeout(PATIENCE, f, ev)
      end)
    end)
  end
end

--- As fact(), with a server: `f(ev, server, port)`.
---@param more? table options of the server, or a function that returns them
---@param f fun(ev, server, port)
function M.served(more, f)
  return M.fact(function(ev)
    local server <close>, port = M.listen(type(more) == "function" and more()
      or more)
    f(ev, server, port)
  end)
end

--- As fact(), with the streams of a connection: `f(ev, client, accepted)`.
---@param f fun(ev, client, accepted)
---@param mine table? options of the client
---@param theirs table? options of the server
function M.connected(f, mine, theirs)
  return M.fact(function(ev)
    local server <close> = M.listen(theirs)
    local client, accepted = M.meet(server, mine)
    local _ <close> = M.closing(client, accepted)
    f(ev, client, accepted)
  end)
end

-- What is between the two sides. ---------------------------------------------

local Relay = {}
Relay.__index = Relay

--- Let the side that gets what a way carries see an end.
local function cut(way)
  if not way.is_cut then
    way.is_cut = true
    pcall(clients.shut, way.to) -- the peer may have reset it
  end
end

--- Returns the next bytes of a way, with its byte number `spoil` changed.
local function spoiled(way, text)
  local at = (way.spoil or 0) - way.count
  if at < 1 or at > #text then
    return text
  end
  return text:sub(1, at - 1) .. string.char(text:byte(at) ~ 1)
    .. text:sub(at + 1)
end

--- Pass bytes on, `size` at a time, until the end or the limit of the way.
local function pass(way, size)
  while way.count < way.limit do
    aw.readable(way.from)
    local text = d.read(way.from, math.min(size, 64, way.limit - way.count))
    if text == "" then
      break
    end
    aw.writable(way.to)
    if way.is_cut then
      return
    end
    text = spoiled(way, text)
    way.count = way.count + #text
    way.seen[#way.seen + 1] = text
    d.write(way.to, text)
  end
  cut(way)
end

--- Let the client see an end of what the server sends.
function Relay:cut()
  cut(self.back)
end

local function stop(relay)
  for _, task in ipairs(relay.tasks) do
    task:cancel_wait()
  end
  relay.tasks = {}
end

--- Let the first stream see a reset.
function Relay:reset()
  stop(self)
  d.reset(table.remove(self.fds, 1))
end

function Relay:close()
  stop(self)
  for _, fd in ipairs(self.fds) do
    d.close(fd)
  end
end

Relay.__close = Relay.close

local function way(from, to, limit)
  return { from = from, to = to, count = 0, limit = limit or math.huge,
    seen = {} }
end

--- Returns two streams, and what is between them: a task that passes on what
--- one sends to the other.
---
--- Options: `size`, bytes that are passed on at a time, 64 at most; `there` and
--- `back`, the numbers of bytes after which the way from the first stream, or
--- to it, ends; `narrow`, sockets that buffer little; `kind` of the sockets.
---@param options table?
---@return aiowire.Stream a
---@return aiowire.Stream b
---@return table relay its ways, `there` and `back`, have the `count` of bytes
--- and a list of the bytes, `seen`; they change the byte of the number `spoil`
function M.apart(options)
  options = options or {}
  local kind = options.kind or "tcp"
  local fds = {}
  local a, b
  a, fds[1] = socketpairs.half(kind)
  b, fds[2] = socketpairs.half(kind)
  for _, fd in ipairs(kind == "tcp" and fds or {}) do
    d.prompt(fd)
  end
  if options.narrow then
    for _, fd in ipairs { a:getfd(), b:getfd(), fds[1], fds[2] } do
      d.narrow(fd)
    end
  end
  local relay = setmetatable({ fds = fds, tasks = {},
    there = way(fds[1], fds[2], options.there),
    back = way(fds[2], fds[1], options.back) }, Relay)
  -- With the collector at its most aggressive, each piece takes long.
  local size = math.max(options.size or 64, helper.gc_stress and 16 or 1)
  for i, one in ipairs { relay.there, relay.back } do
    relay.tasks[i] = aw.start(aw.Call(pass, one, size), aw.keep)
  end
  return a, b, relay
end

--- As fact(), with two streams with TLS and what is between them:
--- `f(ev, client, accepted, relay)`.
---@param options table? as apart()
---@param f fun(ev, client, accepted, relay)
---@param mine table? options of the client
---@param theirs table? options of the server
function M.parted(options, f, mine, theirs)
  return M.fact(function(ev)
    local a, b, relay = M.apart(options)
    local _ <close> = M.closing(relay, a, b)
    M.start(a, b, mine, theirs)
    f(ev, a, b, relay)
  end)
end

--- Write text from both ends at the same time, and check what the others read.
function M.both_ways(ev, client, accepted, size)
  local function send(s, letter)
    return ev:start(function()
      s:write(letter:rep(size))
      s:shutdown()
    end)
  end
  local one, two = send(client, "c"), send(accepted, "s")
  local other = ev:start(aw.Call(client.read, client, "a"))
  assert.are.equal(("c"):rep(size), accepted:read "a")
  assert.are.equal(("s"):rep(size), other:wait())
  one:wait()
  two:wait()
end

-- Checks. --------------------------------------------------------------------

--- Check an error of TLS: its code, and parts of its text.
---@param code string
---@param err any
---@param ... string
---@return any err
function M.assert_tls(code, err, ...)
  if not aw.is_tls_error(err) then
    busted.fail(("a TLSError %s expected, got %s"):format(code,
      tostring(err)), 2)
  end
  if err.code ~= code then
    busted.fail(("%s expected, got %s"):format(code, tostring(err)), 2)
  end
  for _, part in ipairs { code, ... } do
    texts.contains(tostring(err), part)
  end
  certificates.assert_hidden(tostring(err))
  return err
end

--- Check that an error is of the system.
---@param code string
---@param err any
---@return any err
function M.assert_system(code, err)
  if not aw.is_system_error(err) or err.code ~= code then
    busted.fail(("a SystemError %s expected, got %s"):format(code,
      tostring(err)), 2)
  end
  return err
end

return M
