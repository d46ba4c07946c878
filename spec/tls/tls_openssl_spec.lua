-- TLS with the program openssl as the peer: s_client and s_server.

local aw = require "aiowire"
local certificates = require "spec.support.certificates"
local helper = require "spec.support.helper"
local secure = require "spec.support.secure"
local texts = require "spec.support.texts"

local served = secure.served

-- So that openssl speaks TLS 1.1 at all.
local OLD <const> = "DEFAULT@SECLEVEL=0"

--- Start an s_client of a server.
local function client_of(port, ...)
  return aw.spawn { "openssl", "s_client", "-connect", "127.0.0.1:" .. port,
    "-servername", "localhost", "-CAfile", certificates.file "ca",
    "-verify_return_error", "-nocommands", grace = 0, stderr = "stdout", ... }
end

--- As client_of(), for a client whose standard output is data only.
local function quiet(port, ...)
  return aw.spawn { "openssl", "s_client", "-connect", "127.0.0.1:" .. port,
    "-CAfile", certificates.file "ca", "-quiet", "-no_ign_eof", grace = 0,
    stderr = "null", ... }
end

--- Start an s_server. Returns the process and its port. Its output is left to
--- be read.
local function server_with(options, ...)
  options = options or certificates.server
  local p = aw.spawn { "openssl", "s_server", "-accept", "127.0.0.1:0",
    "-cert", options.cert, "-key", options.key, grace = 0, stderr = "stdout",
    ... }
  local line
  repeat
    line = assert(p.stdout:read(), "openssl has ended")
  until line:find "^ACCEPT .*:%d+$"
  return p, tonumber(line:match "%d+$")
end

--- Read lines of a process until one has this text.
local function seen(stream, text)
  local lines = {}
  for line in stream:lines() do
    lines[#lines + 1] = line
    if line:find(text, 1, true) then
      return line
    end
  end
  texts.contains(table.concat(lines, "\n"), text)
end

--- Accept a connection of s_client, and await its handshake.
local function greet(server)
  return server:accept():handshake()
end

describe("s_client, of a server with TLS,", function()
  for _, version in ipairs { "1.2", "1.3" } do
    it("reads and writes over TLS " .. version, served(nil,
      function(_, server, port)
        local p <close> = quiet(port, "-tls" .. version:gsub("%.", "_"))
        local s <close> = greet(server)
        assert.are.equal("TLSv" .. version, s:tls().version)
        p.stdin:write "hello\n"
        assert.are.equal("hello", s:read())
        s:write "answer\n"
        assert.are.equal("answer", p.stdout:read())
        p.stdin:shutdown()
        assert.is_nil(s:read())
        s:close()
        assert.is_true(p:wait().ok)
      end))
  end

  it("brings and takes a large text", served(nil,
    function(ev, server, port)
      local size <const> = 2000000
      local p <close> = quiet(port)
      local s <close> = greet(server)
      local sending = ev:start(function()
        p.stdin:write(("c"):rep(size))
      end)
      assert.are.equal(("c"):rep(size), s:read(size))
      sending:wait()
      sending = ev:start(function()
        s:write(("s"):rep(size))
        s:close()
      end)
      assert.are.equal(("s"):rep(size), p.stdout:read "a")
      sending:wait()
    end))

  it("sees the end that the server announces", served(nil,
    function(_, server, port)
      local p <close> = client_of(port)
      local s <close> = greet(server)
      s:write "last words\n"
      s:shutdown()
      local out = p.stdout:read "a"
      texts.contains(out, "last words")
      texts.contains(out, "closed")
      texts.contains(out, "Verification: OK")
      assert.is_nil(s:read())
      assert.is_true(p:wait().ok)
    end))

  it("resumes its session", served(nil, function(_, server, port)
    local path = certificates.path "session"
    do
      local p <close> = client_of(port, "-sess_out", path)
      local s <close> = greet(server)
      s:write "one\n"
      seen(p.stdout, "one")
      s:close()
      p:wait()
    end
    local p <close> = client_of(port, "-sess_in", path)
    local s <close> = greet(server)
    assert.is_true(s:tls().resumed)
    seen(p.stdout, "Reused, TLSv1.3")
  end))

  it("gets the certificate of the name that it asks for", served(function()
    return { hosts = { ["first.test"] = certificates.first } }
  end, function(_, server, port)
    local p <close> = client_of(port, "-servername", "first.test")
    local s <close> = greet(server)
    assert.are.equal("first.test", s:tls().host)
    seen(p.stdout, "subject=CN = first.test")
  end))

  it("gets the protocol of both lists", served({ alpn = { "b", "a" } },
    function(_, server, port)
      local p <close> = client_of(port, "-alpn", "a,b")
      local s <close> = greet(server)
      assert.are.equal("b", s:tls().alpn)
      seen(p.stdout, "ALPN protocol: b")
    end))

  it("shows its certificate", served(function()
    return { ca = certificates.file "ca" }
  end, function(_, server, port)
    local p <close> = quiet(port, "-cert", certificates.client.cert, "-key",
      certificates.client.key)
    local s <close> = greet(server)
    assert.are.equal("CN = client.test", s:tls().certificate.subject)
    assert.is_true(s:tls().verified)
    assert.is_truthy(p)
  end))

  it("is refused with TLS 1.1", served(nil, function(_, server, port)
    local p <close> = client_of(port, "-tls1_1", "-cipher", OLD)
    local s <close> = server:accept()
    local err = helper.caught(s.handshake, s)
    secure.assert_tls("UNSUPPORTED_PROTOCOL", err)
    assert.is_falsy(err.from_peer)
    s:close()
    texts.contains(p.stdout:read "a", "alert protocol version")
    assert.is_false(p:wait().ok)
    assert.is_nil((secure.try(server)))
  end))

  it("may change its keys", served(nil, function(_, server, port)
    local p <close> = aw.spawn { "openssl", "s_client", "-connect",
      "127.0.0.1:" .. port, grace = 0, stderr = "stdout" }
    local s <close> = greet(server)
    seen(p.stdout, "Verify return code")
    for round = 1, 3 do
      p.stdin:write "K\n"
      seen(p.stdout, "KEYUPDATE")
      p.stdin:write("after ", round, "\n")
      assert.are.equal("after " .. round, s:read())
      s:write("answer ", round, "\n")
      seen(p.stdout, "answer " .. round)
    end
  end))

  it("gets no new handshake in a connection", served(nil,
    function(_, server, port)
      local p <close> = aw.spawn { "openssl", "s_client", "-tls1_2",
        "-connect", "127.0.0.1:" .. port, grace = 0, stderr = "stdout" }
      local s <close> = greet(server)
      seen(p.stdout, "Verify return code")
      p.stdin:write "before\n"
      assert.are.equal("before", s:read())
      p.stdin:write "R\n"
      -- The client gives the connection up.
      secure.assert_tls("SSLV3_ALERT_HANDSHAKE_FAILURE",
        helper.caught(s.read, s), "(alert of the peer)")
      texts.contains(p.stdout:read "a", "no renegotiation")
      assert.is_nil((secure.try(server)))
    end))

  it("starts TLS in the middle of a plain connection", secure.fact(
    function()
      local server <close> = aw.tcp.listen("127.0.0.1", 0)
      local _, port = server:name()
      local p <close> = quiet(port, "-starttls", "smtp")
      local s <close> = server:accept()
      s:write "220 mail.test ESMTP\r\n"
      texts.contains(s:read(), "EHLO")
      s:write "250-mail.test\r\n250 STARTTLS\r\n"
      texts.contains(s:read(), "STARTTLS")
      s:write "220 go ahead\r\n"
      s:starttls(secure.server { server = true })
      p.stdin:write "MAIL FROM:<a@a.test>\n"
      assert.are.equal("MAIL FROM:<a@a.test>", s:read())
    end))

  it("that is killed is told from one that ends", served(nil,
    function(_, server, port)
      local p <close> = quiet(port)
      local s <close> = greet(server)
      p.stdin:write "hello\n"
      assert.are.equal("hello", s:read())
      p:kill "KILL"
      local err = helper.caught(s.read, s)
      assert.is_true(aw.is_tls_error(err) or aw.is_system_error(err),
        tostring(err))
      assert.is_true(err.code == "UNEXPECTED_EOF_WHILE_READING"
        or err.code == "ECONNRESET", err.code)
    end))
end)

describe("s_server, of a client with TLS,", function()
  for _, version in ipairs { "1.2", "1.3" } do
    it("sends lines back over TLS " .. version, secure.fact(function()
      local _ <close>, port = server_with(nil, "-rev",
        "-tls" .. version:gsub("%.", "_"))
      local s <close> = aw.tls.connect("localhost", port, secure.client())
      assert.are.equal("TLSv" .. version, s:tls().version)
      for i = 1, 3 do
        s:write("line ", i, "\n")
        assert.are.equal(i .. " enil", s:read())
      end
    end))

    it("resumes a session over TLS " .. version, secure.fact(function()
      local _ <close>, port = server_with(nil, "-rev",
        "-tls" .. version:gsub("%.", "_"))
      for round = 1, 3 do
        local s <close> = aw.tls.connect("localhost", port, secure.client())
        s:write "abc\n"
        assert.are.equal("cba", s:read())
        assert.are.equal(round > 1, s:tls().resumed)
      end
    end))
  end

  it("may send very many tickets before a line", secure.fact(function()
    local p <close>, port = server_with(nil, "-num_tickets", "1000")
    local s <close> = aw.tls.connect("localhost", port, secure.client())
    p.stdin:write "hello\n"
    assert.are.equal("hello", s:read())
  end))

  it("is a web server", secure.fact(function()
    local _ <close>, port = server_with(nil, "-www")
    local s <close> = aw.tls.connect("localhost", port, secure.client())
    s:write "GET / HTTP/1.0\r\n\r\n"
    assert.are.equal("HTTP/1.0 200 ok\r", s:read())
    texts.contains(s:read "a", "TLSv1.3")
  end))

  it("is refused if its certificate is bad", secure.fact(function()
    local cases <const> = { expired = "certificate has expired",
      self_signed = "self-signed certificate",
      elsewhere = "hostname mismatch" }
    for name, reason in pairs(cases) do
      local _ <close>, port = server_with(certificates[name])
      secure.assert_tls("CERTIFICATE_VERIFY_FAILED", helper.caught(
        aw.tls.connect, "localhost", port, secure.client()), reason)
    end
  end))

  it("is refused with TLS 1.1", secure.fact(function()
    local _ <close>, port = server_with(nil, "-tls1_1", "-cipher", OLD)
    local err = helper.caught(aw.tls.connect, "localhost", port,
      secure.client())
    assert.is_true(aw.is_tls_error(err), tostring(err))
    texts.contains(err.code, "PROTOCOL")
  end))

  it("wants a certificate, and gets it", secure.fact(function()
    local p <close>, port = server_with(nil, "-Verify", "1", "-CAfile",
      certificates.file "ca", "-verify_return_error")
    do
      local s <close> = aw.tls.connect("localhost", port,
        secure.client(certificates.client))
      s:write "hello\n"
      seen(p.stdout, "hello")
    end
    local s <close> = aw.tls.connect("localhost", port, secure.client())
    local err = secure.assert_tls("TLSV13_ALERT_CERTIFICATE_REQUIRED",
      helper.caught(s.read, s), "(alert of the peer)")
    assert.are.equal("read", err.call)
  end))

  it("chooses a protocol", secure.fact(function()
    local _ <close>, port = server_with(nil, "-alpn", "b,a")
    local s <close> = aw.tls.connect("localhost", port,
      secure.client { alpn = { "a", "b" } })
    assert.are.equal("b", s:tls().alpn)
  end))

  it("may change its keys", secure.fact(function()
    local p <close>, port = server_with()
    local s <close> = aw.tls.connect("localhost", port, secure.client())
    for round = 1, 3 do
      s:write("line ", round, "\n")
      seen(p.stdout, "line " .. round)
      p.stdin:write "K\n"
      -- It reads its input before the connection.
      s:write("key ", round, "\n")
      seen(p.stdout, "key " .. round)
      p.stdin:write("answer ", round, "\n")
      assert.are.equal("answer " .. round, s:read())
    end
  end))

  it("gets no new handshake in a connection", secure.fact(function()
    local p <close>, port = server_with(nil, "-tls1_2")
    local s <close> = aw.tls.connect("localhost", port, secure.client())
    s:write "before\n"
    seen(p.stdout, "before")
    p.stdin:write "r\n"
    -- The server gives the connection up.
    secure.assert_tls("SSLV3_ALERT_HANDSHAKE_FAILURE",
      helper.caught(s.read, s), "(alert of the peer)")
    seen(p.stdout, "no renegotiation")
  end))

  it("that quits without a word is told from one that ends", secure.fact(
    function()
      local p <close>, port = server_with()
      local s <close> = aw.tls.connect("localhost", port, secure.client())
      s:write "x\n"
      seen(p.stdout, "x")
      p.stdin:write "last\n"
      assert.are.equal("last", s:read())
      p.stdin:write "q\n"
      secure.assert_tls("UNEXPECTED_EOF_WHILE_READING",
        helper.caught(s.read, s))
    end))

  it("that is killed is told from one that ends", secure.fact(function()
    local p <close>, port = server_with()
    local s <close> = aw.tls.connect("localhost", port, secure.client())
    s:write "x\n"
    seen(p.stdout, "x")
    p:kill "KILL"
    local err = helper.caught(s.read, s)
    assert.is_true(err.code == "UNEXPECTED_EOF_WHILE_READING"
      or err.code == "ECONNRESET", tostring(err))
  end))

  it("reads a large text, and sends one", secure.fact(function(ev)
    local size <const> = 300000
    local p <close>, port = server_with(nil, "-naccept", "1")
    local s <close> = aw.tls.connect("localhost", port, secure.client())
    local sending = ev:start(function()
      s:write(("c"):rep(size), "\n")
      s:shutdown()
    end)
    texts.contains(p.stdout:read "a", ("c"):rep(1000))
    sending:wait()
    p:wait()
  end))
end)
