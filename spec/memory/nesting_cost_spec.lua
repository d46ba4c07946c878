--- The cost of nested scopes and joins grows in proportion to their depth: to
--- begin, to end, to cancel, and to fail. The cost of the end of a task does
--- not depend on the number of tasks [U13].
---
--- The specs compare CPU time. Four times the depth costs about four times as
--- much, but sixteen times as much if each level looks at all levels above it.
--- On a busy machine a single measurement is not reliable. So the specs measure
--- up to TRIES times, use the least time, and stop once it is low enough.

local aw = require "aiowire"
local helper = require "spec.support.helper"

local TRIES <const> = 20
local DEPTH <const>, WIDTH <const> = 1500, 6000
local TIMES <const>, MOST <const> = 4, 10

--- Returns the CPU time of `work(number)`.
local function cost(work, number)
  collectgarbage()
  collectgarbage "stop"
  local start = os.clock()
  work(number)
  local took = os.clock() - start
  collectgarbage "restart"
  return took
end

local function virtual(w)
  return aw.run(w, { clock = "virtual", signals = false })
end

--- Returns `leaf`, wrapped `depth` times.
local function nested(depth, leaf, wrap)
  for _ = 1, depth do
    leaf = wrap(leaf)
  end
  return leaf
end

--- Run `leaf()` in `depth` nested scopes, each in a task of the one around it.
local function scopes(depth, leaf, opts)
  if depth == 0 then
    return leaf()
  end
  aw.scope(opts or {}, function(s)
    s:start(function()
      scopes(depth - 1, leaf, opts)
    end)
  end)
end

local function never()
  aw.sleep(math.huge)
end

local function fails()
  error("at the bottom", 0)
end

local function join(w)
  return aw.All { w, aw.Value(1) }
end

--- Start `wire`, let it run to its innermost level, and cancel it.
local function cancelled(wire)
  virtual(function(ev)
    local t = ev:start(wire)
    aw.sleep(1)
    t:cancel()
    pcall(t.wait, t)
  end)
end

local WORKS <const> = {
  ["scopes that end"] = function(n)
    virtual(function()
      scopes(n, helper.nop)
    end)
  end,
  ["scopes that are cancelled"] = function(n)
    cancelled(function()
      scopes(n, never)
    end)
  end,
  ["scopes that all run out of time"] = function(n)
    virtual(function()
      scopes(n, never, { timeout = 1 })
    end)
  end,
  ["scopes in which something fails"] = function(n)
    pcall(virtual, function()
      scopes(n, fails)
    end)
  end,
  ["tasks that wait for their children"] = function(n)
    local function nest(left)
      if left > 0 then
        aw.scope(function(s)
          s:start(function()
            nest(left - 1)
          end):wait()
        end)
      end
    end
    virtual(function()
      nest(n)
    end)
  end,
  ["joins that end with values"] = function(n)
    virtual(nested(n, aw.Call(helper.nop), join))
  end,
  ["operators that end with values"] = function(n)
    virtual(nested(n, aw.Call(helper.nop), function(w)
      return w:named "x" & aw.Value(1)
    end))
  end,
  ["joins in which something fails"] = function(n)
    pcall(virtual, nested(n, aw.Call(fails), join))
  end,
  ["joins in which a wait fails on each level"] = function(n)
    local ch = aw.channel()
    ch:close()
    virtual(nested(n, aw.Value(1), function(w)
      return aw.All { w, aw.Send(ch, 1) // aw.Value(1) }
    end))
  end,
  ["joins that are cancelled"] = function(n)
    cancelled(nested(n, aw.Never, join))
  end,
  ["joins that are cancelled from their bottom"] = function(n)
    pcall(virtual, nested(n, aw.Call(function()
      aw.current():cancel()
      aw.yield()
    end), join))
  end,
  ["joins that have a time-out around them"] = function(n)
    pcall(virtual, nested(n, aw.Never, join):timeout(1))
  end,
  ["joins each of which runs out of time"] = function(n)
    pcall(virtual, nested(n, aw.Never, function(w)
      return aw.All { w:timeout(1) }
    end))
  end,
  ["races"] = function(n)
    virtual(nested(n, aw.Sleep(1), function(w)
      return aw.Race { w, aw.Never }
    end))
  end,
  ["Any"] = function(n)
    virtual(nested(n, aw.Sleep(1), function(w)
      return aw.Any { w, aw.Never }
    end))
  end,
  ["time-outs in one task that are cancelled"] = function(n)
    cancelled(nested(n, aw.Never, function(w)
      return w:timeout(9)
    end))
  end,
}

local WIDE_WORKS <const> = {
  ["that end one after the other"] = function(n)
    virtual(function(ev)
      for i = 1, n do
        ev:start(aw.Sleep(i))
      end
    end)
  end,
  ["that fail one after the other, in one scope"] = function(n)
    virtual(function()
      aw.scope(function(s)
        for i = 1, n do
          s:start(aw.Sleep(i) >> aw.Call(fails), helper.nop)
        end
      end)
    end)
  end,
}

--- Fail unless the cost of `work(n)` grows in proportion to n.
local function check_growth(work, number)
  local one, many = math.huge, math.huge
  for _ = 1, TRIES do
    one = math.min(one, cost(work, number))
    many = math.min(many, cost(work, TIMES * number))
    if many <= MOST * one then
      return
    end
  end
  error(("%g ms for %d, %g ms for %d"):format(one * 1e3, number, many * 1e3,
    TIMES * number))
end

-- Under AIOWIRE_GCSTRESS each step costs a full collection, so the cost grows
-- with the square of the depth.
local describe_growth = helper.gc_stress and pending or describe

describe_growth("the cost of nested", function()
  for what, work in pairs(WORKS) do
    it(what .. " grows in proportion to the depth", function()
      check_growth(work, DEPTH)
    end)
  end
end)

describe_growth("the cost of many tasks", function()
  for what, work in pairs(WIDE_WORKS) do
    it(what .. " grows in proportion to their number [U13]", function()
      check_growth(work, WIDTH)
    end)
  end
end)
