-- OpenSSL that cannot be used. It is opened at first use, so each script runs
-- in a process of its own.

local helper = require "spec.support.helper"
local process = require "spec.support.process"
local secure = require "spec.support.secure"

local program = helper.in_host and "$aiowire" or "$lua"

--- Check what the script prints, which begins with `aw`.
---
---   environment  as "NAME=value"
local function prints(expected, environment, text, files)
  files["s.lua"] = "local aw = require 'aiowire'\n" .. text
  local outcome = process.run(("exec env %s %s s.lua"):format(environment,
    program), files)
  process.assert_exit(0, outcome)
  assert.are.equal(expected, outcome.out)
end

describe("OpenSSL that cannot be opened", function()
  it("is an error of what needs it, and says why", function()
    secure.needed()
    prints("NO_OPENSSL\ttrue\ttrue\nNO_OPENSSL\tlisten\n",
      "LD_LIBRARY_PATH=.", [[
      aw.run(function()
        local _, e = pcall(aw.tls.connect, "localhost", 1)
        print(e.code, aw.is_tls_error(e), e.reason:find "libssl3" ~= nil)
        _, e = pcall(aw.tls.listen, "localhost", 0, { cert = "c", key = "k" })
        print(e.code, e.call)
      end)
    ]], { ["libssl.so.3"] = "no library" })
  end)

  it("does no harm to a program without TLS", function()
    prints("nil\n", "LD_LIBRARY_PATH=.", [[
      aw.run(function()
        local server <close> = aw.tcp.listen("127.0.0.1", 0)
        local s <close> = aw.tcp.connect(server:name())
        print(s:tls())
      end)
    ]], { ["libssl.so.3"] = "no library" })
  end)
end)

describe("OpenSSL without algorithms", function()
  it("fails with its own reason", function()
    secure.needed()
    prints("LIBRARY_HAS_NO_CIPHERS\nLIBRARY_HAS_NO_CIPHERS\n",
      "OPENSSL_CONF=o.cnf", [[
      aw.run(function()
        local _, e = pcall(aw.tls.listen, "localhost", 0,
          { cert = "c", key = "k" })
        print(e.code)
        _, e = pcall(aw.tls.connect, "localhost", 1)
        print(e.code)
      end)
    ]], { ["o.cnf"] = [[
openssl_conf = init
[init]
providers = list
[list]
base = base
[base]
activate = 1
]] })
  end)
end)
