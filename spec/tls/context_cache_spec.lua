-- Connections with the same options share what was read from files, and their
-- sessions, until a file changes. A session that is resumed shows that two
-- connections have the same context.

local aw = require "aiowire"
local certificates = require "spec.support.certificates"
local helper = require "spec.support.helper"
local secure = require "spec.support.secure"

--- Connect, and read a byte, behind which the tickets are. Returns whether a
--- session was resumed.
local function resumed(server, options)
  local client, accepted = secure.meet(server, options)
  local _ <close> = secure.closing(client, accepted)
  accepted:write "x"
  assert.are.equal("x", client:read(1))
  return client:tls().resumed
end

--- Write a file of the same size and of another time, as a renewal does.
local function write(name, text)
  local path = certificates.path(name)
  os.remove(path)
  return certificates.path(name, text)
end

describe("the context of a client", function()
  it("is the same for the same options", secure.served(nil,
    function(_, server)
      local ca, key = certificates.text "ca", certificates.client
      for _, options in ipairs { {}, { ca = ca }, { ca = { ca, ca } }, key,
        { alpn = { "a", "b" } }, { handshake_timeout = 77 },
        { cert = certificates.text "client",
          key = certificates.text "client.key" } } do
        assert.is_false(resumed(server, options))
        assert.is_true(resumed(server, options))
        collectgarbage()
        assert.is_true(resumed(server, options))
      end
    end))

  it("is another one for others", secure.served(nil, function(_, server)
    assert.is_false(resumed(server, { alpn = { "ab", "c" } }))
    assert.is_false(resumed(server, { alpn = { "a", "bc" } }))
    assert.is_false(resumed(server, { alpn = { "ab" } }))
    assert.is_false(resumed(server, { handshake_timeout = math.huge }))
    assert.is_false(resumed(server, { ca = { certificates.file "ca" },
      host = "localhost" }))
    assert.is_true(resumed(server, { alpn = { "ab", "c" } }))
  end))

  it("is another one once a file has changed", secure.served(nil,
    function(_, server)
      local options = { ca = write("live_ca.pem", certificates.text "ca") }
      assert.is_false(resumed(server, options))
      assert.is_true(resumed(server, options))
      write("live_ca.pem", certificates.text "ca" .. "\n")
      assert.is_false(resumed(server, options))
      assert.is_true(resumed(server, options))
      write("live_ca.pem", certificates.text "other_ca")
      secure.assert_tls("CERTIFICATE_VERIFY_FAILED", (secure.try(server,
        options)))
      write("live_ca.pem", certificates.text "ca")
      assert.is_false(resumed(server, options))
    end))

  it("is not kept if a file is missing", secure.served(nil,
    function(_, server)
      local options = { ca = certificates.path "late_ca.pem" }
      local err = helper.caught(secure.connect, server, options)
      assert.are.equal("ENOENT", err.code)
      certificates.path("late_ca.pem", certificates.text "ca")
      assert.is_false(resumed(server, options))
      os.remove(options.ca)
      err = helper.caught(secure.connect, server, options)
      assert.are.equal("ENOENT", err.code)
    end))

  it("shows the certificate that its file has now", secure.served(function()
    return { ca = certificates.file "ca" }
  end, function(_, server)
    local function subject()
      local client, accepted = secure.meet(server, {
        cert = certificates.path "live.pem",
        key = certificates.path "live.key" })
      local _ <close> = secure.closing(client, accepted)
      return accepted:tls().certificate.subject
    end
    write("live.pem", certificates.text "client")
    write("live.key", certificates.text "client.key")
    assert.are.equal("CN = client.test", subject())
    write("live.pem", certificates.text "revoked_client")
    write("live.key", certificates.text "revoked_client.key")
    assert.are.equal("CN = revoked client.test", subject())
  end))

  it("is one of the few that were used last", secure.served(nil,
    function(_, server)
      local function with(i)
        return { handshake_timeout = 100 + i }
      end
      for i = 1, 16 do
        assert.is_false(resumed(server, with(i)))
      end
      assert.is_true(resumed(server, with(1)))
      assert.is_false(resumed(server, with(17)))
      assert.is_true(resumed(server, with(1)))
      assert.is_false(resumed(server, with(2)))
    end))

  it("lives as long as its connections", secure.served(nil,
    function(_, server)
      local client, accepted = secure.meet(server, { handshake_timeout = 50 })
      local _ <close> = secure.closing(client, accepted)
      for i = 1, 20 do
        pcall(aw.tls.connect, "127.0.0.1", 1, { handshake_timeout = 100 + i,
          verify = false })
      end
      collectgarbage()
      accepted:write "still there\n"
      assert.are.equal("still there", client:read())
    end))
end)

describe("the sessions of a client", function()
  it("are kept for the hosts that were used last", secure.served(nil,
    function(_, server)
      local servers = {}
      local _ <close> = helper.closer(function()
        for _, other in ipairs(servers) do
          other:close()
        end
      end)
      assert.is_false(resumed(server))
      -- Each brings two tickets, and 64 are kept.
      for i = 1, 32 do
        servers[i] = secure.listen()
        assert.is_false(resumed(servers[i]))
      end
      assert.is_true(resumed(servers[2]))
      assert.is_false(resumed(server))
    end))

  it("serve several connections that begin at the same time", secure.served(nil,
    function(_, server)
      local open = {}
      local _ <close> = helper.closer(function()
        for _, s in ipairs(open) do
          s:close()
        end
      end)
      -- A client gets the tickets when it reads: two of each new session.
      local function meet()
        local client, accepted = secure.meet(server)
        open[#open + 1], open[#open + 2] = client, accepted
        return client:tls().resumed
      end
      for _ = 1, 3 do
        assert.is_false(meet())
      end
      for i = 1, 6, 2 do
        open[i + 1]:write "x"
        assert.are.equal("x", open[i]:read(1))
      end
      for i = 1, 6 do -- four are kept for a host
        assert.are.equal(i <= 4, meet(), i)
      end
    end))
end)
