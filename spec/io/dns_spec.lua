-- Names of hosts: what needs no look-up, and what bad names get [X11, X14].
-- Look-ups that hang are in spec/io/lookup_spec.lua.

local aw = require "aiowire"
local helper = require "spec.support.helper"

local raises, run = helper.raises, helper.run

describe("aw.dns.resolve", function()
  it("returns numbers as they are, at once and outside of tasks [X11, X14]",
    function()
      helper.outside(function()
        assert.are.same({ { address = "127.0.0.1", family = "inet",
          port = 0 } }, aw.dns.resolve "127.0.0.1")
        assert.are.same({ { address = "::1", family = "inet6", port = 80 } },
          aw.dns.resolve("0:0::1", { port = 80 }))
        assert.are.same({ { address = "fe80::1%lo", family = "inet6",
          port = 0 } }, aw.dns.resolve "fe80::1%lo")
      end)
    end)

  it("knows localhost without a look-up [X11, X14]", function()
    helper.outside(function()
      local six = { address = "::1", family = "inet6", port = 7 }
      local four = { address = "127.0.0.1", family = "inet", port = 7 }
      assert.are.same({ four, six }, aw.dns.resolve("localhost", { port = 7 }))
      assert.are.same({ four },
        aw.dns.resolve("LOCALHOST", { port = 7, family = "inet" }))
      assert.are.same({ six },
        aw.dns.resolve("localhost.", { port = 7, family = "inet6" }))
    end)
  end)

  it("looks the name of this machine up [X14]", function()
    run(function()
      local file <close> = assert(io.open "/proc/sys/kernel/hostname")
      local ok, list = pcall(aw.dns.resolve, file:read "l", { port = 80 })
      if not ok then
        helper.pending "this machine does not know its own name"
      end
      assert.is_true(#list > 0)
      for _, found in ipairs(list) do
        assert.are.equal(80, found.port)
        assert.are.equal(found.address,
          aw.dns.resolve(found.address)[1].address)
      end
    end)
  end)

  it("raises EAI_NONAME about a name that is not found [X14]", function()
    run(function()
      local err = raises("dns_spec.lua:", function()
        aw.dns.resolve "no such host"
      end)
      assert.are.equal("EAI_NONAME", err.code)
      assert.are.equal("resolve", err.call)
      assert.are.equal("no such host", err.about)
      err = raises("127.0.0.1", aw.dns.resolve, "127.0.0.1",
        { family = "inet6" })
      assert.are.equal("EAI_ADDRFAMILY", err.code)
    end)
  end)

  it("refuses what can be no name [X14]", function()
    run(function()
      assert.are.equal("EAI_NONAME",
        raises("resolve ''", aw.dns.resolve, "").code)
      assert.are.equal("EAI_NONAME",
        raises("resolve '*'", aw.dns.resolve, "*").code)
      assert.are.equal("EINVAL",
        raises("zero byte", aw.dns.resolve, "a\0b").code)
      assert.are.equal("ENAMETOOLONG",
        raises("300 bytes", aw.dns.resolve, ("a"):rep(300)).code)
      raises("bad argument #1 to 'resolve'", aw.dns.resolve)
      raises("unknown option 'prot'", aw.dns.resolve, "x", { prot = 1 })
      raises("65535", aw.dns.resolve, "x", { port = 70000 })
      raises("\"inet\" or \"inet6\" expected", aw.dns.resolve, "x",
        { family = "ipx" })
    end)
  end)

  it("cannot look a name up outside of a task [C11]", function()
    helper.outside(raises, "cannot await outside a task", aw.dns.resolve,
      "no such host")
  end)
end)

describe("aw.dns.reverse", function()
  it("returns the name of an address [X14]", function()
    run(function()
      local ok, name = pcall(aw.dns.reverse, "127.0.0.1")
      if not ok then
        helper.pending "127.0.0.1 has no name here"
      end
      assert.are.equal("string", type(name))
    end)
  end)

  it("raises about an address without a name [X14]", function()
    run(function()
      local err = raises("reverse '192.0.2.77'", aw.dns.reverse, "192.0.2.77")
      assert.is_truthy(err.code:find "^EAI_", err.code)
      assert.are.equal("reverse", err.call)
    end)
  end)

  it("refuses what is no address [X14]", function()
    run(function()
      raises("bad argument #1 to 'reverse' (address", aw.dns.reverse,
        "example.org")
      raises("bad argument #1 to 'reverse'", aw.dns.reverse, {})
    end)
  end)
end)
