-- Scopes: which tasks they own, when they end, and which errors leave them
-- [S1-S4].
--
-- All specs run on a virtual clock, since they check the order of events. Times
-- are whole virtual seconds, so specs may compare them for equality.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local texts = require "spec.support.texts"

local test, recorder, closer = helper.test, helper.recorder, helper.closer
local sealed, virtual, contains = helper.sealed, helper.virtual, texts.contains

describe("a scope", function()
  it("runs its body in the running task [S1]", function()
    test(function()
      local inside
      aw.scope(function()
        inside = aw.current().id
      end)
      assert.are.equal(aw.current().id, inside)
    end)
  end)

  it("returns what its body returns, nil kept [S1]", function()
    test(function()
      local got = table.pack(aw.scope(function()
        aw.sleep(1)
        return 1, nil, 3
      end))
      assert.are.same({ 1, nil, 3, n = 3 }, got)
    end)
  end)

  it("has a text that says if it is open [S1]", function()
    test(function()
      local kept
      aw.scope(function(s)
        kept = s
        assert.are.equal("scope (open)", tostring(s))
      end)
      assert.are.equal("scope (left)", tostring(kept))
    end)
  end)

  it("takes options before its body [S1]", function()
    test(function()
      local got = aw.scope({ name = "party" }, function()
        aw.sleep(1)
        return "over"
      end)
      assert.are.equal("over", got)
    end)
  end)

  it("runs its children beside its body [S1]", function()
    test(function()
      local log, note = recorder()
      aw.scope(function(s)
        s:start(function()
          note "child 1"
          aw.sleep(2)
          note "child 3"
        end)
        aw.sleep(1)
        note "body 2"
        aw.sleep(2)
        note "body 4"
      end)
      assert.are.same({ "child 1", "body 2", "child 3", "body 4" }, log)
    end)
  end)

  it("runs no child before its body gives way [S1]", function()
    test(function()
      local log, note = recorder()
      aw.scope(function(s)
        s:start(function()
          note "child"
        end)
        note "body"
      end)
      assert.are.same({ "body", "child" }, log)
    end)
  end)

  it("gives the task of each child it starts [S1]", function()
    test(function()
      local a, b
      aw.scope(function(s)
        local t = s:start(aw.Sleep(1) >> aw.Value("x", "y"))
        a, b = t:wait()
      end)
      assert.are.same({ "x", "y" }, { a, b })
    end)
  end)

  it("ends early with nil and the reason when cancelled [S1]", function()
    test(function(ev)
      local got = table.pack(aw.scope(function(s)
        s:cancel("enough")
        aw.sleep(100)
        return "not reached"
      end))
      assert.is_nil(got[1])
      assert.are.equal("cancelled", got[2])
      assert.are.equal("enough", got[3])
      assert.are.equal(0, ev:now())
    end)
  end)

  it("may be cancelled by one of its children [S1]", function()
    test(function(ev)
      local first, how, reason = aw.scope(function(s)
        s:start(function()
          aw.sleep(1)
          s:cancel("child says so")
        end)
        aw.sleep(100)
      end)
      assert.is_nil(first)
      assert.are.equal("cancelled", how)
      assert.are.equal("child says so", reason)
      assert.are.equal(1, ev:now())
    end)
  end)

  it("cancels nothing outside itself [S1]", function()
    test(function(ev)
      local log, note = recorder()
      ev:start(aw.Sleep(2) >> aw.Call(note, "bystander"))
      aw.scope(function(outer)
        outer:start(aw.Sleep(3) >> aw.Call(note, "uncle"))
        aw.scope(function(inner)
          inner:start(aw.Sleep(4) >> aw.Call(note, "never"))
          inner:cancel()
          aw.sleep(100)
        end)
        aw.sleep(1)
        note "body goes on"
      end)
      assert.are.same({ "body goes on", "bystander", "uncle" }, log)
    end)
  end)

  it("refuses a body that is not a function [S1]", function()
    test(function()
      helper.raises("bad argument #1 to 'scope'", function()
        aw.scope(42)
      end)
    end)
  end)

  it("refuses a child that is not a wire [S1]", function()
    test(function()
      local ran = false
      aw.scope(function(s)
        helper.raises("wire expected, got number", function()
          s:start(42)
        end)
        s:start(function()
          ran = true
        end)
      end)
      assert.is_true(ran)
    end)
  end)
end)

describe("leaving a scope", function()
  it("waits for the last child [S2]", function()
    test(function(ev)
      local log, note = recorder()
      aw.scope(function(s)
        s:start(aw.Sleep(3) >> aw.Call(note, "slow"))
        s:start(aw.Sleep(1) >> aw.Call(note, "quick"))
        note "body"
      end)
      note "after"
      assert.are.same({ "body", "quick", "slow", "after" }, log)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("waits for children that the children start [S2]", function()
    test(function()
      local log, note = recorder()
      aw.scope(function(s)
        s:start(function()
          s:start(aw.Sleep(2) >> aw.Call(note, "grandchild"))
          note "child"
        end)
      end)
      note "after"
      assert.are.same({ "child", "grandchild", "after" }, log)
    end)
  end)

  it("waits for a background child [S2, T2]", function()
    test(function(ev)
      local log, note = recorder()
      aw.scope(function(s)
        s:start(aw.Sleep(3) >> aw.Call(note, "helper"), nil,
          { background = true })
        note "body"
      end)
      note "after"
      assert.are.same({ "body", "helper", "after" }, log)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("ends a helper that is tied to its body, and goes on [S2, T7]", function()
    test(function(ev)
      local log, note = recorder()
      local result = aw.scope(function(s)
        local _ <close> = s:start(aw.Never:finally(function()
          note "helper"
        end))
        s:start(aw.Sleep(3) >> aw.Call(note, "child"))
        aw.sleep(1)
        note "body"
        return "result"
      end)
      assert.are.equal("result", result)
      assert.are.same({ "body", "helper", "child" }, log)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("does not wait without children [S2]", function()
    test(function(ev)
      local log, note = recorder()
      ev:start(aw.Call(note, "other"))
      aw.scope(function()
        note "body"
      end)
      assert.are.equal(0, ev:now())
      assert.are.equal("body", log[1])
    end)
  end)

  it("waits for the shielded clean-up of cancelled children [S2]", function()
    test(function(ev)
      local log, note = recorder()
      aw.scope(function(s)
        s:start(function()
          local _ <close> = closer(function()
            aw.shield(function()
              aw.sleep(2)
            end)
            note "cleaned up"
          end)
          aw.sleep(100)
        end)
        aw.sleep(1)
        s:cancel()
      end)
      note "after"
      assert.are.same({ "cleaned up", "after" }, log)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("cannot be cancelled, only the children can [S2]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(function()
        local _ <close> = closer(function()
          note "task"
        end)
        aw.scope(function(s)
          s:start(function()
            local _ <close> = closer(function()
              aw.shield(function()
                aw.sleep(2)
              end)
              note "child"
            end)
            aw.sleep(100)
          end)
          note "joining"
        end)
      end)
      aw.sleep(1)
      t:cancel()
      note "cancelled"
      helper.join(t)
      assert.are.same({ "joining", "cancelled", "child", "task" }, log)
      assert.are.equal(3, ev:now())
    end)
  end)

  for how, leave in pairs {
    ["by its end"] = function() end,
    ["by an error"] = function()
      error("left", 0)
    end,
    ["by a cancel"] = function(s)
      s:cancel()
      aw.sleep(1)
    end,
    ["by its deadline"] = function()
      aw.sleep(200)
    end,
  } do
    it("unlinks scope and deadline when left " .. how .. " [S2]", function()
      test(function()
        local before = aw.stats()
        pcall(aw.scope, { timeout = 100 }, leave)
        local after = aw.stats()
        assert.are.equal(before.scopes, after.scopes)
        assert.are.equal(before.deadlines, after.deadlines)
      end)
    end)
  end

  it("keeps scope and deadline until then [S2]", function()
    test(function()
      local before, during = aw.stats(), nil
      aw.scope({ timeout = 100 }, function()
        during = aw.stats()
      end)
      assert.is_true(during.scopes > before.scopes)
      assert.is_true(during.deadlines > before.deadlines)
    end)
  end)
end)

describe("a scope that something goes wrong in", function()
  it("cancels its children for an error of its body [S3]", function()
    test(function(ev)
      local log, note = recorder()
      local boom = {}
      local ok, err = pcall(aw.scope, function(s)
        s:start(function()
          local _ <close> = closer(function(e)
            note(aw.is_cancelled(e) and "child cancelled" or e)
          end)
          aw.sleep(100)
        end)
        aw.sleep(1)
        error(boom)
      end)
      note "out"
      assert.is_false(ok)
      assert.are.equal(boom, err)
      assert.are.same({ "child cancelled", "out" }, log)
      assert.are.equal(1, ev:now())
    end)
  end)

  it("cancels body and siblings for an error of a child [S3]", function()
    test(function(ev)
      local log, note = recorder()
      local boom = {}
      local ok, err = pcall(aw.scope, function(s)
        s:start(function()
          local _ <close> = closer(function(e)
            note(aw.is_cancelled(e) and "sibling cancelled" or e)
          end)
          aw.sleep(100)
        end)
        s:start(function()
          aw.sleep(1)
          error(boom)
        end)
        local _ <close> = closer(function(e)
          note(aw.is_cancelled(e) and "body cancelled" or e)
        end)
        aw.sleep(100)
      end)
      table.sort(log)
      note "out"
      assert.is_false(ok)
      assert.are.equal(boom, err)
      assert.are.same({ "body cancelled", "sibling cancelled", "out" }, log)
      assert.are.equal(1, ev:now())
    end)
  end)

  it("raises a child's error after the clean-up of the others [S3]", function()
    test(function()
      local log, note = recorder()
      pcall(aw.scope, function(s)
        s:start(function()
          local _ <close> = closer(function()
            aw.shield(function()
              aw.sleep(2)
            end)
            note "cleaned up"
          end)
          aw.sleep(100)
        end)
        s:start(function()
          aw.sleep(1)
          note "fails"
          error "child"
        end)
      end)
      note "out"
      assert.are.same({ "fails", "cleaned up", "out" }, log)
    end)
  end)

  it("raises a child's error though its body ended well [S3]", function()
    test(function()
      local boom = {}
      local ok, err = pcall(aw.scope, function(s)
        s:start(function()
          aw.sleep(1)
          error(boom)
        end)
        return "fine"
      end)
      assert.is_false(ok)
      assert.are.equal(boom, err)
    end)
  end)

  it("raises a child's error though its body swallows Cancelled [S3]",
    function()
      test(function()
        local boom = {}
        local ok, err = pcall(aw.scope, function(s)
          s:start(function()
            aw.sleep(1)
            error(boom)
          end)
          pcall(aw.sleep, 100)
          return "fine"
        end)
        assert.is_false(ok)
        assert.are.equal(boom, err)
      end)
    end)

  it("absorbs its own cancel, and the task may await again [S3]", function()
    test(function(ev)
      local log, note = recorder()
      aw.scope(function(s)
        s:start(aw.Sleep(100) >> aw.Call(note, "never"))
        s:cancel()
        aw.sleep(100)
      end)
      aw.sleep(1)
      note "goes on"
      assert.are.same({ "goes on" }, log)
      assert.are.equal(1, ev:now())
    end)
  end)

  it("lets Cancelled go on where the task is cancelled too [S3]", function()
    test(function(ev)
      local log, note = recorder()
      local t
      t = ev:start(function()
        aw.scope(function(s)
          aw.sleep(1)
          s:cancel()
          t:cancel()
          aw.sleep(100)
        end)
        note "never"
      end)
      local ok, err = helper.join(t)
      assert.is_false(ok)
      assert.is_true(aw.is_task_cancelled(err))
      assert.are.same({}, log)
      assert.are.equal("cancelled", t.status)
    end)
  end)

  it("raises an error of the clean-up after a cancel [S3]", function()
    test(function()
      local boom = {}
      local ok, err = pcall(aw.scope, function(s)
        s:start(function()
          local _ <close> = closer(function()
            error(boom)
          end)
          aw.sleep(100)
        end)
        aw.sleep(1)
        s:cancel()
        aw.sleep(100)
      end)
      assert.is_false(ok)
      assert.are.equal(boom, err)
    end)
  end)

  it("does not fail when a child cancels itself [S3]", function()
    test(function()
      local log, note = recorder()
      local got = aw.scope(function(s)
        local t = s:start(aw.Sleep(100) >> aw.Call(note, "never"))
        s:start(aw.Sleep(2) >> aw.Call(note, "sibling"))
        aw.sleep(1)
        t:cancel()
        aw.sleep(2)
        note "body"
        return "fine"
      end)
      assert.are.equal("fine", got)
      assert.are.same({ "sibling", "body" }, log)
    end)
  end)

  it("ends with nil after its time-out [S3]", function()
    test(function(ev)
      local first, how = aw.scope({ timeout = 2 }, function(s)
        s:start(aw.Never)
        aw.sleep(100)
      end)
      assert.is_nil(first)
      assert.are.equal("cancelled", how)
      assert.are.equal(2, ev:now())
      aw.sleep(1)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("gives its results when it ends before its time-out [S3]", function()
    test(function(ev)
      local got = aw.scope({ timeout = 2 }, function()
        aw.sleep(1)
        return "in time"
      end)
      aw.sleep(5)
      assert.are.equal("in time", got)
      assert.are.equal(6, ev:now())
    end)
  end)
end)

describe("what opens a scope", function()
  --- Returns a body that notes "hasty" and returns a slow wire. Where something
  --- follows the body, this wire is spun off.
  local function hasty(note)
    return function()
      note "hasty"
      return aw.Sleep(2) >> aw.Call(note, "slow")
    end
  end

  it("is a task: it ends after what it spun off [S4]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(hasty(note) >> aw.Call(note, "second"))
      t:wait()
      note "task ended"
      assert.are.same({ "hasty", "second", "slow", "task ended" }, log)
    end)
  end)

  it("is a time-out: it ends after what was spun off in it [S4]", function()
    test(function()
      local log, note = recorder()
      aw.timeout(10, function()
        aw.await(hasty(note) >> aw.Call(note, "second"))
      end)
      note "left"
      assert.are.same({ "hasty", "second", "slow", "left" }, log)
    end)
  end)

  it("is aw.scope: it ends after what was spun off in it [S4]", function()
    test(function()
      local log, note = recorder()
      aw.scope(function()
        aw.await(hasty(note) >> aw.Call(note, "second"))
        note "body"
      end)
      note "left"
      assert.are.same({ "hasty", "second", "body", "slow", "left" }, log)
    end)
  end)

  for form, build in pairs {
    [">>"] = function(hasty_body)
      return hasty_body >> aw.Value()
    end,
    ["*"] = function(hasty_body)
      return hasty_body * 2
    end,
  } do
    it("is not " .. form .. ": it ends before what it spun off [S4]",
      function()
        test(function()
          local log, note = recorder()
          aw.scope(function()
            local count = 0
            aw.await(build(aw.Wire(function()
              count = count + 1
              if count == 1 then
                return aw.Sleep(2) >> aw.Call(note, "slow")
              end
            end)))
            note "ended"
          end)
          assert.are.same({ "ended", "slow" }, log)
        end)
      end)
  end

  it("is not Forever: its spin-offs overlap its iterations [S4]", function()
    test(function()
      local log, note = recorder()
      aw.scope({ timeout = 2.5 }, function()
        local round = 0
        aw.await(aw.Forever(function()
          round = round + 1
          note("round " .. round)
          aw.sleep(1)
          if round == 1 then
            return aw.Sleep(0.5) >> aw.Call(note, "slow")
          end
        end))
      end)
      assert.are.same({ "round 1", "round 2", "slow", "round 3" }, log)
    end)
  end)
end)

describe("a scope that a generator leaves open", function()
  --- Returns a generator that has opened a scope in the running task and has
  --- yielded inside it.
  local function generator()
    local step = aw.wrap(function()
      aw.scope(function()
        coroutine.yield()
      end)
    end)
    step()
    return step
  end

  it("is not left in the wrong order [S2]", sealed(function()
    local ok, err = pcall(aw.run, function()
      local step = generator()
      aw.scope(function()
        step()
      end)
    end)
    assert.is_false(ok)
    contains(err, "a scope must be left")
  end))

  it("does no harm when the generator is dropped [S2]", sealed(function()
    local ev = virtual()
    local task = ev:start(function()
      local step = generator() -- luacheck: ignore
      step = nil
      collectgarbage()
      aw.sleep(1)
    end)
    assert.are.equal("done", ev:run())
    assert.are.equal("done", task.status)
  end))
end)
