-- The time limits of a task: aw.deadline() reads them, aw.extend() and
-- s:extend() move them.

local aw = require "aiowire"
local helper = require "spec.support.helper"

local closer, in_task, outside = helper.closer, helper.in_task, helper.outside

--- Check that the text of the error of `f()` is the first line of `f`, then
--- `text`.
local function raises(text, f)
  local at = debug.getinfo(f, "S")
  assert.are.equal(("%s:%d: %s"):format(at.short_src, at.linedefined, text),
    helper.caught(f))
end

local function sleep_on()
  aw.sleep(math.huge)
end

describe("aw.deadline()", function()
  it("is nil if no limit applies [K8]", in_task(function()
    assert.is_nil(aw.deadline())
    aw.scope(function()
      assert.is_nil(aw.deadline())
    end)
  end))

  it("is nil outside of tasks [K8]", function()
    outside(function()
      assert.is_nil(aw.deadline())
    end)
  end)

  it("is the time of the nearest limit, on the clock of aw.now() [K8]",
    in_task(function()
      aw.sleep(1)
      aw.timeout(10, function()
        assert.are.equal(11, aw.deadline())
        aw.timeout(20, function()
          assert.are.equal(11, aw.deadline())
        end)
        aw.scope({ timeout = 3 }, function()
          assert.are.equal(4, aw.deadline())
          aw.sleep(1)
          assert.are.equal(2, aw.deadline() - aw.now())
        end)
        assert.are.equal(11, aw.deadline())
      end)
      assert.is_nil(aw.deadline())
    end))

  it("includes the limits of wires [K8]", in_task(function()
    local seen = {}
    local function look()
      seen[#seen + 1] = aw.deadline()
    end
    aw.await(aw.Call(look):timeout(5))
    aw.await(aw.Call(look):retry { within = 6 })
    aw.await((aw.Call(look) & aw.Call(look)):timeout(7))
    aw.await(aw.Call(look):timeout(8):finally(helper.nop))
    assert.are.same({ 5, 6, 7, 7, 8 }, seen)
  end))

  it("includes the limits of scopes around the task", in_task(function()
    aw.scope({ timeout = 3 }, function(s)
      s:start(function()
        assert.are.equal(3, aw.deadline())
        aw.timeout(2, function()
          assert.are.equal(2, aw.deadline())
        end)
      end)
    end)
  end))

  it("includes the time-outs of the loop and those around [K8]", function()
    helper.with_loop(function(ev)
      ev:start(function()
        assert.are.equal(9, aw.deadline())
        aw.run(function()
          assert.are.equal(9, aw.deadline())
          aw.timeout(4, function()
            aw.run(function()
              assert.are.equal(4, aw.deadline())
            end, { timeout = 5 })
          end)
        end)
      end)
      ev:run(9)
    end)
  end)

  it("does not include limits that a shield hides, nor the shield's [C7]",
    in_task(function()
      aw.timeout(2, function()
        aw.shield(function()
          assert.is_nil(aw.deadline())
          aw.timeout(5, function()
            assert.are.equal(5, aw.deadline())
          end)
        end, 60)
        aw.await(aw.Call(function()
          assert.is_nil(aw.deadline())
        end):shielded(60))
        assert.are.equal(2, aw.deadline())
      end)
    end))

  it("includes limits outside an expired shield [K8]", in_task(function()
    aw.timeout(20, function()
      aw.shield(function()
        aw.sleep(3)
        assert.are.equal(20, aw.deadline())
      end, 2)
    end)
  end))

  it("is now in a task that is cancelled [K8]", in_task(function()
    pcall(aw.timeout, 2, function()
      pcall(aw.sleep, 9)
      assert.are.equal(2, aw.deadline())
      aw.shield(function()
        assert.is_nil(aw.deadline())
        aw.sleep(1)
      end)
      assert.are.equal(3, aw.deadline())
    end)
  end))
end)

describe("aw.extend(seconds)", function()
  it("moves the innermost limit to that long from now [K8]", in_task(function()
    aw.timeout(60, function()
      local err = helper.caught(aw.timeout, 2, function()
        for _ = 1, 5 do
          aw.sleep(1)
          aw.extend(2)
        end
        assert.are.equal(7, aw.deadline())
        sleep_on()
      end)
      assert.are.equal(7, aw.now())
      assert.is_true(aw.is_timeout(err))
      assert.are.equal(7, err.after)
    end)
  end))

  it("may shorten it [K8]", in_task(function()
    local err = helper.caught(aw.timeout, 60, function()
      aw.sleep(1)
      aw.extend(0.5)
      sleep_on()
    end)
    assert.are.equal(1.5, aw.now())
    assert.are.equal(1.5, err.after)
  end))

  it("with 0 ends the limit at the next await [K8]", in_task(function()
    local err = helper.caught(aw.timeout, 60, function()
      aw.extend(0)
      sleep_on()
    end)
    assert.is_true(aw.is_timeout(err))
    assert.are.equal(0, aw.now())
  end))

  it("leaves limits further out as they were [K8]", in_task(function()
    aw.timeout(5, function()
      aw.scope({ timeout = 2 }, function()
        aw.extend(9)
        assert.are.equal(5, aw.deadline())
      end)
    end)
  end))

  it("moves that of a wire, and the time in its error [K8]", in_task(function()
    local err = helper.caught(aw.await, aw.Wire(function()
      aw.sleep(1)
      aw.extend(2)
      sleep_on()
    end):timeout(2))
    assert.are.equal(3, err.after)
    assert.are.equal(3, aw.now())
  end))

  it("moves the limit of a scope around the task", in_task(function()
    aw.scope({ timeout = 2 }, function(s)
      s:start(function()
        aw.sleep(1)
        aw.extend(4)
      end)
      assert.is_false(pcall(sleep_on))
    end)
    assert.are.equal(5, aw.now())
  end))

  it("moves the time-out of the loop [K8]", function()
    helper.with_loop(function(outer)
      outer:start(function()
        local err = helper.caught(aw.run, function()
          aw.sleep(1)
          aw.extend(3)
          sleep_on()
        end, { timeout = 2 })
        assert.are.equal(4, err.after)
        assert.are.equal(4, aw.now())
      end)
      outer:run()
    end)
  end)

  it("needs a limit [K8]", in_task(function()
    raises("this task has no time limit to extend", function() aw.extend(1) end)
    aw.timeout(5, function()
      aw.shield(function()
        raises("this task has no time limit to extend",
          function() aw.extend(1) end)
      end)
    end)
  end))

  it("needs a limit in clean-up for an error, too [K8]", in_task(function()
    local deadline, ok, err = 0, nil, nil
    local function fails()
      local _ <close> = closer(function()
        aw.yield()
        deadline = aw.deadline()
        ok, err = pcall(aw.extend, 1)
      end)
      error "boom"
    end
    assert.is_false(pcall(aw.await, aw.Call(fails)))
    assert.is_nil(deadline)
    assert.is_false(ok)
    assert.are.equal("this task has no time limit to extend",
      (err:gsub("^.-:%d+: ", "")))
  end))

  it("comes too late when the limit is over [K8]", in_task(function()
    pcall(aw.timeout, 1, function()
      pcall(sleep_on)
      raises("too late to extend: the time of this task is over",
        function() aw.extend(1) end)
    end)
    assert.are.equal(1, aw.now())
  end))

  it("comes too late in a task that is cancelled [K8]", in_task(function(ev)
    local t = ev:start(aw.Call(aw.timeout, 9, function()
      pcall(sleep_on)
      raises("too late to extend: this task is cancelled",
        function() aw.extend(1) end)
    end))
    aw.yield()
    t:cancel_wait()
  end))

  it("needs a running task [K8]", function()
    outside(function()
      raises("aw.extend needs a running task", function() aw.extend(1) end)
    end)
  end)

  it("takes a number of seconds, none of which is endless [K8]",
    in_task(function()
      for text, seconds in pairs {
        ["seconds must not be negative"] = -1,
        ["seconds must not be NaN"] = 0 / 0,
        ["seconds must be finite"] = math.huge,
        ["number expected, got table"] = {},
      } do
        raises(("bad argument #1 to 'extend' (%s)"):format(text),
          function() aw.extend(seconds) end)
      end
      aw.timeout(1, function()
        aw.extend(1e300) -- clamped
        aw.sleep(2)
      end)
    end))
end)

describe("s:extend(seconds)", function()
  it("moves the limit of that scope [K8]", in_task(function()
    local how = table.pack(aw.scope({ timeout = 2 }, function(s)
      aw.scope({ timeout = 4 }, function()
        aw.sleep(1)
        s:extend(2)
        assert.are.equal(3, aw.deadline())
        sleep_on()
      end)
    end))
    assert.are.same({ nil, "cancelled", "timeout", n = 3 }, how)
    assert.are.equal(3, aw.now())
  end))

  it("may come from another task [K8]", in_task(function(ev)
    local outer
    local t = ev:start(function()
      aw.scope({ timeout = 2 }, function(s)
        outer = s
        sleep_on()
      end)
    end)
    aw.sleep(1)
    outer:extend(5)
    t:wait()
    assert.are.equal(6, aw.now())
  end))

  it("moves it while the scope waits for its children", in_task(function(ev)
    local outer
    ev:start(function()
      aw.sleep(1)
      outer:extend(5)
    end)
    aw.scope({ timeout = 2 }, function(s)
      outer = s
      s:start(sleep_on)
    end)
    assert.are.equal(6, aw.now())
  end))

  it("needs a limit of that scope itself [K8]", in_task(function()
    aw.timeout(9, function()
      aw.scope(function(s)
        raises("this scope has no time limit to extend",
          function() s:extend(1) end)
      end)
    end)
  end))

  it("comes too late when its time is over [K8]", in_task(function()
    aw.scope({ timeout = 1 }, function(s)
      pcall(sleep_on)
      raises("too late to extend: the time of this scope is over",
        function() s:extend(1) end)
    end)
  end))

  it("comes too late when it is cancelled [K8]", in_task(function()
    aw.scope({ timeout = 1 }, function(s)
      s:cancel()
      raises("too late to extend: this scope is cancelled",
        function() s:extend(1) end)
    end)
  end))

  it("comes too late when it has been left [K8]", in_task(function()
    local left
    aw.scope({ timeout = 1 }, function(s) left = s end)
    raises("this scope has been left", function() left:extend(1) end)
  end))

  it("takes a number of seconds, none of which is endless [K8]",
    in_task(function()
      aw.scope({ timeout = 1 }, function(s)
        for text, seconds in pairs {
          ["seconds must not be negative"] = -1,
          ["seconds must not be NaN"] = 0 / 0,
          ["seconds must be finite"] = math.huge,
        } do
          raises(("bad argument #1 to 'extend' (%s)"):format(text),
            function() s:extend(seconds) end)
        end
        raises("bad argument #1 to 'extend' (number expected, got no value)",
          function() s:extend() end)
      end)
    end))
end)
