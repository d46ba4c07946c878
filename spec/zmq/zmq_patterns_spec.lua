-- The patterns of docs/zmq-patterns.md, as programs of examples/ in processes
-- of their own, which are killed and stopped. The broker has a spec of its own,
-- zmq_broker_spec.lua.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local process = require "spec.support.process"
local sockets = require "spec.support.sockets"
local texts = require "spec.support.texts"
local examples = require "spec.zmq.zmq_examples"

local contains = texts.contains
local start, rest_of, killed = examples.start, examples.rest_of, examples.killed
local assert_ends, told_to_end = examples.assert_ends, examples.told_to_end

local function kill_all(list)
  return setmetatable(list, { __close = function()
    for _, p in pairs(list) do
      killed(p)
    end
  end })
end

describe("the ventilator", function()
  local NAME <const> = "27_zmq_ventilator"
  local JOBS <const> = helper.gc_stress and 500 or 2000

  it("gets each result once while every 100 results a worker is killed "
    .. "[examples]", sockets.fact(function()
      local jobs, results, reports = sockets.address "ipc",
        sockets.address "ipc", sockets.address "ipc"
      local function worker()
        return start(NAME, {}, "worker", jobs, results)
      end
      local workers <close> = kill_all { worker(), worker(), worker() }
      local sink <close> = start(NAME, {}, "sink", results, reports, JOBS)
      local ventilator <close> = start(NAME, { AGAIN = 0.2 }, "ventilator",
        jobs, reports, JOBS)
      for n = 100, JOBS - 100, 100 do
        assert.are.equal(n .. " results", sink.stdout:read())
        killed(table.remove(workers, 1))
        workers[#workers + 1] = worker()
      end
      contains(rest_of(sink), ("%d results, sum %d; "):format(JOBS,
        JOBS * (JOBS + 1) * (2 * JOBS + 1) // 6))
      assert_ends(sink)
      assert.are.equal("the ventilator is done\n", rest_of(ventilator))
      assert_ends(ventilator)
    end))

  for _, bad in ipairs { { "sink" }, { "boss", "ipc://a", "ipc://b", "1" },
    { "worker", "ipc://a", "b" }, { "sink", "ipc://a", "ipc://b", "0" },
    { "ventilator", "ipc://a", "ipc://b" } } do
    it(("shows its usage for %q [examples]"):format(table.concat(bad, " ")),
      sockets.fact(function()
        examples.shows_usage(NAME, table.unpack(bad))
      end))
  end
end)

describe("the publisher of snapshots", function()
  local NAME <const> = "29_zmq_snapshots"

  --- The sum of the table after `n` changes.
  local function sum_after(n)
    local sum = 0
    for i = math.max(1, n - 99), n do
      sum = sum + i
    end
    return sum
  end

  --- Start a publisher and return it with a function that starts subscribers.
  local function publisher(n, variables)
    local changes, snapshots = sockets.address "ipc", sockets.address "ipc"
    local p = start(NAME, variables, "publisher", changes, snapshots, n)
    assert.are.equal("the publisher is ready", p.stdout:read())
    return p, function()
      return start(NAME, variables, "subscriber", changes, snapshots, n)
    end
  end

  local function assert_caught_up(subscriber, n)
    local said = rest_of(subscriber)
    contains(said, ("at %d: sum %d, "):format(n, sum_after(n)))
    assert_ends(subscriber)
    return tonumber(said:match "(%d+) snapshots")
  end

  it("lets a late subscriber catch up [examples]", sockets.fact(function()
    local p <close>, subscribe = publisher(2000, { BEAT = 0.05 })
    local early <close> = subscribe()
    assert_caught_up(early, 2000)
    local late <close> = subscribe() -- it hears beats only
    assert.are.equal(1, assert_caught_up(late, 2000))
    told_to_end(p)
  end))

  it("lets a subscriber catch up that was stopped and lost changes "
    .. "[examples]", sockets.fact(function()
      local N <const> = 20000
      local p <close>, subscribe = publisher(N, { BEAT = 0.05, HWM = 10 })
      local stopped <close> = subscribe()
      stopped.stdout:read() -- its first snapshot
      stopped:kill "STOP"
      contains(p.stdout:read(), "20000 changes, ")
      stopped:kill "CONT"
      assert.is_true(assert_caught_up(stopped, N) > 1)
      told_to_end(p)
    end))

  it("may be killed: its subscribers follow the next one [examples]",
    sockets.fact(function()
      local changes, snapshots = sockets.address "ipc", sockets.address "ipc"
      local function publish()
        local p = start(NAME, { BEAT = 0.05 }, "publisher", changes, snapshots,
          3000)
        assert.are.equal("the publisher is ready", p.stdout:read())
        return p
      end
      local first <close> = publish()
      local subscriber <close> = start(NAME, {}, "subscriber", changes,
        snapshots, 3000)
      subscriber.stdout:read() -- its first snapshot
      killed(first)
      local second <close> = publish()
      assert.is_true(assert_caught_up(subscriber, 3000) >= 1)
      told_to_end(second)
    end))

  for _, bad in ipairs { { "publisher" }, { "reader", "ipc://a", "ipc://b" },
    { "subscriber", "ipc://a", "ipc://b", "-1" } } do
    it(("shows its usage for %q [examples]"):format(table.concat(bad, " ")),
      sockets.fact(function()
        examples.shows_usage(NAME, table.unpack(bad))
      end))
  end
end)

describe("the worker pool", function()
  local NAME <const> = "30_zmq_pool"

  --- Start a pool, and a task that reads what it prints: `said.pids` has its
  --- workers, `said.most` how many there were at once, `said.now` how many
  --- there are.
  local function pool(min, max, variables)
    local front = sockets.address "ipc"
    local p = start(NAME, variables or {}, "pool", front, min, max)
    local said = { pids = {}, most = 0, now = 0 }
    said.reading = aw.start(function()
      for line in p.stdout:lines() do
        local pid, what = line:match "^worker (%d+) (%a+);"
        if what == "begins" then
          said.pids[pid], said.now = true, said.now + 1
          said.most = math.max(said.most, said.now)
        elseif what == "ends" then
          said.pids[pid], said.now = nil, said.now - 1
        end
      end
    end)
    return p, front, said
  end

  local function ask(front, n)
    return start("28_zmq_broker", { BEAT = 5 }, "client", front, n)
  end

  local function assert_answered(client, n)
    contains(rest_of(client), ("%d jobs, %d answers, 0 came twice\n")
      :format(n, n))
    assert_ends(client)
  end

  --- Wait until none of these processes lives.
  local function assert_gone(pids)
    assert.is_not_nil(next(pids))
    for pid in pairs(pids) do
      helper.wait_until(function()
        return not process.lives(pid)
      end)
    end
  end

  it("grows to its limit, and shrinks when it is idle [examples]",
    sockets.fact(function()
      local p <close>, front, said = pool(1, 3, { IDLE = 0.2 })
      local client <close> = ask(front, 500)
      assert_answered(client, 500)
      assert.are.equal(3, said.most)
      helper.wait_until(function()
        return said.now == 1
      end)
      p:kill "TERM"
      said.reading:wait()
      assert_ends(p)
    end))

  it("gives the job of a worker that is killed to another one [examples]",
    sockets.fact(function()
      local p <close>, front, said = pool(2, 2)
      local client <close> = ask(front, 1000)
      for n = 100, 900, 100 do
        assert.are.equal(n .. " answers", client.stdout:read())
        helper.wait_until(function()
          return next(said.pids) ~= nil
        end)
        local pid = next(said.pids)
        said.pids[pid] = nil -- so that it is killed once
        aw.exec("kill", "-KILL", pid)
      end
      assert_answered(client, 1000)
      p:kill "TERM"
      said.reading:wait()
      assert_ends(p)
    end))

  for _, signal in ipairs { "INT", "TERM", "KILL" } do
    it(("leaves no worker behind after the signal %s [examples]")
      :format(signal), sockets.fact(function()
        local p <close>, front, said = pool(2, 3)
        local client <close> = ask(front, 1000)
        client.stdout:read() -- all workers are busy
        p:kill(signal)
        assert.are.equal(signal ~= "KILL", p:wait().ok)
        said.reading:wait() -- the workers have stdout, too
        assert_gone(said.pids)
        killed(client)
      end))
  end

  for _, bad in ipairs { { "pool" }, { "pool", "ipc://a", "3", "2" },
    { "pool", "ipc://a", "1", "x" }, { "worker", "a" } } do
    it(("shows its usage for %q [examples]"):format(table.concat(bad, " ")),
      sockets.fact(function()
        examples.shows_usage(NAME, table.unpack(bad))
      end))
  end
end)
