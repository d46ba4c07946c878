-- aw.broadcast sends each value to all subscribers [H7].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local sweep = require "spec.sweep.sweep"
local texts = require "spec.support.texts"

local logged = helper.logged
local contains, told = texts.contains, texts.told

--- Start a task that notes the values of a subscription. If `pause` is given,
--- the task sleeps so long after each value.
local function reader(ev, sub, note, name, pause)
  return ev:start(function()
    for v in sub:iter() do
      note(name .. tostring(v))
      if pause then
        aw.sleep(pause)
      end
    end
    note(name .. " ends")
  end)
end

--- Take all values that are in a subscription now.
local function rest(sub)
  local list = {}
  local v, why = sub:try_recv()
  while not why do
    list[#list + 1] = v
    v, why = sub:try_recv()
  end
  return list, why
end

describe("a broadcast", function()
  it("gives each value to each of its subscribers, in order [H7]",
    logged(function(ev, log, note)
      local b = aw.broadcast()
      reader(ev, b:subscribe(), note, "a")
      reader(ev, b:subscribe(), note, "b")
      b:send(1)
      b:send(2)
      b:close()
      aw.sleep(1)
      table.sort(log)
      assert.are.same({ "a ends", "a1", "a2", "b ends", "b1", "b2" }, log)
    end))

  it("gives a subscriber all later values", helper.in_task(function()
    local b = aw.broadcast()
    b:send "to nobody"
    local first = b:subscribe()
    b:send(1)
    local second = b:subscribe()
    b:send(2)
    assert.are.same({ 1, 2 }, rest(first))
    assert.are.same({ 2 }, rest(second))
  end))

  it("carries any one value, nil as well, as a channel does [H1]",
    helper.in_task(function()
      local b, t = aw.broadcast(), {}
      local sub = b:subscribe()
      b:send(nil)
      b:send(false)
      b:send(t, "not this")
      assert.are.same({ n = 1, nil }, table.pack(sub:recv()))
      assert.are.same({ n = 1, false }, table.pack(sub:recv()))
      local got = table.pack(sub:recv())
      assert.are.equal(1, got.n)
      assert.is_true(rawequal(t, got[1]))
      assert.are.same({ n = 2, nil, "empty" }, table.pack(sub:try_recv()))
    end))

  it("holds 16 for each, and then waits for the slowest, by default [H7]",
    logged(function(ev, log, note)
      local b = aw.broadcast()
      local fast, slow = b:subscribe(), b:subscribe()
      local sender = ev:start(function()
        for i = 1, 18 do
          b:send(i)
          note(i)
        end
      end)
      aw.sleep(1)
      rest(fast)
      aw.sleep(1)
      assert.are.equal(16, #log)
      assert.are.same({}, rest(fast)) -- sent to all or to none
      assert.are.equal(1, slow:recv())
      aw.sleep(1)
      assert.are.equal(17, #log)
      assert.are.same({ 17 }, rest(fast))
      slow:recv()
      sender:wait()
    end))

  it("has one order for all subscribers, whoever sends [F1]",
    helper.sealed(function()
      for seed = 1, helper.scale(40) do
        local ev = aw.EventLoop { clock = "virtual", seed = seed }
        local b, seen, left = aw.broadcast(seed % 3 + 1), {}, 3
        for i = 1, 3 do
          seen[i] = {}
          local sub = b:subscribe()
          ev:start(function()
            for v in sub:iter() do
              table.insert(seen[i], v)
              if v % i == 0 then
                aw.sleep(i / 10)
              end
            end
          end)
        end
        for i = 1, 3 do
          ev:start(function()
            for k = 1, 10 do
              b:send(i * 100 + k)
            end
            left = left - 1
            if left == 0 then
              b:close()
            end
          end)
        end
        ev:run()
        ev:close()
        assert.are.equal(30, #seen[1])
        assert.are.same(seen[1], seen[2])
        assert.are.same(seen[1], seen[3])
        for i = 1, 3 do
          local last = i * 100
          for _, v in ipairs(seen[1]) do
            if v // 100 == i then
              assert.are.equal(last + 1, v)
              last = v
            end
          end
        end
      end
    end))

  it("serves its senders in the order in which they came [F5]",
    logged(function(ev)
      local b = aw.broadcast(1)
      local sub = b:subscribe()
      b:send(0)
      for i = 1, 5 do
        ev:start(function()
          b:send(i)
        end)
      end
      aw.sleep(1)
      for i = 0, 5 do
        assert.are.equal(i, sub:recv())
      end
    end))

  it("lets every sender go on with a bound of math.huge [H7]",
    helper.in_task(function()
      local b = aw.broadcast(math.huge)
      local sub = b:subscribe()
      for i = 1, 1000 do
        b:send(i)
      end
      assert.are.equal(1000, #rest(sub))
    end))

  it("has a text with its kind and its state [H7]", helper.in_task(function(ev)
    local b = aw.broadcast(2, "wait", { name = "news" })
    assert.are.equal("broadcast news (0 subscribers)", tostring(b))
    local sub = b:subscribe()
    assert.are.equal("broadcast news (1 subscriber)", tostring(b))
    b:send(1)
    assert.are.equal("subscription news (1 of 2)", tostring(sub))
    b:send(2)
    local t = ev:start(function()
      b:send(3)
    end)
    local u = ev:start(function()
      b:send(4)
    end)
    aw.sleep(1)
    assert.are.equal("room in channel news", t.waiting)
    assert.are.equal("acquire semaphore turn of news", u.waiting)
    rest(sub)
    aw.sleep(1)
    b:close()
    assert.are.equal("broadcast news (closed)", tostring(b))
    assert.are.equal("subscription news (closed, 2 left)", tostring(sub))
    contains(tostring(aw.broadcast()),
      "broadcast spec/channels/broadcast_spec.lua:")
    assert.is_false(getmetatable(b))
    assert.is_false(getmetatable(sub))
  end))

  it("belongs to one engine [S6]", helper.in_task(function()
    local b = aw.broadcast(1, "drop", { name = "mine" })
    local sub = b:subscribe()
    local t = aw.start(aw.Recv(sub))
    aw.yield()
    local ev, err = helper.virtual(), nil
    ev:start(function()
      err = helper.caught(b.send, b, 1)
    end)
    ev:run()
    ev:close()
    contains(tostring(err), "channel mine belongs to another engine: tasks of "
      .. "an EventLoop with a clock or seed of its own share nothing with "
      .. "others")
    t:cancel_wait()
  end))
end)

describe("a send that waits", function()
  it("has given no subscriber the value when it is cancelled [C2]",
    logged(function(ev, log, note)
      local b = aw.broadcast(1)
      local fast, slow = b:subscribe(), b:subscribe()
      b:send(1)
      assert.are.equal(1, fast:recv())
      local t = ev:start(function()
        b:send "lost"
        note "sent"
      end)
      aw.sleep(1)
      t:cancel_wait()
      assert.are.same({}, rest(fast))
      assert.are.same({ 1 }, rest(slow))
      b:send(2)
      assert.are.same({ 2 }, rest(fast))
      assert.are.same({ 2 }, rest(slow))
      assert.are.same({}, log)
    end))

  it("lets the next sender go on when it is cancelled [H2]",
    helper.in_task(function(ev)
      local b = aw.broadcast(1)
      local sub = b:subscribe()
      b:send(1)
      local first = ev:start(function()
        b:send "first"
      end)
      ev:start(function()
        b:send "second"
      end)
      aw.sleep(1)
      first:cancel()
      aw.sleep(1)
      assert.are.equal(1, sub:recv())
      assert.are.equal("second", sub:recv())
    end))

  it("raises Cancelled in a cancelled task, before anything else [C2]",
    helper.in_task(function(ev)
      local b, t = aw.broadcast(), nil
      local sub = b:subscribe()
      t = ev:start(function()
        t:cancel()
        b:send(1)
      end)
      helper.join(t)
      assert.are.equal("cancelled", t.status)
      assert.are.same({}, rest(sub))
    end))

  it("goes on when the slow subscriber closes [H7]", helper.in_task(function(ev)
    local b = aw.broadcast(1)
    local slow, fast = b:subscribe(), b:subscribe()
    b:send(1)
    fast:recv()
    local t = ev:start(function()
      b:send(2)
    end)
    aw.sleep(1)
    slow:close()
    t:wait()
    assert.are.same({ 2 }, rest(fast))
    local left, why = rest(slow)
    assert.are.same({ 1 }, left)
    assert.are.equal("closed", why)
  end))

  it("goes on when the slow subscriber is collected [LU11]",
    helper.in_task(function(ev)
      local b = aw.broadcast(1)
      b:subscribe()
      b:send(1)
      local t = ev:start(function()
        b:send(2)
      end)
      aw.yield()
      collectgarbage()
      collectgarbage()
      t:wait()
      assert.are.equal("broadcast x (0 subscribers)",
        (tostring(b):gsub("spec.-:%d+", "x")))
    end))

  it("raises Closed when the broadcast closes, and sends nothing [H1]",
    helper.in_task(function(ev)
      local b = aw.broadcast(1)
      local sub, errs = b:subscribe(), {}
      b:send(1)
      for i = 1, 2 do
        ev:start(function()
          errs[i] = helper.caught(b.send, b, 2)
        end)
      end
      aw.sleep(1)
      b:close()
      aw.sleep(1)
      assert.is_true(aw.is_closed(errs[1]) and aw.is_closed(errs[2]))
      assert.are.same({ 1 }, rest(sub))
    end))
end)

describe('a broadcast with "drop"', function()
  it("loses the oldest of a slow subscriber, and counts it [H7]",
    helper.in_task(function()
      local b = aw.broadcast(2, "drop")
      local slow, fast, got = b:subscribe(), b:subscribe(), {}
      for i = 1, 5 do
        b:send(i)
        got[i] = fast:recv()
      end
      assert.are.same({ 1, 2, 3, 4, 5 }, got)
      assert.are.equal(0, fast.dropped)
      assert.are.same({ 4, 5 }, rest(slow))
      assert.are.equal(3, slow.dropped)
    end))
end)

describe('a broadcast with "close"', function()
  it("closes a slow subscriber, which gets its queued values [H7]",
    helper.in_task(function()
      local b = aw.broadcast(2, "close")
      local slow, fast, got = b:subscribe(), b:subscribe(), {}
      for i = 1, 4 do
        b:send(i)
        got[i] = fast:recv()
      end
      assert.are.same({ 1, 2, 3, 4 }, got)
      local left, why = rest(slow)
      assert.are.same({ 1, 2 }, left)
      assert.are.equal("closed", why)
      contains(tostring(b), "(1 subscriber)")
    end))
end)

describe("a broadcast that is closed", function()
  it("gives its queued values, then nil and closed [H1]",
    logged(function(ev, log, note)
      local b = aw.broadcast()
      local sub = b:subscribe()
      b:send(1)
      ev:start(function()
        local idle = b:subscribe()
        note(table.pack(idle:recv()))
      end)
      aw.yield()
      b:close()
      b:close()
      assert.are.equal(1, sub:recv())
      assert.are.same({ n = 2, nil, "closed" }, table.pack(sub:recv()))
      aw.sleep(1)
      assert.are.same({ { n = 2, nil, "closed" } }, log)
    end))

  it("takes no more, and has subscribers that have ended [H1]",
    helper.in_task(function()
      local b = aw.broadcast(1, "wait", { name = "news" })
      b:close()
      for _, method in ipairs { "send", "try_send" } do
        local err = helper.caught(b[method], b, 1)
        assert.is_true(aw.is_closed(err))
        contains(tostring(err), "send of broadcast news")
      end
      assert.are.same({ n = 2, nil, "closed" },
        table.pack(b:subscribe():recv()))
    end))

  it("is left by <close>, as is a subscription [H7]",
    helper.in_task(function()
      local sub
      do
        local b <close> = aw.broadcast()
        sub = b:subscribe()
        do
          local other <close> = b:subscribe() -- luacheck: ignore
          contains(tostring(b), "(2 subscribers)")
        end
        contains(tostring(b), "(1 subscriber)")
      end
      assert.are.same({ n = 2, nil, "closed" }, table.pack(sub:recv()))
    end))
end)

describe("a subscription", function()
  it("is an event: a race that something else wins takes nothing [H3, H4]",
    helper.in_task(function()
      local b = aw.broadcast()
      local sub, other = b:subscribe(), b:subscribe()
      assert.are.equal(2, aw.race { aw.Recv(sub), aw.Sleep(1) })
      b:send "x"
      assert.are.equal("x", (aw.race { aw.Recv(sub), aw.Recv(other) }))
      assert.are.same({}, rest(sub))
      assert.are.same({ "x" }, rest(other))
      b:send "y"
      local key, v = aw.select { a = aw.Recv(sub), b = aw.Sleep(1) }
      assert.are.same({ "a", "y" }, { key, v })
      assert.are.equal("Y", aw.await(aw.Recv(other) / string.upper
        | aw.Sleep(1)))
      b:send "z"
      assert.are.equal("z", aw.any { aw.Recv(sub), aw.Never })
    end))

  it("lives while a task waits for it [H7]", helper.in_task(function(ev)
    local b = aw.broadcast()
    local t = ev:start(aw.Recv(b:subscribe()))
    local u = ev:start(function()
      return aw.Value(b:subscribe():recv())
    end)
    local v = ev:start(function()
      local last
      for value in b:subscribe():iter() do
        last = value
      end
      return aw.Value(last)
    end)
    aw.yield()
    collectgarbage()
    collectgarbage()
    b:send "still there"
    b:close()
    for _, task in ipairs { t, u, v } do
      assert.are.equal("still there", task:wait())
    end
  end))

  it("and its broadcast do not keep each other alive [H7]",
    helper.in_task(function()
      local b = aw.broadcast()
      for _ = 1, 1000 do
        b:subscribe()
      end
      collectgarbage()
      collectgarbage()
      collectgarbage()
      contains(tostring(b), "(0 subscribers)")
    end))

  it("may be closed while a send is under way [H7]",
    helper.in_task(function()
      local b, closing = aw.broadcast(), {}
      local subs = {}
      for i = 1, 10 do
        subs[i] = b:subscribe()
      end
      for i = 2, 10, 3 do
        subs[i]:close()
      end
      b:send(closing)
      for i = 1, 10 do
        assert.are.equal(i % 3 == 2 and 0 or 1, #rest(subs[i]))
      end
    end))

  it("raises for a nil in a for, as a channel does [H1]",
    helper.in_task(function()
      local b = aw.broadcast()
      local sub = b:subscribe()
      b:send(nil)
      local next_value = sub:iter()
      contains(helper.caught(next_value, sub),
        "a nil was sent, which ends a 'for'; use recv()")
    end))

  it("is read only [H7]", helper.sealed(function()
    local b = aw.broadcast()
    told("a subscription's fields are read only (cannot set 'dropped')",
      function(sub)
        sub.dropped = 1
      end, b:subscribe())
    told("a broadcast's fields are read only (cannot set 'x')", function()
      b.x = 1
    end)
  end))
end)

describe("try_send", function()
  it("sends to all subscribers or none, also outside of tasks [H7]",
    helper.sealed(function()
      helper.outside(function()
        local b = aw.broadcast(1)
        local a, c = b:subscribe(), b:subscribe()
        assert.is_true(b:try_send(1))
        assert.are.same({ 1 }, rest(a))
        assert.are.same({ n = 2, false, "full" }, table.pack(b:try_send(2)))
        assert.are.same({}, rest(a))
        assert.are.same({ 1 }, rest(c))
        local d = aw.broadcast(1, "drop")
        local e = d:subscribe()
        assert.is_true(d:try_send(1) and d:try_send(2))
        assert.are.same({ 2 }, rest(e))
      end)
    end))

  it("does not overtake a waiting sender [F5]", helper.in_task(function(ev)
    local b = aw.broadcast(1)
    local sub = b:subscribe()
    b:send(1)
    ev:start(function()
      b:send(2)
    end)
    aw.yield()
    assert.are.equal(1, sub:try_recv())
    assert.is_false((b:try_send(3)))
    aw.yield()
    assert.are.same({ 2 }, rest(sub))
  end))
end)

describe("an error about a broadcast", function()
  local function bad(arg, name, why)
    return ("bad argument #%d to '%s' (%s)"):format(arg, name, why)
  end

  it("blames the caller's line for bad options",
    helper.sealed(function()
      for _, bound in ipairs { 0, -1, 1.5, "16", false } do
        told(bad(1, "broadcast", "bound must be a whole number, at least 1, "
          .. "or math.huge, got " .. tostring(bound)), aw.broadcast, bound)
      end
      told(bad(2, "broadcast",
        '"wait", "drop" or "close" expected, got dorp'), aw.broadcast, 1,
        "dorp")
      told(bad(3, "broadcast", "table expected, got number"), aw.broadcast, 1,
        "drop", 5)
      told(bad(3, "broadcast",
        "unknown option 'nam', did you mean 'name'?"), aw.broadcast, 1, "drop",
        { nam = "x" })
      told("bad option 'name' (string expected, got number)", aw.broadcast, 1,
        "drop", { name = 5 })
    end))

  it("blames the caller's line for a wrong object",
    helper.in_task(function()
      local b = aw.broadcast()
      local sub = b:subscribe()
      told(bad(2, "send", "value expected"), b.send, b)
      told(bad(2, "try_send", "value expected"), b.try_send, b)
      for _, method in ipairs { "send", "try_send", "subscribe", "close" } do
        told(bad(1, method, "broadcast expected, got table"), b[method], {}, 1)
        told(bad(1, method, "broadcast expected, got no value"), b[method])
      end
      for _, method in ipairs { "recv", "try_recv", "iter", "close" } do
        told(bad(1, method, "subscription expected, got table"), sub[method],
          {})
      end
      told(bad(1, "Recv", "channel or socket expected, got Broadcast"),
        function(what)
          aw.Recv(what)
        end, b)
    end))

  it("names an await outside a task [C11]", helper.sealed(function()
    helper.outside(function()
      local b = aw.broadcast()
      local sub = b:subscribe()
      local function outside(what)
        return ("cannot await outside a task (%s)%s"):format(what,
          helper.outside_advice)
      end
      told(outside "broadcast:send", b.send, b, 1)
      told(outside "subscription:recv", sub.recv, sub)
      told(outside "subscription:recv", sub:iter(), sub)
    end)
  end))
end)

-- The sweep. ------------------------------------------------------------------

local scenarios, scenario = sweep.scenarios()

for policy in pairs { wait = true, drop = true, close = true } do
  scenario(("a broadcast with %q, two senders, two readers"):format(policy),
    function(_, p)
      local b = aw.broadcast(1, policy)
      local subs, got, sent = { b:subscribe(), b:subscribe() }, { 0, 0 }, 0
      local _ <close> = p.guard(function()
        for i, sub in ipairs(subs) do
          local total = got[i] + #rest(sub) + sub.dropped
          assert(policy == "close" or total == sent,
            ("%d sent, %d of them to %d"):format(sent, total, i))
        end
      end)
      aw.scope(function(s)
        for _ = 1, 2 do
          s:start(function()
            local _ <close> = p.guard()
            for i = 1, 2 do
              p.step(b.send, b, i)
              sent = sent + 1
            end
          end)
        end
        for i, sub in ipairs(subs) do
          s:start(function()
            local _ <close> = p.guard()
            local _, why = p.step(sub.recv, sub)
            got[i] = got[i] + (why and 0 or 1)
            local take = aw.Recv(sub) / function(_, closed)
              got[i] = got[i] + (closed and 0 or 1)
            end
            for _ = 1, 3 do
              p.sleep(i)
              p.await(take | aw.Sleep(1))
            end
          end)
        end
      end)
    end)
end

scenario("a broadcast that is closed under its senders", function(_, p)
  local b = aw.broadcast(1)
  local sub = b:subscribe()
  aw.scope(function(s)
    for _ = 1, 2 do
      s:start(function()
        local _ <close> = p.guard()
        local ok, err = aw.pcall(function()
          for i = 1, 3 do
            p.step(b.send, b, i)
          end
        end)
        if not ok and not aw.is_closed(err) then
          error(err, 0)
        end
      end)
    end
    p.step(sub.recv, sub)
    p.yield()
    b:close()
    local next_value = sub:iter()
    while p.step(next_value, sub) do -- luacheck: ignore
    end
  end)
end)

describe("the sweep of broadcasts", function()
  for sentence, proof in sweep.all_facts(scenarios) do
    it(sentence, proof)
  end
end)
