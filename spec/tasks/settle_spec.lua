-- aw.Settle and aw.settle collect the outcome of each wire under the key of the
-- wire. A failure does not stop the other wires.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local sweep = require "spec.sweep.sweep"
local texts = require "spec.support.texts"
local wires = require "spec.support.wires"

local test, logged = helper.test, helper.logged
local takes, gives, fails = wires.takes, wires.gives, wires.fails
local cleaning, self_cancelled = wires.cleaning, wires.self_cancelled
local contains, told = texts.contains, texts.told

--- Returns a copy of an outcome without its info, which other specs check.
local function plain(outcome)
  local copy = {}
  for key, value in pairs(outcome) do
    if key ~= "info" then
      copy[key] = value
    end
  end
  return copy
end

describe("aw.settle", function()
  it("gives each outcome by its key [O6]", helper.in_task(function(ev)
    local boom = {}
    local r = aw.settle { gives(2, "a", nil, "c", nil), fails(1, boom),
      name = gives(3) }
    assert.are.same({ ok = true, n = 4, "a", nil, "c", nil }, r[1])
    assert.is_true(rawequal(boom, r[2].err))
    assert.are.same({ ok = false, err = boom }, plain(r[2]))
    assert.are.same({ ok = true, n = 0 }, r.name)
    assert.are.equal(3, ev:now())
    local count = 0
    for _ in pairs(r) do
      count = count + 1
    end
    assert.are.equal(3, count)
  end))

  it("has the info of a failure: where it was raised [E2]",
    helper.in_task(function()
      local r = aw.settle { function()
        error "boom"
      end }
      local file, line = r[1].err:match "^(.-):(%d+): boom$"
      contains(r[1].info.traceback, file .. ":" .. line)
    end))

  it("lets the others go on when one fails [E3]", logged(function(_, log, note)
    local r = aw.settle { fails(1, "boom"), takes(5, note, "slow") }
    assert.is_false(r[1].ok)
    assert.are.same({ "slow" }, log)
    assert.are.equal("slow", r[2][1])
  end))

  it("calls an operand that was cancelled by itself a TaskCancelled [T5]",
    helper.in_task(function()
      local r = aw.settle { self_cancelled(1), gives(2, "x") }
      assert.is_false(r[1].ok)
      assert.is_true(aw.is_task_cancelled(r[1].err))
      assert.are.same({ ok = true, n = 1, "x" }, r[2])
    end))

  it("keeps a nil error apart from success [E1]", helper.in_task(function()
    local r = aw.settle { function()
      error(nil)
    end }
    assert.are.same({ ok = false, err = "<nil error>" }, plain(r[1]))
  end))

  it("runs the whole of a chain, and waits for what it spins off [N2]",
    logged(function(_, log, note)
      local r = aw.settle { aw.Wire(function()
        return aw.Sleep(1) >> aw.Wire(function()
          return takes(3, note, "chained")
        end)
      end), aw.Wire(function()
        return fails(2, "spun off")
      end) >> aw.Value(1) }
      assert.are.same({ "chained" }, log)
      assert.are.equal("chained", r[1][1])
      assert.are.equal("spun off", r[2].err)
    end))

  it("of nothing is an empty table [O17]", helper.in_task(function()
    assert.are.same({}, aw.settle {})
  end))

  it("runs so many at once as its limit says [O6]", logged(function(ev, log)
    local running, most, list = 0, 0, {}
    for i = 1, 10 do
      list[i] = function()
        running = running + 1
        most = math.max(most, running)
        aw.sleep(1)
        running = running - 1
        if i % 2 == 0 then
          error(i, 0)
        end
      end
    end
    local r = aw.settle(list, { limit = 3 })
    assert.are.equal(3, most)
    assert.are.equal(4, ev:now())
    assert.are.equal(10, #r)
    assert.are.equal(10, r[10].err)
    assert.are.same({}, log)
    aw.settle(list, { limit = math.huge })
    assert.are.equal(10, most)
  end))

  it("keeps few tasks alive with a limit [O6]", helper.in_task(function()
    local most, before = 0, aw.stats().tasks
    local w = aw.Call(function()
      most = math.max(most, aw.stats().tasks - before)
    end)
    local list = {}
    for i = 1, helper.scale(10000) do
      list[i] = w
    end
    assert.are.equal(#list, #aw.settle(list, { limit = 4 }))
    assert.is_true(most <= 8, most)
  end))

  it("cancels and joins all when it is cancelled [C3, S2]",
    logged(function(ev, log, note)
      local t = ev:start(function()
        aw.settle { cleaning(1, note, "a"), cleaning(2, note, "b") }
      end)
      aw.sleep(1)
      t:cancel_wait()
      assert.are.equal("cancelled", t.status)
      assert.are.same({ "a", "b" }, log)
      assert.are.equal(3, ev:now())
    end))

  it("raises what a clean-up fails with while it is cancelled [E3]",
    helper.in_task(function()
      local ok, err = pcall(aw.timeout, 1, aw.settle, { aw.Never, function()
        local _ <close> = helper.closer(function()
          error("clean-up", 0)
        end)
        aw.sleep(100)
      end })
      assert.are.same({ false, "clean-up" }, { ok, err })
    end))

  it("has an outcome for an operand that cancelled itself [O17]",
    helper.in_task(function()
      local r = aw.settle { function()
        local _ <close> = helper.closer(function()
          error("clean-up", 0)
        end)
        aw.current():cancel()
        aw.sleep(100)
      end, gives(1, "x") }
      assert.are.same({ ok = false, err = "clean-up" }, plain(r[1]))
      assert.are.equal("x", r[2][1])
    end))
end)

describe("aw.Settle", function()
  it("is a wire that may be run again and again, also at once [V1]",
    helper.in_task(function(ev)
      local w = aw.Settle({ gives(1, "a"), fails(1, "b") }, { limit = 2 })
      local both = aw.await(w & w)
      assert.are.equal("a", both[1][1])
      assert.are.equal("b", aw.await(w * 2)[2].err)
      assert.are.equal(3, ev:now())
      ev:start(w)
    end))

  it("takes part in every operator [O1, O4, O5, O7, O8, O11]",
    helper.in_task(function()
      local w = aw.Settle { gives(1, "a"), fails(2, "b") }
      local function first(r)
        return r[1][1]
      end
      assert.are.equal("a", aw.await(aw.Sleep(1) >> w / first))
      assert.are.equal("a", aw.await(w / first | aw.Sleep(9)))
      assert.are.equal("a", aw.await(w / first // aw.Value "no"))
      assert.are.equal("a", aw.await(w:map(first):timeout(3)))
      assert.is_true(aw.is_timeout(helper.caught(aw.await, w:timeout(1))))
      assert.are.equal("a", aw.await(w:bind(function(r)
        return aw.Value(r[1][1])
      end)))
      local outer = aw.await(aw.Settle { w, gives(1, "c") })
      assert.are.equal("b", outer[1][1][2].err)
    end))

  it("copies its table: later changes change nothing [V1]",
    helper.in_task(function()
      local list, opts = { gives(1, "a") }, { limit = 1 }
      local w = aw.Settle(list, opts)
      list[1], opts.limit = gives(1, "changed"), 0
      assert.are.equal("a", aw.await(w)[1][1])
    end))

  it("is shown as the expression that it is [V8]", helper.sealed(function()
    assert.are.equal("Settle{Sleep(1), x = Never}",
      tostring(aw.Settle { aw.Sleep(1), x = aw.Never }))
    assert.are.equal(
      "Settle{Sleep(1), Sleep(2), Sleep(3), Sleep(4), ...}",
      tostring(aw.Settle { aw.Sleep(1), aw.Sleep(2), aw.Sleep(3),
        aw.Sleep(4), aw.Sleep(5) }))
  end))

  it("shows its operands in a dump as they were written [D1]",
    helper.in_task(function(ev)
      local t = ev:start(aw.Settle { aw.Sleep(9), aw.Never:named "idle" })
      aw.sleep(1)
      contains(ev:dump(), "'Settle{Sleep(9), idle}'")
      contains(ev:dump(), "'Sleep(9)'")
      contains(ev:dump(), "'idle'")
      t:cancel_wait()
    end))
end)

describe("an error about a settle", function()
  for name, f in pairs { Settle = aw.Settle, settle = aw.settle } do
    it("blames the caller's line for " .. name, helper.in_task(function()
      local function bad(arg, why)
        return ("bad argument #%d to '%s' (%s)"):format(arg, name, why)
      end
      told(bad(1, "table expected, got no value"), f)
      told(bad(1, "table expected, got number"), f, 5)
      told(bad(1, "wire expected for #2, got string"), f, { print, "x" })
      told(bad(1, "wire expected for 'limit', got number"), f, { limit = 5 })
      told(bad(1, "key must be a string or of the list, got 7"), f,
        { [7] = print })
      told(bad(2, "table expected, got number"), f, { print }, 3)
      told(bad(2, "unknown option 'limt', did you mean 'limit'?"), f, { print },
        { limt = 3 })
      for _, limit in ipairs { 0, -1, 1.5, 0 / 0, "2" } do
        local shown = type(limit) == "string" and limit or tostring(limit)
        told("bad option 'limit' (a whole number, at least 1, expected, got "
          .. shown .. ")", f, { print }, { limit = limit })
      end
    end))
  end

  it("names an await outside a task [C11]", helper.sealed(function()
    helper.outside(function()
      contains(helper.caught(aw.settle, { aw.Sleep(1) }),
        "cannot await outside a task (aw.settle)" .. helper.outside_advice)
      assert.is_truthy(aw.Settle { aw.Sleep(1) })
    end)
  end))
end)

describe("an outcome", function()
  it("is garbage with its table, whatever is in it", helper.sealed(function()
    test(function()
      local r = {}
      r.self = aw.Settle { aw.Value(r), aw.Call(error, r) }
      r.outcomes = aw.await(r.self)
    end)
  end))
end)

-- The sweep. ------------------------------------------------------------------

local scenarios, scenario = sweep.scenarios()
local worker = sweep.worker

for limit = 1, 2 do
  scenario("a settle of three, with limit " .. limit, function(_, p)
    local r = p.step(aw.settle,
      { worker(p, 1), worker(p, 1, "boom"), name = worker(p, 2) },
      { limit = limit })
    assert(r[1] and r[2] and r.name)
  end)
end

scenario("a settle whose operands clean up slowly", function(_, p)
  p.step(aw.settle, { function()
    local _ <close> = p.slow_guard(2)
    p.sleep(1)
  end, worker(p, 2, "boom") })
end)

scenario("a Settle in a race and under a time-out", function(_, p)
  local w = aw.Settle { worker(p, 3), worker(p, 4) }
  p.await(w | aw.Sleep(1))
  p.step(pcall, aw.await, w:timeout(1))
end)

describe("the sweep of settle", function()
  for sentence, proof in sweep.all_facts(scenarios) do
    it(sentence, proof)
  end
end)
