-- Cancels and deadlines of scopes [C4], and which Cancelled a scope absorbs
-- [C5].

local aw = require "aiowire"
local helper = require "spec.support.helper"

local test, recorder, closer = helper.test, helper.recorder, helper.closer
local caught = helper.caught

describe("a deadline", function()
  it("is a part of its scope, no task [C4]", function()
    test(function()
      local before = aw.stats().tasks
      local counts = {}
      aw.scope({ timeout = 10 }, function()
        counts[1] = aw.stats().tasks
      end)
      aw.timeout(10, function()
        counts[2] = aw.stats().tasks
      end)
      assert.are.same({ before, before }, counts)
    end)
  end)

  it("cancels all that is below its scope [C4]", function()
    test(function(ev)
      local log, note = recorder()
      aw.scope({ timeout = 2 }, function(s)
        s:start(function()
          aw.scope(function(deeper)
            deeper:start(aw.Sleep(1) >> aw.Call(note, "in time"))
            deeper:start(aw.Sleep(3) >> aw.Call(note, "late"))
          end)
        end)
        s:start(aw.Sleep(3) >> aw.Call(note, "late"))
      end)
      assert.are.same({ "in time" }, log)
      assert.are.equal(2, ev:now())
    end)
  end)

  it("cancels nothing once its scope is left [C4]", function()
    test(function(ev)
      aw.timeout(1, aw.sleep, 0.5)
      aw.scope({ timeout = 1 }, function()
        aw.sleep(0.5)
      end)
      aw.sleep(10)
      assert.are.equal(11, ev:now())
    end)
  end)

  it("becomes a Timeout where that is asked for [C4]", function()
    test(function(ev)
      local err = caught(aw.timeout, 2, aw.sleep, 100)
      assert.is_true(aw.is_timeout(err))
      assert.are.equal(2, err.after)
      assert.are.equal(2, ev:now())
    end)
  end)

  it("passes arguments and results through aw.timeout [C4]", function()
    test(function()
      local got = table.pack(aw.timeout(2, function(...)
        aw.sleep(1)
        return select("#", ...), ...
      end, "a", nil, "b"))
      assert.are.same({ 3, "a", nil, "b", n = 4 }, got)
    end)
  end)

  it("passes errors raw through aw.timeout [C4]", function()
    test(function()
      local boom = {}
      local err = caught(aw.timeout, 2, function()
        aw.sleep(1)
        error(boom)
      end)
      assert.are.equal(boom, err)
    end)
  end)

  it("raises Timeout after the clean-up below it [C4]", function()
    test(function(ev)
      local log, note = recorder()
      pcall(aw.timeout, 1, function()
        local _ <close> = closer(function()
          aw.shield(function()
            aw.sleep(2)
          end)
          note "cleaned up"
        end)
        aw.sleep(100)
      end)
      note "raised"
      assert.are.same({ "cleaned up", "raised" }, log)
      assert.are.equal(3, ev:now())
    end)
  end)
end)

describe("a scope left with Cancelled", function()
  it("absorbs it when only itself is cancelled [C5]", function()
    test(function()
      local log, note = recorder()
      aw.scope(function(outer)
        aw.scope(function(inner)
          inner:cancel()
          aw.sleep(1)
        end)
        note "in outer"
        aw.sleep(1)
        note "still in outer"
        outer:cancel()
        aw.sleep(1)
        note "never"
      end)
      note "outside"
      assert.are.same({ "in outer", "still in outer", "outside" }, log)
    end)
  end)

  it("lets it through when an outer one is cancelled [C5]", function()
    test(function()
      local log, note = recorder()
      aw.scope(function(outer)
        aw.scope(function(inner)
          inner:cancel()
          outer:cancel()
          aw.sleep(1)
        end)
        note "never"
      end)
      note "outside"
      assert.are.same({ "outside" }, log)
    end)
  end)

  it("lets it through when an outer one is cancelled later [C5]", function()
    test(function(ev)
      local log, note = recorder()
      aw.scope(function(outer)
        aw.scope(function(inner)
          local _ <close> = closer(function()
            aw.shield(function()
              aw.sleep(1)
              outer:cancel()
              aw.sleep(1)
              note "cleaned up"
            end)
          end)
          inner:cancel()
          aw.sleep(100)
        end)
        note "never"
      end)
      note "outside"
      assert.are.same({ "cleaned up", "outside" }, log)
      assert.are.equal(2, ev:now())
    end)
  end)

  it("lets it through when only an outer one is cancelled [C5]", function()
    test(function()
      local log, note = recorder()
      aw.scope(function(outer)
        aw.scope(function()
          outer:cancel()
          aw.sleep(1)
        end)
        note "never"
      end)
      note "outside"
      assert.are.same({ "outside" }, log)
    end)
  end)

  it("absorbs it inside a shield that hides the outer one [C5]", function()
    test(function()
      local log, note = recorder()
      aw.scope(function(outer)
        outer:cancel()
        aw.shield(function()
          aw.scope(function(inner)
            inner:cancel()
            aw.sleep(1)
          end)
          note "in the shield"
          aw.sleep(1)
          note "still there"
        end)
        aw.sleep(1)
        note "never"
      end)
      note "outside"
      assert.are.same({ "in the shield", "still there", "outside" }, log)
    end)
  end)

  it("reports the outermost of the deadlines that expired [C5]", function()
    test(function(ev)
      local err = caught(aw.timeout, 2, function()
        aw.timeout(1, function()
          local _ <close> = closer(function()
            aw.shield(function()
              aw.sleep(2)
            end)
          end)
          aw.sleep(100)
        end)
      end)
      assert.is_true(aw.is_timeout(err))
      assert.are.equal(2, err.after)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("reports the inner deadline if the outer is not due [C5]", function()
    test(function()
      local err = caught(aw.timeout, 2, function()
        aw.timeout(1, aw.sleep, 100)
      end)
      assert.are.equal(1, err.after)
    end)
  end)
end)
