-- Names: the host that a client verifies and asks for, and certificates of a
-- server by that name.

local aw = require "aiowire"
local certificates = require "spec.support.certificates"
local clients = require "spec.support.clients"
local helper = require "spec.support.helper"
local secure = require "spec.support.secure"
local texts = require "spec.support.texts"

local BAD <const> = "CERTIFICATE_VERIFY_FAILED"

--- Returns the error of a client that connects to a server with a certificate.
local function failure(name, mine, host)
  local server <close> = secure.listen(certificates[name])
  return (secure.try(server, mine, host))
end

--- Check that a certificate is good for a host.
local function assert_good(name, mine, host)
  assert.is_nil(failure(name, mine, host))
end

local function assert_mismatch(reason, name, mine, host)
  local err = secure.assert_tls(BAD, failure(name, mine, host), reason)
  assert.are.equal("handshake", err.call)
end

describe("the host that a client verifies", function()
  it("is the one that it connects to", secure.fact(function()
    assert_good "server"
    assert_mismatch("hostname mismatch", "elsewhere")
  end))

  it("is that of the options, if it is there", secure.fact(function()
    assert_good("elsewhere", { host = "elsewhere.test" })
    assert_mismatch("hostname mismatch", "server", { host = "elsewhere.test" })
  end))

  it("may be written in capitals", secure.fact(function()
    assert_good("elsewhere", { host = "Elsewhere.TEST" })
  end))

  it("may match a wildcard, for one label", secure.fact(function()
    assert_good("wildcard", { host = "a.example.test" })
    assert_mismatch("hostname mismatch", "wildcard",
      { host = "a.b.example.test" })
    assert_mismatch("hostname mismatch", "wildcard", { host = "example.test" })
    assert_mismatch("hostname mismatch", "wildcard",
      { host = "b.example.test.other.test" })
  end))

  it("is no wildcard itself", secure.fact(function()
    assert_mismatch("hostname mismatch", "first", { host = "*.test" })
  end))

  it("is not looked for in the subject", secure.fact(function()
    assert_mismatch("hostname mismatch", "wildcard", { host = "wildcard.test" })
    assert_mismatch("hostname mismatch", "unnamed")
  end))

  it("stands for no other one if it begins with a dot", secure.fact(function()
    local err = failure("server", { host = ".test" })
    secure.assert_tls("BAD_HOST", err)
    assert.are.equal("connect", err.call)
    assert.is_truthy(err.about:find "^localhost:%d+$", err.about)
    secure.assert_tls("BAD_HOST", failure("wildcard",
      { host = ".example.test" }))
  end))
end)

describe("an address that a client verifies", function()
  it("is one of the certificate", secure.fact(function()
    assert_good("server", nil, "127.0.0.1")
    assert_mismatch("IP address mismatch", "numbered", nil, "127.0.0.1")
    assert_good("numbered", { host = "127.0.0.2" }, "127.0.0.1")
  end))

  it("is not a name of the certificate", secure.fact(function()
    assert_mismatch("IP address mismatch", "elsewhere", nil, "127.0.0.1")
    assert_mismatch("IP address mismatch", "unnamed", nil, "127.0.0.1")
  end))

  it("may be one of IPv6", secure.fact(function()
    if not clients.has_ipv6() then
      helper.pending "no IPv6"
    end
    local function try(name)
      local server <close> = aw.tls.listen("::1", 0, certificates[name])
      return (secure.try(server, nil, "::1"))
    end
    assert.is_nil(try "server")
    secure.assert_tls(BAD, try "numbered", "IP address mismatch")
  end))
end)

describe("the name that a client asks for", function()
  it("is the host, as both sides see", secure.connected(
    function(_, client, accepted)
      assert.are.equal("localhost", client:tls().host)
      assert.are.equal("localhost", accepted:tls().host)
    end))

  it("is the host of the options", secure.connected(
    function(_, client, accepted)
      assert.are.equal("other.test", client:tls().host)
      assert.are.equal("other.test", accepted:tls().host)
    end, { host = "other.test", verify = false }))

  it("is no address", secure.served(nil, function(_, server)
    local client, accepted = secure.meet(server, nil, "127.0.0.1")
    local _ <close> = secure.closing(client, accepted)
    assert.is_nil(accepted:tls().host)
  end))
end)

describe("certificates by names", function()
  local function hosts()
    return { hosts = { ["first.test"] = certificates.first,
      ["second.test"] = certificates.second,
      ["*.example.test"] = certificates.wildcard } }
  end

  --- Returns the subject that a client sees when it asks for a host.
  local function subject(server, host)
    local client, accepted = secure.meet(server, { host = host,
      verify = false })
    local _ <close> = secure.closing(client, accepted)
    return client:tls().certificate.subject
  end

  it("are shown to those who ask for them", secure.served(hosts,
    function(_, server)
      assert.are.equal("CN = first.test", subject(server, "first.test"))
      assert.are.equal("CN = second.test", subject(server, "second.test"))
      assert.are.equal("CN = first.test", subject(server, "FIRST.test"))
      assert.is_nil((secure.try(server, { host = "second.test" })))
    end))

  it("may be for all names of a domain", secure.served(hosts,
    function(_, server)
      assert.are.equal("CN = wildcard.test", subject(server, "a.example.test"))
      assert.are.equal("CN = localhost", subject(server, "example.test"))
      assert.are.equal("CN = localhost", subject(server, "a.b.example.test"))
    end))

  it("leave the main one to others", secure.served(hosts,
    function(_, server)
      assert.are.equal("CN = localhost", subject(server, "third.test"))
      local client, accepted = secure.meet(server, nil, "127.0.0.1")
      local _ <close> = secure.closing(client, accepted)
      assert.are.equal("CN = localhost", client:tls().certificate.subject)
    end))
end)

describe("the table of a stream with TLS", function()
  it("tells of the connection", secure.connected(
    function(_, client, accepted)
      local mine, theirs = client:tls(), accepted:tls()
      for _, t in ipairs { mine, theirs } do
        assert.is_true(t.established)
        assert.are.equal("TLSv1.3", t.version)
        texts.contains(t.cipher, "TLS_")
        assert.is_false(t.resumed)
        assert.is_nil(t.alpn)
      end
      assert.is_false(mine.server)
      assert.is_true(theirs.server)
      assert.is_true(mine.verified)
      assert.is_false(theirs.verified)
      assert.is_nil(theirs.certificate)
    end))

  it("has the certificate of the peer", secure.connected(function(_, client)
    local c = client:tls().certificate
    assert.are.equal("CN = localhost", c.subject)
    assert.are.equal("CN = Root of the specs", c.issuer)
    assert.is_true(c.not_before <= os.time() + 1)
    assert.is_true(c.not_after > os.time() + 86400 * 900)
    assert.are.same({ "localhost", "127.0.0.1", "::1" }, c.names)
    assert.matches("^%x+$", c.serial)
    local pem <const> = certificates.path("seen.pem", c.pem)
    local shown = aw.exec { "openssl", "x509", "-noout", "-fingerprint",
      "-sha256", "-serial", "-in", pem }.out
    assert.are.equal(shown:match "Fingerprint=(%S+)":gsub(":", ""):lower(),
      c.sha256:lower())
    assert.are.equal(shown:match "serial=(%S+)":lower(), c.serial:lower())
  end))

  it("is nil for a plain stream", secure.fact(function()
    local server <close> = aw.tcp.listen("127.0.0.1", 0)
    local s <close> = aw.tcp.connect(server:name())
    assert.is_nil(s:tls())
    helper.raises("is not TLS", s.handshake, s)
  end))

  it("says before the handshake that it is not over", secure.served(nil,
    function(_, server, port)
      local raw <close> = aw.tcp.connect("127.0.0.1", port)
      local accepted <close> = server:accept()
      assert.is_false(accepted:tls().established)
      assert.is_true(accepted:tls().server)
      assert.is_nil(accepted:tls().version)
      assert.is_nil(accepted:tls().certificate)
      assert.is_truthy(raw)
    end))
end)
