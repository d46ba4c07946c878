-- What was broken in Python's aiowire, and is mended here
-- [U1-U3, U5-U9, U12].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local places = require "spec.support.places"
local texts = require "spec.support.texts"
local wires = require "spec.support.wires"

local with_loop, recorder = helper.with_loop, helper.recorder
local nop = helper.nop
local line, place = places.line, places.place
local contains = texts.contains
local takes, fails, giving = wires.takes, wires.fails, wires.giving
local unwinding = wires.unwinding

describe("what Python's aiowire got wrong", function()
  it("is mended: a >> b >> c runs b before c [U1]", function()
    with_loop(function(ev)
      local log, note = recorder()
      local function step(name)
        return aw.Call(note, name .. " in") >> takes(1, note, name .. " out")
      end
      ev:start(step "a" >> step "b" >> step "c")
      assert.are.equal("done", ev:run())
      assert.are.same({
        "a in", "a out", "b in", "b out", "c in", "c out",
      }, log)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("is mended: so it does with the other grouping [U1]", function()
    with_loop(function(ev)
      local log, note = recorder()
      local c = takes(1, note, "c")
      ev:start(takes(3, note, "a") >> (takes(2, note, "b") >> c))
      assert.are.equal("done", ev:run())
      assert.are.same({ "a", "b", "c" }, log)
      assert.are.equal(6, ev:now())
    end)
  end)

  it("is mended: iterations of (a >> b) * 2 do not overlap [U2]",
    function()
      with_loop(function(ev)
        local log, note = recorder()
        ev:start((takes(1, note, "a") >> takes(2, note, "b")) * 2)
        assert.are.equal("done", ev:run())
        assert.are.same({ "a", "b", "a", "b" }, log)
        assert.are.equal(6, ev:now())
      end)
    end)

  it("is mended: a repeat may be started again [U3]", function()
    with_loop(function(ev)
      local log, note = recorder()
      local w = takes(1, note, "a") * 3
      ev:start(w)
      assert.are.equal("done", ev:run())
      assert.are.equal(3, #log)
      ev:start(w)
      assert.are.equal("done", ev:run())
      assert.are.equal(6, #log)
    end)
  end)

  it("is mended: two starts of a repeat share no count [U3]", function()
    with_loop(function(ev)
      local log, note = recorder()
      local w = takes(1, note, "a") * 3
      ev:start(w)
      ev:start(aw.Sleep(0.5) >> w)
      ev:start(w * 2)
      assert.are.equal("done", ev:run())
      assert.are.equal(12, #log)
    end)
  end)

  it("is mended: children keep the handler [U5]", function()
    local forms = {
      ["a >> b"] = function(a)
        return a >> aw.Sleep(5)
      end,
      ["a * n"] = function(a)
        return (a >> aw.Sleep(5)) * 2
      end,
      ["Forever(a)"] = function(a)
        return aw.Forever(a >> aw.Sleep(5))
      end,
      ["a child's child"] = function(a)
        return giving(a >> aw.Sleep(5)) >> aw.Sleep(5)
      end,
      ["a child's chain"] = function(a)
        return giving(giving(giving(a >> aw.Sleep(5)))) >> aw.Sleep(5)
      end,
      ["a started scope"] = function(a)
        return aw.Wire(function()
          aw.scope(function(s)
            s:start(a >> aw.Sleep(5))
          end)
        end)
      end,
    }
    for name, form in pairs(forms) do
      with_loop(function(ev)
        local problem, got = {}, {}
        local w = form(giving(fails(1, problem)))
        local t = ev:start(w, function(_, err)
          got[#got + 1] = err
        end)
        assert.are.equal("done", ev:run(), name)
        assert.are.equal(1, #got, name)
        assert.is_true(rawequal(problem, got[1]), name)
        assert.are.equal("failed", t.status, name)
      end)
    end
  end)

  it("is mended: a child of a start without a handler stops the loop [U5]",
    function()
      with_loop(function(ev)
        local problem = {}
        ev:start(giving(fails(1, problem)) >> aw.Sleep(5))
        local ok, err = pcall(ev.run, ev)
        assert.is_false(ok)
        assert.is_true(rawequal(problem, err.cause))
      end)
    end)

  it("is mended: clean-up runs before a time-out returns [U6]", function()
    with_loop(function(ev)
      local log, note = recorder()
      ev:start(unwinding(note, "unwound"))
      ev:start(function()
        local _ <close> = setmetatable({}, {
          __close = function()
            aw.shield(function()
              aw.sleep(0.5)
            end, 2)
            note "cleaned slowly"
          end,
        })
        aw.sleep(1000)
      end)
      ev:start(giving(unwinding(note, "child")) >> nop)
      assert.are.equal("timeout", ev:run(1))
      table.sort(log)
      assert.are.same({ "child", "cleaned slowly", "unwound" }, log)
      assert.are.equal(1.5, ev:now())
      assert.are.equal(0, #ev:tasks())
    end)
  end)

  it("is mended: after an error the other tasks are unwound [U7]",
    function()
      with_loop(function(ev)
        local log, note = recorder()
        local first = ev:start(unwinding(note, "first"), note)
        ev:start(fails(1, "problem"))
        local second = ev:start(unwinding(note, "second"))
        helper.raises("problem", function()
          ev:run()
        end)
        table.sort(log)
        assert.are.same({ "first", "second" }, log)
        assert.are.equal("cancelled", first.status)
        assert.are.equal("cancelled", second.status)
        assert.are.equal(1, ev:now())
      end)
    end)

  it("is mended: so they are after a handler's error [U7]", function()
    with_loop(function(ev)
      local log, note = recorder()
      ev:start(unwinding(note, "unwound"))
      ev:start(fails(1, "first"), function()
        error("second", 0)
      end)
      helper.raises("second", function()
        ev:run()
      end)
      assert.are.same({ "unwound" }, log)
    end)
  end)

  it("is mended: of two failures at once both are handled [U8]", function()
    with_loop(function(ev)
      local log, note = recorder()
      for i = 1, 5 do
        ev:start(fails(1, i), function(_, err)
          note(err)
        end)
      end
      assert.are.equal("done", ev:run())
      assert.are.same({ 1, 2, 3, 4, 5 }, log)
    end)
  end)

  it("is mended: also if one of them stops the loop [U8]", function()
    for position = 1, 3 do
      with_loop(function(ev)
        local log, note = recorder()
        for i = 1, 3 do
          local handler = i ~= position and function(_, err)
            note(err)
          end or nil
          ev:start(function()
            error("problem " .. i, 0)
          end, handler)
        end
        local ok, err = pcall(ev.run, ev)
        assert.is_false(ok)
        assert.is_true(aw.is_unhandled(err))
        assert.are.equal("problem " .. position, err.cause)
        assert.are.equal(2, #log)
      end)
    end
  end)

  it("is mended: a task cancelled from outside leaves the loop alone [U9]",
    function()
      with_loop(function(ev)
        local log, note = recorder()
        local victim = ev:start(takes(5, note, "never"), note)
        local body = ev:start(unwinding(note, "unwound"))
        ev:start(aw.Sleep(1) >> aw.Call(victim.cancel, victim)
          >> aw.Call(body.cancel, body))
        ev:start(takes(2, note, "other"))
        assert.are.equal("done", ev:run())
        assert.are.same({ "unwound", "other" }, log)
        assert.are.equal(2, ev:now())
      end)
    end)

  it("is mended: so does one cancelled from a handler [U9]", function()
    with_loop(function(ev)
      local log, note = recorder()
      local victim = ev:start(unwinding(note, "unwound"))
      ev:start(fails(1, "problem"), function()
        victim:cancel()
      end)
      assert.are.equal("done", ev:run())
      assert.are.same({ "unwound" }, log)
    end)
  end)

  it("is mended: an error tells where its task was started [U12]",
    function()
      with_loop(function(ev)
        local got = {}
        local function handler(_, _, info)
          got[#got + 1] = info
        end
        local at = line() + 1
        ev:start(fails(1, "problem"), handler)
        ev:start(aw.Call(error, "problem"), handler)
        assert.are.equal("done", ev:run())
        table.sort(got, function(a, b)
          return a.task.id < b.task.id
        end)
        for i, info in ipairs(got) do
          local where = place(at + i - 1)
          assert.are.equal(where, info.started_at:sub(-#where))
          contains(tostring(info), where)
        end
        assert.are.equal(2, #got)
      end)
    end)

  it("is mended: an unhandled error tells it, too [U12]", function()
    with_loop(function(ev)
      local at = line() + 1
      ev:start(fails(1, "problem"))
      local err = helper.raises("problem", function()
        ev:run()
      end)
      local where = place(at)
      assert.are.equal(where, err.info.started_at:sub(-#where))
    end)
  end)
end)

-- Its test programs: callable objects that count down and return themselves.
describe("the countdowns of the Python package", function()
  local function countdown(log, name, count, pause)
    return setmetatable({ left = count }, {
      __call = function(self)
        log[#log + 1] = ("%s %d at %g"):format(name, self.left, aw.now())
        self.left = self.left - 1
        if self.left > 0 then
          return aw.Sleep(pause) >> self
        end
      end,
    })
  end

  it("run side by side, each to its end [P1, P14]", function()
    local log = {}
    aw.test(function(ev)
      ev:start(countdown(log, "slow", 3, 2))
      ev:start(countdown(log, "fast", 4, 1))
    end)
    assert.are.same({
      "slow 3 at 0", "fast 4 at 0", "fast 3 at 1", "slow 2 at 2",
      "fast 2 at 2", "fast 1 at 3", "slow 1 at 4",
    }, log)
  end)

  it("are cut off by the time of their loop, without an error [P10, P11]",
    function()
      local log = {}
      local ev = aw.EventLoop { clock = "virtual", timeout = 2.5 }
      local handled = 0
      ev:start(countdown(log, "long", 100, 1), function()
        handled = handled + 1
      end)
      assert.are.equal("timeout", ev:run())
      assert.are.same({ "long 100 at 0", "long 99 at 1", "long 98 at 2" }, log)
      assert.are.equal(0, handled)
    end)
end)
