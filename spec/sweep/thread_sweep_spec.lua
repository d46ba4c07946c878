-- The sweep over workers and their channels: see spec/sweep/sweep.lua
-- [J2, J3, J6].

local aw = require "aiowire"
local sweep = require "spec.sweep.sweep"

local scenarios, scenario = sweep.scenarios("real")

--- A worker that is closed with its block, in a guard that counts.
local function open_worker(p, ...)
  local t = aw.thread(...)
  return t, p.guard(function()
    t:close()
  end)
end

local function echo()
  local aw = require "aiowire"
  for v in aw.parent:iter() do
    aw.parent:send(v)
  end
  return "end"
end

scenario("a worker that is waited for", function(_, p)
  local t, guard = open_worker(p, function(...)
    require "aiowire".sleep(0)
    return ...
  end, 1, 2)
  local _ <close> = guard
  p.step(t.wait, t)
  p.step(t.wait, t)
end)

scenario("messages there and back, and the end", function(_, p)
  local t, guard = open_worker(p, echo)
  local _ <close> = guard
  for i = 1, 3 do
    p.step(t.send, t, { i })
  end
  for _ = 1, 3 do
    p.step(t.recv, t)
  end
  t:shutdown()
  p.step(t.recv, t)
  p.step(t.wait, t)
end)

scenario("sends that wait for room", function(_, p)
  local t, guard = open_worker(p, function()
    local aw = require "aiowire"
    aw.sleep(0.001)
    for _ = 1, 20 do
      aw.parent:recv()
    end
  end)
  local _ <close> = guard
  local sent
  repeat
    sent = t:try_send(1)
  until not sent
  p.step(t.send, t, 2)
  p.await(aw.Send(t, 3) | aw.Sleep(60))
end)

scenario("receives in races and wires", function(_, p)
  local t, guard = open_worker(p, echo)
  local _ <close> = guard
  p.step(t.send, t, 1)
  p.await(aw.Recv(t) | aw.Sleep(60))
  p.await(aw.Recv(t) | aw.Sleep(0.001))
  p.await(aw.Send(t, 2) >> aw.Recv(t))
end)

scenario("several tasks that wait for a worker", function(_, p)
  local t, guard = open_worker(p, echo)
  local _ <close> = guard
  aw.scope(function(s)
    for _ = 1, 2 do
      s:start(function()
        local _ <close> = p.guard()
        p.step(t.wait, t)
      end)
    end
    p.yield()
    t:shutdown()
    p.step(t.wait, t)
  end)
end)

scenario("a worker that is cancelled and closed", function(_, p)
  local t, guard = open_worker(p, function()
    require "aiowire".sleep(1000)
  end)
  local _ <close> = guard
  p.yield()
  t:cancel()
  p.step(pcall, t.wait, t)
  p.step(t.close, t)
end)

describe("the sweep of threads", function()
  for sentence, proof in sweep.all_facts(scenarios) do
    it(sentence, proof)
  end

  it("covers 6 scenarios [C2]", function()
    assert.is_true(#scenarios >= 6)
  end)
end)
