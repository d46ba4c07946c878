-- The fallback `a // b` [O7].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local wires = require "spec.support.wires"

local test = helper.test
local recorder = helper.recorder
local takes, gives, giving = wires.takes, wires.gives, wires.giving
local fails, cleaning = wires.fails, wires.cleaning
local outcome, results = wires.outcome, wires.results

describe("a // b", function()
  it("has the results of a, nil kept, and does not run b [O7]", function()
    test(function(ev)
      local log, note = recorder()
      assert.are.same({ n = 3, nil, "a", nil },
        results(gives(1, nil, "a", nil) // takes(1, note, "b")))
      assert.are.same({}, log)
      assert.are.equal(1, ev:now())
    end)
  end)

  it("runs b instead if a fails [O7]", function()
    test(function(ev)
      local log, note = recorder()
      local w = (takes(1, note, "a") >> fails(1, "boom"))
        // (takes(1, note, "b") >> aw.Value("results", "of b"))
      assert.are.same({ n = 2, "results", "of b" }, results(w))
      assert.are.same({ "a", "b" }, log)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("does so for every value of an error [O7] [E1]", function()
    test(function()
      for _, problem in ipairs { "text", {}, 42, false, print } do
        assert.are.equal("b", aw.await(fails(0, problem) // aw.Value "b"))
      end
      assert.are.equal("b", aw.await(aw.Wire(function()
        error(nil)
      end) // aw.Value "b"))
    end)
  end)

  it("does so for a body that gives no wire [O7] [N1]", function()
    test(function()
      assert.are.equal("b", aw.await(aw.Wire(function()
        return nil, "message"
      end) // aw.Value "b"))
    end)
  end)

  it("does so for a Timeout [O7]", function()
    test(function(ev)
      assert.are.equal("b",
        aw.await(aw.Sleep(9):timeout(1) // aw.Value "b"))
      assert.are.equal(1, ev:now())
    end)
  end)

  it("does so for the end of another task that was cancelled [O7] [T5]",
    function()
      test(function(ev)
        local t = ev:start(aw.Never)
        t:cancel()
        assert.are.equal("b", aw.await(aw.Done(t) // aw.Value "b"))
      end)
    end)

  it("raises the error of b if both fail [O7]", function()
    test(function()
      local second = {}
      local ok, err = outcome(fails(1, "first") // fails(1, second))
      assert.is_false(ok)
      assert.are.equal(second, err)
    end)
  end)

  it("tries one after another in a // b // c [V4]", function()
    test(function(ev)
      local log, note = recorder()
      local function failing(name)
        return takes(1, note, name) >> fails(0, name)
      end
      local w = failing "a" // failing "b" // takes(1, note, "c")
        // takes(1, note, "d")
      assert.are.equal("c", aw.await(w))
      assert.are.same({ "a", "b", "c" }, log)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("waits for the whole chain of a [O7]", function()
    test(function(ev)
      local w = giving(fails(2, "late")) // aw.Value "b"
      assert.are.equal("b", aw.await(w))
      assert.are.equal(2, ev:now())
    end)
  end)

  it("waits for what a spun off, in success [O7] [S4]", function()
    test(function(ev)
      local log, note = recorder()
      local a = giving(takes(5, note, "child")) >> takes(1, note, "a")
      assert.are.equal("a", aw.await(a // aw.Value "b"))
      assert.are.same({ "a", "child" }, log)
      assert.are.equal(5, ev:now())
    end)
  end)

  it("runs b if what a spun off fails [O7] [S4]", function()
    test(function(ev)
      local log, note = recorder()
      local a = giving(fails(5, "child's")) >> takes(1, note, "a")
      assert.are.equal("b", aw.await(a // takes(1, note, "b")))
      assert.are.same({ "a", "b" }, log)
      assert.are.equal(6, ev:now())
    end)
  end)

  it("cleans up all of a before b begins [O7] [S4]", function()
    test(function(ev)
      local log, note = recorder()
      local a = giving(cleaning(2, note, "child cleaned"))
        >> takes(1, note, "a") >> fails(0, "boom")
      assert.are.equal("b", aw.await(a // takes(1, note, "b")))
      assert.are.same({ "a", "child cleaned", "b" }, log)
      assert.are.equal(4, ev:now())
    end)
  end)

  it("never runs b on Cancelled [O7]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(cleaning(1, note, "a cleaned")
        // aw.Call(note, "never"))
      aw.sleep(1)
      t:cancel_wait()
      assert.are.same({ "a cleaned" }, log)
      assert.are.equal("cancelled", t.status)
    end)
  end)

  it("never runs b on the time-out around it [O7]", function()
    test(function(ev)
      local log, note = recorder()
      local ok, err = pcall(aw.await,
        (aw.Sleep(9) // aw.Call(note, "never")):timeout(1))
      assert.is_false(ok)
      assert.is_true(aw.is_timeout(err))
      assert.are.same({}, log)
      assert.are.equal(1, ev:now())
    end)
  end)

  it("never runs b because it lost a race [O7] [O5]", function()
    test(function()
      local log, note = recorder()
      aw.await((aw.Sleep(9) // aw.Call(note, "never")) | aw.Sleep(1))
      assert.are.same({}, log)
    end)
  end)

  it("lets b be cancelled as any wire [O7]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(fails(1, "boom") // cleaning(1, note, "b cleaned"))
      aw.sleep(2)
      t:cancel_wait()
      assert.are.same({ "b cleaned" }, log)
      assert.are.equal("cancelled", t.status)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("takes functions and callable objects as operands [V2]", function()
    test(function()
      local function body()
        return aw.Value "function"
      end
      local object = setmetatable({}, {
        __call = function()
          return aw.Value "object"
        end,
      })
      assert.are.equal("function", aw.await(aw.Call(error) // body))
      assert.are.equal("function", aw.await(body // aw.Value "b"))
      assert.are.equal("object", aw.await(aw.Call(error) // object))
    end)
  end)

  it("calls no handler for the error of a [E7]", function()
    helper.leak_checked(function()
      local calls = 0
      local ev = helper.virtual()
      local t = ev:start(fails(1, "boom") // gives(1, "b"), function()
        calls = calls + 1
      end)
      assert.are.equal("done", ev:run())
      assert.are.equal(0, calls)
      assert.are.equal("b", t:results())
    end)
  end)

  it("repeats as one step [O2]", function()
    test(function(ev)
      local log, note = recorder()
      local a = takes(1, note, "a") >> fails(0, "boom")
      aw.await((a // takes(1, note, "b")) * 3)
      assert.are.same({ "a", "b", "a", "b", "a", "b" }, log)
      assert.are.equal(6, ev:now())
    end)
  end)
end)

describe("a step as the part of a // b", function()
  --- A wire whose first element spins off `child` [N5]; then it sleeps.
  local function spins_off(child, seconds)
    return aw.Wire(function()
      return child
    end) >> aw.Sleep(seconds)
  end

  it("fails if a child does that an await in it has spun off [O7, N5]",
    function()
      test(function(ev)
        local log, note = recorder()
        local w = aw.Call(function()
          aw.await(spins_off(fails(1, "boom"), 9))
          note "never"
        end) // takes(1, note, "b")
        aw.await(w)
        assert.are.same({ "b" }, log)
        assert.are.equal(2, ev:now())
      end)
    end)

  it("ends after the children that its awaits have spun off [O7, T1]",
    function()
      test(function(ev)
        local log, note = recorder()
        local w = aw.Call(function()
          aw.await(spins_off(takes(5, note, "child 1"), 1))
          aw.await(spins_off(takes(5, note, "child 2"), 1))
          note "call"
          return "results"
        end) // takes(1, note, "b")
        assert.are.same({ n = 1, "results" }, results(w))
        assert.are.same({ "call", "child 1", "child 2" }, log)
        assert.are.equal(6, ev:now())
      end)
    end)

  it("loses its children to no other part [O7, S3]", function()
    test(function(ev)
      local log, note = recorder()
      local w = aw.Call(function()
        aw.scope(function(s)
          s:start(takes(1, note, "scope"))
          aw.await(aw.Call(function()
            aw.await(spins_off(fails(3, "inner"), 9))
          end) // spins_off(takes(1, note, "inner b"), 0))
        end)
        aw.await(aw.Call(error, "first") // spins_off(fails(2, "late"), 1))
        aw.sleep(9)
        note "never"
      end) // takes(1, note, "outer b")
      aw.await(w)
      assert.are.same({ "scope", "inner b", "outer b" }, log)
      assert.are.equal(7, ev:now())
    end)
  end)

  it("goes on with the wire that it returns, in one scope [O7, N2]", function()
    test(function(ev)
      local log, note = recorder()
      local left = 3
      local function body()
        left = left - 1
        note(left)
        if left > 0 then
          return body
        end
        return spins_off(fails(1, "boom"), 9)
      end
      aw.await(aw.Wire(body) // takes(1, note, "b"))
      assert.are.same({ 2, 1, 0, "b" }, log)
      assert.are.equal(2, ev:now())
    end)
  end)

  it("gives Cancelled to its await, and ends [O7, C2]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(aw.Call(function()
        local ok, err = pcall(aw.sleep, 9)
        note(ok or aw.is_cancelled(err))
        error(err)
      end) // takes(1, note, "b"))
      aw.sleep(1)
      t:cancel_wait()
      assert.are.same({ true }, log)
      assert.are.equal("cancelled", t.status)
      assert.are.equal(1, ev:now())
    end)
  end)
end)
