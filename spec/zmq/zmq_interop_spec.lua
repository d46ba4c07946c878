-- Messages to and from pyzmq, in each pattern, as server and as client.

local aw = require "aiowire"
local pyzmq = require "spec.support.pyzmq"
local sockets = require "spec.support.sockets"

local zmq, fact_with = sockets.zmq, pyzmq.fact_with

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

    for _, peer in ipairs { "sub", "xsub" } do
      it(("of PUB, as %s of type %s, is waited for [M5]"):format(side, peer),
        fact_with(side .. " " .. peer, function(address, join)
          local s = open("pub", how, address)
          assert.is_true(s:wait_subscriber "a")
          s:send("b", "not this")
          for i = 1, 10 do
            s:send("a", "m" .. i)
          end
          assert.are.equal("10\n", join())
          s:close()
        end))
    end

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

    it(("of PUB, as %s, subscribes [zmq]"):format(side),
      fact_with(side .. " late sub", function(address, join, peer)
        local s <close> = open("pub", how, address)
        local sending <close> = aw.start(function()
          while true do
            s:send("b", "not this")
            s:send("a", "this")
            aw.sleep(0.001)
          end
        end)
        assert.are.equal("3\n", join())
        assert.are.equal("done", peer.status)
        sending:cancel_wait()
      end))

    it(("of SUB, as %s, publishes from a PUB [zmq]"):format(side),
      fact_with(side .. " pub", function(address, join)
        local s <close> = open("sub", how, address)
        local over <close> = zmq.socket("push"):connect(address .. ".ready")
        s:subscribe "a"
        local _, first = s:recv()
        for i = 1, 3 do
          assert.are.same({ "a", tostring(first + i) }, { s:recv() })
        end
        over:send "enough"
        join()
        os.remove(address:match "^ipc://(.*)$" .. ".ready")
      end))

    it(("of XSUB, as %s, publishes from an XPUB [zmq]"):format(side),
      fact_with(side .. " xpub", function(address, join)
        local s <close> = open("xsub", how, address)
        s:send "\1a"
        for i = 0, 9 do
          assert.are.same({ "a", tostring(i) }, { s:recv() })
        end
        join()
      end))

    it(("of XPUB, as %s, subscribes by an XSUB [zmq]"):format(side),
      fact_with(side .. " xsub", function(address, join)
        local s <close> = open("xpub", how, address)
        assert.are.equal("\1a", s:recv())
        s:send("b", "not this")
        for i = 1, 10 do
          s:send("a", "m" .. i)
        end
        assert.are.equal("\0a", s:recv())
        assert.are.equal("10\n", join())
      end))

    it(("of REQ, as %s, is a ROUTER [zmq]"):format(side),
      fact_with(side .. " router 3", function(address, join)
        local s <close> = open("req", how, address)
        for i = 1, 3 do
          s:send("q" .. i)
          assert.are.equal("q" .. i, s:recv())
        end
        join()
      end))

    it(("of ROUTER, as %s, is a REQ [zmq]"):format(side),
      fact_with(side .. " req", function(address, join)
        local s <close> = open("router", how, address)
        for _ = 1, 3 do
          local peer, empty, a, b = s:recv()
          s:send(peer, empty, "re:" .. a, b)
        end
        assert.are.equal("re:0 x\nre:1 x\nre:2 x\n", join())
      end))

    it(("of REP, as %s, is a DEALER [zmq]"):format(side),
      fact_with(side .. " delimited", function(address, join)
        local s <close> = open("rep", how, address)
        for _ = 1, 3 do
          local a, b = s:recv()
          s:send("re:" .. a, b)
        end
        assert.are.equal((" re:0 x\n re:1 x\n re:2 x\n"), join())
      end))

    it(("of DEALER, as %s, is a REP [zmq]"):format(side),
      fact_with(side .. " rep", function(address, join)
        local s <close> = open("dealer", how, address)
        for i = 1, 3 do
          s:send("id", "", "q" .. i)
        end
        for i = 1, 3 do
          assert.are.same({ "id", "", "q" .. i }, { s:recv() })
        end
        join()
      end))

    it(("of DEALER, as %s, is a DEALER [zmq]"):format(side),
      fact_with(side .. " dealers", function(address, join)
        local s <close> = open("dealer", how, address)
        for i = 1, 100 do
          s:send("", "m" .. i)
        end
        for i = 1, 100 do
          assert.are.same({ "", "m" .. i }, { s:recv() })
        end
        join()
      end))

    it(("of ROUTER, as %s, is a ROUTER [zmq]"):format(side),
      fact_with(side .. " routers", function(address, join)
        local s <close> = zmq.socket("router", { identity = "lua" })
        s[how](s, address)
        for i = 0, 99 do
          local peer, number = s:recv()
          assert.are.same({ "py", tostring(i) }, { peer, number })
          assert.is_true(s:send(peer, number))
        end
        assert.are.equal("100\n", join())
      end))
  end

  it("of STREAM, as client, is a STREAM [zmq]", pyzmq.fact(function()
    local s <close> = zmq.socket("stream"):bind "tcp://127.0.0.1:*"
    local join = pyzmq.start("client stream", s.last_endpoint)
    local text = ""
    while text ~= "hello" do
      local peer, chunk = s:recv()
      text = text .. chunk
      if text == "hello" then
        s:send(peer, text)
      end
    end
    assert.are.equal("hello\n", join())
  end))

  it("of STREAM, as server, is a STREAM [zmq]", pyzmq.fact(function()
    local python <close> = aw.spawn(pyzmq.command("server stream",
      "tcp://127.0.0.1:*"))
    local s <close> = zmq.socket("stream"):connect(python.stdout:read "l")
    local peer, empty = s:recv()
    assert.are.equal("", empty)
    s:send(peer, "hello")
    local text = ""
    while text ~= "hello" do
      text = text .. select(2, s:recv())
    end
    assert.are.equal("hello\n", python.stdout:read "a")
    assert.is_true(python:wait().ok)
  end))
end)
