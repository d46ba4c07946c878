-- Select{...}: one choice among events, which says what it chose (H4, F5).

local aw = require "aiowire"
local helper = require "spec.helper"
local wires = require "spec.wires"

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

  it("goes on with the wire that a bind gives [H4] [O11]", function()
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

  it("leaves nothing behind of the others [H2]", function()
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

describe("the order in which Select{...} looks", function()
  --- How often each key is chosen in `rounds` of a Select of what is ready.
  local function choices(w, rounds)
    local count = {}
    for _ = 1, rounds do
      local key = aw.await(w)
      count[key] = (count[key] or 0) + 1
    end
    return count
  end

  it("rotates: each ready event has its turn [F5] [H4]", function()
    test(function(ev)
      local t = ev:start(helper.nop)
      aw.sleep(1)
      local count = choices(aw.Select {
        a = aw.Done(t), b = aw.Done(t), c = aw.Done(t),
      }, 300)
      for _, key in ipairs { "a", "b", "c" } do
        assert.is_true((count[key] or 0) >= 30, key)
      end
    end)
  end)

  it("lets nothing starve that is beside what is always ready [F5]",
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
