-- The choice of a protocol (ALPN).

local helper = require "spec.support.helper"
local secure = require "spec.support.secure"

--- Returns a function for `it`: with these lists, both sides see the protocol.
local function chosen(protocol, mine, theirs)
  return secure.connected(function(_, client, accepted)
    assert.are.equal(protocol, client:tls().alpn)
    assert.are.equal(protocol, accepted:tls().alpn)
  end, { alpn = mine }, { alpn = theirs })
end

describe("the protocol of a connection with TLS", function()
  it("is one of both lists", chosen("http/1.1", { "h2", "http/1.1" },
    { "http/1.1" }))

  it("is the first of the server's list", chosen("b", { "c", "a", "b" },
    { "b", "a" }))

  it("is none if the client has no list", chosen(nil, nil, { "h2" }))

  it("is none if the server has no list", chosen(nil, { "h2" }, nil))

  it("must be one of both lists if there are two", secure.served(
    { alpn = { "h2" } }, function(_, server)
      local err, other = secure.try(server, { alpn = { "http/1.1" } })
      secure.assert_tls("TLSV1_ALERT_NO_APPLICATION_PROTOCOL", err,
        "(alert of the peer)")
      assert.is_true(err.from_peer)
      secure.assert_tls("NO_APPLICATION_PROTOCOL", other)
      assert.is_falsy(other.from_peer)
      -- The server goes on.
      assert.is_nil((secure.try(server, { alpn = { "h2" } })))
    end))

  it("is chosen again when the session is resumed", secure.served(
    { alpn = { "a", "b" } }, function(_, server)
      for _ = 1, 2 do
        local client, accepted = secure.meet(server, { alpn = { "b", "a" } })
        local _ <close> = secure.closing(client, accepted)
        accepted:write "x"
        assert.are.equal("x", client:read(1))
        assert.are.equal("a", client:tls().alpn)
        assert.are.equal("a", accepted:tls().alpn)
      end
    end))
end)

describe("a list of protocols", function()
  it("has names of 1 to 255 bytes", secure.served(nil, function(_, server)
    helper.raises("alpn", secure.connect, server, { alpn = { "" } })
    helper.raises("alpn", secure.connect, server, { alpn = { ("x"):rep(256) } })
    helper.raises("alpn", secure.connect, server, { alpn = { 1 } })
    helper.raises("alpn", secure.connect, server, { alpn = {} })
    local err = helper.raises("alpn", secure.connect, server, { alpn = "h2" })
    assert.is_string(err)
  end))
end)
