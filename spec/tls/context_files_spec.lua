-- Certificates, keys and lists of revoked certificates: what is read from files
-- and from text, and what is told of those that are wrong.

local aw = require "aiowire"
local certificates = require "spec.support.certificates"
local helper = require "spec.support.helper"
local process = require "spec.support.process"
local secure = require "spec.support.secure"
local texts = require "spec.support.texts"

local HERE <const> = "spec/tls/context_files_spec.lua"

local function listen(options)
  local server <close> = aw.tls.listen("127.0.0.1", 0, options)
  return tostring(server)
end

--- Returns the options of a server that asks for certificates, with these.
local function with(name, value)
  return secure.server { ca = certificates.file "ca", [name] = value }
end

--- Returns the output of a command of openssl, run in the folder.
local function openssl(command)
  local folder = process.quoted(certificates.path ".")
  local outcome = process.run(("cd %s && openssl %s"):format(folder, command))
  assert.are.equal(0, outcome.code, outcome.err)
  return outcome.out
end

--- Check the error of a file, for each option that names one: its class, its
--- fields and its text.
local function assert_told(path, code, detail, names)
  for _, name in ipairs(names or { "ca", "crl", "cert", "key" }) do
    local err = helper.caught(listen, with(name, path))
    assert.are.equal(code, err.code, tostring(err))
    assert.are.equal("listen", err.call)
    assert.are.equal(path, err.about)
    local text = tostring(err)
    texts.contains(text, HERE)
    texts.contains(text, ("listen '%s': "):format(path))
    texts.contains(text, detail)
    certificates.assert_hidden(text)
  end
end

local function tls_error(code)
  return code .. ": "
end

describe("a file of TLS", function()
  it("that is missing is a SystemError that names it", secure.fact(function()
    assert_told(certificates.path "missing.pem", "ENOENT", "no such file")
    assert_told(certificates.path "missing/x.pem", "ENOENT", "no such file")
  end))

  it("that is empty is told so", secure.fact(function()
    assert_told(certificates.path("empty.pem", ""), "NO_START_LINE",
      tls_error "NO_START_LINE" .. "the file is empty")
  end))

  it("of ten million bytes of garbage is told so", secure.fact(function()
    local random = ("\0\1\255garbage -----BEGIN\n"):rep(10000000 // 20)
    local path = certificates.path("garbage.pem", random)
    assert_told(path, "NO_START_LINE", "in PEM")
  end))

  it("in DER is told so", secure.fact(function()
    certificates.file "server"
    openssl "x509 -in server.pem -outform DER -out server.der"
    assert_told(certificates.path "server.der", "NO_START_LINE",
      "is the file DER?")
  end))

  it("of another kind is told so", secure.fact(function()
    local cert, key = certificates.file "server", certificates.file "server.key"
    assert_told(key, "NO_START_LINE", "no certificate in PEM",
      { "cert", "ca" })
    assert_told(cert, "NO_START_LINE", "no private key in PEM", { "key" })
    assert_told(cert, "NO_START_LINE", "no CRL in PEM", { "crl" })
  end))

  it("with a broken block is told so", secure.fact(function()
    local whole = certificates.text "server"
    local path = certificates.path("broken.pem", (whole:gsub("MII", "M!!")))
    assert_told(path, "BAD_BASE64_DECODE", "BAD_BASE64", { "cert", "ca" })
    path = certificates.path("half.pem", whole:sub(1, #whole // 2))
    assert_told(path, "BAD_END_LINE", "BAD_END_LINE", { "cert", "ca" })
  end))

  it("that ends in a broken block is not half taken", secure.fact(function()
    local whole = certificates.text "ca"
    local path = certificates.path("tail.pem", whole .. whole:sub(1, 200))
    assert_told(path, "BAD_END_LINE", "BAD_END_LINE", { "ca" })
    assert_told(certificates.path("tail2.pem", certificates.text "server"
      .. whole:sub(1, 200)), "BAD_END_LINE", "BAD_END_LINE", { "cert" })
  end))

  it("is no folder, device or FIFO, for which it would wait", secure.fact(
    function()
      local folder = certificates.file "folder"
      assert_told(folder, "EISDIR", "directory", { "cert", "key", "crl" })
      assert_told("/dev/zero", "EINVAL", "invalid argument")
      local fifo = certificates.path "fifo"
      os.execute("mkfifo " .. process.quoted(fifo))
      assert_told(fifo, "EINVAL", "invalid argument")
    end))

  it("that must not be read is told so", secure.fact(function()
    local drop = process.run("id -u").out == "0\n"
      and "setpriv --reuid=65534 --clear-groups " or ""
    local outcome = process.run("chmod 755 .; chmod 644 s.lua; "
      .. "cp cert.pem key.pem; chmod 644 cert.pem; chmod 0 key.pem; "
      .. "mkdir closed; chmod 0 closed; exec " .. drop .. "$aiowire s.lua", {
      ["cert.pem"] = certificates.text "server"
        .. certificates.text "server.key",
      ["s.lua"] = [[
        local aw = require "aiowire"
        for name, path in pairs { key = "key.pem", ca = "closed" } do
          local options = { cert = "cert.pem", key = "cert.pem", [name] = path }
          local _, err = pcall(aw.tls.listen, "127.0.0.1", 0, options)
          assert(err.code == "EACCES" and err.about == path, err)
        end
        print "told"
      ]] })
    if drop ~= "" and outcome.err:find "setpriv" then
      helper.pending "only root can become another user"
    end
    process.assert_outcome("told\n", 0, outcome)
  end))

  it("may have other blocks and text around", secure.fact(function()
    local cert, key = certificates.text "server", certificates.text "server.key"
    local both = certificates.path("both_kinds.pem", "a comment\n" .. key
      .. "another\n" .. cert .. "the end")
    texts.contains(listen { cert = both, key = both, ca = both }, "tls ")
    local parameters = openssl "ecparam -name prime256v1"
    texts.contains(listen { cert = cert, key = parameters .. key }, "tls ")
  end))

  it("may have the forms that openssl has written for keys", secure.fact(
    function()
      certificates.file "server"
      local old = openssl "ec -in server.key"
      texts.contains(old, "EC PRIVATE KEY")
      texts.contains(listen(with("key", old)), "tls ")
      local locked = openssl "ec -in server.key -aes128 -passout pass:word"
      texts.contains(locked, "Proc-Type: 4,ENCRYPTED")
      local options = with("key", locked)
      assert.are.equal("BAD_PASSWORD_READ", helper.caught(listen, options).code)
      options.password = "wrong"
      assert.are.equal("BAD_DECRYPT", helper.caught(listen, options).code)
      options.password = "word"
      texts.contains(listen(options), "tls ")
    end))
end)

describe("an encrypted key", function()
  local function locked(password)
    return { cert = certificates.file "locked",
      key = certificates.file "locked.key", password = password }
  end

  it("needs a password, and the right one", secure.fact(function()
    local err = secure.assert_tls("BAD_PASSWORD_READ", helper.caught(listen,
      locked()), "the key is encrypted and needs a password", "locked.key'")
    assert.are.equal(certificates.file "locked.key", err.about)
    for _, password in ipairs { "", "wrong", "a\0b", ("x"):rep(5000) } do
      err = secure.assert_tls("BAD_DECRYPT", helper.caught(listen,
        locked(password)), "the password of the key is wrong", "locked.key'")
      assert.are.equal(certificates.file "locked.key", err.about)
    end
  end))

  it("has its own password for each host", secure.fact(function()
    texts.contains(listen(secure.server { hosts = {
      ["locked.test"] = locked(certificates.PASSWORD) } }), "tls ")
    secure.assert_tls("BAD_PASSWORD_READ", helper.caught(listen,
      secure.server { hosts = { ["locked.test"] = locked() } }), "locked.key'")
  end))
end)

describe("a key of another certificate", function()
  it("is told with both files", secure.fact(function()
    for _, other in ipairs { "first.key", "rsa.key" } do
      secure.assert_tls("KEY_VALUES_MISMATCH", helper.caught(listen,
        with("key", certificates.file(other))),
        "not the key of " .. certificates.file "server",
        ("listen '%s'"):format(certificates.file(other)))
    end
  end))

  it("is told as text, without the text", secure.fact(function()
    local err = secure.assert_tls("KEY_VALUES_MISMATCH", helper.caught(listen, {
      cert = certificates.text "server", key = certificates.text "first.key" }),
      "listen 'PEM text of key': ", "not the key of PEM text of cert")
    assert.are.equal("PEM text of key", err.about)
    certificates.assert_hidden(tostring(err))
  end))
end)

describe("a folder of authorities", function()
  it("needs hashed names", secure.fact(function()
    local path = certificates.path "unhashed"
    os.execute(("mkdir -p %s && cp %s %s"):format(process.quoted(path),
      process.quoted(certificates.file "ca"), process.quoted(path)))
    assert_told(path, "NO_CERTIFICATES", "openssl-rehash(1)", { "ca" })
  end))

  it("may be beside files and texts, each of which is checked", secure.fact(
    function()
      local folder, text = certificates.file "folder",
        certificates.text "other_ca"
      texts.contains(listen(with("ca", { folder, text })), "tls ")
      local list = { text, folder, "/nowhere" }
      local err = helper.caught(listen, with("ca", list))
      assert.are.equal("ENOENT", err.code)
      assert.are.equal("/nowhere", err.about)
    end))
end)

describe("the authority that a client names", function()
  it("may be the one between, or the certificate itself", secure.served(
    function() return certificates.chained end, function(_, server)
      for _, name in ipairs { "between", "chained" } do
        assert.is_nil((secure.try(server, { ca = certificates.file(name) })))
      end
    end))
end)

describe("the options of a host", function()
  it("are told with its name", secure.fact(function()
    local first <const> = certificates.file "first"
    for text, hosts in pairs {
      ["bad option 'hosts.a.test.cert' (it needs 'key', too)"] =
        { ["a.test"] = { cert = first } },
      ["bad option 'hosts.a.test.key' (path or PEM text expected, got number)"]
        = { ["a.test"] = { cert = first, key = 1 } },
      ["bad option 'hosts' (only 'cert', 'key' and 'password' expected for "
        .. "'a.test')"] = { ["a.test"] = { alpn = {} } },
      ["bad option 'hosts' (names as keys expected)"] = { certificates.first },
      ["bad option 'hosts' ('*.*.test' is neither a name nor"] =
        { ["*.*.test"] = certificates.first },
      ["bad option 'hosts' ('a.test' is there twice)"] =
        { ["a.test"] = certificates.first, ["A.TEST."] = certificates.second },
    } do
      helper.raises(text, listen, secure.server { hosts = hosts })
    end
  end))
end)
