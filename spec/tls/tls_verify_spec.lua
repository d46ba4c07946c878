-- Certificates of servers that a client refuses, and whom it trusts.

local aw = require "aiowire"
local certificates = require "spec.support.certificates"
local helper = require "spec.support.helper"
local process = require "spec.support.process"
local secure = require "spec.support.secure"
local texts = require "spec.support.texts"

local BAD <const> = "CERTIFICATE_VERIFY_FAILED"

--- Returns a function for `it`: the handshake with a server that shows this
--- certificate fails, and the errors of both sides tell why.
local function refused(name, reason, subject, mine)
  return secure.fact(function()
    local server <close>, port = secure.listen(certificates[name])
    local err, other = secure.try(server, type(mine) == "function" and mine()
      or mine)
    secure.assert_tls(BAD, err, reason)
    assert.are.equal("handshake", err.call)
    assert.are.equal("tls localhost:" .. port, err.about)
    assert.are.equal(subject, err.certificate)
    assert.is_falsy(err.from_peer)
    assert.are.equal(BAD .. ": " .. reason, err.reason)
    texts.contains(tostring(err), subject)
    assert.is_true(aw.is_tls_error(other), tostring(other))
    assert.is_true(other.from_peer, tostring(other))
    texts.contains(tostring(other), "(alert of the peer)")
    assert.are.equal("handshake", other.call)
    -- The server goes on.
    assert.is_nil((secure.try(server, { verify = false })))
  end)
end

--- Returns a function for `it`: a client with these options accepts the server.
local function accepted(name, mine)
  return secure.fact(function()
    local server <close> = secure.listen(certificates[name])
    local one, other = secure.try(server, type(mine) == "function" and mine()
      or mine)
    assert.is_nil(one)
    assert.is_nil(other)
  end)
end

describe("a client refuses a server whose certificate", function()
  it("has expired [X25]", refused("expired", "certificate has expired",
    "CN = expired.test"))

  it("is not yet valid", refused("early", "certificate is not yet valid",
    "CN = early.test"))

  it("is signed by itself", refused("self_signed", "self-signed certificate",
    "CN = self.test"))

  it("is signed by an authority that the client does not trust", refused(
    "stranger", "unable to get local issuer certificate",
    "CN = stranger.test"))

  it("comes without the one between", refused("lonely",
    "unable to get local issuer certificate", "CN = lonely.test"))

  it("is one for clients", refused("client", "unsuitable certificate purpose",
    "CN = client.test", { host = "client.test" }))

  it("is in a file of revoked ones", refused("revoked", "certificate revoked",
    "CN = revoked.test", function()
      return { crl = certificates.file "crl" }
    end))

  it("is in a text of revoked ones", refused("revoked", "certificate revoked",
    "CN = revoked.test", function()
      return { crl = certificates.text "crl" }
    end))

  it("is of an authority that has given no list of revoked ones", refused(
    "chained", "unable to get certificate CRL", "CN = chained.test",
    function()
      return { crl = certificates.file "crl" }
    end))

  it("is of an authority that is revoked itself", refused("chained",
    "certificate revoked", "CN = Authority of the specs", function()
      return { crl = certificates.file "between_revoked" }
    end))

  it("is good, but not for the authorities of the system", refused("server",
    "unable to get local issuer certificate", "CN = localhost",
    { ca = secure.NONE }))
end)

describe("a client accepts a server whose certificate", function()
  it("is good", accepted "server")

  it("comes with the one between", accepted "chained")

  it("has a key of RSA", accepted "rsa")

  it("is not in the list of revoked ones", accepted("server", function()
    return { crl = certificates.file "crl" }
  end))

  it("is not in the list of the only authority that has given one", accepted(
    "chained", function()
      return { crl = certificates.file "unrevoked" }
    end))

  it("is revoked, if no list says so", accepted "revoked")

  it("is signed by itself, and trusted", accepted("self_signed", function()
    return { ca = certificates.file "self_signed" }
  end))
end)

describe("the authorities that a client trusts", function()
  it("are a text", accepted("server", function()
    return { ca = certificates.text "ca" }
  end))

  it("are a folder of hashes", accepted("server", function()
    return { ca = certificates.file "folder" }
  end))

  it("are a list of files and texts", accepted("stranger", function()
    return { ca = { certificates.file "ca", certificates.text "other_ca" } }
  end))

  it("are a file of several", accepted("stranger", function()
    return { ca = certificates.path("both.pem", certificates.text "ca"
      .. certificates.text "other_ca") }
  end))

  it("are not a folder without hashes", secure.served(nil,
    function(_, server)
      local path = certificates.path "empty"
      os.execute("mkdir -p " .. process.quoted(path))
      local err = secure.assert_tls("NO_CERTIFICATES", helper.caught(
        secure.connect, server, { ca = path }))
      texts.contains(tostring(err), path)
    end))

  for variable, name in pairs { SSL_CERT_FILE = "ca", SSL_CERT_DIR = "folder" }
  do
    it("are by default those of " .. variable, secure.served(nil,
      function(ev, server, port)
        local _ <close> = ev:start(aw.Serve(server, function(_, s)
          s:read "a"
        end, helper.nop), nil, { grace = 0.001 })
        local script <const> = [[
          local aw = require "aiowire"
          local s <close> = aw.tls.connect("localhost", %d)
          print(s:tls().verified)
        ]]
        local path = certificates.path("default.lua", script:format(port))
        local function run(value)
          return aw.exec { process.binary, path, stderr = "stdout",
            env = { [variable] = value } }.out
        end
        assert.are.equal("true\n", run(certificates.file(name)))
        texts.contains(run "/nowhere", BAD)
      end))
  end
end)

describe("a client that verifies nobody", function()
  it("accepts each server", secure.fact(function()
    for _, name in ipairs { "expired", "self_signed", "stranger", "elsewhere" }
    do
      local server <close> = secure.listen(certificates[name])
      local err, other = secure.try(server, { verify = false })
      assert.is_nil(err)
      assert.is_nil(other)
    end
  end))

  it("says so in its text, its table and the dump [X25]", secure.served(nil,
    function(ev, server, port)
      local client, accepted_one = secure.meet(server, { verify = false })
      local _ <close> = secure.closing(client, accepted_one)
      texts.contains(tostring(client), ("tls localhost:%d (unverified)")
        :format(port))
      assert.is_false(client:tls().verified)
      local reader <close> = helper.waiting(ev, aw.Call(client.read, client))
      texts.contains(ev:dump(), ("tls localhost:%d (unverified)"):format(port))
      assert.are.equal("waiting", reader.status)
      -- Nobody has asked the client for a certificate.
      assert.is_false(accepted_one:tls().verified)
      texts.lacks(tostring(accepted_one), "unverified")
    end))

  it("does not say so if it verifies", secure.connected(
    function(_, client)
      assert.is_true(client:tls().verified)
      texts.lacks(tostring(client), "unverified")
    end))
end)
