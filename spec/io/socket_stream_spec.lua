-- Streams over connected sockets [X1-X5].

local aw = require "aiowire"
local d = require "spec_descriptors"
local helper = require "spec.support.helper"
local process = require "spec.support.process"
local socketpairs = require "spec.support.socketpairs"
local texts = require "spec.support.texts"

local raises, run, waiting = helper.raises, helper.run, helper.waiting

--- Runs `f(ev, a, b)` in a loop with two connected streams of each kind.
local function each_kind(f)
  return function()
    for _, kind in ipairs { "unix", "tcp" } do
      socketpairs.connected(kind, f)()
    end
  end
end

--- Lets a task wait for the peer's bytes before they are sent.
local function waits(ev, f, ...)
  return waiting(ev, aw.Call(f, ...))
end

describe("a socket that a task of another engine closes", function()
  it("ends the wait of the first task with Closed [S6]", function()
    run(function(ev)
      local a, b = socketpairs.pair "tcp"
      local _ <close> = b
      local reader = ev:start(aw.Call(a.read, a, 5), aw.keep)
      aw.yield()
      local inside = aw.EventLoop { clock = "real", signals = false }
      inside:start(function()
        pcall(aw.timeout, 0.001, a.read, a, 1)
        a:close()
      end)
      inside:run()
      local ok, err = helper.join(reader)
      assert.is_false(ok)
      assert.is_true(aw.is_closed(err), tostring(err))
    end)
  end)
end)

describe("a stream over a socket", function()
  it("is read and written in both directions [X1]",
    each_kind(function(ev, a, b)
      a:write("one\n", "two\n", "rest")
      assert.are.equal("one", b:read())
      b:write "back"
      assert.are.equal("back", a:read(4))
      assert.are.equal("two\n", b:read "L")
      local reader = waits(ev, b.read, b, 8)
      a:write "1234"
      assert.are.equal("rest1234", reader:wait())
      assert.are.equal(a, a:flush())
    end))

  it("gives nil at the end, again and again [X1]",
    each_kind(function(_, a, b)
      a:write "last"
      a:close()
      assert.are.equal("last", b:read())
      for _ = 1, 3 do
        assert.is_nil(b:read())
        assert.is_nil(b:read_some())
        assert.are.equal("", b:read "a")
      end
    end))

  it("is read to its end where bytes come in small pieces [X1]",
    each_kind(function(ev, a, b)
      ev:start(function()
        for i = 1, 300 do
          a:write(tostring(i), i % 3 == 0 and "\n" or " ")
          if i % 7 == 0 then
            aw.yield()
          end
        end
        a:shutdown()
      end)
      local count = 0
      for line in b:lines() do
        count = count + 1
        local x, y, z = line:match "^(%d+) (%d+) (%d+)$"
        assert.are.equal(tostring(3 * count), z)
        assert.are.equal(x + 2, y + 1)
      end
      assert.are.equal(100, count)
    end))

  it("loses nothing when a read that waits is cancelled [X1, C10]",
    each_kind(function(ev, a, b)
      local reader = waits(ev, b.read, b)
      a:write "half "
      reader:cancel_wait()
      reader = waits(ev, b.read, b, 100)
      reader:cancel_wait()
      a:write "line\n"
      assert.are.equal("half line", b:read())
    end))

  it("writes more than the kernel takes, without a signal [X1]",
    each_kind(function(ev, a, b)
      local size = 3000000
      ev:start(function()
        a:write(("x"):rep(size))
        a:shutdown()
      end)
      assert.are.equal(size, #b:read "a")
    end))

  it("is asked once for each request, not again to see that it is empty [X1]",
    each_kind(function(ev, a, b)
      local function reads()
        local file <close> = io.open "/proc/self/io"
        return file and tonumber(file:read "a":match "syscr: (%d+)")
      end
      local before = reads()
      if not before then
        helper.pending "the system does not count reads"
      end
      local echo = ev:start(function()
        for text in function() return b:read_some() end do
          b:write(text)
        end
      end)
      for _ = 1, 100 do
        a:write "request"
        assert.are.equal("request", a:read(7))
      end
      local count = reads() - before
      assert.is_true(count <= 220, count)
      a:shutdown()
      echo:wait()
    end))

  it("can be waited for as a source of readiness [Q6]",
    each_kind(function(ev, a, b)
      local task = waits(ev, aw.readable, b)
      aw.await(aw.Writable(b))
      a:write "xy"
      task:wait()
      aw.await(aw.Readable(b) >> aw.Readable(b:getfd()))
      assert.are.equal("x", b:read(1))
      aw.await(aw.Readable(b)) -- `y` is in the stream
      assert.are.equal("y", b:read(1))
      local poller
      poller = aw.Poller { [b] = function()
        assert.are.equal("z", b:read_some())
        poller:shutdown()
      end }
      local polling = ev:start(poller)
      a:write "z"
      polling:wait()
    end))

  it("is ended by close, also in tasks that wait [X1]",
    each_kind(function(ev, a)
      local reader = waiting(ev, aw.Call(a.read, a), aw.keep)
      a:close()
      assert.is_true(aw.is_closed(helper.caught(reader.wait, reader)))
    end))
end)

describe("a socket that is shut down", function()
  it("shows its end to the peer, and still reads [X2]",
    each_kind(function(_, a, b)
      a:write "request"
      a:shutdown()
      a:shutdown()
      assert.are.equal("request", b:read "a")
      b:write "reply"
      b:close()
      assert.are.equal("reply", a:read "a")
    end))

  it("refuses a later write with EPIPE [X2]", each_kind(function(_, a)
    a:shutdown()
    local err = raises("broken pipe", a.write, a, "x")
    assert.are.equal("EPIPE", err.code)
  end))

  it("first sends what is queued [X2]", each_kind(function(ev, a, b)
    a:configure { high_water = 4000000 }
    a:write(("x"):rep(3000000))
    local closer = ev:start(aw.Call(a.shutdown, a))
    assert.are.equal(3000000, #b:read "a")
    closer:wait()
  end))
end)

describe("a socket that is closed", function()
  it("still sends what is queued [X2]", each_kind(function(_, a, b)
    a:configure { high_water = 4000000 }
    a:write(("x"):rep(3000000))
    a:close()
    raises("Closed", a.write, a, "x")
    assert.are.equal(3000000, #b:read "a")
  end))
end)

describe("a connection that is reset", function()
  --- Runs `f` in a loop with a stream and the descriptor of its peer, over TCP.
  local function with_peer(f)
    return function()
      run(function(ev)
        local s, fd = socketpairs.half "tcp"
        local _ <close> = s
        f(ev, s, fd)
      end)
    end
  end

  it("raises ECONNRESET in the task that reads [X1]",
    with_peer(function(ev, s, fd)
      local reader = waiting(ev, aw.Call(s.read, s), aw.keep)
      d.reset(fd)
      local err = helper.caught(reader.wait, reader)
      assert.are.equal("ECONNRESET", err.code)
      assert.are.equal("read", err.call)
      assert.matches("^tcp 127%.0%.0%.1:%d+$", err.about)
    end))

  it("gives what came before, and then the error each time [X1]",
    with_peer(function(_, s, fd)
      d.write(fd, "one\ntwo")
      d.reset(fd)
      assert.are.equal("one", s:read())
      for _ = 1, 2 do
        local err = raises("connection reset", s.read, s)
        assert.are.equal("ECONNRESET", err.code)
      end
      assert.are.equal("two", s:read_some())
      raises("connection reset", s.read_some, s)
    end))

  it("raises in a task that writes, and in later reads, too [X1]",
    with_peer(function(_, s, fd)
      d.reset(fd)
      local err = raises("write", s.write, s, "x")
      assert.are.equal("ECONNRESET", err.code)
      raises("connection reset", s.read, s)
      raises("broken pipe", s.write, s, "x")
    end))

  it("raises in a large write that waits for room [X1]",
    with_peer(function(ev, s, fd)
      local writer = waiting(ev, function()
        s:write(("x"):rep(20000000))
      end, aw.keep)
      d.reset(fd)
      local err = helper.caught(writer.wait, writer)
      assert.are.equal("ECONNRESET", err.code)
    end))

  it("still knows its addresses [X4]", with_peer(function(_, s, fd)
    local host, port = s:peer()
    local _, own = s:name()
    d.reset(fd)
    raises("connection reset", s.read, s)
    assert.are.same({ host, port, own },
      { s:peer(), (select(2, s:peer())), (select(2, s:name())) })
  end))
end)

describe("the addresses of a stream", function()
  it("are a host and a port over TCP [X4]",
    socketpairs.connected("tcp", function(_, a, b)
      local host, port = a:peer()
      assert.are.equal("127.0.0.1", host)
      assert.are.same({ host, port }, { b:name() })
      assert.are.same({ a:name() }, { b:peer() })
      assert.are.equal("integer", math.type(port))
      texts.contains(tostring(a), "tcp 127.0.0.1:" .. port)
    end))

  it("are an empty path for an unnamed unix socket [X4]",
    socketpairs.connected("unix", function(_, a, b)
      assert.are.same({ n = 1, "" }, table.pack(a:peer()))
      assert.are.same({ n = 1, "" }, table.pack(b:name()))
    end))

  it("are refused where there is no socket, or no more [X4]", function()
    run(function()
      local p <close> = aw.spawn { "cat" }
      for _, method in ipairs { "peer", "name" } do
        local err = raises("stdout of cat", p.stdout[method], p.stdout)
        assert.are.equal("ENOTSOCK", err.code)
        assert.are.equal(method, err.call)
        local a, b = socketpairs.pair()
        local _ <close> = a
        local _ <close> = b
        a:close()
        assert.is_true(aw.is_closed(raises("Closed", a[method], a)))
        assert.are.equal("", (b[method](b)))
      end
    end)
  end)
end)

describe("a standard stream that is a socket", function()
  it("is read and written as others are, and has addresses [X1, X4]",
    function()
      run(function(ev)
        local a, b = socketpairs.pair "tcp"
        local _ <close> = a
        local host, port = a:name()
        local script <const> = [[
          local aw = require "aiowire"
          local host, port = aw.stdin:peer()
          aw.stdout:write(host, " ", port, "\n")
          for line in aw.stdin:lines() do
            aw.stdout:write(line:upper(), "\n")
          end
          print(aw.copy(aw.stdin, aw.stdout))]]
        local path = os.tmpname()
        local file = assert(io.open(path, "w"))
        file:write(script)
        file:close()
        local p <close> = aw.spawn { process.binary, path, stdin = b,
          stdout = "pipe", stderr = "inherit" }
        assert.are.equal(host .. " " .. port, p.stdout:read())
        ev:start(function()
          for i = 1, 20000 do
            a:write("line ", i, "\n")
          end
          a:shutdown()
        end)
        local count = 0
        for line in p.stdout:lines() do
          count = count + 1
          if count <= 20000 then
            assert.are.equal("LINE " .. count, line)
          end
        end
        assert.are.equal(20001, count)
        os.remove(path)
      end)
    end)
end)

describe("the options of a connection", function()
  it("are set by configure [X5]", each_kind(function(_, a)
    assert.are.equal(a, a:configure { nodelay = true, keepalive = 30 })
    assert.are.equal(a, a:configure { nodelay = false, keepalive = false,
      max_line = 10 })
    a:configure { keepalive = true }
    raises("bad option 'nodelay' (boolean expected, got number)", a.configure,
      a, { nodelay = 1 })
    raises("bad option 'keepalive'", a.configure, a, { keepalive = 0 })
    raises("bad option 'keepalive'", a.configure, a, { keepalive = "x" })
    raises("unknown option", a.configure, a, { no_delay = true })
  end))

  it("are refused by what is no socket, with its limits unchanged [X5]",
    function()
      run(function()
        local p <close> = aw.spawn { "sh", "-c", "echo 123456" }
        local err = raises("stdout of sh", p.stdout.configure, p.stdout,
          { nodelay = true, max_line = 3 })
        assert.are.equal("ENOTSOCK", err.code)
        assert.are.equal("configure", err.call)
        assert.are.equal("123456", p.stdout:read())
      end)
    end)

  it("are refused by a closed stream [X5]", each_kind(function(_, a)
    a:close()
    raises("Closed", a.configure, a, { nodelay = true })
  end))
end)
