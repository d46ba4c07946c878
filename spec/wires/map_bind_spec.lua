-- Functions on results: `w / f`, w:map(f) and w:bind(f) [O11, N4, H3].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local texts = require "spec.support.texts"
local wires = require "spec.support.wires"

local test = helper.test
local recorder = helper.recorder
local takes, gives, giving = wires.takes, wires.gives, wires.giving
local fails = wires.fails
local outcome, results = wires.outcome, wires.results
local contains = texts.contains

describe("w / f", function()
  it("calls f with all results of w, nil kept [O11]", function()
    test(function()
      local got
      aw.await(gives(1, nil, "b", nil) / function(...)
        got = table.pack(...)
      end)
      assert.are.same({ n = 3, nil, "b", nil }, got)
    end)
  end)

  it("calls f with nothing where there are no results [O11]", function()
    test(function()
      local got
      aw.await(aw.Sleep(1) / function(...)
        got = select("#", ...)
      end)
      assert.are.equal(0, got)
    end)
  end)

  it("has what f returns as its results, nil kept [O11]", function()
    test(function()
      assert.are.same({ n = 3, nil, 3, nil },
        results(gives(1, 1, 2) / function(a, b)
          return nil, a + b, nil
        end))
      assert.are.equal(0, results(gives(1, "lost") / helper.nop).n)
    end)
  end)

  it("is w:map(f) [O11]", function()
    test(function()
      local function double(x)
        return 2 * x
      end
      assert.are.equal(42, aw.await(gives(1, 21) / double))
      assert.are.equal(42, aw.await(gives(1, 21):map(double)))
    end)
  end)

  it("never runs a wire that f returns: it is a result [O11] [P9]",
    function()
      test(function()
        local log, note = recorder()
        local inner = aw.Call(note, "never")
        local got = results(gives(1) / function()
          return inner, helper.nop
        end)
        assert.are.equal(2, got.n)
        assert.are.equal(inner, got[1])
        assert.are.equal(helper.nop, got[2])
        assert.are.same({}, log)
      end)
    end)

  it("waits for the whole chain of w [O11]", function()
    test(function(ev)
      assert.are.equal("late!", aw.await(giving(gives(2, "late"))
        / function(x)
          return x .. "!"
        end))
      assert.are.equal(2, ev:now())
    end)
  end)

  it("lets f await [O11]", function()
    test(function(ev)
      assert.are.equal("slept", aw.await(gives(1, 2) / function(seconds)
        aw.sleep(seconds)
        return "slept"
      end))
      assert.are.equal(3, ev:now())
    end)
  end)

  it("raises what f raises, as it is [O11]", function()
    test(function()
      local problem = {}
      local ok, err = outcome(gives(1) / function()
        error(problem)
      end)
      assert.is_false(ok)
      assert.is_true(rawequal(problem, err))
    end)
  end)

  it("does not call f if w fails [O11]", function()
    test(function()
      local log, note = recorder()
      local ok, err = outcome(fails(1, "boom") / note)
      assert.is_false(ok)
      assert.are.equal("boom", err)
      assert.are.same({}, log)
    end)
  end)

  it("does not call f if w is cancelled [O11]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(aw.Sleep(9) / note)
      aw.sleep(1)
      t:cancel_wait()
      assert.are.same({}, log)
      assert.are.equal("cancelled", t.status)
    end)
  end)

  it("takes a callable object for f [O11]", function()
    test(function()
      local object = setmetatable({}, {
        __call = function(_, x)
          return x + 1
        end,
      })
      assert.are.equal(2, aw.await(gives(1, 1) / object))
      assert.are.equal(2, aw.await(gives(1, 1):map(object)))
    end)
  end)

  it("takes functions of C for f [O11]", function()
    test(function()
      assert.are.same({ n = 1, "1" }, results(gives(1, 1) / tostring))
      assert.are.same({ n = 2, "b", "c" },
        results(gives(1, 2, "a", "b", "c") / select))
    end)
  end)

  it("calls one after another in w / f / g [O11]", function()
    test(function()
      local function f(...)
        return select("#", ...), "f"
      end
      local function g(n, name)
        return n, name, "g"
      end
      assert.are.same({ n = 3, 2, "f", "g" },
        results(gives(1, nil, nil) / f / g))
    end)
  end)

  it("binds tighter than >> [O11]", function()
    test(function()
      local log, note = recorder()
      aw.await(gives(1, "a") >> gives(1, "b") / note)
      assert.are.same({ "b" }, log)
    end)
  end)

  it("takes the results of a join [O11] [O4]", function()
    test(function()
      assert.are.equal(6,
        aw.await((gives(3, 1) & gives(1, 2) & gives(2, 3))
          / function(a, b, c)
            return a + b + c
          end))
    end)
  end)

  it("does not wait for what w spun off [O11] [S4]", function()
    test(function()
      local log, note = recorder()
      local w = giving(takes(5, note, "child")) >> gives(1, "w")
      aw.await(w / note)
      assert.are.same({ "w" }, log)
    end)
  end)
end)

describe("w:bind(f)", function()
  it("runs the wire that f returns [O11]", function()
    test(function(ev)
      local w = gives(1, "a", "b"):bind(function(a, b)
        return gives(2, b, a)
      end)
      assert.are.same({ n = 2, "b", "a" }, results(w))
      assert.are.equal(3, ev:now())
    end)
  end)

  it("ends without results if f returns nothing [O11] [N1]", function()
    test(function()
      assert.are.equal(0, results(gives(1, "lost"):bind(helper.nop)).n)
    end)
  end)

  it("takes a function that f returns for a body [O11] [V2]", function()
    test(function()
      local w = gives(1, "x"):bind(function(x)
        return function()
          return aw.Value(x .. "!")
        end
      end)
      assert.are.equal("x!", aw.await(w))
    end)
  end)

  it("fails if f returns another value than a wire [O11] [N1]", function()
    test(function()
      for _, bad in ipairs { 42, "text", {}, false } do
        local ok, err = outcome(gives(1):bind(function()
          return bad
        end))
        assert.is_false(ok)
        contains(err, type(bad))
      end
    end)
  end)

  it("lets f await, and raises what it raises [O11]", function()
    test(function(ev)
      local problem = {}
      local ok, err = outcome(gives(1, 2):bind(function(seconds)
        aw.sleep(seconds)
        error(problem)
      end))
      assert.is_false(ok)
      assert.are.equal(problem, err)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("does not call f if w fails or is cancelled [O11]", function()
    test(function(ev)
      local log, note = recorder()
      outcome(fails(1, "boom"):bind(note))
      local t = ev:start(aw.Sleep(9):bind(note))
      aw.sleep(1)
      t:cancel_wait()
      assert.are.same({}, log)
    end)
  end)

  it("may bind for ever in constant memory [N2]", function()
    test(function()
      local count = 0
      local step
      function step()
        count = count + 1
        if count < 10000 then
          return aw.Value(count):bind(step)
        end
        return aw.Value "end"
      end
      assert.are.equal("end", aw.await(aw.Value(0):bind(step)))
      assert.are.equal(10000, count)
    end)
  end)

  it("waits in >> for the wire that f returned [O11] [O1]", function()
    test(function()
      local log, note = recorder()
      aw.await(gives(1):bind(function()
        return takes(2, note, "bound")
      end):whole() >> aw.Call(note, "next"))
      assert.are.same({ "bound", "next" }, log)
    end)
  end)
end)

describe("between an event and its function", function()
  --- Start `build(note)`, which sleeps for a second. Cancel it when the sleep
  --- has ended and the task has not been resumed. Returns the log and the
  --- status.
  local function struck(build)
    local log, note = recorder()
    local status
    test(function(ev)
      local t
      -- The sleep of this task is older, so this task is woken first.
      local killer = ev:start(function()
        aw.sleep(1)
        t:cancel()
      end)
      aw.yield()
      t = ev:start(build(note))
      killer:wait()
      pcall(t.wait, t)
      status = t.status
      assert.are.equal(1, ev:now())
    end)
    return log, status
  end

  it("is no cancellation point: the function gets the value [N4] [C6]",
    function()
      assert.are.same({ "f" }, (struck(function(note)
        return aw.Sleep(1) / function()
          note "f"
        end
      end)))
      assert.are.same({ "f" }, (struck(function(note)
        return aw.Sleep(1):map(function()
          note "f"
        end)
      end)))
      assert.are.same({ "f" }, (struck(function(note)
        return aw.Sleep(1):bind(function()
          note "f"
        end)
      end)))
    end)

  it("is none for a name or a second function either [N4]", function()
    assert.are.same({ "f", "g" }, (struck(function(note)
      return (aw.Sleep(1) / function()
        note "f"
      end):named "n" / function()
        note "g"
      end
    end)))
  end)

  it("is none for an event in a race [N4] [H3]", function()
    assert.are.same({ "f" }, (struck(function(note)
      return (aw.Sleep(1) / function()
        note "f"
      end) | aw.Sleep(9)
    end)))
    assert.are.same({ "tick" }, (struck(function(note)
      return aw.Select { tick = aw.Sleep(1), tock = aw.Sleep(9) } / note
    end)))
  end)

  it("ends the task as done if nothing follows [N4] [T7]", function()
    local _, status = struck(function()
      return aw.Sleep(1) / helper.nop
    end)
    assert.are.equal("done", status)
  end)

  it("raises Cancelled at the next await of the function [C6]", function()
    local log, status = struck(function(note)
      return aw.Sleep(1) / function()
        note "f"
        aw.sleep(0)
        note "never"
      end
    end)
    assert.are.same({ "f" }, log)
    assert.are.equal("cancelled", status)
  end)

  it("is one in a sequence: that is a boundary [N4]", function()
    local log, status = struck(function(note)
      return aw.Sleep(1) >> aw.Call(note, "never")
    end)
    assert.are.same({}, log)
    assert.are.equal("cancelled", status)
  end)
end)
