-- aw.locals: values of the running task. New tasks inherit them from the task
-- that starts them.

local aw = require "aiowire"
local helper = require "spec.support.helper"

local in_task, outside, nop = helper.in_task, helper.outside, helper.nop
local locals = aw.locals

local function fails()
  error("x", 0)
end

describe("aw.locals", function()
  it("has values of the running task [T8]", in_task(function(ev)
    assert.is_nil(locals.id)
    locals.id = 7
    locals[1] = false
    aw.sleep(1)
    assert.are.same({ 7, false }, { locals.id, locals[1] })
    locals.id = nil
    assert.is_nil(locals.id)
    ev:start(function()
      locals.id = 8
    end):wait()
    assert.is_nil(locals.id)
  end))

  it("is inherited by what a task starts, as it is at that moment [T8]",
    in_task(function(ev)
      local seen = {}
      local function look(name)
        return function()
          seen[name] = locals.id
          locals.id = "its own"
        end
      end
      locals.id = 1
      local early = aw.start(look "start")
      ev:start(look "ev:start")
      locals.id = 2
      aw.scope(function(s)
        s:start(look "s:start")
        s:start(aw.Sleep(1) >> look "sequence")
      end)
      aw.await(aw.All { all = look "all", limit = 1, second = look "second" })
      aw.await(look "race" | aw.Never)
      aw.await(aw.Call(function() return nil end) >> function()
        return look "spun off"
      end)
      aw.await(aw.Wire(function() return look "spin-off" end) >> aw.Sleep(1))
      early:wait()
      assert.are.same({
        start = 1, ["ev:start"] = 1, ["s:start"] = 2, sequence = 2,
        all = 2, second = 2, race = 2, ["spun off"] = 2,
        ["spin-off"] = "its own",
      }, seen)
      assert.are.equal("its own", locals.id) -- await ran the wire in this task
    end))

  it("belongs to the task in all functions of its wire [T8]", in_task(function()
    locals.id = 5
    local seen = {}
    local function look(name)
      return function()
        seen[#seen + 1] = name .. locals.id
      end
    end
    aw.await(aw.Value(1) / look "map")
    aw.await(aw.Call(fails):catch(look "catch"))
    aw.await(aw.Call(nop):finally(look "finally"))
    aw.await(aw.Call(fails):supervise(look "supervise"))
    aw.await(aw.Call(fails):retry { times = 2, when = function()
      look "retry" ()
      return true
    end } // aw.Value())
    aw.timeout(9, look "timeout")
    aw.shield(look "shield")
    assert.are.same({ "map5", "catch5", "finally5", "supervise5", "retry5",
      "timeout5", "shield5" }, seen)
  end))

  it("has the values of the failed task in its handler [T8]",
    in_task(function(ev)
      local seen, again
      ev:start(function()
        locals.id = 3
        aw.sleep(1)
        fails()
      end, function()
        seen = locals.id
        locals.more = 4
        aw.start(function()
          again = { locals.id, locals.more }
        end)
      end)
      aw.sleep(2)
      assert.are.same({ 3, 3, 4 }, { seen, table.unpack(again) })
      assert.is_nil(locals.id)
    end))

  it("outside of tasks is inherited by what is started [T8]", function()
    outside(function()
      locals.app = "x"
    end)
    local seen
    helper.with_loop(function(ev)
      outside(function()
        locals.app = "y"
        ev:start(function()
          seen = locals.app
          locals.app = "z"
        end)
      end)
      ev:run()
    end)
    assert.are.equal("y", seen)
    outside(function()
      locals.app = nil
    end)
  end)

  it("is inherited by loops inside a task, also of another engine [T8]",
    in_task(function()
      locals.id = 6
      aw.run(function()
        assert.are.equal(6, locals.id)
      end)
      helper.with_loop(function(ev)
        ev:start(function()
          assert.are.equal(6, locals.id)
          aw.await(aw.All { function()
            assert.are.equal(6, locals.id)
          end })
        end)
      end)
      aw.test(function()
        assert.are.equal(6, locals.id)
      end)
    end))

  it("lives on in a task whose starter and loop are gone [T8]",
    helper.sealed(function()
      local seen
      local function start_in(ev2)
        local ev <close> = aw.EventLoop()
        ev:start(function()
          locals.id = {}
          ev2:start(function() seen = locals.id end)
        end)
        ev:run()
      end
      local ev2 <close> = aw.EventLoop()
      start_in(ev2)
      collectgarbage()
      collectgarbage()
      ev2:run()
      assert.are.equal("table", type(seen))
    end))

  it("may be changed while pairs traverses it [T8]", in_task(function()
    for _ in pairs(locals) do
      error "there is nothing"
    end
    for i = 1, 5 do
      locals[i] = i
    end
    local sum = 0
    for key, value in pairs(locals) do
      locals[key] = nil
      locals[value .. "x"] = true
      sum = sum + value
    end
    assert.are.equal(15, sum)
  end))

  it("cannot be inspected as a table [T8]", in_task(function()
    assert.are.equal("aw.locals", tostring(locals))
    assert.is_false(getmetatable(locals))
  end))

  it("takes no nil and no NaN for a key [T8]", in_task(function()
    local function at(f, text)
      local place = debug.getinfo(f, "S")
      assert.are.equal(("%s:%d: %s"):format(place.short_src,
        place.linedefined, text), helper.caught(f))
    end
    at(function() locals[nil] = 1 end, "index is nil")
    at(function() locals[0 / 0] = 1 end, "index is NaN")
    assert.is_nil(locals[nil])
  end))
end)
