-- Connections over TCP: what a connect gives, and the errors of one that fails
-- [X10, X13].

local aw = require "aiowire"
local clients = require "spec.support.clients"
local descriptors = require "spec_descriptors"
local helper = require "spec.support.helper"
local listeners = require "spec_listeners"
local listening = require "spec.support.listening"
local places = require "spec.support.places"

local raises, run = helper.raises, helper.run

local function needs_ipv6()
  if not clients.has_ipv6() then
    helper.pending "no IPv6"
  end
end

describe("a connection", function()
  it("is a stream to the peer that listens [X10]", function()
    run(function()
      local listener <close>, port = listening.tcp()
      local s <close> = aw.tcp.connect("127.0.0.1", port)
      listener:greet(s)
      assert.is_truthy(tostring(s):find("127.0.0.1:" .. port, 1, true))
    end)
  end)

  it("reaches an address of IPv6 [X10]", function()
    run(function()
      local _ <close>, port = listening.tcp "::1"
      local s <close> = aw.tcp.connect("::1", port)
      assert.is_truthy(tostring(s):find("[::1]:" .. port, 1, true))
    end)
  end)

  it("reaches localhost over the family that listens [X12]", function()
    run(function()
      for _, host in ipairs { "127.0.0.1", "::1" } do
        local _ <close>, port = listening.tcp(host)
        local s <close> = aw.tcp.connect("LocalHost", port)
        assert.is_truthy(tostring(s):find(host, 1, true))
      end
    end)
  end)

  it("takes its own address and port from the options [X10]", function()
    run(function()
      local listener <close>, port = listening.tcp()
      local own = listening.free_port()
      local s <close> = aw.tcp.connect("127.0.0.1", port,
        { local_host = "127.0.0.1", local_port = own })
      assert.are.same({ "127.0.0.1", own },
        { listeners.peer(listener:accept()) })
      local other <close> = aw.tcp.connect("127.0.0.1", port,
        { local_host = "127.0.0.2" })
      assert.are.equal("127.0.0.2", (listeners.peer(listener:accept())))
      assert.are_not.equal(s, other)
    end)
  end)

  it("has the limits of its options [X10]", function()
    run(function()
      local listener <close>, port = listening.tcp()
      local s <close> = aw.tcp.connect("127.0.0.1", port,
        { max_line = 10, nodelay = false, keepalive = 5, timeout = 60 })
      descriptors.write(listener:accept(), ("x"):rep(20))
      raises("max_line, 10 bytes", s.read, s)
    end)
  end)

  it("is tried in the family of the options alone [X12]", function()
    needs_ipv6()
    run(function()
      local listener <close>, port = listening.tcp()
      aw.tcp.connect("localhost", port, { family = "inet" }):close()
      listener:accept()
      local err = raises("localhost", aw.tcp.connect, "localhost", port,
        { family = "inet6" })
      assert.are.equal("ECONNREFUSED", err.code)
      err = raises("127.0.0.1", aw.tcp.connect, "127.0.0.1", port,
        { family = "inet6" })
      assert.are.equal("EAI_ADDRFAMILY", err.code)
    end)
  end)

  it("is made by a wire, too [V3]", function()
    run(function()
      local _ <close>, port = listening.tcp()
      local w = aw.Call(aw.tcp.connect, "127.0.0.1", port)
      local s <close> = aw.await(w:timeout(60))
      local t <close> = aw.await(w:retry { times = 2 } | aw.Sleep(60))
      assert.are_not.equal(s, t)
    end)
  end)

  it("is not made to itself [X13]", function()
    run(function()
      local port = listening.free_port()
      local err = raises("refused", aw.tcp.connect, "127.0.0.1", port,
        { local_host = "127.0.0.1", local_port = port })
      assert.are.equal("ECONNREFUSED", err.code)
    end)
  end)
end)

--- Checks the fields of the SystemError that connect(...) raises, and its line.
local function fails(code, about, connect, ...)
  local arguments = table.pack(...)
  local line
  local function call()
    line = places.line() + 1
    connect(table.unpack(arguments, 1, arguments.n))
  end
  local err = helper.caught(call)
  assert.is_true(aw.is_system_error(err), tostring(err))
  assert.are.equal(code, err.code)
  assert.are.equal("connect", err.call)
  assert.are.equal(about, err.about)
  assert.is_truthy(tostring(err):find(
    ("connect_spec.lua:%d: connect '"):format(line), 1, true), tostring(err))
  return err
end

describe("a connect that fails", function()
  it("names the address and the user's line [X13, E4]", function()
    run(function()
      local port = listening.free_port()
      local at = "127.0.0.1:" .. port
      fails("ECONNREFUSED", at, aw.tcp.connect, "127.0.0.1", port)
      fails("ECONNREFUSED", at, aw.tcp.connect, "127.0.0.1", port,
        { timeout = 60 })
      if clients.has_ipv6() then
        fails("ECONNREFUSED", "[::1]:1", aw.tcp.connect, "::1", 1)
      end
      fails("EADDRNOTAVAIL", at .. " (from 192.0.2.77:0)", aw.tcp.connect,
        "127.0.0.1", port, { local_host = "192.0.2.77" })
    end)
  end)

  it("has the traceback of its caller [X13, E2]", function()
    run(function(ev)
      local port = listening.free_port()
      for _, host in ipairs { "127.0.0.1", "localhost" } do
        local info
        local function inner_one()
          aw.tcp.connect(host, port)
          return true
        end
        ev:start(function()
          inner_one()
          return nil
        end, function(_, _, i)
          info = i
        end)
        helper.wait_until(function() return info end)
        assert.is_truthy(info.traceback:find("upvalue 'inner_one'", 1, true)
          or info.traceback:find("inner_one", 1, true), info.traceback)
        assert.is_nil(info.traceback:find("[aiowire", 1, true))
      end
    end)
  end)

  it("names all addresses that were tried, with their errors [X13]", function()
    needs_ipv6()
    run(function()
      local port = listening.free_port()
      local err = fails("ECONNREFUSED",
        ("localhost:%d (tried 127.0.0.1:%d, [::1]:%d)"):format(port, port,
          port), aw.tcp.connect, "localhost", port)
      assert.are.equal(2, #err.tried)
      assert.are.equal("127.0.0.1:" .. port, err.tried[1].about)
      assert.are.equal("[::1]:" .. port, err.tried[2].about)
    end)
  end)

  it("refuses what can be no host name [X13]", function()
    run(function()
      fails("EAI_NONAME", "", aw.tcp.connect, "", 80)
      fails("EAI_NONAME", "*", aw.tcp.connect, "*", 80)
      local err = raises("zero byte", aw.tcp.connect, "a\0b", 80)
      assert.are.equal("EINVAL", err.code)
      err = raises("300 bytes", aw.tcp.connect, ("a"):rep(300), 80)
      assert.are.equal("ENAMETOOLONG", err.code)
      raises("bad argument #2 to 'connect' (a port is a number from 0 to "
        .. "65535", aw.tcp.connect, "127.0.0.1", 70000)
      raises("bad argument #2 to 'connect'", aw.tcp.connect, "127.0.0.1", -1)
    end)
  end)

  it("raises Timeout when its time is over [X13, O8]", function()
    run(function()
      -- The backlog is full, so the kernel drops what comes.
      local listener <close>, port = listening.tcp("127.0.0.1", 0)
      local held = {}
      local err
      repeat
        local ok, s = pcall(aw.tcp.connect, "127.0.0.1", port,
          { timeout = 0.05 })
        held[#held + 1] = ok and s or nil
        err = not ok and s
      until err
      assert.is_true(aw.is_timeout(err), tostring(err))
      assert.are.equal(0.05, err.after)
      assert.is_truthy(tostring(err):find("cut short: connect", 1, true)
        or tostring(err):find("connect_spec.lua", 1, true), tostring(err))
      for _, s in ipairs(held) do
        s:close()
      end
      assert.is_true(listener:waiting())
    end)
  end)

  it("cannot await outside of a task [C11]", function()
    helper.outside(raises, "cannot await outside a task (aw.tcp.connect)",
      aw.tcp.connect, "127.0.0.1", 1)
  end)
end)
