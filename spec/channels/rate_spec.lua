-- aw.rate admits at most n units in any time span of the given length [H6].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local random = require "spec.support.random"
local sweep = require "spec.sweep.sweep"
local texts = require "spec.support.texts"

local logged = helper.logged
local contains, told = texts.contains, texts.told

--- Start a task that acquires `k` units and notes the time when it has them.
local function ask(ev, r, note, name, k)
  return ev:start(function()
    r:acquire(k)
    note(("%s@%g"):format(name, ev:now()))
  end)
end

describe("a rate", function()
  it("admits n at once, and the next when the first has expired [H6]",
    logged(function(ev, log, note)
      local r = aw.rate(2, 10)
      for i = 1, 5 do
        ask(ev, r, note, i)
      end
      aw.sleep(100)
      assert.are.same({ "1@0", "2@0", "3@10", "4@10", "5@20" }, log)
    end))

  it("counts a unit that was taken at t until t + per [H6]",
    logged(function(ev, log, note)
      local r = aw.rate(2, 10)
      r:acquire()
      aw.sleep(6)
      r:acquire()
      ask(ev, r, note, "a")
      ask(ev, r, note, "b")
      aw.sleep(100)
      assert.are.same({ "a@10", "b@16" }, log)
    end))

  it("admits k units at once only if all k are free [H6]",
    logged(function(ev, log, note)
      local r = aw.rate(5, 10)
      r:acquire(2)
      aw.sleep(1)
      r:acquire(2)
      ask(ev, r, note, "three", 3)
      ask(ev, r, note, "five", 5)
      ask(ev, r, note, "one", 1)
      aw.sleep(100)
      assert.are.same({ "three@10", "five@20", "one@30" }, log)
    end))

  it("serves waiters in order, also if a later one wants less [F5]",
    logged(function(ev, log, note)
      local r = aw.rate(3, 10)
      r:acquire(2)
      ask(ev, r, note, "big", 3)
      ask(ev, r, note, "small", 1)
      aw.sleep(5)
      assert.is_false(r:try_acquire(1))
      aw.sleep(100)
      assert.are.same({ "big@10", "small@20" }, log)
    end))

  it("wakes the waiters behind a cancelled one that fit now [H6]",
    logged(function(ev, log, note)
      local r = aw.rate(3, 10)
      r:acquire(2)
      local big = ask(ev, r, note, "big", 3)
      ask(ev, r, note, "small", 1)
      ask(ev, r, note, "next", 1)
      aw.sleep(5)
      big:cancel()
      aw.sleep(1)
      assert.are.same({ "small@5" }, log)
      aw.sleep(100)
      assert.are.same({ "small@5", "next@10" }, log)
    end))

  it("gives a cancelled acquire nothing [C2]", logged(function(ev, log,
    note)
    local r = aw.rate(1, 10)
    r:acquire()
    local t = ask(ev, r, note, "never")
    aw.sleep(9)
    t:cancel_wait()
    aw.sleep(1)
    assert.is_true(r:try_acquire())
    assert.are.same({}, log)
  end))

  it("raises Cancelled in a cancelled task, also when there is room [C2]",
    helper.in_task(function(ev)
      local r, t = aw.rate(1, 10), nil
      t = ev:start(function()
        t:cancel()
        r:acquire()
      end)
      helper.join(t)
      assert.are.equal("cancelled", t.status)
      assert.is_true(r:try_acquire())
    end))

  it("has a text with its kind and its state [H6]", helper.in_task(function(ev)
    local r = aw.rate(10, 0.5, { name = "api" })
    r:acquire(9)
    assert.are.equal("rate api (9 of 10 in 0.5 s)", tostring(r))
    local t = ev:start(aw.Acquire(r, 2))
    aw.sleep(0.1)
    assert.are.equal("rate api (9 of 10 in 0.5 s, 1 waiting)", tostring(r))
    assert.are.equal("acquire rate api", t.waiting)
    t:wait()
    assert.are.equal("rate api (2 of 10 in 0.5 s)", tostring(r))
    aw.sleep(1)
    assert.are.equal("rate api (0 of 10 in 0.5 s)", tostring(r))
    contains(tostring(aw.rate(1, 1)), "rate spec/channels/rate_spec.lua:")
    assert.is_false(getmetatable(r))
  end))

  it("works without waiting outside of tasks, too", helper.sealed(function()
    helper.outside(function()
      local r = aw.rate(2, 1000)
      assert.is_true(r:try_acquire(2))
      assert.is_false(r:try_acquire())
    end)
  end))

  it("keeps no loop alive, and its waiters are no deadlock [L4]",
    helper.sealed(function()
      local ev <close> = helper.virtual()
      local r = aw.rate(1, 10)
      for _ = 1, 3 do
        ev:start(aw.Acquire(r))
      end
      assert.are.equal("done", ev:run())
      assert.are.equal(20, ev:now())
    end))

  it("counts by the clock of the next engine once its own is gone [S6]",
    helper.sealed(function()
      local r = aw.rate(1, 10)
      for _ = 1, 2 do
        aw.test(function()
          r:acquire()
          assert.is_false(r:try_acquire())
          aw.sleep(5)
        end)
      end
    end))

  it("belongs to one engine at a time [S6]", helper.in_task(function()
    local r = aw.rate(1, 10, { name = "mine" })
    r:acquire()
    local ev = helper.virtual()
    local errs = {}
    ev:start(function()
      errs[1] = helper.caught(r.acquire, r)
      errs[2] = helper.caught(aw.await, aw.Acquire(r))
      errs[3] = helper.caught(r.try_acquire, r)
    end)
    ev:run()
    ev:close()
    contains(tostring(errs[1]), "rate mine (1 of 1 in 10 s) belongs to "
      .. "another engine: tasks of an EventLoop with a clock or seed of its "
      .. "own share nothing with others")
    contains(tostring(errs[3]), "belongs to another engine")
    assert.is_truthy(errs[2])
  end))

  it("is garbage with its wires [H6]", helper.in_task(function(ev)
    ev:start(aw.Acquire(aw.rate(1, 10)) * 3)
    for _ = 1, 3 do
      collectgarbage()
      aw.sleep(1)
    end
  end))

  it("waits in real time as well, never less than the span [H6]",
    helper.sealed(function()
      local ev <close> = aw.EventLoop { seed = 1 }
      ev:start(function()
        local r, times = aw.rate(3, 0.02), {}
        for i = 1, 10 do
          r:acquire()
          times[i] = aw.now()
        end
        for i = 4, 10 do
          -- A task may note a grant a moment later, never earlier.
          assert.is_true(times[i] - times[1] >= 0.02 * ((i - 1) // 3) - 0.005)
        end
      end)
      ev:run()
    end))
end)

describe("never more than n in any span", function()
  for seed = 1, 10 do
    it("with random acquires and cancels [H6]: seed " .. seed,
      helper.sealed(function()
        local numbers = random(seed)
        local function draw(a, b)
          return numbers:between(a, b)
        end
        local n, per = draw(1, 8), draw(1, 5) * 8
        local ev = aw.EventLoop { clock = "virtual", seed = seed }
        local r, grants, asked = aw.rate(n, per), {}, 0
        for _ = 1, 60 do
          local k, at, patience = draw(1, n), draw(0, 40), draw(0, 60)
          asked = asked + k
          ev:start(aw.SleepUntil(at / 4) >> function()
            local got = pcall(aw.timeout, patience / 4 + 0.125, r.acquire, r, k)
            if got then
              grants[#grants + 1] = { at = ev:now(), k = k }
            end
          end)
        end
        ev:run()
        ev:close()
        for i, first in ipairs(grants) do
          local sum = 0
          for j = i, #grants do
            if grants[j].at < first.at + per then
              sum = sum + grants[j].k
            end
          end
          assert.is_true(sum <= n, sum)
        end
        assert.is_true(#grants > 0)
      end))
  end

  it("and waiters go on as early as possible [H6]",
    helper.in_task(function(ev)
      local r = aw.rate(7, 10)
      for i = 0, 699 do
        r:acquire()
        assert.are.equal(i // 7 * 10, ev:now())
      end
    end))
end)

describe("aw.Acquire of a rate", function()
  it("is an event: in a race it decides when it commits [H3]",
    helper.in_task(function(ev)
      local r = aw.rate(1, 10)
      r:acquire()
      assert.are.equal("late", aw.await(aw.Acquire(r) / function()
        return "got"
      end | aw.Sleep(9) / function()
        return "late"
      end))
      assert.are.equal("got", aw.await(aw.Acquire(r) / function()
        return "got"
      end | aw.Sleep(9)))
      assert.are.equal(10, ev:now())
      aw.sleep(10)
      assert.is_true(r:try_acquire())
    end))

  it("takes nothing in a race that something else wins [H3]",
    helper.in_task(function()
      local r, ch = aw.rate(1, 10), aw.channel(1)
      ch:send "x"
      assert.are.equal("x", aw.await(aw.Recv(ch) | aw.Acquire(r)))
      assert.is_true(r:try_acquire())
    end))

  it("may stand in a race twice, and in Select and Any [H4]",
    helper.in_task(function(ev)
      local r = aw.rate(2, 10)
      r:acquire(2)
      aw.select { aw.Acquire(r, 2), aw.Acquire(r, 2) }
      assert.are.equal(10, ev:now())
      aw.await(aw.Acquire(r, 2) | aw.Acquire(r))
      assert.are.equal(20, ev:now())
      aw.any { aw.Acquire(r), aw.Never }
      assert.are.equal(30, ev:now())
      assert.is_true(r:try_acquire())
      assert.is_false(r:try_acquire())
    end))

  it("wakes the next waiter when a race leaves the queue",
    logged(function(ev, log, note)
      local r = aw.rate(2, 10)
      r:acquire()
      ev:start(aw.Acquire(r, 2) | aw.Acquire(r, 2) | aw.Sleep(3))
      aw.yield()
      ask(ev, r, note, "next")
      aw.sleep(100)
      assert.are.same({ "next@3" }, log)
    end))

  it("is a value: it may be run again and again [V1]",
    helper.in_task(function(ev)
      aw.await(aw.Acquire(aw.rate(1, 10)) * 4)
      assert.are.equal(30, ev:now())
    end))

  it("is shown with its rate [V8]", helper.sealed(function()
    assert.are.equal("Acquire(rate api)",
      tostring(aw.Acquire(aw.rate(2, 1, { name = "api" }), 2)))
  end))
end)

describe("an error about a rate", function()
  local function rate(...)
    aw.rate(...)
  end

  local function acquire(r, ...)
    r:acquire(...)
  end

  local function try_acquire(r, ...)
    r:try_acquire(...)
  end

  local function Acquire(...)
    aw.Acquire(...)
  end

  local function bad(arg, name, why)
    return ("bad argument #%d to '%s' (%s)"):format(arg, name, why)
  end

  it("blames the caller's line for bad arguments",
    helper.sealed(function()
      told(bad(1, "rate", "number expected, got no value"), rate)
      told(bad(1, "rate", "at least 1 expected"), rate, 0, 1)
      told(bad(1, "rate", "number has no integer representation"), rate, 1.5,
        1)
      told(bad(2, "rate", "number expected, got no value"), rate, 1)
      told(bad(2, "rate", "seconds must be positive"), rate, 1, 0)
      told(bad(2, "rate", "seconds must not be negative"), rate, 1, -1)
      told(bad(2, "rate", "seconds must not be NaN"), rate, 1, 0 / 0)
      told(bad(2, "rate", "seconds must be finite"), rate, 1, math.huge)
      told(bad(3, "rate", "unknown option 'nam', did you mean 'name'?"), rate,
        1, 1, { nam = "x" })
    end))

  it("blames the caller's line for a bad number of units",
    helper.in_task(function()
      local r = aw.rate(5, 1)
      for k, why in pairs { [0] = "at least 1 expected",
        [6] = "more than the 5 that there are at once",
        [1.5] = "number has no integer representation" } do
        told(bad(1, "acquire", why), acquire, r, k)
        told(bad(1, "try_acquire", why), try_acquire, r, k)
        told(bad(2, "Acquire", why), Acquire, r, k)
      end
      told(bad(1, "Acquire", "rate or semaphore expected, got number"),
        Acquire, 5)
      contains(helper.caught(r.acquire, {}), "rate expected, got table")
    end))

  it("names an await outside a task [C11]", helper.sealed(function()
    helper.outside(function()
      local r = aw.rate(1, 1)
      told("cannot await outside a task (rate:acquire)"
        .. helper.outside_advice, r.acquire, r)
    end)
  end))

  it("says that the rate is finalized", helper.sealed(function()
    local err
    local late = setmetatable({}, {
      __gc = function(t)
        err = helper.caught(t[1].try_acquire, t[1])
      end,
    })
    late[1] = aw.rate(1, 1) -- is finalized before the objects made earlier
    late = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    contains(err, "this rate is garbage, and finalized")
  end))
end)

-- The sweep. ------------------------------------------------------------------

local scenarios, scenario = sweep.scenarios()

scenario("tasks that acquire from one rate", function(_, p)
  local r = aw.rate(2, 3)
  aw.scope(function(s)
    for k = 1, 2 do
      s:start(function()
        local _ <close> = p.guard()
        for _ = 1, 2 do
          p.step(r.acquire, r, k)
        end
      end)
    end
    p.await(aw.Acquire(r) | aw.Sleep(1))
    p.await(aw.Acquire(r) | aw.Acquire(r, 2))
  end)
end)

describe("the sweep of rates", function()
  for sentence, proof in sweep.all_facts(scenarios) do
    it(sentence, proof)
  end
end)
