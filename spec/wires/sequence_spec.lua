-- Sequences and repeats: `>>`, Sequence, `*`, Forever and w:whole [O1-O3, O12].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local wires = require "spec.support.wires"

local test, recorder = helper.test, helper.recorder
local nop = helper.nop
local takes, giving, outcome = wires.takes, wires.giving, wires.outcome

describe("a >> b", function()
  it("runs b after a has ended [O1]", function()
    test(function(ev)
      local log, note = recorder()
      ev:start(takes(2, note, "a") >> takes(1, note, "b")):wait()
      assert.are.same({ "a", "b" }, log)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("does not run b if a fails [O1]", function()
    test(function()
      local log, note = recorder()
      local problem = {}
      local ok, err = outcome(aw.Call(error, problem)
        >> aw.Call(note, "b"))
      assert.is_false(ok)
      assert.is_true(rawequal(problem, err))
      assert.are.same({}, log)
    end)
  end)

  it("spins off a wire returned by a body that is not last [O1, P7]", function()
    test(function(ev)
      local log, note = recorder()
      local child = takes(2, note, "child")
      local w = giving(child, note, "a") >> takes(1, note, "b")
      ev:start(w):wait()
      assert.are.same({ "a", "b", "child" }, log)
      assert.are.equal(2, ev:now())
    end)
  end)

  it("runs the wire that b returns [O1]", function()
    test(function(ev)
      local log, note = recorder()
      local following = takes(2, note, "next") >> aw.Value("result")
      local w = aw.Call(note, "a") >> giving(following, note, "b")
      assert.are.equal("result", aw.await(w))
      assert.are.same({ "a", "b", "next" }, log)
      assert.are.equal(2, ev:now())
    end)
  end)

  it("has the results of b [O1]", function()
    test(function()
      local w = aw.Value("a") >> aw.Value(nil, "b", nil)
      assert.are.same(
        { n = 3, nil, "b", nil },
        table.pack(aw.await(w))
      )
    end)
  end)

  it("has no results if b has none [O1]", function()
    test(function()
      local function results(w)
        return select("#", aw.await(w))
      end
      assert.are.equal(0, results(aw.Value("a") >> nop))
      assert.are.equal(0, results(aw.Value("a") >> aw.Call(nop)))
      assert.are.equal(0, results(giving(aw.Value("a")) >> nop))
    end)
  end)

  it("spins off a Value that a returned, which changes nothing [O1]",
    function()
      test(function()
        local w = giving(aw.Value("lost")) >> aw.Value("kept")
        assert.are.equal("kept", aw.await(w))
      end)
    end)

  it("spins nothing off for the inside of a composite a [O1]", function()
    test(function(ev, clock)
      local log, note = recorder()
      local tasks = #ev:tasks()
      local inner = takes(1, note, 1) >> takes(1, note, 2)
      local w = (inner * 2) >> inner:named("inner") >> takes(1, note, 3)
      ev:start(w)
      for _ = 1, 6 do
        clock:advance(1)
        assert.is_true(#ev:tasks() <= tasks + 1)
      end
      clock:advance(1.5)
      assert.are.same({ 1, 2, 1, 2, 1, 2, 3 }, log)
    end)
  end)

  it("spins off what the last body of a composite a returned [O1]",
    function()
      test(function(ev)
        local log, note = recorder()
        local child = takes(5, note, "child")
        local a = takes(1, note, 1) >> giving(child, note, 2)
        local w = (a:named("a") >> takes(1, note, 3))
        ev:start(w):wait()
        assert.are.same({ 1, 2, 3, "child" }, log)
        assert.are.equal(6, ev:now())
      end)
    end)

  it("spins off a returned composite as one task [O1]", function()
    test(function(ev)
      local log, note = recorder()
      local child = (takes(2, note, "x") >> takes(2, note, "y")) * 2
      ev:start(giving(child) >> takes(3, note, "b")):wait()
      assert.are.same({ "x", "b", "y", "x", "y" }, log)
      assert.are.equal(8, ev:now())
    end)
  end)

  it("spins off one child for each body that returned a wire [O1]",
    function()
      test(function(ev)
        local log, note = recorder()
        local w = giving(takes(3, note, 3))
          >> giving(takes(2, note, 2))
          >> giving(takes(1, note, 1))
          >> takes(0.5, note, "last")
        ev:start(w):wait()
        assert.are.same({ "last", 1, 2, 3 }, log)
        assert.are.equal(3, ev:now())
      end)
    end)
end)

describe("Sequence(a, b, ...)", function()
  it("is a >> b >> ... [O1]", function()
    test(function(ev)
      local log, note = recorder()
      local child = takes(5, note, "child")
      local w = aw.Sequence(
        takes(1, note, 1),
        giving(child),
        takes(1, note, 2),
        giving(aw.Value("result"))
      )
      local t = ev:start(w)
      assert.are.equal("result", t:wait())
      assert.are.same({ 1, 2, "child" }, log)
    end)
  end)

  it("of one wire is that wire [O1]", function()
    test(function()
      local w = aw.Sequence(giving(aw.Value("result")))
      assert.are.equal("result", aw.await(w))
    end)
  end)
end)

describe("a * n", function()
  it("runs a n times, one after another [O2, U2]", function()
    test(function(ev)
      local log, note = recorder()
      local a = aw.Call(note, "in") >> aw.Sleep(1) >> aw.Call(note, "out")
      ev:start(a * 3):wait()
      assert.are.same({ "in", "out", "in", "out", "in", "out" }, log)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("is n * a and Repeat(a, n) [O2]", function()
    test(function()
      local count = 0
      local a = aw.Wire(function()
        count = count + 1
      end)
      aw.await(3 * a)
      assert.are.equal(3, count)
      aw.await(aw.Repeat(a, 3))
      assert.are.equal(6, count)
    end)
  end)

  it("does nothing if n is zero or less [O2, P8]", function()
    test(function(ev)
      local log, note = recorder()
      local a = takes(1, note, "a")
      for _, n in ipairs { 0, -1, -7.0, math.mininteger } do
        assert.are.equal(0, select("#", aw.await(a * n)))
      end
      aw.await(a * 0 >> aw.Call(note, "b"))
      aw.await((a >> a * 0) * 0)
      assert.are.same({ "b" }, log)
      assert.are.equal(0, ev:now())
    end)
  end)

  it("spins off what all runs but the last return [O2, P7]", function()
    test(function(ev)
      local log, note = recorder()
      local n = 0
      local a = aw.Sleep(1) >> aw.Wire(function()
        n = n + 1
        note("run " .. n)
        return takes(10, note, "child " .. n)
      end)
      ev:start(a * 3):wait()
      assert.are.same({
        "run 1", "run 2", "run 3",
        "child 1", "child 2", "child 3",
      }, log)
      assert.are.equal(13, ev:now())
    end)
  end)

  it("runs the wire that the last run returns [O2]", function()
    test(function(ev)
      local n = 0
      local a = aw.Wire(function()
        n = n + 1
        return aw.Value(n)
      end)
      assert.are.equal(3, aw.await(a * 3))
      n = 0
      assert.are.equal(3, ev:start(a * 3):wait())
      n = 0
      assert.are.equal(1, aw.await(a * 1))
      n = 0
      assert.are.equal(6, aw.await((a * 2) * 3))
    end)
  end)

  it("is done with its last run's chain, not before [O2]", function()
    test(function(ev)
      local log, note = recorder()
      aw.await(giving(takes(2, note, "child")) * 1)
      note "after"
      assert.are.same({ "child", "after" }, log)
      assert.are.equal(2, ev:now())
    end)
  end)

  it("spins off the last run's wire too if something follows [O2]",
    function()
      test(function(ev)
        local log, note = recorder()
        local w = giving(takes(2, note, "child")) * 2
          >> takes(1, note, "b")
        ev:start(w):wait()
        assert.are.same({ "b", "child", "child" }, log)
        assert.are.equal(2, ev:now())
      end)
    end)

  it("ends at the first run that fails [O2]", function()
    test(function()
      local n = 0
      local a = aw.Wire(function()
        n = n + 1
        aw.sleep(1)
        if n == 2 then
          error "second"
        end
      end)
      helper.raises("second", function()
        aw.await(a * 5)
      end)
      assert.are.equal(2, n)
    end)
  end)

  it("counts further than 32 bits [O2]", function()
    test(function(ev)
      for _, n in ipairs { 2 ^ 32 + 1, 1 << 33, math.maxinteger } do
        local count = 0
        local t = ev:start(aw.Wire(function()
          count = count + 1
          if count == 5 then
            aw.current():cancel()
          end
        end) * n)
        pcall(t.wait, t)
        assert.are.equal(5, count)
        assert.are.equal("cancelled", t.status)
      end
    end)
  end)

  it("is Forever if n is math.huge [O2]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(takes(1, note, "a") * math.huge)
      aw.sleep(1000.5)
      assert.are.equal(1000, #log)
      t:cancel_wait()
      assert.are.equal("cancelled", t.status)
      aw.sleep(10)
      assert.are.equal(1000, #log)
    end)
  end)
end)

describe("Forever(a)", function()
  it("repeats a without end [O3]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(aw.Forever(takes(1, note, "a"))
        >> aw.Call(note, "never"))
      aw.sleep(3.5)
      t:cancel_wait()
      assert.are.same({ "a", "a", "a" }, log)
    end)
  end)

  it("lets others run after each iteration [O3]", function()
    test(function(ev)
      local count = 0
      local t = ev:start(aw.Forever(function()
        count = count + 1
      end))
      local seen = {}
      for i = 1, 4 do
        aw.yield()
        seen[i] = count
      end
      t:cancel_wait()
      assert.are.same({ 1, 2, 3, 4 }, seen)
    end)
  end)

  it("lets others run even if it repeats nothing [O3]", function()
    test(function(ev)
      local endless = {
        aw.Forever(nop),
        aw.Forever(aw.Value(1)),
        aw.Forever(aw.Value(1) * 0),
        aw.Forever(aw.Value(1) >> aw.Value(2)),
        aw.Forever(aw.SleepUntil(0)),
      }
      for _, w in ipairs(endless) do
        local t = ev:start(w)
        for _ = 1, 10 do
          aw.yield()
        end
        t:cancel_wait()
        assert.are.equal("cancelled", t.status)
      end
    end)
  end)

  it("spins off every wire that a returns [O3, P7]", function()
    test(function(ev)
      local log, note = recorder()
      local n = 0
      local t = ev:start(aw.Forever(function()
        aw.sleep(1)
        n = n + 1
        note("run " .. n)
        return takes(1.5, note, "child " .. n)
      end))
      aw.sleep(3.75)
      assert.are.same({
        "run 1", "run 2", "child 1", "run 3", "child 2",
      }, log)
      t:cancel_wait()
      aw.sleep(10)
      assert.are.equal(5, #log)
    end)
  end)

  it("ends with the first error [O3]", function()
    test(function()
      local n, problem = 0, {}
      local ok, err = outcome(aw.Forever(function()
        n = n + 1
        aw.yield()
        if n == 3 then
          error(problem)
        end
      end))
      assert.is_false(ok)
      assert.is_true(rawequal(problem, err))
      assert.are.equal(3, n)
    end)
  end)
end)

describe("w:whole()", function()
  --- Returns a chain of `n` bodies. Each takes a second and returns the next
  --- one.
  local function machine(n, note)
    local function state(i)
      return function()
        aw.sleep(1)
        note(i)
        if i < n then
          return state(i + 1)
        end
        return aw.Value("end of " .. n)
      end
    end
    return aw.Wire(state(1))
  end

  it("includes the chain that the wire becomes [O12]", function()
    test(function(ev)
      local log, note = recorder()
      local w = machine(3, note):whole() >> aw.Call(note, "b")
      ev:start(w):wait()
      assert.are.same({ 1, 2, 3, "b" }, log)
    end)
  end)

  it("is needed: without it the chain is spun off [O12]",
    function()
      test(function(ev)
        local log, note = recorder()
        ev:start(machine(3, note) >> aw.Call(note, "b")):wait()
        assert.are.same({ 1, "b", 2, 3 }, log)
      end)
    end)

  it("has the results of the end of the chain [O12]", function()
    test(function()
      local _, note = recorder()
      assert.are.equal("end of 3", aw.await(machine(3, note):whole()))
    end)
  end)

  it("keeps the iterations of a machine apart [O12]", function()
    test(function(ev)
      local log, note = recorder()
      aw.await(machine(2, note):whole() * 2)
      assert.are.same({ 1, 2, 1, 2 }, log)
      assert.are.equal(4, ev:now())
    end)
  end)

  it("of a repeat includes the last chain only [O12]", function()
    test(function(ev)
      local log, note = recorder()
      local w = (machine(3, note) * 2):whole() >> aw.Call(note, "b")
      ev:start(w):wait()
      assert.are.equal(7, #log)
      assert.are.equal("b", log[7])
      assert.are.equal(4, ev:now())
    end)
  end)

  it("of a sequence spins off what an earlier element returns [O12]",
    function()
      test(function(ev)
        local log, note = recorder()
        local w = (giving(takes(9, note, "early"))
          >> giving(takes(2, note, "late"))):whole()
          >> takes(1, note, "b")
        ev:start(w):wait()
        assert.are.same({ "late", "b", "early" }, log)
        assert.are.equal(9, ev:now())
      end)
    end)

  it("changes nothing for a wire that returns none [O12]", function()
    test(function(ev)
      local log, note = recorder()
      aw.await(takes(1, note, "a"):whole():whole() >> aw.Call(note, "b"))
      assert.are.same({ "a", "b" }, log)
      assert.are.equal(1, ev:now())
      assert.are.equal("x", aw.await(aw.Value("x"):whole()))
    end)
  end)
end)

describe("a call that is repeated often", function()
  --- Returns a wire of `n` calls of `f`, which gets the number of the call.
  local function calls(n, f)
    local count = 0
    return aw.Call(function()
      count = count + 1
      return f(count)
    end) * n
  end

  it("has the results of the last call, nil kept [O2]", function()
    test(function()
      local r = table.pack(aw.await(calls(9, function(i)
        return i, nil
      end)))
      assert.are.same({ n = 2, 9, nil }, r)
    end)
  end)

  it("may await in each call [O2]", function()
    test(function(ev)
      aw.await(calls(9, function(i)
        if i % 3 ~= 0 then
          aw.sleep(1)
        end
      end))
      assert.are.equal(6, ev:now())
    end)
  end)

  it("ends with the error of a late call, and its place [O2]", function()
    test(function()
      local seen
      aw.await(calls(9, function(i)
        if i == 6 then
          error "sixth"
        end
      end):catch(function(_, info)
        seen = info
      end))
      assert.truthy(seen.err:find "sequence_spec.lua:%d+: sixth$")
      assert.is_nil(seen.traceback:find("[C]: in ?", 1, true))
    end)
  end)

  it("is cancelled between two calls [O2, N4]", function()
    test(function(ev)
      local task, last
      task = ev:start(calls(9, function(i)
        last = i
        if i == 6 then
          task:cancel()
        end
      end))
      assert.is_false(pcall(task.wait, task))
      assert.are.equal(6, last)
    end)
  end)

  it("has a debug hook of its own in each call [D5]", function()
    test(function()
      local hooked = {}
      aw.await(calls(9, function(i)
        hooked[i] = debug.gethook() == nop
        if i == 5 then
          debug.sethook(nop, "", 1000000)
          hooked.set = debug.gethook() == nop
        end
      end))
      assert.is_true(hooked.set)
      assert.is_false(hooked[6])
      assert.is_false(hooked[9])
    end)
  end)

  it("shows a debug hook no call of the library's own [D5]", function()
    test(function()
      local seen = 0
      for _ = 1, 4 do -- several workers, with and without a hook before
        aw.await(calls(9, function(i)
          if i == 2 then
            debug.sethook(function()
              seen = seen + 1
            end, "c")
          end
        end))
      end
      assert.are.equal(0, seen)
    end)
  end)
end)

describe("a deeply nested wire", function()
  it("runs and is freed without running out of stack [O2]", function()
    test(function()
      local count = 0
      local w = aw.Wire(function()
        count = count + 1
      end)
      for i = 1, 3000 do
        if i % 3 == 0 then
          w = w * 1
        elseif i % 3 == 1 then
          w = w:named("n")
        else
          w = w:whole()
        end
      end
      aw.await(w)
      assert.are.equal(1, count)
    end)
  end)

  it("may hold itself many times over [O2]", function()
    test(function()
      local count = 0
      local w = aw.Call(function()
        count = count + 1
      end)
      for _ = 1, 10 do
        w = (w >> w):named("n")
      end
      aw.await(w)
      assert.are.equal(1024, count)
    end)
  end)
end)
