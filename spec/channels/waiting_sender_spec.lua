-- What a waiting sender sends stays on its own stack until somebody takes it:
-- whoever takes it gets the same value [H1, C6].

local aw = require "aiowire"

--- Runs `receive(ch)` while a task waits to send `value` to the channel, which
--- has `capacity` and is full. Returns what `receive` returns.
local function taken(value, receive, capacity)
  local got
  aw.run(function()
    local ch = aw.channel(capacity or 0)
    for i = 1, capacity or 0 do
      ch:send(-i)
    end
    aw.start(function()
      ch:send(value)
    end)
    aw.yield()
    got = table.pack(receive(ch))
  end)
  return table.unpack(got, 1, got.n)
end

local ways = {
  recv = function(ch)
    return ch:recv()
  end,
  try_recv = function(ch)
    return ch:try_recv()
  end,
  ["the wire Recv"] = function(ch)
    return aw.await(aw.Recv(ch))
  end,
  ["a race of wires"] = function(ch)
    return aw.await(aw.Sleep(9) | aw.Recv(ch) / function(v)
      return v
    end)
  end,
  Select = function(ch)
    return select(2, aw.select { aw.Recv(aw.channel()), aw.Recv(ch) })
  end,
  ["a task that has spent its budget"] = function(ch)
    local ready = aw.semaphore(99)
    for _ = 1, 63 do
      ready:acquire()
    end
    return ch:recv()
  end,
  ["a full collection before recv"] = function(ch)
    collectgarbage()
    collectgarbage()
    return ch:recv()
  end,
}

-- coroutine.close as it is without aw.install(), which refuses to close the
-- coroutine of a task. A program may have kept it.
local _, original = debug.getupvalue(coroutine.close, 2)
local close_anyway = original or coroutine.close

--- Starts a task that sends `value` to `ch`, and closes its coroutine while it
--- waits. Returns the task; its error is left unreported.
local function send_and_close(ch, value)
  local sender
  local task = aw.start(function()
    sender = coroutine.running()
    ch:send(value)
  end, function() end)
  aw.yield()
  close_anyway(sender)
  return task
end

describe("the value of a waiting sender", function()
  for name, way in pairs(ways) do
    it("is taken by " .. name, function()
      local object = {}
      assert.are.equal(object, (taken(object, way)))
      assert.are.equal("text", (taken("text", way)))
      assert.is_false((taken(false, way)))
      assert.is_nil((taken(nil, way)))
    end)
  end

  it("moves to the buffer when there is room", function()
    local function all(ch)
      local got = { ch:recv() }
      collectgarbage()
      aw.yield()
      aw.yield() -- the sender has gone on
      got[2] = ch:recv()
      got[3] = ch:recv()
      return got
    end
    assert.are.same({ -1, -2, "last" }, (taken("last", all, 2)))
  end)

  it("is the right one for many senders, in order", function()
    local got = {}
    aw.run(function()
      local ch = aw.channel()
      for i = 1, 100 do
        aw.start(function()
          ch:send { i }
          ch:send { -i }
        end)
      end
      aw.yield()
      for i = 1, 200 do
        got[i] = ch:recv()[1]
      end
    end)
    for i = 1, 100 do
      assert.are.equal(i, got[i])
      assert.are.equal(-i, got[100 + i])
    end
  end)

  it("is not sent when the sender is cancelled [C6]", function()
    aw.run(function()
      local ch = aw.channel()
      local lost = setmetatable({}, { __mode = "k" })
      local task = aw.start(function()
        local value = {}
        lost[value] = true
        ch:send(value)
      end)
      aw.yield()
      task:cancel()
      aw.yield()
      assert.are.same({ nil, "empty" }, { ch:try_recv() })
      collectgarbage()
      collectgarbage()
      assert.is_nil(next(lost))
    end)
  end)

  it("is not sent when the channel is closed [H1]", function()
    aw.run(function()
      local ch = aw.channel()
      local ok, err
      aw.start(function()
        ok, err = pcall(ch.send, ch, {})
      end)
      aw.yield()
      ch:close()
      aw.yield()
      assert.is_false(ok)
      assert.is_true(aw.is_closed(err))
      assert.are.same({ nil, "closed" }, { ch:recv() })
    end)
  end)

  it("is sent from a coroutine inside a body, too", function()
    aw.run(function()
      local ch = aw.channel()
      aw.start(function()
        aw.wrap(function()
          ch:send "inner"
        end)()
      end)
      aw.yield()
      assert.are.equal("inner", ch:recv())
    end)
  end)

  it("survives a wrong resume of the sender's coroutine", function()
    aw.run(function()
      local ch = aw.channel()
      local sender
      aw.start(function()
        sender = coroutine.running()
        ch:send "kept"
      end)
      aw.yield()
      coroutine.resume(sender, 1, 2, 3)
      assert.are.equal("kept", ch:recv())
    end)
  end)

  for name, way in pairs(ways) do
    it("is sent whole or not at all by a closed coroutine: " .. name, function()
      aw.run(function()
        local ch = aw.channel()
        send_and_close(ch, "closed")
        local next_one = aw.start(function()
          ch:send "next"
        end)
        aw.yield()
        local got = way(ch)
        next_one:cancel()
        assert.is_true(got == "closed" or got == "next", tostring(got))
      end)
    end)
  end

  it("does not enter the buffer from a closed coroutine", function()
    aw.run(function()
      local ch = aw.channel(1)
      ch:send(1)
      local task = send_and_close(ch, "closed")
      local next_one = aw.start(function()
        ch:send(2)
      end)
      aw.yield()
      assert.are.equal(1, ch:recv())
      local second = ch:recv()
      assert.is_true(second == "closed" or second == 2, tostring(second))
      next_one:cancel()
      local ok, err = pcall(task.wait, task)
      assert.is_false(ok)
      assert.is_match("closed from outside", tostring(err))
    end)
  end)

  it("leaves the receiver waiting when its coroutine was closed", function()
    aw.run(function()
      local ch = aw.channel()
      send_and_close(ch, "closed")
      local got
      local task = aw.start(function()
        got = table.pack(ch:recv())
      end)
      aw.yield()
      aw.yield()
      ch:close()
      task:wait()
      local expected = got[1] == nil and { n = 2, nil, "closed" }
        or { n = 1, "closed" }
      assert.are.same(expected, got)
    end)
  end)
end)
