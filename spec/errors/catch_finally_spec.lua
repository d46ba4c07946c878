-- w:catch(f) handles an error; w:finally(f) cleans up in every case [O9].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local places = require "spec.support.places"
local texts = require "spec.support.texts"
local wires = require "spec.support.wires"

local test = helper.test
local recorder, closer = helper.recorder, helper.closer
local takes, gives, giving = wires.takes, wires.gives, wires.giving
local fails, cleaning = wires.fails, wires.cleaning
local outcome, results = wires.outcome, wires.results
local line, place = places.line, places.place
local contains = texts.contains

describe("w:catch(f)", function()
  it("has the results of w, nil kept, and does not call f [O9]", function()
    test(function()
      local log, note = recorder()
      assert.are.same({ n = 3, nil, "w", nil },
        results(gives(1, nil, "w", nil):catch(note)))
      assert.are.same({}, log)
    end)
  end)

  it("calls f with the error, as it is, and its info [O9] [E1]", function()
    test(function()
      for _, problem in ipairs { "text", {}, 42, false, print } do
        local got
        aw.await(fails(1, problem):catch(function(...)
          got = table.pack(...)
        end))
        assert.are.equal(2, got.n)
        assert.is_true(rawequal(problem, got[1]))
        assert.is_truthy(tostring(got[2]))
      end
    end)
  end)

  it("gives f the location of the raise [O9] [E2]", function()
    test(function()
      local raised, info
      aw.await(aw.Wire(function()
        raised = line() + 1
        error "boom"
      end):catch(function(_, i)
        info = i
      end))
      contains(info.traceback, place(raised))
    end)
  end)

  it("ends without results if f returns nothing [O9]", function()
    test(function()
      assert.are.equal(0, results(fails(1, "boom"):catch(helper.nop)).n)
    end)
  end)

  it("runs the wire that f returns [O9]", function()
    test(function(ev)
      local w = fails(1, "boom"):catch(function(err)
        return gives(2, "after " .. err)
      end)
      assert.are.equal("after boom", aw.await(w))
      assert.are.equal(3, ev:now())
    end)
  end)

  it("lets f await [O9]", function()
    test(function(ev)
      local log, note = recorder()
      aw.await(fails(1, "boom"):catch(function(err)
        aw.sleep(2)
        note(err)
      end) >> aw.Call(note, "next"))
      assert.are.same({ "boom", "next" }, log)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("raises what f raises [O9]", function()
    test(function()
      local problem = {}
      local ok, err = outcome(fails(1, "boom"):catch(function()
        error(problem)
      end))
      assert.is_false(ok)
      assert.are.equal(problem, err)
    end)
  end)

  it("lets f raise the same error again [O9] [E1]", function()
    test(function()
      local problem = {}
      local ok, err = outcome(fails(1, problem):catch(function(e)
        error(e)
      end))
      assert.is_false(ok)
      assert.is_true(rawequal(problem, err))
    end)
  end)

  it("calls f in the running task [O9]", function()
    test(function()
      local inside
      aw.await(fails(1, "boom"):catch(function()
        inside = aw.current().id
      end))
      assert.are.equal(aw.current().id, inside)
    end)
  end)

  it("calls f for Timeout [O9]", function()
    test(function(ev)
      local log, note = recorder()
      aw.await(aw.Sleep(9):timeout(1):catch(function(err)
        note(aw.is_timeout(err))
      end))
      assert.are.same({ true }, log)
      assert.are.equal(1, ev:now())
    end)
  end)

  it("does not call f for Cancelled [O9]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(aw.Sleep(9):catch(note) >> aw.Call(note, "never"))
      aw.sleep(1)
      t:cancel_wait()
      assert.are.same({}, log)
      assert.are.equal("cancelled", t.status)
    end)
  end)

  it("does not call f for the time-out around it [O9] [O8]", function()
    test(function()
      local log, note = recorder()
      local ok, err = outcome(aw.Sleep(9):catch(note):timeout(1))
      assert.is_false(ok)
      assert.is_true(aw.is_timeout(err))
      assert.are.same({}, log)
    end)
  end)

  it("catches the whole chain of w [O9]", function()
    test(function(ev)
      local log, note = recorder()
      aw.await(giving(fails(2, "late")):catch(note))
      assert.are.same({ "late" }, log)
      assert.are.equal(2, ev:now())
    end)
  end)

  it("catches what w spun off, which it waits for [O9] [S4]", function()
    test(function(ev)
      local log, note = recorder()
      local w = giving(fails(3, "child's")) >> takes(1, note, "w")
      aw.await(w:catch(note))
      assert.are.same({ "w", "child's" }, log)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("cleans up all of w before f is called [O9] [S4]", function()
    test(function(ev)
      local log, note = recorder()
      local w = giving(cleaning(2, note, "child cleaned"))
        >> fails(1, "boom")
      aw.await(w:catch(note))
      assert.are.same({ "child cleaned", "boom" }, log)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("shows f the errors that were suppressed [O9] [E3]", function()
    test(function()
      local late, info = {}, nil
      aw.await((fails(1, "boom") & wires.spoiling(late))
        :catch(function(_, i)
          info = i
        end))
      assert.is_true(wires.suppresses(info, late))
    end)
  end)

  it("calls no handler for a caught error [E7]", function()
    helper.leak_checked(function()
      local log, note = recorder()
      local ev = helper.virtual()
      ev:start(fails(1, "boom"):catch(note), error)
      assert.are.equal("done", ev:run())
      assert.are.same({ "boom" }, log)
    end)
  end)

  it("does not catch what comes after it [O9]", function()
    test(function()
      local log, note = recorder()
      local ok, err = outcome(gives(1):catch(note) >> fails(1, "later"))
      assert.is_false(ok)
      assert.are.equal("later", err)
      assert.are.same({}, log)
    end)
  end)
end)

describe("w:finally(f)", function()
  it("calls f after w, and has the results of w, nil kept [O9]", function()
    test(function(ev)
      local log, note = recorder()
      local w = takes(1, note, "w") >> aw.Value(nil, "w", nil)
      assert.are.same({ n = 3, nil, "w", nil },
        results(w:finally(function()
          note "finally"
        end)))
      assert.are.same({ "w", "finally" }, log)
      assert.are.equal(1, ev:now())
    end)
  end)

  it("calls f after an error, which goes on as it is [O9] [E1]", function()
    test(function()
      local log, note = recorder()
      local problem = {}
      local ok, err = outcome(fails(1, problem):finally(function()
        note "finally"
      end))
      assert.is_false(ok)
      assert.is_true(rawequal(problem, err))
      assert.are.same({ "finally" }, log)
    end)
  end)

  it("calls f when w is cancelled [O9]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(aw.Sleep(9):finally(function()
        note "finally"
      end))
      aw.sleep(1)
      t:cancel_wait()
      assert.are.same({ "finally" }, log)
      assert.are.equal("cancelled", t.status)
      assert.are.equal(1, ev:now())
    end)
  end)

  it("calls f when a task is cancelled before its first step [O9] [T3]",
    function()
      test(function(ev)
        local log, note = recorder()
        local t = ev:start(aw.Sleep(9):finally(function()
          note "finally"
        end))
        t:cancel_wait()
        assert.are.same({ "finally" }, log)
        assert.are.equal(0, ev:now())
      end)
    end)

  it("does not call f if w was never started [O9]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(aw.Sleep(9) >> aw.Sleep(9):finally(note))
      aw.sleep(1)
      t:cancel_wait()
      assert.are.same({}, log)
    end)
  end)

  it("calls f once in every case [O9]", function()
    test(function(ev)
      local count = 0
      local function f()
        count = count + 1
        aw.sleep(2)
      end
      local t = ev:start(aw.Sleep(9):finally(f))
      aw.sleep(1)
      t:cancel()
      aw.sleep(1)
      t:cancel()
      t:cancel_wait()
      assert.are.equal(1, count)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("lets f await, after success and after an error [O9]", function()
    test(function(ev)
      local log, note = recorder()
      local function f()
        aw.sleep(2)
        note "finally"
      end
      aw.await(takes(1, note, "w"):finally(f))
      outcome(fails(1, "boom"):finally(f))
      assert.are.same({ "w", "finally", "finally" }, log)
      assert.are.equal(6, ev:now())
    end)
  end)

  it("lets f await after a cancel [O9]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(aw.Sleep(9):finally(function()
        aw.sleep(2)
        note "finally"
        aw.sleep(1)
      end))
      aw.sleep(1)
      t:cancel_wait()
      assert.are.same({ "finally" }, log)
      assert.are.equal(4, ev:now())
      assert.are.equal("cancelled", t.status)
    end)
  end)

  it("shields f from a cancel that comes while f runs [O9]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(gives(1, "w"):finally(function()
        aw.sleep(2)
        note "finally"
      end) >> aw.Call(note, "never"))
      aw.sleep(2)
      t:cancel_wait()
      assert.are.same({ "finally" }, log)
      assert.are.equal(3, ev:now())
      assert.are.equal("cancelled", t.status)
    end)
  end)

  it("gives f no more than its grace after a cancel [O9] [C7]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(aw.Sleep(9):finally(function()
        local ok, err = pcall(aw.sleep, 100)
        note(ok)
        note(aw.is_cancelled(err))
      end, 2))
      aw.sleep(1)
      t:cancel_wait()
      assert.are.same({ false, true }, log)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("gives f the loop's grace if nothing is said [O9] [C8]", function()
    test(function(ev)
      local t = ev:start(aw.Sleep(9):finally(function()
        aw.sleep(100)
      end))
      aw.sleep(1)
      t:cancel_wait()
      assert.are.equal(6, ev:now())
    end)
  end)

  it("lets f take its time where nothing is cancelled [O9] [C7]",
    function()
      test(function(ev)
        local log, note = recorder()
        aw.await(gives(1, "w"):finally(function()
          aw.sleep(100)
          note "finally"
        end, 2))
        assert.are.same({ "finally" }, log)
        assert.are.equal(101, ev:now())
      end)
    end)

  it("raises an error of f after success [O9]", function()
    test(function()
      local problem = {}
      local ok, err = outcome(gives(1, "w"):finally(function()
        error(problem)
      end))
      assert.is_false(ok)
      assert.are.equal(problem, err)
    end)
  end)

  it("raises an error of f in place of the first, suppressed one [O9] [E3]",
    function()
      helper.leak_checked(function()
        local first, second = {}, {}
        local err, info = wires.failure_of(fails(1, first):finally(function()
          error(second)
        end))
        assert.are.equal(second, err)
        assert.is_true(wires.suppresses(info, first))
        assert.is_false(wires.suppresses(info, second))
      end)
    end)

  it("raises an error of f after a cancel [O9] [E3]", function()
    test(function(ev)
      local problem, got = {}, nil
      local t = ev:start(aw.Sleep(9):finally(function()
        error(problem)
      end), function(_, err)
        got = err
      end)
      aw.sleep(1)
      t:cancel_wait()
      assert.are.equal("failed", t.status)
      assert.are.equal(problem, got)
    end)
  end)

  it("raises the error of w, though f is cut off after it [O9] [E3]",
    function()
      test(function(ev)
        local problem, got = {}, nil
        local t = ev:start(fails(1, problem):finally(function()
          aw.sleep(100)
        end, 2), function(_, err)
          got = err
        end)
        aw.sleep(2)
        t:cancel_wait()
        assert.are.equal("failed", t.status)
        assert.are.equal(problem, got)
        assert.are.equal(3, ev:now())
      end)
    end)

  it("calls f after what w spun off has ended [O9] [S4]", function()
    test(function(ev)
      local log, note = recorder()
      local w = giving(takes(3, note, "child")) >> takes(1, note, "w")
      aw.await(w:finally(function()
        note "finally"
      end))
      assert.are.same({ "w", "child", "finally" }, log)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("calls f after the clean-up of w [O9]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(cleaning(2, note, "w cleaned"):finally(function()
        note "finally"
      end))
      aw.sleep(1)
      t:cancel_wait()
      assert.are.same({ "w cleaned", "finally" }, log)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("runs from the inside out [O9]", function()
    test(function(ev)
      local log, note = recorder()
      local function step(what)
        return function()
          aw.sleep(1)
          note(what)
        end
      end
      local t = ev:start(aw.Sleep(9):finally(step "inner")
        :finally(step "middle"):finally(step "outer"))
      aw.sleep(1)
      t:cancel_wait()
      assert.are.same({ "inner", "middle", "outer" }, log)
      assert.are.equal(4, ev:now())
    end)
  end)

  it("calls f when w runs out of time [O9] [O8]", function()
    test(function(ev)
      local log, note = recorder()
      local function f()
        aw.sleep(2)
        note "finally"
      end
      local ok, err = outcome(aw.Sleep(9):finally(f):timeout(1))
      assert.is_false(ok)
      assert.is_true(aw.is_timeout(err))
      assert.are.same({ "finally" }, log)
      assert.are.equal(3, ev:now())
      outcome(aw.Sleep(9):timeout(1):finally(f))
      assert.are.same({ "finally", "finally" }, log)
      assert.are.equal(6, ev:now())
    end)
  end)

  it("calls f when w loses a race [O9] [O5]", function()
    test(function(ev)
      local log, note = recorder()
      local w = aw.Sleep(9):finally(function()
        aw.sleep(2)
        note "finally"
      end)
      aw.await(w | aw.Sleep(1))
      note "after"
      assert.are.same({ "finally", "after" }, log)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("calls f when the loop is stopped [O9] [L3]", function()
    helper.leak_checked(function()
      local log, note = recorder()
      local ev = helper.virtual { timeout = 1 }
      ev:start(aw.Forever(aw.Sleep(0.3)):finally(function()
        aw.sleep(2)
        note "finally"
      end))
      assert.are.equal("timeout", ev:run())
      assert.are.same({ "finally" }, log)
    end)
  end)

  it("calls f each time in a repetition [O9] [O2]", function()
    test(function()
      local log, note = recorder()
      aw.await(takes(1, note, "w"):finally(function()
        note "finally"
      end) * 2)
      assert.are.same({ "w", "finally", "w", "finally" }, log)
    end)
  end)

  it("calls f before a fall-back and after a catch, as written [O9]",
    function()
      test(function()
        local log, note = recorder()
        local function f()
          note "finally"
        end
        aw.await(fails(1, "boom"):finally(f) // aw.Call(note, "fall-back"))
        aw.await(fails(1, "boom"):catch(note):finally(f))
        assert.are.same({ "finally", "fall-back", "boom", "finally" }, log)
      end)
    end)

  it("lets f open scopes with children [O9] [C12]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(aw.Sleep(9):finally(function()
        aw.await(takes(2, note, "a") & takes(1, note, "b"))
        note "finally"
      end))
      aw.sleep(1)
      t:cancel_wait()
      assert.are.same({ "b", "a", "finally" }, log)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("has nothing of `<close>`: that runs inside w [O9]", function()
    test(function()
      local log, note = recorder()
      aw.await(aw.Wire(function()
        local _ <close> = closer(function()
          note "close"
        end)
        aw.sleep(1)
      end):finally(function()
        note "finally"
      end))
      assert.are.same({ "close", "finally" }, log)
    end)
  end)

  it("fails if it is as deep as a task may be, without clean-up [O9]",
    function()
      test(function(ev)
        local deepest, failures = 32768, 0
        for depth = deepest - 8, deepest - 2 do
          local log, note = recorder()
          local w = aw.Call(note, "w"):finally(function()
            note "clean-up"
          end)
          for _ = 1, depth do
            w = w * 1
          end
          local err
          ev:start(w, function(_, e)
            err = e
          end)
          aw.sleep(1)
          assert.are.same(err and {} or { "w", "clean-up" }, log)
          failures = failures + (err and 1 or 0)
        end
        assert.is_true(failures > 0 and failures < 7)
      end)
    end)
end)
