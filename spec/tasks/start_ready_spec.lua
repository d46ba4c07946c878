-- s:start_ready(w) starts a wire and waits until the wire has called
-- aw.ready(...).

local aw = require "aiowire"
local helper = require "spec.support.helper"

local in_task, logged, outside = helper.in_task, helper.logged, helper.outside
local nop = helper.nop

--- Check that the text of the error of `f()` is the first line of `f`, then
--- `text`.
local function raises(text, f)
  local at = debug.getinfo(f, "S")
  assert.are.equal(("%s:%d: %s"):format(at.short_src, at.linedefined, text),
    tostring(helper.caught(f)))
end

local function fails(what)
  return function()
    aw.sleep(1)
    error(what, 0)
  end
end

describe("s:start_ready(w)", function()
  it("waits until w is ready, and returns its values [S8]",
    logged(function(_, log, note)
      aw.scope(function(s)
        local results = table.pack(s:start_ready(function()
          aw.sleep(1)
          aw.ready("port", nil, 8080, nil)
          note "goes on"
          aw.sleep(1)
          note "ends"
        end))
        note(aw.now())
        assert.are.same({ "port", nil, 8080, nil, n = 4 }, results)
      end)
      assert.are.same({ "goes on", 1, "ends" }, log)
      assert.are.equal(2, aw.now())
    end))

  it("returns nothing if w passes no values [S8]", in_task(function()
    aw.scope(function(s)
      assert.are.equal(0, select("#", s:start_ready(function()
        aw.ready()
      end)))
    end)
  end))

  it("may be called by any part of w [S8]", in_task(function()
    aw.scope(function(s)
      assert.are.equal(1, (s:start_ready(aw.Sleep(1) >> aw.Call(aw.ready, 1))))
      assert.are.equal(2, (s:start_ready(aw.Never & aw.Call(aw.ready, 2))))
      assert.are.equal(3, (s:start_ready((aw.Never | aw.All {
        x = aw.Call(aw.ready, 3) >> aw.Never,
      }):timeout(60))))
      assert.are.equal(4, (s:start_ready(function()
        return function()
          aw.await(aw.Call(aw.ready, 4))
        end
      end)))
      s:cancel()
    end)
  end))

  it("cannot be called by a child that w starts [S8]", in_task(function()
    aw.scope(function(s)
      raises("task 2 'parent' ended without calling aw.ready",
        function() return s:start_ready(aw.Wire(function()
          aw.start(aw.Call(aw.ready)):wait()
        end):named "parent") end)
    end)
  end))

  it("raises what w failed with before, and the scope lives [S8]",
    in_task(function()
      local seen
      aw.scope(function(s)
        s:start(aw.Sleep(2) >> function() seen = "sibling" end)
        assert.are.equal("no port",
          helper.caught(s.start_ready, s, fails "no port"))
        assert.are.equal("never", helper.caught(s.start_ready, s,
          fails "never", function() seen = "handler" end))
      end)
      assert.are.equal("sibling", seen)
    end))

  it("lets a later failure fail the scope [S8]", in_task(function()
    assert.are.equal("later", helper.caught(aw.scope, function(s)
      s:start_ready(function()
        aw.ready()
        fails "later" ()
      end)
      aw.sleep(60)
    end))
    assert.are.equal(1, aw.now())
  end))

  it("gives a later failure to the handler [S8]", in_task(function()
    local heard
    aw.scope(function(s)
      s:start_ready(function()
        aw.ready()
        fails "later" ()
      end, function(_, err) heard = err end)
    end)
    assert.are.equal("later", heard)
  end))

  it("takes the options of start [S8]", in_task(function()
    aw.scope(function(s)
      assert.are.equal("srv", (s:start_ready(function()
        aw.ready(aw.current().name)
      end, nil, { name = "srv" })))
    end)
  end))

  it("raises if w ends without being ready [S8]", in_task(function()
    aw.scope(function(s)
      raises("task 2 'srv' ended without calling aw.ready",
        function() s:start_ready(nop, nil, { name = "srv" }) end)
    end)
  end))

  it("raises TaskCancelled if w is cancelled before [S8]", in_task(function()
    aw.scope(function(s)
      local t
      s:start(aw.Sleep(1) >> function() t:cancel() end)
      local err = helper.caught(s.start_ready, s, aw.Wire(function()
        t = aw.current()
        aw.sleep(60)
      end):named "srv")
      assert.is_true(aw.is_task_cancelled(err))
      assert.are.equal(t, err.task)
    end)
    assert.are.equal(1, aw.now())
  end))

  it("when cancelled, cancels and joins w first [S8]",
    logged(function(_, log, note)
      aw.scope(function(s)
        note(tostring(helper.caught(aw.timeout, 1, function()
          s:start_ready(function()
            local _ <close> = helper.closer(function()
              aw.shield(function()
                aw.sleep(1)
                note "clean"
              end)
            end)
            aw.sleep(60)
          end)
        end)):match "out" and "timed out")
      end)
      assert.are.same({ "clean", "timed out" }, log)
      assert.are.equal(2, aw.now())
    end))

  it("when cancelled, raises what the clean-up of w failed with [S8]",
    in_task(function()
      aw.scope(function(s)
        assert.are.equal("unclean", helper.caught(aw.timeout, 1, function()
          s:start_ready(function()
            local _ <close> = helper.closer(function() error("unclean", 0) end)
            aw.sleep(60)
          end)
        end))
      end)
    end))

  it("starts nothing in a task that is cancelled [S8]", in_task(function(ev)
    local began = false
    aw.scope(function(s)
      ev:start(function()
        aw.current():cancel()
        s:start_ready(function() began = true end)
      end):cancel_wait()
    end)
    assert.is_false(began)
  end))

  it("goes on if a cancel comes right after w was ready [C6]",
    in_task(function(ev)
      local got
      local t
      aw.scope(function(s)
        t = ev:start(function()
          got = s:start_ready(function()
            aw.ready "in time"
            t:cancel()
          end)
          aw.sleep(60)
        end)
        aw.sleep(1)
      end)
      assert.are.equal("in time", got)
      assert.are.equal("cancelled", t.status)
    end))

  it("goes with scopes that are left [S8]", in_task(function()
    local left
    aw.scope(function(s) left = s end)
    raises("this scope has been left", function() left:start_ready(nop) end)
  end))

  it("takes a wire, and a function for a handler [S8]", in_task(function()
    aw.scope(function(s)
      raises("bad argument #1 to 'start_ready' (wire expected, got nil)",
        function() s:start_ready(nil) end)
      raises("bad argument #1 to 'start_ready' (wire expected, got number)",
        function() s:start_ready(3) end)
      raises("bad argument #2 to 'start_ready' (function expected, got number; "
        .. "a handler comes here, and arguments of the body go into "
        .. "aw.Wire(f, ...))",
        function() s:start_ready(nop, 3) end)
    end)
  end))
end)

describe("ev:start_ready(w)", function()
  it("does so at the root of a loop [S8]", in_task(function(ev)
    local t
    assert.are.equal(1, (ev:start_ready(function()
      t = aw.current()
      aw.ready(1)
      aw.sleep(1)
    end)))
    t:wait()
  end))

  it("lets a later failure stop the loop [S8]", function()
    local err = helper.caught(helper.with_loop, function(ev)
      ev:start(function()
        ev:start_ready(function()
          aw.ready()
          fails "later" ()
        end)
        aw.sleep(60)
      end)
      ev:run()
    end)
    assert.is_true(aw.is_unhandled(err))
    assert.are.equal("later", err.cause)
  end)

  it("cannot wait outside of tasks, and starts nothing there [S8]", function()
    local ev <close> = helper.virtual()
    outside(function()
      raises("cannot await outside a task (EventLoop:start_ready)"
        .. helper.outside_advice,
        function() ev:start_ready(error) end)
    end)
  end)

  it("cannot wait for another engine [S8]", in_task(function()
    local other <close> = helper.virtual()
    raises("this EventLoop belongs to another engine: tasks of an EventLoop "
      .. "with a clock or seed of its own share nothing with others",
      function() other:start_ready(error) end)
  end))

  it("goes with a loop that is closed [S8]", in_task(function()
    local other = aw.EventLoop()
    other:close()
    raises("this EventLoop has ended (closed)",
      function() other:start_ready(nop) end)
  end))
end)

describe("aw.ready(...)", function()
  it("does nothing in a task without a waiter [S8]", in_task(function(ev)
    assert.are.equal(0, select("#", aw.ready(1)))
    ev:start(aw.ready):wait()
  end))

  it("cannot be called twice [S8]", in_task(function()
    aw.scope(function(s)
      s:start_ready(function()
        aw.ready()
        raises("aw.ready was called already", function() aw.ready() end)
        aw.sleep(0)
        raises("aw.ready was called already", function() aw.ready() end)
      end)
    end)
  end))

  it("needs a running task [S8]", function()
    outside(function()
      raises("aw.ready needs a running task", function() aw.ready() end)
    end)
  end)
end)
