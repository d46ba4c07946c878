-- Names for the next peer of a socket (`connect_routing_id`), which would make
-- libzmq abort the program if two peers had the same.

local helper = require "spec.support.helper"
local places = require "spec.support.places"
local sockets = require "spec.support.sockets"

local zmq, fact = sockets.zmq, sockets.fact
local raises = helper.raises

local TYPES <const> = { "pair", "pub", "sub", "req", "rep", "dealer", "router",
  "pull", "push", "xpub", "xsub", "stream" }

local function open(type, options)
  options = options or {}
  options.linger = 0
  return zmq.socket(type, options)
end

describe("the name for the next peer of a ROUTER", function()
  it("is refused if a peer has it", fact(function()
    local router, peer, server = open "router", open "dealer", open "dealer"
    router:bind(sockets.address "inproc")
    peer.routing_id = "taken"
    peer:connect(router.last_endpoint)
    peer:send "hello"
    router:recv()
    server:bind(sockets.address "inproc")
    router.connect_routing_id = "taken"
    assert.are.equal("EEXIST", helper.caught(router.connect, router,
      server.last_endpoint).code)
    router.connect_routing_id = "free"
    router:connect(server.last_endpoint)
    router:send("free", "request")
    assert.are.equal("request", (server:recv()))
    for _, s in ipairs { router, peer, server } do
      s:close()
    end
  end))

  it("must not be the name of a peer that has just connected", fact(function()
    for _ = 1, 50 do
      local router, peer, server = open "router", open "dealer", open "dealer"
      router:bind(sockets.address "inproc")
      server:bind(sockets.address "inproc")
      router.connect_routing_id, peer.routing_id = "taken", "taken"
      router:poll("r", 0)
      peer:connect(router.last_endpoint)
      assert.are.equal("EEXIST", helper.caught(router.connect, router,
        server.last_endpoint).code)
      for _, s in ipairs { router, peer, server } do
        s:close()
      end
    end
  end))

  it("must not be the name of a peer that left unread messages", fact(function()
    local router, peer = open "router", open("dealer", { linger = -1 })
    local server = open "dealer"
    router:bind(sockets.address "inproc")
    local endpoint = router.last_endpoint
    server:bind(sockets.address "inproc")
    peer.routing_id = "taken"
    peer:connect(router.last_endpoint)
    peer:send "1"
    peer:send "2"
    router:recv()
    peer:close()
    router.connect_routing_id = "taken"
    assert.are.equal("EEXIST", helper.caught(router.connect, router,
      server.last_endpoint).code)
    assert.are.equal(endpoint, router.last_endpoint)
    assert.are.same({ "taken", "2" }, router:recv_multipart())
    helper.wait_until(function()
      return pcall(router.connect, router, server.last_endpoint)
    end)
    router:send("taken", "request")
    assert.are.equal("request", (server:recv()))
    router:close()
    server:close()
  end))

  for _, transport in ipairs { "tcp", "ipc" } do
    local function refused(s)
      places.says("cannot set option 'connect_routing_id' of a ROUTER socket "
        .. "that others reach over tcp or ipc: a peer could take the name "
        .. "first (name peers by a socket that only connects, or before its "
        .. "bind)", function()
        s.connect_routing_id = "name"
      end)
    end

    it("is refused once peers may connect over " .. transport, fact(function()
      local s = open "router"
      s:bind(sockets.address(transport))
      refused(s)
      s:unbind(s.last_endpoint)
      refused(s) -- a connected peer may send its name only now
      s:close()
    end))

    it("is refused once it has connected without a name over " .. transport,
      fact(function()
        local s, other = open "router", open "router"
        other:bind(sockets.address(transport))
        pcall(s.connect, s, "tcp://127.0.0.1:port") -- fails, without a peer
        s.connect_routing_id = "first"
        s:connect(other.last_endpoint)
        s.connect_routing_id = "second"
        s:connect(other.last_endpoint)
        s:connect(other.last_endpoint)
        refused(s)
        s:close()
        other:close()
      end))

    it("must be used before a bind over " .. transport, fact(function()
      local s, server = open "router", open "dealer"
      local address = sockets.address(transport)
      server:bind(sockets.address(transport))
      s.connect_routing_id = "server"
      places.says(("bad argument #1 to 'bind' (a peer at '%s' could take the "
        .. "name that 'connect_routing_id' has for the next connect: connect "
        .. "first)"):format(address), function()
        s:bind(address)
      end)
      s:bind(sockets.address "inproc")
      s:connect(server.last_endpoint)
      s:bind(address)
      s:send("server", "request")
      assert.are.equal("request", (server:recv()))
      s:close()
      server:close()
    end))
  end

  it("is given only by a ROUTER or a STREAM", fact(function()
    for _, type in ipairs(TYPES) do
      local s = open(type)
      local ok = pcall(s.set, s, "connect_routing_id", "name")
      assert.are.equal(type == "router" or type == "stream", ok)
      if not ok then
        places.says(("cannot set option 'connect_routing_id' of a %s socket: "
          .. "a bad value, or not for this type or this libzmq"):format(
          type:upper()), function()
          s.connect_routing_id = "name"
        end)
      end
      s:close()
    end
  end))

  it("is given by a STREAM or a raw ROUTER that is bound, too", fact(function()
    for _, s in ipairs { open "stream",
      open("router", { router_raw = true }) } do
      local server = open "stream"
      server:bind(sockets.address "tcp")
      s.connect_routing_id = "server"
      s:bind(sockets.address "tcp")
      s:connect(server.last_endpoint)
      s.connect_routing_id = "other"
      s:close()
      server:close()
    end
  end))

  it("stays for the next connect after a failed one", fact(function()
    local router, peer, server = open "router", open "dealer", open "dealer"
    router:bind(sockets.address "inproc")
    server:bind(sockets.address "inproc")
    router.connect_routing_id, peer.routing_id = "taken", "taken"
    assert.is_false(pcall(router.connect, router, "tcp://127.0.0.1:port"))
    peer:connect(router.last_endpoint)
    assert.are.equal("EEXIST", helper.caught(router.connect, router,
      server.last_endpoint).code)
    router.connect_routing_id = "free"
    router:connect(server.last_endpoint)
    router:send("free", "request")
    assert.are.equal("request", (server:recv()))
    for _, s in ipairs { router, peer, server } do
      s:close()
    end
  end))

  for type in pairs { router = true, stream = true } do
    it(("is refused over tcp for a %s that is immediate"):format(type:upper()),
      fact(function()
        local s, server = open(type, { immediate = true }), open(type)
        server:bind(sockets.address "tcp")
        s.connect_routing_id = "server"
        raises("'immediate' cannot name its peer", s.connect, s,
          server.last_endpoint)
        s.immediate = false
        s:connect(server.last_endpoint)
        s:close()
        server:close()
      end))
  end

  it("is given by an immediate ROUTER over inproc", fact(function()
    local s, server = open("router", { immediate = true }), open "dealer"
    server:bind(sockets.address "inproc")
    s.connect_routing_id = "server"
    s:connect(server.last_endpoint)
    s:send("server", "request")
    assert.are.equal("request", (server:recv()))
    s:close()
    server:close()
  end))

  it("must not be a number that the ROUTER may give", fact(function()
    local router, first, next = open "router", open "dealer", open "dealer"
    router:bind(sockets.address "inproc")
    first:connect(router.last_endpoint)
    first:send "hello"
    local number = string.unpack(">I4", (router:recv()), 2)
    local name = string.pack(">BI4", 0, (number + 1) & 0xffffffff)
    raises("a bad value", next.set, next, "routing_id", name)
    raises("a bad value", router.set, router, "connect_routing_id", name)
    next:connect(router.last_endpoint)
    next:send "hello"
    assert.are.equal(name, (router:recv()))
    for _, s in ipairs { router, first, next } do
      s:close()
    end
  end))

  it("stays taken, since a bound ROUTER cannot become raw", fact(function()
    local router, server = open "router", open "dealer"
    router:bind(sockets.address "inproc")
    server:bind(sockets.address "inproc")
    assert.are.equal("EISCONN", helper.caught(router.set, router, "router_raw",
      true).code)
    router.router_raw = false
    router.connect_routing_id = "taken"
    router:connect(server.last_endpoint)
    router.connect_routing_id = "taken"
    assert.are.equal("EEXIST", helper.caught(router.connect, router,
      server.last_endpoint).code)
    router:close()
    server:close()
  end))

  it("is used once by a raw ROUTER", fact(function()
    local server, router = open "stream", open("router", { router_raw = true })
    server:bind(sockets.address "tcp")
    router.connect_routing_id = "server"
    router:connect(server.last_endpoint)
    assert.are.equal("EEXIST", helper.caught(router.set, router,
      "connect_routing_id", "server").code)
    router:close()
    server:close()
  end))

  it("is used once by a STREAM socket", fact(function()
    local server, s = open "stream", open "stream"
    server:bind(sockets.address "tcp")
    s.connect_routing_id = "server"
    s:connect(server.last_endpoint)
    assert.are.equal("EEXIST", helper.caught(s.set, s, "connect_routing_id",
      "server").code)
    s.connect_routing_id = "other"
    s:connect(server.last_endpoint)
    s:close()
    server:close()
  end))
end)
