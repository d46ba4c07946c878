-- The channels between a Thread and aw.parent of its worker [J2].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local texts = require "spec.support.texts"

local raises, run = helper.raises, helper.run
local contains = texts.contains

--- A worker that sends back each message.
local function echo()
  local aw = require "aiowire"
  for v in aw.parent:iter() do
    aw.parent:send(v)
  end
  return "the end"
end

--- A worker that does not receive until a message of 17 was sent.
local function idle()
  require "aiowire".sleep(1000)
end

--- A worker that sends its arguments and ends.
local function sender(...)
  local aw = require "aiowire"
  for _, v in ipairs { ... } do
    aw.parent:send(v)
  end
end

--- Send until the queue is full.
local function fill(t)
  local n = 0
  while t:try_send(n + 1) do
    n = n + 1
  end
  return n
end

describe("the channels of a thread", function()
  it("keep the order in both directions [J2]", function()
    run(function(ev)
      local t <close> = aw.thread(echo)
      ev:start(function()
        for i = 1, 200 do
          t:send(i)
        end
        t:shutdown()
      end)
      local n = 0
      for v in t:iter() do
        n = n + 1
        assert.are.equal(n, v)
      end
      assert.are.equal(200, n)
      assert.are.equal("the end", t:wait())
    end)
  end)

  it("carry copies, nil and strings with zeros [J2]", function()
    run(function()
      local t <close> = aw.thread(echo)
      local sent = { 1, { "a\0b" }, x = 0.5, y = math.maxinteger }
      sent.self = sent
      t:send(sent)
      local got = t:recv()
      assert.are_not.equal(sent, got)
      assert.are.equal(got, got.self)
      assert.are.equal("a\0b", got[2][1])
      assert.are.equal("integer", math.type(got.y))
    end)
  end)

  it("tell a nil that was sent from the end [J2]", function()
    run(function()
      local t <close> = aw.thread(function()
        require "aiowire".parent:send(nil)
      end)
      assert.are.same({ n = 1 }, table.pack(t:recv()))
      assert.are.same({ n = 2, nil, "closed" }, table.pack(t:recv()))
    end)
  end)

  it("refuse a nil in iter [J2]", function()
    run(function()
      local t <close> = aw.thread(function()
        require "aiowire".parent:send(nil)
      end)
      raises("a nil was sent", function()
        for _ in t:iter() do
          error "not reached"
        end
      end)
    end)
  end)

  it("hold 16 messages, and let senders wait for room [J2]", function()
    run(function(ev)
      local t <close> = aw.thread(function()
        local aw = require "aiowire"
        aw.parent:recv()
        aw.parent:send "one"
        aw.sleep(1000)
      end)
      t:send(0)
      assert.are.equal("one", t:recv())
      assert.are.equal(16, fill(t))
      assert.are.same({ false, "full" }, { t:try_send(17) })
      local task = helper.waiting(ev, function()
        t:send(17)
      end)
      task:cancel_wait()
      contains(tostring(t), "16 sent")
      t:close()
      raises("Closed", t.send, t, 18)
    end)
  end)

  it("give what was sent before the end, then the end [J2]", function()
    run(function()
      local t <close> = aw.thread(sender, 1, 2, 3)
      t:wait()
      assert.are.equal(1, t:recv())
      assert.are.same({ 2 }, { t:try_recv() })
      assert.are.equal(3, t:recv())
      assert.are.same({ nil, "closed" }, { t:recv() })
      assert.are.same({ nil, "closed" }, { t:try_recv() })
      raises("Closed", t.send, t, 1)
      raises("Closed", t.try_send, t, 1)
    end)
  end)

  it("wake who waits when the worker ends [J2]", function()
    run(function(ev)
      local t <close> = aw.thread(function()
        require "aiowire".parent:recv()
      end)
      local ended = {}
      for i = 1, 3 do
        helper.waiting(ev, function()
          ended[i] = table.pack(t:recv())
        end)
      end
      t:send(1)
      t:wait()
      aw.sleep(0)
      helper.wait_until(function()
        return #ended == 3
      end)
      assert.are.same({ n = 2, nil, "closed" }, ended[3])
    end)
  end)

  it("may be closed by the worker, which goes on [J2]", function()
    run(function()
      local t <close> = aw.thread(function()
        local aw = require "aiowire"
        aw.parent:send "last"
        aw.parent:close()
        local ok, err = pcall(aw.parent.send, aw.parent, 1)
        return ok, aw.is_closed(err), aw.parent:recv()
      end)
      assert.are.equal("last", t:recv())
      assert.are.same({ nil, "closed" }, { t:recv() })
      raises("Closed", t.send, t, 1)
      assert.are.same({ n = 4, false, true, nil, "closed" },
        table.pack(t:wait()))
    end)
  end)

  it("serve several receivers first in, first out [J2]", function()
    run(function(ev)
      local t <close> = aw.thread(echo)
      local got = {}
      for i = 1, 4 do
        helper.waiting(ev, function()
          got[i] = t:recv()
        end)
      end
      for i = 1, 4 do
        t:send(i)
      end
      helper.wait_until(function()
        return got[4] ~= nil
      end)
      assert.are.same({ 1, 2, 3, 4 }, got)
    end)
  end)

  it("give the last message to the first receiver [J2]", function()
    run(function(ev)
      for _ = 1, helper.scale(60) do
        local t <close> = aw.thread(function()
          local aw = require "aiowire"
          aw.parent:recv()
          aw.parent:send "last"
          aw.parent:close()
        end)
        local got = {}
        for i = 1, 2 do
          helper.waiting(ev, function()
            got[i] = t:recv() or "end"
          end)
        end
        t:send "go"
        helper.wait_until(function()
          return got[1] and got[2]
        end)
        assert.are.same({ "last", "end" }, got)
      end
    end)
  end)

  it("pass a message on when its receiver is cancelled [J2]", function()
    run(function(ev)
      for _ = 1, helper.scale(200) do
        local t <close> = aw.thread(echo)
        local first = helper.waiting(ev, function()
          return t:recv()
        end)
        local got
        local second = helper.waiting(ev, function()
          got = t:recv()
        end)
        t:send(1)
        first:cancel_wait()
        if first.status == "cancelled" then
          second:wait()
          assert.are.equal(1, got)
        end
        t:shutdown()
        t:wait()
      end
    end)
  end)

  it("are events: a race takes one message [H3, J2]", function()
    run(function()
      local a <close> = aw.thread(echo)
      local b <close> = aw.thread(echo)
      a:send "a"
      b:send "b"
      local seen = {}
      for _ = 1, 2 do
        local v = aw.await(aw.Recv(a) | aw.Recv(b) | aw.Sleep(60))
        seen[#seen + 1] = v
      end
      table.sort(seen)
      assert.are.same({ "a", "b" }, seen)
      local i = aw.await(aw.Select { aw.Recv(a), aw.Sleep(0.001) })
      assert.is_not_nil(i)
    end)
  end)

  it("have a Send that copies when it is made [J2]", function()
    run(function()
      local t <close> = aw.thread(echo)
      local v = { 1 }
      local send = aw.Send(t, v)
      v[1] = 2
      aw.await(send * 2)
      assert.are.same({ { 1 }, { 1 } }, { t:recv(), t:recv() })
      raises("cannot copy", aw.Send, t, print)
      contains(tostring(send), "Send")
    end)
  end)

  it("lose nothing in races with a time limit [H3, J2]", function()
    run(function()
      local t <close> = aw.thread(echo)
      local sent, got = 0, 0
      for _ = 1, helper.scale(300) do
        t:send(sent + 1)
        sent = sent + 1
        local v = aw.await(aw.Recv(t) | aw.Sleep(0):bind(function() end))
        if v then
          got = got + 1
          assert.are.equal(got, v)
        end
        while sent - got > 8 do
          got = got + 1
          assert.are.equal(got, t:recv())
        end
      end
      t:shutdown()
      for v in t:iter() do
        got = got + 1
        assert.are.equal(got, v)
      end
      assert.are.equal(sent, got)
    end)
  end)

  it("carry big messages [J2]", function()
    run(function()
      local t <close> = aw.thread(echo)
      local big = ("x"):rep(10 * 1024 * 1024)
      t:send(big)
      assert.is_true(t:recv() == big)
    end)
  end)

  it("drop what nobody reads [J2]", function()
    run(function()
      local t = aw.thread(idle)
      fill(t)
      t:close()
      local u = aw.thread(sender, {}, {}, {})
      u:wait()
      u:close()
    end)
  end)

  it("need a task to wait [J2]", function()
    helper.outside(function()
      local t <close> = aw.thread(echo)
      assert.is_true(t:try_send(1))
      raises("cannot await outside a task", t.recv, t)
    end)
  end)

  it("have nothing for who does not wait [J2]", function()
    run(function()
      local t <close> = aw.thread(echo)
      assert.are.same({ n = 2, nil, "empty" }, table.pack(t:try_recv()))
    end)
  end)

  it("have no nil in a loop over their messages [J2]", function()
    run(function()
      local t <close> = aw.thread(sender, 1)
      local u <close> = aw.thread(function()
        require "aiowire".parent:send(nil)
      end)
      for v in t:iter() do
        assert.are.equal(1, v)
      end
      raises("thread: a nil was sent, which ends a 'for'; use recv()",
        function()
          for _ in u:iter() do
          end
        end)
    end)
  end)
end)
