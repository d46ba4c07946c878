-- The end of a connection with TLS: an end that the peer has announced is told
-- from one that somebody has caused in between.

local aw = require "aiowire"
local clients = require "spec.support.clients"
local helper = require "spec.support.helper"
local secure = require "spec.support.secure"

local connected, parted, raises = secure.connected, secure.parted, helper.raises

local TRUNCATED <const> = "UNEXPECTED_EOF_WHILE_READING"

--- Check that reads of the stream fail since an end was not announced.
local function assert_truncated(s, ...)
  local err = secure.assert_tls(TRUNCATED, helper.caught(...))
  assert.are.equal("read", err.call)
  secure.assert_tls(TRUNCATED, helper.caught(s.read, s))
  secure.assert_tls(TRUNCATED, helper.caught(s.read_some, s))
  secure.assert_tls(TRUNCATED, helper.caught(s.read, s, "a"))
end

describe("an end that the peer has announced", function()
  it("is nil after the bytes, again and again [X27]", connected(
    function(_, client, accepted)
      client:write "last"
      client:close()
      assert.are.equal("last", accepted:read())
      for _ = 1, 3 do
        assert.is_nil(accepted:read())
        assert.is_nil(accepted:read_some())
        assert.are.equal("", accepted:read "a")
      end
    end))

  it("ends one direction only", connected(function(_, client, accepted)
    client:write "request"
    client:shutdown()
    client:shutdown()
    assert.are.equal("request", accepted:read "a")
    accepted:write "reply"
    assert.are.equal("reply", client:read(5))
    accepted:write "and more"
    accepted:close()
    assert.are.equal("and more", client:read "a")
  end))

  it("ends one direction of the server's side, too", connected(
    function(_, client, accepted)
      accepted:write "greeting"
      accepted:shutdown()
      assert.are.equal("greeting", client:read "a")
      client:write "answer"
      client:shutdown()
      assert.are.equal("answer", accepted:read "a")
    end))

  it("refuses later writes of this side with EPIPE", connected(
    function(_, client)
      client:shutdown()
      secure.assert_system("EPIPE", raises("broken pipe", client.write, client,
        "x"))
    end))

  it("comes after everything that is queued [X27]", connected(
    function(ev, client, accepted)
      local size <const> = 3000000
      client:configure { high_water = 2 * size }
      client:write(("x"):rep(size))
      local closer = ev:start(aw.Call(client.shutdown, client))
      assert.are.equal(size, #accepted:read "a")
      closer:wait()
    end))

  it("comes after what is queued at a close", connected(
    function(_, client, accepted)
      local size <const> = 3000000
      client:configure { high_water = 2 * size }
      client:write(("x"):rep(size))
      client:close()
      assert.are.equal(size, #accepted:read "a")
    end))

  it("comes after what the kernel still has at a close", connected(
    function(_, client, accepted)
      local size <const> = 300000
      client:write(("x"):rep(size))
      client:flush()
      client:close()
      aw.sleep(0.1) -- for the close to look at the kernel, and look again
      assert.are.equal(size, #accepted:read "a")
      assert.is_nil(accepted:read())
    end))
end)

describe("an end that the peer has not announced", function()
  it("is a TLSError after the bytes [X27]", parted(nil,
    function(_, client, accepted, relay)
      accepted:write "one\ntwo\nrest"
      assert.are.equal("one", client:read())
      relay:cut()
      assert.are.equal("two", client:read())
      secure.assert_tls(TRUNCATED, helper.caught(client.read, client, "a"))
      assert.are.equal("rest", client:read_some())
      assert_truncated(client, client.read, client, "a")
    end))

  it("gives the rest before it, to who takes what there is", parted(nil,
    function(_, client, accepted, relay)
      accepted:write "rest"
      assert.are.equal("r", client:read(1))
      relay:cut()
      assert.are.equal("est", client:read_some())
      assert_truncated(client, client.read_some, client)
    end))

  it("is a TLSError in a task that waits", parted(nil,
    function(ev, client, _, relay)
      local reader = helper.waiting(ev, aw.Call(client.read, client), aw.keep)
      relay:cut()
      assert_truncated(client, reader.wait, reader)
    end))

  it("fails Recv and copy", parted(nil, function(_, client, _, relay)
    relay:cut()
    secure.assert_tls(TRUNCATED, helper.caught(aw.await, aw.Recv(client)))
    local cat <close> = aw.spawn { "cat" }
    secure.assert_tls(TRUNCATED, helper.caught(aw.copy, client, cat.stdin))
  end))

  it("is seen by the server, too", secure.served(nil, function(_, server)
    local accepting = aw.start(aw.Call(function()
      local s <close> = server:accept()
      s:read "a"
    end), aw.keep)
    local client <close> = secure.connect(server)
    client:write "half"
    client:flush()
    clients.shut(client:getfd())
    secure.assert_tls(TRUNCATED, helper.caught(accepting.wait, accepting))
  end))

  it("is why nothing can be written either, and stays the reason", parted(nil,
    function(_, client, _, relay)
      relay:cut()
      assert_truncated(client, client.read, client)
      local err = secure.assert_tls(TRUNCATED, helper.caught(client.write,
        client, "x"))
      assert.are.equal("write", err.call)
      assert_truncated(client, client.read, client)
    end))

  it("is the reason of a read when a write was refused before", secure.served(
    nil, function(_, server)
      local client, accepted = secure.meet(server)
      local _ <close> = secure.closing(client, accepted)
      clients.shut(accepted:getfd())
      aw.readable(client:getfd())
      clients.shut(client:getfd())
      secure.assert_system("EPIPE", helper.caught(client.write, client, "x"))
      assert_truncated(client, client.read, client)
    end))

  it("may be in the middle of a record", secure.fact(function()
    -- The handshake takes less, and what is written more.
    local a, b, relay = secure.apart { back = 12000 }
    local _ <close> = secure.closing(relay, a, b)
    secure.start(a, b)
    b:write(("x"):rep(16000))
    assert_truncated(a, a.read, a, 16000)
    assert.are.equal("waiting", relay.tasks[1].status)
  end))
end)

describe("a connection that is reset", function()
  it("is ECONNRESET in the task that reads", parted(nil,
    function(ev, client, _, relay)
      local reader = helper.waiting(ev, aw.Call(client.read, client), aw.keep)
      relay:reset()
      local err = secure.assert_system("ECONNRESET",
        helper.caught(reader.wait, reader))
      assert.are.equal("read", err.call)
      secure.assert_system("ECONNRESET", helper.caught(client.read_some,
        client))
    end))

  it("gives what came before", parted(nil,
    function(_, client, accepted, relay)
      accepted:write "one\ntwo"
      assert.are.equal("one", client:read())
      relay:reset()
      secure.assert_system("ECONNRESET", helper.caught(client.read, client))
      assert.are.equal("two", client:read_some())
    end))

  it("is an error of a write", parted(nil, function(ev, client, _, relay)
    local writer = helper.waiting(ev, aw.Call(client.write, client,
      ("x"):rep(20000000)), aw.keep)
    relay:reset()
    secure.assert_system("ECONNRESET", helper.caught(writer.wait, writer))
  end))
end)
