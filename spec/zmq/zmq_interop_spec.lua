-- Messages to and from pyzmq, in each pattern, as server and as client.

local aw = require "aiowire"
local sockets = require "spec.support.sockets"
local process = require "spec.support.process"

local zmq = sockets.zmq

local PYTHON <const> = "/usr/bin/python3"

local function has_pyzmq()
  return (os.execute(PYTHON .. " -c 'import zmq' 2>/dev/null"))
end

local available = sockets.installed and has_pyzmq()

--- Returns a function for `it` that starts a peer in Python and calls
--- `f(address, join)`. `join()` waits for the peer and returns its output.
local function fact_with(role, f)
  return sockets.installed and available and sockets.fact(function()
    local address = sockets.address "ipc"
    local peer = aw.start(function()
      return aw.Value(aw.exec { PYTHON, process.root .. "/spec/zmq/zmq_peer.py",
        role, address, check = true, stderr = "pipe" })
    end)
    f(address, function()
      return peer:wait().out
    end)
  end) or function()
    pending "python3-zmq is not installed"
  end
end

local function open(type, how, address)
  local s = zmq.socket(type)
  s[how](s, address)
  return s
end

-- The method that gives our socket the address, and the side of the peer.
local BOTH <const> = { { "bind", "client" }, { "connect", "server" } }

describe("pyzmq as the peer", function()
  for _, sides in ipairs(BOTH) do
    local how, side = sides[1], sides[2]

    it(("of REP, as %s, gets its replies [zmq]"):format(side),
      fact_with(side .. " req", function(address, join)
        local s = open("rep", how, address)
        for _ = 1, 3 do
          local a, b = s:recv()
          s:send("re:" .. a, b)
        end
        assert.are.equal("re:0 x\nre:1 x\nre:2 x\n", join())
        s:close()
      end))

    it(("of REQ, as %s, replies [zmq]"):format(side),
      fact_with(side .. " rep", function(address, join)
        local s = open("req", how, address)
        for i = 1, 3 do
          s:send("q" .. i, "y")
          assert.are.same({ "q" .. i, "y" }, s:recv_multipart())
        end
        join()
        s:close()
      end))

    it(("of DEALER, as %s, is a ROUTER [zmq]"):format(side),
      fact_with(side .. " router", function(address, join)
        local s = open("dealer", how, address)
        for i = 1, 100 do
          s:send("m" .. i, "", "z")
        end
        for i = 1, 100 do
          assert.are.same({ "m" .. i, "", "z" }, s:recv_multipart())
        end
        join()
        s:close()
      end))

    it(("of ROUTER, as %s, is a DEALER [zmq]"):format(side),
      fact_with(side .. " dealer", function(address, join)
        local s = open("router", how, address)
        for _ = 1, 100 do
          local parts = s:recv_multipart()
          assert.are.equal("py", parts[1])
          assert.is_true(s:send_multipart(parts))
        end
        assert.are.equal("100\n", join())
        s:close()
      end))

    it(("of PULL, as %s, pushes [zmq]"):format(side),
      fact_with(side .. " push", function(address, join)
        local s = open("pull", how, address)
        for i = 0, 99 do
          assert.are.same({ tostring(i), "p" }, { s:recv() })
        end
        join()
        s:close()
      end))

    it(("of PUSH, as %s, pulls [zmq]"):format(side),
      fact_with(side .. " pull", function(address, join)
        local s = open("push", how, address)
        for i = 1, 100 do
          s:send("m" .. i)
        end
        assert.are.equal("100\n", join())
        s:close()
      end))

    it(("of XPUB, as %s, subscribes [zmq]"):format(side),
      fact_with(side .. " sub", function(address, join)
        local s = open("xpub", how, address)
        assert.are.equal("\1a", s:recv())
        s:send("b", "not this")
        for i = 1, 10 do
          s:send("a", "m" .. i)
        end
        assert.are.equal("10\n", join())
        s:close()
      end))

    it(("of SUB, as %s, publishes [zmq]"):format(side),
      fact_with(side .. " xpub", function(address, join)
        local s = open("sub", how, address)
        s:subscribe "a"
        for i = 0, 9 do
          assert.are.same({ "a", tostring(i) }, { s:recv() })
        end
        join()
        s:close()
      end))

    it(("of PAIR, as %s, is a PAIR [zmq]"):format(side),
      fact_with(side .. " pair", function(address, join)
        local s = open("pair", how, address)
        for i = 1, 10 do
          s:send("m" .. i)
          assert.are.equal("m" .. i, s:recv())
        end
        join()
        s:close()
      end))
  end
end)
