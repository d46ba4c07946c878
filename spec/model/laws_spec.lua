-- Laws say that two expressions are equal: the same events happen at the same
-- times, with the same outcome.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local wires = require "spec.support.wires"

local trace = wires.trace

--- Call each function of `builds` with (note, ...), run the wires, and check
--- that all traces are equal. If `expected` is given, the traces must equal it.
local function alike(builds, expected)
  local first = expected
  for i, build in ipairs(builds) do
    local got = trace(build)
    first = first or got
    assert.are.same(first, got, "expression " .. i)
  end
end

--- Leaves that end at times of their own and clean up when cut off.
local function leaf(note, name, seconds, ...)
  local results = table.pack(...)
  return aw.Call(function()
    note(name .. " begins")
    local _ <close> = helper.closer(function(err)
      if err ~= nil then
        aw.shield(function()
          aw.sleep(seconds / 2)
        end)
        note(name .. " cleaned")
      end
    end)
    aw.sleep(seconds)
    note(name .. " ends")
    return table.unpack(results, 1, results.n)
  end)
end

local function failing(note, name, seconds)
  return leaf(note, name, seconds) >> aw.Call(error, name .. " fails", 0)
end

--- Returns functions that apply a binary operator to four operands, one
--- function for each way to group them.
local function groupings(operate)
  local o = operate
  return {
    function(a, b, c, d) return o(o(o(a, b), c), d) end,
    function(a, b, c, d) return o(o(a, o(b, c)), d) end,
    function(a, b, c, d) return o(o(a, b), o(c, d)) end,
    function(a, b, c, d) return o(a, o(o(b, c), d)) end,
    function(a, b, c, d) return o(a, o(b, o(c, d))) end,
  }
end

local function group_all(operate, operands)
  local builds = {}
  for i, group in ipairs(groupings(operate)) do
    builds[i] = function(note)
      return group(operands(note))
    end
  end
  return builds
end

--- A body that takes a second and returns a wire that takes longer.
local function giving(note, name)
  return aw.Wire(function()
    note(name)
    aw.sleep(1)
    return wires.takes(2.25, note, name .. "'") >> aw.Value("from " .. name)
  end)
end

local function sequence(a, b) return a >> b end
local function join(a, b) return a & b end
local function race(a, b) return a | b end
local function fallback(a, b) return a // b end

describe("the grouping of >>", function()
  it("makes no difference to what runs and what is spun off [O1, U1]",
    function()
      local function operands(note)
        return giving(note, "a"), giving(note, "b"), giving(note, "c"),
          giving(note, "d")
      end
      local builds = group_all(sequence, operands)
      builds[#builds + 1] = function(note)
        return aw.Sequence(operands(note))
      end
      builds[#builds + 1] = function(note)
        local a, b, c, d = operands(note)
        return aw.Sequence(a, aw.Sequence(b, c), d)
      end
      alike(builds, { "a at 0", "b at 1", "c at 2", "d at 3", "a' at 3.25",
        "b' at 4.25", "c' at 5.25", "d' at 6.25", "from d at 6.25" })
    end)

  it("makes none to * either: a * 3 is a >> a >> a [O2]", function()
    local builds = {}
    for i, build in ipairs {
      function(a) return a >> a >> a end,
      function(a) return a * 3 end,
      function(a) return a >> a * 2 end,
      function(a) return a * 2 >> a end,
      function(a) return (a * 3) * 1 end,
    } do
      builds[i] = function(note)
        return build(giving(note, "a"))
      end
    end
    alike(builds)
  end)

  it("makes none to factors: (a * 2) * 3 runs six times [O2]", function()
    alike {
      function(note) return giving(note, "a") * 6 end,
      function(note) return (giving(note, "a") * 2) * 3 end,
      function(note) return 2 * (giving(note, "a") * 3) end,
    }
  end)
end)

describe("the grouping of &", function()
  it("makes no difference when all end well [V4] [O4]", function()
    alike(group_all(join, function(note)
      return leaf(note, "a", 3, 1), leaf(note, "b", 1, nil, 2),
        leaf(note, "c", 2, 3), leaf(note, "d", 1, 4)
    end), {
      "a begins at 0", "b begins at 0", "c begins at 0", "d begins at 0",
      "b ends at 1", "d ends at 1", "c ends at 2", "a ends at 3",
      "1 nil 3 4 at 3",
    })
  end)

  it("makes none when one fails [V4] [O4]", function()
    alike(group_all(join, function(note)
      return leaf(note, "a", 3), leaf(note, "b", 1),
        failing(note, "c", 2), leaf(note, "d", 4)
    end), {
      "a begins at 0", "b begins at 0", "c begins at 0", "d begins at 0",
      "b ends at 1", "c ends at 2", "a cleaned at 3.5", "d cleaned at 4",
      "c fails at 4",
    })
  end)

  it("makes none to All either, without keys [O6]", function()
    local function operands(note)
      return leaf(note, "a", 3, 1), leaf(note, "b", 1, 2),
        leaf(note, "c", 2, 3), leaf(note, "d", 1, 4)
    end
    alike {
      function(note)
        local a, b, c, d = operands(note)
        return a & b & c & d
      end,
      function(note)
        return aw.All { operands(note) }
      end,
      function(note)
        local list = { operands(note) }
        list.limit = 4
        return aw.All(list)
      end,
    }
  end)

  it("makes one where a name stands between [V4]", function()
    assert.are_not.same(
      trace(function() return (aw.Value(1) & aw.Value(2)) & aw.Value(3) end),
      trace(function()
        return (aw.Value(1) & aw.Value(2)):named "n" & aw.Value(3)
      end))
  end)
end)

describe("the grouping of |", function()
  it("makes no difference when one wins [V4] [O5]", function()
    alike(group_all(race, function(note)
      return leaf(note, "a", 3, 1), leaf(note, "b", 2, 2),
        leaf(note, "c", 1, 3, nil), leaf(note, "d", 4, 4)
    end), {
      "a begins at 0", "b begins at 0", "c begins at 0", "d begins at 0",
      "c ends at 1", "b cleaned at 2", "a cleaned at 2.5",
      "d cleaned at 3", "3 nil at 3",
    })
  end)

  it("makes none when several end at the same moment [V4] [O5]",
    function()
      alike(group_all(race, function(note)
        return leaf(note, "a", 2, 1), leaf(note, "b", 1, 2),
          leaf(note, "c", 1, 3), leaf(note, "d", 1, 4)
      end), nil)
    end)

  it("makes none for events [V4] [H3]", function()
    alike(group_all(race, function(note)
      local function event(name, seconds)
        return aw.Sleep(seconds) / function()
          note(name)
          return name
        end
      end
      return event("a", 2), event("b", 1), event("c", 1), event("d", 3)
    end), { "b at 1", "b at 1" })
  end)

  it("makes none when the first fails [V4] [O5]", function()
    alike(group_all(race, function(note)
      return leaf(note, "a", 3), failing(note, "b", 1),
        leaf(note, "c", 2), aw.Never
    end))
  end)
end)

describe("the grouping of //", function()
  it("makes no difference, whoever works [V4] [O7]", function()
    for last = 1, 4 do
      alike(group_all(fallback, function(note)
        local list = {}
        for i = 1, 4 do
          local name = ("abcd"):sub(i, i)
          list[i] = i == last and leaf(note, name, 1, name, nil)
            or failing(note, name, 1)
        end
        return table.unpack(list)
      end))
    end
  end)

  it("makes none if all operands fail [V4] [O7]", function()
    alike(group_all(fallback, function(note)
      return failing(note, "a", 1), failing(note, "b", 2),
        failing(note, "c", 1), failing(note, "d", 1)
    end), {
      "a begins at 0", "a ends at 1", "b begins at 1", "b ends at 3",
      "c begins at 3", "c ends at 4", "d begins at 4", "d ends at 5",
      "d fails at 5",
    })
  end)
end)

describe("an operand that changes nothing", function()
  local function working(note)
    return leaf(note, "w", 2, 1, nil, 3)
  end
  local function broken(note)
    return failing(note, "w", 2)
  end

  --- Check that each wire of `same` has the trace of the bare wire, when that
  --- works and when it fails.
  local function neutral(same)
    for _, make in ipairs { working, broken } do
      local builds = { make }
      for i, f in ipairs(same) do
        builds[i + 1] = function(note)
          return f(make(note))
        end
      end
      alike(builds)
    end
  end

  it("is Never in a race [O5] [O15]", function()
    neutral {
      function(w) return w | aw.Never end,
      function(w) return aw.Never | w end,
    }
  end)

  it("is what a working wire falls back to [O7]", function()
    alike {
      working,
      function(note) return working(note) // aw.Never end,
      function(note) return aw.Call(error, "x") // working(note) end,
    }
  end)

  it("is a time-out that is never due [O8]", function()
    neutral {
      function(w) return w:timeout(math.huge) end,
      function(w) return w:timeout(1000) end,
    }
  end)

  it("is one try in all [O10]", function()
    neutral { function(w) return w:retry { times = 1, delay = 5 } end }
  end)

  it("is a catch that raises the same again [O9]", function()
    neutral {
      function(w)
        return w:catch(function(err)
          error(err, 0)
        end)
      end,
    }
  end)

  it("is a finally that does nothing [O9]", function()
    neutral { function(w) return w:finally(helper.nop) end }
  end)

  it("is a map that returns its arguments [O11]", function()
    neutral {
      function(w) return w / function(...) return ... end end,
      function(w) return w:map(function(...) return ... end) end,
    }
  end)

  it("is a bind to Value [O11]", function()
    neutral { function(w) return w:bind(aw.Value) end }
  end)

  it("is a join, a race, an Any of one [O6]", function()
    alike {
      function(note) return leaf(note, "w", 1, "x") end,
      function(note) return aw.All { leaf(note, "w", 1, "x") } end,
      function(note) return aw.Any { leaf(note, "w", 1, "x") } end,
    }
  end)

  it("keeps its time with all of these around it [V1]", function()
    neutral {
      function(w)
        return w:timeout(100):retry { times = 1 }:finally(helper.nop)
          :bind(aw.Value):named "w" | aw.Never
      end,
    }
  end)
end)

describe("functions on results", function()
  local function f(x) return x + 1, x end
  local function g(a, b) return a * 10, b end

  it("may be put together: w / f / g is w / (f, then g) [O11]", function()
    alike({
      function(note) return leaf(note, "w", 1, 4) / f / g end,
      function(note)
        return leaf(note, "w", 1, 4) / function(...) return g(f(...)) end
      end,
      function(note) return leaf(note, "w", 1, 4):map(f):map(g) end,
    }, { "w begins at 0", "w ends at 1", "50 4 at 1" })
  end)

  it("bind as they should: from the left, from the right, in a row [O11]",
    function()
      local function k(x) return wires.gives(1, x + 1) end
      local function h(x) return wires.gives(2, x * 10) end
      alike({
        function() return aw.Value(4):bind(k):bind(h) end,
        function()
          return aw.Value(4):bind(function(x) return k(x):bind(h) end)
        end,
        function() return k(4):bind(h) end,
        function() return k(4):bind(h):bind(aw.Value) end,
      }, { "50 at 3" })
    end)

  it("are the same for map, and bind with Value [O11]", function()
    alike {
      function(note) return leaf(note, "w", 1, 4) / f end,
      function(note)
        return leaf(note, "w", 1, 4):bind(function(...)
          return aw.Value(f(...))
        end)
      end,
    }
  end)
end)

describe("ways to write the same", function()
  it("are a race and a time-out, with the same cancels [O5] [O8]",
    function()
      local function until_cut(build)
        local log = trace(build)
        log[#log] = nil
        return log
      end
      assert.are.same(
        until_cut(function(note)
          return leaf(note, "w", 9) | aw.Sleep(2)
        end),
        until_cut(function(note)
          return leaf(note, "w", 9):timeout(2)
        end))
    end)

  it("are Race and |, but for the key [O6]", function()
    alike {
      function(note)
        return leaf(note, "a", 3) | leaf(note, "b", 1, "x")
      end,
      function(note)
        return aw.Race { leaf(note, "a", 3), leaf(note, "b", 1, "x") }
          / function(x) return x end
      end,
    }
  end)

  it("are w // w and a retry with two tries [O7] [O10]", function()
    alike {
      function(note)
        local w = failing(note, "w", 1)
        return w // w
      end,
      function(note)
        return failing(note, "w", 1):retry { times = 2 }
      end,
    }
  end)

  it("are a // b and a catch that gives b [O7] [O9]", function()
    alike {
      function(note)
        return failing(note, "a", 1) // leaf(note, "b", 1, "x")
      end,
      function(note)
        return failing(note, "a", 1):catch(function()
          return leaf(note, "b", 1, "x")
        end)
      end,
    }
  end)

  it("are Every and Forever, if w takes no time [K4] [O3]", function()
    alike {
      function(note)
        return aw.Every(2, aw.Call(note, "tick")):timeout(7)
          // aw.Value "cut off"
      end,
      function(note)
        return aw.Forever(aw.Call(note, "tick") >> aw.Sleep(2)):timeout(7)
          // aw.Value "cut off"
      end,
    }
  end)

  it("are All with limit=1 and >> in time and order [O6]", function()
    local function log_of(build)
      local log = trace(build)
      log[#log] = nil
      return log
    end
    assert.are.same(
      log_of(function(note)
        return leaf(note, "a", 2) >> leaf(note, "b", 1)
      end),
      log_of(function(note)
        return aw.All { leaf(note, "a", 2), leaf(note, "b", 1), limit = 1 }
      end))
  end)
end)

describe("one value in a hundred tasks at once", function()
  local forms = {
    ["a sequence"] = function(w)
      return aw.Wire(function() return aw.Sleep(1) end) >> w >> w
    end,
    ["a repeat"] = function(w) return w * 3 end,
    ["a join"] = function(w) return w & aw.Sleep(2) & w end,
    ["a race"] = function(w) return aw.Sleep(9) | w | w end,
    ["a race of events"] = function()
      return (aw.Sleep(1) / function() return "x" end) | aw.Sleep(2)
    end,
    ["All"] = function(w) return aw.All { x = w, y = aw.Sleep(2) } end,
    ["All with a limit"] = function(w)
      return aw.All { w, w, w, limit = 2 }
    end,
    ["Any"] = function(w) return aw.Any { wires.fails(1, "x"), w } end,
    ["Race"] = function(w) return aw.Race { aw.Never, w } end,
    ["Select"] = function()
      return aw.Select { x = aw.Sleep(1), y = aw.Sleep(2) }
    end,
    ["a fall-back"] = function(w) return wires.fails(1, "x") // w end,
    ["a time-out"] = function(w) return aw.Sleep(9):timeout(1) // w end,
    ["a retry"] = function(w)
      return wires.fails(1, "x"):retry { times = 3, delay = 1 } // w
    end,
    ["a catch"] = function(w)
      return wires.fails(1, "x"):catch(function() return w end)
    end,
    ["a finally"] = function(w)
      return w:finally(function() aw.sleep(1) end)
    end,
    ["a map"] = function(w) return w / function(...) return ... end end,
    ["a bind"] = function(w) return w:bind(aw.Value) end,
    ["a supervised wire"] = function(w)
      return wires.fails(1, "x"):supervise(helper.nop) >> w
    end,
    ["Every"] = function(w) return aw.Every(1, w):timeout(3) // w end,
  }

  for name, build in pairs(forms) do
    it("does the same in each as alone, as " .. name .. " [V1]", function()
      helper.test(function(ev)
        local w = build(wires.gives(1, "x"))
        local function run()
          local began = ev:now()
          local got = table.pack(aw.await(w))
          got.time = ev:now() - began
          return got
        end
        local alone = run()
        local count = helper.scale(100)
        local left, all = count, {}
        for i = 1, count do
          ev:start(aw.Sleep(i % 4 / 4) >> aw.Call(function()
            all[i] = run()
            left = left - 1
          end))
        end
        aw.sleep(100)
        assert.are.equal(0, left)
        for i = 1, count do
          assert.are.same(alone, all[i])
        end
      end)
    end)
  end
end)

describe("a wire with all combinators in one another", function()
  it("leaves nothing, however deep [V1]", function()
    helper.test(function()
      local w = wires.gives(1, "x")
      for _ = 1, 20 do
        w = (w & aw.Value(1)) / function(x) return x end
        w = w | aw.Never
        w = w // aw.Value "y"
        w = w:timeout(100)
        w = w:retry { times = 2 }:catch(error):finally(helper.nop)
        w = w:bind(aw.Value):named "w"
        w = aw.Any { aw.Never, w }
      end
      assert.are.equal("x", (aw.await(w)))
    end)
  end)

  it("is freed without running out of stack, however deep [V1]",
    function()
      helper.test(function()
        local w = aw.Value "x"
        for i = 1, helper.scale(20000) do
          if i % 4 == 0 then
            w = w / helper.nop
          elseif i % 4 == 1 then
            w = w:timeout(1)
          elseif i % 4 == 2 then
            w = w // aw.Never
          else
            w = w:retry { times = 1 }
          end
        end
        assert.are.equal("string", type(tostring(w)))
      end)
    end)
end)
