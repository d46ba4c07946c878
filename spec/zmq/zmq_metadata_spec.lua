-- s:recv_multipart{meta = true}: who has sent a message.

local aw = require "aiowire"
local places = require "spec.support.places"
local sockets = require "spec.support.sockets"

local zmq, fact = sockets.zmq, sockets.fact
local says = places.says

-- Send from a DEALER with a name, and return what its peer receives.
local function receive(transport, type, options)
  local a <close> = zmq.socket(type)
  local b <close> = zmq.socket("dealer", options or { identity = "me" })
  a:bind(sockets.address(transport))
  b:connect(a.last_endpoint)
  b:send("one", "two")
  return a:recv_multipart { meta = true }
end

describe("the metadata of a message", function()
  it("says who has sent it [M9]", fact(function()
    local parts, meta = receive("tcp", "dealer")
    assert.are.same({ "one", "two" }, parts)
    assert.are.same({ address = "127.0.0.1", socket_type = "DEALER",
      identity = "me" }, meta)
  end))

  it("is there behind the identity that a ROUTER adds [M9]", fact(function()
    local parts, meta = receive("tcp", "router")
    assert.are.same({ "me", "one", "two" }, parts)
    assert.are.same({ address = "127.0.0.1", socket_type = "DEALER",
      identity = "me" }, meta)
  end))

  it("has no field for what is not known [M9]", fact(function()
    local _, meta = receive("tcp", "dealer", {})
    assert.are.same({ address = "127.0.0.1", socket_type = "DEALER" }, meta)
    _, meta = receive("inproc", "dealer")
    assert.are.same({}, meta)
  end))

  it("comes to a task that has waited [M9]", fact(function()
    local a, b = sockets.pair_of("pull", "push", "tcp")
    local task = aw.start(function()
      local parts, meta = a:recv_multipart { meta = true }
      return aw.Value(parts[1], meta.socket_type)
    end)
    aw.yield()
    b:send "x"
    assert.are.same({ "x", "PUSH" }, { task:wait() })
    sockets.close_all(a, b)
  end))

  it("is not returned unless it is asked for [M9]", fact(function()
    local a, b = sockets.pair_of("pull", "push", "tcp")
    for _, ask in ipairs {
      function() return a:recv_multipart() end,
      function() return a:recv_multipart(nil) end,
      function() return a:recv_multipart {} end,
      function() return a:recv_multipart { meta = false } end,
    } do
      b:send "x"
      assert.are.same({ n = 1, { "x" } }, table.pack(ask()))
    end
    b:send "x"
    assert.are.equal(2, select("#", a:recv_multipart { meta = true }))
    b:send "x"
    assert.are.same({ n = 1, "x" }, table.pack(a:recv()))
    sockets.close_all(a, b)
  end))

  it("is there for the task after one that was cancelled [M9, H4]",
    fact(function()
      local a, b = sockets.pair_of("pull", "push", "tcp")
      local function ask()
        local parts, meta = a:recv_multipart { meta = true }
        return aw.Value(parts[1], meta.socket_type)
      end
      b:send "x"
      a:poll() -- it is there
      for _ = 1, 3 do -- some take it, and give it back
        local task = aw.start(ask)
        task:cancel_wait()
      end
      local first, second = aw.start(ask), aw.start(ask)
      first:cancel_wait()
      assert.are.same({ "x", "PUSH" }, { second:wait() })
      sockets.close_all(a, b)
    end))

  it("of a socket that conflates is that of the newest [M9]", fact(function()
    local a <close> = zmq.socket("pull", { conflate = true })
    local b <close> = zmq.socket "push"
    a:bind(sockets.address "tcp")
    b:connect(a.last_endpoint)
    b:send "x"
    local parts, meta = a:recv_multipart { meta = true }
    assert.are.same({ "x" }, parts)
    assert.are.equal("PUSH", meta.socket_type)
  end))

  it("is an option that is checked [M9]", fact(function()
    local s <close> = zmq.socket "pull"
    says("bad argument #1 to 'recv_multipart' (unknown option 'mata', did you "
      .. "mean 'meta'?)", function()
      s:recv_multipart { mata = true }
    end)
    says("bad option 'meta' (boolean expected, got number)", function()
      s:recv_multipart { meta = 1 }
    end)
    says("bad argument #1 to 'recv_multipart' (table expected, got boolean)",
      function()
        s:recv_multipart(true)
      end)
  end))

  --- Connect to a PULL as a peer without a mechanism that calls itself an
  --- administrator, and return the metadata of its message.
  local function pretend(options)
    local server <close> = zmq.socket("pull", options)
    server:bind(sockets.address "tcp")
    local peer <close> = aw.tcp.connect("127.0.0.1",
      math.tointeger(server.last_endpoint:match "%d+$"))
    local ready = "\5READY" .. string.pack(">s1s4s1s4", "Socket-Type", "PUSH",
      "User-Id", "admin")
    peer:write(("\xff%s\x7f\3\0NULL%s"):format(("\0"):rep(8), ("\0"):rep(48)))
    peer:write(string.pack("Bs1", 4, ready))
    peer:read(64 + 2) -- a message before the server's READY is an error
    peer:write(string.pack("Bs1", 0, "hello"))
    local parts, meta = server:recv_multipart { meta = true }
    assert.are.same({ "hello" }, parts)
    return meta
  end

  it("has the user id of no peer that nobody was asked about [M9]",
    fact(function()
      local _ <close> = zmq.auth { handler = function() return "a user" end }
      assert.are.same({ address = "127.0.0.1", socket_type = "PUSH" },
        pretend {})
      assert.are.equal("a user", pretend({ zap_domain = "x" }).user_id)
    end))

  it("has no user id if nobody was asked about some peers [M9]",
    fact(function()
      local _ <close> = zmq.auth { handler = function() return "a user" end }
      local server <close> = zmq.socket("pull"):bind(sockets.address "tcp")
      server.zap_domain = "x"
      server:bind(sockets.address "tcp")
      local client <close> = zmq.socket "push"
      client:connect(server.last_endpoint):send "x"
      local _, meta = server:recv_multipart { meta = true }
      assert.is_nil(meta.user_id)
    end))
end)
