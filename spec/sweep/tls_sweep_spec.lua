-- The sweep over TLS: see spec/sweep/sweep.lua. Handshakes, reads, writes and
-- ends are cut short at each of their awaits, on both sides.

local aw = require "aiowire"
local clients = require "spec.support.clients"
local helper = require "spec.support.helper"
local secure = require "spec.support.secure"
local streams = require "spec.sweep.streams"
local sweep = require "spec.sweep.sweep"

local open_plain = streams.open_plain

local scenarios, scenario = sweep.scenarios("real")

--- Returns a server with TLS, its port, and a guard that closes it.
local function open_server(p)
  local server, port = secure.listen()
  return server, port, p.guard(function()
    server:close()
  end)
end

--- As open_plain(), with TLS.
local function open_pair(p)
  local a, b, guard = open_plain(p)
  return a, b, guard, secure.start(a, b)
end

scenario("a handshake of a client and a server", function(_, p)
  local server, port, guard = open_server(p)
  local _ <close> = guard
  aw.scope(function(s)
    s:start(function()
      local _ <close> = p.guard()
      local accepted <close> = p.step(server.accept, server)
      p.step(accepted.handshake, accepted)
      p.step(accepted.write, accepted, "x")
    end)
    local client <close> = p.step(aw.tls.connect, "localhost", port,
      secure.client { timeout = 60 })
    p.step(client.read, client, 1)
  end)
end)

scenario("a handshake that is refused", function(_, p)
  local server, port, guard = open_server(p)
  local _ <close> = guard
  aw.scope(function(s)
    s:start(function()
      local _ <close> = p.guard()
      local accepted <close> = p.step(server.accept, server)
      p.step(aw.pcall, accepted.read, accepted)
    end)
    p.step(aw.pcall, aw.tls.connect, "localhost", port, { ca = secure.client()
      .ca, host = "elsewhere.test" })
  end)
end)

scenario("a handshake that hangs, in a race and a time limit", function(_, p)
  local server, port, guard = open_server(p)
  local _ <close> = guard
  local w = aw.Call(aw.tls.connect, "localhost", port, secure.client())
  p.await(w | aw.Sleep(0.002))
  p.step(aw.pcall, aw.tls.connect, "localhost", port,
    secure.client { handshake_timeout = 0.002 })
  local fd = clients.connect(port)
  local _ <close> = helper.closer(clients.close, fd)
  -- The first connect may have ended before it reached the server.
  for _ = 1, 2 do
    local accepted <close> = p.step(server.accept, server)
    p.step(aw.pcall, aw.await, aw.Recv(accepted) | aw.Sleep(0.001))
  end
end)

scenario("starttls", function(_, p)
  local a, b, guard = open_plain(p)
  local _ <close> = guard
  aw.scope(function(s)
    s:start(function()
      local _ <close> = p.guard()
      p.step(b.read, b)
      p.step(b.starttls, b, secure.server { server = true })
      p.step(b.write, b, "inside\n")
    end)
    p.step(a.write, a, "STARTTLS\n")
    p.step(a.starttls, a, secure.client { host = "localhost" })
    p.step(a.read, a)
  end)
end)

scenario("reads and writes", function(_, p)
  local a, b, guard = open_pair(p)
  local _ <close> = guard
  p.step(a.write, a, "one\ntwo--three")
  p.step(b.read, b)
  p.step(b.read_until, b, "--")
  aw.scope(function(s)
    s:start(function()
      local _ <close> = p.guard()
      p.yield()
      p.step(a.write, a, "four\n")
      p.step(a.flush, a)
    end)
    p.step(b.read, b, 6)
    p.await(aw.Recv(b))
  end)
  p.step(b.write, b, "answer")
  p.step(a.read_some, a)
end)

scenario("a write that must wait, and its reader", function(_, p)
  local a, b, guard = open_pair(p)
  local _ <close> = guard
  aw.scope(function(s)
    s:start(function()
      local _ <close> = p.guard()
      p.step(a.write, a, ("x"):rep(7000000))
      p.step(a.write, a, "rest\n")
      p.step(a.shutdown, a)
    end)
    p.step(b.read, b, 1000000)
    p.step(b.read, b, "a")
  end)
end)

scenario("the ends of both directions", function(_, p)
  local a, b, guard = open_pair(p)
  local _ <close> = guard
  p.step(a.write, a, "request")
  p.step(a.shutdown, a)
  p.step(b.read, b, "a")
  p.await(aw.Recv(b) | aw.Never)
  p.step(b.write, b, "reply")
  p.step(b.shutdown, b)
  p.step(a.read, a, "a")
  p.step(a.read, a)
end)

scenario("copies", streams.copies(open_pair))

scenario("a server that serves, and a client that is refused", function(_, p)
  aw.scope(function(s)
    local server, port, guard = open_server(p)
    local _ <close> = guard
    s:start(aw.Serve(server, function(_, accepted)
      local _ <close> = p.guard()
      local line = p.step(accepted.read, accepted)
      p.step(accepted.write, accepted, line or "", "\n")
    end, function() end, { max_connections = 2 }))
    local fd = clients.connect(port)
    local _ <close> = helper.closer(clients.close, fd)
    clients.send(fd, "GET / HTTP/1.1\r\n\r\n")
    for i = 1, 2 do
      -- The body that serves it may be struck.
      local ok, client = p.step(aw.pcall, aw.tls.connect, "localhost", port,
        secure.client())
      local _ <close> = ok and client or nil
      if ok then
        p.step(aw.pcall, client.write, client, i, "\n")
        p.step(aw.pcall, client.read, client)
      end
    end
    server:reload()
    p.yield()
  end)
end)

scenario("a connection in clean-up", function(_, p)
  local a, b, guard = open_pair(p)
  local _ <close> = guard
  local _ <close> = p.guard(function()
    aw.shield(function()
      p.step(a.write, a, "bye\n")
      p.step(b.read, b)
      p.step(a.shutdown, a)
      p.step(b.read, b)
    end)
  end)
  p.sleep(0)
end)

--- Returns a function for `it`, which is pending without OpenSSL.
local function with_tls(proof)
  return function()
    secure.needed()
    -- The first context opens OpenSSL.
    aw.run(function()
      local server <close> = secure.listen()
      assert(not secure.try(server))
    end)
    proof()
  end
end

describe("the sweep of TLS", function()
  for sentence, proof in sweep.all_facts(scenarios) do
    it(sentence, with_tls(proof))
  end

  it("covers 10 scenarios and 200 strikes [C2]", with_tls(function()
    assert.is_true(#scenarios >= 10)
    assert.is_true(sweep.strikes(scenarios) >= 200)
  end))
end)
