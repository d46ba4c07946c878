-- A stream with TLS is read and written as any other.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local secure = require "spec.support.secure"
local texts = require "spec.support.texts"

local connected, raises = secure.connected, helper.raises

--- Start a task that has begun to read when this returns.
local function waits(ev, f, ...)
  return helper.waiting(ev, aw.Call(f, ...), aw.keep)
end

describe("a stream with TLS, read in formats,", function()
  it("gives lines, with their ends and without", connected(
    function(_, client, accepted)
      client:write("one\n", "two\n", "rest")
      client:shutdown()
      assert.are.equal("one", accepted:read())
      assert.are.equal("two\n", accepted:read "L")
      assert.are.equal("rest", accepted:read "l")
      assert.is_nil(accepted:read "l")
    end))

  it("gives several results of one call", connected(
    function(_, client, accepted)
      client:write "12345line\nabc"
      client:shutdown()
      assert.are.same({ "12", "345", "line", "abc" },
        { accepted:read(2, 3, "l", "a") })
    end))

  it("gives so many bytes", connected(function(ev, client, accepted)
    local reader = waits(ev, accepted.read, accepted, 6)
    client:write "1234"
    client:write "56rest"
    assert.are.equal("123456", reader:wait())
    assert.are.equal("re", accepted:read(2))
    client:shutdown()
    assert.are.equal("st", accepted:read(10))
    assert.is_nil(accepted:read(10))
  end))

  it("gives all up to the end", connected(function(ev, client, accepted)
    local size <const> = 1000000
    local reader = waits(ev, accepted.read, accepted, "a")
    client:write(("x"):rep(size))
    client:shutdown()
    assert.are.equal(size, #reader:wait())
    assert.are.equal("", accepted:read "a")
  end))

  it("gives the text before a delimiter", connected(
    function(ev, client, accepted)
      client:write "one--two-"
      assert.are.equal("one", accepted:read_until "--")
      local reader = waits(ev, accepted.read_until, accepted, "--")
      client:write "-three"
      assert.are.equal("two", reader:wait())
      client:shutdown()
      assert.are.equal("three", accepted:read_until "--")
      assert.is_nil(accepted:read_until "--")
    end))

  it("gives what there is", connected(function(ev, client, accepted)
    local reader = waits(ev, accepted.read_some, accepted)
    client:write "now"
    assert.are.equal("now", reader:wait())
    client:write "abcdef"
    assert.are.equal("abc", accepted:read_some(3))
    assert.are.equal("def", accepted:read_some())
  end))

  it("is iterated by lines", connected(function(ev, client, accepted)
    ev:start(function()
      for i = 1, 2000 do
        client:write("line ", i, "\n")
      end
      client:shutdown()
    end)
    local count = 0
    for line in accepted:lines() do
      count = count + 1
      assert.are.equal("line " .. count, line)
    end
    assert.are.equal(2000, count)
  end))

  it("gives bytes of every value in both directions", connected(
    function(_, client, accepted)
      local bytes = {}
      for i = 0, 255 do
        bytes[#bytes + 1] = string.char(i)
      end
      local all = table.concat(bytes):rep(10)
      client:write(all)
      assert.are.equal(all, accepted:read(#all))
      accepted:write(all)
      assert.are.equal(all, client:read(#all))
    end))

  it("refuses a line that is too long, and keeps it", connected(
    function(_, client, accepted)
      accepted:configure { max_line = 10 }
      client:write(("x"):rep(20))
      raises("max_line, 10 bytes", accepted.read, accepted)
      accepted:configure { max_line = 100 }
      client:write "\n"
      assert.are.equal(("x"):rep(20), accepted:read())
    end))
end)

describe("a stream with TLS", function()
  it("takes numbers, and nothing at all", connected(
    function(_, client, accepted)
      assert.are.equal(client, client:write(1, 2.5, "x"))
      assert.are.equal(client, client:write "")
      assert.are.equal(client, client:write())
      assert.are.equal(client, client:flush())
      assert.are.equal("12.5x", accepted:read(5))
    end))

  it("keeps the order of the writes of several tasks", connected(
    function(ev, client, accepted)
      local function writer(letter)
        return function()
          for _ = 1, 20 do
            client:write(letter:rep(30000), "\n")
          end
        end
      end
      local one, two = ev:start(writer "a"), ev:start(writer "b")
      for _ = 1, 40 do
        local line = accepted:read()
        assert.are.equal(30000, #line)
        assert.are.equal(line:sub(1, 1):rep(30000), line)
      end
      one:wait()
      two:wait()
    end))

  it("goes both ways at the same time", connected(
    function(ev, client, accepted)
      secure.both_ways(ev, client, accepted, 2000000)
    end))

  it("has the addresses of its socket", connected(
    function(_, client, accepted)
      assert.are.same({ client:name() }, { accepted:peer() })
      assert.are.same({ client:peer() }, { accepted:name() })
    end))

  it("says in its text that it is one, and with whom", connected(
    function(_, client, accepted)
      local _, port = client:peer()
      texts.contains(tostring(client), "tls localhost:" .. port)
      _, port = client:name()
      texts.contains(tostring(accepted), "tls 127.0.0.1:" .. port)
      texts.lacks(tostring(client), "unverified")
    end))

  it("is closed as another", connected(function(ev, client, accepted)
    local reader = waits(ev, client.read, client)
    client:close()
    assert.is_true(aw.is_closed(helper.caught(reader.wait, reader)))
    raises("Closed", client.read, client)
    raises("Closed", client.write, client, "x")
    assert.is_nil(accepted:read())
  end))

  it("is a `<close>` value", connected(function(_, client, accepted)
    do
      local _ <close> = accepted
    end
    assert.is_nil(client:read())
    raises("Closed", accepted.read, accepted)
  end))
end)

describe("an event of a stream with TLS", function()
  it("gives what has come, now or later, and nil at the end", connected(
    function(ev, client, accepted)
      local task = helper.waiting(ev, aw.Recv(accepted))
      client:write "later"
      assert.are.equal("later", task:wait())
      client:write "one\ntwo"
      assert.are.equal("one", accepted:read())
      assert.are.equal("two", aw.await(aw.Recv(accepted)))
      client:close()
      assert.are.same({ n = 1 }, table.pack(aw.await(aw.Recv(accepted))))
    end))

  it("takes nothing if it loses", connected(function(_, client, accepted)
    assert.are.equal("timer", aw.select { data = aw.Recv(accepted),
      timer = aw.Sleep(0.001) })
    client:write "x"
    local key, text = aw.select { data = aw.Recv(accepted),
      never = aw.Never }
    assert.are.same({ "data", "x" }, { key, text })
    client:write "y"
    assert.are.equal(1, (aw.race { aw.Readable(accepted), aw.Never }))
    local set = aw.event()
    set:set()
    aw.await(aw.Wait(set) | aw.Recv(accepted) / error)
    assert.are.equal("Y",
      aw.await(aw.Recv(accepted) / string.upper | aw.Never))
  end))

  it("is ready while bytes of a record are left", connected(
    function(_, client, accepted)
      client:write "abc"
      for i = 1, 3 do
        aw.await(aw.Readable(accepted))
        assert.are.equal(("abc"):sub(i, i), accepted:read(1))
      end
      assert.are.equal("timer", aw.select { ready = aw.Readable(accepted),
        timer = aw.Sleep(0.001) })
    end))

  it("is ready for what OpenSSL holds of a record, too", connected(
    function(_, client, accepted)
      local record <const> = ("x"):rep(16384)
      client:write(record, record)
      local got = 0
      repeat
        aw.readable(accepted)
        local text = accepted:read_some(1000)
        got = got + #text
      until got == 2 * #record
    end))

  it("takes turns with those of other streams", secure.served(nil,
    function(_, server)
      local one, other = secure.meet(server)
      local two, more = secure.meet(server)
      local _ <close> = secure.closing(one, other)
      local _ <close> = secure.closing(two, more)
      other:write "from one"
      local key, text = aw.select { one = aw.Recv(one), two = aw.Recv(two) }
      assert.are.same({ "one", "from one" }, { key, text })
      more:write "from two"
      key, text = aw.select { one = aw.Recv(one), two = aw.Recv(two) }
      assert.are.same({ "two", "from two" }, { key, text })
    end))

  it("is a source of a Poller", connected(function(ev, client, accepted)
    local got = {}
    local poller
    poller = aw.Poller { [accepted] = function()
      got[#got + 1] = accepted:read_some()
      if table.concat(got) == "onetwo" then
        poller:shutdown()
      end
    end }
    local polling = ev:start(poller)
    client:write "one"
    helper.wait_until(function()
      return got[1]
    end)
    client:write "two"
    polling:wait()
    assert.are.equal("onetwo", table.concat(got))
  end))
end)

describe("aw.copy", function()
  it("passes bytes from a stream with TLS to a plain one, and back", connected(
    function(ev, client, accepted)
      local cat <close> = aw.spawn { "cat" }
      local size <const> = 500000
      local sending = ev:start(function()
        client:write(("x"):rep(size))
        client:shutdown()
      end)
      local there = ev:start(aw.Call(function()
        local count = aw.copy(accepted, cat.stdin)
        cat.stdin:shutdown()
        return count
      end))
      local back = ev:start(aw.Call(aw.copy, cat.stdout, accepted))
      assert.are.equal(("x"):rep(size), client:read(size))
      sending:wait()
      assert.are.equal(size, there:wait())
      assert.are.equal(size, back:wait())
    end))

  it("stops at its limit", connected(function(_, client, accepted)
    client:write "123456789"
    assert.are.equal(4, aw.copy(accepted, accepted, 4))
    assert.are.equal("1234", client:read(4))
    assert.are.equal("56789", accepted:read(5))
  end))

  it("loses nothing when it is cancelled", connected(
    function(ev, client, accepted)
      local cat <close> = aw.spawn { "cat" }
      local copying = waits(ev, aw.copy, accepted, cat.stdin)
      client:write "one"
      assert.are.equal("one", cat.stdout:read(3))
      copying:cancel_wait()
      client:write "two"
      assert.are.equal("two", accepted:read(3))
    end))
end)
