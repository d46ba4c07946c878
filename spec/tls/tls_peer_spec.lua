-- Peers that do not speak TLS, or not as it must be.

local aw = require "aiowire"
local clients = require "spec.support.clients"
local helper = require "spec.support.helper"
local secure = require "spec.support.secure"

--- Returns the error of the handshake of a server with a client that sends a
--- text and ends its output. Checks that the server goes on.
local function error_for(text)
  local server <close>, port = secure.listen()
  local group <close> = clients.group()
  local fd = group.keep(clients.connect(port))
  clients.send(fd, text)
  clients.shut(fd)
  local s <close> = server:accept()
  local err = helper.caught(s.handshake, s)
  secure.assert_tls(err.code, helper.caught(s.read, s))
  helper.caught(s.write, s, "x")
  s:close()
  assert.is_nil((secure.try(server)))
  return err
end

--- Returns the error of a client of a server that reads and sends a text.
local function error_of_client(text)
  local server <close> = aw.tcp.listen("127.0.0.1", 0)
  local answering <close> = aw.start(aw.Call(function()
    local s <close> = server:accept()
    s:read_some()
    s:write(text)
    s:shutdown()
    s:read "a"
  end), aw.keep)
  local err = helper.caught(secure.connect, server)
  aw.pcall(answering.wait, answering)
  return err
end

describe("a server with TLS", function()
  it("tells that a client speaks HTTP", secure.fact(function()
    for _, text in ipairs { "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
      "POST / HTTP/1.1\r\n\r\n", "HEAD / HTTP/1.0\r\n\r\n" } do
      local err = secure.assert_tls("HTTP_REQUEST", error_for(text))
      assert.are.equal("handshake", err.call)
      assert.matches("^tls 127%.0%.0%.1:%d+$", err.about)
    end
  end))

  it("refuses garbage", secure.fact(function()
    local codes = {}
    math.randomseed(7)
    for i = 1, 50 do
      local bytes = {}
      for k = 1, math.random(6, 300) do
        bytes[k] = string.char(math.random(0, 255))
      end
      local err = error_for(table.concat(bytes))
      assert.is_true(aw.is_tls_error(err), i .. ": " .. tostring(err))
      codes[err.code] = true
    end
    assert.is_truthy(next(codes))
  end))

  it("refuses a record that is too large", secure.fact(function()
    local err = error_for("\22\3\1\255\255" .. ("x"):rep(70000))
    assert.is_true(aw.is_tls_error(err), tostring(err))
  end))

  it("refuses data before the handshake", secure.fact(function()
    local err = error_for "\23\3\3\0\5hello"
    assert.is_true(aw.is_tls_error(err), tostring(err))
  end))

  it("tells that a client has gone without a word", secure.fact(function()
    secure.assert_tls("UNEXPECTED_EOF_WHILE_READING", error_for "")
  end))

  it("tells that a client has gone in the middle of its first record",
    secure.fact(function()
      secure.assert_tls("UNEXPECTED_EOF_WHILE_READING",
        error_for "\22\3\1\2\0\1\0\1\252\3\3")
    end))

  it("goes on when a client is reset in the handshake", secure.served(nil,
    function(_, server, port)
      local fd = clients.connect(port)
      local s <close> = server:accept()
      clients.send(fd, "\22\3\1\2\0\1")
      clients.reset(fd)
      secure.assert_system("ECONNRESET", helper.caught(s.read, s))
      assert.is_nil((secure.try(server)))
    end))
end)

describe("a client with TLS", function()
  it("refuses a server that speaks HTTP", secure.fact(function()
    local err = error_of_client "HTTP/1.1 400 Bad Request\r\n\r\n"
    assert.is_true(aw.is_tls_error(err), tostring(err))
    assert.are.equal("handshake", err.call)
    assert.matches("^tls localhost:%d+$", err.about)
  end))

  it("refuses a server that greets", secure.fact(function()
    local err = error_of_client "220 mail.test ESMTP\r\n"
    assert.is_true(aw.is_tls_error(err), tostring(err))
  end))

  it("refuses garbage", secure.fact(function()
    math.randomseed(8)
    for i = 1, 20 do
      local bytes = {}
      for k = 1, math.random(6, 300) do
        bytes[k] = string.char(math.random(0, 255))
      end
      local err = error_of_client(table.concat(bytes))
      assert.is_true(aw.is_tls_error(err), i .. ": " .. tostring(err))
    end
  end))

  it("tells that a server closes at once", secure.fact(function()
    secure.assert_tls("UNEXPECTED_EOF_WHILE_READING", error_of_client "")
  end))

  it("tells the alert of a server", secure.fact(function()
    local err = secure.assert_tls("SSLV3_ALERT_HANDSHAKE_FAILURE",
      error_of_client "\21\3\3\0\2\2\40", "(alert of the peer)")
    assert.is_true(err.from_peer)
  end))

  it("fails as aw.tcp.connect does where nobody listens", secure.fact(
    function()
      local listening = require "spec.support.listening"
      local port = listening.free_port()
      local err = secure.assert_system("ECONNREFUSED",
        helper.caught(aw.tls.connect, "127.0.0.1", port))
      assert.are.equal("connect", err.call)
    end))
end)

-- Changes one byte of what passes, at a place.
local function spoiled(place)
  return secure.fact(function(ev)
    local a, b, relay = secure.apart { size = 64 }
    local _ <close> = secure.closing(relay, a, b)
    secure.start(a, b)
    relay.back.spoil = relay.back.count + place
    ev:start(function()
      b:write(("x"):rep(1000))
    end, helper.nop)
    local err = helper.caught(a.read, a, 1000)
    secure.assert_tls("DECRYPTION_FAILED_OR_BAD_RECORD_MAC", err)
    -- The other side hears of it.
    err = secure.assert_tls("SSLV3_ALERT_BAD_RECORD_MAC",
      helper.caught(b.read, b))
    assert.is_true(err.from_peer)
  end)
end

describe("bytes that somebody has changed", function()
  it("are refused, in the text", spoiled(50))
  it("are refused, in the check of the record", spoiled(1010))
end)
