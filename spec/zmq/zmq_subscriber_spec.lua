-- s:wait_subscriber() of PUB and XPUB, and that a PUB has an XPUB of libzmq
-- inside.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local places = require "spec.support.places"
local sockets = require "spec.support.sockets"

local zmq, fact, pair_of, close_all =
  sockets.zmq, sockets.fact, sockets.pair_of, sockets.close_all
local raises, caught = helper.raises, helper.caught
local blames_file = places.blames_file

local TRANSPORTS <const> = { "tcp", "ipc", "inproc" }
local PUBLISHERS <const> = { "pub", "xpub" }

--- Tells whether the socket has such a subscriber now.
local function has(publisher, prefix)
  return (aw.pcall(publisher.wait_subscriber, publisher, prefix, 0))
end

--- Wait until it has no such subscriber any more.
local function wait_gone(publisher, prefix)
  while has(publisher, prefix) do
    aw.sleep(0.001)
  end
end

--- Start a task that waits for a subscriber, and let it begin to wait.
local function waiter(publisher, prefix)
  local task = aw.start(function()
    publisher:wait_subscriber(prefix)
  end)
  aw.yield()
  return task
end

local function is_over(task)
  return task.status == "done"
end

for _, type in ipairs(PUBLISHERS) do
  for _, transport in ipairs(TRANSPORTS) do
    describe(("wait_subscriber of %s over %s"):format(type:upper(), transport),
      function()
        it("returns true when somebody subscribes [M5]", fact(function()
          local publisher, sub = pair_of(type, "sub", transport)
          local any, exact, longer, empty = waiter(publisher),
            waiter(publisher, "ab"), waiter(publisher, "abc"),
            waiter(publisher, "")
          sub:subscribe "ab"
          assert.is_true(publisher:wait_subscriber())
          assert.is_true(publisher:wait_subscriber("ab", 60))
          for _, task in ipairs { any, exact, longer } do
            task:wait()
          end
          assert.is_false(has(publisher, "a"))
          assert.is_false(is_over(empty))
          sub:subscribe ""
          empty:wait()
          assert.is_true(has(publisher, "other"))
          publisher:send("abc", "first")
          assert.are.same({ "abc", "first" }, sub:recv_multipart())
          close_all(publisher, sub)
        end))

        it("knows who has left [M5]", fact(function()
          local publisher, sub = pair_of(type, "sub", transport)
          local other = zmq.socket "sub":connect(publisher.last_endpoint)
          sub:subscribe "x"
          other:subscribe "x"
          other:subscribe "y"
          publisher:wait_subscriber "y"
          publisher:wait_subscriber "x"
          sub:close() -- the other one has subscribed to the same
          other:unsubscribe "y"
          wait_gone(publisher, "y")
          assert.is_true(has(publisher, "x"))
          other:close()
          wait_gone(publisher)
          publisher:close()
        end))
      end)
  end

  describe("wait_subscriber of " .. type:upper(), function()
    it("waits on if the subscriber has left before the task runs [M5]",
      fact(function()
        local publisher, sub = pair_of(type, "sub")
        local first = aw.start(function()
          publisher:wait_subscriber "a"
          sub:unsubscribe "a"
        end)
        local second = waiter(publisher, "a") -- both are woken at once
        sub:subscribe "a"
        first:wait()
        aw.yield()
        aw.sleep(0.001)
        assert.is_false(is_over(second))
        sub:subscribe "a"
        second:wait()
        close_all(publisher, sub)
      end))

    it("raises Timeout [M5]", fact(function()
      local publisher = zmq.socket(type):bind(sockets.address())
      for _, limit in ipairs { 0, 0.001 } do
        assert.is_true(aw.is_timeout(caught(publisher.wait_subscriber,
          publisher, "x", limit)))
      end
      publisher:close()
    end))

    it("is cancelled, and ends with the socket [M5, C2]", fact(function()
      local publisher, sub = pair_of(type, "sub")
      local tasks = {}
      for i = 1, 5 do
        tasks[i] = waiter(publisher, "x")
      end
      tasks[2]:cancel_wait()
      sub:subscribe "x"
      for _, i in ipairs { 1, 3, 4, 5 } do
        tasks[i]:wait()
      end
      local closed
      local last = aw.start(function()
        closed = caught(publisher.wait_subscriber, publisher, "y")
      end)
      aw.yield()
      publisher:close()
      last:wait()
      assert.is_true(aw.is_closed(closed))
      assert.is_true(aw.is_closed(caught(publisher.wait_subscriber, publisher)))
      sub:close()
    end))

    it("finds each of many topics [M5]", fact(function()
      local COUNT <const> = 3000
      local publisher, sub = pair_of(type, "sub", "inproc",
        { hwm = 0 })
      for i = 1, COUNT do
        sub:subscribe(("topic %d."):format(i))
      end
      publisher:wait_subscriber(("topic %d.more"):format(COUNT))
      for i = 1, COUNT do
        assert.is_true(has(publisher, ("topic %d."):format(i)))
      end
      assert.is_false(has(publisher, "topic 1"))
      assert.is_false(has(publisher, "topic "))
      for i = 2, COUNT do
        sub:unsubscribe(("topic %d."):format(i))
      end
      wait_gone(publisher, ("topic %d."):format(COUNT))
      for i = 2, COUNT do
        assert.is_false(has(publisher, ("topic %d."):format(i)))
      end
      assert.is_true(has(publisher, "topic 1."))
      close_all(publisher, sub)
    end))

    it("says why it cannot know its subscribers [M6]", fact(function()
      local s = zmq.socket(type, { invert_matching = true })
      blames_file("with 'invert_matching' cannot know", function()
        s:wait_subscriber "x"
      end)
      assert.is_false(has(s))
      s.invert_matching = false
      local failed
      local task = aw.start(function()
        failed = caught(s.wait_subscriber, s)
      end)
      aw.yield()
      s.xpub_manual = true
      task:wait()
      assert.are.equal("ENOTSUP", failed.code)
      blames_file("with 'xpub_manual' cannot know", function()
        s:wait_subscriber()
      end)
      s:close()
    end))

    it("blames the caller for wrong arguments [M5]", fact(function()
      local s = zmq.socket(type)
      blames_file("bad argument #1 to 'wait_subscriber' (string", function()
        s:wait_subscriber({}, 1)
      end)
      blames_file("string expected, got table", function()
        s:wait_subscriber {}
      end)
      blames_file("bad argument #2", function()
        s:wait_subscriber("x", -1)
      end)
      s:close()
    end))
  end)
end

describe("wait_subscriber", function()
  it("is for PUB and XPUB only [M5]", fact(function()
    for _, type in ipairs { "sub", "xsub", "push", "router" } do
      local s = zmq.socket(type)
      blames_file(("a %s socket has no subscribers"):format(type:upper()),
        function()
          s:wait_subscriber()
        end)
      s:close()
    end
  end))
end)

describe("an XPUB that is waited for", function()
  it("receives its subscriptions once and in order [M5]", fact(function()
    local COUNT <const> = 500
    local xpub, sub = pair_of("xpub", "xsub", "inproc", { hwm = 0 })
    local got = {}
    local receiver = aw.start(function()
      for _ = 1, COUNT // 2 do -- later ones are held meanwhile
        got[#got + 1] = xpub:recv()
      end
    end)
    local waiting = waiter(xpub, "t" .. COUNT)
    local wanted = {}
    for i = 1, COUNT do
      wanted[i] = i % 3 == 0 and "message " .. i or "\1t" .. i
      sub:send(wanted[i])
      if i % 50 == 0 then
        aw.yield()
      end
    end
    waiting:wait()
    receiver:wait()
    for _ = #got + 1, COUNT do
      assert.are.equal(zmq.POLLIN, xpub:poll("r", 0))
      got[#got + 1] = xpub:recv()
    end
    assert.are.same(wanted, got)
    assert.are.equal(0, xpub:poll("r", 0))
    close_all(xpub, sub)
  end))

  it("serves tasks that receive [M5]", fact(function()
    local xpub, sub = pair_of("xpub", "sub")
    local waiting, received = waiter(xpub, "b"), {}
    local receiver = aw.start(function()
      received[1] = xpub:recv()
      received[2] = xpub:recv()
    end)
    sub:subscribe "a"
    sub:subscribe "b"
    waiting:wait()
    receiver:wait()
    assert.are.same({ "\1a", "\1b" }, received)
    close_all(xpub, sub)
  end))

  it("raises EMSGSIZE in the place of a message that is too long [M5]",
    fact(function()
      local xpub, sub = pair_of("xpub", "xsub")
      xpub.max_parts = 2
      sub:send("x", "y", "z")
      sub:send "\1a"
      xpub:wait_subscriber "a"
      assert.are.equal("EMSGSIZE", caught(xpub.recv, xpub).code)
      assert.are.equal("\1a", (xpub:recv()))
      close_all(xpub, sub)
    end))

  it("counts the subscribers of a topic with xpub_verboser [M6]",
    fact(function()
      local xpub, sub = pair_of("xpub", "sub", "inproc")
      local other = zmq.socket "sub":connect(xpub.last_endpoint)
      xpub.xpub_verboser = true
      sub:subscribe "a"
      other:subscribe "a"
      assert.are.equal("\1a", xpub:recv())
      assert.are.equal("\1a", xpub:recv())
      sub:unsubscribe "a"
      assert.are.equal("\0a", xpub:recv())
      assert.is_true(has(xpub, "a"))
      other:unsubscribe "a"
      assert.are.equal("\0a", xpub:recv())
      assert.is_false(has(xpub, "a"))
      close_all(xpub, sub, other)
    end))
end)

describe("a PUB", function()
  it("is a PUB to its user [M6]", fact(function()
    local pub, sub = pair_of("pub", "xsub")
    assert.are.equal(zmq.PUB, pub.type)
    sub:send "no subscription"
    sub:send "\1a"
    pub:wait_subscriber "a"
    assert.are.equal(zmq.POLLOUT, pub.events)
    assert.are.equal(0, pub:poll("r", 0))
    assert.are.equal(zmq.POLLOUT, pub:poll "rw")
    raises("a PUB socket cannot receive", pub.recv, pub)
    assert.is_false((aw.pcall(aw.timeout, 0.001, aw.readable, pub)))
    close_all(pub, sub)
  end))

  it("reads subscriptions while it sends [M6]", fact(function()
    local pub, sub = pair_of("pub", "sub", "inproc", { hwm = 0 })
    for i = 1, 2000 do
      sub:subscribe("t" .. i)
      pub:send "t1"
    end
    for i = 2, 2000 do
      sub:unsubscribe("t" .. i)
      pub:send "x"
    end
    assert.is_true(has(pub, "t1"))
    wait_gone(pub, "t2000")
    close_all(pub, sub)
  end))

  it("takes the options of an XPUB [M6]", fact(function()
    local pub, sub = pair_of("pub", "sub", "inproc",
      { hwm = 1 })
    pub.xpub_nodrop, pub.xpub_verbose, pub.xpub_verboser = true, true, true
    sub:subscribe ""
    pub:wait_subscriber()
    local sent = 0
    local sender = aw.start(function()
      for i = 1, 20 do
        pub:send(i)
        sent = i
      end
    end)
    aw.yield()
    assert.is_true(sent < 20) -- it waits instead of dropping
    for i = 1, 20 do
      assert.are.equal(tostring(i), sub:recv())
    end
    sender:wait()
    raises("boolean expected", pub.set, pub, "xpub_verbose", "x")
    close_all(pub, sub)
  end))

  it("welcomes its subscribers [M6]", fact(function()
    local pub = zmq.socket("pub", { xpub_welcome_msg = "hello" })
    local sub = zmq.socket "sub":subscribe "hello"
    pub:bind(sockets.address "tcp")
    sub:connect(pub.last_endpoint)
    pub:wait_subscriber()
    assert.are.equal("hello", sub:recv())
    close_all(pub, sub)
  end))

  it("connects to an address once [M6]", fact(function()
    local sub = zmq.socket "sub":bind(sockets.address "tcp"):subscribe ""
    local pub, address = zmq.socket "pub", sub.last_endpoint
    local got = {}
    local receiver = aw.start(function() -- a SUB subscribes while it is used
      for i = 1, 3 do
        got[i] = sub:recv()
      end
    end)
    pub:connect(address)
    pub:connect(address)
    pub:wait_subscriber()
    pub:send "first"
    pub:send "second"
    while #got < 2 do
      aw.sleep(0.001)
    end
    pub:disconnect(address)
    wait_gone(pub)
    pub:connect(address)
    pub:wait_subscriber()
    pub:send "third"
    receiver:wait()
    assert.are.same({ "first", "second", "third" }, got)
    close_all(pub, sub)
  end))
end)

--- Tells whether the first look after the loss of a subscriber finds none.
local function notices_loss(transport)
  local pub <close> = zmq.socket("pub"):bind(sockets.address(transport))
  local monitor <close> = pub:monitor { "disconnected" }
  local sub <close> = zmq.socket("sub"):connect(pub.last_endpoint)
  sub:subscribe "a"
  pub:wait_subscriber "a"
  sub:close()
  if transport ~= "inproc" then
    monitor:recv()
  end
  local ok, err = pcall(pub.wait_subscriber, pub, "a", 0)
  return not ok and aw.is_timeout(err)
end

describe("a subscriber that is lost", function()
  for _, transport in ipairs { "inproc", "ipc", "tcp" } do
    it("does not count over " .. transport .. " [M5]", fact(function()
      helper.wait_until(function() -- an I/O thread may be late
        return notices_loss(transport)
      end)
    end))
  end
end)

describe("a PUB with conflate", function()
  it("keeps the newest message [M6]", fact(function()
    local sub, pub = zmq.socket "sub":subscribe "", zmq.socket "pub"
    pub.conflate = true
    sub:bind(sockets.address "inproc")
    pub:connect(sub.last_endpoint)
    repeat
      pub:send "old"
    until sub:poll("r", 0.001) > 0
    assert.are.equal("old", sub:recv())
    for i = 1, 10 do
      pub:send(i)
    end
    assert.are.equal("10", sub:recv())
    blames_file("with 'conflate' cannot know its subscribers", function()
      pub:wait_subscriber()
    end)
    close_all(pub, sub)
  end))

  it("keeps the options that it had [M6]", fact(function()
    local pub, sub = zmq.socket "pub", zmq.socket "sub":subscribe "hello"
    pub.xpub_welcome_msg = "hello"
    pub.linger, pub.sndhwm, pub.identity = 7, 5, "here"
    pub.linger = 77
    pub.conflate = true
    assert.are.same({ 77, 5, "here", true, zmq.PUB },
      { pub.linger, pub.sndhwm, pub.identity, pub.conflate, pub.type })
    pub:bind(sockets.address "tcp")
    sub:connect(pub.last_endpoint)
    repeat
      pub:send "other"
    until sub:poll("r", 0.001) > 0
    assert.are.equal("hello", sub:recv())
    close_all(pub, sub)
  end))

  it("knows its subscribers again without [M6]", fact(function()
    local pub = zmq.socket("pub", { conflate = true, linger = 5 })
    pub.conflate = false
    local sub = zmq.socket "sub":subscribe "x"
    pub:bind(sockets.address "inproc")
    sub:connect(pub.last_endpoint)
    assert.is_true(pub:wait_subscriber "x")
    pub:send("x", "of two parts")
    assert.are.same({ "x", "of two parts" }, sub:recv_multipart())
    assert.are.equal(5, pub.linger)
    close_all(pub, sub)
  end))

  it("must be told so before it is attached and used [M6]", fact(function()
    local pub = zmq.socket "pub"
    local waiting = waiter(pub)
    blames_file("while a task waits for the socket", function()
      pub.conflate = true
    end)
    waiting:cancel_wait()
    pub:bind(sockets.address "inproc")
    assert.are.equal("EISCONN", caught(pub.set, pub, "conflate", true).code)
    pub.conflate = false
    pub:close()
  end))

  it("does not take the place of a PUB that was bound in vain [M1, M6]",
    fact(function()
      local other <close> = zmq.socket("pull"):bind(sockets.address "tcp")
      local pub <close> = zmq.socket "pub"
      assert.are.equal("EADDRINUSE",
        caught(pub.bind, pub, other.last_endpoint).code)
      assert.are.equal("EISCONN", caught(pub.set, pub, "conflate", true).code)
      pub:bind(sockets.address "tcp")
      local sub <close> = zmq.socket "sub"
      sub:connect(pub.last_endpoint)
      assert.is_true(pub:wait_peers(1))
      assert.is_true(sub:wait_peers(1))
    end))
end)
