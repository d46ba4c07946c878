-- s:wait_peers(n): until a socket has so many peers [M4].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local sockets = require "spec.support.sockets"

local zmq, fact = sockets.zmq, sockets.fact

local transports <const> = { "tcp", "ipc", "inproc" }

--- Checks that `s` has exactly `n` peers, now or soon. libzmq ends connections
--- that another socket gives up when that socket is used again.
local function has_peers(s, n, other)
  assert.is_true(s:wait_peers(n))
  helper.wait_until(function()
    if other then
      other:poll(other.type == zmq.PULL and "r" or "w", 0)
    end
    return pcall(s.wait_peers, s, n, 0)
      and not pcall(s.wait_peers, s, n + 1, 0)
  end)
end

describe("a wait for peers", function()
  for _, transport in ipairs(transports) do
    it(("counts peers that came before and after over %s [M4]")
      :format(transport), fact(function()
        local s <close> = zmq.socket("router"):bind(sockets.address(transport))
        assert.is_true(s:wait_peers(0))
        local peers = {}
        aw.scope(function(scope)
          scope:start(function()
            assert.is_true(s:wait_peers(10))
            assert.are.equal(10, #peers)
          end)
          for i = 1, 10 do
            aw.yield()
            peers[i] = zmq.socket("dealer"):connect(s.last_endpoint)
          end
        end)
        has_peers(s, 10)
        for _, peer in ipairs(peers) do
          has_peers(peer, 1)
        end
        for i = 10, 1, -1 do
          peers[i]:close()
          has_peers(s, i - 1)
        end
      end))

    it(("forgets a peer of a disconnect over %s [M4]"):format(transport),
      fact(function()
        local a <close> = zmq.socket("pull"):bind(sockets.address(transport))
        local b <close> = zmq.socket("pull"):bind(sockets.address(transport))
        local s <close> = zmq.socket("push"):connect(a.last_endpoint)
        s:connect(b.last_endpoint)
        has_peers(s, 2)
        s:disconnect(a.last_endpoint)
        has_peers(s, 1)
        has_peers(a, 0, s)
        s:connect(a.last_endpoint)
        has_peers(s, 2)
        has_peers(a, 1)
      end))
  end

  for _, transport in ipairs { "tcp", "ipc" } do
    it(("forgets peers at an address given up over %s [M4]")
      :format(transport), fact(function()
        local s <close> = zmq.socket("pull"):bind(sockets.address(transport))
        local first = s.last_endpoint
        s:bind(sockets.address "tcp")
        local a <close> = zmq.socket("push", { linger = 0 }):connect(first)
        local b <close> = zmq.socket("push"):connect(s.last_endpoint)
        has_peers(s, 2)
        s:unbind(first)
        has_peers(s, 1)
        has_peers(a, 0, s)
        s:bind(first)
        has_peers(s, 2)
        has_peers(b, 1)
      end))
  end

  it("keeps peers over inproc when the name is given up [M4]",
    fact(function()
      local s <close> = zmq.socket("pull"):bind "inproc://peers"
      local a <close> = zmq.socket("push"):connect "inproc://peers"
      s:unbind "inproc://peers"
      has_peers(s, 1)
      has_peers(a, 1)
      a:send "still there"
      assert.are.equal("still there", s:recv())
    end))

  it("counts a connect that comes before the bind over inproc [M4]",
    fact(function()
      local a <close> = zmq.socket("push"):connect "inproc://early"
      has_peers(a, 0)
      local gone = zmq.socket("push"):connect "inproc://early"
      gone:close()
      local s <close> = zmq.socket("pull"):bind "inproc://early"
      has_peers(a, 1)
      has_peers(s, 1)
    end))

  it("counts all addresses and transports together [M4]", fact(function()
    local s <close> = zmq.socket "pull"
    local peers = {}
    for i, transport in ipairs(transports) do
      s:bind(sockets.address(transport))
      peers[i] = zmq.socket("push"):connect(s.last_endpoint)
    end
    has_peers(s, 3)
    sockets.close_all(table.unpack(peers))
    has_peers(s, 0)
  end))

  it("counts one peer of a PAIR over inproc [M4]", fact(function()
    local s <close> = zmq.socket("pair"):bind "inproc://pair"
    local a = zmq.socket("pair"):connect "inproc://pair"
    local b <close> = zmq.socket("pair"):connect "inproc://pair"
    has_peers(s, 1)
    has_peers(b, 0)
    a:close()
    has_peers(s, 0)
  end))

  it("counts connections of a STREAM, which have no handshake [M4]",
    fact(function()
      local s <close> = zmq.socket("stream"):bind(sockets.address "tcp")
      local host, port = s.last_endpoint:match "//(.*):(%d+)"
      local c = aw.tcp.connect(host, math.tointeger(port))
      has_peers(s, 1)
      c:close()
      has_peers(s, 0)
    end))

  it("does not count a connection without a handshake [M4]", fact(function()
    local s <close> = zmq.socket("router", { handshake_ivl = 20 })
    local m <close> = s:monitor {
      "handshake_failed_no_detail", "handshake_failed_protocol" }
    s:bind(sockets.address "tcp")
    local good <close> = zmq.socket("dealer"):connect(s.last_endpoint)
    has_peers(s, 1)
    local host, port = s.last_endpoint:match "//(.*):(%d+)"
    for _ = 1, 5 do
      local _ <close> = aw.tcp.connect(host, math.tointeger(port))
      m:recv() -- the time for the handshake is over
      assert.is_true(s:wait_peers(1, 0))
    end
    has_peers(s, 1)
    has_peers(good, 1)
  end))

  for _, transport in ipairs { "tcp", "ipc" } do
    it(("stays exact over %s with several I/O threads [M4]"):format(transport),
      fact(function()
        local ctx <close> = zmq.context { io_threads = 3 }
        local s = ctx:socket("router"):bind(sockets.address(transport))
        local function new_peer()
          return ctx:socket("dealer", { linger = 0 }):connect(s.last_endpoint)
        end
        local peers = {}
        for _ = 1, 3 do
          for i = 1, 30 do
            peers[i] = new_peer()
          end
          for i = 1, 15 do -- some close in the middle of their handshake
            peers[i]:close()
            peers[i] = new_peer()
            if i > 10 then
              peers[i]:close()
            end
          end
          has_peers(s, 25)
          sockets.close_all(table.unpack(peers))
          has_peers(s, 0)
        end
      end))
  end

  it("stays exact when a disconnect and a connect follow each other [M4]",
    fact(function()
      local a <close> = zmq.socket("pull"):bind(sockets.address "ipc")
      for _ = 1, 50 do
        local s <close> = zmq.socket("push", { linger = 0 })
        s:connect(a.last_endpoint)
        s:disconnect(a.last_endpoint):connect(a.last_endpoint)
        has_peers(s, 1)
      end
    end))

  it("ends by Timeout, and by Closed with its socket [M4]", fact(function()
    local s = zmq.socket("router"):bind(sockets.address "tcp")
    local err = helper.caught(s.wait_peers, s, 1, 0.01)
    assert.is_true(aw.is_timeout(err))
    aw.scope(function(scope)
      scope:start(function()
        helper.raises("Closed", s.wait_peers, s, 1)
      end)
      aw.yield()
      s:close()
    end)
    helper.raises("Closed: wait_peers of ROUTER", s.wait_peers, s, 0)
  end))

  it("leaves nothing behind when it is cancelled [M4, C2]", fact(function()
    local s <close> = zmq.socket("router"):bind(sockets.address "inproc")
    for _ = 1, 50 do
      local task = aw.start(function() s:wait_peers(1) end)
      aw.yield()
      task:cancel()
    end
  end))

  it("refuses what is no number of peers, and no time [M4]", fact(function()
    local s <close> = zmq.socket "router"
    for _, n in ipairs { -1, 1.5, "1", 1 << 40, false } do
      helper.raises("a number of peers expected", s.wait_peers, s, n)
    end
    helper.raises("a number of peers expected, got nil",
      s.wait_peers, s)
    helper.raises("bad argument #3", s.wait_peers, s, 1, "soon")
    assert.is_true(s:wait_peers(0.0))
  end))
end)
