-- Calls and peers that would make libzmq abort the program.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local sockets = require "spec.support.sockets"

local zmq, fact = sockets.zmq, sockets.fact
local raises = helper.raises

local TYPES <const> = { "pair", "pub", "sub", "req", "rep", "dealer", "router",
  "pull", "push", "xpub", "xsub", "stream" }

-- A possible peer of each type.
local PEERS <const> = { pair = "pair", pub = "sub", sub = "pub", req = "rep",
  rep = "req", dealer = "router", router = "dealer", pull = "push",
  push = "pull", xpub = "sub", xsub = "pub" }

local function open(type, options)
  options = options or {}
  options.linger = 0
  return zmq.socket(type, options)
end

describe("a connection to an inproc name that is not bound yet", function()
  for _, type in ipairs(TYPES) do
    it("of a " .. type .. " socket stays until the name is bound [ZQ18]",
      fact(function()
        local name = sockets.address "inproc"
        local s, other = open(type), open(PEERS[type] or "pair")
        for _ = 1, 2 do
          pcall(s.connect, s, name) -- fails for a STREAM socket
          pcall(s.disconnect, s, name)
          pcall(s.unbind, s, name)
          s:poll("rw", 0)
        end
        other:bind(name)
        other:poll("rw", 0)
        pcall(s.disconnect, s, name)
        s:poll("rw", 0)
        s:close()
        other:close()
      end))

    it("of a " .. type .. " socket may end with it or its context",
      fact(function()
        for _, bind in ipairs { true, false } do
          local context <close> = zmq.context()
          local name = sockets.address "inproc"
          local s = open(type, { context = context })
          pcall(s.connect, s, name)
          pcall(s.connect, s, name)
          s:close()
          if bind then
            local other <close> = open(PEERS[type] or "pair",
              { context = context })
            other:bind(name)
            other:poll("r", 0)
          end
        end
      end))
  end

  it("cannot be disconnected before that, and can after it", fact(function()
    local name = sockets.address "inproc"
    local a, b = open "router", open "dealer"
    a:connect(name)
    raises("is not bound yet", a.disconnect, a, name)
    b:bind(name)
    a:disconnect(name)
    raises("this socket is not connected to", a.disconnect, a, name)
    a:close()
    b:close()
  end))

  it("is known for each of several sockets", fact(function()
    local name = sockets.address "inproc"
    local a, b, c = open "router", open "dealer", open "dealer"
    a:connect(name)
    b:connect(name)
    raises("is not bound yet", b.disconnect, b, name)
    a:close()
    c:bind(name)
    b:disconnect(name)
    c:unbind(name)
    b:connect(name)
    raises("is not bound yet", b.disconnect, b, name)
    c:bind(name)
    b:close()
    c:close()
  end))

  it("is refused for a sender that conflates", fact(function()
    local context <close> = zmq.context()
    local name = sockets.address "inproc"
    for _, type in ipairs { "push", "pub" } do
      local s = open(type, { conflate = true, context = context })
      raises("connects to an inproc name that is bound", s.connect, s, name)
      s:close()
    end
  end))

  it("delivers messages that are sent before the bind", fact(function()
    local name = sockets.address "inproc"
    local push, pull = open "push", open "pull"
    push:connect(name)
    push:send("early", "message")
    pull:bind(name)
    assert.are.same({ "early", "message" }, pull:recv_multipart())
    push:close()
    pull:close()
  end))

  it("is not removed by a disconnect of the binder", fact(function()
    local name = sockets.address "inproc"
    local a, b = open "pair", open "pair"
    a:bind(name)
    raises("this socket is not connected to", a.disconnect, a, name)
    b:connect(name)
    b:send "x"
    assert.are.equal("x", (a:recv()))
    a:close()
    b:close()
  end))
end)

describe("an inproc name", function()
  it("connects only sockets of matching types", fact(function()
    local context <close> = zmq.context()
    local name = sockets.address "inproc"
    local early = open("rep", { context = context })
    local pair = open("pair", { context = context })
    early:connect(name)
    raises("does not talk to", pair.bind, pair, name)
    local req = open("req", { context = context })
    req:bind(name)
    raises("does not talk to", pair.connect, pair, name)
    early:close()
    req:close()
    pair:close()
  end))

  it("does not connect a socket to itself", fact(function()
    local context <close> = zmq.context()
    local early, late = sockets.address "inproc", sockets.address "inproc"
    local s = open("router", { context = context })
    s:connect(early)
    raises("this socket with itself", s.bind, s, early)
    s:bind(late)
    raises("this socket with itself", s.connect, s, late)
    s:close()
  end))

  it("is refused for a STREAM socket", fact(function()
    local s = open "stream"
    local name = sockets.address "inproc"
    raises("has no peers in", s.bind, s, name)
    raises("has no peers in", s.connect, s, name)
    s:close()
  end))

  it("is refused for an XPUB with a welcome if a closed socket waited there",
    fact(function()
      local context <close> = zmq.context()
      local name = sockets.address "inproc"
      local sub = open("sub", { context = context })
      local pub = open("xpub", { context = context, xpub_welcome_msg = "hi" })
      sub:connect(name)
      sub:close()
      assert.is_false(pcall(pub.bind, pub, name))
      pub:bind(sockets.address "inproc")
      pub:close()
    end))
end)

-- disconnect -----------------------------------------------------------------

describe("a socket that disconnects", function()
  for type, peer_type in pairs { dealer = "dealer", pull = "push",
    router = "dealer", sub = "xpub", xsub = "xpub" } do
    for _, transport in ipairs { "inproc", "tcp", "ipc" } do
      it(("never cuts a message, as %s over %s"):format(type,
        transport), fact(function()
        local s, peer = open(type), open(peer_type)
        peer:bind(sockets.address(transport))
        s:connect(peer.last_endpoint)
        if type == "sub" then
          s:subscribe ""
        elseif type == "xsub" then
          s:send "\1"
        end
        if peer_type == "xpub" then
          peer:recv()
        end
        peer:send("1", "2")
        peer:send("3", "4")
        s:poll "r" -- makes libzmq read the first part
        s:disconnect(peer.last_endpoint)
        local message = s:recv_multipart()
        assert.are.same({ "1", "2" }, table.move(message, #message - 1,
          #message, 1, {}))
        assert.is_number(s:poll("r", 0))
        s:close()
        peer:close()
      end))
    end
  end
end)

describe("a REP that disconnects", function()
  it("must receive its request first", fact(function()
    local rep, req = open "rep", open "req"
    req:bind(sockets.address "inproc")
    rep:connect(req.last_endpoint)
    req:send("1", "2")
    rep:poll "r"
    assert.are.equal("EAGAIN", helper.caught(rep.disconnect, rep,
      req.last_endpoint).code)
    assert.are.same({ "1", "2" }, rep:recv_multipart())
    rep:disconnect(req.last_endpoint)
    rep:close()
    req:close()
  end))
end)

-- High-water marks -----------------------------------------------------------

describe("a high-water mark", function()
  for _, name in ipairs { "sndhwm", "rcvhwm", "hwm" } do
    for _, verb in ipairs { "bound", "connected" } do
      it(("(%s) cannot change once the socket is %s"):format(name, verb),
        fact(function()
          local a, b = open("dealer", { hwm = 7 }), open "dealer"
          local s, other = a, b
          if verb == "connected" then
            s, other = b, a
            s.hwm = 7
          end
          a:bind(sockets.address "tcp")
          b:connect(a.last_endpoint)
          a:send "hello"
          b:recv()
          other:close()
          for value = 8, 500 do -- while libzmq ends the connection
            assert.are.equal("EISCONN", helper.caught(s.set, s, name,
              value).code)
          end
          s[name] = 7
          assert.are.equal(7, s[name])
          s:close()
        end))
    end
  end

  it("does not change when a bound socket stops conflating", fact(function()
    local s = open("pull", { conflate = true })
    s:bind(sockets.address "inproc")
    s.conflate = false
    assert.are.equal(0, s.rcvhwm)
    s:close()
  end))
end)

-- conflate -------------------------------------------------------------------

-- Types that conflate received messages: the type of the peer, and the parts
-- that the peer sends before a message.
local RECEIVERS <const> = {
  pull = { peer = "push", head = {} },
  sub = { peer = "xpub", head = {} },
  dealer = { peer = "router", head = { "me" } },
}

local function send(peer, head, ...)
  local message = table.move({ ... }, 1, select("#", ...), #head + 1,
    { table.unpack(head) })
  assert(peer:send_multipart(message))
end

--- Returns a socket that conflates, its connected peer, and the parts before a
--- message.
local function receiver(type, transport)
  local kind = RECEIVERS[type]
  local peer = open(kind.peer, { hwm = 0 })
  peer:bind(sockets.address(transport))
  local s = open(type, { conflate = true, rcvhwm = 1,
    routing_id = type == "dealer" and "me" or nil })
  if type == "sub" then
    s:subscribe "topic"
  end
  s:connect(peer.last_endpoint)
  if type == "sub" then
    peer:recv()
  elseif type == "dealer" then
    s:send "hello"
    peer:recv()
  end
  return s, peer, kind.head
end

describe("a socket that conflates", function()
  for type in pairs(RECEIVERS) do
    for _, transport in ipairs { "tcp", "inproc", "ipc" } do
      it(("receives the newest message whole, as %s over %s"):format(type,
        transport), fact(function()
        local s, peer, head = receiver(type, transport)
        assert.is_true(s.conflate)
        for i = 1, 2000 do
          send(peer, head, "topic", tostring(i), "end")
        end
        local got
        repeat
          local message = s:recv_multipart()
          assert.are.equal(3, #message)
          assert.are.same({ "topic", "end" }, { message[1], message[3] })
          got = tonumber(message[2])
        until got == 2000
        assert.are.equal(0, s:poll("r", 0))
        s:close()
        peer:close()
      end))

      it(("wakes a waiter, as %s over %s"):format(type, transport),
        fact(function()
          local s, peer, head = receiver(type, transport)
          local waits = aw.start(aw.Recv(s))
          aw.yield()
          send(peer, head, "topic", "now")
          assert.are.same({ "topic", "now" }, { waits:wait() })
          s:close()
          peer:close()
        end))
    end
  end

  it("drops old messages even while no task receives", fact(function()
    local s, peer = receiver("pull", "inproc")
    for i = 1, 500 do
      peer:send(tostring(i), "end")
    end
    for _ = 1, 3 do -- the engine looks at descriptors each time
      aw.sleep(0.001)
    end
    s.conflate = false
    assert.are.equal("500", (s:recv()))
    assert.are.equal(0, s:poll("r", 0))
    s:close()
    peer:close()
  end))

  it("goes on after a message of too many parts", fact(function()
    local s, peer = receiver("pull", "inproc")
    s.max_parts = 2
    peer:send("a", "b", "c")
    assert.are.equal("EMSGSIZE", helper.caught(s.recv, s).code)
    peer:send("a", "b", "c")
    peer:send("a", "b")
    repeat
      local ok, message = aw.pcall(s.recv_multipart, s)
    until ok and #message == 2
    s:close()
    peer:close()
  end))

  it("skips messages of other topics with several parts", fact(function()
    local s, peer = receiver("sub", "tcp")
    for _ = 1, 500 do
      peer:send("other", "part")
      peer:send("topic", "part")
    end
    peer:send("topic", "last")
    repeat
      local topic, what = s:recv()
      assert.are.equal("topic", topic)
    until what == "last"
    s:close()
    peer:close()
  end))

  it("keeps a message that was not delivered until a newer one comes [H4]",
    fact(function()
      local s, peer = receiver("pull", "inproc")
      local waits = aw.start(aw.Recv(s))
      aw.yield()
      peer:send "first"
      aw.yield()
      waits:cancel()
      aw.pcall(waits.wait, waits)
      assert.are.equal(zmq.POLLIN, s:poll "r")
      peer:send "second"
      repeat
        local got = s:recv()
      until got == "second"
      s:close()
      peer:close()
    end))

  for _, type in ipairs { "push", "pub", "dealer" } do
    it("sends no message of several parts, as " .. type, fact(function()
      local s = open(type, { conflate = true })
      raises("sends messages of one part", s.send, s, "a", "b")
      raises("sends messages of one part", s.send_multipart, s, { "a", "b" })
      raises("sends messages of one part", aw.Send, s, "a", "b")
      s:close()
    end))
  end

  it("refuses a Send of several parts that was made before", fact(function()
    local s, peer = open "push", open "pull"
    peer:bind(sockets.address "inproc")
    local w = aw.Send(s, "a", "b")
    s.conflate = true
    s:connect(peer.last_endpoint)
    assert.are.equal("EINVAL", helper.caught(aw.await, w).code)
    s.conflate = false
    raises("sends messages of one part", s.send, s, "a", "b")
    s:send "one"
    assert.are.equal("one", (peer:recv()))
    s:close()
    peer:close()
  end))

  for _, type in ipairs { "pair", "req", "rep", "router", "xpub", "xsub",
    "stream" } do
    it("cannot be of type " .. type, fact(function()
      local s = open(type)
      raises("not for this type", s.set, s, "conflate", true)
      s.conflate = false
      s:close()
    end))
  end
end)
