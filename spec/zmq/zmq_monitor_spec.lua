-- s:monitor(): what happens to a socket [M1], [M2], and how a monitor ends
-- [M3].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local sockets = require "spec.support.sockets"

local zmq, fact = sockets.zmq, sockets.fact

--- Receives until an event of this name comes; returns it.
local function await_event(m, name)
  for e in m:iter() do
    if e.event == name then
      return e
    end
  end
  error("no event " .. name)
end

--- Returns the names of the next `n` events.
local function names(m, n)
  local list = {}
  for i = 1, n do
    list[i] = m:recv().event
  end
  return list
end

describe("a monitor of a zmq socket", function()
  for _, transport in ipairs { "tcp", "ipc" } do
    it(("tells of a peer's coming and going over %s [M1]"):format(transport),
      fact(function()
        local s <close> = zmq.socket "rep"
        local m <close> = s:monitor()
        s:bind(sockets.address(transport))
        local c = zmq.socket("req"):connect(s.last_endpoint)
        assert.are.same({ "listening", "accepted", "handshake_succeeded" },
          names(m, 3))
        c:close()
        local e = m:recv()
        assert.are.equal("disconnected", e.event)
        assert.are.equal(s.last_endpoint, e.address)
        assert.are.equal("integer", math.type(e.value))
        assert.is_nil(e.error)
      end))
  end

  it("has the name of an error [M1]", fact(function()
    local a <close> = zmq.socket("rep"):bind(sockets.address "tcp")
    local s <close> = zmq.socket "rep"
    local m <close> = s:monitor()
    assert.is_false((pcall(s.bind, s, a.last_endpoint)))
    local e = await_event(m, "bind_failed")
    assert.are.equal("EADDRINUSE", e.error)
    assert.are.equal(a.last_endpoint, e.address)
    s:connect "tcp://127.0.0.1:9"
    assert.are.equal("EINPROGRESS", await_event(m, "connect_delayed").error)
    assert.is_true(await_event(m, "connect_retried").value > 0)
  end))

  it("tells only of the events that it names [M1]", fact(function()
    local s <close> = zmq.socket "rep"
    local m <close> = s:monitor { "accepted", "disconnected" }
    local all <close> = s:monitor {}
    s:bind(sockets.address "tcp")
    zmq.socket("req"):connect(s.last_endpoint):close()
    assert.are.same({ "accepted", "disconnected" }, names(m, 2))
    assert.are.equal("listening", all:recv().event)
  end))

  it("gives each monitor of a socket all events [M1]", fact(function()
    local s <close> = zmq.socket "rep"
    local a <close> = s:monitor()
    local b <close> = s:monitor()
    s:bind(sockets.address "tcp")
    local late <close> = s:monitor()
    local c <close> = zmq.socket("req"):connect(s.last_endpoint)
    c:wait_peers(1)
    local both = { "listening", "accepted", "handshake_succeeded" }
    assert.are.same(both, names(a, 3))
    assert.are.same(both, names(b, 3))
    assert.are.equal("handshake_succeeded",
      await_event(late, "handshake_succeeded").event)
  end))

  it("is received by aw.Recv, also in a race [M1, H3]", fact(function()
    local s <close> = zmq.socket "rep"
    local m <close> = s:monitor()
    assert.are.equal("late", aw.await(aw.Recv(m) | aw.Sleep(0.01)
      >> aw.Value "late"))
    s:bind(sockets.address "tcp")
    local e = aw.await(aw.Recv(m) | aw.Sleep(sockets.PATIENCE))
    assert.are.equal("listening", e.event)
  end))

  it("keeps the newest 1,000 events, and counts the others [M2]",
    fact(function()
      local s <close> = zmq.socket("push", { reconnect_ivl = 1 })
      local m <close> = s:monitor()
      local other <close> = s:monitor { "listening" }
      assert.are.equal(0, m.dropped)
      for i = 1, 20 do
        s:connect("tcp://127.0.0.1:" .. i)
      end
      while m.dropped < 100 do
        aw.sleep(0.001)
      end
      s:close()
      assert.is_nil(other:recv()) -- no more events come
      local count = 0
      for _ in m:iter() do
        count = count + 1
      end
      assert.are.equal(1000, count)
    end))

  it("does not hold up other sockets while nobody reads it [M2]",
    fact(function()
      local absent <close> = zmq.socket("push",
        { reconnect_ivl = 1, linger = 0 })
      local m <close> = absent:monitor()
      for i = 1, 20 do
        absent:connect("tcp://127.0.0.1:" .. i)
      end
      local rep, req = sockets.pair_of("rep", "req", "tcp")
      while m.dropped < 3000 do -- libzmq's own monitor stalls long before
        req:send "ping"
        assert.are.equal("ping", rep:recv())
        rep:send "pong"
        assert.are.equal("pong", req:recv())
      end
      sockets.close_all(rep, req)
    end))

  it("ends after its socket, with nil and 'closed' [M3]", fact(function()
    local s = zmq.socket("rep")
    local m <close> = s:monitor()
    s:bind(sockets.address "tcp"):close()
    assert.are.equal("listening", m:recv().event)
    for _ = 1, 2 do
      assert.are.same({ n = 2, nil, "closed" }, table.pack(m:recv()))
    end
    assert.are.same({ n = 2, nil, "closed" },
      table.pack(aw.await(aw.Recv(m))))
  end))

  it("ends without a bind, too [M3]", fact(function()
    local s = zmq.socket "rep"
    local m <close> = s:monitor()
    aw.scope(function(scope)
      scope:start(function()
        assert.is_nil(m:recv())
      end)
      aw.yield()
      s:close()
    end)
  end))

  it("that is closed ends the waits for it [M3]", fact(function()
    local s <close> = zmq.socket("rep"):bind(sockets.address "tcp")
    local m = s:monitor()
    aw.scope(function(scope)
      for _ = 1, 3 do
        scope:start(function()
          for _ in m:iter() do
            aw.yield()
          end
        end)
      end
      aw.sleep(0.01)
      m:close()
      m:close()
    end)
    assert.are.same({ n = 2, nil, "closed" }, table.pack(m:recv()))
    assert.are.equal("zmq monitor (closed)", tostring(m))
  end))

  it("loses nothing to a receive that is cancelled [M3, C2]", fact(function()
    local s <close> = zmq.socket "rep"
    local m <close> = s:monitor()
    for _ = 1, 20 do
      local task = aw.start(aw.Recv(m))
      aw.yield()
      task:cancel()
    end
    s:bind(sockets.address "tcp")
    assert.are.equal("listening", m:recv().event)
  end))

  it("shows what it is [D1]", fact(function()
    local s <close> = zmq.socket "rep"
    local m <close> = s:monitor()
    assert.are.equal("zmq monitor (of REP)", tostring(m))
    assert.is_nil(m.no_such_field)
  end))

  it("of many sockets that live shortly is one of its own [M1]",
    fact(function()
      local s <close> = zmq.socket("rep"):bind(sockets.address "tcp")
      for _ = 1, 200 do
        local c = zmq.socket("req", { linger = 0 })
        local m <close> = c:monitor { "connect_delayed", "connected" }
        c:connect(s.last_endpoint)
        assert.are.equal(s.last_endpoint, m:recv().address)
        c:close()
      end
    end))

  it("does not count among the sockets of its context [M1]",
    fact(function()
      local ctx <close> = zmq.context { max_sockets = 3 }
      assert.are.equal(3, ctx:get "max_sockets")
      local list = {}
      for i = 1, 3 do
        list[i] = ctx:socket("rep")
        list[i]:monitor()
        list[i]:bind(sockets.address "tcp")
      end
      helper.raises("its context has 3 at most", ctx.socket, ctx, "rep")
      list[1]:close()
      ctx:socket("rep"):bind(sockets.address "tcp")
    end))

  it("refuses names that are no events [M1]", fact(function()
    local s = zmq.socket "rep"
    local function refuses(text, ...)
      helper.raises(text, s.monitor, s, ...)
    end
    refuses("there is no event 'conected', did you mean 'connected'?",
      { "conected" })
    refuses("the name of an event is a string, got number", { 1 })
    refuses("events are a list of names, got a key 'a'", { a = "accepted" })
    refuses("table expected, got string", "accepted")
    s:close()
    refuses("Closed: monitor of REP socket")
  end))
end)
