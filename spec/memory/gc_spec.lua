-- Garbage collection: it may run at any step, and it frees all unreachable
-- objects, also in cycles.

local aw = require "aiowire"
local collector = require "spec.support.collector"
local helper = require "spec.support.helper"
local process = require "spec.support.process"
local texts = require "spec.support.texts"

--- Collect often enough for finalizers that make further garbage.
local function collect()
  for _ = 1, 6 do
    collectgarbage()
  end
end

--- Returns a weak set: `watch(object)` adds an object and returns it,
--- `watch.left()` returns the number of live objects in the set.
local function new_watch()
  local alive = setmetatable({}, { __mode = "k" })
  return setmetatable({
    left = function()
      collect()
      local count = 0
      for _ in pairs(alive) do
        count = count + 1
      end
      return count
    end,
  }, {
    __call = function(_, object)
      alive[object] = true
      return object
    end,
  })
end

local recorder, closer = helper.recorder, helper.closer
local contains = texts.contains

local function new_loop(opts)
  opts = opts or {}
  opts.clock = "virtual"
  return aw.EventLoop(opts)
end

--- Sleep with a full collection before and after.
local function sleep(seconds)
  collectgarbage()
  aw.sleep(seconds)
  collectgarbage()
end

describe("a collection at every step", function()
  it("loses no state of a chain [N2]", function()
    helper.leak_checked(function()
      local log, note = recorder()
      local function state(n)
        return aw.Wire(function(_, extra)
          sleep(1)
          note(n + extra)
          collectgarbage()
          if n < 5 then
            return state(n + 1)
          end
          return aw.Value("end", { n })
        end, 0.5)
      end
      local ev = new_loop()
      local t = ev:start(state(1))
      collectgarbage()
      assert.are.equal("done", ev:run())
      assert.are.same({ 1.5, 2.5, 3.5, 4.5, 5.5 }, log)
      assert.are.same({ "end", { 5 } }, { t:results() })
    end)
  end)

  it("loses nothing of an expression [V1]", function()
    helper.leak_checked(function()
      local log, note = recorder()
      local ev = new_loop()
      do
        local w = aw.Sleep(1) >> aw.Call(note, "call")
        collectgarbage()
        w = w >> aw.Wire(function(_, word)
          collectgarbage()
          note(word)
        end, "body")
        collectgarbage()
        w = (w * 2):named("both")
        collectgarbage()
        ev:start(w >> aw.Call(collectgarbage) >> aw.Call(note, "end"))
      end
      collect()
      assert.are.equal("done", ev:run())
      assert.are.same({ "call", "body", "call", "body", "end" }, log)
    end)
  end)

  it("loses no child, shield or deadline [S2, C4, C7]", function()
    helper.leak_checked(function()
      local log, note = recorder()
      local ev = new_loop()
      ev:start(function()
        aw.scope({ timeout = 3 }, function(s)
          for i = 1, 5 do
            s:start(function()
              local _ <close> = closer(function()
                collectgarbage()
                aw.shield(function()
                  sleep(0.5)
                end)
                note(i)
              end)
              sleep(i)
            end)
          end
          collectgarbage()
        end)
        note(ev:now())
      end)
      assert.are.equal("done", ev:run())
      assert.are.same({ 1, 2, 3, 4, 5, 3.5 }, log)
    end)
  end)

  it("loses no error and no info [E1, E2]", function()
    helper.leak_checked(function()
      local boom, log = { "boom" }, {}
      local ev = new_loop()
      ev:start(function()
        local _ <close> = closer(function()
          sleep(1)
        end)
        sleep(1)
        error(boom)
      end, function(_, err, info)
        collectgarbage()
        log[1] = err
        log[2] = #tostring(info) > 20
      end)
      assert.are.equal("done", ev:run())
      assert.are.equal(boom, log[1])
      assert.is_true(log[2])
    end)
  end)

  it("loses no cancel and no reason [C1, C3]", function()
    helper.leak_checked(function()
      local seen
      local ev = new_loop()
      local t = ev:start(function()
        local ok, err = pcall(sleep, 100)
        collectgarbage()
        seen = not ok and err.reason
        error(err)
      end)
      ev:start(function()
        sleep(1)
        t:cancel({ "reason" })
        collectgarbage()
      end)
      assert.are.equal("done", ev:run())
      assert.are.same({ "reason" }, seen)
      assert.are.equal("cancelled", t.status)
    end)
  end)

  it("loses no results on their way to a waiter [T5]", function()
    helper.leak_checked(function()
      local got
      local ev = new_loop()
      local t = ev:start(function()
        sleep(1)
        return aw.Value({ "result" }, nil, "third")
      end)
      ev:start(function()
        got = table.pack(t:wait())
        collectgarbage()
      end)
      assert.are.equal("done", ev:run())
      assert.are.same({ { "result" }, nil, "third", n = 3 }, got)
    end)
  end)

  it("loses no task without a reference to its handle [T2]", function()
    helper.leak_checked(function()
      local log, note = recorder()
      local ev = new_loop()
      for i = 1, 20 do
        ev:start(function()
          sleep(i)
          note(i)
        end)
      end
      collect()
      assert.are.equal("done", ev:run())
      assert.are.equal(20, #log)
    end)
  end)

  it("loses no running loop without a reference [L1]", function()
    helper.leak_checked(function()
      local log, note = recorder()
      local function build()
        local ev = new_loop()
        ev:start(function()
          sleep(1)
          note "ran"
        end)
        return ev
      end
      assert.are.equal("done", build():run())
      assert.are.same({ "ran" }, log)
    end)
  end)

  it("loses nothing with the generational collector [T1]", function()
    helper.leak_checked(function()
      local mode = collectgarbage "generational"
      local _ <close> = closer(function()
        collectgarbage(mode)
      end)
      local sum = 0
      local ev = new_loop()
      for i = 1, 50 do
        ev:start(function()
          for _ = 1, 10 do
            local waste = { {}, {}, {} }
            aw.sleep(i)
            sum = sum + #waste
            collectgarbage "step"
          end
        end)
      end
      assert.are.equal("done", ev:run())
      assert.are.equal(1500, sum)
    end)
  end)
end)

describe("a cycle of wires and closures", function()
  local circles = {
    { "a body that returns its own wire", function(watch)
      local w
      w = aw.Wire(watch(function()
        return w
      end))
    end },
    { "a body that knows its sequence", function(watch)
      local w
      w = aw.Sleep(1) >> watch(function()
        return w
      end) >> aw.Sleep(1)
    end },
    { "a body in Forever", function(watch)
      local w
      w = aw.Forever(watch(function()
        return w
      end))
    end },
    { "a body in a repetition, named and shielded", function(watch)
      local w
      w = (aw.Wire(watch(function()
        return w
      end)) * 3):named("circle"):whole():shielded(1)
    end },
    { "an argument of a body", function(watch)
      local t = watch {}
      t.w = aw.Wire(function() end, t)
    end },
    { "an argument of a Call", function(watch)
      local t = watch {}
      t.w = aw.Call(print, t)
    end },
    { "a Value", function(watch)
      local t = watch {}
      t.w = aw.Value(1, t, 2)
    end },
    { "two bodies that know each other", function(watch)
      local a, b
      a = aw.Wire(watch(function()
        return b
      end))
      b = aw.Wire(watch(function()
        return a
      end))
    end },
    { "a callable object", function(watch)
      local object = watch(setmetatable({}, {
        __call = function() end,
      }))
      object.w = aw.Wire(object) * 2
    end },
    { "a Done in the task's own closure", function(watch)
      local ev = new_loop()
      local done
      local t = ev:start(watch(function()
        return done and nil
      end))
      done = aw.Done(t)
      ev:run()
    end },
  }
  for _, case in ipairs(circles) do
    local name, build = case[1], case[2]
    it("is collected, as " .. name .. " [V1]", function()
      helper.leak_checked(function()
        local watch = new_watch()
        build(watch)
        assert.are.equal(0, watch.left())
      end)
    end)
  end

  it("is not collected while there is a reference to it [V1]", function()
    helper.leak_checked(function()
      local watch = new_watch()
      local w
      w = aw.Sleep(1) >> aw.Wire(watch(function()
        return w
      end))
      assert.are.equal(1, watch.left())
      assert.is_truthy(w)
    end)
  end)
end)

describe("a task that has ended", function()
  it("leaves its body, arguments and results to the collector [T1]",
    function()
      helper.leak_checked(function()
        local watch = new_watch()
        local ev = new_loop()
        ev:start(aw.Wire(watch(function(_, argument)
          aw.sleep(1)
          return aw.Value(watch { argument })
        end), watch {}))
        assert.are.equal("done", ev:run())
        assert.are.equal(0, watch.left())
        assert.are.equal("done", ev:run())
      end)
    end)

  it("keeps its results while there is a reference to it [T6]", function()
    helper.leak_checked(function()
      local watch = new_watch()
      local ev = new_loop()
      local t = ev:start(function()
        return aw.Value(watch { "kept" })
      end)
      ev:run()
      assert.are.equal(1, watch.left())
      assert.are.same({ "kept" }, (t:results()))
    end)
  end)

  it("leaves them to the collector while its loop goes on [T1]", function()
    helper.leak_checked(function()
      local watch = new_watch()
      local left
      local ev = new_loop()
      ev:start(function()
        local function child()
          ev:start(aw.Wire(watch(function()
            return aw.Value(watch {})
          end), watch {}))
        end
        child()
        aw.sleep(1)
        left = watch.left()
        aw.sleep(1)
      end)
      ev:run()
      assert.are.equal(0, left)
    end)
  end)

  it("leaves its error to the collector after its handler [E1]", function()
    helper.leak_checked(function()
      local watch = new_watch()
      local ev = new_loop()
      ev:start(function()
        error(watch {})
      end, function() end)
      assert.are.equal("done", ev:run())
      assert.are.equal(0, watch.left())
      assert.are.equal("done", ev:run())
    end)
  end)

  it("leaves the reason of its cancel to the collector [C1]", function()
    helper.leak_checked(function()
      local watch = new_watch()
      local ev = new_loop()
      ev:start(function()
        aw.scope(function(s)
          s:cancel(watch {})
          aw.sleep(100)
        end)
      end)
      assert.are.equal("done", ev:run())
      assert.are.equal(0, watch.left())
      assert.are.equal("done", ev:run())
    end)
  end)

  it("leaves its handler to the collector, called or not [E7]", function()
    helper.leak_checked(function()
      local watch = new_watch()
      local ev = new_loop()
      local words = { "a", "b" }
      ev:start(aw.Sleep(1), watch(function()
        return words
      end))
      ev:start(aw.Call(error, "boom"), watch(function()
        return words
      end))
      assert.are.equal("done", ev:run())
      assert.are.equal(0, watch.left())
      assert.are.equal("done", ev:run())
    end)
  end)

  it("may outlive its loop [T6]", function()
    helper.leak_checked(function()
      local function build()
        local ev = new_loop()
        local t = ev:start(aw.Sleep(1) >> aw.Value("kept"), nil,
          { name = "old" })
        ev:run()
        return t
      end
      local t = build()
      collect()
      assert.are.equal("done", t.status)
      assert.are.equal("old", t.name)
      assert.are.equal("kept", (t:results()))
      contains(tostring(t), "old")
    end)
  end)
end)

describe("a loop without references", function()
  it("is collected after its run [L3]", function()
    helper.leak_checked(function()
      local watch = new_watch()
      local function build()
        local ev = new_loop()
        ev:start(watch(function()
          aw.sleep(1)
        end))
        ev:run()
      end
      build()
      assert.are.equal(0, watch.left())
    end)
  end)

  it("is collected before its run, and its tasks never run [T3]", function()
    helper.leak_checked(function()
      local watch = new_watch()
      local log, note = recorder()
      local function build()
        local ev = new_loop()
        for _ = 1, 3 do
          ev:start(watch(function()
            note "never"
          end))
        end
        ev:start(aw.Sleep(1) >> aw.Call(note, watch {}))
      end
      build()
      assert.are.equal(0, watch.left())
      assert.are.same({}, log)
    end)
  end)

  it("is collected if its tasks refer to it [T3]", function()
    helper.leak_checked(function()
      local watch = new_watch()
      local function build()
        local ev = new_loop()
        ev:start(watch(function()
          ev:start(aw.Sleep(1))
        end))
      end
      build()
      assert.are.equal(0, watch.left())
    end)
  end)

  it("is collected after an error ended it [E8]", function()
    helper.leak_checked(function()
      local watch = new_watch()
      local function build()
        local ev = new_loop()
        ev:start(function()
          error(watch {})
        end)
        ev:start(function()
          aw.sleep(100)
        end)
        pcall(ev.run, ev)
      end
      build()
      assert.are.equal(0, watch.left())
    end)
  end)

  it("is collected inside a task, too [S6]", function()
    helper.leak_checked(function()
      aw.test(function()
        local watch = new_watch()
        local function build()
          local inner = aw.EventLoop {}
          inner:start(watch(function()
            aw.sleep(1)
          end))
          inner:run()
        end
        build()
        aw.yield()
        assert.are.equal(0, watch.left())
      end)
    end)
  end)

  it("is closed by its finalizer, or by close before that [L1]", function()
    helper.leak_checked(function()
      for i = 1, 50 do
        new_loop { timeout = 5, name = "dropped" }
        local ev = new_loop()
        ev:start(aw.Sleep(1))
        if i % 2 == 1 then
          ev:close()
        end
      end
    end)
  end)
end)

describe("a loop that was made in a task of a collected loop", function()
  local function new_orphan(opts)
    local orphan
    local owner = aw.EventLoop(opts)
    owner:start(function()
      aw.sleep(1)
      orphan = aw.EventLoop {}
    end)
    owner:run()
    return orphan
  end

  for name, opts in pairs { ["virtual clock"] = { clock = "virtual" },
    ["seed"] = { seed = 1, clock = "virtual" } } do
    it("stays on the private engine with a " .. name .. " [S6]", function()
      helper.leak_checked(function()
        local orphan = new_orphan(opts)
        collectgarbage()
        collectgarbage()
        assert.are.equal(1, orphan:now())
        local tasks = aw.stats().tasks
        local task = orphan:start(function()
          aw.sleep(1)
          collectgarbage()
          aw.sleep(1)
        end)
        assert.are.equal(tasks + 1, aw.stats().tasks)
        assert.are.equal("done", orphan:run())
        assert.are.equal("done", task.status)
        assert.are.equal(3, orphan:now())
      end)
    end)
  end

  it("is collected after that loop, or together with it [S6]", function()
    helper.leak_checked(function()
      for after = 0, 1 do
        local watch = new_watch()
        local orphan = new_orphan { clock = "virtual" }
        orphan:start(watch(function() end))
        if after == 1 then
          collectgarbage()
        end
        orphan = nil -- luacheck: ignore 311
        assert.are.equal(0, watch.left())
      end
    end)
  end)
end)

describe("a finalizer", function()
  it("gets an error from objects that were finalized before it [V1]", function()
    helper.leak_checked(function()
      local errors = {}
      local function build()
        -- The holder gets its finalizer before the objects in it, so it is
        -- finalized last.
        local holder = setmetatable({}, {
          __gc = function(self)
            for _, use in ipairs(self.uses) do
              local _, err = pcall(use, self)
              errors[#errors + 1] = err
            end
          end,
        })
        holder.ev = new_loop()
        holder.wire = aw.Sleep(1) >> aw.Call(print)
        holder.task = holder.ev:start(holder.wire)
        holder.uses = {
          function(self) self.task:cancel() end,
          function(self) return self.wire * 2 end,
          function(self) return self.ev:now() end,
          function(self) self.ev:start(print) end,
        }
      end
      build()
      collect()
      assert.are.equal(4, #errors)
      for i, part in ipairs { "finalized", "finalized", "ended", "ended" } do
        contains(errors[i], part)
      end
    end)
  end)

  it("may make loops while a loop is made [S6]", function()
    helper.leak_checked(function()
      local ran, made, live = 0, 0, true
      local function run_one()
        local ev <close> = new_loop()
        ev:start(function()
          aw.yield()
          ran = ran + 1
        end)
      end
      local function trap()
        setmetatable({}, {
          __gc = function()
            if live then
              made = made + 1
              trap()
              run_one()
            end
          end,
        })
      end
      collector.set(1, 1000)
      for _ = 1, 60 do -- each trap makes a loop at each collection
        trap()
        run_one()
      end
      live = false
      collector.set(200, 100)
      assert.are.equal(60 + made, ran)
    end)
  end)

  it("that is older than the module gets errors at the end of the state",
    process.under_stock(function()
      local outcome = process.stock [[
        local aw, task, ev
        old = setmetatable({}, { __gc = function()
          for _, f in ipairs { function() aw.run(function() end) end,
            function() aw.EventLoop() end, function() ev:start(print) end,
            function() task:cancel() end, function() aw.Sleep(1) end } do
            io.write(pcall(f) and "ran " or "raised ")
          end
        end })
        aw = require "aiowire"
        ev = aw.EventLoop()
        task = ev:start(aw.Sleep(1))
      ]]
      assert.are.equal("", outcome.err)
      assert.are.equal(("raised "):rep(5), outcome.out)
      assert.are.equal(0, outcome.code)
    end))
end)

describe("a coroutine that ends with its task", function()
  it("is not freed while its `__close` handlers run", function()
    local closed, handled = 0, 0
    helper.run_loop(function(ev)
      for _ = 1, 20 do
        ev:start(function()
          local _ <close> = closer(function()
            coroutine.wrap(collect)()
            local fill = {}
            for i = 1, 100 do -- overwrites memory that was freed too early
              fill[i] = {}
            end
            closed = closed + #fill // 100
          end)
          coroutine.yield()
        end, function(_, _, info)
          assert.are.same({}, info.suppressed)
          handled = handled + 1
        end)
      end
    end)
    assert.are.equal(20, closed)
    assert.are.equal(20, handled)
  end)

  it("survives a collection in its `__close` when it is killed [C9]", function()
    helper.leak_checked(function()
      local ev = aw.EventLoop { clock = "virtual", grace = 0 }
      ev:start(function()
        local _ <close> = closer(collect)
        aw.scope(function()
          while true do
            pcall(aw.sleep, 1)
          end
        end)
      end)
      ev:run(1)
      assert.are.equal(1, #ev.stuck)
    end)
  end)
end)
