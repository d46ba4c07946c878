-- Datagrams: real sockets on 127.0.0.1 and ::1 [X20, X21].

local aw = require "aiowire"
local clients = require "spec.support.clients"
local helper = require "spec.support.helper"
local process = require "spec.support.process"

local raises, run = helper.raises, helper.run

--- Returns a bound socket, its port, and a socket that is connected to it.
local function pair(opts)
  local a = aw.udp.bind("127.0.0.1", 0, opts)
  local _, port = a:name()
  return a, port, aw.udp.connect("127.0.0.1", port)
end

--- Returns what a socket receives, with a limit for a broken test.
local function received(u, max)
  return aw.await(aw.Recv(u, max):timeout(30))
end

--- Let other tasks run until they wait.
local function settle()
  for _ = 1, 5 do
    aw.yield()
  end
end

describe("a UDP socket", function()
  it("carries datagrams both ways, with the sender's address [X20]",
    function()
      run(function()
        local a <close>, port, b = pair()
        local _ <close> = b
        local _, own = b:name()
        b:send "hello"
        assert.are.same({ "hello", "127.0.0.1", own, false },
          { a:recv() })
        a:send("back", "127.0.0.1", own)
        assert.are.same({ "back", "127.0.0.1", port, false }, { b:recv() })
        a:send("by name", "localhost", own)
        assert.are.equal("by name", (b:recv()))
      end)
    end)

  it("is made outside of tasks, for numbers and localhost [X20]",
    helper.sealed(function()
      for _, host in ipairs { "127.0.0.1", "localhost", "", "*" } do
        local u <close> = aw.udp.bind(host, 0)
        local own, port = u:name()
        assert.are.equal((host == "" or host == "*") and "0.0.0.0"
          or "127.0.0.1", own)
        assert.is_true(port > 0)
      end
      local u <close> = aw.udp.bind(nil, 0)
      assert.are.equal("0.0.0.0", (u:name()))
      local c <close> = aw.udp.connect("localhost", 9)
      assert.are.same({ "127.0.0.1", 9 }, { c:peer() })
      assert.is_nil(u:peer())
    end))

  it("keeps datagrams whole and apart, also the empty one [X21]", function()
    run(function()
      local a <close>, _, b = pair()
      local _ <close> = b
      local sent = { "", "x", ("y"):rep(1000), "a\0b", ("z"):rep(60000) }
      for _, data in ipairs(sent) do
        b:send(data)
        assert.is_true(data == a:recv())
      end
    end)
  end)

  it("says that a datagram was longer than max, and drops its rest [X21]",
    function()
      run(function()
        local a <close>, _, b = pair()
        local _ <close> = b
        b:send "0123456789"
        b:send "0123456789"
        b:send "next"
        local data, _, _, truncated = a:recv(4)
        assert.are.same({ "0123", true }, { data, truncated })
        data, _, _, truncated = received(a, 10)
        assert.are.same({ "0123456789", false }, { data, truncated })
        assert.are.equal("next", (a:recv()))
      end)
    end)

  it("carries the largest datagram, and refuses a longer one [X20]",
    function()
      run(function()
        local a <close>, port, b = pair()
        local _ <close> = b
        b:send(("x"):rep(65507))
        assert.are.equal(65507, #a:recv())
        local err = raises("send '127.0.0.1:" .. port .. "'", b.send, b,
          ("x"):rep(70000))
        assert.are.same({ "EMSGSIZE", "send", "127.0.0.1:" .. port },
          { err.code, err.call, err.about })
        b:send "still usable"
        assert.are.equal("still usable", (a:recv()))
      end)
    end)

  it("gives the first datagram to the task that has waited longest [X21]",
    function()
      run(function()
        local a <close>, _, b = pair()
        local _ <close> = b
        local got = {}
        aw.scope(function(s)
          for i = 1, 4 do
            s:start(i % 2 == 0 and function()
              got[i] = a:recv()
            end or aw.Recv(a) / function(data)
              got[i] = data
            end)
            aw.yield()
          end
          for i = 1, 4 do
            b:send(tostring(i))
          end
          -- A task that comes later queues behind those that wait.
          b:send "late"
          assert.are.equal("late", (a:recv()))
        end)
        assert.are.same({ "1", "2", "3", "4" }, got)
      end)
    end)

  it("decides a race by the datagram that was taken [X21, H3]", function()
    run(function()
      local a <close>, _, b = pair()
      local c <close> = aw.udp.bind("127.0.0.1", 0)
      local _ <close> = b
      b:send "one"
      local which = aw.select { a = aw.Recv(a), c = aw.Recv(c) }
      assert.are.equal("a", which)
      b:send "two"
      assert.are.equal("two", (aw.await(aw.Recv(c) | aw.Recv(a))))
      assert.are.equal("none",
        aw.await(aw.Recv(a) | aw.Sleep(0) >> aw.Value "none"))
      aw.scope(function(s)
        s:start(function()
          settle()
          b:send "three"
        end)
        assert.are.equal("three", (aw.await(aw.Recv(c) | aw.Recv(a))))
      end)
    end)
  end)

  it("has taken nothing for a cancelled task [C10, X21]", function()
    run(function()
      local a <close>, _, b = pair()
      local _ <close> = b
      for _, w in ipairs { aw.Recv(a), aw.Call(a.recv, a) } do
        local task = aw.start(w)
        settle()
        task:cancel()
        b:send "kept"
        aw.await(aw.Wire(function()
          assert.are.equal("kept", (a:recv()))
        end))
      end
    end)
  end)

  it("delivers a datagram that was taken before a cancel [C6, X21]",
    function()
      run(function()
        local a <close>, _, b = pair()
        local _ <close> = b
        local got
        local task = aw.start(function()
          got = a:recv()
        end)
        settle()
        b:send "taken"
        -- The readiness of `a` wakes both tasks in one pass, that one first.
        aw.readable(a:getfd())
        task:cancel()
        settle()
        if got ~= "taken" then
          assert.are.equal("taken", (a:recv())) -- this task was woken first
        end
      end)
    end)

  it("ends its waits with Closed, also an event and readiness [X21]",
    function()
      run(function()
        local a, _, b = pair()
        local _ <close> = b
        local ends = {}
        for _, w in ipairs { aw.Recv(a), aw.Call(a.recv, a), aw.Readable(a) } do
          aw.start(w, function(_, err)
            ends[#ends + 1] = aw.is_closed(err)
          end)
        end
        settle()
        a:close()
        a:close()
        settle()
        assert.are.same({ true, true, true }, ends)
        assert.is_truthy(tostring(a):find "%(closed%)$")
      end)
    end)

  it("raises Closed in its receivers when another engine closes it [S6]",
    function()
      run(function()
        local a <close> = pair()
        local receiver = aw.start(function()
          a:recv()
        end, aw.keep)
        aw.sleep(0.001) -- the engine watches the socket now
        aw.run(function()
          a:close()
        end, { clock = "virtual" })
        assert.is_true(aw.is_closed(select(2, pcall(receiver.wait, receiver))))
      end)
    end)

  it("is closed by the collector", helper.sealed(function()
    aw.run(function()
      pair()
    end)
  end))

  it("learns that nobody has the port, and stays usable [X20]", function()
    run(function()
      local a, port, b = pair()
      local _ <close> = b
      a:close()
      b:send "x"
      local err = raises("recv '127.0.0.1:" .. port .. "'", b.recv, b)
      assert.are.same({ "ECONNREFUSED", "recv" }, { err.code, err.call })
      b:send "x"
      err = raises("connection refused", function()
        aw.await(aw.Recv(b))
      end)
      assert.are.equal("127.0.0.1:" .. port, err.about)
      local again <close> = aw.udp.bind("127.0.0.1", port)
      b:send "y"
      assert.are.equal("y", (again:recv()))
    end)
  end)

  it("is a source for Poller, readable and Writable [Q6]", function()
    run(function()
      local a <close>, _, b = pair()
      local _ <close> = b
      local got, poller = {}, nil
      poller = aw.Poller { [a] = function()
        got[#got + 1] = a:recv()
        if #got == 3 then
          poller:shutdown()
        end
      end }
      for i = 1, 3 do
        b:send(tostring(i))
      end
      aw.await(poller)
      assert.are.same({ "1", "2", "3" }, got)
      aw.await(aw.Writable(a))
      b:send "x"
      aw.readable(a)
      assert.are.equal("x", (a:recv()))
    end)
  end)

  it("sends as an event [V3]", function()
    run(function()
      local a <close>, port, b = pair()
      local c <close> = aw.udp.bind("127.0.0.1", 0)
      local _ <close> = b
      assert.are.equal(0, select("#", aw.await(aw.Send(b, "one"))))
      assert.are.equal("one", (a:recv()))
      local again = aw.Send(c, "two", "127.0.0.1", port) | aw.Never
      aw.await(again >> again)
      aw.await(aw.Send(c, "two", "localhost", port))
      for _ = 1, 3 do
        assert.are.equal("two", (a:recv()))
      end
    end)
  end)

  it("lets other tasks run beside a loop that receives [F3]", function()
    run(function()
      local a <close>, _, b = pair()
      local _ <close> = b
      local turns = 0
      local other = aw.start(aw.Forever(function()
        turns = turns + 1
      end), nil, { background = true })
      for _ = 1, 1000 do
        b:send "x"
        a:recv()
      end
      other:cancel()
      assert.is_true(turns > 10)
    end)
  end)

  it("shares a port with reuseport, and sends from local_port [X20]",
    function()
      run(function()
        local a <close> = aw.udp.bind("127.0.0.1", 0, { reuseport = true })
        local host, port = a:name()
        local b <close> = aw.udp.bind(host, port, { reuseport = true })
        assert.are.equal(port, select(2, b:name()))
        local c <close> = aw.udp.bind("127.0.0.1", 0)
        local free = select(2, c:name())
        c:close()
        local d <close> = aw.udp.connect("127.0.0.1", 9,
          { local_host = "127.0.0.1", local_port = free })
        assert.are.same({ "127.0.0.1", free }, { d:name() })
        assert.are.equal("UDP socket '127.0.0.1:9' (connected)", tostring(d))
      end)
    end)
end)

-- The kernel of these programs has no room at first: see spec/support/full.c.
describe("a UDP socket for which the kernel has no room", function()
  local frame = [[
    local aw = require "aiowire"
    aw.run(function()
      local a <close> = aw.udp.bind("127.0.0.1", 0)
      local host, port = a:name()
      local b <close> = aw.udp.connect(host, port)
      %s
    end)]]

  --- Returns the output of `code`, in a program in which so many sends fail.
  local function output(code, fails)
    if process.sanitized then
      helper.pending "a library is not loaded before the sanitizer's"
    end
    local full = process.binary:match "^(.*)/" .. "/spec_full.so"
    local outcome = process.run(
      ("LD_PRELOAD=%s SPEC_FULL=%d exec $aiowire s.lua"):format(
        process.quoted(full), fails), { ["s.lua"] = frame:format(code) })
    assert.are.equal("", outcome.err)
    return outcome.out
  end

  it("lets methods and events wait in turn [X20]", function()
    assert.are.equal("1\n2\n3\n", output([[
      aw.scope(function(s)
        s:start(function()
          b:send "1"
        end)
        s:start(aw.Send(b, "2"))
        s:start(aw.Call(b.send, b, "3"))
        aw.yield()
        for _ = 1, 3 do
          print((a:recv()))
        end
      end)]], 1))
  end)

  it("sends nothing for a cancelled task [C10, X20]", function()
    assert.are.equal("later\n", output([[
      for _, w in ipairs { aw.Call(b.send, b, "x"), aw.Send(b, "x"),
        aw.Call(b.send, b, "x") } do
        local task = aw.start(w)
        aw.yield()
        task:cancel()
        aw.yield()
      end
      b:send "later"
      print((a:recv()))]], 3))
  end)

  it("ends the wait with Closed, or with the failure [X20]", function()
    assert.are.equal("true\nEMSGSIZE\n", output([[
      local c = aw.udp.connect(host, port)
      local task = aw.start(aw.Call(c.send, c, "x"), aw.keep)
      aw.yield()
      c:close()
      print(aw.is_closed(select(2, pcall(task.wait, task))))
      local _, err = pcall(b.send, b, ("x"):rep(70000))
      print(err.code)]], 2))
  end)
end)

describe("a UDP socket of IPv6", function()
  it("carries datagrams, and IPv4 unless ipv6only [X20]", function()
    if not clients.has_ipv6() then
      helper.pending "this machine has no IPv6"
    end
    run(function()
      local a <close> = aw.udp.bind("*", 0, { family = "inet6" })
      local host, port = a:name()
      assert.are.equal("::", host)
      local b <close> = aw.udp.connect("::1", port)
      b:send "six"
      assert.are.same({ "six", "::1", select(2, b:name()) },
        { table.unpack({ a:recv() }, 1, 3) })
      local c <close> = aw.udp.bind("127.0.0.1", 0)
      c:send("four", "127.0.0.1", port)
      local data, from, from_port = a:recv()
      assert.are.same({ "four", "::ffff:127.0.0.1" }, { data, from })
      a:send("back", from, from_port)
      assert.are.equal("back", (c:recv()))
      a:send("again", "127.0.0.1", from_port)
      assert.are.equal("again", (c:recv()))
      local only <close> = aw.udp.bind("::", 0, { ipv6only = true })
      local err = raises("send", only.send, only, "x", "127.0.0.1", from_port)
      assert.are.equal("ENETUNREACH", err.code)
    end)
  end)
end)

describe("a task that sends many datagrams", function()
  it("lets others run meanwhile [F3]", function()
    run(function(ev)
      local a <close> = aw.udp.bind("127.0.0.1", 0)
      local b <close> = aw.udp.connect("127.0.0.1", select(2, a:name()))
      local others = 0
      local other = ev:start(function()
        while true do
          others = others + 1
          aw.yield()
        end
      end)
      for i = 1, 5000 do
        b:send(tostring(i))
      end
      other:cancel_wait()
      assert.is_true(others > 1)
      assert.are.equal("1", (a:recv()))
    end)
  end)

  it("is Cancelled in the next one, which is not sent [C3]", function()
    run(function(ev)
      local a <close> = aw.udp.bind("127.0.0.1", 0)
      local b <close> = aw.udp.connect("127.0.0.1", select(2, a:name()))
      local sent = 0
      local task
      task = ev:start(function()
        for i = 1, 10 do
          b:send(tostring(i))
          sent = i
          if i == 3 then
            task:cancel()
          end
        end
      end)
      assert.is_false(helper.join(task))
      assert.are.equal(3, sent)
      for i = 1, 3 do
        assert.are.equal(tostring(i), (a:recv()))
      end
      b:send "last"
      assert.are.equal("last", (a:recv()))
    end)
  end)
end)
