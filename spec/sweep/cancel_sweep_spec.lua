-- The sweep over tasks, scopes, shields and loops: see spec/sweep/sweep.lua.

local aw = require "aiowire"
local sweep = require "spec.sweep.sweep"

-- Each scenario: what it is about, and body(ev, probe). ---------------------

local scenarios, scenario = sweep.scenarios()

scenario("one sleep", function(_, p)
  local _ <close> = p.guard()
  p.sleep(1)
end)

scenario("sleeps and yields", function(_, p)
  local _ <close> = p.guard()
  for i = 1, 3 do
    p.sleep(i)
    p.yield()
  end
end)

scenario("guards in guards", function(_, p)
  local _ <close> = p.guard()
  p.sleep(1)
  do
    local _ <close> = p.guard()
    p.sleep(1)
    do
      local _ <close> = p.guard()
      p.yield()
    end
    p.sleep(1)
  end
  p.sleep(1)
end)

scenario("clean-up that awaits", function(_, p)
  local _ <close> = p.slow_guard(2)
  p.sleep(1)
  local _ <close> = p.slow_guard(2)
  p.sleep(1)
end)

scenario("clean-up of its own that awaits in a guard in a guard",
  function(_, p)
    local _ <close> = p.guard(function()
      aw.shield(function()
        local _ <close> = p.slow_guard(1)
        p.sleep(0.5)
        local _ <close> = p.slow_guard(1)
        p.sleep(0.5)
      end)
    end)
    p.sleep(1)
  end)

scenario("a chain of states", function(_, p)
  local function state(n)
    return function()
      local _ <close> = p.guard()
      p.sleep(1)
      if n < 5 then
        return state(n + 1)
      end
    end
  end
  return state(1)
end)

scenario("two states in turn", function(_, p)
  local rounds = 0
  local ready, working
  function ready()
    local _ <close> = p.guard()
    p.sleep(1)
    return working
  end
  function working()
    local _ <close> = p.slow_guard(1)
    p.yield()
    rounds = rounds + 1
    return rounds < 3 and ready or nil
  end
  return ready
end)

scenario("a sequence of bodies", function(_, p)
  local function body()
    local _ <close> = p.guard()
    p.sleep(1)
  end
  p.await(aw.Sequence(body, body, body) >> aw.Sleep(1) >> body)
end)

scenario("a sequence that spins off", function(_, p)
  local function spun()
    local _ <close> = p.slow_guard(1)
    p.sleep(3)
    p.sleep(3)
  end
  p.await(aw.Wire(function()
    p.sleep(1)
    return spun
  end) >> function()
    local _ <close> = p.guard()
    p.sleep(1)
    return spun
  end)
end)

scenario("a sequence that it returns", function(_, p)
  local function body()
    local _ <close> = p.guard()
    p.sleep(1)
  end
  p.yield()
  return aw.Sleep(1) >> body >> aw.Sleep(1) >> body
end)

scenario("a repetition", function(_, p)
  p.await(aw.Wire(function()
    local _ <close> = p.guard()
    p.sleep(1)
    p.yield()
  end) * 3)
end)

scenario("a repetition that spins off", function(_, p)
  p.await(aw.Wire(function()
    p.sleep(1)
    return function()
      local _ <close> = p.guard()
      p.sleep(2.5)
    end
  end) * 3)
end)

scenario("Forever under a time-out", function(_, p)
  aw.scope({ timeout = 3.5 }, function()
    p.await(aw.Forever(function()
      local _ <close> = p.guard()
      p.sleep(1)
    end))
  end)
  p.sleep(1)
end)

scenario("spin-offs of spin-offs", function(_, p)
  local function spin(depth)
    return aw.Wire(function()
      local _ <close> = p.guard()
      p.sleep(1)
      if depth > 0 then
        return spin(depth - 1)
      end
    end) >> aw.Sleep(0.5)
  end
  return spin(3)
end)

scenario("a scope with three children", function(_, p)
  aw.scope(function(s)
    for i = 1, 3 do
      s:start(function()
        local _ <close> = p.guard()
        p.sleep(i)
      end)
    end
  end)
  p.sleep(1)
end)

scenario("a scope whose body and children clean up", function(_, p)
  aw.scope(function(s)
    local _ <close> = p.slow_guard(1)
    for i = 1, 2 do
      s:start(function()
        local _ <close> = p.slow_guard(2)
        p.sleep(i)
      end)
    end
    p.sleep(1)
  end)
end)

scenario("scopes in scopes", function(_, p)
  local function nest(depth)
    aw.scope(function(s)
      local _ <close> = p.guard()
      s:start(function()
        local _ <close> = p.guard()
        p.sleep(depth)
      end)
      p.sleep(0.5)
      if depth > 1 then
        nest(depth - 1)
      end
      p.sleep(0.5)
    end)
  end
  nest(3)
end)

scenario("a scope that is cancelled from its body", function(_, p)
  aw.scope(function(s)
    s:start(function()
      local _ <close> = p.slow_guard(1)
      p.sleep(100)
    end)
    p.sleep(1)
    s:cancel()
    local _ <close> = p.guard()
    p.sleep(100)
  end)
  p.sleep(1)
end)

scenario("a scope that is cancelled from a child", function(_, p)
  aw.scope(function(s)
    local _ <close> = p.slow_guard(1)
    s:start(function()
      p.sleep(1)
      s:cancel()
      p.yield()
    end)
    p.sleep(100)
  end)
  p.sleep(1)
end)

scenario("a scope whose child fails", function(_, p)
  local boom = {}
  p.expected = boom
  local ok, err = aw.pcall(aw.scope, function(s)
    s:start(function()
      local _ <close> = p.slow_guard(1)
      p.sleep(100)
    end)
    s:start(function()
      p.sleep(1)
      error(boom)
    end)
    p.sleep(100)
  end)
  assert(not ok)
  if err ~= boom then
    error(err, 0)
  end
  p.sleep(1)
end)

scenario("a scope whose child's handler starts another", function(_, p)
  local boom = {}
  p.expected = boom
  aw.scope(function(s)
    s:start(function()
      local _ <close> = p.guard()
      p.sleep(1)
      error(boom)
    end, function()
      s:start(function()
        local _ <close> = p.guard()
        p.sleep(1)
      end)
    end)
    p.sleep(3)
  end)
end)

scenario("a deadline that is met", function(_, p)
  aw.scope({ timeout = 5 }, function()
    local _ <close> = p.guard()
    p.sleep(1)
  end)
  aw.timeout(5, function()
    local _ <close> = p.guard()
    p.sleep(1)
  end)
  p.sleep(10)
end)

scenario("a deadline that is missed", function(_, p)
  aw.scope({ timeout = 2 }, function(s)
    local _ <close> = p.slow_guard(1)
    s:start(function()
      local _ <close> = p.slow_guard(2)
      p.sleep(100)
    end)
    p.sleep(1)
    p.sleep(100)
  end)
  p.sleep(1)
end)

scenario("a Timeout that is caught", function(_, p)
  local ok, err = aw.pcall(aw.timeout, 2, function()
    local _ <close> = p.slow_guard(1)
    p.sleep(1)
    p.sleep(100)
  end)
  assert(not ok)
  if not aw.is_timeout(err) then
    error(err, 0)
  end
  p.sleep(1)
end)

scenario("deadlines in deadlines", function(_, p)
  aw.scope({ timeout = 3 }, function()
    aw.scope({ timeout = 2 }, function()
      local _ <close> = p.slow_guard(2)
      aw.scope({ timeout = 1 }, function()
        local _ <close> = p.slow_guard(2)
        p.sleep(100)
      end)
      p.sleep(100)
    end)
    p.sleep(100)
  end)
  p.sleep(1)
end)

scenario("a shield", function(_, p)
  local _ <close> = p.guard()
  p.sleep(1)
  aw.shield(function()
    local _ <close> = p.guard()
    p.sleep(1)
    p.sleep(1)
  end)
  p.sleep(1)
end)

scenario("a shield with a short grace", function(_, p)
  aw.shield(function()
    local _ <close> = p.guard()
    p.sleep(1)
    p.sleep(1)
    p.sleep(1)
  end, 1.5)
  p.sleep(1)
end)

scenario("a scope in a shield in a scope", function(_, p)
  aw.scope(function(outer)
    outer:start(function()
      local _ <close> = p.guard()
      p.sleep(3)
    end)
    aw.shield(function()
      aw.scope(function(inner)
        inner:start(function()
          local _ <close> = p.guard()
          p.sleep(1)
        end)
        p.sleep(0.5)
        inner:cancel()
        p.sleep(1)
      end)
      p.sleep(0.5)
    end)
    p.sleep(1)
  end)
end)

scenario("a shielded wire in a sequence", function(_, p)
  local function body()
    local _ <close> = p.guard()
    p.sleep(1)
    p.sleep(1)
  end
  p.await(aw.Sleep(0.5) >> aw.Wire(body):shielded(3) >> body)
end)

scenario("waits for another task", function(_, p)
  local other = p.start(function()
    local _ <close> = p.guard()
    p.sleep(2)
    return aw.Value("result")
  end)
  local _ <close> = p.guard()
  local ok, result = aw.pcall(p.wait, other)
  if ok then
    assert(result == "result")
    p.sleep(1)
  end
end)

scenario("three wait for one", function(_, p)
  local source = p.start(function()
    p.sleep(2)
    p.yield()
  end)
  aw.scope(function(s)
    for _ = 1, 3 do
      s:start(function()
        local _ <close> = p.guard()
        aw.pcall(p.wait, source)
        p.yield()
      end)
    end
  end)
end)

scenario("a Done in a sequence", function(_, p)
  local source = p.start(function()
    p.sleep(2)
  end)
  local _ <close> = p.guard()
  local ok = aw.pcall(p.await, aw.Done(source) >> aw.Sleep(1))
  if ok then
    p.sleep(1)
  end
end)

scenario("cancels another task and waits for it", function(_, p)
  local other = p.start(function()
    local _ <close> = p.slow_guard(2)
    p.sleep(100)
  end)
  local _ <close> = p.guard()
  p.sleep(1)
  p.cancel_wait(other)
  p.sleep(1)
end)

scenario("owns a task by `<close>`", function(_, p)
  aw.scope(function(s)
    local _ <close> = s:start(function()
      local _ <close> = p.slow_guard(2)
      p.sleep(100)
    end)
    local _ <close> = p.guard()
    p.sleep(1)
    p.sleep(1)
  end)
end)

scenario("owns a task of the loop by `<close>`", function(_, p)
  local _ <close> = p.start(function()
    local _ <close> = p.slow_guard(2)
    p.sleep(100)
  end)
  p.sleep(1)
  p.sleep(1)
end)

scenario("runs a loop of its own", function(_, p)
  p.sleep(0.5)
  local inner = aw.EventLoop { timeout = sweep.FOR_EVER }
  for i = 1, 2 do
    inner:start(function()
      local _ <close> = p.slow_guard(1)
      p.sleep(i)
    end, p.handler("inner " .. i))
  end
  inner:run()
  p.sleep(1)
end)

scenario("owns a loop by `<close>`", function(_, p)
  do
    local inner <close> = aw.EventLoop { timeout = sweep.FOR_EVER }
    inner:start(function()
      local _ <close> = p.slow_guard(1)
      p.sleep(1)
    end, p.handler "inner")
    p.sleep(0.5)
  end
  p.sleep(1)
end)

scenario("awaits within awaits", function(_, p)
  local function nest(depth)
    return function()
      local _ <close> = p.slow_guard(1)
      p.sleep(0.5)
      if depth > 0 then
        p.await(nest(depth - 1))
      end
      p.sleep(0.5)
    end
  end
  p.await(nest(3))
end)

scenario("tries again after errors", function(_, p)
  local boom = {}
  p.expected = boom
  for try = 1, 3 do
    local ok, err = aw.pcall(function()
      local _ <close> = p.slow_guard(1)
      p.sleep(1)
      if try < 3 then
        error(boom)
      end
    end)
    if not ok and err ~= boom then
      error(err, 0)
    end
  end
end)

scenario("swallows everything a few times", function(_, p)
  local _ <close> = p.guard()
  for _ = 1, 5 do
    pcall(function()
      local _ <close> = p.guard()
      p.sleep(1)
    end)
  end
end)

scenario("catches Cancelled and cleans up in a shield", function(_, p)
  local _ <close> = p.guard()
  local ok, err = pcall(p.sleep, 1)
  aw.shield(function()
    p.sleep(0.5)
    p.sleep(0.5)
  end)
  if not ok then
    error(err, 0)
  end
  p.sleep(1)
end)

scenario("reads from a generator", function(_, p)
  local _ <close> = p.guard()
  local sum = 0
  for value in aw.wrap(function()
    for i = 1, 3 do
      p.sleep(1)
      coroutine.yield(i)
    end
  end) do
    sum = sum + value
    p.yield()
  end
  assert(sum == 6)
end)

scenario("waits for a whole machine in a sequence", function(_, p)
  local machine = aw.Wire(function()
    p.sleep(1)
    return function()
      local _ <close> = p.guard()
      p.sleep(1)
      return aw.Sleep(1)
    end
  end)
  p.await(machine:whole() >> function()
    local _ <close> = p.guard()
    p.sleep(1)
  end)
end)

scenario("calls that await", function(_, p)
  local function call(n)
    local _ <close> = p.guard()
    p.sleep(n)
  end
  p.await(aw.Call(call, 1) >> aw.Call(p.sleep, 1) >> aw.Call(call, 2) * 2)
end)

scenario("waits for times of day", function(_, p)
  local _ <close> = p.guard()
  p.await(aw.At { sec = 0 } >> aw.At { min = 30 })
  p.await(aw.At { sec = 15 } & aw.At { sec = 30 } | aw.At { sec = 45 })
  p.step(aw.at, { sec = 20 })
end)

scenario("sleeps until a time", function(ev, p)
  local _ <close> = p.guard()
  p.await(aw.SleepUntil(ev:now() + 2))
  aw.scope({ timeout = 1 }, function()
    p.await(aw.Never)
  end)
  p.sleep(0)
end)

scenario("opens a scope with children in its clean-up", function(_, p)
  local _ <close> = p.guard(function()
    aw.shield(function()
      aw.scope(function(s)
        for i = 1, 2 do
          s:start(function()
            local _ <close> = p.guard()
            p.sleep(i / 4)
          end)
        end
        p.sleep(0.25)
      end)
    end)
  end)
  p.sleep(1)
end)

scenario("has time-outs in its clean-up", function(_, p)
  local _ <close> = p.guard(function()
    aw.shield(function()
      aw.scope({ timeout = 0.5 }, function()
        local _ <close> = p.guard()
        p.sleep(100)
      end)
      p.sleep(0.5)
    end)
  end)
  p.sleep(1)
end)

scenario("has a background task", function(_, p)
  p.start(function()
    local _ <close> = p.guard()
    p.sleep(1)
    p.sleep(100)
  end, { background = true })
  p.sleep(2)
  p.sleep(1)
end)

scenario("ten at once", function(_, p)
  aw.scope(function(s)
    for i = 1, 10 do
      s:start(function()
        local _ <close> = p.guard()
        p.sleep(i % 3)
        p.yield()
      end)
    end
  end)
end)

describe("the sweep", function()
  for sentence, proof in sweep.all_facts(scenarios) do
    it(sentence, proof)
  end

  it("covers 30 scenarios and 1,000 strikes [C2]", function()
    assert.is_true(#scenarios >= 30)
    assert.is_true(sweep.strikes(scenarios) >= 1000)
  end)
end)
