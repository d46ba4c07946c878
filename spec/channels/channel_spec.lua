-- Channels and their operations [H1, H4, C6, C10, F3, S6, D1, L4].
-- channel_race_spec.lua has races of channels.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local texts = require "spec.support.texts"
local wires = require "spec.support.wires"

local raises, caught, logged = helper.raises, helper.caught, helper.logged
local contains = texts.contains
local sender = wires.sender

--- Returns a body that receives `n` times and notes "name:value" each time.
local function reader(ch, name, n, note)
  return function()
    for _ = 1, n do
      note(name .. ":" .. tostring((ch:recv())))
    end
  end
end

describe("a rendezvous", function()
  it("lets the sender wait for its receiver [H1]", logged(function(ev, log,
    note)
    local ch = aw.channel()
    ev:start(function()
      ch:send "x"
      note("sent at " .. ev:now())
    end)
    aw.sleep(2)
    note(ch:recv())
    aw.sleep(1)
    assert.are.same({ "x", "sent at 2.0" }, log)
  end))

  it("lets the receiver wait for its sender [H1]", logged(function(ev, log,
    note)
    local ch = aw.channel(0)
    ev:start(function()
      note(ch:recv())
      note("at " .. ev:now())
    end)
    aw.sleep(2)
    ch:send "x"
    note "sent"
    aw.sleep(1)
    assert.are.same({ "sent", "x", "at 2.0" }, log)
  end))

  it("holds nothing [H1]", helper.sealed(function()
    local ch = aw.channel(0)
    assert.are.same({ false, "full" }, { ch:try_send(1) })
    assert.are.same({ n = 2, nil, "empty" }, table.pack(ch:try_recv()))
  end))
end)

describe("a channel with a buffer", function()
  it("takes what fits without waiting [H1]", logged(function(ev, log, note)
    local ch = aw.channel(2)
    ev:start(function()
      for i = 1, 4 do
        ch:send(i)
        note("sent " .. i)
      end
    end)
    aw.sleep(1)
    note "later"
    for i = 1, 4 do
      assert.are.equal(i, ch:recv())
    end
    aw.sleep(1)
    assert.are.same(
      { "sent 1", "sent 2", "later", "sent 3", "sent 4" }, log)
  end))

  it("keeps the order over many turns of its ring [H1]", logged(function(ev)
    local ch, got = aw.channel(7), {}
    ev:start(function()
      for i = 1, 100 do
        ch:send(i)
      end
      ch:close()
    end)
    for v in ch:iter() do
      got[#got + 1] = v
    end
    assert.are.equal(100, #got)
    for i = 1, 100 do
      assert.are.equal(i, got[i])
    end
  end))

  it("carries values from one loop to the next [H1, S6]",
    helper.sealed(function()
      local ch = aw.channel(3)
      aw.run(sender(ch, "a", "b"))
      ch:try_send "c"
      local got = aw.run(aw.Recv(ch)
        >> aw.Recv(ch) >> aw.Recv(ch))
      assert.are.equal("c", got)
      assert.are.equal("empty", select(2, ch:try_recv()))
    end))

  it("has an end to how much it holds [H1]", helper.sealed(function()
    local ch = aw.channel(3)
    for i = 1, 3 do
      assert.is_true(ch:try_send(i))
    end
    assert.is_false((ch:try_send(4)))
    assert.are.equal(1, ch:try_recv())
    assert.is_true(ch:try_send(4))
  end))
end)

describe("a value in a channel", function()
  it("may be of any type, and stays the same [H1]", logged(function(ev)
    local values = { {}, print, false, true, 0, 1.5, "s",
      coroutine.create(print), io.stdout, aw.Never }
    for _, capacity in ipairs { 0, 1 } do
      local ch = aw.channel(capacity)
      ev:start(sender(ch, table.unpack(values)))
      for _, v in ipairs(values) do
        assert.are.equal(v, ch:recv())
      end
    end
  end))

  it("may be nil, which is not the end of the channel [H1]", logged(function(ev)
    for _, capacity in ipairs { 0, 2 } do
      local ch = aw.channel(capacity)
      ev:start(sender(ch, nil, 1))
      assert.are.same({ n = 1 }, table.pack(ch:recv()))
      assert.are.same({ 1, n = 1 }, table.pack(ch:recv()))
      ch:close()
      assert.are.same({ n = 2, nil, "closed" }, table.pack(ch:recv()))
      assert.are.same({ n = 2, nil, "closed" },
        table.pack(aw.await(aw.Recv(ch))))
    end
  end))

  it("goes to the first waiting receiver [F5, H4]", logged(function(ev, log,
    note)
    local ch = aw.channel()
    for _, name in ipairs { "a", "b", "c" } do
      ev:start(reader(ch, name, 1, note))
    end
    aw.yield()
    for i = 1, 3 do
      ch:send(i)
    end
    note "sent"
    aw.sleep(1)
    assert.are.same({ "sent", "a:1", "b:2", "c:3" }, log)
  end))

  it("reaches a coroutine of the user [C11]", logged(function(ev, log,
    note)
    local ch = aw.channel()
    ev:start(function()
      local take = aw.wrap(function()
        while true do
          coroutine.yield(ch:recv())
        end
      end)
      note(take())
      note(take())
    end)
    aw.yield()
    ch:send "one"
    ch:send "two"
    aw.sleep(1)
    assert.are.same({ "one", "two" }, log)
  end))

  it("comes from the first waiting sender [F5]", logged(function(ev, log, note)
    local ch = aw.channel(1)
    for i = 1, 4 do
      ev:start(function()
        ch:send(i)
        note("sent " .. i)
      end)
    end
    aw.sleep(1)
    assert.are.same({ "sent 1" }, log)
    for i = 1, 4 do
      assert.are.equal(i, ch:recv())
    end
    aw.sleep(1)
    assert.are.same({ "sent 1", "sent 2", "sent 3", "sent 4" }, log)
  end))

  it("is garbage with the channel, also in a cycle [H1]",
    helper.sealed(function()
      local weak = setmetatable({}, { __mode = "v" })
      for i, capacity in ipairs { 2, 2, 100 } do
        local ch = aw.channel(capacity)
        local value = { ch }
        weak[i] = value
        ch:try_send(value)
        ch:try_send(ch)
        if i == 2 then
          value[2] = aw.Send(ch, value)
          value[3] = aw.Recv(ch)
        end
      end
      collectgarbage()
      collectgarbage()
      assert.are.same({}, weak)
    end))

  it("counts in the statistics of held values until it is dropped [H1]",
    logged(function(ev)
      local ch = aw.channel(3)
      local before = aw.stats().refs
      ch:try_send "x"
      ch:try_send(nil)
      assert.are.equal(before + 2, aw.stats().refs)
      -- A sequence drops the results of all but its last element, also in a
      -- cancelled task.
      local task = ev:start(aw.Recv(ch) >> aw.Recv(ch) >> aw.Recv(ch))
      aw.sleep(1)
      task:cancel_wait()
      task = ev:start(aw.Recv(ch) >> aw.Never)
      aw.yield()
      ch:try_send "y"
      task:cancel_wait()
      assert.are.equal("empty", select(2, ch:try_recv()))
      task = nil -- luacheck: ignore
      collectgarbage()
      collectgarbage()
      assert.are.equal(before, aw.stats().refs)
    end))

  it("is let go once it is received [H1]", helper.sealed(function()
    local weak = setmetatable({}, { __mode = "v" })
    local ch = aw.channel(1)
    weak[1] = {}
    ch:try_send(weak[1])
    collectgarbage()
    assert.is_table(weak[1])
    ch:try_recv()
    aw.run(function()
      weak[2] = {}
      local wire = aw.Send(ch, weak[2])
      weak[2].wire = wire
      aw.await(wire)
      aw.await(aw.Recv(ch) >> aw.Value())
      wire = nil -- luacheck: ignore
      collectgarbage()
      collectgarbage()
    end)
    collectgarbage()
    collectgarbage()
    assert.are.same({}, weak)
  end))

  it("outlives the channel as a task's result [H1, T5]", logged(function(ev)
    local function start()
      local ch = aw.channel(1)
      ch:try_send { "kept" }
      return ev:start(aw.Recv(ch))
    end
    local one = start()
    local two = ev:start(function()
      return aw.Recv((function()
        local ch = aw.channel()
        ev:start(aw.Send(ch, { "sent" }))
        return ch
      end)())
    end)
    aw.sleep(1)
    collectgarbage()
    collectgarbage()
    assert.are.same({ "kept" }, one:wait())
    assert.are.same({ "kept" }, one:results())
    assert.are.same({ "sent" }, two:results())
  end))
end)

describe("a closed channel", function()
  it("gives its values, then nil and \"closed\" [H1]",
    helper.sealed(function()
      local ch = aw.channel(2)
      ch:try_send(1)
      ch:try_send(2)
      ch:close()
      aw.run(function()
        assert.are.equal(1, ch:recv())
        assert.are.equal(2, aw.await(aw.Recv(ch)))
        assert.are.same({ n = 2, nil, "closed" }, table.pack(ch:recv()))
      end)
      assert.are.same({ n = 2, nil, "closed" }, table.pack(ch:try_recv()))
    end))

  it("ends the waits of all receivers, in order [H1]", logged(function(ev, log,
    note)
    local ch = aw.channel()
    for i = 1, 3 do
      ev:start(function()
        local _, why = ch:recv()
        note(i .. why)
      end)
    end
    local wire = ev:start(aw.Recv(ch))
    aw.sleep(1)
    ch:close()
    aw.sleep(1)
    assert.are.same({ "1closed", "2closed", "3closed" }, log)
    assert.are.same({ n = 2, nil, "closed" }, table.pack(wire:results()))
  end))

  it("fails all waiting senders, and sends nothing [H1]", logged(function(ev)
    local ch, errors = aw.channel(1), {}
    ch:try_send "first"
    local function handler(_, err)
      errors[#errors + 1] = err
    end
    ev:start(sender(ch, "second"), handler)
    ev:start(aw.Send(ch, "third"), handler)
    aw.sleep(1)
    ch:close()
    aw.sleep(1)
    assert.are.equal(2, #errors)
    assert.is_true(aw.is_closed(errors[1]))
    assert.is_true(aw.is_closed(errors[2]))
    assert.are.equal("first", ch:recv())
    assert.are.equal("closed", select(2, ch:recv()))
  end))

  it("accepts no more values [H1]", helper.sealed(function()
    local ch = aw.channel(1, { name = "jobs" })
    ch:close()
    local err = caught(ch.try_send, ch, 1)
    assert.is_true(aw.is_closed(err))
    contains(tostring(err), "channel jobs")
    aw.run(function()
      assert.is_true(aw.is_closed(caught(ch.send, ch, 1)))
      assert.is_true(aw.is_closed(caught(aw.await, aw.Send(ch, 1))))
    end)
  end))

  it("may be closed again, and by `<close>` [H1]", helper.sealed(function()
    local ch = aw.channel()
    do
      local _ <close> = ch
    end
    ch:close()
    assert.are.equal("closed", select(2, ch:try_recv()))
  end))
end)

describe("for v in ch:iter()", function()
  it("gives each value, and ends with the channel [H1]", logged(function(ev)
    local ch, got = aw.channel(), {}
    ev:start(function()
      for i = 1, 3 do
        aw.sleep(1)
        ch:send(i)
      end
      ch:close()
    end)
    for v in ch:iter() do
      got[#got + 1] = v
    end
    assert.are.same({ 1, 2, 3 }, got)
  end))

  it("has no closing value [LU21]", helper.sealed(function()
    assert.are.equal(2, select("#", aw.channel():iter()))
  end))

  it("may be left early, which takes no value [H1]", logged(function(ev)
    local ch = aw.channel(3)
    ev:start(sender(ch, 1, 2, 3))
    for v in ch:iter() do
      if v == 2 then
        break
      end
    end
    assert.are.equal(3, ch:recv())
  end))

  it("raises an error for a nil, which would end the for [H1]",
    helper.sealed(function()
      local ch = aw.channel(2, { name = "jobs" })
      ch:try_send(nil)
      ch:try_send(1)
      aw.run(function()
        raises("channel jobs: a nil was sent", function()
          for _ in ch:iter() do -- luacheck: ignore
          end
        end)
        assert.are.equal(1, ch:recv())
      end)
    end))
end)

describe("a cancel", function()
  it("of a receiver loses nothing [C6, H2]", logged(function(ev, log, note)
    local ch = aw.channel()
    local first = ev:start(reader(ch, "a", 1, note))
    ev:start(reader(ch, "b", 1, note))
    aw.yield()
    first:cancel()
    ch:send "x"
    aw.sleep(1)
    assert.are.same({ "b:x" }, log)
    assert.are.equal("cancelled", first.status)
  end))

  it("of a sender takes its value back [C6, H2]", logged(function(ev)
    local ch = aw.channel(1)
    ch:try_send "first"
    local body = ev:start(sender(ch, "body"))
    local wire = ev:start(aw.Send(ch, "wire"))
    ev:start(sender(ch, "last"))
    aw.yield()
    body:cancel()
    wire:cancel()
    assert.are.equal("first", ch:recv())
    assert.are.equal("last", ch:recv())
    assert.are.equal("empty", select(2, ch:try_recv()))
  end))

  it("after the hand-over comes at the next await [C6]", logged(function(ev,
    log, note)
    local ch = aw.channel()
    local body = ev:start(reader(ch, "body", 2, note))
    local wire = ev:start(aw.Recv(ch))
    aw.yield()
    ch:send(1)
    ch:send(2)
    body:cancel()
    wire:cancel()
    aw.sleep(1)
    assert.are.same({ "body:1" }, log)
    assert.are.equal("cancelled", body.status)
    assert.are.equal(2, wire:results())
  end))

  it("is not a resume by hand, which loses nothing [C6]",
    logged(function(ev, log, note)
      local ch, co = aw.channel(), nil
      ev:start(function()
        co = coroutine.running()
        note(ch:recv())
        note(ch:recv())
      end)
      aw.yield()
      coroutine.resume(co, "no")
      ch:send "x"
      coroutine.resume(co, "no", "no")
      ev:start(aw.Send(ch, "y"))
      aw.sleep(1)
      assert.are.same({ "x", "y" }, log)
    end))

  it("that is swallowed for ever kills the task, and leaves no waiter [C9, H2]",
    logged(function(ev)
      local ch = aw.channel(0, { name = "jobs" })
      for _, f in ipairs { ch.recv, ch.send } do
        local task = ev:start(function()
          while true do
            pcall(f, ch, "x")
          end
        end)
        aw.yield()
        assert.are.equal("channel jobs (rendezvous, 1 waiting)", tostring(ch))
        task:cancel_wait()
        assert.are.equal("cancelled", task.status)
        assert.are.equal("channel jobs (rendezvous)", tostring(ch))
      end
    end))

  it("before the receiver has started takes nothing [C2, T3]",
    logged(function(ev, log, note)
      local ch = aw.channel(1)
      ch:try_send "x"
      ev:start(reader(ch, "a", 1, note)):cancel()
      ev:start(aw.Recv(ch)):cancel()
      aw.sleep(1)
      assert.are.same({}, log)
      assert.are.equal("x", ch:recv())
    end))

  it("before the sender has started sends nothing [C2, T3]",
    logged(function(ev)
      local ch = aw.channel(2)
      ev:start(sender(ch, 1)):cancel()
      ev:start(aw.Send(ch, 2)):cancel()
      aw.sleep(1)
      assert.are.equal("empty", select(2, ch:try_recv()))
    end))

  it("by a time-out leaves no waiter in a queue [H2]", logged(function(ev)
    local ch = aw.channel(0, { name = "jobs" })
    for _ = 1, 3 do
      aw.scope({ timeout = 1 }, function()
        ch:recv()
      end)
      aw.scope({ timeout = 1 }, function()
        aw.await(aw.Send(ch, 1))
      end)
    end
    assert.are.equal("channel jobs (rendezvous)", tostring(ch))
    assert.are.equal(6, ev:now())
    assert.is_false((ch:try_send(1)))
  end))
end)

describe("awaits of a channel that need not wait", function()
  --- Returns the number of turns that another task, which is always ready, had
  --- while `f` ran.
  local function turns_during(f)
    local turns, result = 0, nil
    aw.run(function(ev)
      local other = ev:start(aw.Forever(aw.Call(function()
        turns = turns + 1
      end)))
      f()
      result = turns
      other:cancel()
    end)
    return result
  end

  it("let others run after a budget [F3]", helper.sealed(function()
    local ch = aw.channel(200)
    assert.is_true(turns_during(function()
      for i = 1, 200 do
        ch:send(i)
      end
    end) >= 2)
    assert.is_true(turns_during(function()
      for _ = 1, 200 do
        ch:recv()
      end
    end) >= 2)
  end))

  it("do not yield before that [F3]", helper.sealed(function()
    local ch = aw.channel(1)
    assert.are.equal(0, turns_during(function()
      for i = 1, 30 do
        ch:send(i)
        ch:recv()
      end
    end))
  end))
end)

describe("the text of a channel", function()
  it("has its kind and its state", logged(function(ev)
    local ch = aw.channel(2, { name = "jobs" })
    assert.are.equal("channel jobs (0 of 2)", tostring(ch))
    ev:start(sender(ch, 1, 2, 3))
    aw.yield()
    assert.are.equal("channel jobs (2 of 2, 1 waiting)", tostring(ch))
    ch:recv()
    aw.yield()
    ch:close()
    assert.are.equal("channel jobs (closed, 2 left)", tostring(ch))
    ch:recv()
    ch:recv()
    assert.are.equal("channel jobs (closed)", tostring(ch))
  end))

  it("has the name that it was given, of any type [D1]", helper.sealed(
    function()
      local ch = aw.channel(0, { name = "?" })
      assert.are.equal("channel ? (rendezvous)", tostring(ch))
      assert.are.equal("event ?? (not set)", tostring(aw.event { name = "??" }))
    end))

  it("has its location if it has no name [D1]", helper.sealed(function()
    local line = debug.getinfo(1, "l").currentline + 1
    local text = tostring(aw.channel())
    assert.is_truthy(text:find(
      "^channel .*channel_spec%.lua:" .. line .. " %(rendezvous%)$"), text)
  end))

  it("is in the label of its waiters [D1]", logged(function(ev)
    local ch = aw.channel(0, { name = "jobs" })
    local tasks = { ev:start(function()
      ch:recv()
    end), ev:start(aw.Recv(ch)) }
    aw.yield()
    local _, labels = ev:dump():gsub("recv channel jobs", "")
    assert.are.equal(2, labels)
    tasks[1]:cancel()
    tasks[2]:cancel()
    aw.yield()
    ev:start(aw.Send(ch, 1)):cancel()
    local task = ev:start(sender(ch, 1))
    aw.yield()
    contains(ev:dump(), "send channel jobs")
    task:cancel()
  end))

  it("is in a Deadlock [L4]", helper.sealed(function()
    local ch = aw.channel(0, { name = "jobs" })
    local ev = helper.virtual()
    ev:start(function()
      ch:recv()
    end)
    local err = caught(ev.run, ev)
    contains(tostring(err), "recv channel jobs")
    ev:close()
  end))
end)

describe("a channel of one engine", function()
  it("is refused by tasks of another [S6]", helper.sealed(function()
    local ch = aw.channel(0, { name = "jobs" })
    aw.run(function()
      aw.start(sender(ch, 1))
      ch:recv()
      local other <close> = helper.virtual()
      local errors = {}
      local function handler(_, err)
        errors[#errors + 1] = tostring(err)
      end
      other:start(function()
        ch:recv()
      end, handler)
      other:start(sender(ch, 2), handler)
      other:start(aw.Recv(ch), handler)
      other:start(aw.Send(ch, 1), handler)
      other:run()
      assert.are.equal(4, #errors)
      for i = 1, 2 do
        contains(errors[i], "channel jobs belongs to another engine")
      end
    end)
  end))

  it("is free again when that engine is gone [S6]", helper.sealed(function()
    local ch = aw.channel()
    for _ = 1, 2 do
      do
        local ev <close> = helper.virtual()
        ev:start(sender(ch, "x"))
        local t = ev:start(aw.Recv(ch))
        assert.are.equal("done", ev:run())
        assert.are.equal("x", t:results())
      end
      collectgarbage()
      collectgarbage()
    end
  end))
end)

describe("a channel of math.huge", function()
  it("lets every sender go on at once [H1]", logged(function(_, log, note)
    local ch = aw.channel(math.huge, { name = "jobs" })
    for i = 1, helper.scale(10000) do
      ch:send(i)
    end
    note(tostring(ch))
    for i = 1, helper.scale(10000) do
      assert.are.equal(i, ch:recv())
    end
    note(tostring(ch))
    assert.are.same({
      ("channel jobs (%d, unbounded)"):format(helper.scale(10000)),
      "channel jobs (0, unbounded)",
    }, log)
  end))

  it("is never full, also outside of tasks [H1]", helper.sealed(function()
    helper.outside(function()
      local ch = aw.channel(math.huge)
      for i = 1, 1000 do
        assert.is_true(ch:try_send(i))
      end
      assert.are.equal(1, ch:try_recv())
    end)
  end))

  it("gives its remaining values after it is closed [H1]", logged(function()
    local ch = aw.channel(math.huge)
    ch:send(nil)
    ch:send "last"
    ch:close()
    assert.are.equal("channel", tostring(ch):match "^channel")
    assert.are.same({ n = 1, nil }, table.pack(ch:recv()))
    assert.are.equal("last", ch:recv())
    assert.are.same({ n = 2, nil, "closed" }, table.pack(ch:recv()))
    assert.is_true(aw.is_closed(helper.caught(ch.send, ch, 1)))
  end))
end)

describe("an error about a channel", function()
  it("blames the caller's line for a bad capacity", helper.sealed(function()
    raises("capacity must not be negative", aw.channel, -1)
    raises("number has no integer representation", aw.channel, 1.5)
    raises("number has no integer representation", aw.channel, 0 / 0)
    raises("number has no integer representation", aw.channel, -math.huge)
    raises("capacity is too large", aw.channel, math.maxinteger)
    raises("number expected, got string", aw.channel, "jobs")
    raises("unknown option 'nam', did you mean 'name'?", aw.channel, 1,
      { nam = "x" })
    raises("bad option 'name'", aw.channel, 1, { name = 5 })
    contains(tostring(aw.channel(2.0)), "of 2")
  end))

  it("names a wrong object and a missing value", helper.sealed(function()
    local ch = aw.channel(1)
    raises("channel expected, got table", ch.recv, {})
    raises("channel expected, got no value", ch.close)
    raises("channel or socket expected, got nil", aw.Recv, nil)
    raises("channel or socket expected, got function", aw.Send, print, 1)
    raises("value expected", ch.try_send, ch)
    raises("value expected", ch.send, ch)
    raises("value expected", aw.Send, ch)
  end))

  it("names an await outside a task [C11]", helper.sealed(function()
    local ch, refused = aw.channel(1), {}
    local ev <close> = helper.virtual()
    ev:start(error, function() -- a handler is outside any task
      refused[1] = caught(ch.send, ch, 1)
      refused[2] = caught(ch.recv, ch)
      assert.is_true(ch:try_send(1))
      assert.are.equal(1, ch:try_recv())
      ch:close()
    end)
    ev:run()
    for i, name in ipairs { "send", "recv" } do
      local text = ("cannot await outside a task (channel:%s)"):format(name)
      contains(refused[i], text)
    end
  end))

  it("hides its metatable", helper.sealed(function()
    assert.is_false(getmetatable(aw.channel()))
  end))
end)

describe("many values", function()
  it("arrive in any order of tasks [F6]",
    helper.sealed(function()
      for seed = 1, helper.scale(40) do
        local ev <close> = aw.EventLoop { clock = "virtual", seed = seed }
        local ch, sum, left = aw.channel(seed % 4), 0, 3
        for i = 1, 3 do
          ev:start(function()
            for k = 1, 20 do
              ch:send(i * 100 + k)
            end
            left = left - 1
            if left == 0 then
              ch:close()
            end
          end)
        end
        for i = 1, 4 do
          ev:start(i % 2 == 0 and function()
            for v in ch:iter() do
              sum = sum + v
            end
          end or function()
            while true do
              local v, why = aw.await(aw.Recv(ch))
              if why then
                return
              end
              sum = sum + v
            end
          end)
        end
        ev:run()
        assert.are.equal(600 * 20 + 3 * 210, sum)
      end
    end))

  it("need memory only for those that wait [H1]", logged(function(ev)
    local ch = aw.channel(4)
    local function pass(n)
      ev:start(function()
        for _ = 1, n do
          ch:send {}
        end
      end)
      for _ = 1, n do
        ch:recv()
      end
    end
    pass(helper.scale(100))
    collectgarbage()
    collectgarbage()
    local before = collectgarbage "count"
    pass(helper.scale(1000))
    collectgarbage()
    collectgarbage()
    assert.is_true(collectgarbage "count" - before < 2)
  end))
end)
