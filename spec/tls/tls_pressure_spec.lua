-- Writes with TLS: a peer that does not read, writes that are cut short, and
-- what becomes of queued bytes.

local aw = require "aiowire"
local clients = require "spec.support.clients"
local helper = require "spec.support.helper"
local secure = require "spec.support.secure"
local socketpairs = require "spec.support.socketpairs"

local connected, parted = secure.connected, secure.parted

-- More than the kernel and a stream take.
local LARGE <const> = 20000000

-- So many writes of 1,000 bytes are more than that, too.
local COUNT <const> = 20000

local function waits(ev, f, ...)
  return helper.waiting(ev, aw.Call(f, ...), aw.keep)
end

describe("a write to a peer that does not read", function()
  it("awaits, and ends when the peer reads", connected(
    function(ev, client, accepted)
      local done = false
      local writer = waits(ev, function()
        client:write(("x"):rep(LARGE))
        done = true
      end)
      aw.sleep(0.001)
      assert.is_false(done)
      assert.are.equal(LARGE, #accepted:read(LARGE))
      writer:wait()
      assert.is_true(done)
    end))

  it("awaits after many small writes", connected(
    function(ev, client, accepted)
      client:configure { high_water = 100000 }
      local count = 0
      local writer = ev:start(function()
        while count < COUNT do
          client:write(("x"):rep(1000))
          count = count + 1
        end
        client:shutdown()
      end)
      -- The writer has come to rest when it waits in two looks in turn.
      local seen
      helper.wait_until(function()
        local before = seen
        seen = count
        return writer.status == "waiting" and before == seen
      end)
      assert.is_true(count < COUNT, "the writer did not wait")
      assert.are.equal(COUNT * 1000, #accepted:read "a")
      writer:wait()
    end))

  it("does not hold up what the peer sends", connected(
    function(ev, client, accepted)
      local writer = waits(ev, client.write, client, ("x"):rep(LARGE))
      accepted:write "answer"
      assert.are.equal("answer", client:read(6))
      assert.are.equal(LARGE, #accepted:read(LARGE))
      writer:wait()
    end))

  it("is ended by the close of the stream", connected(function(ev, client)
    local writer = waits(ev, client.write, client, ("x"):rep(LARGE))
    client:close()
    assert.is_true(aw.is_closed(helper.caught(writer.wait, writer)))
  end))
end)

describe("a read that is cancelled", function()
  it("loses nothing", connected(function(ev, client, accepted)
    local reader = waits(ev, accepted.read, accepted)
    client:write "half "
    reader:cancel_wait()
    reader = waits(ev, accepted.read, accepted, 100)
    reader:cancel_wait()
    client:write "line\n"
    assert.are.equal("half line", accepted:read())
  end))

  it("loses nothing when it runs out of time", connected(
    function(_, client, accepted)
      client:write "half "
      local err = helper.caught(aw.timeout, 0.001, accepted.read, accepted)
      assert.is_true(aw.is_timeout(err))
      client:write "line\n"
      assert.are.equal("half line", accepted:read())
    end))

  it("loses nothing in the middle of a record", secure.fact(function(ev)
    local a, b, relay = secure.apart { size = 1 }
    local _ <close> = secure.closing(relay, a, b)
    secure.start(a, b)
    local text <const> = ("0123456789"):rep(20)
    a:write(text)
    local got = {}
    local count = 0
    while #table.concat(got) < #text do
      local reader = ev:start(aw.Call(function()
        got[#got + 1] = b:read_some()
      end), aw.keep)
      -- Each wait ends at a place of its own between two bytes.
      count = count + 1
      for _ = 1, count % 100 do
        aw.yield()
      end
      reader:cancel_wait()
    end
    assert.are.equal(text, table.concat(got))
  end))
end)

describe("a write that is cancelled", function()
  it("is sent if its bytes were queued already", connected(
    function(_, client, accepted)
      client:configure { high_water = 2 * LARGE }
      local before = client:write(("x"):rep(LARGE))
      assert.are.equal(client, before)
      local ok = pcall(aw.timeout, 0, client.flush, client)
      assert.is_false(ok)
      assert.are.equal(LARGE, #accepted:read(LARGE))
    end))

  it("breaks the stream in the middle of a large one", connected(
    function(ev, client, accepted)
      local writer = waits(ev, client.write, client, ("x"):rep(LARGE))
      writer:cancel_wait()
      local err = helper.caught(client.write, client, "y")
      assert.is_true(aw.is_system_error(err), tostring(err))
      client:close()
      -- The peer never takes the part for the whole.
      err = helper.caught(accepted.read, accepted, "a")
      assert.is_true(aw.is_system_error(err) or aw.is_tls_error(err),
        tostring(err))
    end))

  it("takes nothing of it if another write was under way", connected(
    function(ev, client, accepted)
      local first = waits(ev, client.write, client, ("x"):rep(LARGE))
      local second = waits(ev, client.write, client, "second")
      second:cancel_wait()
      assert.are.equal(LARGE, #accepted:read(LARGE))
      first:wait()
      client:write "third"
      assert.are.equal("third", accepted:read(5))
    end))
end)

describe("a shutdown that is cancelled", function()
  it("goes on without its task", connected(function(ev, client, accepted)
    client:configure { high_water = 2 * LARGE }
    client:write(("x"):rep(LARGE))
    local shutting = waits(ev, client.shutdown, client)
    shutting:cancel_wait()
    assert.are.equal(LARGE, #accepted:read(LARGE))
    client:shutdown()
    assert.is_nil(accepted:read())
  end))
end)

describe("small writes", function()
  --- Returns the number of records in which the bytes of one way came.
  local function records(way)
    local text, at, count = table.concat(way.seen), 1, 0
    while at + 4 <= #text do
      at = at + 5 + (">I2"):unpack(text, at + 3)
      count = count + 1
    end
    return count
  end

  it("that wait are joined into a few records", parted({ narrow = true },
    function(ev, client, accepted, relay)
      local before = records(relay.there)
      client:write(("x"):rep(100000))
      for _ = 1, 1000 do
        client:write "0123456789"
      end
      local writer = ev:start(aw.Call(client.shutdown, client))
      assert.are.equal(110000, #accepted:read "a")
      writer:wait()
      local count = records(relay.there) - before
      assert.is_true(count < 100, count)
    end))
end)

describe("a stream with TLS that is closed with bytes in its queue", function()
  it("drops them when the peer reads nothing, and shows no end", connected(
    function(_, client, accepted)
      socketpairs.linger(client, 0.005)
      client:configure { high_water = 2 * LARGE }
      client:write(("x"):rep(LARGE))
      local fd = client:getfd()
      client:close()
      helper.wait_until(function()
        return not clients.is_open(fd)
      end)
      secure.assert_system("ECONNRESET",
        helper.caught(accepted.read, accepted, "a"))
    end))
end)
