-- Patterns of ZeroMQ that have rules of their own: REQ and REP, PUB and SUB,
-- and ROUTER.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local places = require "spec.support.places"
local sockets = require "spec.support.sockets"

local zmq, fact, pair_of, close_all =
  sockets.zmq, sockets.fact, sockets.pair_of, sockets.close_all
local raises = helper.raises
local blames_file = places.blames_file

describe("REQ and REP", function()
  it("take turns [ZQ6]", fact(function()
    local rep, req = pair_of("rep", "req", "tcp")
    local server = aw.start(function()
      for _ = 1, 3 do
        rep:send("re", rep:recv())
      end
    end)
    for i = 1, 3 do
      req:send("q" .. i)
      assert.are.same({ "re", "q" .. i }, req:recv_multipart())
    end
    server:wait()
    close_all(rep, req)
  end))

  it("fail with their type and state when it is not their turn [ZQ6]",
    fact(function()
      local rep, req = pair_of("rep", "req")
      local cases = {
        { req.recv, req, "REQ socket (it has sent no request)" },
        { function()
          req:send "a"
          req:send "b"
        end, nil, "REQ socket (it waits for the reply to its request)" },
        { function()
          rep:send "x"
        end, nil, "REP socket (it has no request to reply to)" },
        { function()
          rep:recv()
          rep:recv()
        end, nil, "REP socket (it has a request that is not replied to)" },
      }
      for _, case in ipairs(cases) do
        local err = raises(case[3], case[1], case[2])
        assert.is_true(aw.is_system_error(err))
        assert.are.equal("EFSM", err.code)
      end
      close_all(rep, req)
    end))

  it("go on after a cancelled request with req_relaxed [ZQ6]", fact(function()
    local rep, req = pair_of("rep", "req")
    req.req_relaxed, req.req_correlate = true, true
    req:send "lost"
    local t = aw.start(function()
      req:recv()
    end)
    aw.sleep(0)
    t:cancel_wait()
    req:send "again"
    assert.are.equal("lost", rep:recv())
    rep:send "too late"
    assert.are.equal("again", rep:recv())
    rep:send "in time"
    assert.are.equal("in time", req:recv())
    close_all(rep, req)
  end))
end)

describe("PUB and SUB", function()
  it("match by prefix, until unsubscribed [zmq]", fact(function()
    local xpub, sub = pair_of("xpub", "sub", "tcp")
    assert.are.equal(sub, sub:subscribe "a")
    assert.are.equal("\1a", xpub:recv())
    xpub:send("b", "no")
    xpub:send("ab", "yes")
    assert.are.same({ "ab", "yes" }, sub:recv_multipart())
    sub:unsubscribe "a"
    assert.are.equal("\0a", xpub:recv())
    close_all(xpub, sub)
  end))

  it("do not let other types subscribe [zmq]", fact(function()
    local s = zmq.socket "pull"
    blames_file("a PULL socket cannot subscribe", function()
      s:subscribe ""
    end)
    s:close()
  end))
end)

describe("a ROUTER", function()
  it("sends to a peer by its routing id [zmq]", fact(function()
    local router, dealer = pair_of("router", "dealer", "ipc",
      { identity = "me" })
    dealer:send "hi"
    assert.are.same({ "me", "hi" }, router:recv_multipart())
    assert.is_true(router:send("me", "yo"))
    assert.are.equal("yo", dealer:recv())
    close_all(router, dealer)
  end))

  it("returns false if the peer is gone [ZQ9]", fact(function()
    local router = zmq.socket("router"):bind(sockets.address())
    assert.are.same({ false, "EHOSTUNREACH" },
      { router:send("nobody", "x") })
    assert.are.same({ false, "EHOSTUNREACH" },
      { aw.await(aw.Send(router, "nobody", "x")) })
    router:close()
  end))

  it("raises that as an error only with router_mandatory [ZQ9]", fact(function()
    local router = zmq.socket("router", { router_mandatory = true })
    local err = raises("ROUTER", router.send, router, "nobody", "x")
    assert.are.equal("EHOSTUNREACH", err.code)
    assert.is_true(router.router_mandatory)
    router:close()
  end))

  it("refuses a message without a peer or a part [zmq]", fact(function()
    local router = zmq.socket "router"
    blames_file("begins with the routing id of its peer", function()
      router:send "peer"
    end)
    router:close()
  end))

  it("serves other peers while one is full, and that one later [ZQ9]",
    fact(function()
      local options = { sndhwm = 2, rcvhwm = 2, identity = "slow" }
      local router, slow = pair_of("router", "dealer", nil, options)
      options.identity = "quick"
      local quick = zmq.socket("dealer", options)
      quick:connect(router.last_endpoint)
      slow:send "hi"
      quick:send "hi"
      router:recv()
      router:recv()
      local sender = aw.start(function()
        for i = 1, 20 do
          assert(router:send("slow", "s" .. i))
        end
      end)
      aw.sleep(0.02)
      assert.are.equal("waiting", sender.status)
      for i = 1, 20 do
        router:send("quick", "q" .. i)
        assert.are.equal("q" .. i, quick:recv())
      end
      assert.are.equal("waiting", sender.status)
      for i = 1, 20 do
        assert.are.equal("s" .. i, slow:recv())
      end
      sender:wait()
      close_all(router, slow, quick)
    end))

  it("does not spin while a peer is full [ZQ9]", fact(function()
    local options = { sndhwm = 1, rcvhwm = 1, identity = "slow" }
    local router, slow = pair_of("router", "dealer", nil, options)
    slow:send "hi"
    router:recv()
    local sender = aw.start(function()
      for _ = 1, 10 do
        router:send("slow", "x")
      end
    end)
    aw.sleep(0.05)
    local before = os.clock()
    aw.sleep(1)
    assert.is_true(os.clock() - before < 0.5)
    sender:cancel_wait()
    close_all(router, slow)
  end))

  it("wakes waiters whose peer has gone [ZQ9]", fact(function()
    local options = { sndhwm = 1, rcvhwm = 1, identity = "slow" }
    local router, slow = pair_of("router", "dealer", nil, options)
    slow:send "hi"
    router:recv()
    local sender = aw.start(function()
      repeat
        local sent, why = router:send("slow", "x")
        if not sent then
          return aw.Value(why)
        end
      until false
    end)
    aw.sleep(0.01)
    slow:close()
    assert.are.equal("EHOSTUNREACH", sender:wait())
    router:close()
  end))
end)
