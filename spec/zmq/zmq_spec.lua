-- Sockets of ZeroMQ: messages, waiting, events, addresses, ends.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local process = require "spec.support.process"
local sockets = require "spec.support.sockets"

local zmq, fact, pair_of = sockets.zmq, sockets.fact, sockets.pair_of
local raises = helper.raises

-- Call `f(...)`, which must raise a plain error at a line of this file.
local function blames_us(text, f, ...)
  local err = raises(text, f, ...)
  assert.is_truthy(tostring(err):find("zmq_spec.lua:%d+:"), tostring(err))
end

--- A fact that has a server in Perl at the path of an ipc address.
local function fact_with_perl(f)
  if os.execute "perl -MIO::Socket::UNIX -e 1 2>/dev/null" then
    return fact(function()
      local address = sockets.address "ipc"
      local path = address:sub(#"ipc://" + 1)
      f(address, path)
    end)
  end
  return function()
    pending "perl is not installed"
  end
end

local function close_all(...)
  for _, s in ipairs { ... } do
    s:close()
  end
end

describe("the module aw.zmq", function()
  it("is the one that require gives [LU18]", function()
    assert.are.equal(aw.zmq, require "aiowire.zmq")
  end)

  it("tells the version of libzmq, which is a safe one [SE7]", fact(function()
    local major, minor, patch = zmq.version():match "^(%d+)%.(%d+)%.(%d+)$"
    assert.is_true(major == "4" and minor * 100 + patch >= 303)
  end))

  it("has the names of types and options as numbers [zmq]", function()
    assert.are.equal(4, zmq.REP)
    assert.are.equal(17, zmq.LINGER)
    assert.are.equal(1, zmq.POLLIN)
  end)

  it("has nothing else under names that it lacks [zmq]", function()
    assert.is_nil(aw.zqm)
    assert.is_nil(zmq.RPE)
  end)
end)

describe("a message", function()
  it("comes as it was sent, in parts [ZQ7]", fact(function()
    local a, b = pair_of("pair", "pair")
    assert.is_true(b:send("one", "", "th\0ree"))
    assert.are.same({ "one", "", "th\0ree" }, a:recv_multipart())
    close_all(a, b)
  end))

  it("is received as several results [ZQ7]", fact(function()
    local a, b = pair_of("pair", "pair")
    b:send("one", "", "th\0ree")
    local parts = table.pack(a:recv())
    assert.are.same({ n = 3, "one", "", "th\0ree" }, parts)
    close_all(a, b)
  end))

  it("is sent from a table and received as one [ZQ7]", fact(function()
    local a, b = pair_of("pair", "pair", "tcp")
    b:send_multipart { "a", "b", 3 }
    assert.are.same({ "a", "b", "3" }, a:recv_multipart())
    close_all(a, b)
  end))

  it("has as many parts as max_parts allows [SE5]", fact(function()
    local a, b = pair_of("pair", "pair")
    local parts = {}
    for i = 1, 1024 do
      parts[i] = "p" .. i
    end
    b:send_multipart(parts)
    assert.are.same(parts, a:recv_multipart())
    close_all(a, b)
  end))

  it("with too many parts is refused, and not sent [SE5]", fact(function()
    local a, b = pair_of("pair", "pair", nil, { max_parts = 2 })
    blames_us("too many parts: 3 (the socket's max_parts is 2)", function()
      b:send("a", "b", "c")
    end)
    assert.are.equal(0, a:poll("r", 0))
    close_all(a, b)
  end))

  it("with too many parts to receive is dropped, and said so [SE5]",
    fact(function()
      local a, b = pair_of("pair", "pair")
      a.max_parts = 2
      b:send("a", "b", "c")
      b:send "next"
      local err = raises("a message of more than 2 parts", a.recv, a)
      assert.are.equal("EMSGSIZE", err.code)
      assert.are.equal("next", a:recv())
      close_all(a, b)
    end))

  it("with a part over maxmsgsize is refused [SE5]", fact(function()
    local a, b = pair_of("pair", "pair", nil, { maxmsgsize = 4 })
    blames_us("a part of 5 bytes is over the socket's maxmsgsize (4)",
      function()
        b:send "12345"
      end)
    b:send "1234"
    assert.are.equal("1234", a:recv())
    close_all(a, b)
  end))

  it("of other things than strings is refused [zmq]", fact(function()
    local a, b = pair_of("pair", "pair")
    blames_us("bad argument #1 to 'send' (string expected, got no value)",
      function()
        b:send()
      end)
    blames_us("bad argument #2 to 'send' (string expected, got table)",
      function()
        b:send("a", {})
      end)
    blames_us("part 2 is a boolean, string expected", function()
      b:send_multipart { "a", true }
    end)
    blames_us("a message has at least one part", function()
      b:send_multipart {}
    end)
    close_all(a, b)
  end))

  it("of several parts is refused by a socket with conflate [ZQ18]",
    fact(function()
      local push = zmq.socket("push", { conflate = true })
      blames_us("sends messages of one part, got 2", function()
        push:send("a", "b")
      end)
      push:close()
    end))
end)

describe("a receive", function()
  it("waits for a message [C10]", fact(function()
    local a, b = pair_of("pair", "pair", "tcp")
    local t = aw.start(function()
      return aw.Value(a:recv())
    end)
    aw.sleep(0.01)
    assert.are.equal("waiting", t.status)
    b:send "late"
    assert.are.equal("late", t:wait())
    close_all(a, b)
  end))

  it("serves those who wait first in, first out [F5, H4]", fact(function()
    local pull, push = pair_of("pull", "push")
    local log, note = helper.recorder()
    local tasks = {}
    for i = 1, 3 do
      tasks[i] = aw.start(function()
        note(i .. pull:recv())
      end)
    end
    aw.sleep(0)
    for _, m in ipairs { "a", "b", "c" } do
      push:send(m)
    end
    for i = 1, 3 do
      tasks[i]:wait()
    end
    assert.are.same({ "1a", "2b", "3c" }, log)
    close_all(pull, push)
  end))

  it("comes after those who wait already [F5]", fact(function()
    local pull, push = pair_of("pull", "push")
    local first = aw.start(function()
      return aw.Value(pull:recv())
    end)
    aw.sleep(0)
    push:send "a"
    push:send "b"
    assert.are.equal("b", pull:recv())
    assert.are.equal("a", first:wait())
    close_all(pull, push)
  end))

  it("that is cancelled takes no message [C6, ZQ19]", fact(function()
    local pull, push = pair_of("pull", "push")
    local t = aw.start(function()
      pull:recv()
    end)
    aw.sleep(0)
    push:send "kept"
    t:cancel()
    assert.are.equal("kept", pull:recv())
    close_all(pull, push)
  end))

  it("that has its message keeps it when it is cancelled then [C6]",
    fact(function()
      local pull, push = pair_of("pull", "push")
      local got
      local t
      t = aw.start(function()
        got = pull:recv()
        aw.sleep(1)
      end)
      aw.sleep(0)
      push:send "taken"
      repeat
        aw.sleep(0.001)
      until got
      t:cancel_wait()
      assert.are.equal("taken", got)
      close_all(pull, push)
    end))

  it("whose result nobody can take any more gives its message back [H4]",
    fact(function()
      local pull, push = pair_of("pull", "push")
      local tasks = { aw.start(aw.Recv(pull)), aw.start(aw.Recv(pull)) }
      for _, text in ipairs { "first", "second", "third" } do
        push:send(text)
      end
      helper.wait_until(function()
        return tasks[1].status == "done" and tasks[2].status == "done"
      end)
      for i = 2, 1, -1 do
        tasks[i] = nil
        collectgarbage()
        collectgarbage()
      end
      assert.are.equal("first", pull:recv())
      assert.are.equal("second", pull:recv())
      assert.are.equal("third", pull:recv())
      close_all(pull, push)
    end))

  it("keeps its message as a result until somebody asks [H4]", fact(function()
    local pull, push = pair_of("pull", "push")
    local t = aw.start(function()
      return aw.Value(pull:recv())
    end)
    aw.sleep(0)
    push:send "first"
    push:send "second"
    t:wait() -- it is a result that nobody took yet
    assert.are.equal("second", pull:recv())
    assert.are.equal("first", (t:results()))
    close_all(pull, push)
  end))

  it("on a socket that only sends is refused [zmq]", fact(function()
    for _, type in ipairs { "pub", "push" } do
      local s = zmq.socket(type)
      blames_us(("a %s socket cannot receive"):format(type:upper()),
        function()
          s:recv()
        end)
      blames_us("cannot receive", function()
        return aw.Recv(s)
      end)
      s:close()
    end
  end))

  it("outside a task says how to run one [C11]", function()
    if process.sanitized or not sockets.installed then
      pending "needs libzmq, and a stock lua5.4"
      return
    end
    local outcome = process.stock [[
      local s = require("aiowire.zmq").socket "pull"
      print(pcall(s.recv, s))
    ]]
    assert.is_truthy(outcome.out:find(
      "cannot await outside a task (socket:recv)", 1, true), outcome.err)
  end)

  it("lets others run when messages never end [F3]", fact(function()
    local pull, push = pair_of("pull", "push", nil, { hwm = 100000 })
    for _ = 1, 1000 do
      push:send "m"
    end
    local turns = 0
    local other = aw.start(function()
      while true do
        aw.yield()
        turns = turns + 1
      end
    end)
    for _ = 1, 1000 do
      pull:recv()
    end
    assert.is_true(turns >= 1000 // 64 - 2, turns)
    other:cancel_wait()
    close_all(pull, push)
  end))
end)

describe("a message of many bytes", function()
  it("counts for many, so that others run between [ZQ5]", fact(function()
    local pull, push = pair_of("pull", "push")
    local turns, body = 0, ("x"):rep(256 * 1024)
    local other = aw.start(function()
      while true do
        aw.yield()
        turns = turns + 1
      end
    end)
    for _ = 1, 20 do
      push:send(body)
    end
    assert.is_true(turns >= 8, turns)
    turns = 0
    for _ = 1, 20 do
      assert.are.equal(#body, #pull:recv())
    end
    assert.is_true(turns >= 8, turns)
    other:cancel_wait()
    close_all(pull, push)
  end))
end)

describe("a send", function()
  it("waits while there is nobody to send to [ZQ10]", fact(function()
    local push = zmq.socket "push"
    local t = aw.start(function()
      return aw.Value(push:send("a", "b"))
    end)
    aw.sleep(0.01)
    assert.are.equal("waiting", t.status)
    local pull = zmq.socket("pull"):bind(sockets.address())
    push:connect(pull.last_endpoint)
    assert.is_true(t:wait())
    assert.are.same({ "a", "b" }, pull:recv_multipart())
    close_all(pull, push)
  end))

  it("waits while the peer is full, and goes on in order [ZQ8, F5]",
    fact(function()
      local pull, push = pair_of("pull", "push", nil,
        { sndhwm = 5, rcvhwm = 5 })
      local sender = aw.start(function()
        for i = 1, 100 do
          push:send("m" .. i)
        end
      end)
      aw.sleep(0.01)
      assert.are.equal("waiting", sender.status)
      for i = 1, 100 do
        assert.are.equal("m" .. i, pull:recv())
      end
      sender:wait()
      close_all(pull, push)
    end))

  it("waits behind one that waits, though there is room by now [F5]",
    fact(function()
      local pull, push = pair_of("pull", "push", nil,
        { sndhwm = 1, rcvhwm = 1 })
      local sent, sender = 0
      repeat
        sent = sent + 1
        sender = aw.start(aw.Call(push.send, push, "m" .. sent))
        aw.sleep(0.01)
      until sender.status == "waiting"
      for i = 1, sent - 1 do
        assert.are.equal("m" .. i, pull:recv()) -- at once: the sender waits on
      end
      push:send "last"
      assert.are.equal("m" .. sent, pull:recv())
      assert.are.equal("last", pull:recv())
      close_all(pull, push)
    end))

  it("that is cancelled while it waits sends nothing [C10]", fact(function()
    local push = zmq.socket "push"
    local t = aw.start(function()
      push:send "never"
    end)
    aw.sleep(0)
    t:cancel_wait()
    local pull = zmq.socket("pull"):bind(sockets.address())
    push:connect(pull.last_endpoint)
    push:send "this"
    assert.are.equal("this", pull:recv())
    close_all(pull, push)
  end))

  it("on a socket that only receives is refused [zmq]", fact(function()
    for _, type in ipairs { "sub", "pull" } do
      local s = zmq.socket(type)
      blames_us(("a %s socket cannot send"):format(type:upper()), function()
        s:send "x"
      end)
      blames_us("cannot send", function()
        return aw.Send(s, "x")
      end)
      s:close()
    end
  end))

  it("lets others run when it never has to wait [F3, ZQ5]", fact(function()
    local pub = zmq.socket "pub"
    local turns = 0
    local other = aw.start(function()
      while true do
        aw.yield()
        turns = turns + 1
      end
    end)
    for _ = 1, 1000 do
      pub:send "m"
    end
    assert.is_true(turns >= 1000 // 64 - 2, turns)
    other:cancel_wait()
    pub:close()
  end))
end)

describe("REQ and REP", function()
  it("take turns [ZQ6]", fact(function()
    local rep, req = pair_of("rep", "req", "tcp")
    local server = aw.start(function()
      for _ = 1, 3 do
        rep:send("re", rep:recv())
      end
    end)
    for i = 1, 3 do
      req:send("q" .. i)
      assert.are.same({ "re", "q" .. i }, req:recv_multipart())
    end
    server:wait()
    close_all(rep, req)
  end))

  it("name their type and state when it is not their turn [ZQ6]",
    fact(function()
      local rep, req = pair_of("rep", "req")
      local cases = {
        { req.recv, req, "REQ socket (it has sent no request)" },
        { function()
          req:send "a"
          req:send "b"
        end, nil, "REQ socket (it waits for the reply to its request)" },
        { function()
          rep:send "x"
        end, nil, "REP socket (it has no request to reply to)" },
        { function()
          rep:recv()
          rep:recv()
        end, nil, "REP socket (it has a request that is not replied to)" },
      }
      for _, case in ipairs(cases) do
        local err = raises(case[3], case[1], case[2])
        assert.is_true(aw.is_system_error(err))
        assert.are.equal("EFSM", err.code)
      end
      close_all(rep, req)
    end))

  it("go on after a cancelled request with req_relaxed [ZQ6]", fact(function()
    local rep, req = pair_of("rep", "req")
    req.req_relaxed, req.req_correlate = true, true
    req:send "lost"
    local t = aw.start(function()
      req:recv()
    end)
    aw.sleep(0)
    t:cancel_wait()
    req:send "again"
    assert.are.equal("lost", rep:recv())
    rep:send "too late"
    assert.are.equal("again", rep:recv())
    rep:send "in time"
    assert.are.equal("in time", req:recv())
    close_all(rep, req)
  end))
end)

describe("PUB and SUB", function()
  it("match by prefix, until unsubscribed [zmq]", fact(function()
    local xpub, sub = pair_of("xpub", "sub", "tcp")
    assert.are.equal(sub, sub:subscribe "a")
    assert.are.equal("\1a", xpub:recv())
    xpub:send("b", "no")
    xpub:send("ab", "yes")
    assert.are.same({ "ab", "yes" }, sub:recv_multipart())
    sub:unsubscribe "a"
    assert.are.equal("\0a", xpub:recv())
    close_all(xpub, sub)
  end))

  it("only SUB subscribes [zmq]", fact(function()
    local s = zmq.socket "pull"
    blames_us("a PULL socket cannot subscribe", function()
      s:subscribe ""
    end)
    s:close()
  end))
end)

describe("a ROUTER", function()
  it("sends to a peer by its routing id [zmq]", fact(function()
    local router, dealer = pair_of("router", "dealer", "ipc",
      { identity = "me" })
    dealer:send "hi"
    assert.are.same({ "me", "hi" }, router:recv_multipart())
    assert.is_true(router:send("me", "yo"))
    assert.are.equal("yo", dealer:recv())
    close_all(router, dealer)
  end))

  it("tells that a peer is gone, by false [ZQ9]", fact(function()
    local router = zmq.socket("router"):bind(sockets.address())
    assert.are.same({ false, "EHOSTUNREACH" },
      { router:send("nobody", "x") })
    assert.are.same({ false, "EHOSTUNREACH" },
      { aw.await(aw.Send(router, "nobody", "x")) })
    router:close()
  end))

  it("raises that only with router_mandatory [ZQ9]", fact(function()
    local router = zmq.socket("router", { router_mandatory = true })
    local err = raises("ROUTER", router.send, router, "nobody", "x")
    assert.are.equal("EHOSTUNREACH", err.code)
    assert.is_true(router.router_mandatory)
    router:close()
  end))

  it("refuses a message without a peer or a part [zmq]", fact(function()
    local router = zmq.socket "router"
    blames_us("begins with the routing id of its peer", function()
      router:send "peer"
    end)
    router:close()
  end))

  it("serves others while a peer is full, and that one later [ZQ9]",
    fact(function()
      local options = { sndhwm = 2, rcvhwm = 2, identity = "slow" }
      local router, slow = pair_of("router", "dealer", nil, options)
      options.identity = "quick"
      local quick = zmq.socket("dealer", options)
      quick:connect(router.last_endpoint)
      slow:send "hi"
      quick:send "hi"
      router:recv()
      router:recv()
      local sender = aw.start(function()
        for i = 1, 20 do
          assert(router:send("slow", "s" .. i))
        end
      end)
      aw.sleep(0.02)
      assert.are.equal("waiting", sender.status)
      for i = 1, 20 do
        router:send("quick", "q" .. i)
        assert.are.equal("q" .. i, quick:recv())
      end
      assert.are.equal("waiting", sender.status)
      for i = 1, 20 do
        assert.are.equal("s" .. i, slow:recv())
      end
      sender:wait()
      close_all(router, slow, quick)
    end))

  it("does not spin while a peer is full [ZQ9]", fact(function()
    local options = { sndhwm = 1, rcvhwm = 1, identity = "slow" }
    local router, slow = pair_of("router", "dealer", nil, options)
    slow:send "hi"
    router:recv()
    local sender = aw.start(function()
      for _ = 1, 10 do
        router:send("slow", "x")
      end
    end)
    aw.sleep(0.05)
    local before = os.clock()
    aw.sleep(1)
    assert.is_true(os.clock() - before < 0.5)
    sender:cancel_wait()
    close_all(router, slow)
  end))

  it("tells those who wait that their peer has gone [ZQ9]", fact(function()
    local options = { sndhwm = 1, rcvhwm = 1, identity = "slow" }
    local router, slow = pair_of("router", "dealer", nil, options)
    slow:send "hi"
    router:recv()
    local sender = aw.start(function()
      repeat
        local sent, why = router:send("slow", "x")
        if not sent then
          return aw.Value(why)
        end
      until false
    end)
    aw.sleep(0.01)
    slow:close()
    assert.are.equal("EHOSTUNREACH", sender:wait())
    router:close()
  end))
end)

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

  it("wait, several tasks with one wire [V1, F5]", fact(function()
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

  it("keep their socket [V1]", fact(function()
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
    blames_us("bad argument #1 to 'Recv' (channel or socket expected, got "
      .. "table)", function()
      return aw.Recv {}
    end)
    blames_us("bad argument #1 to 'Send' (channel or socket expected, got "
      .. "no value)", function()
      return aw.Send()
    end)
  end)

  it("show what they wait for [D1, V8]", fact(function()
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

  it("of two sockets takes one message, of the first that has one [H3]",
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

  it("with others at the same socket leaves each its message [H3, F5]",
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

  it("may be against a send, of which one happens [H3]", fact(function()
    local pull, push = pair_of("pull", "push")
    local other = zmq.socket "push" -- has no peer
    push:send "in"
    assert.are.equal("in", aw.await(aw.Send(other, "out") | aw.Recv(pull)))
    assert.is_true(aw.await(aw.Send(push, "out") | aw.Recv(pull)))
    assert.are.equal("out", pull:recv())
    close_all(pull, push, other)
  end))

  it("is chosen by Select, with its key [H4]", fact(function()
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
  it("is told by aw.readable and aw.writable [Q4]", fact(function()
    local pull, push = pair_of("pull", "push", "tcp")
    aw.writable(push)
    push:send "x"
    aw.readable(pull)
    aw.await(aw.Readable(pull))
    aw.await(aw.Writable(push))
    assert.are.equal("x", pull:recv())
    close_all(pull, push)
  end))

  it("is news to all who wait for it [Q3]", fact(function()
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

  it("drives a Poller, once for each message [Q1, Q2]", fact(function()
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

  it("leaves the messages as they came [Q4]", fact(function()
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

  it("stays until somebody receives [Q4]", fact(function()
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

  it("does not make it the turn of a REP to send [ZQ6]", fact(function()
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

  it("is there for a message with too many parts, which recv refuses [SE5]",
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

  it("of messages that nobody receives ends with the socket [ZQ13]",
    fact(function()
      local pull, push = pair_of("pull", "push", "tcp")
      push:send(("x"):rep(100000), "y")
      aw.readable(pull)
      close_all(pull, push)
    end))

  it("is Closed when the socket is closed [Q3]", fact(function()
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

  it("is asked by poll, with flags and a time-out [zmq]", fact(function()
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

  it("is not asked with other flags or times [zmq]", fact(function()
    local s = zmq.socket "pair"
    blames_us("bad argument #1 to 'poll' (flags must be 'r', 'w' or 'rw', "
      .. "got x)", function()
      s:poll "x"
    end)
    blames_us("bad argument #2 to 'poll' (seconds must not be negative)",
      function()
        s:poll("r", -1)
      end)
    blames_us("bad argument #2 to 'poll' (number of seconds expected",
      function()
        s:poll("r", "soon")
      end)
    s:close()
  end))
end)

--- Let a timer of 10 ms tick `wanted` times, while `disturb(at_work)` runs,
--- which calls at_work() for each piece of its work until that gives false.
--- Returns the most pieces that were done between the moment when a tick was
--- due and that tick: they are few, whatever else the machine does.
local function late_pieces(disturb, wanted)
  local ticks, late, most, due = 0, 0, 0, math.huge
  local timer = aw.start(function()
    while ticks < wanted do
      due, late = aw.now() + 0.01, 0
      aw.await(aw.SleepUntil(due)) -- not counted from a later moment
      ticks, most = ticks + 1, math.max(most, late)
    end
  end)
  disturb(function()
    if aw.now() >= due then
      late = late + 1
    end
    return ticks < wanted
  end)
  timer:wait()
  return most
end

-- Messages that are one by one received and sent again in 20 ms and more.
local IN_TIME <const> = 3000

-- A flood never ends: what is received is sent again. `pass` takes one message
-- through, and tells whether to go on.
local floods <const> = {
  { "by a task that receives", function(_, pass)
    repeat until not pass()
  end },
  { "by a Poller", function(pull, pass)
    local poller
    poller = aw.Poller { [pull] = function()
      if not pass() then
        poller:shutdown()
      end
    end }
    aw.await(poller)
  end },
  { "by a wire", function(pull, pass)
    local round
    round = aw.Readable(pull) >> function()
      return pass() and round or nil
    end
    aw.await(round)
  end },
}

describe("a flood of messages", function()
  for _, way in ipairs(floods) do
    it(("delays no tick of a timer, %s [ZQ5, F3, Q4]"):format(way[1]),
      fact(function()
        local pull, push = pair_of("pull", "push", "inproc")
        for _ = 1, 100 do
          push:send "m"
        end
        local passed = 0
        local most = late_pieces(function(at_work)
          way[2](pull, function()
            push:send(pull:recv())
            passed = passed + 1
            return at_work()
          end)
        end, helper.gc_stress and 5 or 100)
        assert.is_true(passed > 100)
        assert.is_true(most < IN_TIME, most .. " messages")
        close_all(pull, push)
      end))
  end

  it("without a bound would be seen to delay it [ZQ5]", fact(function()
    local most = late_pieces(function(at_work)
      aw.sleep(0.001)
      local due, done = aw.now() + 0.01, 0
      repeat
        at_work()
        done = aw.now() >= due and done + 1 or 0
      until done > IN_TIME
    end, 1)
    assert.is_true(most >= IN_TIME)
  end))
end)

describe("an address", function()
  it("is told by last_endpoint [zmq]", fact(function()
    local s = zmq.socket "rep"
    assert.are.equal(s, s:bind "tcp://127.0.0.1:*")
    assert.is_truthy(s.last_endpoint:find "^tcp://127%.0%.0%.1:%d+$")
    s:close()
  end))

  it("may be left again [zmq]", fact(function()
    local a = zmq.socket "rep"
    a:bind "tcp://127.0.0.1:*"
    local address = a.last_endpoint
    a:unbind(address)
    aw.sleep(0.05)
    local b = zmq.socket("rep"):bind(address)
    local c = zmq.socket("req"):connect(address)
    c:disconnect(address)
    close_all(a, b, c)
  end))

  it("that was not bound or connected to is not left [zmq]",
    fact(function()
      local s = zmq.socket "rep"
      blames_us("this socket is not bound to 'tcp://127.0.0.1:1'", function()
        s:unbind "tcp://127.0.0.1:1"
      end)
      blames_us("this socket is not connected to 'tcp://127.0.0.1:1'",
        function()
          s:disconnect "tcp://127.0.0.1:1"
        end)
      s:close()
    end))

  it("in use is an error, and the socket lives [zmq]", fact(function()
    local a, b = zmq.socket "rep", zmq.socket "rep"
    a:bind "tcp://127.0.0.1:*"
    local err = raises("bind 'tcp://", b.bind, b, a.last_endpoint)
    assert.are.equal("EADDRINUSE", err.code)
    b:bind "tcp://127.0.0.1:*"
    close_all(a, b)
  end))

  -- libzmq gives it up in a thread of its own, a moment later.
  for _, transport in ipairs { "inproc", "ipc", "tcp" } do
    it("of " .. transport .. " is free when its socket is closed [zmq]",
      fact(function()
        local address = sockets.address(transport)
        for round = 1, 60 do
          local server = zmq.socket "pull"
          server:bind(address)
          address = server.last_endpoint
          if round % 3 == 0 then
            server:unbind(address)
          end
          server:close()
        end
        local server = zmq.socket("pull"):bind(address)
        local client = zmq.socket("push"):connect(address)
        client:send "x"
        assert.are.equal("x", server:recv())
        close_all(server, client)
      end))
  end

  it("is in use by the next socket at once [zmq]",
    fact(function()
      local address = sockets.address "inproc"
      zmq.socket("rep"):bind(address):close()
      local a, b = zmq.socket("rep"):bind(address), zmq.socket "rep"
      local err = raises("bind 'inproc://", b.bind, b, address)
      assert.are.equal("EADDRINUSE", err.code)
      close_all(a, b)
    end))

  it("that is none is refused, with the nearest transport [zmq]",
    fact(function()
      local s = zmq.socket "rep"
      for text, said in pairs {
        ["localhost:80"] = "transport://place expected",
        ["tpc://127.0.0.1:80"] = "no transport 'tpc'",
        ["ipcc:///tmp/x"] = ", did you mean 'ipc'?",
        ["tcp://127.0.0.1"] = "bad address 'tcp://127.0.0.1'",
        ["tcp://127.0.0.1:\0"] = "an address contains no zero byte",
      } do
        blames_us(said, function()
          s:bind(text)
        end)
      end
      close_all(s)
    end))

  it("of ipc is not stolen from a live server [ZQ18]", fact(function()
    local address = sockets.address "ipc"
    local a, b = zmq.socket("rep"):bind(address), zmq.socket "rep"
    local err = raises(address, b.bind, b, address)
    assert.are.equal("EADDRINUSE", err.code)
    close_all(a)
    b:bind(address)
    close_all(b)
  end))

  it("of ipc is not stolen from a server that accepts nobody [ZQ18]",
    fact_with_perl(function(address, path)
      local server <close> = aw.spawn { "perl", "-MSocket", "-MFcntl", "-e", [[
        $| = 1;
        my $address = sockaddr_un($ARGV[0]);
        my ($server, $one, @all);
        socket($server, PF_UNIX, SOCK_STREAM, 0) && bind($server, $address)
          && listen($server, 1) or die;
        while (socket($one, PF_UNIX, SOCK_STREAM, 0)) {
          fcntl($one, F_SETFL, O_NONBLOCK);
          last unless connect($one, $address);
          push @all, $one;
          undef $one;
        }
        print "full\n";
        <STDIN>;
      ]], path }
      assert.are.equal("full", server.stdout:read "l")
      local s = zmq.socket "rep"
      local err = raises(address, s.bind, s, address)
      assert.are.equal("EADDRINUSE", err.code)
      close_all(s)
    end))

  it("of ipc replaces the path of a server that died [ZQ18]",
    fact_with_perl(function(address, path)
      aw.exec { "perl", "-MIO::Socket::UNIX", "-e",
        "IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 1) or die", path,
        check = true }
      close_all(zmq.socket("rep"):bind(address))
    end))

  it("of ipc has a path of 107 bytes at most [ZQ18]", fact(function()
    local s = zmq.socket "rep"
    blames_us("has 107 bytes at most, this has 205", function()
      s:bind("ipc:///tmp/" .. ("x"):rep(200))
    end)
    s:close()
  end))

  it("of inproc is not reached from another context, and that is said [zmq]",
    fact(function()
      local ctx = zmq.context()
      local a = zmq.socket("pair"):bind "inproc://here"
      local b = ctx:socket "pair"
      blames_us("'inproc://here' is bound by a socket of another context",
        function()
          b:connect "inproc://here"
        end)
      close_all(a, b)
      ctx:close()
    end))
end)

describe("a socket", function()
  it("is made by name or number, in any case of letters [zmq]",
    fact(function()
      for _, type in ipairs { "rep", "REP", "Rep", zmq.REP } do
        local s <close> = zmq.socket(type)
        assert.are.equal(zmq.REP, s.type)
      end
    end))

  it("of an unknown type is refused, with the nearest [zmq]", function()
    blames_us("bad argument #1 to 'socket' (no type of socket 'deeler', did "
      .. "you mean 'DEALER'?)", function()
      zmq.socket "deeler"
    end)
    blames_us("no type of socket '99'", function()
      zmq.socket(99)
    end)
    blames_us("bad argument #1 to 'socket'", function()
      zmq.socket()
    end)
  end)

  it("with a bad option is not made [zmq]", fact(function()
    blames_us("a zmq socket has no option 'lingre', did you mean 'linger'?",
      function()
        zmq.socket("rep", { lingre = 0 })
      end)
    blames_us("table expected", function()
      zmq.socket("rep", 5)
    end)
    blames_us("bad option 'context' (zmq context expected, got table)",
      function()
        zmq.socket("rep", { context = {} })
      end)
  end))

  it("says what it is [zmq]", fact(function()
    local s = zmq.socket "rep"
    assert.are.equal("zmq REP socket (not connected)", tostring(s))
    s:bind "inproc://told"
    assert.are.equal("zmq REP socket (bound to inproc://told)", tostring(s))
    s:close()
    assert.are.equal("zmq REP socket (closed)", tostring(s))
    assert.is_true(s.closed)
  end))

  it("is closed once, and again without harm [zmq]", fact(function()
    local s = zmq.socket "rep"
    assert.is_false(s.closed)
    s:close()
    s:close()
    for _, name in ipairs { "recv", "recv_multipart", "bind", "get" } do
      local err = raises("Closed", s[name], s, "inproc://x")
      assert.is_true(aw.is_closed(err))
    end
    assert.is_true(aw.is_closed(raises("Closed", s.send, s, "x")))
  end))

  it("is closed at the end of its block [zmq]", fact(function()
    local kept
    do
      local s <close> = zmq.socket "rep"
      kept = s
    end
    assert.is_true(kept.closed)
  end))

  it("is closed when it is garbage [LU11]", fact(function()
    local function drop()
      return zmq.socket("rep"):bind "inproc://garbage" and nil
    end
    drop()
    collectgarbage()
    collectgarbage()
    local t = zmq.socket("rep"):bind "inproc://garbage"
    t:close()
  end))

  it("may be closed while messages wait to be sent [ZQ13]", fact(function()
    local s = zmq.socket("push", { linger = 0 })
    s:connect "tcp://127.0.0.1:9"
    local t = aw.start(function()
      s:send "x"
    end, function() end)
    aw.sleep(0)
    s:close()
    pcall(t.wait, t)
  end))

  it("is not taken for another object [zmq]", fact(function()
    local s = zmq.socket "rep"
    blames_us("zmq socket expected, got table", function()
      s.recv({})
    end)
    assert.is_false(getmetatable(s))
    s:close()
  end))

  it("is waited for in one engine at a time [S6]", fact(function()
    local s = zmq.socket("pull"):bind(sockets.address())
    local t = aw.start(aw.Recv(s))
    aw.sleep(0)
    local ev = aw.EventLoop { clock = "virtual", signals = false }
    local said
    ev:start(function()
      s:recv()
    end, function(_, err)
      said = tostring(err)
    end)
    ev:run()
    assert.is_truthy(said:find("tasks of another engine", 1, true), said)
    t:cancel_wait()
    s:close()
  end))
end)

describe("a context", function()
  it("owns its sockets, and closes them [ZQ13]", fact(function()
    local ctx = zmq.context { io_threads = 2, max_sockets = 10 }
    assert.are.equal(2, ctx:get "io_threads")
    local s = ctx:socket("pair")
    local t = zmq.socket("pair", { context = ctx })
    assert.are.equal("zmq context (2 sockets)", tostring(ctx))
    ctx:close()
    ctx:close()
    assert.is_true(s.closed and t.closed)
    assert.are.equal("zmq context (closed)", tostring(ctx))
    assert.is_true(aw.is_closed(raises("Closed", ctx.socket, ctx, "rep")))
  end))

  it("is closed with its last socket, when it is garbage [ZQ13]",
    fact(function()
      local s = zmq.context():socket "pair"
      collectgarbage()
      collectgarbage()
      s:bind "inproc://kept"
      s:close()
    end))

  it("has no more sockets than max_sockets [ZQ12]", fact(function()
    local ctx = zmq.context { max_sockets = 1 }
    local s = ctx:socket "pair"
    local err = raises("open 'PAIR socket (its context has 1 at most",
      ctx.socket, ctx, "pair")
    assert.are.equal("EMFILE", err.code)
    s:close()
    ctx:close()
  end))

  it("refuses bad options [zmq]", fact(function()
    blames_us("a zmq context has no option 'io_thread', did you mean "
      .. "'io_threads'?", function()
      zmq.context { io_thread = 1 }
    end)
    blames_us("bad value for option 'io_threads'", function()
      zmq.context { io_threads = "many" }
    end)
    blames_us("can only be read", function()
      zmq.context { socket_limit = 1 }
    end)
  end))
end)
