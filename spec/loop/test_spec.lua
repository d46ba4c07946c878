-- aw.test runs a test on a virtual clock and fails if tasks are left [K6].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local places = require "spec.support.places"
local process = require "spec.support.process"
local texts = require "spec.support.texts"

local sealed, closer = helper.sealed, helper.closer
local line, place = places.line, places.place
local contains, lacks = texts.contains, texts.lacks

local function failure_of(...)
  local ok, err = pcall(aw.test, ...)
  assert.is_false(ok)
  return err
end

describe("aw.test", function()
  it("runs its function as a task [K6]", sealed(function()
    local task
    aw.test(function(ev)
      task = aw.current()
      assert.are.equal("running", task.status)
      aw.sleep(1)
      assert.are.equal(task, aw.current())
      assert.are.equal(1, ev:now())
    end)
    assert.are.equal("done", task.status)
  end))

  it("returns what the function returns [K6]", sealed(function()
    local got = table.pack(aw.test(function()
      aw.sleep(1)
      return 1, nil, "three", nil
    end))
    assert.are.same({ n = 4, 1, nil, "three", nil }, got)
  end))

  it("returns nothing when the function does [K6]", sealed(function()
    assert.are.equal(0, select("#", aw.test(function() end)))
  end))

  it("fails if its task is cancelled [K6]", sealed(function()
    assert.are.equal(
      "the test's task was cancelled before its function returned",
      failure_of(function()
        aw.current():cancel()
        aw.sleep(1)
      end))
  end))

  it("fails if its loop is stopped [K6]", sealed(function()
    assert.are.equal(
      "the test's loop was stopped before its function returned",
      failure_of(function(ev)
        ev:stop()
        aw.sleep(1)
      end))
    assert.are.equal(
      "the test's loop was stopped before its function returned",
      failure_of(function(ev)
        ev:close()
        aw.sleep(1)
      end))
  end))

  it("runs on until all tasks have ended [K6]", sealed(function()
    local log = {}
    aw.test(function(ev)
      ev:start(aw.Sleep(10) >> aw.Call(table.insert, log, "child"))
      log[#log + 1] = "main"
    end)
    assert.are.same({ "main", "child" }, log)
  end))

  it("takes options first [K6]", sealed(function()
    assert.are.equal("fine", aw.test({ seed = 1 }, function()
      aw.yield()
      return "fine"
    end))
  end))

  it("plays the same schedule for the same seed [F6]",
    sealed(function()
      local function play(seed)
        local log = {}
        aw.test({ seed = seed }, function(ev)
          for i = 1, 6 do
            ev:start((aw.Call(table.insert, log, i)) * 3)
          end
        end)
        return log
      end
      local shuffled = 0
      local plain = play()
      for seed = 1, 20 do
        local log = play(seed)
        assert.are.same(log, play(seed))
        if table.concat(log) ~= table.concat(plain) then
          shuffled = shuffled + 1
        end
      end
      assert.is_true(shuffled > 0)
    end))

  it("refuses other values than functions [K6]", sealed(function()
    assert.is_false((pcall(aw.test, 42)))
    assert.is_false((pcall(aw.test, {})))
    assert.is_false((pcall(aw.test)))
  end))

  it("may be used inside itself [S6]", sealed(function()
    aw.test(function(outer)
      aw.sleep(1)
      aw.test(function(inner)
        aw.sleep(100)
        assert.are.equal(100, inner:now())
      end)
      assert.are.equal(1, outer:now())
    end)
  end))
end)

describe("an error in aw.test", function()
  it("passes as the very value that was raised [E1]", sealed(function()
    local mine = setmetatable({}, {
      __tostring = function()
        return "mine"
      end,
    })
    for _, value in ipairs { mine, {}, "text", 42, print } do
      assert.are.equal(value, failure_of(function()
        error(value, 0)
      end))
    end
  end))

  it("passes even if it is false [E1]", sealed(function()
    assert.are.equal(false, failure_of(function()
      error(false)
    end))
  end))

  it("passes after an await, too [E1]", sealed(function()
    local mine = {}
    assert.are.equal(mine, failure_of(function()
      aw.sleep(1)
      error(mine)
    end))
  end))

  it("passes untouched if it is a failed assertion [E1]",
    sealed(function()
      local direct = select(2, pcall(function()
        assert.are.equal("this", "that")
      end))
      local passed = failure_of(function()
        aw.sleep(1)
        assert.are.equal("this", "that")
      end)
      assert.are.equal(type(direct), type(passed))
      assert.are.equal(getmetatable(direct), getmetatable(passed))
      contains(tostring(passed), "Expected objects to be equal")
    end))

  it("sweeps the other tasks [L3]", sealed(function()
    local log = {}
    failure_of(function(ev)
      ev:start(function()
        local _ <close> = closer(function()
          log[#log + 1] = "swept"
        end)
        aw.sleep(100)
      end)
      aw.sleep(1)
      error("boom")
    end)
    assert.are.same({ "swept" }, log)
  end))

  it("of a started task fails it, with the cause [E8]",
    sealed(function()
      local mine = {}
      local err = failure_of(function(ev)
        ev:start(function()
          error(mine)
        end)
        aw.sleep(1)
      end)
      assert.is_true(err == mine or aw.is_unhandled(err))
      assert.are.equal(mine, err == mine and err or err.cause)
    end))

  it("that has a handler does not fail it [E7]", sealed(function()
    local handled
    aw.test(function(ev)
      ev:start(function()
        error("boom", 0)
      end, function(_, err)
        handled = err
      end)
      aw.sleep(1)
    end)
    assert.are.equal("boom", handled)
  end))
end)

describe("a leaked task", function()
  it("fails the test, by its name [K6]", sealed(function()
    local err = failure_of(function(ev)
      ev:start(aw.Never, nil, { name = "the leak" })
    end)
    contains(err, "leaked task")
    contains(err, "'the leak'")
  end))

  it("is shown with the line that started it [K6]", sealed(function()
    local started
    local err = failure_of(function(ev)
      started = line() + 1
      ev:start(aw.Never)
    end)
    contains(err, ("started at "))
    contains(err, place(started))
  end))

  it("is listed together with the others [K6]", sealed(function()
    local err = failure_of(function(ev)
      ev:start(aw.Never, nil, { name = "one" })
      ev:start(aw.Never, nil, { name = "two" })
      ev:start(aw.Sleep(1), nil, { name = "three" })
    end)
    contains(err, "'one'")
    contains(err, "'two'")
    lacks(err, "'three'")
  end))

  it("may be a body that waits for ever [K6]", sealed(function()
    local err = failure_of(function(ev)
      ev:start(function()
        aw.sleep(1)
        aw.await(aw.Never)
      end, nil, { name = "the body" })
    end)
    contains(err, "'the body'")
  end))

  it("is cleaned up [L3]", sealed(function()
    local log = {}
    failure_of(function(ev)
      ev:start(function()
        local _ <close> = closer(function()
          log[#log + 1] = "swept"
        end)
        aw.await(aw.Never)
      end)
    end)
    assert.are.same({ "swept" }, log)
  end))

  it("does not hide the error of the test itself [K6]",
    sealed(function()
      local mine = {}
      assert.are.equal(mine, failure_of(function(ev)
        ev:start(aw.Never)
        error(mine)
      end))
    end))

  it("is not one that was cancelled in time [K6]", sealed(function()
    aw.test(function(ev)
      local task = ev:start(aw.Never)
      aw.sleep(1)
      task:cancel()
    end)
  end))

  it("is not one in the background [T2]", sealed(function()
    aw.test(function(ev)
      ev:start(aw.Never, nil, { background = true })
      aw.sleep(1)
    end)
  end))

  it("is not one that still sleeps when the test's function ends [K6]",
    sealed(function()
      aw.test(function(ev)
        ev:start(aw.Sleep(1e6))
      end)
    end))
end)

describe("a test that does not end", function()
  local function spin()
    while true do
      aw.yield()
    end
  end

  --- The error of a test of f(begin, ev) that takes longer than its limit. If
  --- f did not get as far as begin() in that time, the limit is doubled.
  local function over_limit(f)
    local limit, begun = 0.05, false
    local err
    repeat
      err = failure_of({ limit = limit }, function(ev)
        f(function() begun = true end, ev)
      end)
      contains(err, ("test took longer than %g s"):format(limit))
      limit = limit * 2
    until begun
    return err
  end

  it("fails when its limit of real time is over [K6]",
    sealed(function()
      local err = over_limit(function(begin, ev)
        ev:start(spin, nil, { name = "the spinner" })
        begin()
      end)
      contains(err, "the spinner")
    end))

  it("fails so, too, when its own function is the endless one [K6]",
    sealed(function()
      over_limit(function(begin)
        begin()
        spin()
      end)
    end))

  it("fails so, too, when a body computes without an end [K6]",
    sealed(function()
      local err = over_limit(function(begin)
        begin()
        while true do end
      end)
      contains(err, "task 1 'test'  running")
      contains(err, "busy at spec/loop/test_spec.lua:")
    end))

  it("fails so, too, when another task computes without an end [K6]",
    sealed(function()
      local cleaned = false
      local err = over_limit(function(begin, ev)
        ev:start(function()
          local _ <close> = setmetatable({}, {
            __close = function() cleaned = true end,
          })
          begin()
          while true do end
        end, nil, { name = "the busy one" })
        aw.sleep(1)
      end)
      contains(err, "'the busy one'  running")
      assert.is_true(cleaned)
    end))

  it("fails so, too, when the endless body catches errors [K6]",
    sealed(function()
      over_limit(function(begin)
        local function work()
          while true do end
        end
        begin()
        while true do
          pcall(work)
        end
      end)
    end))

  it("fails so, too, when the endless body is in a test of its own [K6]",
    sealed(function()
      over_limit(function(begin)
        aw.test({ limit = 600 }, function()
          begin()
          while true do end
        end)
      end)
    end))

  it("interrupts nothing after it has ended [K6]", sealed(function()
    over_limit(function(begin)
      begin()
      while true do end
    end)
    local done = false
    aw.run(function()
      local n = 0
      for i = 1, 5000000 do
        n = n + i
      end
      done = n > 0
    end)
    assert.is_true(done)
    aw.test(function(ev)
      ev:start(aw.Sleep(1))
    end)
  end))

  it("fails so after the time in AIOWIRE_TEST_TIMEOUT [K6]",
    function()
      local script = [[
        local aw = require "aiowire"
        print(pcall(aw.test, function()
          while true do
            aw.yield()
          end
        end))
      ]]
      local outcome = process.run(
        "AIOWIRE_TEST_TIMEOUT=0.05 exec $aiowire s.lua",
        { ["s.lua"] = script }
      )
      contains(outcome.out, "false")
      assert.are.equal(0, outcome.code)
    end)

  it("is not one that ends within its limit [K6]", sealed(function()
    aw.test({ limit = 60 }, function()
      for _ = 1, 1000 do
        aw.yield()
      end
      aw.sleep(1e6)
    end)
  end))
end)
