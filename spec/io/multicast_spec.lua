-- Groups of multicast, and broadcast, on the loopback interface [X22].

local aw = require "aiowire"
local helper = require "spec.support.helper"

local raises, run = helper.raises, helper.run
local GROUP <const> = "239.77.5.1"

--- Returns a socket that is in GROUP and its port. Ends the test as pending
--- where the machine has no multicast on the interface. nil: the system chooses
--- one.
local function member(interface)
  local u = aw.udp.bind("", 0, { interface = interface, ttl = 1 })
  local _, port = u:name()
  if not pcall(u.join, u, GROUP, interface)
    or not pcall(u.send, u, "first", GROUP, port)
    or not aw.await(aw.Recv(u) | aw.Sleep(5)) then
    u:close()
    helper.pending("no multicast on the interface " .. (interface or "chosen"))
  end
  return u, port
end

describe("a UDP socket in a group of multicast", function()
  it("receives what is sent to the group, until it leaves [X22]", function()
    run(function()
      local u <close>, port = member "lo"
      local other <close> = aw.udp.bind("127.0.0.1", 0)
      other:send("to all", GROUP, port)
      assert.are.equal("to all", (u:recv()))
      assert.are.equal(u, u:leave(GROUP, "lo"))
      pcall(other.send, other, "to nobody", GROUP, port)
      other:send("to one", "127.0.0.1", port)
      assert.are.equal("to one", (u:recv()))
    end)
  end)

  it("knows the interface by its address, too [X22]", function()
    run(function()
      local u <close>, port = member "lo"
      u:leave(GROUP, "lo")
      u:join(GROUP, "127.0.0.1")
      u:send("x", GROUP, port)
      assert.are.equal("x", (u:recv()))
    end)
  end)

  it("does not hear itself without loopback [X22]", function()
    run(function()
      local u <close>, port = member(nil)
      u:configure { loopback = false }
      u:send("unheard", GROUP, port)
      u:configure { loopback = true }
      u:send("heard", GROUP, port)
      assert.are.equal("heard", (u:recv()))
    end)
  end)
end)

describe("a group of multicast", function()
  it("is refused if it is none, or its interface is unknown [X22]",
    function()
      run(function()
        local u <close> = aw.udp.bind("127.0.0.1", 0)
        local err = raises("join '127.0.0.1'", u.join, u, "127.0.0.1")
        assert.are.same({ "EINVAL", "join" }, { err.code, err.call })
        err = raises("join 'none0'", u.join, u, GROUP, "none0")
        assert.are.same({ "ENODEV", "none0" }, { err.code, err.about })
        err = raises("leave '" .. GROUP .. "'", u.leave, u, GROUP, "lo")
        assert.are.equal("EADDRNOTAVAIL", err.code)
        raises("the numeric address of a group expected", u.join, u, "group")
      end)
    end)
end)

describe("a broadcast", function()
  it("is refused without the option [X22]", function()
    run(function()
      local a <close> = aw.udp.bind("", 0)
      local _, port = a:name()
      local b <close> = aw.udp.bind("127.0.0.1", 0)
      local err = raises("send '127.255.255.255:", b.send, b, "x",
        "127.255.255.255", port)
      assert.are.equal("EACCES", err.code)
      assert.are.equal(b, b:configure { broadcast = true })
      b:send("x", "127.255.255.255", port)
      assert.are.equal("x", (a:recv()))
      local c <close> = aw.udp.bind("127.0.0.1", 0, { broadcast = true })
      c:send("y", "127.255.255.255", port)
      assert.are.equal("y", (a:recv()))
    end)
  end)
end)
