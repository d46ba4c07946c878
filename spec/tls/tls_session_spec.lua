-- Sessions that are resumed: a second connection to the same server, with the
-- same options, needs no certificate again.

local aw = require "aiowire"
local certificates = require "spec.support.certificates"
local helper = require "spec.support.helper"
local secure = require "spec.support.secure"

--- Connect, and exchange a byte, with which the tickets of TLS 1.3 come.
--- Returns whether a session was resumed, and the tables of both sides.
local function resumed(server, mine, host)
  local client, accepted = secure.meet(server, mine, host)
  local _ <close> = secure.closing(client, accepted)
  accepted:write "x"
  assert.are.equal("x", client:read(1))
  assert.are.equal(client:tls().resumed, accepted:tls().resumed)
  return client:tls().resumed, client:tls(), accepted:tls()
end

describe("a second connection", function()
  it("resumes the session of the first [X30]", secure.served(nil,
    function(_, server)
      assert.is_false((resumed(server)))
      for _ = 1, 3 do
        local again, mine, theirs = resumed(server)
        assert.is_true(again)
        assert.is_true(mine.verified)
        assert.are.equal("CN = localhost", mine.certificate.subject)
        assert.are.equal("localhost", theirs.host)
      end
    end))

  it("resumes nothing with other options [X30]", secure.served(nil,
    function(_, server)
      resumed(server)
      assert.is_false((resumed(server, { verify = false })))
      assert.is_false((resumed(server, { ca = certificates.file "folder" })))
      assert.is_false((resumed(server, { host = "127.0.0.1" })))
      assert.is_false((resumed(server, { alpn = { "h2" } })))
      assert.is_false((resumed(server, certificates.client)))
      assert.is_true((resumed(server)))
    end))

  it("resumes nothing of another port", secure.served(nil,
    function(_, server)
      resumed(server)
      local other <close> = secure.listen()
      assert.is_false((resumed(other)))
    end))

  it("does not take the word of one that verified nobody", secure.served(
    function() return certificates.stranger end, function(_, server)
      resumed(server, { verify = false })
      secure.assert_tls("CERTIFICATE_VERIFY_FAILED", (secure.try(server)))
    end))

  it("does not resume what a client has refused", secure.served(
    function() return certificates.stranger end, function(_, server)
      for _ = 1, 2 do
        secure.assert_tls("CERTIFICATE_VERIFY_FAILED", (secure.try(server)))
      end
    end))

  it("resumes with certificates of clients, of the same client", secure.served(
    function()
      return { ca = certificates.file "ca" }
    end, function(_, server)
      assert.is_false((resumed(server, certificates.client)))
      local again, _, theirs = resumed(server, certificates.client)
      assert.is_true(again)
      assert.is_true(theirs.verified)
      assert.are.equal("CN = client.test", theirs.certificate.subject)
      local _, other = secure.try(server)
      secure.assert_tls("PEER_DID_NOT_RETURN_A_CERTIFICATE", other)
    end))

  it("is served where the certificate has changed, by a new session",
    secure.served(nil, function(_, server)
      resumed(server)
      server:reload(certificates.rsa)
      local _, mine = resumed(server)
      assert.are.equal("CN = rsa.test", mine.certificate.subject)
    end))

  it("is not hurt by a server that has forgotten the session", secure.fact(
    function()
      local port
      do
        local server <close> = secure.listen()
        port = select(2, server:name())
        resumed(server)
      end
      local server <close> = aw.tls.listen("127.0.0.1", port, secure.server())
      assert.is_false((resumed(server)))
      assert.is_true((resumed(server)))
    end))

  it("resumes beside others", secure.served(nil, function(ev, server)
    resumed(server)
    local serving <close> = ev:start(aw.Serve(server, function(_, s)
      s:write "x"
      s:read "a"
    end, helper.nop), nil, { grace = 0.001 })
    local tasks = {}
    for i = 1, 20 do
      tasks[i] = ev:start(aw.Call(function()
        local s <close> = secure.connect(server)
        assert.are.equal("x", s:read(1))
        return s:tls().verified
      end))
    end
    for i = 1, 20 do
      assert.is_true(tasks[i]:wait())
    end
    assert.are.equal("waiting", serving.status)
  end))
end)
