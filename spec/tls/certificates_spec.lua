-- The certificates that specs of TLS use: see spec/support/certificates.lua.

local certificates = require "spec.support.certificates"
local helper = require "spec.support.helper"
local process = require "spec.support.process"
local texts = require "spec.support.texts"

--- Returns what `openssl verify` says of a certificate.
local function verdict(name, ...)
  local words = { "openssl verify -purpose",
    name:find "client" and "sslclient" or "sslserver", "-CAfile",
    certificates.file "ca", "-untrusted", certificates.file(name), ... }
  words[#words + 1] = certificates.file(name)
  local outcome = process.run(table.concat(words, " "))
  return outcome.out .. outcome.err
end

describe("a certificate for specs", function()
  it("is good, or bad in the way that its name says", helper.sealed(function()
    certificates.needed()
    for _, name in ipairs { "server", "wildcard", "first", "second",
      "elsewhere", "unnamed", "numbered", "chained", "rsa", "locked",
      "client" } do
      texts.contains(verdict(name), ": OK")
    end
    local faults <const> = { expired = "certificate has expired",
      early = "certificate is not yet valid",
      stranger = "unable to get local issuer certificate",
      strange_client = "unable to get local issuer certificate",
      lonely = "unable to get local issuer certificate",
      self_signed = "self-signed certificate" }
    for name, text in pairs(faults) do
      texts.contains(verdict(name), text)
    end
    local revoked = "-crl_check -CRLfile " .. certificates.file "crl"
    texts.contains(verdict("revoked", revoked), "certificate revoked")
    texts.contains(verdict("revoked_client", revoked), "certificate revoked")
    texts.contains(verdict("server", revoked), ": OK")
  end))

  it("has a key, which may be encrypted", helper.sealed(function()
    certificates.needed()
    texts.contains(certificates.text "locked.key", "ENCRYPTED")
    assert.are.equal(0, process.run(("openssl pkey -noout -in %s -passin '"
      .. "pass:%s'"):format(certificates.file "locked.key",
      certificates.PASSWORD)).code)
  end))
end)
