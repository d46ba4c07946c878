-- Writes of no bytes, which OpenSSL takes for a failure.

local aw = require "aiowire"
local certificates = require "spec.support.certificates"
local helper = require "spec.support.helper"

describe("a write of an empty string to a stream with TLS", function()
  it("sends nothing, at the handshake and after it", helper.sealed(function()
    certificates.needed()
    aw.run(function(ev)
      local server <close> = aw.tls.listen("127.0.0.1", 0, certificates.server)
      local serving = ev:start(function()
        local accepted <close> = server:accept()
        accepted:write("")
        accepted:write("", "a", "")
        accepted:write("")
      end)
      local _, port = server:name()
      local client <close> = aw.tls.connect("localhost", port,
        { ca = certificates.file "ca" })
      assert.are.equal("a", client:read "a")
      serving:wait()
    end)
  end))
end)
