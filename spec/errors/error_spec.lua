-- The library passes error values on unchanged and loses no error [E1-E6].
-- handler_spec.lua has handlers; info_spec.lua has the contents of `info`.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local texts = require "spec.support.texts"
local wires = require "spec.support.wires"

local test, virtual, recorder = helper.test, helper.virtual, helper.recorder
local closer, caught = helper.closer, helper.caught
local contains, lacks = texts.contains, texts.lacks
local failure_of, suppresses = wires.failure_of, wires.suppresses
local raiser = wires.raiser

describe("an error value", function()
  local values = {
    { "a string", "plain words" },
    { "a table", { code = 7 } },
    { "false", false },
    { "true", true },
    { "a number", 42 },
    { "a function", print },
    { "a table with __tostring", setmetatable({}, {
      __tostring = function()
        error "never to be shown"
      end,
    }) },
  }
  for _, case in ipairs(values) do
    local name, value = case[1], case[2]

    it("reaches the handler raw, as " .. name .. " [E1]", function()
      helper.leak_checked(function()
        assert.is_true(rawequal(value, (failure_of(raiser(value)))))
      end)
    end)

    it("leaves waits, awaits and scopes raw, as " .. name .. " [E1]",
      function()
        test(function(ev)
          local t = ev:start(raiser(value), function() end)
          for _, door in ipairs {
            function()
              t:wait()
            end,
            function()
              aw.await(raiser(value))
            end,
            function()
              aw.await(aw.Sleep(1) >> aw.Call(raiser(value)))
            end,
            function()
              aw.scope(raiser(value))
            end,
            function()
              aw.scope(function(s)
                s:start(raiser(value))
              end)
            end,
            function()
              aw.shield(raiser(value))
            end,
            function()
              aw.timeout(1, raiser(value))
            end,
          } do
            assert.is_true(rawequal(value, caught(door)))
          end
        end)
      end)

    it("leaves aw.run raw, as " .. name .. " [E1]", function()
      helper.leak_checked(function()
        local err = caught(aw.run, raiser(value), { clock = "virtual" })
        assert.is_true(rawequal(value, err))
      end)
    end)

    it("is the cause of what leaves a loop, as " .. name .. " [E1, E8]",
      function()
        helper.leak_checked(function()
          local ev = virtual()
          ev:start(raiser(value))
          assert.is_true(rawequal(value, caught(ev.run, ev).cause))
        end)
      end)
  end

  it("keeps the position that Lua gave it [E1]", function()
    helper.leak_checked(function()
      local err = failure_of(function()
        error "words"
      end)
      assert.is_truthy(err:find("error_spec.lua:%d+: words$"), err)
    end)
  end)

  it("gets no position that Lua did not give it [E1]", function()
    helper.leak_checked(function()
      assert.are.equal("words", (failure_of(raiser "words")))
    end)
  end)

  it("that is nil becomes a text [E1]", function()
    helper.leak_checked(function()
      assert.are.equal("<nil error>", (failure_of(function()
        error()
      end)))
      assert.are.equal("<nil error>", caught(aw.run, function()
        error(nil)
      end, { clock = "virtual" }))
    end)
  end)

  it("that is false is a failure [E1]", function()
    helper.leak_checked(function()
      local t
      local ev = virtual()
      t = ev:start(raiser(false), function() end)
      ev:run()
      assert.are.equal("failed", t.status)
    end)
  end)
end)

describe("errors that come together", function()
  it("are ordered by time, not by creation of their tasks [E3]", function()
    helper.leak_checked(function()
      local first, second = {}, {}
      local err, info = failure_of(function()
        aw.scope(function(s)
          s:start(function()
            pcall(aw.sleep, 100)
            error(second)
          end)
          s:start(function()
            aw.sleep(1)
            error(first)
          end)
        end)
      end)
      assert.are.equal(first, err)
      assert.is_true(suppresses(info, second))
    end)
  end)

  it("come before Cancelled, however late they are [E3]", function()
    helper.leak_checked(function()
      local late = {}
      local err = failure_of(function()
        aw.scope(function(s)
          s:start(function()
            local _ <close> = closer(function()
              aw.shield(function()
                aw.sleep(1)
              end)
              error(late)
            end)
            aw.sleep(100)
          end)
          aw.sleep(1)
          s:cancel()
          aw.sleep(100)
        end)
      end)
      assert.are.equal(late, err)
    end)
  end)

  it("in a cancelled task's clean-up make it fail [E3]", function()
    helper.leak_checked(function()
      local late = {}
      local t
      local ev = virtual()
      local got
      t = ev:start(function()
        local _ <close> = closer(function()
          error(late)
        end)
        aw.sleep(100)
      end, function(_, err)
        got = err
      end)
      ev:start(function()
        aw.sleep(1)
        t:cancel()
      end)
      assert.are.equal("done", ev:run())
      assert.are.equal(late, got)
      assert.are.equal("failed", t.status)
    end)
  end)

  it("in one body leave as Lua has it: the last replaces [E3]", function()
    helper.leak_checked(function()
      local first, second, third = {}, {}, {}
      local err, info = failure_of(function()
        local _ <close> = closer(function()
          error(third)
        end)
        local _ <close> = closer(function()
          error(second)
        end)
        error(first)
      end)
      assert.are.equal(third, err)
      assert.is_true(suppresses(info, first))
      assert.is_true(suppresses(info, second))
    end)
  end)

  it("are one if there is one: nothing is suppressed [E3]", function()
    helper.leak_checked(function()
      local _, info = failure_of(raiser "alone")
      assert.are.equal(0, #(info.suppressed or {}))
    end)
  end)

  it("are separate once the first was caught [E3]", function()
    helper.leak_checked(function()
      local kept = {}
      local err, info = failure_of(function()
        pcall(error, "caught and done with")
        aw.pcall(raiser "this, too")
        error(kept)
      end)
      assert.are.equal(kept, err)
      assert.are.equal(0, #(info.suppressed or {}))
    end)
  end)
end)

describe("the library's own errors", function()
  local function timeout_error()
    return caught(aw.timeout, 3, aw.sleep, 100)
  end

  local function task_cancelled(ev)
    local t = ev:start(aw.Never, nil, { name = "poor fellow" })
    t:cancel("no luck")
    return caught(t.wait, t)
  end

  local function unhandled()
    local ev = virtual()
    ev:start(raiser "the cause")
    return caught(ev.run, ev)
  end

  it("are known by predicates [E4]", function()
    test(function(ev)
      assert.is_true(aw.is_timeout(timeout_error()))
      assert.is_true(aw.is_task_cancelled(task_cancelled(ev)))
      assert.is_true(aw.is_unhandled(unhandled()))
    end)
  end)

  it("are known only by their own predicate [E4]", function()
    test(function(ev)
      local kinds = {
        [aw.is_timeout] = timeout_error(),
        [aw.is_task_cancelled] = task_cancelled(ev),
        [aw.is_unhandled] = unhandled(),
      }
      for own, err in pairs(kinds) do
        for _, name in ipairs {
          "is_timeout", "is_task_cancelled", "is_unhandled",
          "is_cancelled", "is_closed", "is_system_error",
        } do
          local is = aw[name]
          assert.are.equal(is == own, not not is(err), name)
        end
      end
    end)
  end)

  it("are not confused with other values [E4]", function()
    for _, name in ipairs {
      "is_timeout", "is_task_cancelled", "is_unhandled",
      "is_closed", "is_system_error",
    } do
      assert.is_falsy(aw[name](nil))
      for _, value in ipairs { "Timeout", {}, 42, true, print } do
        assert.is_falsy(aw[name](value), name)
      end
    end
  end)

  it("have a text [E4]", function()
    test(function(ev)
      for _, err in ipairs { timeout_error(), task_cancelled(ev) } do
        local text = tostring(err)
        lacks(text, "0x")
        assert.is_true(#text > 5, text)
      end
    end)
  end)

  it("begin, where unhandled, with the text of the cause [E4]", function()
    helper.leak_checked(function()
      local text = tostring(unhandled())
      assert.are.equal("the cause", text:sub(1, #"the cause"))
      local ev = virtual()
      ev:start(raiser(setmetatable({}, {
        __tostring = function()
          return "I say so"
        end,
      })))
      text = tostring(caught(ev.run, ev))
      assert.are.equal("I say so", text:sub(1, #"I say so"))
    end)
  end)

  it("are ordinary errors that a handler may get [E4]", function()
    helper.leak_checked(function()
      local err = failure_of(function()
        aw.timeout(3, aw.sleep, 100)
      end)
      assert.is_true(aw.is_timeout(err))
      assert.are.equal(3, err.after)
    end)
  end)

  it("have the seconds of a Timeout [E4]", function()
    test(function()
      assert.are.equal(3, timeout_error().after)
    end)
  end)

  it("have the cause and the info of an unhandled error [E4]", function()
    helper.leak_checked(function()
      local err = unhandled()
      assert.are.equal("the cause", err.cause)
      contains(tostring(err.info), "the cause")
    end)
  end)
end)

describe("Cancelled at the boundary of a task", function()
  --- Returns a Cancelled whose scope has absorbed it already.
  local function old_cancelled()
    local kept
    aw.scope(function(s)
      s:cancel("long ago")
      kept = caught(aw.sleep, 1)
      error(kept)
    end)
    return kept
  end

  it("is stray when nothing was cancelled [E5]", function()
    helper.leak_checked(function()
      local err, info = failure_of(function()
        error(old_cancelled())
      end)
      local text = tostring(err) .. "\n" .. tostring(info)
      contains(text, "stray Cancelled")
    end)
  end)

  it("is stray when raised through scopes not cancelled [E5]", function()
    helper.leak_checked(function()
      local log, note = recorder()
      local err, info = failure_of(function()
        local kept = old_cancelled()
        aw.scope(function()
          error(kept)
        end)
        note "never"
      end)
      local text = tostring(err) .. "\n" .. tostring(info)
      contains(text, "stray Cancelled")
      assert.are.same({}, log)
    end)
  end)

  it("is an error of a wire whose part raises it [E5, O4, O5, O8]", function()
    for _, build in ipairs {
      function(w, note) return w & wires.cleaning(1, note, "cleaned") end,
      function(w, note) return w | wires.cleaning(1, note, "cleaned") end,
      function(w) return w:timeout(50) end,
    } do
      test(function(ev)
        local kept
        local gone = ev:start(function()
          kept = caught(aw.sleep, 100)
        end)
        aw.yield()
        gone:cancel_wait()
        assert.is_true(aw.is_cancelled(kept))
        local log, note = recorder()
        local t = ev:start(build(wires.fails(1, kept), note), function(_, err)
          note(aw.is_timeout(err))
        end)
        pcall(t.wait, t)
        assert.are.equal("failed", t.status)
        assert.are.equal(false, log[#log])
        assert.is_true(ev:now() <= 2)
      end)
    end
  end)

  it("is the end of a task that was cancelled, no failure [E5]", function()
    helper.leak_checked(function()
      local calls = 0
      local ev = virtual()
      local t = ev:start(aw.Sleep(100), function()
        calls = calls + 1
      end)
      ev:start(function()
        t:cancel()
      end)
      assert.are.equal("done", ev:run())
      assert.are.equal("cancelled", t.status)
      assert.are.equal(0, calls)
    end)
  end)
end)

describe("a body that fails", function()
  it("runs its `<close>` in order, and they see the error [E6]", function()
    helper.leak_checked(function()
      local log, note = recorder()
      local boom = {}
      local function noted(name)
        return closer(function(err)
          note(name)
          note(rawequal(err, boom))
        end)
      end
      local err = failure_of(function()
        local _ <close> = noted "first"
        local _ <close> = noted "second"
        error(boom)
      end)
      assert.are.equal(boom, err)
      assert.are.same({ "second", true, "first", true }, log)
    end)
  end)

  it("runs its other `<close>` when one of them fails [E6]", function()
    helper.leak_checked(function()
      local log, note = recorder()
      failure_of(function()
        local _ <close> = closer(note, "outer")
        local _ <close> = closer(function()
          note "inner"
          error "inner"
        end)
        aw.sleep(1)
      end)
      assert.are.same({ "inner", "outer" }, log)
    end)
  end)

  it("has not failed if its `<close>` catches an error [E6]", function()
    test(function()
      aw.await(function()
        local _ <close> = closer(function()
          pcall(error, "caught")
        end)
      end)
    end)
  end)

  it("may await in its `<close>` [E6]", function()
    helper.leak_checked(function()
      local log, note = recorder()
      local ev = virtual()
      ev:start(aw.Sleep(1) >> aw.Call(note, "other"))
      local err = failure_of(function()
        local _ <close> = closer(function()
          aw.sleep(2)
          note "closed"
        end)
        error("boom", 0)
      end, ev)
      note "handled"
      assert.are.equal("boom", err)
      assert.are.same({ "other", "closed", "handled" }, log)
    end)
  end)

  it("runs its `<close>` in its own task [E6]", function()
    helper.leak_checked(function()
      local t, inside
      local ev = virtual()
      t = ev:start(function()
        local _ <close> = closer(function()
          inside = aw.current().id
        end)
        error "boom"
      end, function() end)
      ev:run()
      assert.are.equal(t.id, inside)
    end)
  end)

  it("gives `<close>` no error when it ends well [E6]", function()
    test(function()
      local seen = "unset"
      aw.await(function()
        local _ <close> = closer(function(err)
          seen = err
        end)
        aw.sleep(1)
      end)
      assert.is_nil(seen)
    end)
  end)

  it("may fail by a stack overflow [E6]", function()
    helper.leak_checked(function()
      local function endless(n)
        return 1 + endless(n + 1)
      end
      local closed = 0
      local err = failure_of(function()
        local _ <close> = closer(function()
          closed = closed + 1
        end)
        endless(1)
      end)
      contains(err, "stack overflow")
      assert.are.equal(1, closed)
    end)
  end)

  it("may fail by a stack overflow after an await [E6]", function()
    helper.leak_checked(function()
      local function deeper()
        return 1 + deeper()
      end
      contains(failure_of(function()
        aw.yield()
        deeper()
      end), "stack overflow")
    end)
  end)

  it("may fail by an overflow of the C stack [E6]", function()
    helper.leak_checked(function()
      local function deeper(s)
        return (s:gsub(".", deeper))
      end
      contains(failure_of(function()
        deeper "x"
      end), "stack overflow")
    end)
  end)

  it("goes on if it catches a stack overflow [E6]", function()
    test(function()
      local function deeper()
        return 1 + deeper()
      end
      contains(caught(deeper), "stack overflow")
      aw.sleep(1)
    end)
  end)

  it("does not spoil the coroutine for the bodies after it [E6]",
    function()
      helper.leak_checked(function()
        local ev = virtual()
        local failed, fine = 0, 0
        for i = 1, 200 do
          ev:start(function()
            aw.yield()
            if i % 2 == 0 then
              error "boom"
            end
            aw.sleep(1)
            fine = fine + 1
          end, function()
            failed = failed + 1
          end)
        end
        assert.are.equal("done", ev:run())
        assert.are.same({ 100, 100 }, { failed, fine })
      end)
    end)
end)
