-- A failure goes to the handler, once. Without a handler it stops the loop; a
-- child's failure ends the scope [E7-E9, S3].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local wires = require "spec.support.wires"

local test, virtual, recorder = helper.test, helper.virtual, helper.recorder
local closer, caught = helper.closer, helper.caught
local failure_of, raiser = wires.failure_of, wires.raiser
local fails, giving = wires.fails, wires.giving

describe("a handler", function()
  it("gets the loop, the error and its info [E7, P4]", function()
    helper.leak_checked(function()
      local ev = virtual()
      local err, info, given = failure_of(raiser "boom", ev)
      assert.is_true(rawequal(ev, given))
      assert.are.equal("boom", err)
      assert.is_truthy(info)
    end)
  end)

  it("is not called when all goes well [E7]", function()
    helper.leak_checked(function()
      local log, note = recorder()
      local ev = virtual()
      ev:start(aw.Sleep(1), note)
      ev:start(giving(aw.Sleep(1)) >> aw.Value "x", note)
      ev:start(function()
        pcall(error, "caught")
        return aw.Sleep(1)
      end, note)
      assert.are.equal("done", ev:run())
      assert.are.same({}, log)
    end)
  end)

  local doomed = {
    { "the wire it became", function(boom)
      return function()
        return function()
          aw.sleep(1)
          return raiser(boom)
        end
      end
    end },
    { "what it spun off", function(boom)
      return aw.Wire(function()
        return raiser(boom)
      end) >> aw.Sleep(100)
    end },
    { "what its spin-off spun off", function(boom)
      return aw.Wire(function()
        return aw.Wire(function()
          return raiser(boom)
        end) >> aw.Sleep(100)
      end) >> aw.Sleep(100)
    end },
    { "an element of its sequence", function(boom)
      return aw.Sleep(1) >> raiser(boom) >> aw.Sleep(100)
    end },
    { "a repetition", function(boom)
      return aw.Wire(raiser(boom)) * 3
    end },
    { "what a repetition spun off", function(boom)
      return (giving(raiser(boom)) >> aw.Sleep(5)) * 2
    end },
    { "what Forever spun off", function(boom)
      return aw.Forever(giving(raiser(boom)) >> aw.Sleep(5))
    end },
    { "what a child of its scope spun off", function(boom)
      return function()
        aw.scope(function(s)
          s:start(giving(raiser(boom)) >> aw.Sleep(5))
        end)
      end
    end },
    { "a Call", function(boom)
      return aw.Call(error, boom)
    end },
    { "a child of its scope", function(boom)
      return function()
        aw.scope(function(s)
          s:start(raiser(boom))
          aw.sleep(100)
        end)
      end
    end },
    { "a wire it awaits", function(boom)
      return function()
        aw.await(aw.Sleep(1) >> raiser(boom))
      end
    end },
  }
  for _, case in ipairs(doomed) do
    local name, build = case[1], case[2]
    it("is called once for a failure of " .. name .. " [E7, U5]", function()
      helper.leak_checked(function()
        local boom = {}
        assert.are.equal(boom, (failure_of(build(boom))))
      end)
    end)
  end

  it("is called once though spin-offs and their parent fail [E7]", function()
    helper.leak_checked(function()
      local err = failure_of(giving(fails(1, "first"))
        >> giving(fails(1, "second")) >> giving(fails(2, "third"))
        >> fails(1, "parent"))
      assert.are.equal("first", err)
    end)
  end)

  it("is called after the whole scope is cleaned up [E7]", function()
    helper.leak_checked(function()
      local log, note = recorder()
      local ev = virtual()
      ev:start(aw.Wire(function()
        return function()
          local _ <close> = closer(function()
            aw.shield(function()
              aw.sleep(2)
            end)
            note "spin-off cleaned up"
          end)
          aw.sleep(100)
        end
      end) >> aw.Sleep(1) >> function()
        note "fails"
        error "boom"
      end, function()
        note "handled"
      end)
      ev:run()
      assert.are.same({ "fails", "spin-off cleaned up", "handled" }, log)
    end)
  end)

  it("is called before a waiter hears of it [E7]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(function()
        aw.sleep(1)
        error("boom", 0)
      end, function()
        note "handled"
      end)
      note(caught(t.wait, t))
      assert.are.same({ "handled", "boom" }, log)
    end)
  end)

  it("runs outside any task: it can't await or run [E7]", function()
    helper.leak_checked(function()
      local tried = {}
      local ev = virtual()
      ev:start(raiser "boom", function(own)
        tried.sleep = pcall(aw.sleep, 1)
        tried.yield = pcall(aw.yield)
        tried.await = pcall(aw.await, aw.Sleep(0))
        tried.run = pcall(own.run, own)
        local other = virtual()
        tried.run_another = pcall(other.run, other)
        other:close()
      end)
      assert.are.equal("done", ev:run())
      assert.are.same(
        { sleep = false, yield = false, await = false, run = false,
          run_another = false }, tried)
    end)
  end)

  it("may start wires on the loop of the failed task [E7]", function()
    helper.leak_checked(function()
      local log, note = recorder()
      local ev = virtual()
      ev:start(raiser "boom", function(own)
        own:start(aw.Sleep(2) >> aw.Call(note, "by the loop"))
        aw.start(aw.Sleep(1) >> aw.Call(note, "by aw.start"))
        note "handled"
      end)
      assert.are.equal("done", ev:run())
      assert.are.same({ "handled", "by aw.start", "by the loop" }, log)
    end)
  end)

  it("ends the failure: the other tasks go on [E7]", function()
    helper.leak_checked(function()
      local log, note = recorder()
      local ev = virtual()
      ev:start(raiser "boom", function()
        note "handled"
      end)
      ev:start(aw.Sleep(1) >> aw.Call(note, "other"))
      assert.are.equal("done", ev:run())
      assert.are.same({ "handled", "other" }, log)
      assert.is_nil(ev.failure)
    end)
  end)

  it("belongs to its start: one wire, two handlers [E7, U8]", function()
    helper.leak_checked(function()
      local log, note = recorder()
      local ev = virtual()
      local w = aw.Sleep(1) >> raiser "boom"
      ev:start(w, function()
        note "one"
      end)
      ev:start(w, function()
        note "two"
      end)
      ev:run()
      assert.are.same({ "one", "two" }, log)
    end)
  end)

  it("is not called for what its task starts on the loop [E7, P4]", function()
    helper.leak_checked(function()
      local log, note = recorder()
      local boom = {}
      local ev = virtual()
      ev:start(function(own)
        own:start(fails(1, boom))
        aw.sleep(5)
      end, note)
      assert.are.equal(boom, caught(ev.run, ev).cause)
      assert.are.same({}, log)
    end)
  end)

  it("may return anything: the loop goes on [E7, P6]", function()
    helper.leak_checked(function()
      local ev = virtual()
      ev:start(fails(1, "first"), function()
        return nil, "a message"
      end)
      ev:start(fails(2, "second"), function()
        return 42
      end)
      assert.are.equal("done", ev:run())
    end)
  end)

  it("may cancel other tasks [E7, U9]", function()
    helper.leak_checked(function()
      local log, note = recorder()
      local ev = virtual()
      local victim = ev:start(wires.unwinding(note, "unwound"))
      ev:start(fails(1, "boom"), function()
        victim:cancel()
      end)
      assert.are.equal("done", ev:run())
      assert.are.same({ "unwound" }, log)
    end)
  end)
end)

describe("an error without a handler", function()
  it("stops the loop and leaves its run as the cause [E8, P5]", function()
    helper.leak_checked(function()
      local boom = {}
      local ev = virtual()
      ev:start(raiser(boom))
      local err = caught(ev.run, ev)
      assert.is_true(aw.is_unhandled(err))
      assert.are.equal(boom, err.cause)
      assert.are.equal("failed", ev.status)
      assert.is_truthy(ev.failure)
    end)
  end)

  it("cancels and cleans up the others first [E8, U7]", function()
    helper.leak_checked(function()
      local log, note = recorder()
      local ev = virtual()
      local other = ev:start(function()
        local _ <close> = closer(function(err)
          note(aw.is_cancelled(err))
          aw.shield(function()
            aw.sleep(2)
          end)
          note "cleaned up"
        end)
        aw.sleep(100)
      end)
      ev:start(aw.Sleep(1) >> raiser "boom")
      caught(ev.run, ev)
      note "raised"
      assert.are.same({ true, "cleaned up", "raised" }, log)
      assert.are.equal("cancelled", other.status)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("lets the handlers of other failures be called [E8]", function()
    helper.leak_checked(function()
      local log, note = recorder()
      local ev = virtual()
      ev:start(raiser "first")
      ev:start(raiser "second", function(_, err)
        note(err)
      end)
      ev:start(function()
        local _ <close> = closer(function()
          error("third", 0)
        end)
        aw.sleep(100)
      end, function(_, err)
        note(err)
      end)
      local err = caught(ev.run, ev)
      assert.are.equal("first", err.cause)
      assert.are.same({ "second", "third" }, log)
    end)
  end)

  it("calls them, whichever task fails first [E8, U8]", function()
    for position = 1, 3 do
      helper.leak_checked(function()
        local log, note = recorder()
        local ev = virtual()
        for i = 1, 3 do
          ev:start(raiser(i), i ~= position and function(_, err)
            note(err)
          end or nil)
        end
        assert.are.equal(position, caught(ev.run, ev).cause)
        assert.are.equal(2, #log)
      end)
    end
  end)

  it("stops the loop for what a task spun off, too [E8, U5]", function()
    helper.leak_checked(function()
      local boom = {}
      local ev = virtual()
      ev:start(giving(fails(1, boom)) >> aw.Sleep(5))
      assert.are.equal(boom, caught(ev.run, ev).cause)
    end)
  end)

  it("that a handler raises leaves run as it is [E8, P6]", function()
    helper.leak_checked(function()
      local first, second = {}, {}
      local ev = virtual()
      ev:start(raiser(first), function()
        error(second)
      end)
      local err = caught(ev.run, ev)
      assert.are.equal(second, err)
      assert.are.equal(first, err.cause)
      assert.are.equal("failed", ev.status)
    end)
  end)

  it("that a handler raises keeps the cause it has [E8]", function()
    helper.leak_checked(function()
      local second = { cause = "my own" }
      local ev = virtual()
      ev:start(raiser "first", function()
        error(second)
      end)
      assert.are.equal(second, caught(ev.run, ev))
      assert.are.equal("my own", second.cause)
      assert.is_truthy(ev.failure)
    end)
  end)

  it("that a handler raises may be a plain text [E8]", function()
    helper.leak_checked(function()
      local ev = virtual()
      ev:start(raiser "first", raiser "second")
      assert.are.equal("second", caught(ev.run, ev))
      assert.is_truthy(ev.failure)
    end)
  end)

  it("that a handler raises is a text if it is nil [E1, E8]", function()
    helper.leak_checked(function()
      local ev = virtual()
      ev:start(raiser "first", raiser(nil))
      assert.are.equal("<nil error>", caught(ev.run, ev))
    end)
  end)

  it("that a handler raises is not given to it again [E8, P6]", function()
    helper.leak_checked(function()
      local calls = 0
      local ev = virtual()
      ev:start(giving(fails(1, "child")) >> fails(1, "parent"), function()
        calls = calls + 1
        error("second", 0)
      end)
      assert.are.equal("second", caught(ev.run, ev))
      assert.are.equal(1, calls)
    end)
  end)

  it("that a handler raises leaves the others cleaned up [E8]", function()
    helper.leak_checked(function()
      local log, note = recorder()
      local ev = virtual()
      ev:start(aw.Sleep(1) >> raiser "first", raiser "second")
      ev:start(function()
        local _ <close> = closer(function()
          note "cleaned up"
        end)
        aw.sleep(100)
      end)
      caught(ev.run, ev)
      assert.are.same({ "cleaned up" }, log)
    end)
  end)

  it("stops a loop that has handled another error [E8]", function()
    helper.leak_checked(function()
      local ev = virtual()
      ev:start(raiser "handled", function() end)
      assert.are.equal("done", ev:run())
      assert.is_nil(ev.failure)
      ev:start(raiser "not handled")
      assert.are.equal("not handled", caught(ev.run, ev).cause)
    end)
  end)

  it("stops the loop although a task waits for it [E8]", function()
    helper.leak_checked(function()
      local boom = {}
      local ev = virtual()
      local t = ev:start(aw.Sleep(1) >> raiser(boom))
      ev:start(function()
        pcall(t.wait, t)
      end)
      assert.are.equal(boom, caught(ev.run, ev).cause)
    end)
  end)
end)

describe("a child of a scope that fails", function()
  it("is handled by its handler while the siblings live [E9]", function()
    test(function()
      local log, note = recorder()
      local got = aw.scope(function(s)
        s:start(aw.Sleep(1) >> raiser "boom", function(_, err)
          note(err)
        end)
        s:start(aw.Sleep(2) >> aw.Call(note, "sibling"))
        aw.sleep(3)
        note "body"
        return "fine"
      end)
      assert.are.equal("fine", got)
      assert.are.same({ "boom", "sibling", "body" }, log)
    end)
  end)

  it("takes all down if it has no handler [E9]", function()
    test(function(ev)
      local log, note = recorder()
      local ok, err = pcall(aw.scope, function(s)
        s:start(aw.Sleep(1) >> raiser "boom")
        s:start(aw.Sleep(2) >> aw.Call(note, "sibling"))
        aw.sleep(3)
        note "body"
      end)
      assert.is_false(ok)
      assert.are.equal("boom", err)
      assert.are.same({}, log)
      assert.are.equal(1, ev:now())
    end)
  end)

  it("may be followed by what its handler starts [E9]", function()
    test(function()
      local log, note = recorder()
      aw.scope(function(s)
        s:start(raiser "boom", function()
          note "handled"
          s:start(aw.Sleep(2) >> aw.Call(note, "successor"))
        end)
        aw.sleep(1)
        note "body"
      end)
      note "left"
      assert.are.same({ "handled", "body", "successor", "left" }, log)
    end)
  end)

  it("stops nothing outside the scope that catches it [E9]", function()
    test(function(ev)
      local log, note = recorder()
      ev:start(aw.Sleep(1) >> aw.Call(note, "outside"))
      pcall(aw.scope, function(s)
        s:start(raiser "boom")
        aw.sleep(100)
      end)
      aw.sleep(2)
      assert.are.same({ "outside" }, log)
    end)
  end)
end)

describe("a body that has failed", function()
  --- A body that nothing else refers to, and the table that tells of it.
  local function lonely()
    local left = setmetatable({}, { __mode = "k" })
    local function body()
      error "boom"
    end
    left[body] = true
    return body, left
  end

  it("is garbage once its handler has returned [E7, V1]", function()
    helper.leak_checked(function()
      local ev = virtual()
      local body, left = lonely()
      local times = 0
      ev:start(body, function()
        times = times + 1
        ev:start(body, function()
          times = times + 1
          body = nil
        end)
      end)
      ev:run()
      assert.are.equal(2, times)
      collectgarbage()
      collectgarbage()
      assert.is_nil(next(left))
    end)
  end)
end)
