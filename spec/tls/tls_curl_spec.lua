-- curl as the client of a server with TLS.

local aw = require "aiowire"
local certificates = require "spec.support.certificates"
local helper = require "spec.support.helper"
local secure = require "spec.support.secure"
local texts = require "spec.support.texts"
local tools = require "spec.support.tools"

local LARGE <const> = 3000000

--- The body of a connection: answers requests of HTTP.
local function web(_, s)
  for line in s:lines() do
    local method, target = line:match "^(%u+) (%S+) HTTP/1%.1\r$"
    local size = 0
    repeat
      local field = s:read()
      size = tonumber(field:lower():match "^content%-length: (%d+)") or size
    until field == "\r"
    local body = target == "/large" and ("x"):rep(LARGE)
      or method == "POST" and s:read(size) or target .. "\n"
    s:write("HTTP/1.1 200 OK\r\nContent-Length: ", #body, "\r\n\r\n", body)
  end
end

--- Returns a function for `it` that calls `f(get, failures)` while a server
--- runs. `get(...)` is what curl says with these words before the URLs;
--- `failures` are the errors of the server's connections.
local function browsed(more, f)
  return function()
    tools.needed "curl"
    secure.served(more, function(ev, server, port)
      local failures = {}
      local _ <close> = ev:start(aw.Serve(server, web, function(_, err)
        failures[#failures + 1] = err
      end), nil, { grace = 0.001 })
      local function get(words, ...)
        local command = { "curl", "-sS", "--max-time", "100" }
        table.move(words, 1, #words, #command + 1, command)
        for _, path in ipairs { ... } do
          command[#command + 1] = ("https://localhost:%d%s"):format(port, path)
        end
        return aw.exec(command)
      end
      f(get, failures, port)
    end)()
  end
end

local function trusting(...)
  return { "--cacert", certificates.file "ca", ... }
end

--- Await a failure of the server's side, and check it.
local function assert_failed(failures, code)
  helper.wait_until(function()
    return failures[1]
  end)
  return secure.assert_tls(code, table.remove(failures, 1))
end

describe("curl, of a server with TLS,", function()
  it("gets a page", browsed(nil, function(get, failures)
    local r = get(trusting(), "/page")
    assert.are.equal("/page\n", r.out, r.err)
    assert.are.equal(0, #failures)
  end))

  it("gets a page over each version", browsed(nil, function(get)
    for _, version in ipairs { "1.2", "1.3" } do
      local r = get(trusting("-v", "--tls-max", version, "--tlsv" .. version),
        "/page")
      assert.are.equal("/page\n", r.out, r.err)
      texts.contains(r.err, "SSL connection using TLSv" .. version)
    end
  end))

  it("gets many pages in one connection", browsed(nil, function(get)
    local r = get(trusting "-v", "/[1-20]")
    local _, again = r.err:gsub("Re%-using existing connection", "")
    assert.are.equal(19, again)
    texts.contains(r.out, "/20\n")
  end))

  it("gets and sends a lot", browsed(nil, function(get)
    assert.are.equal(LARGE, #get(trusting(), "/large").out)
    local path = certificates.path("upload", ("y"):rep(LARGE))
    local r = get(trusting("-X", "POST", "--data-binary", "@" .. path), "/up")
    assert.are.equal(("y"):rep(LARGE), r.out)
  end))

  it("chooses a protocol", browsed({ alpn = { "http/1.1" } },
    function(get)
      local r = get(trusting "-v", "/page")
      assert.are.equal("/page\n", r.out)
      texts.contains(r.err, "server accepted http/1.1")
    end))

  it("shows its certificate", browsed(function()
    return { ca = certificates.file "ca" }
  end, function(get, failures)
    local r = get(trusting("--cert", certificates.client.cert, "--key",
      certificates.client.key), "/page")
    assert.are.equal("/page\n", r.out, r.err)
    r = get(trusting(), "/page")
    assert.is_false(r.ok)
    assert_failed(failures, "PEER_DID_NOT_RETURN_A_CERTIFICATE")
  end))

  it("refuses a server that it does not know", browsed(nil,
    function(get, failures)
      local r = get({}, "/page")
      assert.are.equal(60, r.code, r.err)
      local err = assert_failed(failures, "TLSV1_ALERT_UNKNOWN_CA")
      assert.is_true(err.from_peer)
    end))

  it("refuses one whose certificate has expired", browsed(function()
    return certificates.expired
  end, function(get, failures)
    local r = get(trusting(), "/page")
    assert.are.equal(60, r.code, r.err)
    assert_failed(failures, "SSLV3_ALERT_CERTIFICATE_EXPIRED")
    assert.are.equal("/page\n", get({ "-k" }, "/page").out)
  end))

  it("refuses one of another name", browsed(function()
    return certificates.elsewhere
  end, function(get)
    local r = get(trusting(), "/page")
    assert.are.equal(60, r.code, r.err)
    assert.are.equal("/page\n", get({ "-k" }, "/page").out)
  end))

  it("gets a certificate by the name of a host", browsed(function()
    return { hosts = { ["first.test"] = certificates.first } }
  end, function(_, _, port)
    local r = aw.exec { "curl", "-sS", "--max-time", "100", "--cacert",
      certificates.file "ca", "--connect-to",
      "first.test:443:127.0.0.1:" .. port, "https://first.test/page" }
    assert.are.equal("/page\n", r.out, r.err)
  end))

  it("is refused with an old version", browsed(nil, function(get, failures)
    local r = get(trusting("--tls-max", "1.1", "--tlsv1.0", "--ciphers",
      "DEFAULT@SECLEVEL=0"), "/page")
    assert.are.equal(35, r.code, r.err)
    assert_failed(failures, "UNSUPPORTED_PROTOCOL")
    assert.are.equal("/page\n", get(trusting(), "/page").out)
  end))

  it("is told from one that speaks plain HTTP", browsed(nil,
    function(get, failures, port)
      local r = aw.exec { "curl", "-sS", "--max-time", "100",
        ("http://localhost:%d/"):format(port) }
      assert.is_false(r.ok)
      assert_failed(failures, "HTTP_REQUEST")
      assert.are.equal("/page\n", get(trusting(), "/page").out)
    end))
end)
