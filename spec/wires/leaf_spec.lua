-- Leaves [O15, V2, V3]: bodies, calls, values, Sleep, SleepUntil, Never, Done.
-- And names of wires [O15].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local wires = require "spec.support.wires"

local test, recorder = helper.test, helper.recorder
local takes, giving = wires.takes, wires.giving

describe("Wire(f, ...)", function()
  it("calls f with the loop and the arguments, nil kept [V2]", function()
    test(function(ev)
      local got
      local w = aw.Wire(function(...)
        got = table.pack(...)
      end, 1, nil, "x", nil)
      for _ = 1, 2 do
        got = nil
        aw.await(w)
        assert.are.equal(5, got.n)
        assert.is_true(got[1] == ev)
        assert.are.equal(1, got[2])
        assert.is_nil(got[3])
        assert.are.equal("x", got[4])
        assert.is_nil(got[5])
      end
    end)
  end)

  it("hands its arguments over as they are [V2]", function()
    test(function()
      local given, got = {}, nil
      aw.await(aw.Wire(function(_, t)
        got = t
      end, given))
      assert.is_true(rawequal(given, got))
    end)
  end)

  it("binds many arguments [V2]", function()
    test(function()
      local many, got = {}, nil
      for i = 1, 200 do
        many[i] = i
      end
      aw.await(aw.Wire(function(_, ...)
        got = { ... }
      end, table.unpack(many)))
      assert.are.same(many, got)
    end)
  end)

  it("binds arguments to a callable object [V2]", function()
    test(function(ev)
      local got
      local object = setmetatable({}, {
        __call = function(_, ...)
          got = table.pack(...)
        end,
      })
      aw.await(aw.Wire(object, "x"))
      assert.are.equal(2, got.n)
      assert.is_true(got[1] == ev)
      assert.are.equal("x", got[2])
    end)
  end)

  it("refuses what cannot be called [V2]", function()
    test(function()
      for _, bad in ipairs { 42, "x", {}, true } do
        helper.raises("bad argument #1", function()
          return aw.Wire(bad)
        end)
      end
      helper.raises("bad argument #1", function()
        return aw.Wire(nil, 1)
      end)
    end)
  end)
end)

describe("Call(f, ...)", function()
  it("calls f with the arguments alone, nil kept [V2]", function()
    test(function()
      local got
      local w = aw.Call(function(...)
        got = table.pack(...)
      end, nil, "x", nil)
      aw.await(w)
      assert.are.same({ n = 3, nil, "x", nil }, got)
    end)
  end)

  it("calls f without any argument if there is none [V2]", function()
    test(function()
      local n
      aw.await(aw.Call(function(...)
        n = select("#", ...)
      end))
      assert.are.equal(0, n)
    end)
  end)

  it("ends with the results of f, nil kept [V2, P9]", function()
    test(function()
      local r = table.pack(aw.await(aw.Call(function(x)
        return nil, x, nil
      end, "x")))
      assert.are.same({ n = 3, nil, "x", nil }, r)
    end)
  end)

  it("lets f await [V2]", function()
    test(function(ev)
      local t = ev:start(aw.Call(function(s)
        aw.sleep(s)
        return "slept", ev:now()
      end, 1.5))
      assert.are.same({ "slept", 1.5 }, { t:wait() })
    end)
  end)

  it("takes results that a body must not return [V2]", function()
    test(function()
      local function fine()
        return nil, "no such file"
      end
      assert.are.same(
        { n = 2, nil, "no such file" },
        table.pack(aw.await(aw.Call(fine)))
      )
      helper.raises("no such file", function()
        aw.await(aw.Wire(fine))
      end)
    end)
  end)

  it("never goes on with a result, even if it is a wire [P9]", function()
    test(function(ev)
      local log, note = recorder()
      local function f()
        note "ran"
      end
      local object = setmetatable({}, { __call = f })
      for _, result in ipairs { aw.Call(f), aw.Wire(f), f, object } do
        local w = aw.Call(function()
          return result
        end)
        assert.is_true(rawequal(result, (ev:start(w):wait())))
        aw.await(w >> w)
        aw.await(w * 2)
        aw.await(w:whole() >> aw.Value())
        aw.await(function()
          return w
        end)
      end
      assert.are.same({}, log)
    end)
  end)

  it("raises the error of f as it is [V2]", function()
    test(function()
      local problem = {}
      local ok, err = pcall(aw.await, aw.Call(error, problem))
      assert.is_false(ok)
      assert.is_true(rawequal(problem, err))
    end)
  end)

  it("takes a callable object, but nothing else [V2]", function()
    test(function()
      local object = setmetatable({}, {
        __call = function(_, x)
          return x
        end,
      })
      assert.are.equal("x", aw.await(aw.Call(object, "x")))
      for _, bad in ipairs { 42, "x", {}, true } do
        helper.raises("bad argument #1", function()
          return aw.Call(bad)
        end)
      end
    end)
  end)
end)

describe("Value(...)", function()
  it("ends with its results, nil kept [V3]", function()
    test(function()
      local r = table.pack(aw.await(aw.Value(1, nil, "x", nil)))
      assert.are.same({ n = 4, 1, nil, "x", nil }, r)
    end)
  end)

  it("ends without results if it has none [V3]", function()
    test(function()
      assert.are.equal(0, select("#", aw.await(aw.Value())))
    end)
  end)

  it("does not run a wire that it holds [V3]", function()
    test(function(ev)
      local log, note = recorder()
      local held = aw.Call(note, "held")
      local t = ev:start(aw.Value(held) >> aw.Value(held, held))
      t:wait()
      aw.sleep(1)
      assert.are.same({}, log)
      local first, second = t:results()
      assert.is_true(rawequal(held, first))
      assert.is_true(rawequal(held, second))
    end)
  end)
end)

describe("Call(aw.sleep, s)", function()
  it("sleeps as Sleep(s) does [V7]", function()
    test(function(ev)
      local log, note = recorder()
      ev:start(aw.Call(aw.sleep, 2) >> aw.Call(note, "late"))
      ev:start(aw.Call(aw.sleep, 1) >> aw.Call(note, "early"))
      aw.sleep(3)
      assert.are.same({ "early", "late" }, log)
    end)
  end)

  it("has its argument checked when it is built [V7]", function()
    test(function()
      helper.raises("must not be negative", function()
        return aw.Call(aw.sleep, -1)
      end)
      helper.raises("NaN", function()
        return aw.Call(aw.sleep, 0 / 0)
      end)
      helper.raises("number expected", function()
        return aw.Call(aw.sleep, "soon")
      end)
      helper.raises("number expected", function()
        return aw.Call(aw.sleep)
      end)
    end)
  end)

  it("does so for aw.sleep only: other functions check when called [V2]",
    function()
      test(function()
        local w = aw.Call(math.floor, "no number")
        helper.raises("number expected", aw.await, w)
      end)
    end)
end)

describe("Sleep(s)", function()
  it("lets a shorter sleeper finish first [O15]", function()
    test(function(ev)
      local log, note = recorder()
      ev:start(takes(2, note, "late"))
      ev:start(takes(1, note, "early"))
      aw.sleep(3)
      assert.are.same({ "early", "late" }, log)
    end)
  end)

  it("counts from when it runs, not from when it was built [O15]",
    function()
      test(function(ev)
        local w = aw.Sleep(1)
        aw.sleep(5)
        aw.await(w >> w)
        assert.are.equal(7, ev:now())
      end)
    end)

  it("ends in order for sleepers of the same time [O15]", function()
    test(function(ev)
      local log, note = recorder()
      for i = 1, 10 do
        ev:start(takes(1, note, i))
      end
      aw.sleep(2)
      assert.are.same({ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, log)
    end)
  end)

  it("keeps its length among sleeps of thousands of lengths [O15]", function()
    test(function(ev)
      local count <const> = helper.gc_stress and 50 or 5000
      local done, sleeps = 0, {}
      for i = 1, count do
        sleeps[i] = aw.Sleep(i)
        ev:start(sleeps[i] >> aw.Call(function()
          done = done + 1
          assert.are.equal(i, ev:now())
        end))
        ev:start(sleeps[i]) -- the wire itself
      end
      collectgarbage()
      aw.sleep(10000)
      assert.are.equal(count, done)
      for i = 1, count do
        assert.are.equal(("Sleep(%d)"):format(i), tostring(sleeps[i]))
      end
    end)
  end)

  it("is one wire for all that it is part of [O15]", function()
    test(function(ev)
      local w = aw.Sleep(1)
      local all = aw.All { w, w, w:timeout(2), w * 2, w | w, w // w }
      aw.await(all)
      assert.are.equal(2, ev:now())
      assert.are.equal(w, aw.Wire(w))
      assert.are.equal("Sleep(1)", tostring(w))
      w()
      assert.are.equal(3, ev:now())
    end)
  end)

  it("takes no time if s is zero [O15]", function()
    test(function(ev)
      aw.await(aw.Sleep(0) * 100)
      assert.are.equal(0, ev:now())
    end)
  end)

  it("needs a duration when it is built [O15]", function()
    test(function()
      helper.raises("bad argument #1 to 'Sleep'", function()
        return aw.Sleep()
      end)
    end)
  end)
end)

describe("SleepUntil(t)", function()
  it("ends at that time of the loop's clock [O15]", function()
    test(function(ev)
      local log, note = recorder()
      ev:start(aw.SleepUntil(3) >> aw.Call(note, "three"))
      aw.sleep(2)
      ev:start(takes(0.5, note, "two and a half"))
      ev:start(takes(1.5, note, "three and a half"))
      aw.await(aw.SleepUntil(4))
      assert.are.same({
        "two and a half", "three", "three and a half",
      }, log)
      assert.are.equal(4, ev:now())
    end)
  end)

  it("is due at once if that time has passed [O15]", function()
    test(function(ev)
      aw.sleep(2)
      aw.await(aw.SleepUntil(1))
      aw.await(aw.SleepUntil(2))
      aw.await(aw.SleepUntil(-1))
      assert.are.equal(2, ev:now())
    end)
  end)

  it("needs a time when it is built [O15]", function()
    test(function()
      helper.raises("bad argument #1 to 'SleepUntil'", function()
        return aw.SleepUntil()
      end)
    end)
  end)
end)

describe("Never", function()
  it("does not end by itself [O15]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(aw.Never >> aw.Call(note, "never"))
      aw.sleep(1e6)
      assert.are.equal("waiting", t.status)
      assert.are.same({}, log)
      t:cancel_wait()
      assert.are.equal("cancelled", t.status)
      assert.are.same({}, log)
    end)
  end)

  it("is a wire, and can be combined [O15]", function()
    test(function(ev)
      local t = ev:start((aw.Sleep(1) >> aw.Never) * 2)
      aw.sleep(5)
      t:cancel_wait()
      assert.are.equal(5, ev:now())
    end)
  end)
end)

describe("Done(task)", function()
  it("ends when the task has ended [O15]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(takes(2, note, "task"))
      ev:start(aw.Done(t) >> aw.Call(note, "after"))
      ev:start(takes(1, note, "before"))
      aw.sleep(3)
      assert.are.same({ "before", "task", "after" }, log)
    end)
  end)

  it("ends at once if the task has ended [O15]", function()
    test(function(ev)
      local t = ev:start(aw.Sleep(1))
      t:wait()
      local w = aw.Done(t)
      aw.await(w >> w)
      assert.are.equal(1, ev:now())
    end)
  end)

  it("waits for what the task has spun off, too [O15]", function()
    test(function(ev)
      local t = ev:start(giving(aw.Sleep(3)) >> aw.Sleep(1))
      aw.await(aw.Done(t))
      assert.are.equal(3, ev:now())
    end)
  end)

  it("does not cancel the task when it is cancelled itself [O15]",
    function()
      test(function(ev)
        local log, note = recorder()
        local t = ev:start(takes(2, note, "task"))
        local waiter = ev:start(aw.Done(t) >> aw.Call(note, "never"))
        aw.sleep(1)
        waiter:cancel_wait()
        t:wait()
        assert.are.same({ "task" }, log)
        assert.are.equal("done", t.status)
        assert.are.equal("cancelled", waiter.status)
      end)
    end)

  it("shows the task [O15]", function()
    test(function(ev)
      local t = ev:start(aw.Sleep(1), nil, { name = "nap" })
      local expected = "Done(task " .. t.id .. " 'nap')"
      assert.are.equal(expected, tostring(aw.Done(t)))
    end)
  end)

  it("refuses other values than tasks [O15]", function()
    test(function()
      for _, bad in ipairs { 42, "x", {}, aw.Never } do
        helper.raises("bad argument #1 to 'Done'", function()
          return aw.Done(bad)
        end)
      end
    end)
  end)
end)

describe("w:named(s)", function()
  it("behaves as w [O15]", function()
    test(function(ev)
      local log, note = recorder()
      local w = giving(takes(2, note, "child"), note, "a"):named("a")
      ev:start(w >> takes(1, note, "b")):wait()
      assert.are.same({ "a", "b", "child" }, log)
      assert.are.equal("x", aw.await(aw.Value("x"):named("v")))
    end)
  end)

  it("names the task that runs it [O15]", function()
    test(function(ev)
      local t = ev:start(aw.Sleep(1):named("nap"))
      assert.are.equal("nap", t.name)
    end)
  end)

  it("leaves w without the name [O15]", function()
    test(function()
      local w = aw.Sleep(0.5)
      local named = w:named("nap")
      assert.are.equal("Sleep(0.5)", tostring(w))
      assert.are.equal("nap", tostring(named))
      assert.are.equal("rest", tostring(named:named("rest")))
    end)
  end)

  it("refuses other values than names [O15]", function()
    test(function()
      local w = aw.Sleep(1)
      assert.is_false((pcall(w.named, w)))
      assert.is_false((pcall(w.named, w, {})))
      assert.is_false((pcall(w.named, w, true)))
    end)
  end)
end)
