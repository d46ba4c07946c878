-- A plain stream that goes on with TLS.

local aw = require "aiowire"
local certificates = require "spec.support.certificates"
local helper = require "spec.support.helper"
local secure = require "spec.support.secure"
local socketpairs = require "spec.support.socketpairs"
local texts = require "spec.support.texts"

local raises = helper.raises

--- Returns a function for `it` that runs `f(ev, a, b)` with two plain streams.
local function plain(f, kind)
  return secure.fact(function(ev)
    local a, b = socketpairs.pair(kind or "tcp")
    local _ <close> = secure.closing(a, b)
    f(ev, a, b)
  end)
end

describe("a stream that goes on with TLS", function()
  for _, kind in ipairs { "tcp", "unix" } do
    it("has been plain before, over " .. kind, plain(function(_, a, b)
      a:write "STARTTLS\r\n"
      assert.are.equal("STARTTLS\r", b:read())
      b:write "220 go ahead\r\n"
      assert.are.equal("220 go ahead\r", a:read())
      assert.is_nil(a:tls())
      secure.start(a, b)
      assert.is_true(a:tls().established)
      assert.is_false(a:tls().server)
      assert.is_true(b:tls().server)
      a:write "secret\n"
      assert.are.equal("secret", b:read())
      b:write "answer\n"
      assert.are.equal("answer", a:read())
      assert.is_true(b:tls().established)
    end, kind))
  end

  it("is the stream itself", plain(function(ev, a, b)
    local other = ev:start(aw.Call(b.starttls, b,
      secure.server { server = true }))
    assert.are.equal(a, a:starttls(secure.client { host = "localhost" }))
    assert.are.equal(b, other:wait())
    assert.are.equal(a, a:handshake())
    texts.contains(tostring(a), "tls")
  end))

  it("first sends what was written before, all of it [X26]", plain(
    function(ev, a, b)
      local size <const> = 20000000
      local writer = helper.waiting(ev, aw.Call(a.write, a, ("x"):rep(size)),
        aw.keep)
      local starting = helper.waiting(ev, aw.Call(a.starttls, a,
        secure.client { host = "localhost" }))
      assert.is_nil(a:tls())
      assert.are.equal(("x"):rep(size), b:read(size))
      assert.are.equal(a, writer:wait())
      b:starttls(secure.server { server = true })
      starting:wait()
      a:write "inside\n"
      assert.are.equal("inside", b:read())
    end))

  it("keeps its limits", plain(function(_, a, b)
    b:configure { max_line = 10 }
    secure.start(a, b)
    a:write(("x"):rep(20))
    raises("max_line, 10 bytes", b.read, b)
  end))

  it("takes what was read ahead as the peer's TLS [X26]", plain(
    function(ev, a, b)
      -- The server's side reads a line, and with it the begin of the
      -- handshake, which the client sends at once.
      local starting = ev:start(aw.Call(function()
        a:write "STARTTLS\n"
        a:starttls(secure.client { host = "localhost" })
        a:write "inside"
      end))
      helper.wait_until(function()
        return starting.status == "waiting"
      end)
      aw.readable(b)
      assert.are.equal("STARTTLS", b:read())
      b:starttls(secure.server { server = true })
      assert.are.equal("inside", b:read(6))
      starting:wait()
    end))

  it("refuses text that somebody has sent before TLS [X26]", plain(
    function(ev, a, b)
      a:write "STARTTLS\nMAIL FROM: mallory\n"
      assert.are.equal("STARTTLS", b:read())
      local starting = ev:start(aw.Call(function()
        a:starttls(secure.client { host = "localhost" })
      end), aw.keep)
      local err = helper.caught(b.starttls, b, secure.server { server = true })
      assert.is_true(aw.is_tls_error(err), tostring(err))
      assert.are.equal("handshake", err.call)
      -- The text is never read as one that came with TLS.
      for _, format in ipairs { "l", "a", 1 } do
        local ok, text = pcall(b.read, b, format)
        assert.is_false(ok, text)
      end
      b:close()
      helper.caught(starting.wait, starting)
    end))

  it("refuses text that a server has sent before TLS", plain(
    function(ev, a, b)
      b:write "220 go ahead\n250 injected\n"
      assert.are.equal("220 go ahead", a:read())
      local starting = ev:start(aw.Call(function()
        b:starttls(secure.server { server = true })
      end), aw.keep)
      local err = helper.caught(a.starttls, a,
        secure.client { host = "localhost" })
      assert.is_true(aw.is_tls_error(err), tostring(err))
      a:close()
      helper.caught(starting.wait, starting)
    end))

  it("takes a line of a proxy first", secure.fact(function(ev)
    local server <close> = aw.tcp.listen("127.0.0.1", 0)
    local sending = ev:start(aw.Call(function()
      local s <close> = aw.tcp.connect(server:name())
      s:write "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"
      s:starttls(secure.client { host = "localhost" })
      s:write "hello\n"
      return s:read()
    end))
    local s <close> = server:accept()
    texts.contains(s:read(), "PROXY TCP4")
    s:starttls(secure.server { server = true })
    assert.are.equal("hello", s:read())
    s:write "welcome\n"
    assert.are.equal("welcome", sending:wait())
  end))
end)

describe("starttls refuses", function()
  it("a client that does not say whom it verifies [X26]", plain(function(_, a)
    local err = helper.caught(a.starttls, a, secure.client())
    texts.contains(tostring(err), "host")
    assert.is_nil(a:tls())
  end))

  it("no client that says so", plain(function(ev, a, b)
    local other = ev:start(aw.Call(b.starttls, b,
      secure.server { server = true }))
    a:starttls { verify = false }
    other:wait()
    texts.contains(tostring(a), "unverified")
    assert.is_nil(b:tls().host)
  end))

  it("a server without a certificate", plain(function(_, a)
    local err = helper.caught(a.starttls, a, { server = true })
    texts.contains(tostring(err), "cert")
    assert.is_nil(a:tls())
  end))

  it("a stream that has TLS", secure.connected(function(_, client, accepted)
    raises("TLS", client.starttls, client,
      secure.client { host = "localhost" })
    raises("TLS", accepted.starttls, accepted,
      secure.server { server = true })
    client:write "on\n"
    assert.are.equal("on", accepted:read())
  end))

  it("what is no socket [X26]", secure.fact(function()
    local cat <close> = aw.spawn { "cat" }
    local err = helper.caught(cat.stdin.starttls, cat.stdin,
      secure.client { host = "localhost" })
    secure.assert_system("ENOTSOCK", err)
  end))

  it("a stream that is closed", plain(function(_, a)
    a:close()
    local err = helper.caught(a.starttls, a,
      secure.client { host = "localhost" })
    assert.is_true(aw.is_closed(err), tostring(err))
    texts.contains(tostring(err), "Closed: starttls of")
  end))

  it("a stream that is shut down", plain(function(_, a)
    a:shutdown()
    secure.assert_system("EPIPE", helper.caught(a.starttls, a,
      secure.client { host = "localhost" }))
    assert.is_nil(a:tls())
  end))

end)

describe("starttls that fails", function()
  it("leaves no plain stream", plain(function(ev, a, b)
    local other = ev:start(aw.Call(function()
      local options = secure.server(certificates.stranger)
      options.server = true
      b:starttls(options)
    end), aw.keep)
    local err = secure.assert_tls("CERTIFICATE_VERIFY_FAILED", helper.caught(
      a.starttls, a, secure.client { host = "localhost" }))
    assert.are.equal("handshake", err.call)
    helper.caught(a.write, a, "password")
    helper.caught(a.read, a)
    err = helper.caught(other.wait, other)
    assert.is_true(err.from_peer, tostring(err))
  end))

  it("leaves no descriptor when it is cancelled", plain(function(ev, a, b)
    local starting = helper.waiting(ev, aw.Call(a.starttls, a,
      secure.client { host = "localhost" }), aw.keep)
    starting:cancel_wait()
    a:close()
    local err = helper.caught(b.starttls, b, secure.server { server = true })
    assert.is_true(aw.is_tls_error(err) or aw.is_system_error(err),
      tostring(err))
  end))
end)
