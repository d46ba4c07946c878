-- No key and no password is in the text of an error, of an object, or of a
-- dump, in whatever way a connection fails.

local aw = require "aiowire"
local certificates = require "spec.support.certificates"
local helper = require "spec.support.helper"
local process = require "spec.support.process"
local secure = require "spec.support.secure"
local texts = require "spec.support.texts"

--- Returns all that a person may see of an error: its text, its fields, and its
--- info.
local function shown(err, info)
  local list = { tostring(err), tostring(info) }
  if type(err) ~= "string" then
    for _, name in ipairs { "message", "code", "reason", "call", "about",
      "certificate", "where" } do
      list[#list + 1] = tostring(err[name])
    end
  end
  return table.concat(list, "\n")
end

--- Returns the error of `f(...)`, in which no secret is seen.
local function hidden(f, ...)
  local seen
  local arguments = table.pack(...)
  aw.await(aw.Call(function()
    f(table.unpack(arguments, 1, arguments.n))
  end):catch(function(err, info)
    seen = err
    certificates.assert_hidden(shown(err, info))
  end))
  assert.is_not_nil(seen, "no error was raised")
  return seen
end

local function listen(options)
  aw.tls.listen("127.0.0.1", 0, options):close()
end

describe("the error of a bad certificate or key", function()
  it("has no secret, and names the file [X28]", secure.fact(function()
    local file, text = certificates.file, certificates.text
    local err = hidden(listen, { cert = file "server",
      key = file "first.key" })
    assert.is_true(aw.is_tls_error(err), tostring(err))
    for _, options in ipairs {
      { cert = file "server.key", key = file "server.key" },
      { cert = text "server.key", key = text "server.key" },
      { cert = text "server", key = text "first.key" },
      { cert = text "server.key", key = text "server" },
      { cert = text "server", key = text "locked.key" },
      { cert = text "server", key = text "locked.key", password = "wrong" },
      { cert = text "server", key = text "server.key", ca = text "first.key" },
      { cert = text "server", key = text "server.key",
        crl = text "first.key" },
      { cert = text "server", key = text "server.key":sub(1, 150) },
      { cert = text "server", key = text "server.key":gsub("A", "!") },
      { cert = text "server", key = text "server.key":gsub("%-+[^\n]+", "") },
      { cert = text "server", key = text "server.key", host = 1 },
      { cert = text "server", key = { text "server.key" } },
      { cert = text "server", key = text "server.key",
        password = { certificates.PASSWORD } },
      { cert = text "server", keys = text "server.key" },
      { cert = text "server", [text "server.key"] = 1 },
    } do
      err = hidden(listen, options)
      assert.is_truthy(err)
    end
  end))

  it("has the path, for a file", secure.fact(function()
    local path = certificates.path("garbage.pem", "no certificate\n")
    local err = hidden(listen, { cert = path,
      key = certificates.server.key })
    texts.contains(tostring(err), path)
    assert.is_true(aw.is_tls_error(err), tostring(err))
    err = hidden(listen, { cert = certificates.server.cert, key = path })
    texts.contains(tostring(err), path)
    err = hidden(listen, { cert = "/no/such/file",
      key = certificates.server.key })
    texts.contains(tostring(err), "/no/such/file")
  end))
end)

describe("a key that is encrypted", function()
  it("is opened by its password", secure.fact(function()
    for _, how in ipairs { certificates.file, certificates.text } do
      local server <close> = secure.listen { cert = how "locked",
        key = how "locked.key", password = certificates.PASSWORD }
      assert.is_nil((secure.try(server)))
    end
  end))

  it("is a TLSError without the right one, and nobody is asked",
    secure.fact(function()
      for _, password in ipairs { "", "wrong", ("x"):rep(2000) } do
        local err = hidden(listen, { cert = certificates.file "locked",
          key = certificates.file "locked.key", password = password })
        assert.is_true(aw.is_tls_error(err), tostring(err))
      end
      -- A prompt would go to the terminal of the program.
      local outcome = process.run("exec setsid script -qec '$aiowire s.lua' "
        .. "/dev/null </dev/null", { ["s.lua"] = ([[
          local aw = require "aiowire"
          local ok, err = pcall(aw.tls.listen, "127.0.0.1", 0,
            { cert = %q, key = %q })
          print(ok, aw.is_tls_error(err))
        ]]):format(certificates.file "locked",
          certificates.file "locked.key") })
      if outcome.code == 127 then
        helper.pending "script is not installed"
      end
      assert.are.equal("false\ttrue\r\n", outcome.out)
    end))
end)

describe("objects with a key", function()
  it("do not show it", secure.served(function()
    return { key = certificates.text "server.key",
      cert = certificates.text "server" }
  end, function(ev, server)
    local client, accepted = secure.meet(server, {
      cert = certificates.text "client", key = certificates.text "client.key" })
    local _ <close> = secure.closing(client, accepted)
    local reader <close> = helper.waiting(ev, aw.Call(client.read, client))
    for _, value in ipairs { client, accepted, server, aw.Serve(server, print),
      aw.Call(aw.tls.connect, "localhost", 1, { cert = "c",
        key = certificates.text "client.key" }) } do
      certificates.assert_hidden(tostring(value))
    end
    certificates.assert_hidden(ev:dump())
    local list = {}
    for _, s in ipairs { client, accepted } do
      for name, value in pairs(s:tls()) do
        list[#list + 1] = name .. "=" .. tostring(value)
      end
      for name, value in pairs(s:tls().certificate or {}) do
        list[#list + 1] = name .. "=" .. tostring(value)
      end
    end
    certificates.assert_hidden(table.concat(list, "\n"))
    assert.are.equal("waiting", reader.status)
  end))
end)

describe("a failing program", function()
  it("shows no key in what it prints", secure.fact(function()
    local outcome = process.host(([[
      local aw = require "aiowire"
      local key = %q
      local function listen(options)
        return aw.tls.listen("127.0.0.1", 0, options)
      end
      listen { cert = %q, key = key }
    ]]):format(certificates.text "first.key", certificates.text "server"))
    assert.are.equal(1, outcome.code)
    texts.contains(outcome.err, "KEY_VALUES_MISMATCH")
    certificates.assert_hidden(outcome.err)
  end))
end)
