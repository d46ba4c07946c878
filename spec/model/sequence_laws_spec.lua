-- The laws of `>>` and `*`, which follow from the rules [O1-O3]. laws_spec.lua
-- has those of the other operators.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local wires = require "spec.support.wires"

local test, recorder = helper.test, helper.recorder
local takes = wires.takes

describe("the laws of wires", function()
  --- A small generator of our own, the same everywhere.
  local function dice(seed)
    local state = seed
    return function(n)
      state = (state * 1103515245 + 12345) % 2147483648
      return (state >> 16) % n + 1
    end
  end

  --- Everything that happens when `build(note)` runs, with the times.
  local function trace(build)
    local log = {}
    aw.test(function(ev)
      local function note(what)
        log[#log + 1] = ("%s at %g"):format(what, ev:now())
      end
      local t = ev:start(build(note))
      local results = table.concat({ t:wait() }, " ")
      log[#log + 1] = "results " .. results
      log[#log + 1] = ("end at %g"):format(ev:now())
    end)
    return log
  end

  --- A body that takes a while and returns a wire that takes longer.
  local function busy_body(note, name)
    return aw.Wire(function()
      note(name)
      aw.sleep(1)
      return takes(2.25, note, name .. "'") >> aw.Value("from " .. name)
    end)
  end

  it("hold for the grouping of >> [O1, U1]", function()
    helper.leak_checked(function()
      local groupings = {
        function(a, b, c, d) return ((a >> b) >> c) >> d end,
        function(a, b, c, d) return (a >> (b >> c)) >> d end,
        function(a, b, c, d) return (a >> b) >> (c >> d) end,
        function(a, b, c, d) return a >> ((b >> c) >> d) end,
        function(a, b, c, d) return a >> (b >> (c >> d)) end,
        function(a, b, c, d) return aw.Sequence(a, b, c, d) end,
        function(a, b, c, d) return aw.Sequence(a, aw.Sequence(b, c), d) end,
      }
      local first
      for i, group in ipairs(groupings) do
        local got = trace(function(note)
          return group(
            busy_body(note, "a"),
            busy_body(note, "b"),
            busy_body(note, "c"),
            busy_body(note, "d")
          )
        end)
        first = first or got
        assert.are.same(first, got, "grouping " .. i)
      end
      assert.are.same({
        "a at 0",
        "b at 1",
        "c at 2",
        "d at 3",
        "a' at 3.25",
        "b' at 4.25",
        "c' at 5.25",
        "d' at 6.25",
        "results from d",
        "end at 6.25",
      }, first)
    end)
  end)

  it("hold for a * n and a >> a >> ... [O2]", function()
    helper.leak_checked(function()
      local function with(build)
        return trace(function(note)
          return build(busy_body(note, "a"))
        end)
      end
      local expected = with(function(a)
        return a >> a >> a
      end)
      assert.are.same(expected, with(function(a)
        return a * 3
      end))
      assert.are.same(expected, with(function(a)
        return a >> a * 2
      end))
      assert.are.same(expected, with(function(a)
        return a * 2 >> a
      end))
      assert.are.same(expected, with(function(a)
        return (a * 3) * 1
      end))
    end)
  end)

  it("let (a * 2) * 3 run six times [O2]", function()
    helper.leak_checked(function()
      local six = trace(function(note)
        return busy_body(note, "a") * 6
      end)
      assert.are.same(six, trace(function(note)
        return (busy_body(note, "a") * 2) * 3
      end))
      assert.are.same(six, trace(function(note)
        return 2 * (busy_body(note, "a") * 3)
      end))
      assert.are.equal("end at 8.25", six[#six])
    end)
  end)

  it("let a hundred tasks run one value at once [V1]", function()
    test(function(ev)
      local runs, children, ends = 0, 0, {}
      local w = (aw.Sleep(0.5) >> aw.Wire(function()
        runs = runs + 1
        return aw.Sleep(1) >> aw.Call(function()
          children = children + 1
        end)
      end)) * 3 >> aw.Value("end")
      local tasks = {}
      for i = 1, 100 do
        tasks[i] = ev:start(w)
      end
      for i = 1, 100 do
        ends[i] = tasks[i]:wait()
      end
      assert.are.equal(300, runs)
      assert.are.equal(300, children)
      assert.are.equal(2.5, ev:now())
      for i = 1, 100 do
        assert.are.equal("end", ends[i])
      end
    end)
  end)

  it("let a hundred tasks run one value at different times [V1]", function()
    test(function(ev)
      local count = {}
      local w = (aw.Wire(function()
        local id = aw.current().id
        count[id] = (count[id] or 0) + 1
      end) >> aw.Sleep(1)) * 4
      for i = 1, 100 do
        ev:start(aw.Sleep(i / 8) >> w)
      end
      aw.sleep(20)
      local tasks = 0
      for _, n in pairs(count) do
        tasks = tasks + 1
        assert.are.equal(4, n)
      end
      assert.are.equal(100, tasks)
    end)
  end)

  it("make an element of Forever never reach what follows [O3]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start((aw.Forever(takes(1, note, "a"))
        >> aw.Call(note, "b")) * 2)
      aw.sleep(2.5)
      t:cancel_wait()
      assert.are.same({ "a", "a" }, log)
    end)
  end)

  it("hold for expressions thrown together at random [O1] [O2] [O12]",
    function()
      -- The model: a list of leaf numbers in order. Every leaf returns a
      -- wire, so each must be gone on with or spun off exactly once.
      local function random_wire(roll, depth, leaf)
        local kind = depth == 0 and 1 or roll(6)
        if kind == 1 then
          return leaf()
        elseif kind <= 3 then
          local a, model_a = random_wire(roll, depth - 1, leaf)
          local b, model_b = random_wire(roll, depth - 1, leaf)
          local model = table.move(model_b, 1, #model_b, #model_a + 1,
            table.move(model_a, 1, #model_a, 1, {}))
          return a >> b, model
        elseif kind == 4 then
          local a, model_a = random_wire(roll, depth - 1, leaf)
          local n, model = roll(4) - 1, {}
          for _ = 1, n do
            table.move(model_a, 1, #model_a, #model + 1, model)
          end
          return a * n, model
        elseif kind == 5 then
          local a, model_a = random_wire(roll, depth - 1, leaf)
          return a:whole(), model_a
        else
          local a, model_a = random_wire(roll, depth - 1, leaf)
          return a:named("n"), model_a
        end
      end

      test(function(ev)
        for seed = 1, 100 do
          local ran, gone_on, leaves = {}, {}, 0
          local function leaf()
            leaves = leaves + 1
            local k = leaves
            return aw.Wire(function()
              ran[#ran + 1] = k
              return aw.Sleep(0.125) >> aw.Call(function()
                gone_on[#gone_on + 1] = k
              end)
            end), { k }
          end
          local w, model = random_wire(dice(seed), 5, leaf)
          ev:start(w):wait()
          local message = "seed " .. seed .. ": " .. tostring(w)
          assert.are.same(model, ran, message)
          local expected = table.move(model, 1, #model, 1, {})
          table.sort(expected)
          table.sort(gone_on)
          assert.are.same(expected, gone_on, message)
        end
      end)
    end)
end)
