-- The sweep over calls of a pool: see spec/sweep/sweep.lua [J20, J23, J25].

local aw = require "aiowire"
local jobs = require "spec.support.jobs"
local sweep = require "spec.sweep.sweep"

local scenarios, scenario = sweep.scenarios("real")

--- A pool that is closed with its block, in a guard that counts.
local function open_pool(p, n)
  local pool = aw.pool(n, jobs.obedient)
  return pool, p.guard(function()
    pool:close()
  end)
end

scenario("calls of a pool, one after the other", function(_, p)
  local pool, guard = open_pool(p, 1)
  local _ <close> = guard
  p.step(pool.call, pool, "count")
  p.step(pcall, pool.call, pool, "fail", "", "no luck")
  p.step(pool.call, pool, "echo", "", { 1 })
end)

scenario("calls in a queue, from several tasks", function(_, p)
  local pool, guard = open_pool(p, 1)
  local _ <close> = guard
  aw.scope(function(s)
    for _ = 1, 3 do
      s:start(function()
        local _ <close> = p.guard()
        p.step(pool.call, pool, "pause", "/dev/null", "x")
      end)
    end
    p.yield()
    p.step(pool.call, pool, "count")
  end)
end)

scenario("calls in races and wires", function(_, p)
  local pool, guard = open_pool(p, 2)
  local _ <close> = guard
  p.await(pool:Call("sleep", "/dev/null", "x") | aw.Sleep(0.001))
  p.await(pool:Call "count" & pool:Call "count")
  p.await(pool:Call("fail", "", "no luck") // pool:Call "count")
  p.await(pool:Call("spin", "/dev/null", "x") | aw.Sleep(0.001))
end)

scenario("a close while jobs are under way", function(_, p)
  local pool, guard = open_pool(p, 2)
  local _ <close> = guard
  aw.scope(function(s)
    for _ = 1, 3 do
      s:start(function()
        local _ <close> = p.guard()
        p.step(pcall, pool.call, pool, "sleep", "/dev/null", "x")
      end)
    end
    p.yield()
    p.step(pool.close, pool)
  end)
end)

describe("the sweep of pools", function()
  for sentence, proof in sweep.all_facts(scenarios) do
    it(sentence, proof)
  end

  it("covers 4 scenarios [C2]", function()
    assert.is_true(#scenarios >= 4)
  end)
end)
