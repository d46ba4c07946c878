-- Messages of ZeroMQ sockets: parts, bounds, receives and sends that wait, and
-- floods that must not hold the loop.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local places = require "spec.support.places"
local process = require "spec.support.process"
local sockets = require "spec.support.sockets"

local zmq, fact, pair_of, close_all =
  sockets.zmq, sockets.fact, sockets.pair_of, sockets.close_all
local raises = helper.raises
local blames_file = places.blames_file

describe("a message", function()
  it("arrives in the parts in which it was sent [ZQ7]", fact(function()
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

  it("is sent from a table and received as a table [ZQ7]", fact(function()
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

  it("with too many parts is refused by send [SE5]", fact(function()
    local a, b = pair_of("pair", "pair", nil, { max_parts = 2 })
    blames_file("too many parts: 3 (the socket's max_parts is 2)", function()
      b:send("a", "b", "c")
    end)
    assert.are.equal(0, a:poll("r", 0))
    close_all(a, b)
  end))

  it("with too many parts to receive is dropped with an error [SE5]",
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
    blames_file("a part of 5 bytes is over the socket's maxmsgsize (4)",
      function()
        b:send "12345"
      end)
    b:send "1234"
    assert.are.equal("1234", a:recv())
    close_all(a, b)
  end))

  it("of values that are no strings is refused [zmq]", fact(function()
    local a, b = pair_of("pair", "pair")
    blames_file("bad argument #1 to 'send' (string expected, got no value)",
      function()
        b:send()
      end)
    blames_file("bad argument #2 to 'send' (string expected, got table)",
      function()
        b:send("a", {})
      end)
    blames_file("part 2 is a boolean, string expected", function()
      b:send_multipart { "a", true }
    end)
    blames_file("a message has at least one part", function()
      b:send_multipart {}
    end)
    close_all(a, b)
  end))

  it("of several parts is refused by a socket with conflate [ZQ18]",
    fact(function()
      local push = zmq.socket("push", { conflate = true })
      blames_file("sends messages of one part, got 2", function()
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

  it("serves waiters first in, first out [F5, H4]", fact(function()
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

  it("comes after tasks that wait already [F5]", fact(function()
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

  it("that has its message keeps it when its task is cancelled [C6]",
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

  it("gives its message back if the task with the result is garbage [H4]",
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

  it("keeps its message as the result of its task [H4]", fact(function()
    local pull, push = pair_of("pull", "push")
    local t = aw.start(function()
      return aw.Value(pull:recv())
    end)
    aw.sleep(0)
    push:send "first"
    push:send "second"
    t:wait() -- the message is the result of t
    assert.are.equal("second", pull:recv())
    assert.are.equal("first", (t:results()))
    close_all(pull, push)
  end))

  it("on a socket that only sends is refused [zmq]", fact(function()
    for _, type in ipairs { "pub", "push" } do
      local s = zmq.socket(type)
      blames_file(("a %s socket cannot receive"):format(type:upper()),
        function()
          s:recv()
        end)
      blames_file("cannot receive", function()
        return aw.Recv(s)
      end)
      s:close()
    end
  end))

  it("outside a task is refused with advice [C11]", function()
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

  it("lets other tasks run while there are messages [F3]", fact(function()
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
  it("counts as many, so that other tasks run [ZQ5]", fact(function()
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
  it("waits while there is no peer [ZQ10]", fact(function()
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

  it("does not overtake a waiting send when there is room again [F5]",
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
        assert.are.equal("m" .. i, pull:recv()) -- the sender is not resumed yet
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
      blames_file(("a %s socket cannot send"):format(type:upper()), function()
        s:send "x"
      end)
      blames_file("cannot send", function()
        return aw.Send(s, "x")
      end)
      s:close()
    end
  end))

  it("lets other tasks run if it never has to wait [F3, ZQ5]", fact(function()
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

--- Let a timer tick `wanted` times, every 10 ms, while `disturb(at_work)` runs.
--- `disturb` calls at_work() for each piece of its work, until at_work()
--- returns false. Returns the greatest number of pieces between a deadline and
--- its tick. Unlike a delay in seconds, this number does not depend on other
--- programs.
local function late_pieces(disturb, wanted)
  local ticks, late, most, due = 0, 0, 0, math.huge
  local timer = aw.start(function()
    while ticks < wanted do
      due, late = aw.now() + 0.01, 0
      aw.await(aw.SleepUntil(due)) -- aw.sleep would begin later
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

-- A number of messages that takes at least 20 ms to receive and send again.
local IN_TIME <const> = 3000

-- Floods that never end by themselves: `pass` receives one message and sends it
-- again. At the end of the test `pass` returns false.
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
    it(("does not delay a timer, %s [ZQ5, F3, Q4]"):format(way[1]),
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

  it("without a limit fails this check [ZQ5]", fact(function()
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
