-- Servers of TLS that reload: what stays, and what the new options replace.

local aw = require "aiowire"
local certificates = require "spec.support.certificates"
local helper = require "spec.support.helper"
local secure = require "spec.support.secure"
local texts = require "spec.support.texts"

--- Returns the subject that a new client sees.
local function subject(server, host)
  local client, accepted = secure.meet(server, { verify = false, host = host })
  local _ <close> = secure.closing(client, accepted)
  return client:tls().certificate.subject
end

describe("a server that reloads", function()
  it("returns itself, and reads all files again without options", secure.fact(
    function()
      local cert = certificates.path("again.pem", certificates.text "server")
      local key = certificates.path("again.key", certificates.text "server.key")
      local host = certificates.path("host.pem", certificates.text "first")
      local server <close> = secure.listen { cert = cert, key = key,
        hosts = { ["x.test"] = { cert = host,
          key = certificates.file "first.key" } } }
      certificates.path("again.pem", certificates.text "second")
      certificates.path("again.key", certificates.text "second.key")
      assert.are.equal("CN = localhost", subject(server))
      assert.are.equal(server, server:reload())
      assert.are.equal("CN = second.test", subject(server))
      assert.are.equal("CN = first.test", subject(server, "x.test"))
      assert.are.equal(server, server:reload {})
      certificates.path("host.pem", "gone")
      local err = helper.caught(server.reload, server)
      assert.are.equal("reload", err.call)
      assert.are.equal(host, err.about)
      texts.contains(tostring(err), ("reload '%s': NO_START_LINE"):format(host))
      assert.are.equal("CN = first.test", subject(server, "x.test"))
    end))

  it("may get a certificate for the key that it has", secure.fact(function()
    local server <close> = secure.listen()
    server:reload { cert = certificates.text "server" }
    assert.is_nil((secure.try(server)))
    secure.assert_tls("KEY_VALUES_MISMATCH", helper.caught(server.reload,
      server, { cert = certificates.file "first" }))
    assert.is_nil((secure.try(server)))
  end))

  it("keeps the password", secure.fact(function()
    local server <close> = secure.listen {
      cert = certificates.file "locked", key = certificates.file "locked.key",
      password = certificates.PASSWORD }
    server:reload { key = certificates.text "locked.key" }
    assert.is_nil((secure.try(server)))
    secure.assert_tls("BAD_DECRYPT", helper.caught(server.reload, server,
      { password = "wrong" }))
    server:reload(certificates.first)
    assert.are.equal("CN = first.test", subject(server))
  end))

  it("replaces all hosts, and may have none", secure.fact(function()
    local server <close> = secure.listen { hosts = {
      ["one.test"] = certificates.first } }
    assert.are.equal("CN = first.test", subject(server, "one.test"))
    server:reload { hosts = { ["two.test"] = certificates.second } }
    assert.are.equal("CN = localhost", subject(server, "one.test"))
    assert.are.equal("CN = second.test", subject(server, "two.test"))
    server:reload { hosts = {} }
    assert.are.equal("CN = localhost", subject(server, "two.test"))
  end))

  it("is not confused by options that change while they are read",
    secure.fact(function()
      local server <close> = secure.listen()
      local hosts = { ["a.test"] = { cert = certificates.first.cert } }
      setmetatable(hosts["a.test"], { __index = function(_, name)
        if name == "key" then
          for i = 1, 50 do
            hosts["x" .. i] = certificates.first
          end
          server:reload(certificates.second)
          collectgarbage()
          return certificates.first.key
        end
        return nil
      end })
      -- The order in which `next` goes on is not defined.
      pcall(server.reload, server, { hosts = hosts })
      assert.is_nil((secure.try(server, { verify = false })))
    end))

  it("is not left half done by an option that fails or closes it",
    secure.fact(function()
      local server <close> = secure.listen()
      local function options(f)
        return setmetatable({}, { __index = function(_, name)
          if name == "alpn" then
            f()
          end
          return certificates.first[name]
        end })
      end
      helper.raises("own error", server.reload, server, options(function()
        error "own error"
      end))
      assert.are.equal("CN = localhost", subject(server))
      pcall(server.reload, server, options(function()
        server:close()
      end))
      assert.is_true(aw.is_closed(helper.caught(server.reload, server)))
    end))
end)
