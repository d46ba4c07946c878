-- Random programs must do the same in the library and in the reference model
-- (spec/model/compare_wires.lua says what that means).
-- AIOWIRE_MODEL_SEEDS=20000 tries so many seeds. AIOWIRE_MODEL_FROM=5000 sets
-- the first seed. If a seed fails, the error shows the smallest program that
-- fails.

local compare_wires = require "spec.model.compare_wires"
local helper = require "spec.support.helper"
local model = require "spec.model.model"
local random_wires = require "spec.model.random_wires"

local FROM <const> = math.tointeger(os.getenv "AIOWIRE_MODEL_FROM") or 1
local SEEDS <const> = math.tointeger(os.getenv "AIOWIRE_MODEL_SEEDS")
  or helper.gc_stress and 30 or 1500

--- Compare the programs that `generate` makes. The first failure is raised.
--- `options(seed)` returns the options of compare_wires.try.
local function compare_all(count, generate, options)
  helper.leak_checked(function()
    local skipped = 0
    for seed = FROM, FROM + count - 1 do
      local report = compare_wires.try(generate(seed), options(seed))
      if report == "skipped" then
        skipped = skipped + 1
      elseif report then
        error(("seed %d\n%s"):format(seed, report), 0)
      end
    end
    assert.is_true(skipped <= count / 10, "too many programs are too long")
  end)
end

describe("a random program", function()
  it("does what the reference model does [N1-N6, O1-O14, S2-S4, C2-C8, H1-H3]",
    function()
      compare_all(SEEDS, random_wires.generate, helper.nop)
    end)

  it("does so whatever the seed of the scheduler [F6]", function()
    compare_all(SEEDS // 4, random_wires.generate, function(seed)
      return { seed = seed }
    end)
  end)

  it("does it to the letter where the rules fix the order [F1-F3, K1, K2]",
    function()
      compare_all(SEEDS, random_wires.generate_exact, function()
        return { exact = true }
      end)
    end)
end)

--- Returns the first of `count` seeds whose program behaves differently in the
--- library and in a model with this wrong rule.
local function found_within(count, rules, name, wrong, exact)
  local right = rules[name]
  rules[name] = wrong(right)
  local generate = exact and random_wires.generate_exact
    or random_wires.generate
  local ok, found = pcall(function()
    for seed = 1, count do
      local program = generate(seed)
      local opts = { exact = exact, schedules = 20 }
      if type(compare_wires.check(program, opts)) == "table" then
        return seed
      end
    end
  end)
  rules[name] = right
  assert(ok, found)
  return found
end

--- Returns a copy of `w` in which some fields are replaced.
local function changed(w, fields)
  return setmetatable(fields, { __index = w, __len = function()
    return #w
  end })
end

local meaning, rule = model.meaning, model.rule

--- Models in which one rule is wrong: what the model does, and the wrong rule.
local wrong_models = {
  { "lets each scope keep a cancel to itself [C5]", rule, "absorbs",
    function()
      return function(scope)
        return scope.cancelled
      end
    end },
  { "lets no scope keep its cancel to itself [C5]", rule, "absorbs",
    function()
      return function()
        return false
      end
    end },
  { "has shields that hide nothing [C7]", rule, "cancelled", function()
    return function(scope)
      while scope and not scope.cancelled do
        scope = scope.parent
      end
      return scope ~= nil
    end
  end },
  { "has cancels that never turn hard [C8]", rule, "cancelled", function()
    return function(scope, hidden)
      while scope do
        if scope.cancelled and not hidden then
          return true
        end
        hidden = hidden or scope.hides
        scope = scope.parent
      end
      return false
    end
  end },
  { "waits for a wire that it should spin off [O1]", meaning, "seq",
    function()
      return function(w)
        local results
        for i = 1, #w do
          results = meaning.whole { w[i] }
        end
        return results
      end
    end },
  { "repeats once too often [O2]", meaning, "repeat", function(right)
    return function(w)
      return right(changed(w, { times = w.times + 1 }))
    end
  end },
  { "drops the last wire of a repeat [O2]", meaning, "repeat", function(right)
    return function(w)
      return (right(w))
    end
  end },
  { "ignores the limit of All [O6]", meaning, "all", function(right)
    return function(w)
      return right(changed(w, { limit = #w }))
    end
  end },
  { "gives the results of All in another order [O4]", meaning, "all",
    function(right)
      return function(w)
        local results = right(w)
        for i = 1, results.n // 2 do
          local k = results.n + 1 - i
          results[i], results[k] = results[k], results[i]
        end
        return results
      end
    end },
  { "lets errors lose a race [O5]", meaning, "race", function()
    return meaning.any
  end },
  { "lets an error win Any [O6]", meaning, "any", function()
    return function(w)
      return meaning.race(changed(w, { keys = false }))
    end
  end },
  { "falls back after a time-out of its own only [O7]", meaning, "fall",
    function()
      return function(w)
        return meaning.whole { w[1] }
      end
    end },
  { "lets a time-out take longer [O8]", meaning, "timeout", function(right)
    return function(w)
      return right(changed(w, { after = w.after + 10000 }))
    end
  end },
  { "ends in silence when the time is over [O8]", meaning, "timeout",
    function(right)
      return function(w)
        local ok, results = pcall(right, w)
        if not ok and not model.is_timeout(results) then
          error(results, 0)
        end
        return ok and results or { n = 0 }
      end
    end },
  { "skips finally after an error [O9]", meaning, "finally",
    function()
      return function(w)
        local results = meaning.shielded { w[1] }
        w.f()
        return results
      end
    end },
  { "ignores the grace of finally [O9]", meaning, "finally", function(right)
    return function(w)
      return right(changed(w, { grace = 1000000 }))
    end
  end },
  { "catches nothing [O9]", meaning, "catch", function()
    return function(w)
      return meaning.whole { w[1] }
    end
  end },
  { "tries once more [O10]", meaning, "retry", function(right)
    return function(w)
      local opts = changed(w.opts, { times = w.opts.times + 1 })
      return right(changed(w, { opts = opts }))
    end
  end },
  { "has no largest delay [O10]", meaning, "retry", function(right)
    return function(w)
      return right(changed(w, { opts = changed(w.opts, { max = 1e9 }) }))
    end
  end },
  { "forgets the wire that bind's function gave [O11]", meaning, "bind",
    function(right)
      return function(w, decide)
        return (right(w, decide))
      end
    end },
  { "maps a step only, not the whole [O11]", meaning, "map", function()
    return function(w, decide)
      local results, following = meaning[w[1].kind](w[1], decide)
      return table.pack(w.f(table.unpack(results, 1, results.n))), following
    end
  end },
  { "ends a whole after its first step [O12]", meaning, "whole", function()
    return function(w)
      return meaning[w[1].kind](w[1])
    end
  end },
  { "lets a failure through supervise [O14]", meaning, "supervise",
    function()
      return function(w)
        return meaning.whole { w[1] }
      end
    end },
  { "lets an event decide when it ends, not at its commit [H3]", rule,
    "primitive", function()
      return function()
        return false
      end
    end },
  { "resumes the last of the ready tasks first [F1]", rule, "next_ready",
    function()
      return function(ready)
        return #ready
      end
    end, true },
  { "lets a deadline overtake an earlier one of its time [K1]", rule,
    "overtakes", function()
      return function(time, earlier)
        return time <= earlier
      end
    end, true },
}

-- These specs check the comparison, not the library. AIOWIRE_GCSTRESS would
-- only make them slow.
describe("the comparison", function()
  for _, case in ipairs(helper.gc_stress and {} or wrong_models) do
    local what, rules, name, wrong, exact = table.unpack(case, 1, 5)
    it("finds a model that " .. what, function()
      assert.is_number(found_within(1000, rules, name, wrong, exact))
    end)
  end
end)
