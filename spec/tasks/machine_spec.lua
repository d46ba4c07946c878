-- Machines: a body that returns itself, or the Wire that it runs in, or another
-- state [N1-N3].
--
-- The worker runs the next body without a report to the engine, if nothing else
-- is due, and the task holds it by the same leaf. Nothing of that can be seen.
-- states_spec.lua has what differs from state to state.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local texts = require "spec.support.texts"

local test, recorder = helper.test, helper.recorder
local contains = texts.contains

--- Make a machine that calls `step(n)`, n from 1 on, and ends when `step`
--- returns false.
local makers = {}

makers["a function that returns itself"] = function(step)
  local n = 0
  local function body()
    n = n + 1
    if step(n) ~= false then
      return body
    end
  end
  return body
end

makers["a Wire that returns itself"] = function(step)
  local n, wire = 0, nil
  wire = aw.Wire(function()
    n = n + 1
    if step(n) ~= false then
      return wire
    end
  end)
  return wire
end

makers["a named Wire that returns itself"] = function(step)
  local n, wire = 0, nil
  wire = aw.Wire(function()
    n = n + 1
    if step(n) ~= false then
      return wire
    end
  end):named "machine"
  return wire
end

makers["a Wire with arguments that returns itself"] = function(step)
  local n, wire = 0, nil
  wire = aw.Wire(function(ev, one, two)
    assert(aw.current() and ev and one == 1 and two == 2)
    n = n + 1
    if step(n) ~= false then
      return wire
    end
  end, 1, 2)
  return wire
end

makers["a callable object that returns itself"] = function(step)
  local n = 0
  return setmetatable({}, {
    __call = function(self)
      n = n + 1
      if step(n) ~= false then
        return self
      end
    end,
  })
end

--- Make `count` states, whose functions have one name, by `make(step,
--- following)`; `following()` returns the next state.
local function states(count, make)
  return function(step)
    local list, n = {}, 0
    for i = 1, count do
      list[i] = make(function()
        n = n + 1
        return step(n)
      end, function()
        return list[i % count + 1]
      end)
    end
    return list[1]
  end
end

local function plain(step, following)
  return function()
    if step() ~= false then
      return following()
    end
  end
end

makers["two functions that return each other"] = states(2, plain)
makers["eight functions in turn"] = states(8, plain)

makers["two Wires that return each other"] = states(2, function(...)
  return aw.Wire(plain(...))
end)

makers["two named Wires that return each other"] = states(2, function(...)
  return aw.Wire(plain(...)):named "state"
end)

makers["two Wires with arguments that return each other"] = states(2,
  function(step, following)
    return aw.Wire(function(ev, one)
      assert(ev and one == 1)
      if step() ~= false then
        return following()
      end
    end, 1)
  end)

makers["a function that returns a new Wire with arguments"] = function(step)
  local function state(_, n)
    if step(n) ~= false then
      return aw.Wire(state, n + 1)
    end
  end
  return aw.Wire(state, 1)
end

makers["a new function each time"] = function(step)
  local function state(n)
    return function()
      if step(n) ~= false then
        return state(n + 1)
      end
    end
  end
  return state(1)
end

do
  local kind = 0
  makers["states of several kinds in turn"] = states(4, function(...)
    kind = kind + 1
    local body = plain(...)
    if kind % 4 == 1 then
      return body
    elseif kind % 4 == 2 then
      return aw.Wire(body)
    elseif kind % 4 == 3 then
      return aw.Wire(body):named "state"
    end
    return setmetatable({}, {
      __name = "state",
      __call = function(_, ...)
        return body(...)
      end,
    })
  end)
end

for name, machine in pairs(makers) do
  describe(name, function()
    it("runs as often as it likes, in one task [N2]", function()
      test(function(ev)
        local task
        task = ev:start(machine(function(n)
          assert.is_true(aw.current() == task)
          return n < 500
        end))
        task:wait()
        assert.are.equal(500, task.steps)
      end)
    end)

    it("lets a task that it starts run between two steps [N3, F1]", function()
      test(function(ev)
        local log, note = recorder()
        ev:start(machine(function(n)
          note(n)
          ev:start(aw.Call(note, "task"))
          return n < 3
        end)):wait()
        aw.yield()
        assert.are.same({ 1, "task", 2, "task", 3, "task" }, log)
      end)
    end)

    it("takes turns with a task that yields [N3, F1]", function()
      test(function(ev)
        local log, note = recorder()
        ev:start(machine(function(n)
          note(n)
          return n < 3
        end))
        for i = 1, 3 do
          note("yield" .. i)
          aw.yield()
        end
        assert.are.same(
          { "yield1", 1, "yield2", 2, "yield3", 3 }, log)
      end)
    end)

    it("may await in its steps [N2]", function()
      test(function(ev)
        local from = aw.now()
        ev:start(machine(function(n)
          if n % 3 == 0 then
            aw.sleep(1)
          end
          return n < 12
        end)):wait()
        assert.are.equal(4, aw.now() - from)
      end)
    end)

    it("begins once more when it is cancelled in a step [N3]", function()
      test(function(ev)
        local log, note = recorder()
        local task
        task = ev:start(machine(function(n)
          note(n)
          if n == 200 then
            task:cancel()
          end
        end))
        aw.sleep(1)
        assert.are.equal("cancelled", task.status)
        assert.are.equal(201, log[#log])
      end)
    end)

    it("is stopped by a deadline [F2]", function()
      local ev = aw.EventLoop { clock = "real" }
      local steps = 0
      ev:start(machine(function(n)
        steps = n
      end))
      assert.are.equal("timeout", ev:run(0.02))
      assert.is_true(steps > 1)
    end)

    it("fails with the error of a later step, and the chain [D3]", function()
      test(function(ev)
        local info
        ev:start(machine(function(n)
          if n == 150 then
            error("no")
          end
        end), function(_, _, about)
          info = about
        end)
        aw.sleep(1)
        contains(info.err, "no")
        local chain = table.concat(info.chain, "|")
        if not name:find "several kinds" then
          contains(chain, "(x149)")
        end
      end)
    end)

    it("has the locals and the handler of its task in each step", function()
      test(function(ev)
        ev:start(machine(function(n)
          assert.are.equal(n > 1 and n - 1 or nil, aw.locals.n)
          aw.locals.n = n
          return n < 5
        end)):wait()
      end)
    end)

    it("may not return more than itself [N1]", function()
      test(function()
        local n, body = 0, nil
        local inner = machine(function()
          n = n + 1
          return n < 100
        end)
        function body()
          n = n + 1
          if n > 100 then
            return body, inner
          end
          return body
        end
        helper.raises("an extra", function()
          aw.await(body)
        end)
      end)
    end)
  end)
end

describe("a call in a repeat", function()
  it("has results in its last turn only [O2]", function()
    test(function()
      local n = 0
      local call = aw.Call(function()
        n = n + 1
        return n, n + 1
      end)
      for times = 1, 40 do
        n = 0
        assert.are.same({ times, times + 1 },
          { aw.await(call * times) })
      end
    end)
  end)

  it("has the results of the last inner turn [O2]", function()
    test(function()
      local n = 0
      local call = aw.Call(function(extra)
        n = n + 1
        return n, extra
      end, "extra")
      assert.are.same({ 120, "extra" }, { aw.await(call * 30 * 4) })
      assert.are.same({ 240, "extra" },
        { aw.await(aw.Value(1) >> call * 120) })
    end)
  end)
end)
