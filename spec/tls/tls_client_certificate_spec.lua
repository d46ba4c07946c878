-- Certificates of clients: required, wished for, refused.

local certificates = require "spec.support.certificates"
local helper = require "spec.support.helper"
local secure = require "spec.support.secure"

local function asking(more)
  return function()
    local options = { ca = certificates.file "ca" }
    for name, value in pairs(more or {}) do
      options[name] = value
    end
    return options
  end
end

describe("a server that requires certificates", function()
  it("accepts one of its authority, and tells whose it is", secure.served(
    asking(), function(_, server)
      local client, accepted = secure.meet(server, certificates.client)
      local _ <close> = secure.closing(client, accepted)
      local t = accepted:tls()
      assert.is_true(t.verified)
      assert.are.equal("CN = client.test", t.certificate.subject)
      assert.are.equal("CN = Root of the specs", t.certificate.issuer)
      accepted:write "welcome"
      assert.are.equal("welcome", client:read(7))
    end))

  it("refuses a client without one", secure.served(asking(),
    function(_, server)
      local err, other = secure.try(server)
      secure.assert_tls("PEER_DID_NOT_RETURN_A_CERTIFICATE", other)
      assert.are.equal("handshake", other.call)
      assert.is_falsy(other.from_peer)
      secure.assert_tls("TLSV13_ALERT_CERTIFICATE_REQUIRED", err,
        "(alert of the peer)")
      assert.is_true(err.from_peer)
      assert.is_nil((secure.try(server, certificates.client)))
    end))

  it("refuses one of another authority", secure.served(asking(),
    function(_, server)
      local err, other = secure.try(server, certificates.strange_client)
      secure.assert_tls("CERTIFICATE_VERIFY_FAILED", other,
        "unable to get local issuer certificate", "strange client.test")
      assert.are.equal("CN = strange client.test", other.certificate)
      secure.assert_tls("TLSV1_ALERT_UNKNOWN_CA", err)
      assert.is_true(err.from_peer)
    end))

  it("refuses one that is for servers", secure.served(asking(),
    function(_, server)
      local err, other = secure.try(server, certificates.first)
      secure.assert_tls("CERTIFICATE_VERIFY_FAILED", other,
        "unsuitable certificate purpose")
      assert.is_true(err.from_peer)
    end))

  it("refuses one that is revoked", secure.served(function()
    return asking { crl = certificates.text "crl" }()
  end, function(_, server)
    local err, other = secure.try(server, certificates.revoked_client)
    secure.assert_tls("CERTIFICATE_VERIFY_FAILED", other,
      "certificate revoked")
    assert.is_true(err.from_peer)
    assert.is_nil((secure.try(server, certificates.client)))
  end))
end)

describe("a server that wishes for certificates", function()
  local wishing = asking { verify = "optional" }

  it("accepts a client without one", secure.served(wishing,
    function(_, server)
      local client, accepted = secure.meet(server)
      local _ <close> = secure.closing(client, accepted)
      assert.is_false(accepted:tls().verified)
      assert.is_nil(accepted:tls().certificate)
    end))

  it("accepts and verifies one that is there", secure.served(wishing,
    function(_, server)
      local client, accepted = secure.meet(server, certificates.client)
      local _ <close> = secure.closing(client, accepted)
      assert.is_true(accepted:tls().verified)
      assert.are.equal("CN = client.test",
        accepted:tls().certificate.subject)
    end))

  it("refuses one of another authority", secure.served(wishing,
    function(_, server)
      local _, other = secure.try(server, certificates.strange_client)
      secure.assert_tls("CERTIFICATE_VERIFY_FAILED", other)
    end))
end)

describe("a server that asks for no certificate", function()
  it("gets none", secure.served(nil, function(_, server)
    local client, accepted = secure.meet(server, certificates.client)
    local _ <close> = secure.closing(client, accepted)
    assert.is_nil(accepted:tls().certificate)
    assert.is_false(accepted:tls().verified)
  end))
end)

describe("a certificate of a client", function()
  it("needs its key, and the right one", secure.served(nil,
    function(_, server)
      local err = helper.caught(secure.connect, server,
        { cert = certificates.file "client" })
      assert.is_truthy(tostring(err):find("key", 1, true), tostring(err))
      err = secure.assert_tls("KEY_VALUES_MISMATCH", helper.caught(
        secure.connect, server, { cert = certificates.file "client",
          key = certificates.file "server.key" }))
      assert.is_nil(err.from_peer or nil)
    end))

  it("is shown again when the session is resumed", secure.served(asking(),
    function(_, server)
      for _ = 1, 2 do
        local client, accepted = secure.meet(server, certificates.client)
        local _ <close> = secure.closing(client, accepted)
        accepted:write "x"
        client:read(1)
        assert.is_true(accepted:tls().verified)
        assert.are.equal("CN = client.test",
          accepted:tls().certificate.subject)
      end
    end))
end)
