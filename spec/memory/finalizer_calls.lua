-- Finalizers that call the library at any allocation of Lua, and scenes during
-- which these finalizers run. spec/memory/finalizer_spec.lua runs this file in
-- other processes, since a small heap is collected more often.
-- luacheck: std max

local aw = require "aiowire"
local collector = require "spec.support.collector"

local M = {}

local function check_equal(expected, got)
  if expected ~= got then
    error(("expected %s, got %s"):format(expected, got), 2)
  end
end

local function check_contains(text, part)
  if not tostring(text):find(part, 1, true) then
    error(("%s is not in: %s"):format(part, text), 2)
  end
end

local function nop() end

-- Limit of the calls of finalizers. If each allocation collects, the tasks that
-- a finalizer starts make more finalizers run, and that never ends.
local MOST <const> = 10000

--- Call `f` while finalizers call `use` as often as the collector runs, at most
--- MOST times. Returns the number of calls.
local function while_finalized(use, f)
  local live, count = true, 0
  local failed
  local function trap()
    setmetatable({}, {
      __gc = function()
        if live and count < MOST then
          trap()
          count = count + 1
          local ok, err = pcall(use)
          failed = failed or (not ok and err)
        end
      end,
    })
  end
  local pause, speed = collector.set(10, 400, 1)
  trap()
  local ok, err = pcall(f)
  live = false
  collector.set(pause, speed)
  if not ok then
    error(err, 0)
  end
  assert(not failed, failed)
  return count
end

-- Uses of the library by finalizers. Each returns the function that a finalizer
-- calls, and perhaps a function that ends the use.
M.uses = {
  ["asks for the statistics"] = function()
    return aw.stats
  end,
  ["dumps the loop, and asks for all tracebacks"] = function(ev)
    return function()
      ev:dump()
      for _, t in ipairs(ev:tasks()) do
        t:traceback()
      end
    end
  end,
  ["starts tasks"] = function(ev)
    local sleep, n = aw.Sleep(0.001), 0
    return function()
      n = n + 1
      if n % 16 == 0 then
        ev:start(sleep, nil, { name = "by a finalizer" })
      end
    end
  end,
  ["starts tasks of a loop, and closes it"] = function()
    return function()
      local ev = aw.EventLoop()
      local t = ev:start(aw.Sleep(1):named "never run" & aw.Call(print))
      ev:close()
      t:traceback()
    end
  end,
  ["cancels and closes tasks of all states"] = function(ev)
    local never, n = aw.Never, 0
    return function()
      n = n + 1
      if n % 16 == 0 then
        local t = ev:start(never)
        t:cancel "by a finalizer"
        t:close()
      end
    end
  end,
  ["makes and closes channels"] = function(ev)
    local ch = aw.channel(1)
    ev:start(function()
      for _ in ch:iter() do -- until the channel is closed
      end
    end, nil, { background = true })
    return function()
      ch:try_send({})
      local other = aw.channel(2)
      other:try_send(other)
      other:close()
    end, function()
      ch:close()
    end
  end,
  ["runs a loop with a clock of its own"] = function()
    local n = 0
    return function()
      n = n + 1
      if n % 16 == 0 then
        pcall(aw.run, function() -- fails in a handler
          aw.sleep(1)
          pcall(aw.await, aw.Sleep(1):timeout(0))
        end, { clock = "virtual" })
      end
    end
  end,
  ["stops loops, and makes others"] = function()
    return function()
      local ev = aw.EventLoop { name = "made by a finalizer" }
      ev:stop()
      aw.current()
    end
  end,
}

local function sum_of(n)
  return n * (n + 1) // 2
end

-- Scenes: bodies that run while finalizers use the library. Each body gets its
-- loop as the argument.
M.scenes = {
  ["time-outs are raised"] = function()
    local slow = aw.Sleep(1):timeout(0)
    for _ = 1, 200 do
      local ok, err = pcall(aw.await, slow)
      assert(not ok)
      assert(aw.is_timeout(err))
    end
  end,
  ["errors pass awaits, with their infos"] = function(ev)
    for i = 1, 100 do
      local got, told
      local t = ev:start(function()
        local ok, err = pcall(aw.await, function()
          local _ <close> = setmetatable({}, { __close = function()
            error("replaced by " .. i, 0)
          end })
          error("error " .. i, 0)
        end)
        assert(not ok)
        error(err, 0)
      end, function(_, err, info)
        got, told = err, info
      end)
      pcall(t.wait, t)
      check_equal("replaced by " .. i, got)
      check_equal("error " .. i, told.suppressed[1].err)
      check_equal(t, told.task)
      check_contains(tostring(told), "replaced by " .. i)
    end
  end,
  ["joins and races give results"] = function()
    local n = 8
    local parts = {}
    for i = 1, n do
      parts[i] = aw.Sleep(i / 1000) >> aw.Value(i, { i })
    end
    for _ = 1, 30 do
      local sum = 0
      for i, value in ipairs { aw.await(aw.All(parts)) } do
        sum = sum + (type(value) == "table" and #value or value)
        assert(i <= n)
      end
      assert(sum == sum_of(n) or sum == n)
      local key = aw.await(aw.Race(parts))
      check_equal(1, key)
    end
  end,
  ["tasks are shown"] = function(ev)
    local crowd = {}
    for i = 1, 10 do
      crowd[i] = ev:start(aw.Sleep(i) >> aw.Call(print):named("call " .. i)
        | aw.Never, nil, { name = i % 2 == 0 and "named " .. i or nil })
    end
    crowd[11] = ev:start(function() crowd[1]:wait() end, nop)
    aw.yield()
    for _ = 1, 5 do
      check_contains(ev:dump(), "named 4")
      for _, t in ipairs(crowd) do
        check_contains(tostring(t), "waiting")
        check_contains(t:traceback(), "started at")
      end
    end
    for _, t in ipairs(crowd) do
      t:cancel()
    end
  end,
  ["scopes are cancelled"] = function()
    for i = 1, 300 do
      local _, how, why = aw.scope(function(s)
        s:start(aw.Never)
        s:cancel("reason " .. i)
        aw.sleep(1)
      end)
      check_equal("cancelled", how)
      check_equal("reason " .. i, why)
    end
  end,
  ["values go through channels and maps"] = function(ev)
    local ch = aw.channel(0)
    local n = 200
    ev:start(function()
      for i = 1, n do
        ch:send({ i })
      end
      ch:close()
    end)
    local sum = 0
    for value in ch:iter() do
      sum = sum + aw.await(aw.Value(value) / function(v) return v[1] end)
    end
    check_equal(sum_of(n), sum)
  end,
}

--- Run a scene while finalizers use the library. Raises an error on a fault.
function M.run(use, scene)
  local count
  local ev = aw.EventLoop { clock = "virtual" }
  ev:start(function()
    local f, finish = M.uses[use](ev)
    count = while_finalized(f, function()
      M.scenes[scene](ev)
    end)
    if finish then
      finish()
    end
  end)
  check_equal("done", ev:run())
  assert(count > 0, "there was no finalizer")
  ev:close()
  print "no harm"
end

return M
