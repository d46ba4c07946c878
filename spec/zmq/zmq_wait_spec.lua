-- ZeroMQ sockets beside other waits: the wires Recv and Send, races with other
-- events, and the readiness of a socket.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local places = require "spec.support.places"
local sockets = require "spec.support.sockets"

local zmq, fact, pair_of, close_all =
  sockets.zmq, sockets.fact, sockets.pair_of, sockets.close_all
local raises = helper.raises
local blames_file = places.blames_file

describe("the wires Recv and Send", function()
  it("move a message, any number of times [V1, V3]", fact(function()
    local a, b = pair_of("pair", "pair")
    local take, put = aw.Recv(a), aw.Send(b, "x", "y")
    for _ = 1, 3 do
      assert.is_true(aw.await(put))
      assert.are.same({ "x", "y" }, { aw.await(take) })
    end
    close_all(a, b)
  end))

  it("wait in several tasks at once [V1, F5]", fact(function()
    local push = zmq.socket "push"
    local put = aw.Send(push, "x")
    local senders = { aw.start(put), aw.start(put) }
    aw.sleep(0)
    local pull = zmq.socket("pull"):bind(sockets.address())
    push:connect(pull.last_endpoint)
    local take = aw.Recv(pull)
    local takers = { aw.start(take), aw.start(take) }
    for i = 1, 2 do
      assert.is_true(senders[i]:wait())
      assert.are.equal("x", takers[i]:wait())
    end
    close_all(pull, push)
  end))

  it("keep their socket alive [V1]", fact(function()
    local a, b = pair_of("pair", "pair")
    local take = aw.Recv(a)
    a = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    b:send "still there"
    assert.are.equal("still there", aw.await(take))
    b:close()
  end))

  it("fail with Closed on a closed socket [E4]", fact(function()
    local a, b = pair_of("pair", "pair")
    local take, put = aw.Recv(a), aw.Send(b, "x")
    close_all(a, b)
    assert.is_true(aw.is_closed(raises("Closed", aw.await, take)))
    assert.is_true(aw.is_closed(raises("Closed", aw.await, put)))
  end))

  it("take sockets and channels only [zmq]", function()
    blames_file("bad argument #1 to 'Recv' (channel or socket expected, got "
      .. "table)", function()
      return aw.Recv {}
    end)
    blames_file("bad argument #1 to 'Send' (channel or socket expected, got "
      .. "no value)", function()
      return aw.Send()
    end)
  end)

  it("show their socket in texts and dumps [D1, V8]", fact(function()
    local s = zmq.socket("pull"):bind "inproc://shown"
    assert.are.equal("Recv(PULL inproc://shown)", tostring(aw.Recv(s)))
    local ev = aw.EventLoop()
    ev:start(aw.Recv(s))
    ev:start(aw.Call(function()
      assert.is_truthy(ev:dump():find("recv PULL inproc://shown", 1, true))
      ev:stop()
    end))
    ev:run()
    s:close()
  end))
end)

describe("a receive in a race", function()
  it("loses to a timer, and takes no message [H3]", fact(function()
    local pull, push = pair_of("pull", "push")
    local race = aw.Recv(pull) | aw.Sleep(0.005) >> aw.Value "late"
    assert.are.equal("late", aw.await(race))
    push:send "kept"
    assert.are.equal("kept", aw.await(race))
    close_all(pull, push)
  end))

  it("of two sockets takes one message, from the first ready one [H3]",
    fact(function()
      local a, b = pair_of("pull", "push")
      local c, d = pair_of("pull", "push")
      local race = aw.Recv(a) | aw.Recv(c)
      local t = aw.start(race)
      aw.sleep(0)
      d:send "right"
      assert.are.equal("right", t:wait())
      b:send "left 1"
      d:send "right 2"
      assert.are.equal("left 1", aw.await(race))
      assert.are.equal("right 2", aw.await(race))
      close_all(a, b, c, d)
    end))

  it("of tasks at the same socket takes one message for each [H3, F5]",
    fact(function()
      local pull, push = pair_of("pull", "push")
      local got = {}
      local tasks = {}
      for i = 1, 4 do
        tasks[i] = aw.start((aw.Recv(pull) | aw.Recv(pull)) / function(m)
          got[#got + 1] = i .. m
        end)
      end
      aw.sleep(0)
      for _, m in ipairs { "a", "b", "c", "d" } do
        push:send(m)
      end
      for i = 1, 4 do
        tasks[i]:wait()
      end
      assert.are.same({ "1a", "2b", "3c", "4d" }, got)
      close_all(pull, push)
    end))

  it("keeps its message through a function [N4, H3]", fact(function()
    local pull, push = pair_of("pull", "push")
    push:send("a", "b")
    local joined = aw.await((aw.Recv(pull) / function(x, y)
      return x .. y
    end) | aw.Never)
    assert.are.equal("ab", joined)
    close_all(pull, push)
  end))

  it("with a send decides for exactly one of both [H3]", fact(function()
    local pull, push = pair_of("pull", "push")
    local other = zmq.socket "push" -- without a peer
    push:send "in"
    assert.are.equal("in", aw.await(aw.Send(other, "out") | aw.Recv(pull)))
    assert.is_true(aw.await(aw.Send(push, "out") | aw.Recv(pull)))
    assert.are.equal("out", pull:recv())
    close_all(pull, push, other)
  end))

  it("may be an operand of Select [H4]", fact(function()
    local a, b = pair_of("pull", "push")
    local ch = aw.channel(1)
    local choice = aw.Select { socket = aw.Recv(a), channel = aw.Recv(ch) }
    b:send "x"
    local key, value = aw.await(choice)
    assert.are.same({ "socket", "x" }, { key, value })
    ch:send "y"
    key, value = aw.await(choice)
    assert.are.same({ "channel", "y" }, { key, value })
    close_all(a, b)
  end))
end)

describe("the readiness of a socket", function()
  it("is awaited by aw.readable and aw.writable [Q4]", fact(function()
    local pull, push = pair_of("pull", "push", "tcp")
    aw.writable(push)
    push:send "x"
    aw.readable(pull)
    aw.await(aw.Readable(pull))
    aw.await(aw.Writable(push))
    assert.are.equal("x", pull:recv())
    close_all(pull, push)
  end))

  it("wakes all its waiters [Q3]", fact(function()
    local pull, push = pair_of("pull", "push")
    local woken = 0
    local tasks = {}
    for i = 1, 3 do
      tasks[i] = aw.start(aw.Readable(pull) >> function()
        woken = woken + 1
      end)
    end
    aw.sleep(0)
    push:send "x"
    for i = 1, 3 do
      tasks[i]:wait()
    end
    assert.are.equal(3, woken)
    close_all(pull, push)
  end))

  it("calls back a Poller once for each message [Q1, Q2]", fact(function()
    local pull, push = pair_of("pull", "push", "tcp")
    local got, poller = {}, nil
    poller = aw.Poller { [pull] = function()
      got[#got + 1] = pull:recv()
      if #got == 5 then
        poller:shutdown()
      end
    end }
    for i = 1, 5 do
      push:send("m" .. i)
    end
    aw.await(poller)
    assert.are.same({ "m1", "m2", "m3", "m4", "m5" }, got)
    close_all(pull, push)
  end))

  it("does not change the order of messages [Q4]", fact(function()
    local pull, push = pair_of("pull", "push", "tcp")
    local got = {}
    for i = 1, 4 do
      push:send(i, "part")
    end
    aw.readable(pull)
    aw.readable(pull)
    got[1] = pull:recv()
    aw.await(aw.Readable(pull))
    got[2] = aw.await(aw.Recv(pull))
    aw.await(aw.Readable(pull) | aw.Sleep(10))
    got[3] = pull:recv_multipart()[1]
    got[4] = pull:recv()
    assert.are.same({ "1", "2", "3", "4" }, got)
    assert.are.equal(0, pull:poll("r", 0))
    close_all(pull, push)
  end))

  it("stays until the message is received [Q4]", fact(function()
    local pull, push = pair_of("pull", "push", "tcp")
    push:send "x"
    for _ = 1, 3 do
      aw.readable(pull)
      assert.are.equal(zmq.POLLIN, pull:poll("r", 0))
      assert.are.equal(zmq.POLLIN, pull.events)
    end
    assert.are.equal("x", pull:recv())
    assert.are.equal(0, pull.events)
    close_all(pull, push)
  end))

  it("does not make a REP send out of turn [ZQ6]", fact(function()
    local rep, req = pair_of("rep", "req", "tcp")
    req:send "question"
    aw.readable(rep)
    local err = raises("it has no request to reply to", rep.send, rep, "early")
    assert.are.equal("EFSM", err.code)
    assert.are.equal("question", rep:recv())
    rep:send "answer"
    aw.readable(req)
    assert.are.equal("answer", req:recv())
    close_all(rep, req)
  end))

  it("leaves the newest message to a socket with conflate [ZQ18]",
    fact(function()
      local pull, push = pair_of("pull", "push", "inproc", { conflate = true })
      push:send "old"
      aw.readable(pull)
      push:send "new"
      assert.are.equal("new", pull:recv())
      close_all(pull, push)
    end))

  it("comes for a message with too many parts, which recv refuses [SE5]",
    fact(function()
      local pull, push = pair_of("pull", "push", "tcp")
      pull.max_parts = 2
      push:send("a", "b", "c")
      push:send "good"
      aw.readable(pull)
      raises("a message of more than 2 parts", pull.recv, pull)
      aw.readable(pull)
      assert.are.equal("good", pull:recv())
      close_all(pull, push)
    end))

  it("leaves no message behind when the socket is closed [ZQ13]",
    fact(function()
      local pull, push = pair_of("pull", "push", "tcp")
      push:send(("x"):rep(100000), "y")
      aw.readable(pull)
      close_all(pull, push)
    end))

  it("fails with Closed when the socket is closed [Q3]", fact(function()
    local pull, push = pair_of("pull", "push")
    local errors = {}
    local function note(_, err)
      errors[#errors + 1] = err
    end
    local tasks = {
      aw.start(function()
        aw.readable(pull)
      end, note),
      aw.start(aw.Poller { [pull] = function() end }, note),
      aw.start(function()
        pull:recv()
      end, note),
      aw.start(aw.Recv(pull), note),
    }
    aw.sleep(0)
    pull:close()
    for i = 1, #tasks do
      pcall(tasks[i].wait, tasks[i])
    end
    assert.are.equal(4, #errors)
    for _, err in ipairs(errors) do
      assert.is_true(aw.is_closed(err), tostring(err))
    end
    push:close()
  end))

  it("is tested by poll, with flags and a time-out [zmq]", fact(function()
    local a, b = pair_of("pair", "pair", "tcp")
    aw.writable(b)
    assert.are.equal(0, a:poll("r", 0))
    assert.are.equal(0, a:poll("r", 0.01))
    assert.are.equal(zmq.POLLOUT, b:poll("rw"))
    b:send "x"
    assert.are.equal(zmq.POLLIN, a:poll())
    assert.are.equal(3, a:poll("rw", 1))
    close_all(a, b)
  end))

  it("is polled for both flags until it has a peer [zmq]", fact(function()
    local s = zmq.socket "pair"
    local got
    local task = aw.start(function()
      got = s:poll "rw"
    end)
    aw.yield()
    assert.is_nil(got)
    local peer = zmq.socket "pair":bind(sockets.address "inproc")
    s:connect(peer.last_endpoint)
    task:wait()
    assert.are.equal(zmq.POLLOUT, got)
    close_all(s, peer)
  end))

  it("is Closed when a task polls it, but a cancel comes first [C2]",
    fact(function()
      local s = zmq.socket "pair"
      s:close()
      helper.raises("Closed: poll of PAIR", s.poll, s)
      local err
      local task = aw.start(function()
        aw.current():cancel()
        err = select(2, pcall(s.poll, s))
        error(err, 0)
      end, aw.keep)
      pcall(task.wait, task)
      assert.is_true(aw.is_cancelled(err), tostring(err))
    end))

  it("is Closed when tasks poll it in turn [F3]", fact(function()
    local s = zmq.socket "pair"
    s:close()
    local others = 0
    local other = aw.start(function()
      while true do
        others = others + 1
        aw.yield()
      end
    end)
    for _ = 1, 10000 do
      helper.raises("Closed: poll of PAIR", s.poll, s)
    end
    assert.is_true(others > 0)
    other:cancel_wait()
  end))

  it("is not tested with other flags or times [zmq]", fact(function()
    local s = zmq.socket "pair"
    blames_file("bad argument #1 to 'poll' (flags must be 'r', 'w' or 'rw', "
      .. "got x)", function()
      s:poll "x"
    end)
    blames_file("bad argument #2 to 'poll' (seconds must not be negative)",
      function()
        s:poll("r", -1)
      end)
    blames_file("bad argument #2 to 'poll' (number of seconds expected",
      function()
        s:poll("r", "soon")
      end)
    s:close()
  end))
end)
