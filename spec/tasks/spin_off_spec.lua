-- Spin-offs: wires that a body returns while its sequence or repeat goes on
-- [N5].

local aw = require "aiowire"
local helper = require "spec.support.helper"

local test, recorder, nop = helper.test, helper.recorder, helper.nop

describe("a wire that is spun off", function()
  --- Returns a body that returns `w`. A sequence or repeat of it spins `w` off.
  local function giving(w)
    return aw.Wire(function()
      return w
    end)
  end

  it("is a task of its own [N5]", function()
    test(function(ev, clock)
      local id
      local tasks = #ev:tasks()
      local t = ev:start(giving(function()
        id = aw.current().id
        aw.sleep(1)
      end) >> aw.Sleep(1))
      clock:advance(0.5)
      assert.is_number(id)
      assert.are_not.equal(t.id, id)
      assert.are.equal(tasks + 2, #ev:tasks())
    end)
  end)

  it("holds its parent open until it has ended [N5]", function()
    test(function(ev, clock)
      local log, note = recorder()
      local child = aw.Sleep(2) >> aw.Call(note, "child")
      local t = ev:start(giving(child) >> aw.Call(note, "parent"))
      clock:advance(1)
      assert.are.same({ "parent" }, log)
      assert.are.equal("waiting", t.status)
      t:wait()
      assert.are.same({ "parent", "child" }, log)
      assert.are.equal(2, ev:now())
    end)
  end)

  it("is cancelled with its parent [N5]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(giving(function()
        local ok, err = pcall(aw.sleep, 10)
        note(not ok and aw.is_cancelled(err) and "cancelled")
      end) >> aw.Sleep(5))
      aw.sleep(1)
      t:cancel_wait()
      assert.are.same({ "cancelled" }, log)
      assert.are.equal(1, ev:now())
    end)
  end)

  it("is cancelled with a parent that only waits for it [N5]", function()
    test(function(ev)
      local log, note = recorder()
      local child = aw.Sleep(10) >> aw.Call(note, "child")
      local t = ev:start(giving(child) >> nop)
      aw.sleep(1)
      t:cancel_wait()
      assert.are.same({}, log)
      assert.are.equal(1, ev:now())
    end)
  end)

  it("hands its error to the handler of the start [N5]", function()
    test(function(ev)
      local problem, got = {}, {}
      local t = ev:start(giving(function()
        aw.sleep(1)
        error(problem)
      end) >> aw.Sleep(5), function(_, err)
        got[#got + 1] = err
      end)
      pcall(t.wait, t)
      assert.are.equal(1, #got)
      assert.is_true(rawequal(problem, got[1]))
      assert.are.equal("failed", t.status)
      assert.are.equal(1, ev:now())
    end)
  end)

  it("belongs to the innermost scope [N5]", function()
    test(function()
      local log, note = recorder()
      aw.scope(function()
        local child = aw.Sleep(2) >> aw.Call(note, "child")
        aw.await(giving(child) >> aw.Call(note, "next"))
        note "body"
      end)
      note "left"
      assert.are.same({ "next", "body", "child", "left" }, log)
    end)
  end)

  it("always starts, even if its parent is cancelled [N5]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(aw.Wire(function()
        aw.current():cancel()
        return function()
          note "began"
          aw.sleep(1)
          note "never"
        end
      end) >> aw.Call(note, "never"))
      pcall(t.wait, t)
      assert.are.same({ "began" }, log)
      assert.are.equal("cancelled", t.status)
    end)
  end)

  it("is a whole chain [N5]", function()
    test(function(ev)
      local log, note = recorder()
      local function state(n)
        return function()
          note(n)
          aw.sleep(1)
          if n < 3 then
            return state(n + 1)
          end
        end
      end
      ev:start(giving(state(1)) >> aw.Sleep(0.5)):wait()
      assert.are.same({ 1, 2, 3 }, log)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("is not a task of ev:start, which is no child [N5]", function()
    test(function(ev)
      local other
      local t = ev:start(function(loop)
        other = loop:start(aw.Sleep(5))
      end)
      t:wait()
      assert.are.equal(0, ev:now())
      assert.are_not.equal("done", other.status)
      other:wait()
      assert.are.equal(5, ev:now())
    end)
  end)
end)
