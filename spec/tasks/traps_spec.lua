-- Traps that others fell into: what is lost, forgotten, reported wrongly or
-- hangs where wires end at the same moment, or are cut off in a bad one.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local wires = require "spec.support.wires"

local test = helper.test
local sealed = helper.sealed
local recorder, closer = helper.recorder, helper.closer
local busy = helper.busy
local takes, gives, fails = wires.takes, wires.gives, wires.fails
local cleaning = wires.cleaning
local outcome = wires.outcome

--- How many messages the channel gives before it is empty for a second.
local function drain(ch)
  local count = 0
  while outcome(aw.Recv(ch):timeout(1)) do
    count = count + 1
  end
  return count
end

describe("a wait that ends together with its time-out", function()
  --- Start both in this order or the other; what the receiver got, and what
  --- was left.
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

  it("has its message, or the channel has it [C6] [O8]", function()
    for _, receiver_first in ipairs { true, false } do
      local got, left = meet(receiver_first, 1)
      assert.are.equal(1, got + left)
    end
  end)

  it("has it if it comes before, and leaves it if it comes later [O8]",
    function()
      for _, receiver_first in ipairs { true, false } do
        assert.are.same({ 1, 0 }, { meet(receiver_first, 0.5) })
        assert.are.same({ 0, 1 }, { meet(receiver_first, 1.5) })
      end
    end)

  it("loses nothing for any seed [F6] [C6]", sealed(function()
    for seed = 1, helper.scale(100) do
      local got, left = 0, 0
      local ev = helper.virtual { seed = seed }
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

  it("has its results though both are seen late [K2] [C6]", sealed(function()
    local got
    aw.run(function()
      local w = (aw.Sleep(0.002) / function()
        return "in time"
      end):timeout(0.004)
      got = aw.await(w & aw.Call(busy, 0.01))
    end)
    assert.are.equal("in time", got)
  end))

  it("is a Timeout if it really came later, seen late [K2]", sealed(function()
    local err
    aw.run(function()
      local w = aw.Sleep(0.004):timeout(0.002)
      local _
      _, err = outcome(w & aw.Call(busy, 0.01))
    end)
    assert.is_true(aw.is_timeout(err), tostring(err))
  end))

  it("leaves the task's results to others that wait for it [T5]",
    function()
      test(function(ev)
        local t = ev:start(gives(1, "result"))
        local ok, err = outcome(aw.Done(t):timeout(1))
        assert.is_true(ok and err == "result" or aw.is_timeout(err))
        aw.sleep(1)
        assert.are.equal("result", t:results())
        assert.are.equal("result", t:wait())
      end)
    end)
end)

describe("a time-out around a time-out", function()
  it("is not reported by what falls back inside [O8] [O7]", function()
    test(function()
      local log, note = recorder()
      local inner = aw.Sleep(9):timeout(2) // takes(0, note, "inner gone")
      local ok, err = outcome(inner:timeout(1))
      assert.is_false(ok)
      assert.are.equal(1, err.after)
      assert.are.same({}, log)
    end)
  end)

  it("is not retried as if it were the inner one [O8] [O10]", function()
    test(function(ev)
      local log, note = recorder()
      local try = aw.Call(note, "try") >> aw.Sleep(9)
      local ok, err = outcome(try:timeout(2):retry { times = 9 }
        :timeout(5))
      assert.is_false(ok)
      assert.are.equal(5, err.after)
      assert.are.same({ "try", "try", "try" }, log)
      assert.are.equal(5, ev:now())
    end)
  end)

  it("is not mistaken for it if both are due in one moment [O8]",
    function()
      test(function()
        local log, note = recorder()
        local inner = aw.Sleep(9):timeout(1) // aw.Call(note, "inner")
        local ok, err = outcome(inner:named "whole":timeout(1))
        assert.is_false(ok)
        assert.is_true(aw.is_timeout(err))
        assert.are.same({}, log)
        assert.are.equal("whole", tostring(err.wire))
      end)
    end)
end)

describe("a pcall that catches Cancelled", function()
  --- Swallows `count` times, then ends.
  local function swallower(count, note)
    return aw.Call(function()
      for _ = 1, count do
        if not pcall(aw.sleep, 100) then
          note "swallowed"
        end
      end
      return "never the winner"
    end)
  end

  it("keeps no loser of a race alive [C2] [O5]", function()
    test(function(ev)
      local log, note = recorder()
      assert.are.equal("won",
        aw.await(swallower(3, note) | gives(1, "won")))
      assert.are.same({ "swallowed", "swallowed", "swallowed" }, log)
      assert.are.equal(1, ev:now())
    end)
  end)

  it("keeps no operand of a failed join alive [C2] [O4]", function()
    test(function(ev)
      local log, note = recorder()
      local _, err = outcome(swallower(3, note) & fails(1, "boom"))
      assert.are.equal("boom", err)
      assert.are.equal(3, #log)
      assert.are.equal(1, ev:now())
    end)
  end)

  it("gives no time to what is timed out [C2] [O8]", function()
    test(function(ev)
      local log, note = recorder()
      outcome(swallower(5, note):timeout(1))
      assert.are.equal(5, #log)
      assert.are.equal(1, ev:now())
    end)
  end)

  it("is no way for an operand to hold the loop [C9] [O5]", sealed(function()
    local ev = helper.virtual()
    local t = ev:start(aw.Call(function()
      while true do
        pcall(aw.sleep, 100)
      end
    end) | aw.Sleep(1))
    assert.are.equal("done", ev:run())
    assert.are.equal(1, #ev.stuck)
    assert.are_not.equal("waiting", t.status)
    assert.are.equal(1, ev:now())
  end))
end)

describe("a shielded clean-up that never ends", function()
  it("does not hang the exit, in a finally [O9] [C8] [L3]", sealed(function()
    local log, note = recorder()
    local ev = helper.virtual { timeout = 1, grace = 5 }
    ev:start(aw.Never:finally(function()
      note "begins"
      aw.await(aw.Never)
      note "never"
    end))
    assert.are.equal("timeout", ev:run())
    assert.are.same({ "begins" }, log)
    assert.is_true(ev:now() <= 6)
  end))

  it("does not hang the exit, whatever grace it asks for [C8] [L3]",
    sealed(function()
      local ev = helper.virtual { timeout = 1, grace = 5 }
      ev:start(aw.Never:finally(function()
        aw.await(aw.Never)
      end, math.huge))
      ev:start(aw.Never:finally(function()
        aw.await((aw.Never & aw.Never):shielded(math.huge))
      end, math.huge))
      assert.are.equal("timeout", ev:run())
      assert.is_true(ev:now() <= 6)
    end))

  it("does not hang a race whose loser it is in [C8] [O5]", function()
    test(function(ev)
      local loser = aw.Never:finally(function()
        aw.await(aw.Never)
      end, math.huge)
      assert.are.equal("won", aw.await(loser | gives(1, "won")))
      assert.are.equal(6, ev:now())
    end)
  end)

  it("does not hang a join of which it is a part [C8] [O4]", function()
    test(function(ev)
      local part = aw.Never:finally(function()
        aw.await(aw.Never)
      end, math.huge)
      local _, err = outcome(part & fails(1, "boom"))
      assert.are.equal("boom", err)
      assert.are.equal(6, ev:now())
    end)
  end)
end)

describe("a race inside a shield", function()
  it("cancels its losers, though a cancel from outside waits [C7] [O5]",
    function()
      test(function(ev)
        local log, note = recorder()
        local t = ev:start((takes(5, note, "won") | takes(9, note, "lost"))
          :shielded(60) >> aw.Call(note, "never"))
        aw.sleep(1)
        t:cancel_wait()
        assert.are.same({ "won" }, log)
        assert.are.equal("cancelled", t.status)
        assert.are.equal(5, ev:now())
      end)
    end)

  it("of events is one choice as ever [C7] [H3]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(((aw.Sleep(5) / function()
        note "won"
      end) | (aw.Sleep(9) / note)):shielded(60) >> aw.Call(note, "never"))
      aw.sleep(1)
      t:cancel_wait()
      assert.are.same({ "won" }, log)
      assert.are.equal("cancelled", t.status)
      assert.are.equal(5, ev:now())
    end)
  end)

  it("in a clean-up ends by its winner [C12] [O5]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(aw.Never:finally(function()
        note(aw.await(gives(2, "farewell sent") | gives(3, "gave up")))
      end))
      aw.sleep(1)
      t:cancel_wait()
      assert.are.same({ "farewell sent" }, log)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("with a time-out in it is cut off by that [C7] [O8]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(aw.Never:finally(function()
        local _, err = outcome((aw.Never | aw.Sleep(50)):timeout(2))
        note(aw.is_timeout(err))
      end))
      aw.sleep(1)
      t:cancel_wait()
      assert.are.same({ true }, log)
      assert.are.equal(3, ev:now())
    end)
  end)
end)

describe("an error of a loser's clean-up", function()
  it("is raised, whoever won [O5]", function()
    test(function()
      local problem = {}
      for _, winner in ipairs {
        aw.Sleep(1), gives(1, "won"), aw.Sleep(1) / helper.nop,
      } do
        local ok, err = outcome(winner | wires.spoiling(problem))
        assert.is_false(ok)
        assert.are.equal(problem, err)
      end
    end)
  end)

  it("is raised after all clean-up, and the others suppressed [O5] [E3]",
    sealed(function()
      local first, second = {}, {}
      local err, info = wires.failure_of(gives(1, "won")
        | wires.spoiling(first) | wires.spoiling(second))
      assert.are.equal(first, err)
      assert.is_true(wires.suppresses(info, second))
    end))

  it("is raised for what a loser spun off, too [O5]", function()
    test(function()
      local problem = {}
      local loser = wires.giving(wires.spoiling(problem)) >> aw.Never
      local ok, err = outcome(gives(1, "won") | loser)
      assert.is_false(ok)
      assert.are.equal(problem, err)
    end)
  end)

  it("is raised after a time-out and a scope in its shield, too [O5] [C7]",
    function()
      test(function()
        local problem = {}
        for _, inner in ipairs {
          function() aw.timeout(1, helper.nop) end,
          function() aw.scope(helper.nop) end,
          function() aw.shield(helper.nop) end,
        } do
          local ok, err = outcome(gives(1, "won") | aw.Wire(function()
            pcall(aw.sleep, 9)
            aw.shield(inner)
            error(problem, 0)
          end))
          assert.is_false(ok)
          assert.are.equal(problem, err)
        end
      end)
    end)

  it("is raised where an Any or a time-out cut it off [O6] [O8]",
    function()
      test(function()
        local problem = {}
        for _, w in ipairs {
          aw.Any { gives(1, "won"), wires.spoiling(problem) },
          aw.Race { wires.spoiling(problem), gives(1, "won") },
          wires.spoiling(problem):timeout(1),
        } do
          local ok, err = outcome(w)
          assert.is_false(ok)
          assert.are.equal(problem, err)
        end
      end)
    end)
end)

describe("a child that fails while its group is cancelled", function()
  --- Fails a second after it was cancelled.
  local function late(err)
    return aw.Wire(function()
      local _ <close> = closer(function()
        aw.shield(function()
          aw.sleep(1)
        end)
        error(err, 0)
      end)
      aw.sleep(100)
    end)
  end

  for name, group in pairs {
    ["a join"] = function(child) return aw.Sleep(100) & child end,
    ["a race"] = function(child) return aw.Sleep(100) | child end,
    ["an Any"] = function(child) return aw.Any { aw.Never, child } end,
    ["a time-out"] = function(child) return child:timeout(50) end,
    ["a retry"] = function(child) return child:retry { times = 1 } end,
    ["a spin-off"] = function(child)
      return wires.giving(child) >> aw.Sleep(100)
    end,
  } do
    it("is not forgotten in " .. name .. " [E3]", function()
      test(function(ev)
        local problem, got = {}, nil
        local t = ev:start(group(late(problem)), function(_, err)
          got = err
        end)
        aw.sleep(1)
        t:cancel_wait()
        assert.are.equal(problem, got)
        assert.are.equal("failed", t.status)
        assert.are.equal(2, ev:now())
      end)
    end)
  end

  it("is none if it ends quietly [T4]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(cleaning(1, note, "cleaned") & aw.Sleep(100),
        error)
      aw.sleep(1)
      t:cancel_wait()
      assert.are.equal("cancelled", t.status)
      assert.are.same({ "cleaned" }, log)
    end)
  end)
end)

describe("what is handed to a task that is cancelled before it starts",
  function()
    --- A value that must be closed, and a body that owns it.
    local function owned(note)
      local value = closer(function()
        note "closed"
      end)
      return aw.Wire(function(_, v)
        local _ <close> = v
        note "owned"
        aw.sleep(100)
      end, value)
    end

    it("is taken over and closed [T3]", function()
      test(function(ev)
        local log, note = recorder()
        ev:start(owned(note)):cancel_wait()
        assert.are.same({ "owned", "closed" }, log)
      end)
    end)

    it("is taken over by each operand [T3] [O4] [O5]", function()
      test(function(ev)
        local log, note = recorder()
        ev:start(owned(note) & owned(note)):cancel_wait()
        assert.are.same({ "owned", "owned", "closed", "closed" }, log)
        ev:start(owned(note) | owned(note)):cancel_wait()
        assert.are.equal(8, #log)
      end)
    end)

    it("is taken over by a loser that has not begun [T3] [O5]", function()
      test(function()
        local log, note = recorder()
        assert.are.equal("won", aw.await(aw.Value "won" | owned(note)))
        assert.are.same({ "owned", "closed" }, log)
      end)
    end)

    it("is taken over by a wire that a body returns [N3]", function()
      test(function(ev)
        local log, note = recorder()
        local t
        t = ev:start(function()
          t:cancel()
          return owned(note)
        end)
        t:cancel_wait()
        assert.are.same({ "owned", "closed" }, log)
      end)
    end)

    it("is a message: it stays in the channel [C2] [C6]", function()
      test(function(ev)
        local ch = aw.channel(1)
        aw.await(aw.Send(ch, "message"))
        local t = ev:start(aw.Recv(ch))
        t:cancel_wait()
        assert.are.equal("cancelled", t.status)
        assert.are.equal(1, drain(ch))
      end)
    end)
  end)

describe("a value that was committed before its taker was cancelled",
  function()
    it("reaches the function of the event [C6] [N4]", function()
      test(function(ev)
        local log, note = recorder()
        local ch = aw.channel(0)
        local t = ev:start(aw.Recv(ch) / note >> aw.Call(note, "never"))
        aw.yield()
        aw.await(aw.Send(ch, "message"))
        t:cancel_wait()
        assert.are.same({ "message" }, log)
        assert.are.equal("cancelled", t.status)
      end)
    end)

    it("reaches it in a race of events, too [C6] [H3]", function()
      test(function(ev)
        local log, note = recorder()
        local ch = aw.channel(0)
        local t = ev:start(aw.Recv(ch) / note | aw.Sleep(100))
        aw.yield()
        aw.await(aw.Send(ch, "message"))
        t:cancel_wait()
        assert.are.same({ "message" }, log)
      end)
    end)

    it("reaches it in a race with others, too [C6] [H3]", function()
      test(function(ev)
        local log, note = recorder()
        local ch = aw.channel(0)
        local t = ev:start(aw.Recv(ch) / note
          | cleaning(1, note, "cleaned"))
        aw.yield()
        aw.await(aw.Send(ch, "message"))
        t:cancel_wait()
        table.sort(log)
        assert.are.same({ "cleaned", "message" }, log)
      end)
    end)

    it("reaches a body that awaited it [C6]", function()
      test(function(ev)
        local log, note = recorder()
        local ch = aw.channel(0)
        local t = ev:start(function()
          note(ch:recv())
          aw.sleep(0)
          note "never"
        end)
        aw.yield()
        aw.await(aw.Send(ch, "message"))
        t:cancel_wait()
        assert.are.same({ "message" }, log)
        assert.are.equal("cancelled", t.status)
      end)
    end)

    it("is counted as sent by its sender [C6]", function()
      test(function(ev)
        local log, note = recorder()
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

    it("is not there if the cancel came first [C2]", function()
      test(function(ev)
        local log, note = recorder()
        local ch = aw.channel(1)
        local t = ev:start(aw.Recv(ch) / note)
        aw.yield()
        t:cancel()
        aw.await(aw.Send(ch, "message"))
        t:cancel_wait()
        assert.are.same({}, log)
        assert.are.equal(1, drain(ch))
      end)
    end)
  end)

describe("a loser", function()
  it("is left in no queue of receivers [H2]", function()
    test(function()
      local ch = aw.channel(0)
      local before = aw.stats()
      for _ = 1, 50 do
        aw.await(aw.Recv(ch) | aw.Sleep(1))
        aw.await(aw.Select { message = aw.Recv(ch), tick = aw.Sleep(1) })
        aw.await(aw.Recv(ch) | aw.Call(helper.nop))
        outcome(aw.Recv(ch):timeout(1))
      end
      assert.is_falsy(ch:try_send "nobody waits for it")
      local after = aw.stats()
      assert.are.equal(before.deadlines, after.deadlines)
      assert.are.equal(before.tasks, after.tasks)
      assert.are.equal(before.scopes, after.scopes)
    end)
  end)

  it("is left in no queue of senders [H2]", function()
    test(function()
      local ch = aw.channel(0)
      for i = 1, 50 do
        aw.await(aw.Send(ch, i) | aw.Sleep(1))
        aw.await(aw.Select { sent = aw.Send(ch, i), tick = aw.Sleep(1) })
        aw.await(aw.Send(ch, i) | aw.Call(helper.nop))
        outcome(aw.Send(ch, i):timeout(1))
      end
      assert.are.equal(0, drain(ch))
    end)
  end)

  it("takes no message that another waits for [H2] [F5]", function()
    test(function(ev)
      local log, note = recorder()
      local ch = aw.channel(0)
      ev:start(aw.Recv(ch) / note | aw.Sleep(1))
      ev:start(aw.Recv(ch) / function(message)
        note("second got " .. message)
      end)
      aw.sleep(2)
      aw.await(aw.Send(ch, "it"))
      aw.sleep(1)
      assert.are.same({ "second got it" }, log)
    end)
  end)

  it("is not left waiting for a task [H2] [T5]", function()
    test(function(ev)
      local t = ev:start(aw.Sleep(1000))
      local function held_after(rounds)
        for _ = 1, rounds do
          aw.await(aw.Done(t) | aw.Sleep(1))
        end
        local stats = aw.stats()
        return { stats.refs, stats.deadlines, stats.tasks, stats.scopes }
      end
      assert.are.same(held_after(1), held_after(50))
    end)
  end)

  it("with a message in both hands takes one [H3]", function()
    test(function()
      local a, b = aw.channel(1), aw.channel(1)
      aw.await(aw.Send(a, "a") & aw.Send(b, "b"))
      assert.are.equal("a", aw.await(aw.Recv(a) | aw.Recv(b)))
      assert.are.equal("b", aw.await(aw.Recv(a) | aw.Recv(b)))
      assert.are.equal(0, drain(a) + drain(b))
    end)
  end)
end)

describe("timers that are seen late", function()
  it("fire in the order in which they were due [K1] [K2]",
    sealed(function()
      local log, note = recorder()
      local ev = aw.EventLoop { signals = false }
      for _, ms in ipairs { 5, 2, 4, 1, 3 } do
        ev:start(aw.Sleep(ms / 1000) / function()
          note(ms)
        end)
      end
      ev:start(aw.Call(busy, 0.02))
      ev:run()
      assert.are.same({ 1, 2, 3, 4, 5 }, log)
    end))

  it("decide a race by when they were due, not by their place [K2]",
    sealed(function()
      local got
      aw.run(function()
        local w = (aw.Sleep(0.004) / function()
          return "later"
        end) | (aw.Sleep(0.002) / function()
          return "sooner"
        end)
        got = aw.await(w & aw.Call(busy, 0.02))
      end)
      assert.are.equal("sooner", got)
    end))

  it("let a short time-out cut a longer sleep off, late [K2]",
    sealed(function()
      local log, note = recorder()
      aw.run(function()
        local w = (aw.Sleep(0.004) / note):timeout(0.002)
          // aw.Call(note, "timeout")
        aw.await(w & aw.Call(busy, 0.02))
      end)
      assert.are.same({ "timeout" }, log)
    end))

  it("report the nested time-out that was due first, late [K2] [O8]",
    sealed(function()
      local err
      aw.run(function()
        local w = (aw.Sleep(1):timeout(0.002):catch(function(e)
          err = e
          aw.await(aw.Value())
        end)):timeout(60)
        aw.await(w & aw.Call(busy, 0.02))
      end)
      assert.is_true(aw.is_timeout(err), tostring(err))
      assert.are.equal(0.002, err.after)
    end))
end)

describe("a stored Cancelled that is raised later by hand", function()
  --- A Cancelled of a task that is long gone.
  local function stored(ev)
    local kept
    local t = ev:start(function()
      local _, err = pcall(aw.sleep, 100)
      kept = err
    end)
    aw.yield()
    t:cancel_wait()
    assert.is_true(aw.is_cancelled(kept))
    return kept
  end

  it("is a failure of the task that raises it [E5]", function()
    test(function(ev)
      local kept = stored(ev)
      local calls = 0
      local t = ev:start(fails(1, kept), function()
        calls = calls + 1
      end)
      pcall(t.wait, t)
      assert.are.equal("failed", t.status)
      assert.are.equal(1, calls)
    end)
  end)

  it("fails a join: it ends neither quietly nor never [E5] [O4]",
    function()
      test(function(ev)
        local kept = stored(ev)
        local log, note = recorder()
        local t = ev:start(fails(1, kept) & cleaning(1, note, "cleaned"),
          function()
            note "failed"
          end)
        pcall(t.wait, t)
        assert.are.equal("failed", t.status)
        assert.are.same({ "cleaned", "failed" }, log)
        assert.are.equal(2, ev:now())
      end)
    end)

  it("decides a race as an error [E5] [O5]", function()
    test(function(ev)
      local kept = stored(ev)
      local log, note = recorder()
      local t = ev:start(fails(1, kept) | takes(5, note, "never"),
        function()
          note "failed"
        end)
      pcall(t.wait, t)
      assert.are.same({ "failed" }, log)
      assert.are.equal(1, ev:now())
    end)
  end)

  it("is not mistaken for a time-out that did not come [E5] [O8]",
    function()
      test(function(ev)
        local kept = stored(ev)
        local log, note = recorder()
        local t = ev:start(fails(1, kept):timeout(50), function(_, err)
          note(aw.is_timeout(err))
        end)
        pcall(t.wait, t)
        assert.are.equal("failed", t.status)
        assert.are.same({ false }, log)
      end)
    end)

  it("is no cancel of the task that goes on after catching it [E5]",
    function()
      test(function(ev)
        local kept = stored(ev)
        pcall(error, kept)
        aw.sleep(1)
        assert.are.equal("c", aw.await(aw.Sleep(1) >> aw.Value "c"))
      end)
    end)
end)
