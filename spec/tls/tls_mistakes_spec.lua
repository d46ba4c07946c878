-- Wrong arguments and options of TLS: told at once, at the caller's line.

local aw = require "aiowire"
local certificates = require "spec.support.certificates"
local helper = require "spec.support.helper"
local places = require "spec.support.places"
local secure = require "spec.support.secure"
local socketpairs = require "spec.support.socketpairs"
local texts = require "spec.support.texts"

local HERE <const> = "spec/tls/tls_mistakes_spec.lua"

-- Calls with these options. Each fails before it does anything.
local callers = {}

function callers.connect(o)
  return aw.tls.connect("127.0.0.1", 1, o), nil
end

function callers.listen(o)
  return aw.tls.listen("127.0.0.1", 0, o), nil
end

function callers.starttls(o)
  local s, other = socketpairs.pair "tcp"
  local _ <close> = secure.closing(s, other)
  return s:starttls(o), nil
end

function callers.reload(o)
  local server <close> = aw.tls.listen("127.0.0.1", 0, secure.server())
  return server:reload(o), nil
end

--- Returns the text of the error, without its place, which must be a line of
--- this file.
local function text_of(name, options)
  local err = tostring(helper.caught(callers[name], options))
  local info = debug.getinfo(callers[name], "S")
  local file, line, text = err:match "^(.-):(%d+): (.*)$"
  assert.are.equal(HERE, file, err)
  line = tonumber(line)
  assert.is_true(line >= info.linedefined and line <= info.lastlinedefined, err)
  certificates.assert_hidden(err)
  return text
end

local function with(more)
  return secure.server(more)
end

--- Returns options of a server with this one, and those that it needs.
local function whole(name, value)
  return with { ca = name == "crl" and certificates.file "ca" or nil,
    [name] = value }
end

describe("an option that is not there", function()
  local names <const> = { verfy = "verify", certt = "cert", hosts_ = "hosts",
    pasword = "password", alnp = "alpn", handshaketimeout = "handshake_timeout",
    nodely = "nodelay", max_lin = "max_line" }

  for _, name in ipairs { "connect", "listen" } do
    it("is refused by " .. name .. ", which names the nearest", secure.fact(
      function()
        for wrong, right in pairs(names) do
          if name ~= "connect" or right ~= "hosts" then
            texts.contains(text_of(name, with { [wrong] = 1 }),
              ("unknown option '%s', did you mean '%s'?"):format(wrong, right))
          end
        end
      end))
  end

  it("is refused by starttls and reload", secure.fact(function()
    texts.contains(text_of("starttls", { verfy = false }),
      "unknown option 'verfy', did you mean 'verify'?")
    texts.contains(text_of("reload", with { kye = "x" }),
      "unknown option 'kye', did you mean 'key'?")
    texts.contains(text_of("reload", { backlog = 1 }),
      "unknown option 'backlog'")
    texts.contains(text_of("starttls", { timeout = 1 }),
      "unknown option 'timeout'")
  end))

  it("is refused if it is one of the other side", secure.fact(function()
    texts.contains(text_of("connect", { hosts = {} }), "hosts")
    texts.contains(text_of("listen", with { host = "x" }), "host")
    texts.contains(text_of("listen", with { server = true }), "server")
  end))
end)

-- An option, a wrong value, and a part of the message.
local wrong <const> = {
  { "ca", 1 }, { "ca", true }, { "ca", { 1 } }, { "ca", {} },
  { "crl", 1 }, { "crl", {} }, { "cert", 1 }, { "cert", {} },
  { "key", 1 }, { "key", {} }, { "password", {} }, { "password", 1 },
  { "alpn", "h2" }, { "alpn", { "" } }, { "alpn", { ("x"):rep(256) } },
  { "alpn", { 1 } }, { "alpn", { "h2", n = 1 } },
  { "verify", "yes" }, { "verify", 1 }, { "verify", {} },
  { "handshake_timeout", "1" }, { "handshake_timeout", -1 },
  { "handshake_timeout", 0 / 0 }, { "handshake_timeout", {} },
}

describe("a wrong value of an option", function()
  for _, case in ipairs(wrong) do
    local name, value = case[1], case[2]
    it(("'%s', %s, is refused"):format(name, type(value) == "table" and "a list"
      or tostring(value):sub(1, 10)), secure.fact(function()
      for _, caller in ipairs { "connect", "listen" } do
        texts.contains(text_of(caller, with { [name] = value }),
          ("bad option '%s'"):format(name))
      end
    end))
  end

  it("'host' is refused", secure.fact(function()
    for _, value in ipairs { 1, {}, "", "a\0b", ("x"):rep(300) } do
      texts.contains(text_of("connect", { host = value }), "bad option 'host'")
    end
  end))

  it("'host' is refused with a port, and as a URL", secure.fact(function()
    for _, value in ipairs { "localhost:443", "https://localhost", "[::1]",
      "a b", "a/b" } do
      texts.contains(text_of("connect", { host = value }),
        ("without a port, got '%s'"):format(value))
    end
  end))

  it("'hosts' names the name that is none", secure.fact(function()
    for _, name in ipairs { "*", "*.*.example", "a*.example", "*.." } do
      texts.contains(text_of("listen", with { hosts = {
        [name] = certificates.first } }), ("'%s' is neither"):format(name))
    end
  end))

  it("'hosts' is refused", secure.fact(function()
    for _, value in ipairs { 1, "x", { "x" }, { a = 1 },
      { a = { cert = certificates.first.cert } }, { [1] = certificates.first },
      { a = { cert = certificates.first.cert, key = certificates.first.key,
        alpn = { "h2" } } } } do
      texts.contains(text_of("listen", with { hosts = value }), "hosts")
    end
  end))

  it("'verify' of a server is refused without authorities", secure.fact(
    function()
      texts.contains(text_of("listen", with { verify = "optional" }), "ca")
      texts.contains(text_of("connect", { verify = "optional" }),
        "bad option 'verify'")
    end))
end)

describe("a server with TLS", function()
  it("needs a certificate and a key", secure.fact(function()
    texts.contains(text_of("listen", nil), "cert")
    texts.contains(text_of("listen", {}), "cert")
    texts.contains(text_of("listen", { cert = certificates.server.cert }),
      "key")
    texts.contains(text_of("listen", { key = certificates.server.key }),
      "cert")
  end))

  it("needs files that are there, and that hold what they should",
    secure.fact(function()
      local missing = "/no/such/file.pem"
      for _, name in ipairs { "ca", "crl", "cert", "key" } do
        texts.contains(text_of("listen", whole(name, missing)), missing)
      end
      local garbage = certificates.path("rubbish.pem", "garbage\n")
      for _, name in ipairs { "ca", "crl", "cert", "key" } do
        texts.contains(text_of("listen", whole(name, garbage)), garbage)
      end
      local empty = certificates.path("empty.pem", "")
      for _, name in ipairs { "ca", "crl", "cert", "key" } do
        texts.contains(text_of("listen", whole(name, empty)), empty)
      end
      local folder = certificates.file "folder"
      for _, name in ipairs { "cert", "key" } do
        texts.contains(text_of("listen", with { [name] = folder }), folder)
      end
    end))

  it("needs texts that hold what they should", secure.fact(function()
    local broken <const> = "-----BEGIN CERTIFICATE-----\nAAAA\n"
      .. "-----END CERTIFICATE-----\n"
    for _, name in ipairs { "ca", "crl", "cert", "key" } do
      local err = helper.caught(callers.listen, whole(name, broken))
      assert.is_true(aw.is_tls_error(err), name .. ": " .. tostring(err))
      texts.contains(tostring(err), HERE)
    end
    local err = helper.caught(callers.listen, with { cert = certificates.text
      "server" .. broken })
    assert.is_true(aw.is_tls_error(err), tostring(err))
  end))
end)

describe("the files of a client", function()
  it("are read before anything is connected", secure.fact(function()
    for _, name in ipairs { "ca", "crl", "cert", "key" } do
      texts.contains(text_of("connect", { ca = certificates.file "ca",
        cert = certificates.client.cert, key = certificates.client.key,
        [name] = "/no/such/file.pem" }), "/no/such/file.pem")
    end
  end))
end)

describe("wrong arguments", function()
  it("are those of aw.tcp", secure.fact(function()
    helper.raises("bad argument #1 to 'connect'", aw.tls.connect)
    helper.raises("bad argument #1 to 'connect'", aw.tls.connect, {}, 1)
    helper.raises("bad argument #2 to 'connect'", aw.tls.connect, "x")
    helper.raises("0 to 65535", aw.tls.connect, "x", 70000)
    helper.raises("bad argument #3 to 'connect'", aw.tls.connect, "x", 1, 1)
    helper.raises("bad argument #3 to 'listen'", aw.tls.listen, "x", 1, 1)
    helper.raises("0 to 65535", aw.tls.listen, "127.0.0.1", -1, with())
    helper.raises("bad argument #1 to 'listen' (string expected", aw.tls.listen,
      true, 1, with())
    helper.raises("bad argument #2 to 'listen' (number expected", aw.tls.listen,
      8443, with())
    helper.raises("host and port are two arguments", aw.tls.listen, 8443)
    local a, b = socketpairs.pair "tcp"
    local _ <close> = secure.closing(a, b)
    helper.raises("bad argument #1 to 'starttls'", function()
      a:starttls(1)
    end)
    helper.raises("bad argument", a.handshake, {})
    helper.raises("bad argument", b.tls, {})
    local server <close> = secure.listen()
    helper.raises("bad argument #1 to 'reload'", function()
      server:reload "x"
    end)
  end))

  it("await in a task only", function()
    secure.needed()
    helper.outside(function()
      helper.raises("cannot await outside a task", aw.tls.connect, "127.0.0.1",
        1, secure.client())
    end)
  end)

  it("of is_tls_error are no TLSErrors", function()
    for _, value in ipairs { 1, "x", {}, print, true } do
      assert.is_false(aw.is_tls_error(value))
    end
    assert.is_false(aw.is_tls_error(nil))
  end)

  it("are told at the line of the caller", secure.fact(function()
    local line
    local err = helper.caught(function()
      line = places.line() + 1
      aw.tls.connect("127.0.0.1", 1, { verfy = 1 })
    end)
    texts.contains(tostring(err), ("%s:%d: "):format(HERE, line))
  end))
end)
