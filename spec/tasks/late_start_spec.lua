--- Late starts: in a scope whose join has just ended but which its task has not
--- closed yet [S2], in a scope that has been left [S1], and in a loop whose
--- last task is ending [L2].
---
--- A join ends in one turn, and the scope is closed in a later turn. The tasks
--- that run between them depend on the number of turns, so the specs try each
--- number from 0 to TURNS.

local aw = require "aiowire"
local helper = require "spec.support.helper"

local test, recorder, nop = helper.test, helper.recorder, helper.nop

local TURNS <const> = 8

--- Yield `n` times.
local function turns(n)
  for _ = 1, n do
    aw.yield()
  end
end

--- Run `leave(use)` in a task. `leave` opens a scope, passes the scope to
--- `use`, and leaves the scope. After 0, 1, … TURNS turns another task calls
--- `late(scope, owner, n)`.
local function in_between(leave, late)
  for n = 0, TURNS do
    test(function(ev)
      local scope
      local owner = ev:start(function()
        leave(function(s)
          scope = s
        end)
      end, nop)
      turns(n)
      if scope then
        late(scope, owner, n)
      end
      pcall(owner.wait, owner)
    end)
  end
end

--- Ways to leave a scope, most of them with a child that ends at once.
local WAYS <const> = {
  ["when its body ends"] = function(use)
    aw.scope(function(s)
      use(s)
      s:start(nop)
    end)
  end,
  ["without a child"] = function(use)
    for _ = 1, 70 do -- uses up the budget of awaits that do not yield
      aw.scope(use)
    end
  end,
  ["with an error"] = function(use)
    aw.scope(function(s)
      use(s)
      s:start(nop)
      error("left", 0)
    end)
  end,
  ["by its cancel"] = function(use)
    aw.scope(function(s)
      use(s)
      s:start(nop)
      s:cancel()
      aw.yield()
    end)
  end,
  ["inside a time-out"] = function(use)
    aw.timeout(9, aw.scope, function(s)
      use(s)
      s:start(nop)
    end)
  end,
  ["inside a shield"] = function(use)
    aw.shield(function()
      aw.scope(function(s)
        use(s)
        s:start(nop)
      end)
    end, 9)
  end,
  ["in a finally"] = function(use)
    aw.await(aw.Value():finally(function()
      aw.scope(function(s)
        use(s)
        s:start(nop)
      end)
    end))
  end,
  ["in a catch"] = function(use)
    aw.await(aw.Call(error, "caught"):catch(function()
      aw.scope(function(s)
        use(s)
        s:start(nop)
      end)
    end))
  end,
}

for way, leave in pairs(WAYS) do
  describe("a scope that is left " .. way, function()
    it("joins what another task starts in it, or refuses it [S2]", function()
      in_between(leave, function(scope, owner)
        local ran
        local ok, child = pcall(scope.start, scope, function()
          ran = "begun"
          local _ <close> = helper.closer(function()
            ran = "ended"
          end)
          aw.sleep(1)
        end)
        pcall(owner.wait, owner)
        if ok then
          assert.are.equal("ended", ran)
          assert.are_not.equal("waiting", child.status)
        else
          assert.is_nil(ran)
          assert.matches("this scope has been left", child)
        end
      end)
    end)

    it("may be cancelled at any time, or refuses that [S1]", function()
      in_between(leave, function(scope, owner)
        local ok, err = pcall(scope.cancel, scope, "late")
        pcall(owner.wait, owner)
        assert.is_true(ok or err:find("this scope has been left", 1, true)
          ~= nil)
      end)
    end)

    it("ends as its late child makes it end [S3]", function()
      in_between(leave, function(scope, owner)
        local ok = pcall(scope.start, scope, function()
          aw.sleep(1)
          error("late", 0)
        end)
        local ended, err = helper.join(owner)
        if ok and way ~= "with an error" and way ~= "by its cancel" then
          assert.is_false(ended)
          assert.are.equal("late", err)
        end
      end)
    end)
  end)
end

describe("a scope that is kept", function()
  it("refuses to start once it has been left [S1]", function()
    test(function()
      local kept
      aw.scope(function(s)
        kept = s
      end)
      assert.has_error(function()
        kept:start(nop)
      end)
      assert.matches("this scope has been left",
        select(2, pcall(kept.start, kept, nop)))
    end)
  end)

  it("starts what the `<close>` of its own body starts [S2]", function()
    test(function()
      local log, note = recorder()
      aw.scope(function(s)
        local _ <close> = helper.closer(function()
          s:start(aw.Sleep(1) >> aw.Call(note, "child"))
        end)
        note "body"
      end)
      note "left"
      assert.are.same({ "body", "child", "left" }, log)
    end)
  end)

  it("starts what the clean-up of a child starts in it [S2]", function()
    test(function()
      local log, note = recorder()
      aw.scope(function(s)
        s:start(aw.Call(note, "child"):finally(function()
          s:start(aw.Sleep(1) >> aw.Call(note, "clean-up"))
        end))
      end)
      note "left"
      assert.are.same({ "child", "clean-up", "left" }, log)
    end)
  end)

  it("starts what the handler of its last child starts [E9]", function()
    test(function()
      local log, note = recorder()
      aw.scope(function(s)
        s:start(aw.Call(error, "child"), function()
          s:start(aw.Sleep(1) >> aw.Call(note, "handled"))
        end)
      end)
      note "left"
      assert.are.same({ "handled", "left" }, log)
    end)
  end)

  it("refuses to start after a finalizer has ended it [S1]",
    function()
      helper.outside(function()
        local kept, closed
        local ev = helper.virtual()
        local owner = ev:start(function()
          aw.scope(function(s)
            kept = s
            aw.sleep(9)
          end)
        end)
        -- Begins the loop and leaves it unfinished.
        ev:start(aw.Sleep(1):shielded(2)):close()
        if not kept then
          return -- a handler cannot drive a loop
        end
        setmetatable({}, {
          __gc = function()
            owner:close()
            closed = true
          end,
        })
        while not closed do -- each start may run the collector
          pcall(kept.start, kept, function() end)
        end
        ev:close()
      end)
    end)
end)

describe("a loop whose last task is ending", function()
  it("runs what the handler of that task starts [E7, L2]", function()
    local log, note = recorder()
    helper.with_loop(function(ev)
      ev:start(aw.Call(error, "last"), function()
        note "handler"
        ev:start(aw.Sleep(1) >> aw.Call(note, "started"))
      end)
      assert.are.equal("done", ev:run())
    end)
    assert.are.same({ "handler", "started" }, log)
  end)
end)
