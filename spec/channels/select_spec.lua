-- Select{...} commits one of several events and returns its key [H4, F5].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local wires = require "spec.support.wires"

local test = helper.test
local recorder = helper.recorder
local gives, fails = wires.gives, wires.fails
local outcome, results = wires.outcome, wires.results

describe("Select{...}", function()
  it("gives the key, then the results [H4]", function()
    test(function(ev)
      local t = ev:start(gives(1, "x", nil, "z"))
      assert.are.same({ n = 4, "task", "x", nil, "z" },
        results(aw.Select { task = aw.Done(t), tick = aw.Sleep(2) }))
      assert.are.equal(1, ev:now())
    end)
  end)

  it("gives nothing but the key of an event without results [H4]",
    function()
      test(function()
        assert.are.same({ n = 1, "tick" },
          results(aw.Select { tick = aw.Sleep(1), tock = aw.Sleep(2) }))
      end)
    end)

  it("gives the place of an event in a list [H4]", function()
    test(function()
      assert.are.same({ n = 1, 2 },
        results(aw.Select { aw.Sleep(3), aw.Sleep(1), aw.Sleep(2) }))
    end)
  end)

  it("takes a list and string keys together [H4]", function()
    test(function()
      assert.are.same({ n = 1, "x" },
        results(aw.Select { aw.Sleep(3), aw.Never, x = aw.Sleep(1) }))
      assert.are.same({ n = 1, 1 },
        results(aw.Select { aw.Sleep(1), aw.Never, x = aw.Sleep(2) }))
    end)
  end)

  it("of one event waits for that [H4]", function()
    test(function(ev)
      assert.are.same({ n = 1, "only" },
        results(aw.Select { only = aw.Sleep(1) }))
      assert.are.equal(1, ev:now())
    end)
  end)

  it("takes events under functions, whose returns are the results [H4]",
    function()
      test(function()
        local w = aw.Select {
          tick = (aw.Sleep(1) / function()
            return "a", nil
          end):named "tick",
          tock = aw.Sleep(2):map(error),
        }
        assert.are.same({ n = 3, "tick", "a", nil }, results(w))
      end)
    end)

  it("runs the wire that a bind returns [H4] [O11]", function()
    test(function(ev)
      local w = aw.Select {
        tick = aw.Sleep(1):bind(function()
          return gives(2, "bound")
        end),
        tock = aw.Sleep(2),
      }
      assert.are.same({ n = 2, "tick", "bound" }, results(w))
      assert.are.equal(3, ev:now())
    end)
  end)

  it("commits exactly one [H2]", function()
    test(function(ev)
      local log, note = recorder()
      local function on(what)
        return aw.Sleep(1) / function()
          note(what)
        end
      end
      local key = aw.await(aw.Select { a = on "a", b = on "b", c = on "c" })
      aw.sleep(5)
      assert.are.same({ key }, log)
      assert.are.equal(6, ev:now())
    end)
  end)

  it("raises the error of the event that it chose [H4]", function()
    test(function(ev)
      local problem = {}
      local t = ev:start(fails(1, problem), helper.nop)
      local ok, err = outcome(aw.Select {
        task = aw.Done(t), tick = aw.Sleep(2),
      })
      assert.is_false(ok)
      assert.are.equal(problem, err)
    end)
  end)

  it("raises what the function under its event raises [H4]", function()
    test(function()
      local problem = {}
      local ok, err = outcome(aw.Select {
        tick = aw.Sleep(1) / function()
          error(problem)
        end,
        tock = aw.Sleep(2),
      })
      assert.is_false(ok)
      assert.are.equal(problem, err)
    end)
  end)

  it("unregisters the others [H2]", function()
    test(function()
      local before = aw.stats().deadlines
      for _ = 1, 10 do
        aw.await(aw.Select { x = aw.Sleep(1000), y = aw.Sleep(1) })
        assert.are.equal(before, aw.stats().deadlines)
      end
    end)
  end)

  it("is given up at once when cancelled [C10]", function()
    test(function(ev)
      local before = aw.stats().deadlines
      local t = ev:start(aw.Select { aw.Sleep(5), aw.Never })
      aw.yield()
      t:cancel_wait()
      assert.are.equal("cancelled", t.status)
      assert.are.equal(before, aw.stats().deadlines)
      assert.are.equal(0, ev:now())
    end)
  end)

  it("may run in many tasks at once [V1]", function()
    test(function(ev)
      local w = aw.Select { tick = aw.Sleep(1), tock = aw.Sleep(2) }
      local tasks, count = {}, helper.scale(100)
      for i = 1, count do
        tasks[i] = ev:start(w)
      end
      for i = 1, count do
        assert.are.equal("tick", tasks[i]:wait())
      end
      assert.are.equal(1, ev:now())
    end)
  end)

  it("is not changed by a later change of the table [V1]", function()
    test(function()
      local list = { x = aw.Sleep(1) }
      local w = aw.Select(list)
      list.x, list.y = aw.Never, aw.Sleep(0)
      assert.are.equal("x", aw.await(w))
    end)
  end)
end)

describe("the order in which Select{...} tries its events", function()
  --- Await the Select `w`, whose events are ready, `rounds` times. Returns how
  --- often each key was chosen.
  local function choices(w, rounds)
    local count = {}
    for _ = 1, rounds do
      local key = aw.await(w)
      count[key] = (count[key] or 0) + 1
    end
    return count
  end

  --- Check that all `keys` were chosen equally often, within five standard
  --- deviations.
  local function assert_shares(count, keys, rounds)
    local share = rounds / #keys
    local most = 5 * math.sqrt(share * (1 - 1 / #keys))
    for _, key in ipairs(keys) do
      local n = count[key] or 0
      assert.is_true(math.abs(n - share) <= most,
        ("%s: %d of %d"):format(key, n, rounds))
    end
  end

  local ROUNDS <const> = helper.scale(1000)

  it("gives each ready event the same share [F5] [H4]", function()
    test(function(ev)
      local t = ev:start(helper.nop)
      aw.sleep(1)
      for n = 2, 5 do
        local events, keys = {}, {}
        for i = 1, n do
          keys[i] = ("abcde"):sub(i, i)
          events[keys[i]] = aw.Done(t)
        end
        assert_shares(choices(aw.Select(events), ROUNDS * n), keys, ROUNDS * n)
      end
    end)
  end)

  it("does so beside events that are not ready [F5] [H4]", function()
    test(function(ev)
      local t = ev:start(helper.nop)
      aw.sleep(1)
      local d, never = aw.Done(t), aw.Never
      for _, case in ipairs {
        { { "a", "b" }, { a = d, b = d, c = never } },
        { { "a", "c" }, { a = d, b = never, c = d } },
        { { "b", "c" }, { a = never, b = d, c = d } },
        { { "a", "d" }, { a = d, b = never, c = never, d = d } },
        { { "a", "b", "d" }, { a = d, b = d, c = never, d = d } },
      } do
        local keys, events = case[1], case[2]
        assert_shares(choices(aw.Select(events), 2 * ROUNDS), keys,
          2 * ROUNDS)
      end
    end)
  end)

  for tasks = 2, 4 do
    it(("cannot fall into step in %d tasks that choose in turn [F5]")
      :format(tasks), function()
      test(function()
        local x, y = aw.channel(tasks), aw.channel(tasks)
        local choice = aw.Select { a = aw.Recv(x), b = aw.Recv(y) }
        local function writer(ch)
          return function()
            while true do
              ch:send(true)
            end
          end
        end
        aw.start(writer(x), nil, { background = true })
        aw.start(writer(y), nil, { background = true })
        aw.yield()
        local counts = {}
        aw.scope(function(s)
          for i = 1, tasks do
            s:start(function()
              counts[i] = choices(choice, ROUNDS)
            end)
          end
        end)
        for i = 1, tasks do
          assert_shares(counts[i], { "a", "b" }, ROUNDS)
        end
      end)
    end)
  end

  it("is the same in each run, independent of the clock [F6]", function()
    helper.leak_checked(function()
      local function run(opts)
        local ev = aw.EventLoop(opts)
        local log = {}
        ev:start(function()
          local t = ev:start(helper.nop)
          t:wait()
          local w = aw.Select { a = aw.Done(t), b = aw.Done(t) }
          for i = 1, 50 do
            log[i] = aw.await(w)
          end
        end)
        ev:run()
        return table.concat(log)
      end
      local real = run { clock = "real", signals = false }
      assert.are.equal(real, run { clock = "real", signals = false })
      assert.are.equal(real, run { clock = "virtual", signals = false })
      local one = run { clock = "virtual", seed = 1, signals = false }
      local two = run { clock = "virtual", seed = 2, signals = false }
      assert.is_true(real ~= one and one ~= two and real ~= two)
    end)
  end)

  it("starves no event beside one that is always ready [F5]",
    function()
      test(function(ev)
        local t = ev:start(helper.nop)
        aw.sleep(1)
        local ready = aw.Done(t)
        local count = choices(aw.Select { ready, ready, ready, ready,
          last = ready }, 100)
        assert.is_true((count.last or 0) >= 1)
      end)
    end)

  it("is the same in the same program [F6] [H4]", function()
    helper.leak_checked(function()
      local function run()
        local log = {}
        local ev = helper.virtual { seed = 7 }
        ev:start(function()
          local t = ev:start(helper.nop)
          t:wait()
          local w = aw.Select { a = aw.Done(t), b = aw.Done(t) }
          for i = 1, 20 do
            log[i] = aw.await(w)
          end
        end)
        ev:run()
        return log
      end
      assert.are.same(run(), run())
    end)
  end)

  it("is fixed for `|`: the leftmost [F5]", function()
    test(function(ev)
      local t = ev:start(helper.nop)
      aw.sleep(1)
      local w = (aw.Done(t) / function()
        return "a"
      end) | (aw.Done(t) / function()
        return "b"
      end)
      assert.are.same({ a = 50 }, choices(w, 50))
    end)
  end)
end)
