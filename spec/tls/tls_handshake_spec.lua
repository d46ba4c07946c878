-- Handshakes: when they begin, and how they end early: out of time, cancelled,
-- closed, with their loop.

local aw = require "aiowire"
local certificates = require "spec.support.certificates"
local clients = require "spec.support.clients"
local helper = require "spec.support.helper"
local listening = require "spec.support.listening"
local secure = require "spec.support.secure"
local socketpairs = require "spec.support.socketpairs"
local texts = require "spec.support.texts"

local served = secure.served

--- Start a task, and let it begin.
local function begun(ev, w)
  local task = ev:start(w, aw.keep)
  while task.status == "ready" do
    aw.yield()
  end
  return task
end

local function waits(ev, f, ...)
  return begun(ev, aw.Call(f, ...))
end

--- As secure.fact(), with a peer that listens and never answers:
--- `f(ev, port)`.
local function silent(f)
  return secure.fact(function(ev)
    local _ <close>, port = listening.tcp()
    f(ev, port)
  end)
end

--- As secure.fact(), with a connection of a server whose client never says a
--- word: `f(ev, s, fd)`.
local function mute(f, more)
  return served(more, function(ev, server, port)
    local group <close> = clients.group()
    local fd = group.keep(clients.connect(port))
    local s <close> = server:accept()
    f(ev, s, fd)
  end)
end

describe("a handshake", function()
  it("of a server begins at the first read [X24]", served(nil,
    function(ev, server)
      local connecting = ev:start(aw.Call(secure.connect, server))
      local s <close> = server:accept()
      assert.is_false(s:tls().established)
      local reader = waits(ev, s.read, s)
      local client <close> = connecting:wait()
      client:write "hello\n"
      assert.are.equal("hello", reader:wait())
      assert.is_true(s:tls().established)
    end))

  it("of a server begins at the first write", served(nil,
    function(ev, server)
      local connecting = ev:start(aw.Call(secure.connect, server))
      local s <close> = server:accept()
      s:write "hello\n"
      local client <close> = connecting:wait()
      assert.are.equal("hello", client:read())
    end))

  it("of a server begins at the first Recv", served(nil,
    function(ev, server)
      local connecting = ev:start(aw.Call(secure.connect, server))
      local s <close> = server:accept()
      local receiving = begun(ev, aw.Recv(s))
      local client <close> = connecting:wait()
      client:write "hello"
      assert.are.equal("hello", receiving:wait())
    end))

  it("is awaited by several tasks", served(nil, function(ev, server)
    local connecting = ev:start(aw.Call(secure.connect, server))
    local s <close> = server:accept()
    local tasks = { waits(ev, s.handshake, s), waits(ev, s.handshake, s),
      waits(ev, s.write, s, "hello\n") }
    local client <close> = connecting:wait()
    for _, task in ipairs(tasks) do
      assert.are.equal(s, task:wait())
    end
    assert.are.equal("hello", client:read())
    assert.are.equal(s, s:handshake())
    assert.are.equal(client, client:handshake())
  end))

  it("fails for each task that asked, and for later ones [X24]", served(nil,
    function(ev, server, port)
      local group <close> = clients.group()
      local fd = group.keep(clients.connect(port))
      local s <close> = server:accept()
      local tasks = { waits(ev, s.handshake, s), waits(ev, s.read, s),
        waits(ev, s.write, s, "x"), begun(ev, aw.Recv(s)) }
      clients.send(fd, "GET / HTTP/1.1\r\n\r\n")
      for _, task in ipairs(tasks) do
        secure.assert_tls("HTTP_REQUEST", helper.caught(task.wait, task))
      end
      secure.assert_tls("HTTP_REQUEST", helper.caught(s.handshake, s))
      secure.assert_tls("HTTP_REQUEST", helper.caught(s.read, s))
    end))

  it("is shown in the dump", mute(function(ev, s)
    local reader <close> = waits(ev, s.handshake, s)
    texts.contains(ev:dump(), "tls 127.0.0.1")
    assert.are.equal("waiting", reader.status)
  end))
end)

describe("a handshake that never ends", function()
  local SOON <const> = 0.05

  it("of a client is out of time", silent(function(ev, port)
    local before = ev:now()
    local err = secure.assert_system("ETIMEDOUT", helper.caught(
      aw.tls.connect, "127.0.0.1", port,
      secure.client { handshake_timeout = SOON }))
    assert.are.equal("handshake", err.call)
    assert.are.equal("tls 127.0.0.1:" .. port, err.about)
    assert.is_true(ev:now() - before >= SOON)
  end))

  it("of a server is out of time", mute(function(ev, s)
    local before = ev:now()
    local tasks = { waits(ev, s.read, s), waits(ev, s.write, s, "x"),
      begun(ev, aw.Recv(s)) }
    local err = secure.assert_system("ETIMEDOUT", helper.caught(s.handshake,
      s))
    assert.are.equal("handshake", err.call)
    assert.is_true(ev:now() - before >= SOON)
    for _, task in ipairs(tasks) do
      secure.assert_system("ETIMEDOUT", helper.caught(task.wait, task))
    end
    secure.assert_system("ETIMEDOUT", helper.caught(s.read, s))
  end, { handshake_timeout = SOON }))

  it("of starttls is out of time", secure.fact(function()
    local a, b = socketpairs.pair "tcp"
    local _ <close> = secure.closing(a, b)
    local err = secure.assert_system("ETIMEDOUT", helper.caught(a.starttls, a,
      secure.client { host = "localhost", handshake_timeout = SOON }))
    assert.are.equal("handshake", err.call)
  end))

  it("is out of time after 10 s by default [X24]", silent(function(ev, port)
    local before = ev:now()
    local server <close> = secure.listen()
    local fd = clients.connect(select(2, server:name()))
    local s <close> = server:accept()
    local reader = waits(ev, s.read, s)
    secure.assert_system("ETIMEDOUT", helper.caught(aw.tls.connect,
      "127.0.0.1", port, secure.client()))
    secure.assert_system("ETIMEDOUT", helper.caught(reader.wait, reader))
    assert.is_true(ev:now() - before >= 10)
    clients.close(fd)
  end))

  it("may have all the time of the world", mute(function(ev, s)
    local reader <close> = waits(ev, s.read, s)
    local other <close>, port = listening.tcp()
    secure.assert_system("ETIMEDOUT", helper.caught(aw.tls.connect,
      "127.0.0.1", port, secure.client { handshake_timeout = SOON }))
    assert.are.equal("waiting", reader.status)
    assert.is_truthy(other)
  end, { handshake_timeout = math.huge }))

  it("is out of time though bytes come now and then", mute(
    function(ev, s, fd)
      local begin <const> = "\22\3\1\2\0\1\0\1\252\3\3" .. ("x"):rep(389)
      local reader = waits(ev, s.read, s)
      local count = 0
      while reader.status == "waiting" and count < #begin do
        count = count + 1
        clients.send(fd, begin:sub(count, count))
        aw.sleep(0.005)
      end
      assert.is_true(count < #begin)
      secure.assert_system("ETIMEDOUT", helper.caught(reader.wait, reader))
    end, { handshake_timeout = SOON }))

  it("is in the time limit of the connect, too", silent(function(_, port)
    local err = helper.caught(aw.tls.connect, "127.0.0.1", port,
      secure.client { timeout = SOON })
    assert.is_true(aw.is_timeout(err), tostring(err))
  end))

  it("is closed by a server that serves", served(
    { handshake_timeout = SOON }, function(ev, server, port)
      local codes = {}
      local serving <close> = ev:start(aw.Serve(server, function(_, s)
        s:read()
      end, function(_, err)
        codes[#codes + 1] = err.code
      end), nil, { grace = 0.001 })
      local group <close> = clients.group()
      assert.are.equal("", clients.rest(group.keep(clients.connect(port))))
      assert.are.same({ "ETIMEDOUT" }, codes)
      assert.are.equal("waiting", serving.status)
    end))
end)

describe("a connection whose handshake is over", function()
  it("has no time limit any more", served({ handshake_timeout = 0.2 },
    function(ev, server)
      -- A busy machine may need more time for a handshake.
      local ok, client, accepted
      repeat
        ok, client, accepted = aw.pcall(secure.meet, server,
          { handshake_timeout = 0.2 })
      until ok
      local _ <close> = secure.closing(client, accepted)
      local one, two = waits(ev, client.read, client),
        waits(ev, accepted.read, accepted)
      aw.sleep(0.3)
      client:write "late\n"
      accepted:write "later\n"
      assert.are.equal("late", two:wait())
      assert.are.equal("later", one:wait())
    end))
end)

describe("a handshake that is cut short", function()
  it("by a cancel leaves no descriptor of a client", secure.fact(
    function(ev)
      local listener <close>, port = listening.tcp()
      local fd
      listening.without_garbage(function()
        local connecting = waits(ev, aw.tls.connect, "127.0.0.1", port,
          secure.client())
        fd = listener:accept()
        aw.readable(fd) -- the client has begun
        connecting:cancel_wait()
        clients.close(table.remove(listener.taken))
      end)
      assert.is_truthy(fd)
    end))

  it("by a refusal leaves no descriptor", served(
    function() return certificates.stranger end,
    function(ev, server)
      local serving <close> = ev:start(aw.Serve(server, function(_, s)
        s:read()
      end, helper.nop), nil, { grace = 0.001 })
      helper.caught(secure.connect, server)
      local before = listening.open_descriptors()
      for _ = 1, 3 do
        helper.caught(secure.connect, server)
      end
      helper.wait_until(function()
        return listening.open_descriptors() == before
      end)
      assert.are.equal("waiting", serving.status)
    end))

  it("by a time limit or a race leaves no descriptor", secure.fact(
    function()
      local listener <close>, port = listening.tcp()
      local options = secure.client()
      local w = aw.Call(aw.tls.connect, "127.0.0.1", port, options)
      aw.pcall(aw.tls.connect, "127.0.0.1", listening.free_port(), options)
      listening.without_garbage(function()
        helper.caught(aw.await, w:timeout(0.01))
        aw.await(w | aw.Sleep(0.01))
        helper.caught(aw.tls.connect, "127.0.0.1", port,
          secure.client { timeout = 0.01 })
      end)
      listener:drain()
    end))

  it("by a cancel may go on in a server [X24]", served(nil, function(ev, server)
    local connecting = ev:start(aw.Call(secure.connect, server))
    local s <close> = server:accept()
    local first = ev:start(aw.Call(s.handshake, s), aw.keep)
    aw.yield()
    first:cancel_wait()
    s:write "hello\n"
    local client <close> = connecting:wait()
    assert.are.equal("hello", client:read())
  end))

  it("by a close ends with Closed", mute(function(ev, s)
    local tasks = { waits(ev, s.handshake, s), waits(ev, s.read, s),
      waits(ev, s.write, s, "x") }
    s:close()
    for _, task in ipairs(tasks) do
      local err = helper.caught(task.wait, task)
      assert.is_true(aw.is_closed(err), tostring(err))
    end
  end))

  it("by the end of its loop leaves nothing", function()
    secure.needed()
    helper.leak_checked(function()
      local listener <close>, port = listening.tcp()
      local options = secure.client()
      local ev <close> = aw.EventLoop { grace = 0.01 }
      ev:start(aw.Call(aw.tls.connect, "127.0.0.1", port, options))
      ev:start(function()
        helper.wait_until(function()
          return listener:waiting()
        end)
        ev:stop()
      end)
      assert.are.equal("stopped", ev:run())
      listener:drain()
    end)
  end)

  it("by the end of the loop of a server leaves nothing", function()
    secure.needed()
    helper.leak_checked(function()
      local server <close>, port = secure.listen()
      local group <close> = clients.group()
      local ev <close> = aw.EventLoop { grace = 0.01 }
      local accepted
      ev:start(aw.Serve(server, function(_, s)
        accepted = true
        s:read()
      end, helper.nop))
      ev:start(function()
        group.keep(clients.connect(port))
        helper.wait_until(function()
          return accepted
        end)
        ev:stop()
      end)
      assert.are.equal("stopped", ev:run())
    end)
  end)

  it("by a failure of its loop leaves nothing", function()
    secure.needed()
    helper.leak_checked(function()
      local listener <close>, port = listening.tcp()
      local options = secure.client()
      local ev <close> = aw.EventLoop {}
      ev:start(aw.Call(aw.tls.connect, "127.0.0.1", port, options))
      ev:start(function()
        helper.wait_until(function()
          return listener:waiting()
        end)
        error("that ends the loop", 0)
      end)
      helper.raises("that ends the loop", ev.run, ev)
      listener:drain()
    end)
  end)
end)
