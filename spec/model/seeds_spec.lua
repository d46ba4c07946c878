-- Many seeds: a seed shuffles each round of ready tasks [F6]. What follows
-- holds in any order; and the same seed gives the same schedule.

local aw = require "aiowire"
local helper = require "spec.support.helper"

local SEEDS <const> = helper.scale(200)

local recorder, closer = helper.recorder, helper.closer
local position = helper.position

--- Run `main(ev, ...)` in a loop with this seed.
local function run_seeded(seed, main, ...)
  local ev = aw.EventLoop { clock = "virtual", seed = seed,
    timeout = 10000 }
  local t = ev:start(aw.Wire(main, ...), nil, { name = "main" })
  assert.are.equal("done", ev:run())
  assert.are.equal("done", t.status)
  assert.are.equal(0, #ev:tasks())
  assert.are.equal(0, #ev.stuck)
end

--- Call `f(seed)` for each seed; an error says which one it was.
local function for_each_seed(f)
  helper.leak_checked(function()
    for seed = 1, SEEDS do
      local ok, err = pcall(f, seed)
      if not ok then
        if type(err) == "table" and err.message then
          err.message = ("with seed %d: %s"):format(seed,
            tostring(err.message))
        elseif type(err) == "string" then
          err = ("with seed %d: %s"):format(seed, err)
        end
        error(err, 0)
      end
    end
  end)
end

--- The log of five tasks that yield ten times each.
local function crowd(seed)
  local log, note = recorder()
  run_seeded(seed, function()
    aw.scope(function(s)
      for i = 1, 5 do
        s:start(function()
          for round = 1, 10 do
            note(i .. ":" .. round)
            aw.yield()
          end
        end)
      end
    end)
  end)
  return table.concat(log, " ")
end

describe("a seed", function()
  it("gives the same schedule each time [F6]", function()
    for_each_seed(function(seed)
      assert.are.equal(crowd(seed), crowd(seed))
    end)
  end)

  it("gives other schedules than other seeds [F6]", function()
    helper.leak_checked(function()
      local seen, count = {}, 0
      for seed = 1, SEEDS do
        local schedule = crowd(seed)
        if not seen[schedule] then
          seen[schedule] = true
          count = count + 1
        end
      end
      assert.is_true(count > SEEDS / 2, count)
    end)
  end)

  it("loses and doubles no step [F4]", function()
    for_each_seed(function(seed)
      local steps = {}
      for step in crowd(seed):gmatch "%S+" do
        assert.is_nil(steps[step])
        steps[step] = true
      end
      for i = 1, 5 do
        for round = 1, 10 do
          assert.is_true(steps[i .. ":" .. round])
        end
      end
    end)
  end)

  it("may be left out: then the schedule is first in, first out [F1]",
    function()
      helper.leak_checked(function()
        local expected = {}
        for round = 1, 10 do
          for i = 1, 5 do
            expected[#expected + 1] = i .. ":" .. round
          end
        end
        assert.are.equal(table.concat(expected, " "), crowd(nil))
      end)
    end)
end)

describe("in any order of the ready tasks", function()
  it("sleeps end by their deadlines [F2]", function()
    for_each_seed(function(seed)
      local log, note = recorder()
      run_seeded(seed, function(ev)
        aw.scope(function(s)
          for i = 20, 1, -1 do
            s:start(function()
              aw.sleep(i)
              assert(ev:now() == i)
              note(i)
            end)
          end
        end)
      end)
      for i = 1, 20 do
        assert.are.equal(i, log[i])
      end
    end)
  end)

  it("a sequence keeps its order [O1]", function()
    for_each_seed(function(seed)
      local log, note = recorder()
      run_seeded(seed, function()
        aw.scope(function(s)
          for name in ("abcde"):gmatch "." do
            s:start((aw.Call(note, name .. 1) >> aw.Call(note, name .. 2)
              >> aw.Call(note, name .. 3)) * 2)
          end
        end)
      end)
      assert.are.equal(30, #log)
      local last = {}
      for _, entry in ipairs(log) do
        local name, step = entry:match "(%a)(%d)"
        local before = last[name] or 3
        assert.are.equal(before % 3 + 1, tonumber(step))
        last[name] = tonumber(step)
      end
    end)
  end)

  it("a scope ends after all of its children [S2]", function()
    for_each_seed(function(seed)
      local log, note = recorder()
      run_seeded(seed, function()
        aw.scope(function(s)
          for i = 1, 4 do
            s:start(function()
              aw.sleep(i % 2)
              s:start(function()
                aw.yield()
                note "grandchild"
              end)
              aw.yield()
              note "child"
            end)
          end
        end)
        note "left"
      end)
      assert.are.equal(9, #log)
      assert.are.equal(9, position(log, "left"))
    end)
  end)

  it("a failing child takes the others down, cleaned up [S3]", function()
    for_each_seed(function(seed)
      local opened, closed, ended = 0, 0, 0
      local boom = {}
      run_seeded(seed, function()
        local ok, err = pcall(aw.scope, function(s)
          for i = 1, 6 do
            s:start(function()
              opened = opened + 1
              local _ <close> = closer(function()
                aw.shield(function()
                  aw.sleep(1)
                end)
                closed = closed + 1
              end)
              aw.sleep(1)
              if i == 3 then
                error(boom)
              end
              aw.sleep(10)
              ended = ended + 1
            end)
          end
        end)
        assert(not ok and err == boom)
        assert.are.same({ 6, 6, 0 }, { opened, closed, ended })
      end)
    end)
  end)

  it("a cancelled scope is absorbed, an outer one is not [C5]", function()
    for_each_seed(function(seed)
      local log, note = recorder()
      run_seeded(seed, function()
        aw.scope(function(outer)
          outer:start(function()
            aw.sleep(2)
            outer:cancel()
          end)
          aw.scope(function(inner)
            inner:start(function()
              aw.sleep(1)
              inner:cancel()
            end)
            inner:start(aw.Never)
            aw.sleep(100)
          end)
          note "inner left"
          aw.sleep(100)
          note "never"
        end)
        note "outer left"
      end)
      assert.are.same({ "inner left", "outer left" }, log)
    end)
  end)

  it("a cancel is delivered after cancel(), once [C3]", function()
    for_each_seed(function(seed)
      local log, note = recorder()
      local count = 0
      run_seeded(seed, function(ev)
        local victims = {}
        for i = 1, 5 do
          victims[i] = ev:start(function()
            local _ <close> = closer(function()
              note "closed"
            end)
            local ok, err = pcall(aw.sleep, 100)
            if not ok and aw.is_cancelled(err) then
              count = count + 1
            end
            error(err)
          end)
        end
        aw.sleep(1)
        for i = 1, 5 do
          victims[i]:cancel()
          victims[i]:cancel()
        end
        note "cancelled all"
        for i = 1, 5 do
          pcall(victims[i].wait, victims[i])
          assert(victims[i].status == "cancelled")
        end
      end)
      assert.are.equal(1, position(log, "cancelled all"))
      assert.are.equal(6, #log)
      assert.are.equal(5, count)
    end)
  end)

  it("a sleep that ended is not taken back by a cancel [C6]", function()
    for_each_seed(function(seed)
      local slept, cancelled = 0, 0
      run_seeded(seed, function(ev)
        local victims = {}
        for i = 1, 4 do
          victims[i] = ev:start(function()
            aw.sleep(1)
            slept = slept + 1
            aw.sleep(1)
          end)
        end
        ev:start(function()
          aw.sleep(1)
          for i = 1, 4 do
            victims[i]:cancel()
          end
        end)
        for i = 1, 4 do
          pcall(victims[i].wait, victims[i])
          cancelled = cancelled
            + (victims[i].status == "cancelled" and 1 or 0)
        end
      end)
      assert.are.equal(4, slept)
      assert.are.equal(4, cancelled)
    end)
  end)

  it("a shield keeps what it shields [C7]", function()
    for_each_seed(function(seed)
      local kept, lost = 0, 0
      run_seeded(seed, function()
        aw.scope(function(s)
          for i = 1, 5 do
            s:start(function()
              aw.shield(function()
                aw.sleep(i % 3)
                aw.yield()
                kept = kept + 1
              end)
              aw.sleep(100)
              lost = lost + 1
            end)
          end
          aw.yield()
          aw.sleep(1)
          s:cancel()
        end)
      end)
      assert.are.equal(5, kept)
      assert.are.equal(0, lost)
    end)
  end)

  it("a time-out cuts off what is late, and only that [C4]", function()
    for_each_seed(function(seed)
      local log, note = recorder()
      run_seeded(seed, function()
        aw.scope(function(s)
          for i = 1, 8 do
            s:start(function()
              local ok, err = pcall(aw.timeout, 4.5, aw.sleep, i)
              assert(ok == (i <= 4))
              assert(ok or aw.is_timeout(err) and err.after == 4.5)
              note(ok)
            end)
          end
        end)
      end)
      local expected = { true, true, true, true,
        false, false, false, false }
      assert.are.same(expected, log)
    end)
  end)

  it("each failure finds its own handler, once [E7]", function()
    for_each_seed(function(seed)
      local handled, others = {}, 0
      run_seeded(seed, function(ev)
        for i = 1, 6 do
          local boom = {}
          ev:start(aw.Wire(function()
            aw.yield()
            return function()
              aw.yield()
              error(boom)
            end
          end) >> aw.Sleep(100), function(_, err)
            assert(err == boom)
            handled[i] = (handled[i] or 0) + 1
          end)
          ev:start(function()
            aw.yield()
            others = others + 1
          end)
        end
      end)
      assert.are.same({ 1, 1, 1, 1, 1, 1 }, handled)
      assert.are.equal(6, others)
    end)
  end)

  it("all waiters get the results [T5]", function()
    for_each_seed(function(seed)
      local got = 0
      run_seeded(seed, function(ev)
        local source = ev:start(function()
          aw.yield()
          aw.yield()
          return aw.Value(1)
        end)
        aw.scope(function(s)
          for i = 1, 6 do
            s:start(function()
              for _ = 1, i do
                aw.yield()
              end
              local one = source:wait()
              got = got + one
            end)
          end
        end)
      end)
      assert.are.equal(6, got)
    end)
  end)

  it("what a sequence spins off ends before its scope does [N5]", function()
    for_each_seed(function(seed)
      local count, seen = 0, nil
      run_seeded(seed, function()
        aw.scope(function()
          aw.await(aw.Wire(function()
            return function()
              aw.yield()
              aw.yield()
              count = count + 1
            end
          end) * 5 >> aw.Value())
        end)
        seen = count
      end)
      assert.are.equal(5, seen)
    end)
  end)

  it("a wire started by many runs as often [V1]", function()
    for_each_seed(function(seed)
      local count = 0
      local w = (aw.Wire(function()
        aw.yield()
        count = count + 1
      end) * 2) * 3
      run_seeded(seed, function()
        aw.scope(function(s)
          for _ = 1, 10 do
            s:start(w)
          end
        end)
      end)
      assert.are.equal(60, count)
    end)
  end)

  it("a loop in a task ends with its own tasks [S6]", function()
    for_each_seed(function(seed)
      local inside, outside = 0, 0
      run_seeded(seed, function(ev)
        ev:start(function()
          for _ = 1, 5 do
            aw.sleep(1)
            outside = outside + 1
          end
        end)
        local inner = aw.EventLoop {}
        for i = 1, 3 do
          inner:start(function()
            aw.sleep(i)
            inside = inside + 1
          end)
        end
        assert(inner:run() == "done")
        assert(inside == 3 and outside < 5)
      end)
      assert.are.equal(5, outside)
    end)
  end)
end)
