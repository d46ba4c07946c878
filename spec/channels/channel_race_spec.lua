-- The wires Recv and Send, and races of several of them, in which exactly one
-- commits [H2, H3, F5].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local wires = require "spec.support.wires"

local logged, sealed, test = helper.logged, helper.sealed, helper.test
local virtual, outcome, sender = helper.virtual, wires.outcome, wires.sender

describe("Recv and Send", function()
  it("are wires that need no Lua [V7]", logged(function(ev)
    local ch = aw.channel()
    local before = aw.stats().busy
    local task = ev:start(aw.Recv(ch) >> aw.Recv(ch))
    ev:start(aw.Send(ch, "x") * 2)
    aw.sleep(1)
    assert.are.equal(before, aw.stats().busy)
    assert.are.equal("x", task:results())
  end))

  it("may run any number of times, also at once [V1]", logged(function(ev)
    local ch = aw.channel()
    local value = {}
    local send, recv = aw.Send(ch, value), aw.Recv(ch)
    local tasks = {}
    for i = 1, 10 do
      tasks[i] = ev:start(recv)
      ev:start(send * 2)
    end
    for i = 11, 20 do
      tasks[i] = ev:start(recv)
    end
    aw.sleep(1)
    for i = 1, 20 do
      assert.are.equal(value, tasks[i]:results())
    end
  end))

  it("end with the value that was received, or nothing [V3]", logged(
    function(ev)
      local ch = aw.channel(1)
      assert.are.equal(0, select("#", aw.await(aw.Send(ch, 1))))
      assert.are.same({ 1, n = 1 }, table.pack(aw.await(aw.Recv(ch))))
      ev:start(aw.Send(ch, nil))
      assert.are.same({ n = 1 }, table.pack(aw.await(aw.Recv(ch))))
    end))

  it("show the expression [V8]", helper.sealed(function()
    local ch = aw.channel(0, { name = "jobs" })
    assert.are.equal("Recv(channel jobs)", tostring(aw.Recv(ch)))
    assert.are.equal('Send(channel jobs, "x")', tostring(aw.Send(ch, "x")))
    assert.are.equal("Send(channel jobs, nil) * 2",
      tostring(aw.Send(ch, nil) * 2))
  end))
end)

describe("a race with a channel", function()
  it("that the channel loses takes no value, and leaves no waiter [H2, H3]",
    logged(function(ev)
      local ch = aw.channel(0, { name = "jobs" })
      for _ = 1, 3 do
        aw.await(aw.Recv(ch) | aw.Sleep(1))
        aw.await(aw.Send(ch, "x") | aw.Sleep(1))
      end
      assert.are.equal("channel jobs (rendezvous)", tostring(ch))
      assert.are.equal(6, ev:now())
    end))

  it("that the channel wins has taken one value [H3]", logged(function(ev)
    local a, b = aw.channel(1), aw.channel(1)
    a:try_send "a"
    b:try_send "b"
    assert.are.equal("a", aw.await(aw.Recv(a) | aw.Recv(b)))
    assert.are.equal("b", b:try_recv())
    ev:start(aw.Sleep(1) >> aw.Send(b, "later"))
    assert.are.equal("later", aw.await(aw.Recv(a) | aw.Recv(b)))
    assert.are.equal("empty", select(2, a:try_recv()))
  end))

  it("gives the value to the next, once it is decided [H2, F5]", logged(
    function(ev, log, note)
      local a, b = aw.channel(), aw.channel()
      ev:start(aw.Recv(a) / note | aw.Recv(b) / note)
      ev:start(aw.Recv(b) / note | aw.Recv(a) / note)
      aw.yield()
      a:send "one"
      b:send "two" -- the first race is decided, but not resumed yet
      assert.are.same({ false, "full" }, { a:try_send "three" })
      aw.sleep(1)
      assert.are.same({ "one", "two" }, log)
    end))

  it("gives a value that was sent before a cancel to its function [C6]",
    function()
      test(function(ev)
        local log, note = helper.recorder()
        local ch = aw.channel(0)
        local t = ev:start(aw.Recv(ch) / note
          | wires.cleaning(1, note, "cleaned"))
        aw.yield()
        aw.await(aw.Send(ch, "message"))
        t:cancel_wait()
        table.sort(log)
        assert.are.same({ "cleaned", "message" }, log)
      end)
    end)

  it("counts a value as sent that was taken before a cancel [C6]", function()
    test(function(ev)
      local log, note = helper.recorder()
      local ch = aw.channel(0)
      local t = ev:start(aw.Send(ch, "message") / function()
        note "sent"
      end)
      aw.yield()
      note(ch:recv())
      t:cancel_wait()
      table.sort(log)
      assert.are.same({ "message", "sent" }, log)
    end)
  end)

  it("does not exchange a value with itself [H3]", logged(function(ev)
    local ch = aw.channel(0, { name = "jobs" })
    local both = aw.Send(ch, "x") / function()
      return "sent"
    end | aw.Recv(ch)
    aw.await(both | aw.Sleep(1))
    local alone = ev:start(both)
    aw.sleep(1)
    assert.are.equal("waiting", alone.status)
    assert.are.equal("channel jobs (rendezvous, 2 waiting)", tostring(ch))
    local other = ev:start(both)
    aw.sleep(1)
    local results = { alone:results(), other:results() }
    table.sort(results)
    assert.are.same({ "sent", "x" }, results)
    assert.are.equal("channel jobs (rendezvous)", tostring(ch))
  end))

  it("does not exchange with itself by a full buffer [H3]", logged(
    function(ev)
      local ch = aw.channel(1)
      ch:try_send "old"
      local task = ev:start(aw.Send(ch, "new") | aw.Recv(ch))
      aw.sleep(1)
      assert.are.equal("old", task:results())
      assert.are.equal("empty", select(2, ch:try_recv()))
    end))

  it("goes on to its other operands when a function fails [O6, H1]", logged(
    function(ev)
      local function fails()
        error("boom", 0)
      end
      local full, empty = aw.channel(1), aw.channel(1)
      full:try_send "old"
      local sent = ev:start(aw.Any {
        aw.Send(full, "new"), aw.Recv(full):bind(fails),
      })
      local received = ev:start(aw.Any {
        aw.Recv(empty), aw.Send(empty, "x"):bind(fails),
      })
      aw.sleep(1)
      assert.are.equal("done", sent.status)
      assert.are.equal("new", full:try_recv())
      assert.are.equal("x", received:results())
    end))

  it("exchanges with a body beside it [O5, H3]", logged(function(ev, log,
    note)
    local ch = aw.channel(0, { name = "jobs" })
    local function body()
      ch:send "x"
      note "sent"
      aw.sleep(1)
      note "never"
    end
    assert.are.equal("x", aw.await(aw.Recv(ch) | aw.Call(body)))
    assert.are.equal("x", aw.await(aw.Call(body) | aw.Recv(ch)))
    aw.sleep(2)
    assert.are.same({ "sent", "sent" }, log)
    assert.are.equal("channel jobs (rendezvous)", tostring(ch))
    assert.are.equal(2, ev:now())
  end))

  it("is decided by a close [H1, H3]", logged(function(ev)
    local ch = aw.channel()
    local task = ev:start(aw.Recv(ch) | aw.Sleep(9))
    local err
    ev:start(aw.Send(aw.channel(), 1) | aw.Send(ch, 1) | aw.Sleep(9),
      function(_, raised)
        err = raised
      end)
    -- The two races meet in `ch`. Both have ended before the next ones begin.
    aw.sleep(1)
    assert.are.equal(1, task:results())
    task = ev:start(aw.Recv(ch) | aw.Sleep(9))
    aw.sleep(1)
    ch:close()
    aw.sleep(1)
    assert.are.same({ n = 2, nil, "closed" }, table.pack(task:results()))
    ev:start(aw.Send(ch, 1) | aw.Sleep(9), function(_, raised)
      err = raised
    end)
    aw.sleep(1)
    assert.is_true(aw.is_closed(err))
  end))

  it("tells by Select which channel it was [H4]", logged(function(ev)
    local a, b = aw.channel(), aw.channel()
    ev:start(sender(b, "x"))
    assert.are.same({ "b", "x" },
      { aw.await(aw.Select { a = aw.Recv(a), b = aw.Recv(b) }) })
  end))

  it("may give a result that outlives the channel [H1, T5]", logged(function(ev)
    local function start(wrap)
      local ch = aw.channel(1)
      ch:try_send { "kept" }
      return ev:start(wrap(aw.Recv(ch)))
    end
    local tasks = { start(function(w)
      return w | aw.Sleep(1)
    end), start(function(w)
      return aw.All { w, aw.Sleep(1) }
    end), start(function(w)
      return function()
        return (w | aw.Never):whole():named "x"
      end
    end) }
    aw.sleep(2)
    collectgarbage()
    collectgarbage()
    for _, task in ipairs(tasks) do
      assert.are.same({ "kept" }, (task:results()))
    end
  end))

  it("loses no value and makes none, in any order [C6, H3, F6]",
    helper.sealed(function()
      for seed = 1, helper.scale(60) do
        local ev <close> = aw.EventLoop { clock = "virtual", seed = seed }
        local random, channels, sent, got = seed, {}, {}, {}
        local function pick(n)
          random = (random * 1103515245 + 12345) & 0x7fffffff
          return (random >> 8) % n + 1
        end
        for i = 1, 3 do
          channels[i] = aw.channel(pick(3) - 1)
        end
        local function event()
          local ch = channels[pick(3)]
          if pick(2) == 1 then
            return aw.Recv(ch) / function(v)
              got[v] = (got[v] or 0) + 1
            end
          end
          local v = {}
          return aw.Send(ch, v) / function()
            sent[v] = (sent[v] or 0) + 1
          end
        end
        local tasks = {}
        for i = 1, 20 do
          tasks[i] = ev:start(function()
            for _ = 1, 5 do
              aw.await(event() | event() | event() | aw.Sleep(pick(3)))
            end
          end)
        end
        ev:start(function()
          for _ = 1, 5 do
            aw.sleep(1)
            tasks[pick(20)]:cancel()
          end
        end)
        ev:run()
        for i = 1, 3 do
          local v, why = channels[i]:try_recv()
          while not why do
            got[v] = (got[v] or 0) + 1
            v, why = channels[i]:try_recv()
          end
          assert.is_nil(tostring(channels[i]):find "waiting")
        end
        local count = 0
        for v, times in pairs(sent) do
          assert.are.equal(1, times)
          assert.are.equal(1, got[v])
          count = count + 1
        end
        for v in pairs(got) do
          assert.are.equal(1, sent[v])
        end
        assert.is_true(count > 5)
      end
    end))
end)

--- Receive until the channel is empty for a second. Returns the number of
--- messages.
local function drain(ch)
  local count = 0
  while outcome(aw.Recv(ch):timeout(1)) do
    count = count + 1
  end
  return count
end

describe("a receive that ends together with its time-out", function()
  --- Start the receiver and the sender in one of the two orders. Returns the
  --- number of messages received, and the number left in the channel.
  local function meet(receiver_first, at)
    local got, left = 0, nil
    test(function(ev)
      local ch = aw.channel(1)
      local function receive()
        return ev:start(function()
          if outcome(aw.Recv(ch):timeout(1)) then
            got = got + 1
          end
        end)
      end
      local function send()
        return ev:start(aw.Sleep(at) >> aw.Send(ch, "message"))
      end
      local a = (receiver_first and receive or send)()
      local b = (receiver_first and send or receive)()
      a:wait()
      b:wait()
      left = drain(ch)
    end)
    return got, left
  end

  it("has its message if that comes first, or else leaves it [O8]",
    function()
      for _, receiver_first in ipairs { true, false } do
        assert.are.same({ 1, 0 }, { meet(receiver_first, 0.5) })
        assert.are.same({ 0, 1 }, { meet(receiver_first, 1.5) })
      end
    end)

  it("loses no message in any order of ready tasks [F6, C6]", sealed(function()
    for seed = 1, helper.scale(100) do
      local got, left = 0, 0
      local ev = virtual { seed = seed }
      ev:start(function()
        local ch = aw.channel(1)
        local w = aw.Recv(ch):timeout(1) / function()
          got = got + 1
        end // aw.Value()
        aw.await(w & aw.Sleep(1) >> aw.Send(ch, "message"))
        left = drain(ch)
      end)
      assert.are.equal("done", ev:run())
      assert.are.equal(1, got + left, "seed " .. seed)
    end
  end))
end)

describe("a channel that is closed under a race of its two ends", function()
  local function closes_on(w)
    local ev = virtual()
    local ch = aw.channel()
    local closed
    local task = ev:start(w(ch), function(_, err)
      closed = aw.is_closed(err)
    end)
    ev:start(aw.Sleep(1) >> aw.Call(ch.close, ch))
    ev:run()
    return task.status, closed
  end

  it("decides it for the one on the left [O5, H1]", sealed(function()
    local status, closed = closes_on(function(ch)
      return aw.Send(ch, 1) | aw.Recv(ch)
    end)
    assert.are.equal("failed", status)
    assert.is_true(closed)
    status, closed = closes_on(function(ch)
      return aw.Recv(ch) | aw.Send(ch, 1)
    end)
    assert.are.equal("done", status)
    assert.is_nil(closed)
  end))
end)
