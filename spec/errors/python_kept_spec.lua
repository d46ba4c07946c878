-- The contract of Python's aiowire, as it is kept [P1-P12, P14].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local texts = require "spec.support.texts"
local wires = require "spec.support.wires"

local test, with_loop, recorder = helper.test, helper.with_loop, helper.recorder
local nop = helper.nop
local contains = texts.contains
local takes, fails, giving = wires.takes, wires.fails, wires.giving
local unwinding = wires.unwinding

describe("a body", function()
  it("is done when it returns nothing [P1]", function()
    with_loop(function(ev)
      local log, note = recorder()
      ev:start(function()
        note "ran"
      end, note)
      assert.are.equal("done", ev:run())
      assert.are.same({ "ran" }, log)
    end)
  end)

  it("goes on with the wire it returns [P1]", function()
    with_loop(function(ev)
      local log, note = recorder()
      ev:start(function()
        note "ready"
        return function()
          note "working"
        end
      end)
      assert.are.equal("done", ev:run())
      assert.are.same({ "ready", "working" }, log)
    end)
  end)

  it("gives an error to the handler if it returns anything else [P1]",
    function()
      with_loop(function(ev)
        local got = {}
        for i, bad in ipairs { 42, "word", true, false, {} } do
          ev:start(function()
            return bad
          end, function(_, err)
            got[i] = tostring(err)
          end)
        end
        assert.are.equal("done", ev:run())
        assert.are.equal(5, #got)
        contains(got[1], "42")
        contains(got[2], "word")
        contains(got[3], "true")
        contains(got[4], "false")
        contains(got[5], "table")
      end)
    end)
end)

describe("start(nil)", function()
  it("does nothing [P2]", function()
    with_loop(function(ev)
      local log, note = recorder()
      ev:start(nil)
      ev:start(nil, note)
      ev:start(nil, note, { name = "nothing" })
      assert.are.equal(0, #ev:tasks())
      assert.are.equal("done", ev:run())
      assert.are.same({}, log)
    end)
  end)

  it("is not start(42), which is an error [P2]", function()
    with_loop(function(ev)
      helper.raises("bad argument #1 to 'start'", function()
        ev:start(42)
      end)
      assert.are.equal("done", ev:run())
    end)
  end)
end)

describe("start", function()
  it("never runs the body itself [P3]", function()
    with_loop(function(ev)
      local log, note = recorder()
      ev:start(function(loop)
        note "outer"
        loop:start(aw.Call(note, "inner"))
        note "outer goes on"
      end)
      note "started"
      assert.are.equal("done", ev:run())
      assert.are.same({
        "started", "outer", "outer goes on", "inner",
      }, log)
    end)
  end)

  it("does not raise what the body would raise [P3]", function()
    with_loop(function(ev)
      local log, note = recorder()
      ev:start(aw.Call(error, "problem", 0), function(_, err)
        note(err)
      end)
      assert.are.same({}, log)
      assert.are.equal("done", ev:run())
      assert.are.same({ "problem" }, log)
    end)
  end)
end)

describe("a handler", function()
  it("gets the loop, the error as it is, and what is known of it [P4]",
    function()
      with_loop(function(ev)
        local problem, got = {}, nil
        local t = ev:start(fails(1, problem), function(...)
          got = table.pack(...)
        end)
        assert.are.equal("done", ev:run())
        assert.are.equal(3, got.n)
        assert.is_true(got[1] == ev)
        assert.is_true(rawequal(problem, got[2]))
        assert.is_true(got[3].task == t)
      end)
    end)

  it("is kept along the chain of returned wires [P4]", function()
    with_loop(function(ev)
      local log, note = recorder()
      local function state(n)
        return function()
          aw.sleep(1)
          if n == 0 then
            error("at the end", 0)
          end
          return state(n - 1)
        end
      end
      ev:start(state(20), function(_, err)
        note(err)
      end)
      assert.are.equal("done", ev:run())
      assert.are.same({ "at the end" }, log)
    end)
  end)

  it("is called once, however much fails [P4]", function()
    with_loop(function(ev)
      local log, note = recorder()
      local w = giving(fails(1, "child 1"))
        >> giving(fails(1, "child 2"))
        >> giving(fails(2, "child 3"))
        >> fails(1, "parent")
      ev:start(w, function()
        note "handler"
      end)
      assert.are.equal("done", ev:run())
      assert.are.same({ "handler" }, log)
    end)
  end)

  it("is called once for each start, also of the same wire [P4]",
    function()
      with_loop(function(ev)
        local log, note = recorder()
        local w = fails(1, "problem")
        for i = 1, 3 do
          ev:start(w, function(_, err)
            note(i .. err)
          end)
        end
        assert.are.equal("done", ev:run())
        table.sort(log)
        assert.are.same({ "1problem", "2problem", "3problem" }, log)
      end)
    end)

  it("is not called if nothing fails [P4]", function()
    with_loop(function(ev)
      local log, note = recorder()
      ev:start(giving(aw.Sleep(1)) >> aw.Value("x"), note)
      ev:start(aw.Call(pcall, error, "problem"), note)
      ev:start(function()
        pcall(error, "problem")
        return aw.Sleep(1)
      end, note)
      assert.are.equal("done", ev:run())
      assert.are.same({}, log)
    end)
  end)

  it("is not that of another start [P4]", function()
    with_loop(function(ev)
      local log, note = recorder()
      local problem = {}
      ev:start(function(loop)
        loop:start(fails(1, problem))
        aw.sleep(5)
      end, function()
        note "handler"
      end)
      local ok, err = pcall(ev.run, ev)
      assert.is_false(ok)
      assert.is_true(rawequal(problem, err.cause))
      assert.are.same({}, log)
    end)
  end)

  it("lets the others go on [P4]", function()
    with_loop(function(ev)
      local log, note = recorder()
      ev:start(fails(1, "problem"), function(_, err)
        note(err)
      end)
      ev:start(takes(2, note, "other"))
      assert.are.equal("done", ev:run())
      assert.are.same({ "problem", "other" }, log)
    end)
  end)

  it("may start a wire [P4]", function()
    with_loop(function(ev)
      local log, note = recorder()
      ev:start(fails(1, "problem"), function(loop)
        loop:start(takes(1, note, "repair"))
      end)
      assert.are.equal("done", ev:run())
      assert.are.same({ "repair" }, log)
    end)
  end)
end)

describe("an error without a handler", function()
  it("leaves run as UnhandledException with its cause [P5]", function()
    with_loop(function(ev)
      local problem = {}
      ev:start(fails(1, problem))
      local ok, err = pcall(ev.run, ev)
      assert.is_false(ok)
      assert.is_true(aw.is_unhandled(err))
      assert.is_true(rawequal(problem, err.cause))
      assert.is_truthy(err.info)
    end)
  end)

  it("begins that exception's text [P5]", function()
    with_loop(function(ev)
      ev:start(fails(1, "the problem"))
      local err = helper.raises("the problem", function()
        ev:run()
      end)
      assert.are.equal(1, (tostring(err):find("the problem", 1, true)))
    end)
  end)

  it("stops the loop [P5]", function()
    with_loop(function(ev)
      local log, note = recorder()
      ev:start(fails(1, "problem"))
      ev:start(takes(2, note, "other"))
      helper.raises("problem", function()
        ev:run()
      end)
      assert.are.same({}, log)
      assert.are.equal(0, #ev:tasks())
      helper.raises("has ended", function()
        ev:start(nop)
      end)
    end)
  end)

  it("does not stop it if there is a handler [P5]", function()
    with_loop(function(ev)
      local log, note = recorder()
      ev:start(fails(1, "problem"), nop)
      ev:start(takes(2, note, "other"))
      assert.are.equal("done", ev:run())
      assert.are.same({ "other" }, log)
      ev:start(takes(1, note, "more"))
      assert.are.equal("done", ev:run())
      assert.are.same({ "other", "more" }, log)
    end)
  end)
end)

describe("a handler that raises", function()
  it("stops the loop, and its error leaves run as it is [P6]", function()
    with_loop(function(ev)
      local log, note = recorder()
      local first, second = {}, {}
      ev:start(fails(1, first), function()
        error(second)
      end)
      ev:start(takes(2, note, "other"))
      local ok, err = pcall(ev.run, ev)
      assert.is_false(ok)
      assert.is_true(rawequal(second, err))
      assert.are.same({}, log)
      helper.raises("has ended", function()
        ev:start(nop)
      end)
    end)
  end)

  it("has the first error as the cause of its own [P6]", function()
    with_loop(function(ev)
      local first, second = {}, {}
      ev:start(fails(1, first), function()
        error(second)
      end)
      pcall(ev.run, ev)
      assert.is_true(rawequal(first, second.cause))
    end)
  end)

  it("keeps a cause that is there already [P6]", function()
    with_loop(function(ev)
      local second = { cause = "another" }
      ev:start(fails(1, {}), function()
        error(second)
      end)
      pcall(ev.run, ev)
      assert.are.equal("another", second.cause)
    end)
  end)

  it("may raise a string, which leaves run as it is [P6]", function()
    with_loop(function(ev)
      ev:start(fails(1, "first"), function()
        error("second", 0)
      end)
      local ok, err = pcall(ev.run, ev)
      assert.is_false(ok)
      assert.are.equal("second", err)
      assert.is_truthy(ev.failure)
    end)
  end)

  it("is not called again for its own error [P6]", function()
    with_loop(function(ev)
      local calls = 0
      ev:start(giving(fails(1, "child")) >> fails(1, "parent"), function()
        calls = calls + 1
        error("second", 0)
      end)
      local ok, err = pcall(ev.run, ev)
      assert.is_false(ok)
      assert.are.equal("second", err)
      assert.are.equal(1, calls)
    end)
  end)

  it("is not one that returns: the loop goes on after that [P6]",
    function()
      with_loop(function(ev)
        ev:start(fails(1, "first"), function()
          return nil, "a message"
        end)
        ev:start(fails(2, "second"), function()
          return 42
        end)
        assert.are.equal("done", ev:run())
      end)
    end)
end)

describe("a wire that a body returns", function()
  it("runs concurrently in a >> b, unless b returned it [P7]", function()
    with_loop(function(ev)
      local log, note = recorder()
      local w = giving(takes(3, note, "of a"))
        >> takes(1, note, "b")
        >> giving(takes(1, note, "of c"))
      ev:start(w)
      assert.are.equal("done", ev:run())
      assert.are.same({ "b", "of c", "of a" }, log)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("runs concurrently in a * n, unless it is of the last run [P7]",
    function()
      with_loop(function(ev)
        local log, note = recorder()
        local run = 0
        local w = aw.Sleep(1) >> aw.Wire(function()
          run = run + 1
          return takes(1.5, note, run)
        end)
        ev:start((w * 3):whole() >> aw.Call(note, "end"))
        assert.are.equal("done", ev:run())
        assert.are.same({ 1, 2, 3, "end" }, log)
        assert.are.equal(4.5, ev:now())
      end)
    end)

  it("runs concurrently in Forever(a) [P7]", function()
    with_loop(function(ev)
      local log, note = recorder()
      local run = 0
      ev:start(aw.Forever(function()
        aw.sleep(1)
        run = run + 1
        return takes(0.5, note, run)
      end))
      assert.are.equal("timeout", ev:run(3.75))
      assert.are.same({ 1, 2, 3 }, log)
    end)
  end)

  it("does not run concurrently if nothing follows it [P7]", function()
    with_loop(function(ev)
      local log, note = recorder()
      local t
      t = ev:start(function()
        return function()
          aw.sleep(1)
          note(aw.current() == t and "the same task")
        end
      end)
      assert.are.equal("done", ev:run())
      assert.are.same({ "the same task" }, log)
    end)
  end)
end)

describe("a * n", function()
  it("does nothing if n is zero or negative [P8]", function()
    with_loop(function(ev)
      local log, note = recorder()
      for _, n in ipairs { 0, -1, -100, 0.0, -2.0 } do
        ev:start(takes(1, note, n) * n)
        ev:start(n * takes(1, note, n))
        ev:start(aw.Repeat(takes(1, note, n), n), note)
      end
      assert.are.equal("done", ev:run())
      assert.are.same({}, log)
      assert.are.equal(0, ev:now())
    end)
  end)

  it("runs once if n is one [P8]", function()
    with_loop(function(ev)
      local log, note = recorder()
      ev:start(takes(1, note, "a") * 1)
      assert.are.equal("done", ev:run())
      assert.are.same({ "a" }, log)
    end)
  end)
end)

describe("Call(f, ...)", function()
  it("ends with the results of f [P9]", function()
    with_loop(function(ev)
      local t = ev:start(aw.Call(function(a, b)
        return b, nil, a
      end, 1, 2))
      assert.are.equal("done", ev:run())
      assert.are.same({ n = 3, 2, nil, 1 }, table.pack(t:results()))
    end)
  end)

  it("never goes on with a result, even if it is a wire [P9]", function()
    with_loop(function(ev)
      local log, note = recorder()
      local results = {
        aw.Call(note, "ran"),
        aw.Wire(note, "ran"),
        function()
          note "ran"
        end,
        setmetatable({}, {
          __call = function()
            note "ran"
          end,
        }),
      }
      for _, result in ipairs(results) do
        local w = aw.Call(function()
          return result
        end)
        local t = ev:start(w)
        ev:start(w >> w)
        ev:start(w * 2)
        ev:start(w:whole() >> aw.Value())
        ev:start(giving(w))
        assert.are.equal("done", ev:run())
        assert.is_true(rawequal(result, (t:results())))
      end
      assert.are.same({}, log)
    end)
  end)

  it("is not Wire(f, ...), which goes on with it [P9]", function()
    with_loop(function(ev)
      local log, note = recorder()
      ev:start(aw.Wire(function()
        return aw.Call(note, "ran")
      end))
      assert.are.equal("done", ev:run())
      assert.are.same({ "ran" }, log)
    end)
  end)
end)

describe("a loop", function()
  it("ends early when no task is left [P10]", function()
    with_loop(function(ev)
      ev:start(aw.Sleep(2))
      assert.are.equal("done", ev:run())
      assert.are.equal(2, ev:now())
    end, { timeout = 10 })
  end)

  it("ends at once if there is no task [P10]", function()
    with_loop(function(ev)
      assert.are.equal("done", ev:run())
      assert.are.equal("done", ev:run(5))
      assert.are.equal(0, ev:now())
    end)
  end)

  it("returns normally on a time-out and calls no handler [P10]",
    function()
      with_loop(function(ev)
        local log, note = recorder()
        local t = ev:start(takes(20, note, "never"), function()
          note "handler"
        end)
        ev:start(aw.Forever(aw.Sleep(3)), function()
          note "handler"
        end)
        assert.are.equal("timeout", ev:run())
        assert.are.same({}, log)
        assert.are.equal("cancelled", t.status)
        assert.are.equal(10, ev:now())
        helper.raises("has ended (timeout)", function()
          ev:start(nop)
        end)
      end, { timeout = 10 })
    end)

  it("takes the time-out as an argument of run, too [P10]", function()
    with_loop(function(ev)
      ev:start(aw.Sleep(20))
      assert.are.equal("timeout", ev:run(7))
      assert.are.equal(7, ev:now())
    end)
  end)

  it("counts its time-out from run [P11]", function()
    test(function(ev)
      local log, note = recorder()
      local inner <close> = aw.EventLoop { timeout = 1 }
      inner:start(takes(0.5, note, "in time"))
      aw.sleep(5)
      assert.are.equal("done", inner:run())
      assert.are.same({ "in time" }, log)
      assert.are.equal(5.5, ev:now())
    end)
  end)

  it("counts it from run even if that is late [P11]", function()
    test(function(ev)
      local log, note = recorder()
      local inner <close> = aw.EventLoop { timeout = 1 }
      inner:start(takes(1.5, note, "too late"))
      aw.sleep(5)
      assert.are.equal("timeout", inner:run())
      assert.are.same({}, log)
      assert.are.equal(6, ev:now())
    end)
  end)

  it("counts it anew for each run [P11]", function()
    with_loop(function(ev)
      for i = 1, 3 do
        ev:start(aw.Sleep(0.75))
        assert.are.equal("done", ev:run(1))
        assert.are.equal(0.75 * i, ev:now())
      end
    end)
  end)

  it("cancels all if its block is left with an error, and passes it on"
    .. " [P12]", function()
      helper.leak_checked(function()
        local log, note = recorder()
        local problem, t = {}, nil
        local ok, err = pcall(function()
          local ev <close> = aw.EventLoop { clock = "virtual" }
          t = ev:start(takes(1, note, "never"), note)
          ev:start(function()
            note "never"
          end)
          error(problem)
        end)
        assert.is_false(ok)
        assert.is_true(rawequal(problem, err))
        assert.are.same({}, log)
        assert.are.equal("cancelled", t.status)
      end)
    end)

  it("cancels and unwinds all if its main function fails [P12]", function()
    helper.leak_checked(function()
      local log, note = recorder()
      local problem = {}
      local ok, err = pcall(aw.run, function(ev)
        ev:start(unwinding(note, "first"), note)
        ev:start(unwinding(note, "second"))
        aw.sleep(1)
        error(problem)
      end, { clock = "virtual" })
      assert.is_false(ok)
      assert.is_true(rawequal(problem, err))
      table.sort(log)
      assert.are.same({ "first", "second" }, log)
    end)
  end)

  it("runs if its block is left without an error [P12]", function()
    helper.leak_checked(function()
      local log, note = recorder()
      do
        local ev <close> = aw.EventLoop { clock = "virtual" }
        ev:start(takes(1, note, "ran"))
        note "leaving"
      end
      assert.are.same({ "leaving", "ran" }, log)
    end)
  end)
end)

describe("a function or a callable object", function()
  it("is accepted wherever a wire is [P14]", function()
    with_loop(function(ev)
      local log, note = recorder()
      local function f()
        note "f"
      end
      local o = setmetatable({}, {
        __call = function(_, loop)
          note(loop == ev and "o")
        end,
      })
      local w = aw.Call(note, "w")
      ev:start(function()
        aw.await(f)
        aw.await(o)
        aw.await(f >> w >> o)
        aw.await(w >> f >> w)
        aw.await(o >> w)
        aw.await(aw.Sequence(o, f))
        aw.await(aw.Repeat(f, 2))
        aw.await(aw.Wire(o))
        aw.await(function()
          return o
        end)
        return f
      end)
      assert.are.equal("done", ev:run())
      ev:start(o)
      assert.are.equal("done", ev:run())
      assert.are.equal(
        "f o f w o w f w o w o f f f o o f o",
        table.concat(log, " ")
      )
    end)
  end)

  it("may be repeated for ever [P14]", function()
    with_loop(function(ev)
      local count = 0
      ev:start(aw.Forever(function()
        count = count + 1
        aw.sleep(1)
      end))
      assert.are.equal("timeout", ev:run(2.5))
      assert.are.equal(3, count)
    end)
  end)

  it("is not anything: what cannot be called is refused [P14]", function()
    with_loop(function(ev)
      for _, bad in ipairs { 42, "word", true, {} } do
        helper.raises("wire", function()
          ev:start(bad)
        end)
      end
      assert.are.equal(0, #ev:tasks())
    end)
  end)
end)
