-- Servers of TLS with certificates for several names: what a connection under
-- another certificate has in common with the others.

local certificates = require "spec.support.certificates"
local secure = require "spec.support.secure"

--- Returns the options of a server with these hosts.
local function with(hosts, more)
  return function()
    local options = { hosts = {} }
    for name, kind in pairs(hosts) do
      options.hosts[name] = certificates[kind]
    end
    for name, value in pairs(more and more() or {}) do
      options[name] = value
    end
    return options
  end
end

--- Connect, and read a byte. Returns the tables of both sides.
local function meet(server, host, options)
  options = options or {}
  options.host = host
  local client, accepted = secure.meet(server, options)
  local _ <close> = secure.closing(client, accepted)
  accepted:write "x"
  assert.are.equal("x", client:read(1))
  return client:tls(), accepted:tls()
end

describe("a host of a server", function()
  it("is found among many", secure.served(function()
    local options = { hosts = {} }
    for i = 1, 100 do
      options.hosts[("n%d.many.test"):format(i)] = certificates.second
    end
    options.hosts["first.test"] = certificates.first
    options.hosts["*.example.test"] = certificates.wildcard
    return options
  end, function(_, server)
    for host, subject in pairs {
      ["first.test"] = "first.test", ["FIRST.TEST."] = "first.test",
      ["x.example.test"] = "wildcard.test",
      ["X.EXAMPLE.TEST"] = "wildcard.test",
    } do
      local mine = meet(server, host)
      assert.are.equal("CN = " .. subject, mine.certificate.subject)
    end
    for _, host in ipairs { "n1.many.test", "n50.many.test", "n100.many.test" }
    do
      local mine = meet(server, host, { verify = false })
      assert.are.equal("CN = second.test", mine.certificate.subject)
    end
    for _, host in ipairs { "n0.many.test", "n101.many.test", "many.test",
      "x.y.example.test", "irst.test", "zzz", "a" } do
      local mine = meet(server, host, { verify = false })
      assert.are.equal("CN = localhost", mine.certificate.subject)
    end
  end))

  it("prefers its own name to that of its domain", secure.served(
    with { ["*.example.test"] = "wildcard", ["A.Example.test."] = "second" },
    function(_, server)
      local mine = meet(server, "a.example.test", { verify = false })
      assert.are.equal("CN = second.test", mine.certificate.subject)
      mine = meet(server, "b.example.test")
      assert.are.equal("CN = wildcard.test", mine.certificate.subject)
    end))

  it("may have a key of another kind", secure.served(
    with { ["localhost"] = "rsa" }, function(_, server)
      local mine = meet(server, "localhost")
      assert.are.equal("CN = rsa.test", mine.certificate.subject)
    end))

  it("resumes its sessions", secure.served(
    with { ["first.test"] = "first", ["second.test"] = "second" },
    function(_, server)
      for _, host in ipairs { "first.test", "second.test" } do
        assert.is_false(meet(server, host).resumed)
        local mine, theirs = meet(server, host)
        assert.is_true(mine.resumed)
        assert.are.equal("CN = " .. host, mine.certificate.subject)
        assert.are.equal(host, theirs.host)
      end
      assert.is_true(meet(server, "first.test").resumed)
    end))

  it("chooses the protocol of the server", secure.served(
    with({ ["first.test"] = "first" }, function()
      return { alpn = { "b", "a" } }
    end), function(_, server)
      local mine, theirs = meet(server, "first.test", { alpn = { "a", "b" } })
      assert.are.equal("b", mine.alpn)
      assert.are.equal("b", theirs.alpn)
      local err, other = secure.try(server, { host = "first.test",
        alpn = { "c" } })
      secure.assert_tls("TLSV1_ALERT_NO_APPLICATION_PROTOCOL", err)
      secure.assert_tls("NO_APPLICATION_PROTOCOL", other)
    end))

  it("requires certificates of clients, if the server does", secure.served(
    with({ ["first.test"] = "first" }, function()
      return { ca = certificates.file "ca" }
    end), function(_, server)
      local _, other = secure.try(server, { host = "first.test" })
      secure.assert_tls("PEER_DID_NOT_RETURN_A_CERTIFICATE", other)
      local _, theirs = meet(server, "first.test", certificates.client)
      assert.are.equal("CN = client.test", theirs.certificate.subject)
    end))
end)
