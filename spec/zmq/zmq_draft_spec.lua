-- Types of sockets that are drafts of libzmq. Debian's build has none, so most
-- of these specs are pending there; a build with drafts runs them, and
-- zmq_faults_spec.lua runs them with types made of others.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local places = require "spec.support.places"
local sockets = require "spec.support.sockets"

local zmq, pair_of, close_all =
  sockets.zmq, sockets.pair_of, sockets.close_all
local raises, caught = helper.raises, helper.caught
local blames_file = places.blames_file

local has_drafts = sockets.installed and zmq.has "draft"

local TYPES <const> = { "SERVER", "CLIENT", "RADIO", "DISH", "GATHER",
  "SCATTER", "DGRAM", "CHANNEL" }

--- Returns a function for `it`, as sockets.fact() does; pending without drafts.
local function fact(f)
  return has_drafts and sockets.fact(f) or function()
    pending "libzmq was built without drafts"
  end
end

describe("a type that is a draft", function()
  it("has a number [M24]", function()
    for i, type in ipairs(TYPES) do
      assert.are.equal(type == "CHANNEL" and 20 or 11 + i, zmq[type])
    end
  end)

  it("is refused by a libzmq without drafts [M24]", function()
    if has_drafts or not sockets.installed then
      pending "needs a libzmq without drafts"
      return
    end
    for _, type in ipairs(TYPES) do
      blames_file(("type %s is a draft of libzmq, and this libzmq was built "
        .. "without drafts"):format(type), function()
          zmq.socket(type:lower())
        end)
    end
  end)
end)

describe("join and leave", function()
  it("are for DISH only [M24]", sockets.fact(function()
    local s = zmq.socket "sub"
    for _, name in ipairs { "join", "leave" } do
      blames_file(("a SUB socket cannot %s a group"):format(name), function()
        s[name](s, "news")
      end)
    end
    s:close()
  end))
end)

for _, transport in ipairs { "tcp", "ipc", "inproc" } do
  describe("over " .. transport, function()
    it("a SERVER knows its CLIENTs by number [M24]", fact(function()
      local server, client = pair_of("server", "client", transport)
      local other = zmq.socket "client":connect(server.last_endpoint)
      local echo = aw.start(function()
        for _ = 1, 200 do
          local id, text = server:recv()
          assert.are.equal("integer", math.type(id))
          assert.is_true(server:send(id, "re:" .. text))
        end
      end)
      for i = 1, 100 do
        client:send("q" .. i)
        other:send("p" .. i)
        assert.are.equal("re:q" .. i, client:recv())
        assert.are.equal("re:p" .. i, other:recv())
      end
      echo:wait()
      client:send "last"
      local id, text = table.unpack(server:recv_multipart())
      assert.are.equal("last", text)
      assert.is_true(aw.await(aw.Send(server, id, "wire")))
      assert.are.equal("wire", aw.await(aw.Recv(client)))
      close_all(server, client, other)
    end))

    it("a DISH receives from its groups [M24]", fact(function()
      local radio, dish = pair_of("radio", "dish", transport)
      assert.are.equal(dish, dish:join "news")
      local got
      local receiver = aw.start(function()
        got = { dish:recv() }
      end)
      repeat -- nobody knows when a RADIO has a DISH
        radio:send("other", "x")
        radio:send("news", "today")
        aw.sleep(0.001)
      until got
      receiver:wait()
      assert.are.same({ "news", "today" }, got)
      assert.are.equal(dish, dish:leave "news")
      assert.are.equal("EINVAL", caught(dish.leave, dish, "news").code)
      close_all(radio, dish)
    end))

    it("a GATHER receives what a SCATTER sends [M24]", fact(function()
      local gather, scatter = pair_of("gather", "scatter", transport)
      for i = 1, 100 do
        scatter:send(i)
      end
      for i = 1, 100 do
        assert.are.equal(tostring(i), gather:recv())
      end
      close_all(gather, scatter)
    end))

    it("two CHANNELs talk to each other [M24]", fact(function()
      local a, b = pair_of("channel", "channel", transport)
      local answer = aw.start(function()
        for _ = 1, 100 do
          b:send("re:" .. b:recv())
        end
      end)
      for i = 1, 100 do
        a:send(i)
        assert.are.equal("re:" .. i, a:recv())
      end
      answer:wait()
      close_all(a, b)
    end))
  end)
end

describe("a SERVER", function()
  it("returns false if the peer is gone [M24]", fact(function()
    local server = zmq.socket("server"):bind(sockets.address "tcp")
    assert.are.same({ false, "EHOSTUNREACH" }, { server:send(12345, "x") })
    server:close()
  end))

  it("waits while a peer is full [M24]", fact(function()
    local server, client = pair_of("server", "client", "inproc", { hwm = 1 })
    client:send "here"
    local id = server:recv()
    local sent = 0
    local sender = aw.start(function()
      for i = 1, 10 do
        assert.is_true(server:send(id, i))
        sent = i
      end
    end)
    aw.yield()
    assert.is_true(sent < 10)
    for i = 1, 10 do
      assert.are.equal(tostring(i), client:recv())
    end
    sender:wait()
    close_all(server, client)
  end))

  it("takes a routing id and one part [M24]", fact(function()
    local server, client = pair_of("server", "client")
    for _, id in ipairs { 0, -1, 1 << 32, "x", 1.5 } do
      raises("positive 32-bit integer", server.send, server, id, "part")
      raises("positive 32-bit integer", aw.Send, server, id, "part")
    end
    raises("sends a routing id and one part, got 1", server.send, server, 1)
    raises("sends a routing id and one part, got 3", server.send_multipart,
      server, { 1, "a", "b" })
    raises("sends messages of one part, got 2", client.send, client, "a", "b")
    close_all(server, client)
  end))

  it("receives nothing for a task that is cancelled [M24]", fact(function()
    local server, client = pair_of("server", "client")
    local task = aw.start(function()
      server:recv()
    end)
    aw.yield()
    task:cancel()
    client:send "kept"
    aw.pcall(task.wait, task)
    assert.are.equal("kept", (select(2, server:recv())))
    close_all(server, client)
  end))
end)

describe("a RADIO", function()
  it("takes a group and one part [M24]", fact(function()
    local radio = zmq.socket "radio"
    raises("a group has 255 bytes at most", radio.send, radio, ("x"):rep(256),
      "part")
    raises("no zero byte", radio.send, radio, "a\0b", "part")
    raises("sends a group and one part", radio.send, radio, "group")
    radio:close()
  end))
end)

describe("a DGRAM", function()
  it("talks to datagram sockets [M24]", fact(function()
    local peer = aw.udp.bind("127.0.0.1", 0)
    local _, port = peer:name()
    local dgram = zmq.socket("dgram"):bind "udp://127.0.0.1:*"
    dgram:send(("127.0.0.1:%d"):format(port), "hello")
    assert.are.equal("hello", (peer:recv()))
    peer:close()
    dgram:close()
  end))
end)
