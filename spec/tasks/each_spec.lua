-- aw.each calls a function with the outcome of each wire, in the order in which
-- the wires end.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local sweep = require "spec.sweep.sweep"
local texts = require "spec.support.texts"
local wires = require "spec.support.wires"

local logged = helper.logged
local gives, fails = wires.gives, wires.fails
local cleaning, self_cancelled = wires.cleaning, wires.self_cancelled
local contains, told = texts.contains, texts.told

--- Returns wires that take so many seconds each. Each has its seconds as its
--- result.
local function sleepers(...)
  local list = {}
  for i, seconds in ipairs { ... } do
    list[i] = gives(seconds, seconds)
  end
  return list
end

describe("aw.each", function()
  it("calls for each wire as it ends, with its key and its results [O17]",
    logged(function(ev, log, note)
      aw.each({ gives(3, "a", nil), gives(1, "b"), name = gives(2) },
        function(key, ok, ...)
          note { ev:now(), key, ok, select("#", ...), ... }
        end)
      assert.are.same({ { 1, 2, true, 1, "b" }, { 2, "name", true, 0 },
        { 3, 1, true, 2, "a" } }, log)
    end))

  it("gives err and info of a failure, and goes on [E2]",
    logged(function(_, log, note)
      local boom, seen = {}, nil
      aw.each({ fails(1, boom), gives(2, "x") }, function(key, ok, err, info)
        note { key, ok, err }
        seen = seen or info
      end)
      assert.are.same({ { 1, false, boom }, { 2, true, "x" } }, log)
      assert.is_true(rawequal(boom, log[1][3]))
      contains(tostring(seen), "each_spec.lua")
    end))

  it("calls a wire that was cancelled by itself a TaskCancelled [T5]",
    logged(function(_, log, note)
      aw.each({ self_cancelled(1), gives(2) }, function(key, ok, err)
        note { key, ok, not ok and aw.is_task_cancelled(err) }
      end)
      assert.are.same({ { 1, false, true }, { 2, true, false } }, log)
    end))

  it("keeps the order of ends for those that end at one time [F1]",
    logged(function(_, log, note)
      aw.each(sleepers(1, 1, 0, 1), note)
      assert.are.same({ 3, 1, 2, 4 }, log)
    end))

  it("calls in one task, one call after the other; the wires go on meanwhile",
    logged(function(ev, log, note)
      local me, running = aw.current().id, false
      aw.each(sleepers(1, 2, 3), function(key)
        assert.are.equal(me, aw.current().id)
        assert.is_false(running)
        running = true
        aw.sleep(10)
        running = false
        note { key, ev:now() }
      end)
      assert.are.same({ { 1, 11 }, { 2, 21 }, { 3, 31 } }, log)
    end))

  it("begins further wires of a limit while the callback awaits [O6]",
    helper.in_task(function(ev)
      local started, list = {}, {}
      for i = 1, 3 do
        list[i] = function()
          started[i] = ev:now()
          aw.sleep(1)
        end
      end
      aw.each(list, { limit = 1 }, function()
        aw.sleep(10)
      end)
      assert.are.same({ 0, 1, 2 }, started)
    end))

  it("stops the rest and joins it once the callback returns true [S2]",
    logged(function(ev, log, note)
      aw.each({ gives(1), gives(2), cleaning(4, note, "cleaned") },
        function(key)
          note(key)
          return key == 2
        end)
      note "after"
      assert.are.same({ 1, 2, "cleaned", "after" }, log)
      assert.are.equal(6, ev:now())
    end))

  it("goes on after any other value [O17]", logged(function(_, log, note)
    aw.each(sleepers(1, 2), function(key)
      note(key)
      return "true"
    end)
    assert.are.same({ 1, 2 }, log)
  end))

  it("drops outcomes that come together with the stop [O5]",
    helper.in_task(function()
      local list = { gives(1), fails(1, "too late"), function()
        aw.sleep(1)
        aw.yield()
        aw.pcall(aw.yield)
        error("later", 0)
      end }
      aw.each(list, function()
        return true
      end)
    end))

  it("raises what a clean-up fails with after the stop [O5]",
    helper.in_task(function()
      local ok, err = pcall(aw.each, { gives(1), function()
        local _ <close> = helper.closer(function()
          error("clean-up", 0)
        end)
        aw.sleep(100)
      end }, function()
        return true
      end)
      assert.are.same({ false, "clean-up" }, { ok, err })
    end))

  it("raises an error of the callback, with its place, and joins the rest",
    logged(function(ev, log, note)
      local boom = {}
      local at
      local w = aw.Call(aw.each, { gives(1), cleaning(2, note, "cleaned") },
        function()
          at = debug.getinfo(1, "l").currentline + 1
          error(boom)
        end)
      local err, info
      aw.await(w:catch(function(...)
        err, info = ...
      end))
      assert.is_true(rawequal(boom, err))
      contains(info.traceback, ("spec/tasks/each_spec.lua:%d:"):format(at))
      assert.are.same({ "cleaned" }, log)
      assert.are.equal(3, ev:now())
    end))

  it("raises a callback's string with the callback's line, whole [E1]",
    helper.in_task(function()
      local function callback()
        error "no"
      end
      local at = debug.getinfo(callback, "S")
      local err = helper.caught(aw.each, { gives(1) }, callback)
      assert.are.equal(("%s:%d: no"):format(at.short_src,
        at.linedefined + 1), err)
    end))

  it("cancels and joins all when it is cancelled [C3, S2]",
    logged(function(ev, log, note)
      local t = ev:start(function()
        aw.each({ cleaning(1, note, "a"), cleaning(2, note, "b") }, note)
      end)
      aw.sleep(1)
      t:cancel_wait()
      assert.are.equal("cancelled", t.status)
      assert.are.same({ "a", "b" }, log)
    end))

  it("cancels all when its callback is cancelled in an await [C3]",
    logged(function(ev, log, note)
      local t = ev:start(function()
        aw.each({ gives(1), cleaning(2, note, "b") }, function()
          aw.sleep(100)
        end)
      end)
      aw.sleep(5)
      t:cancel_wait()
      assert.are.same({ "b" }, log)
    end))

  it("may be used in its own callback [O17]", logged(function(_, log, note)
    aw.each(sleepers(1, 2), function(outer)
      aw.each(sleepers(2, 1), function(inner)
        note(outer .. "." .. inner)
      end)
    end)
    assert.are.same({ "1.2", "1.1", "2.2", "2.1" }, log)
  end))

  it("calls nothing for no wires [O17]", helper.in_task(function()
    aw.each({}, error)
  end))

  it("keeps few tasks alive with a limit [O6]", helper.in_task(function()
    local most, before, list = 0, aw.stats().tasks, {}
    local w = aw.Call(function()
      most = math.max(most, aw.stats().tasks - before)
    end)
    for i = 1, helper.scale(10000) do
      list[i] = w
    end
    local calls = 0
    aw.each(list, { limit = 4 }, function()
      calls = calls + 1
    end)
    assert.are.equal(#list, calls)
    assert.is_true(most <= 8, most)
  end))

  it("shows its wires in a dump as they were written [D1]",
    helper.in_task(function(ev)
      local t = ev:start(aw.Call(aw.each, { aw.Sleep(9) }, print))
      aw.sleep(1)
      contains(ev:dump(), "recv channel each")
      contains(ev:dump(), "'Sleep(9)'")
      t:cancel_wait()
    end))

  it("takes an object that can be called [V2]",
    logged(function(_, log, note)
      aw.each(sleepers(1), setmetatable({}, {
        __call = function(_, key)
          note(key)
        end,
      }))
      assert.are.same({ 1 }, log)
    end))
end)

describe("an error about an each", function()
  it("blames the caller's line", helper.in_task(function()
    local function bad(arg, why)
      return ("bad argument #%d to 'each' (%s)"):format(arg, why)
    end
    told(bad(1, "table expected, got no value"), aw.each)
    told(bad(1, "wire expected for #1, got number"), aw.each, { 1 }, print)
    told(bad(2, "function expected, got no value"), aw.each, { print })
    told(bad(2, "function expected, got number"), aw.each, { print }, 5)
    told(bad(2, "function expected, got aiowire.Wire"), aw.each, { print },
      aw.Sleep(1))
    told(bad(3, "function expected, got no value"), aw.each, { print }, {})
    told(bad(3, "function expected, got string"), aw.each, { print }, {}, "x")
    told(bad(2, "table expected, got number"), aw.each, { print },
      5, print)
    told(bad(2, "unknown option 'limt', did you mean 'limit'?"), aw.each,
      { print }, { limt = 1 }, print)
    told("bad option 'limit' (a whole number, at least 1, expected, got 0)",
      aw.each, { print }, { limit = 0 }, print)
  end))

  it("names an await outside a task [C11]", helper.sealed(function()
    helper.outside(function()
      told("cannot await outside a task (aw.each)" .. helper.outside_advice,
        aw.each, { print }, print)
    end)
  end))
end)

-- The sweep. ------------------------------------------------------------------

local scenarios, scenario = sweep.scenarios()
local worker = sweep.worker

for limit = 1, 2 do
  scenario("an each whose callback awaits, with limit " .. limit,
    function(_, p)
      local calls = 0
      p.step(aw.each, { worker(p, 1), worker(p, 1, "boom"), worker(p, 2) },
        { limit = limit }, function()
          calls = calls + 1
          p.sleep(0.5)
        end)
      assert(calls == 3)
    end)
end

scenario("an each that is told to stop", function(_, p)
  p.step(aw.each, { worker(p, 1), worker(p, 2), function()
    local _ <close> = p.slow_guard(2)
    p.sleep(9)
  end }, function(key)
    p.yield()
    return key == 2
  end)
end)

describe("the sweep of each", function()
  for sentence, proof in sweep.all_facts(scenarios) do
    it(sentence, proof)
  end
end)
