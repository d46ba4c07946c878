-- Servers with TLS: connections that fail disturb no other, many at once, and
-- certificates that change while the server runs.

local aw = require "aiowire"
local certificates = require "spec.support.certificates"
local clients = require "spec.support.clients"
local helper = require "spec.support.helper"
local secure = require "spec.support.secure"
local texts = require "spec.support.texts"

local raises, served = helper.raises, secure.served

--- The body of a connection that sends each line back.
local function echo(_, s)
  for line in s:lines() do
    s:write(line, "\n")
  end
end

--- Serve with a handler. Returns the task, and the list of failures.
local function serve(ev, server, body, options)
  local failures = {}
  return ev:start(aw.Serve(server, body or echo, function(_, err)
    failures[#failures + 1] = err
  end, options), nil, { grace = 0.001 }), failures
end

local function ask(s, line)
  s:write(line, "\n")
  return s:read()
end

describe("a server with TLS that is served", function()
  it("answers each client", served(nil, function(ev, server)
    local serving <close>, failures = serve(ev, server)
    for i = 1, 3 do
      local s <close> = secure.connect(server)
      assert.are.equal("line " .. i, ask(s, "line " .. i))
    end
    assert.are.equal(0, #failures)
    assert.are.equal("waiting", serving.status)
  end))

  it("goes on beside handshakes that hang or fail", served(nil,
    function(ev, server, port)
      local serving <close>, failures = serve(ev, server)
      local group <close> = clients.group()
      for i = 1, 20 do
        local fd = group.keep(clients.connect(port))
        clients.send(fd, i % 2 == 0 and "GET / HTTP/1.1\r\n\r\n" or "\22\3")
      end
      for _ = 1, 3 do
        local s <close> = secure.connect(server)
        assert.are.equal("hello", ask(s, "hello"))
      end
      helper.caught(secure.connect, server, { ca = certificates.file
        "other_ca" })
      helper.wait_until(function()
        return #failures >= 11
      end)
      local counts = {}
      for _, err in ipairs(failures) do
        assert.is_true(aw.is_tls_error(err), tostring(err))
        counts[err.code] = (counts[err.code] or 0) + 1
      end
      assert.are.equal(10, counts.HTTP_REQUEST)
      assert.are.equal(1, counts.TLSV1_ALERT_UNKNOWN_CA)
      assert.are.equal("waiting", serving.status)
    end))

  it("gives the reason to the handler, with the body's place [X28]", served(nil,
    function(ev, server, port)
      local serving <close>, failures = serve(ev, server, function(_, s)
        s:handshake()
      end)
      local fd = clients.connect(port)
      clients.send(fd, "GET / HTTP/1.1\r\n\r\n")
      helper.wait_until(function()
        return failures[1]
      end)
      texts.contains(tostring(failures[1]), "tls_server_spec.lua:")
      texts.contains(tostring(failures[1]), ("handshake 'tls 127.0.0.1:%d': "
        .. "HTTP_REQUEST"):format(clients.own_port(fd)))
      clients.close(fd)
      assert.are.equal("waiting", serving.status)
    end))

  it("tells a client of the failed handshake by an alert", served(nil,
    function(ev, server, port)
      local serving <close> = serve(ev, server)
      local group <close> = clients.group()
      local fd = group.keep(clients.connect(port))
      -- A client that knows only a protocol that is too old.
      clients.send(fd, "\22\3\1\0\45\1\0\0\41\3\1" .. ("r"):rep(32)
        .. "\0\0\2\0\47\1\0")
      local answer = clients.rest(fd)
      assert.are.equal("\21\3", answer:sub(1, 2))
      assert.are.equal("waiting", serving.status)
    end))

  it("names itself and its connections", served(nil,
    function(ev, server, port)
      texts.contains(tostring(server), "tls 127.0.0.1:" .. port)
      local w = aw.Serve(server, echo)
      assert.are.equal(("Serve(tls 127.0.0.1:%d)"):format(port), tostring(w))
      local serving <close> = ev:start(w, nil, { grace = 0.001 })
      local s <close> = secure.connect(server)
      ask(s, "x")
      local _, own = s:name()
      texts.contains(ev:dump(), "tls 127.0.0.1:" .. port)
      texts.contains(ev:dump(), "tls 127.0.0.1:" .. own)
      assert.are.equal("waiting", serving.status)
    end))

  it("sends what a body has written before it ends", served(nil,
    function(ev, server)
      local size <const> = 3000000
      local serving <close> = serve(ev, server, function(_, s)
        s:configure { high_water = 2 * size }
        s:write(("x"):rep(size))
      end)
      local s <close> = secure.connect(server)
      assert.are.equal(size, #s:read "a")
      assert.are.equal("waiting", serving.status)
    end))

  it("shows no end to the client of a body that fails", served(nil,
    function(ev, server)
      local serving <close>, failures = serve(ev, server, function(_, s)
        s:write "half"
        error("oh", 0)
      end)
      local s <close> = secure.connect(server)
      -- What was sent is read; what follows is an error or an end, in which
      -- nothing is missing.
      local ok, text = pcall(s.read, s, "a")
      assert.is_true(not ok or text == "half", text)
      assert.are.same({ "oh" }, failures)
      assert.are.equal("waiting", serving.status)
    end))

  it("has limits of connections", served(nil, function(ev, server)
    local open, most = 0, 0
    local serving <close> = serve(ev, server, function(_, s)
      open = open + 1
      most = math.max(most, open)
      echo(_, s)
      open = open - 1
    end, { max_connections = 2 })
    local tasks = {}
    for i = 1, 8 do
      tasks[i] = ev:start(function()
        local s <close> = secure.connect(server)
        assert.are.equal("x", ask(s, "x"))
      end)
    end
    for _, task in ipairs(tasks) do
      task:wait()
    end
    assert.are.equal(2, most)
    assert.are.equal("waiting", serving.status)
  end))

  it("gives its limits to its connections", served({ max_line = 10 },
    function(ev, server)
      local serving <close>, failures = serve(ev, server)
      local s <close> = secure.connect(server)
      s:write(("x"):rep(100))
      helper.wait_until(function()
        return failures[1]
      end)
      texts.contains(tostring(failures[1]), "max_line, 10 bytes")
      assert.are.equal("waiting", serving.status)
    end))
end)

describe("200 connections with TLS", function()
  it("are open and used at the same time", served({ backlog = 300 },
    function(ev, server)
      local count <const> = helper.scale(200)
      local serving <close>, failures = serve(ev, server)
      local streams, tasks = {}, {}
      local _ <close> = helper.closer(function()
        for _, s in pairs(streams) do
          s:close()
        end
      end)
      for i = 1, count do
        tasks[i] = ev:start(function()
          streams[i] = secure.connect(server, { handshake_timeout = 100 })
        end)
      end
      for i = 1, count do
        tasks[i]:wait()
      end
      for round = 1, 2 do
        for i, s in ipairs(streams) do
          s:write(round, " ", i, "\n")
        end
        for i, s in ipairs(streams) do
          assert.are.equal(("%d %d"):format(round, i), s:read())
        end
      end
      assert.are.equal(0, #failures)
      assert.are.equal("waiting", serving.status)
    end))
end)

describe("a server whose certificate is replaced", function()
  --- Returns the subject that a new client sees.
  local function subject(server)
    local client, accepted = secure.meet(server, { verify = false })
    local _ <close> = secure.closing(client, accepted)
    return client:tls().certificate.subject
  end

  it("shows the new one to new connections, and serves the others on",
    served(nil, function(_, server)
      local client, accepted = secure.meet(server)
      local _ <close> = secure.closing(client, accepted)
      server:reload(certificates.first)
      assert.are.equal("CN = first.test", subject(server))
      client:write "still here\n"
      assert.are.equal("still here", accepted:read())
      accepted:write "yes\n"
      assert.are.equal("yes", client:read())
      assert.are.equal("CN = localhost", client:tls().certificate.subject)
      server:reload(certificates.second)
      assert.are.equal("CN = second.test", subject(server))
    end))

  it("is not disturbed in a handshake that is under way", served(nil,
    function(ev, server)
      local connecting = ev:start(aw.Call(secure.connect, server))
      local s <close> = server:accept()
      server:reload(certificates.first)
      s:handshake()
      local client <close> = connecting:wait()
      assert.are.equal("CN = localhost", client:tls().certificate.subject)
    end))

  it("reads a file of the same name again", secure.fact(function()
    local cert = certificates.path("live.pem", certificates.text "server")
    local key = certificates.path("live.key", certificates.text "server.key")
    local server <close> = secure.listen { cert = cert, key = key }
    assert.are.equal("CN = localhost", subject(server))
    certificates.path("live.pem", certificates.text "first")
    certificates.path("live.key", certificates.text "first.key")
    assert.are.equal("CN = localhost", subject(server))
    server:reload { cert = cert, key = key }
    assert.are.equal("CN = first.test", subject(server))
  end))

  it("keeps the old one if the new one is bad [X29]", served(nil,
    function(_, server)
      for _, options in ipairs {
        { cert = certificates.file "first",
          key = certificates.file "second.key" },
        { cert = "/no/such/file", key = certificates.file "first.key" },
        { cert = certificates.file "first.key",
          key = certificates.file "first.key" },
        { cert = certificates.file "first", key = certificates.file "first" },
        { crt = "x" },
      } do
        helper.caught(server.reload, server, options)
        assert.are.equal("CN = localhost", subject(server))
      end
    end))

  it("keeps its other options [X29]", served({ alpn = { "a" } },
    function(_, server)
      server:reload(certificates.first)
      local client, accepted = secure.meet(server, { verify = false,
        alpn = { "b", "a" } })
      local _ <close> = secure.closing(client, accepted)
      assert.are.equal("a", client:tls().alpn)
    end))

  it("may get other options, too", served(nil, function(_, server)
    server:reload { ca = certificates.file "ca" }
    local _, other = secure.try(server)
    secure.assert_tls("PEER_DID_NOT_RETURN_A_CERTIFICATE", other)
    server:reload { hosts = { ["first.test"] = certificates.first },
      verify = "optional" }
    assert.is_nil((secure.try(server, { host = "first.test" })))
    assert.is_nil((secure.try(server)))
  end))

  it("must be one with TLS, and open", served(nil, function(_, server)
    local plain <close> = aw.tcp.listen("127.0.0.1", 0)
    raises("TLS", plain.reload, plain, certificates.first)
    server:close()
    local err = helper.caught(server.reload, server, certificates.first)
    assert.is_true(aw.is_closed(err), tostring(err))
  end))
end)

describe("a server with TLS on a descriptor that listens", function()
  it("is as another", secure.fact(function()
    local listening <const> = clients.listening()
    local options = secure.server { fd = listening }
    local server <close> = aw.tls.listen(options)
    assert.is_nil((secure.try(server)))
  end))
end)

describe("a server that two loops use", function()
  it("serves in one after the other", function()
    secure.needed()
    helper.leak_checked(function()
      local server <close> = secure.listen()
      for _ = 1, 2 do
        aw.run(function()
          assert.is_nil((secure.try(server)))
        end)
      end
    end)
  end)
end)
