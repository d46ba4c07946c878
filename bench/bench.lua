-- bench.lua: the cost of aiowire's parts, under `aiowire` or `lua5.4`.
--
--   aiowire bench/bench.lua GROUP [COUNT]
--
-- GROUP is one of: steps, algebra, wires, bodies, cancel, errors. A group
-- prints lines of "name value unit"; times are CPU time. `steps` and `algebra`
-- take medians. The other groups need a fresh process, since a second run would
-- find full pools; bench/run.lua starts them several times.
-- Neighbour: floors.c does the same work without aiowire.

local aw = require "aiowire"

local group <const> = arg[1]
local RUNS <const> = 7
local STEPS <const> = 1000000

local function report(name, value, unit)
  print(("%s %.4f %s"):format(name, value, unit))
end

--- Return the CPU seconds of `aw.run(w)`.
local function cpu(w)
  collectgarbage()
  local start = os.clock()
  aw.run(w)
  return os.clock() - start
end

--- Print the nanoseconds for each of the `steps` steps of `make()`.
local function per_step(name, steps, make)
  local all = {}
  for i = 1, RUNS do
    all[i] = cpu(make())
  end
  table.sort(all)
  report(name, all[RUNS // 2 + 1] / steps * 1e9, "ns")
end

--- Return the bytes in use by live Lua objects and the C core, and the resident
--- bytes of the process.
local function memory()
  collectgarbage()
  collectgarbage()
  local resident = 0
  local file = io.open "/proc/self/statm"
  if file then
    local _, pages = file:read("n", "n")
    file:close()
    resident = pages * 4096
  end
  return collectgarbage "count" * 1024 + aw.stats().bytes, resident
end

--- Return a generator of delays from 0.5 to 1 s, the same in each run.
local function delays()
  local seed = 1
  return function()
    seed = seed * 1103515245 + 12345 & 0x7fffffff
    return (500 + seed % 500) / 1000
  end
end

--- Start `count` sleepers, made by `make()`, and run them to their ends. Memory
--- is measured while all of them sleep, outside of the measured time.
local function sleepers(name, count, make)
  local bytes_before, resident_before = memory()
  local bytes, resident
  local looked = 0
  local ev = aw.EventLoop()

  local start = os.clock()
  for _ = 1, count do
    ev:start(make())
  end
  ev:start(function() -- runs when all of them sleep
    local began = os.clock()
    bytes, resident = memory()
    looked = os.clock() - began
  end)
  assert(ev:run() == "done")
  local took = os.clock() - start - looked

  report(name, took / count * 1e6, "us")
  report(name .. "_bytes", (bytes - bytes_before) / count, "B")
  report(name .. "_rss", (resident - resident_before) / count, "B")
end

local groups = {}

function groups.steps()
  per_step("call", STEPS, function()
    return aw.Call(function() end) * STEPS
  end)

  per_step("self", STEPS, function()
    local left = STEPS
    local function body()
      left = left - 1
      if left > 0 then
        return body
      end
    end
    return body
  end)

  local function yields(n)
    return function()
      local yield <const> = aw.yield
      for _ = 1, n do
        yield()
      end
    end
  end
  per_step("yield", STEPS, function()
    return yields(STEPS)
  end)
  per_step("yield_two", STEPS, function()
    return function()
      aw.start(yields(STEPS // 2))
      aw.start(yields(STEPS // 2))
    end
  end)

  -- One value from task to task, at a rendezvous and through a buffer.
  local function hand_over(capacity)
    return function()
      local channel = aw.channel(capacity)
      aw.start(function()
        for i = 1, STEPS do
          channel:send(i)
        end
      end)
      for _ = 1, STEPS do
        channel:recv()
      end
    end
  end
  per_step("rendezvous", STEPS, function()
    return hand_over(0)
  end)
  per_step("buffered", STEPS, function()
    return hand_over(64)
  end)
  per_step("buffered_one", STEPS, function()
    return hand_over(1)
  end)
end

--- Return the growth of memory of the core and of Lua, in bytes.
local function in_use()
  collectgarbage()
  collectgarbage()
  return collectgarbage "count" * 1024 + aw.stats().bytes
end

function groups.algebra()
  local function nothing() end
  local function fails()
    error "no"
  end
  local rounds <const> = STEPS // 4

  per_step("race", rounds, function()
    return (aw.Sleep(10) | aw.Call(nothing)) * rounds
  end)
  local race = (aw.Sleep(10) | aw.Call(nothing)) * STEPS
  local before = in_use()
  aw.run(race)
  report("race_growth", in_use() - before, "B")

  per_step("fallback", rounds, function()
    return (aw.Call(fails) // aw.Call(nothing)) * rounds
  end)
  for _, count in ipairs { 10, 1000 } do
    local operands = {}
    for i = 1, count do
      operands[i] = aw.Call(nothing)
    end
    per_step("join_" .. count, rounds, function()
      return aw.All(operands) * (rounds // count)
    end)
  end
end

function groups.wires(count)
  local delay = delays()
  sleepers("wires", count or 200000, function()
    return aw.Sleep(delay())
  end)
end

function groups.bodies(count)
  local delay = delays()
  local function body()
    aw.sleep(delay())
  end
  sleepers("bodies", count or 100000, function()
    return body
  end)
end

function groups.cancel(count)
  count = count or 100000
  local function body()
    aw.sleep(3600)
  end
  aw.run(function()
    local start
    aw.scope(function(s)
      for _ = 1, count do
        s:start(body)
      end
      aw.yield()
      aw.yield() -- now all of them sleep
      collectgarbage()
      start = os.clock()
      s:cancel "bench"
    end)
    report("cancel", (os.clock() - start) / count * 1e6, "us")
  end)

  -- Nested tasks and scopes: a cancel of the outermost task reaches all.
  local function nested_cancel(name, depth)
    aw.run(function()
      local sleeps = 0
      local function nest(left)
        if left == 0 then
          sleeps = sleeps + 1
          body()
        end
        aw.scope(function(s)
          s:start(function()
            nest(left - 1)
          end)
        end)
      end
      local task = aw.start(function()
        nest(depth)
      end)
      repeat
        aw.yield()
      until sleeps > 0
      collectgarbage()
      local start = os.clock()
      task:cancel "bench"
      pcall(task.wait, task)
      report(name, (os.clock() - start) / depth * 1e6, "us")
    end)
  end
  nested_cancel("cancel_nested_1000", 1000)
  nested_cancel("cancel_nested", 10000)
end

function groups.errors(count)
  count = count or 100000
  local left = count
  local ev = aw.EventLoop()
  local function fails()
    error "boom"
  end
  local function handled()
    left = left - 1
    if left > 0 then
      ev:start(fails, handled)
    end
  end
  collectgarbage()
  local start = os.clock()
  ev:start(fails, handled)
  ev:run()
  report("error", (os.clock() - start) / count * 1e6, "us")
  assert(left == 0, "not every error was handled")
end

local run_group = groups[group]
if not run_group then
  io.stderr:write("usage: bench.lua ",
    "steps|algebra|wires|bodies|cancel|errors [N]\n")
  os.exit(2)
end
run_group(math.tointeger(arg[2]))
