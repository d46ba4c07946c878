-- Messages that are sent as they were received: their frames may be sent once
-- more, and must be the same as new ones.

local aw = require "aiowire"
local sockets = require "spec.support.sockets"

local zmq, fact, pair_of, close_all =
  sockets.zmq, sockets.fact, sockets.pair_of, sockets.close_all

-- libzmq keeps up to 33 bytes inside of a frame. The library keeps the frames
-- of messages of up to 1,024 bytes.
local SIZES <const> = { 0, 1, 33, 34, 64, 1000, 1024, 1025, 100000 }

-- Bytes in which each position counts.
local function body_of(size, salt)
  return ("\0" .. salt .. "0123456789abcdef"):rep(size // 17 + 1):sub(1, size)
end

-- Pass a message through a relay from the peer of `from` to that of `to`, and
-- return what arrives. `change` gets its parts and returns those to be sent.
local function relay(source, from, to, sink, parts, change)
  source:send_multipart(parts)
  to:send_multipart(change(from:recv_multipart()))
  return sink:recv_multipart()
end

local function unchanged(parts)
  return parts
end

-- The sockets of a relay: source ──► from … to ──► sink
local function chain(transport)
  local from, source = pair_of("pull", "push", transport)
  local sink, to = pair_of("pull", "push", transport)
  return source, from, to, sink
end

describe("a message sent as it was received", function()
  for _, transport in ipairs { "inproc", "ipc", "tcp" } do
    it("arrives unchanged over " .. transport, fact(function()
      local source, from, to, sink = chain(transport)
      for _, size in ipairs(SIZES) do
        local parts = { body_of(size, "a"), "", body_of(size, "b") }
        for count = 3, 1, -1 do
          parts[count + 1] = nil
          assert.are.same(parts,
            relay(source, from, to, sink, parts, unchanged))
        end
      end
      close_all(source, from, to, sink)
    end))
  end

  it("may be sent several times", fact(function()
    local source, from, to, sink = chain "ipc"
    for _, size in ipairs(SIZES) do
      local body = body_of(size, "x")
      source:send("head", body)
      local parts = from:recv_multipart()
      for _ = 1, 3 do
        to:send_multipart(parts)
      end
      for _ = 1, 3 do
        assert.are.same({ "head", body }, sink:recv_multipart())
      end
    end
    close_all(source, from, to, sink)
  end))

  it("goes back to its sender by a ROUTER", fact(function()
    local router, dealer = pair_of("router", "dealer", "tcp")
    for _, size in ipairs(SIZES) do
      local body = body_of(size, "y")
      dealer:send(body)
      local id, received = router:recv()
      assert.is_true(router:send(id, received))
      assert.is_true(router:send(id, received))
      assert.are.equal(body, dealer:recv())
      assert.are.equal(body, dealer:recv())
    end
    close_all(router, dealer)
  end))

  it("goes to another peer if the program says so", fact(function()
    local router = zmq.socket("router")
    router:bind(sockets.address("ipc"))
    local a = zmq.socket("dealer", { identity = "a" })
    local b = zmq.socket("dealer", { identity = "b" })
    a:connect(router.last_endpoint)
    b:connect(router.last_endpoint)
    b:send "hello"
    assert.are.same({ "b", "hello" }, router:recv_multipart())
    a:send "for b"
    local id, body = router:recv()
    assert.are.equal("a", id)
    router:send("b", body)
    router:send(id, body)
    assert.are.equal("for b", b:recv())
    assert.are.equal("for b", a:recv())
    close_all(router, a, b)
  end))

  it("is refused if its peer is gone, and the next one is not", fact(function()
    local router = zmq.socket("router")
    router:bind(sockets.address("ipc"))
    local a = zmq.socket("dealer", { identity = "a" })
    a:connect(router.last_endpoint)
    a:send "one"
    local id, body = router:recv()
    a:close()
    aw.timeout(sockets.PATIENCE, function()
      while router:send(id, body) do
        aw.sleep(0.001)
      end
    end)
    local b = zmq.socket("dealer", { identity = "b" })
    b:connect(router.last_endpoint)
    b:send "two"
    assert.is_true(router:send(router:recv()))
    assert.are.equal("two", b:recv())
    close_all(router, b)
  end))

  it("may go out when its socket is closed", fact(function()
    local source, from, to, sink = chain "ipc"
    source:send("head", body_of(64, "c"))
    local parts = from:recv_multipart()
    from:close()
    to:send_multipart(parts)
    assert.are.same({ "head", body_of(64, "c") }, sink:recv_multipart())
    close_all(source, to, sink)
  end))

  it("may go out when the next one is there", fact(function()
    local source, from, to, sink = chain "ipc"
    for i = 1, 4 do
      source:send("head", "body " .. i)
    end
    local first, second = from:recv_multipart(), from:recv_multipart()
    to:send_multipart(first)
    to:send_multipart(second)
    from:poll "r" -- reads ahead
    to:send_multipart(second)
    to:send_multipart(from:recv_multipart())
    for _, i in ipairs { 1, 2, 2, 3 } do
      assert.are.same({ "head", "body " .. i }, sink:recv_multipart())
    end
    close_all(source, from, to, sink)
  end))

  it("waits for room as any other", fact(function()
    local from, source = pair_of("pull", "push", "ipc")
    local to = zmq.socket("push", { sndhwm = 1 })
    local address = sockets.address "ipc"
    to:connect(address)
    source:send("1", "body")
    source:send("2", "body")
    source:send("3", "body")
    local sender = aw.start(function()
      for _ = 1, 3 do
        to:send_multipart(from:recv_multipart())
      end
    end)
    aw.sleep(0.02)
    local sink = zmq.socket "pull"
    sink:bind(address)
    for i = 1, 3 do
      assert.are.same({ tostring(i), "body" }, sink:recv_multipart())
    end
    sender:wait()
    close_all(source, from, to, sink)
  end))

  it("is taken by a task that has waited, and sent", fact(function()
    local router, dealer = pair_of("router", "dealer", "ipc")
    local server = aw.start(function()
      for _ = 1, 3 do
        router:send(router:recv())
      end
    end)
    for i = 1, 3 do
      dealer:send("body", tostring(i))
      assert.are.same({ "body", tostring(i) }, dealer:recv_multipart())
    end
    server:wait()
    close_all(router, dealer)
  end))

  it("has the metadata of the last sender only [M9]", fact(function()
    local function meta_after(transport)
      local source, from, to, sink = chain(transport)
      source:send("head", body_of(64, "m"))
      to:send_multipart(from:recv_multipart())
      local _, meta = sink:recv_multipart { meta = true }
      close_all(source, from, to, sink)
      return meta
    end
    assert.are.equal("PUSH", meta_after("tcp").socket_type)
    local from, source = pair_of("router", "dealer", "tcp")
    local sink, to = pair_of("pull", "push", "inproc")
    source:send(body_of(64, "m"))
    to:send_multipart(from:recv_multipart())
    local parts, meta = sink:recv_multipart { meta = true }
    assert.are.equal(2, #parts)
    assert.are.same({}, meta)
    close_all(from, source, to, sink)
  end))
end)

describe("a message that differs from the one received", function()
  it("arrives as it was sent", fact(function()
    local source, from, to, sink = chain "ipc"
    local changes = {
      function(p) return { p[1], "other body" } end,
      function(p) return { p[1], p[2]:sub(1, -2) .. "!" } end,
      function(p) return { "!" .. p[1]:sub(2), p[2] } end,
      function(p) return { p[1], p[2], "" } end,
      function(p) return { p[2] } end,
      function(p) return { p[1] } end,
      function(p) return { p[2], p[1] } end,
      function(p) return { p[1], "", p[2] } end,
      function(p) return { p[1] .. p[2], "" } end
    }
    for _, size in ipairs { 1, 33, 64, 1000 } do
      local parts = { "head" .. size, body_of(size, "d") }
      for _, change in ipairs(changes) do
        assert.are.same(change(parts),
          relay(source, from, to, sink, parts, change))
        assert.are.same(parts,
          relay(source, from, to, sink, parts, unchanged))
      end
    end
    close_all(source, from, to, sink)
  end))
end)
