-- w:supervise(h): h gets the failure, and the siblings go on [O14].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local wires = require "spec.support.wires"

local test = helper.test
local recorder = helper.recorder
local takes, gives, giving = wires.takes, wires.gives, wires.giving
local fails, cleaning = wires.fails, wires.cleaning

describe("w:supervise(h)", function()
  it("gives a failure to h: the loop, the error, its info [O14]",
    function()
      test(function(ev)
        for _, problem in ipairs { "text", {}, 42, false } do
          local got
          aw.await(fails(1, problem):supervise(function(...)
            got = table.pack(...)
          end))
          assert.are.equal(3, got.n)
          assert.are.equal(ev, got[1])
          assert.is_true(rawequal(problem, got[2]))
          assert.is_truthy(tostring(got[3]))
        end
      end)
    end)

  it("ends normally then, and what follows runs [O14]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(fails(1, "boom"):supervise(function(_, err)
        note(err)
      end) >> takes(1, note, "next"))
      t:wait()
      assert.are.same({ "boom", "next" }, log)
      assert.are.equal("done", t.status)
      assert.are.equal(2, ev:now())
    end)
  end)

  it("does not call h if w ends well, and has its results [O14]",
    function()
      test(function()
        local log, note = recorder()
        assert.are.same({ n = 2, "w", nil },
          table.pack(aw.await(gives(1, "w", nil):supervise(note))))
        assert.are.same({}, log)
      end)
    end)

  it("does not call h for Cancelled [O14]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(cleaning(1, note, "cleaned"):supervise(error)
        >> aw.Call(note, "never"))
      aw.sleep(1)
      t:cancel_wait()
      assert.are.same({ "cleaned" }, log)
      assert.are.equal("cancelled", t.status)
    end)
  end)

  it("calls h for the whole chain of w [O14]", function()
    test(function(ev)
      local log, note = recorder()
      aw.await(giving(fails(2, "late")):supervise(function(_, err)
        note(err)
      end))
      assert.are.same({ "late" }, log)
      assert.are.equal(2, ev:now())
    end)
  end)

  it("calls h once, after the clean-up of w [O14]", function()
    test(function(ev)
      local log, note = recorder()
      aw.await((cleaning(2, note, "cleaned") & fails(1, "boom"))
        :supervise(function(_, err)
          note(err)
        end))
      assert.are.same({ "cleaned", "boom" }, log)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("spares the siblings in a join [O14] [O4]", function()
    test(function(ev)
      local log, note = recorder()
      aw.await(fails(1, "boom"):supervise(function(_, err)
        note(err)
      end) & takes(3, note, "sibling"))
      assert.are.same({ "boom", "sibling" }, log)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("spares the acceptor that spins connections off [O14] [N5]",
    function()
      test(function(ev)
        local log, note = recorder()
        local connections = 0
        local acceptor = aw.Forever(aw.Sleep(1) >> aw.Wire(function()
          connections = connections + 1
          local n = connections
          local serve = n == 2 and fails(0.5, "crash of " .. n)
            or takes(2.5, note, "served " .. n)
          return serve:supervise(function(_, err)
            note(err)
          end)
        end))
        local t = ev:start(acceptor)
        aw.sleep(6.25)
        t:cancel_wait()
        assert.are.same({
          "crash of 2", "served 1", "served 3",
        }, log)
        assert.are.equal(6, connections)
      end)
    end)

  it("calls no handler of the task for it [O14] [E7]", function()
    helper.leak_checked(function()
      local log, note = recorder()
      local ev = helper.virtual()
      ev:start(fails(1, "boom"):supervise(function()
        note "supervisor"
      end), function()
        note "handler"
      end)
      assert.are.equal("done", ev:run())
      assert.are.same({ "supervisor" }, log)
    end)
  end)

  it("leaves nothing to a supervisor around it [O14]", function()
    test(function()
      local log, note = recorder()
      aw.await(fails(1, "boom"):supervise(function()
        note "inner"
      end):supervise(function()
        note "outer"
      end))
      assert.are.same({ "inner" }, log)
    end)
  end)

  it("may be repeated: the wire starts anew [O14] [O2]", function()
    test(function(ev)
      local log, note = recorder()
      aw.await(fails(1, "boom"):supervise(function(_, err)
        note(err)
      end) * 3)
      assert.are.same({ "boom", "boom", "boom" }, log)
      assert.are.equal(3, ev:now())
    end)
  end)
end)
