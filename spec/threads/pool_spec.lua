-- aw.pool: jobs for workers on all cores [J20-J26].
--
-- A job tells what it does by lines in a file, since nothing else leaves it
-- before it ends. No spec measures time: jobs sleep for hours until they are
-- cancelled.

local aw = require "aiowire"
local folder = require "spec.support.folder"
local helper = require "spec.support.helper"
local jobs = require "spec.support.jobs"
local texts = require "spec.support.texts"

local raises, caught = helper.raises, helper.caught
local run, wait_until = helper.run, helper.wait_until
local contains, obedient, plain = texts.contains, jobs.obedient, jobs.plain

--- Run `f(pool, log, path)` with a pool of `n` workers; `log()` returns the
--- lines that jobs have written.
local function with_pool(n, f)
  run(function(ev)
    local place <close> = folder.new()
    local path <const> = place:file("log", "")
    local pool <close> = aw.pool(n, obedient)
    local function log()
      local lines = {}
      for line in io.lines(path) do
        lines[#lines + 1] = line
      end
      return lines
    end
    f(pool, log, path, ev)
  end)
end

local function has(log, line)
  for _, each in ipairs(log()) do
    if each == line then
      return true
    end
  end
  return false
end

local function await_line(log, line)
  wait_until(function()
    return has(log, line)
  end)
end

describe("a pool", function()
  it("calls its function in a worker, and returns its results [J20]", function()
    run(function()
      local pool <close> = aw.pool(2, plain(function(...)
        return select("#", ...), ...
      end))
      assert.are.same({ n = 4, 3, 1, nil, "x\0y" },
        table.pack(pool:call(1, nil, "x\0y")))
      assert.are.same({ n = 1, 0 }, table.pack(pool:call()))
    end)
  end)

  it("calls the chunk of a file for each job [J20]", function()
    run(function()
      local place <close> = folder.new()
      local path = place:file("job.lua", "local a, b = ...\nreturn a * b\n")
      local pool <close> = aw.pool(1, path)
      os.remove(path)
      assert.are.equal(6, pool:call(2, 3))
      assert.are.equal(20, pool:call(4, 5))
      contains(tostring(pool), "job.lua' (1 workers at most)")
    end)
  end)

  it("has a worker for each core if no number is given [J20]", function()
    run(function()
      local pool <close> = aw.pool(nil, obedient)
      local cores = io.popen("getconf _NPROCESSORS_ONLN"):read "n"
      assert.are.equal(cores, tonumber(tostring(pool):match "(%d+) workers"))
    end)
  end)

  it("runs jobs in order, one at a time in each worker [J21]", function()
    with_pool(1, function(pool, log, path)
      local calls = {}
      for i = 1, 4 do
        calls[i] = pool:Call("pause", path, tostring(i))
      end
      aw.all(calls)
      assert.are.same({ "1 begun", "1 ended", "2 begun", "2 ended",
        "3 begun", "3 ended", "4 begun", "4 ended" }, log())
    end)
  end)

  it("runs as many jobs at the same time as it has workers [J21]", function()
    with_pool(3, function(pool, log, path)
      aw.scope(function(s)
        for i = 1, 3 do
          s:start(pool:Call("sleep", path, tostring(i)))
        end
        for i = 1, 3 do
          await_line(log, i .. " begun")
        end
        s:cancel()
      end)
      assert.are.equal(6, #log())
    end)
  end)

  it("keeps the globals of a worker from job to job [J20]", function()
    with_pool(1, function(pool)
      assert.are.equal(1, pool:call("count"))
      assert.are.equal(2, pool:call("count"))
      assert.is_nil(rawget(_G, "count"))
    end)
  end)

  it("ends when it is collected, or with its state [J25]", function()
    run(function()
      aw.pool(2, obedient):call "count"
    end)
  end)

  it("serves tasks of several engines [J20]", function()
    with_pool(1, function(pool)
      assert.are.equal(1, pool:call "count")
      local got
      local inner <close> = helper.virtual()
      inner:start(function()
        got = pool:call "count"
      end)
      inner:run()
      assert.are.equal(2, got)
    end)
  end)

  it("is no source of a deadlock, and stops no virtual clock [J20]", function()
    helper.test(function(ev)
      local pool <close> = aw.pool(1, obedient)
      assert.are.equal(1, pool:call "count")
      assert.are.equal(0, ev:now())
    end)
  end)

  it("does many jobs without growing [J20]", function()
    with_pool(2, function(pool)
      local left = helper.scale(2000)
      local function work()
        while left > 0 do
          left = left - 1
          assert.are.equal(left, pool:call("note", "/dev/null", left))
        end
      end
      aw.all { work, work, work, work, work }
    end)
  end)
end)

describe("a call of a pool", function()
  it("raises the error of its job, as it is [J22]", function()
    with_pool(1, function(pool)
      assert.is_truthy(caught(pool.call, pool, "fail", "", "no luck")
        :find "jobs.lua:%d+: no luck$")
      local ok, err = pcall(pool.call, pool, "fail_with", "", { code = 7 })
      assert.is_false(ok)
      assert.are.same({ code = 7 }, err)
      assert.are.equal(1, pool:call "count")
    end)
  end)

  it("has the traceback of its job in the info of the error [J22]", function()
    with_pool(1, function(pool)
      local traceback
      aw.await(aw.Call(function()
        pool:call("fail", "", "no luck")
      end):catch(function(_, info)
        traceback = info.traceback
      end))
      assert.is_truthy(traceback:find "jobs.lua:%d+: in function ")
      assert.is_nil(traceback:find("pool_worker", 1, true))
      assert.is_truthy(traceback:find(
        "\n\tin pool '[^\n]*', called at [^\n]*pool_spec.lua:%d+$"))
    end)
  end)

  it("refuses what cannot be copied [J22]", function()
    with_pool(1, function(pool)
      local thing = coroutine.create(print)
      local err = caught(function()
        pool:call("count", thing)
      end)
      assert.is_truthy(err:find("^.*pool_spec.lua:%d+: cannot copy a coroutine "
        .. "%(argument 2%)$"))
      err = caught(pool.call, pool, "give")
      assert.is_truthy(err:find(
        "^pool '.*': cannot copy a coroutine %(result 2%)$"))
      raises("cannot copy the function at ", aw.pool, 1, function()
        return pool
      end)
    end)
  end)

  it("says in a dump what it waits for [D1]", function()
    helper.run(function(ev)
      local pool <close> = aw.pool(1, function()
        require "aiowire".channel(1):recv()
      end)
      local task = ev:start(pool:Call())
      aw.yield()
      assert.is_truthy(ev:dump():find(
        "waiting  job of pool '.*pool_spec.lua:%d+'"))
      task:cancel()
      assert.is_false(aw.pcall(task.wait, task))
    end)
  end)

  it("is a wire, which may run many times [J20]", function()
    with_pool(2, function(pool)
      local list = { 1, 2 }
      local wire = pool:Call("echo", "", list)
      list[3] = 3
      local a, b = aw.all { wire, wire }
      assert.are.same({ { 1, 2 }, { 1, 2 } }, { a, b })
      assert.are.same({ 1, 2 }, aw.await(wire))
      assert.are.equal("pool:Call(…)", tostring(wire))
      assert.are.equal("other",
        aw.await(pool:Call("fail", "") // aw.Value "other"))
    end)
  end)

  it("is withdrawn if it is cancelled in the queue [J23]", function()
    with_pool(1, function(pool, log, path, ev)
      local first = ev:start(pool:Call("sleep", path, "1"))
      await_line(log, "1 begun")
      local second = ev:start(pool:Call("note", path, "2"))
      local third = ev:start(pool:Call("note", path, "3"))
      aw.yield()
      second:cancel_wait()
      assert.are.equal("cancelled", second.status)
      first:cancel_wait()
      assert.are.equal("3", third:wait())
      assert.are.same({ "1 begun", "1 closed", "3" }, log())
    end)
  end)

  it("cancels its job, and waits until that has ended [J23]", function()
    with_pool(1, function(pool, log, path, ev)
      assert.are.equal(1, pool:call "count")
      local job = ev:start(pool:Call("sleep", path, "1"))
      await_line(log, "1 begun")
      job:cancel_wait()
      assert.are.equal("cancelled", job.status)
      assert.are.same({ "1 begun", "1 closed" }, log())
      assert.are.equal(2, pool:call "count") -- the same worker
    end)
  end)

  it("interrupts a busy job, and not the next one [J23]", function()
    with_pool(1, function(pool, log, path, ev)
      assert.are.equal(1, pool:call "count")
      for i = 1, 3 do
        local job = ev:start(pool:Call("spin", path, tostring(i)))
        local next_job = ev:start(pool:Call("compute", path, 5))
        await_line(log, i .. " begun")
        job:cancel_wait()
        assert.are.equal("cancelled", job.status)
        assert.are.equal(5, next_job:wait())
      end
      assert.are.equal(2, pool:call "count") -- the same worker
    end)
  end)

  it("interrupts a job that gets busy as its cancel arrives [J23]", function()
    local place <close> = folder.new()
    local begun, go_on = place:file "begun", place:file "go_on"
    helper.run_loop(function(ev)
      ev:start(function()
        local pool <close> = aw.pool(1, plain(function(begun, go_on)
          local aw = require "aiowire"
          aw.start(function() -- meanwhile the sleep ends, and the cancel comes
            io.open(begun, "w"):close()
            os.execute("while ! test -e " .. go_on .. "; do sleep 0.01; done")
          end)
          aw.sleep(0.001)
          while true do end
        end))
        local job = aw.start(pool:Call(begun, go_on), aw.keep)
        wait_until(function()
          local file <close> = io.open(begun)
          return file
        end)
        job:cancel()
        io.open(go_on, "w"):close()
        assert.is_true(aw.is_task_cancelled(caught(job.wait, job)))
      end)
    end, { grace = 3600 }) -- a second cancel would interrupt the job again
  end)

  it("gets the results of a job that ignores its cancel [J23]", function()
    with_pool(1, function(pool, log, path, ev)
      local job = ev:start(pool:Call("insist", path, "1"))
      await_line(log, "1 begun")
      job:cancel_wait()
      assert.are.equal("1", job:results())
    end)
  end)

  it("has time-outs [J23]", function()
    with_pool(1, function(pool, log, path)
      local wire = pool:Call("sleep", path, "1"):timeout(0.001)
      local ok, err = pcall(aw.await, wire)
      assert.is_false(ok)
      assert.is_true(aw.is_timeout(err))
      assert.are.equal(1, pool:call "count")
      assert.are.equal(#log() > 0, has(log, "1 closed"))
    end)
  end)

  it("loses a race [J23]", function()
    with_pool(1, function(pool, log, path)
      local won = aw.await(pool:Call("sleep", path, "1") | aw.Call(function()
        await_line(log, "1 begun")
        return "other"
      end))
      assert.are.equal("other", won)
      assert.is_true(has(log, "1 closed"))
    end)
  end)

  it("gets one error if its worker crashes [J24]", function()
    with_pool(1, function(pool)
      for _, crash in ipairs { { "exit", "os.exit(3)", 3 },
        { "exhaust", "not enough memory" }, { "interrupt", "interrupted!" } } do
        assert.are.equal(1, pool:call "count")
        raises("jobs.lua:24': the worker has crashed: " .. crash[2], pool.call,
          pool, crash[1], "", crash[3])
      end
      assert.are.equal(1, pool:call "count") -- another state
    end)
  end)

  it("gets the error that stopped the loop of its worker [J24]", function()
    with_pool(1, function(pool)
      raises("the worker has crashed: ./spec/support/jobs.lua:", pool.call,
        pool, "leave_behind", "", "no luck")
      assert.are.equal(1, pool:call "count")
    end)
  end)

  it("leaves nothing to the next worker when its own crashes [J24]", function()
    with_pool(1, function(pool)
      assert.are.equal(1, pool:call "count")
      pool:call "start_sleeper"
      raises("not enough memory", pool.call, pool, "exhaust")
      assert.are.equal(1, pool:call "count")
    end)
  end)

  it("is told that its job has cancelled itself [J23]", function()
    with_pool(1, function(pool)
      raises("the job has cancelled itself", pool.call, pool, "give_up")
      assert.are.equal(1, pool:call "count")
    end)
  end)

  it("does not see the crash of another worker [J24]", function()
    with_pool(2, function(pool, log, path, ev)
      local job = ev:start(pool:Call("insist", path, "1"))
      await_line(log, "1 begun")
      assert.is_false(pcall(pool.call, pool, "exit", path, 1))
      assert.are.equal(1, pool:call "count")
      job:cancel_wait()
      assert.are.equal("1", job:results())
    end)
  end)
end)

describe("the close of a pool", function()
  it("cancels the jobs under way and in the queue [J25]", function()
    with_pool(1, function(pool, log, path, ev)
      local ended = {}
      for i = 1, 2 do
        ev:start(pool:Call("sleep", path, tostring(i)), function(_, err)
          ended[i] = err
        end)
      end
      await_line(log, "1 begun")
      pool:close()
      wait_until(function()
        return ended[1] and ended[2]
      end)
      assert.is_true(aw.is_closed(ended[1]) and aw.is_closed(ended[2]))
      assert.are.same({ "1 begun", "1 closed" }, log())
    end)
  end)

  it("waits until its workers have ended [J25]", function()
    with_pool(2, function(pool)
      local before = aw.stats().threads
      pool:call "count"
      pool:close()
      assert.are.equal(before, aw.stats().threads)
    end)
  end)

  it("may come again, and makes calls fail with Closed [J25]", function()
    with_pool(1, function(pool)
      pool:close()
      pool:close()
      contains(tostring(pool), ", closed)")
      for _, f in ipairs { pool.call, pool.Call } do
        local ok, err = pcall(f, pool, "count")
        assert.is_false(ok)
        assert.is_true(aw.is_closed(err))
        contains(tostring(err), "pool_spec.lua:")
      end
    end)
  end)

  it("ends a wire of a call [J25]", function()
    with_pool(1, function(pool)
      local wire = pool:Call "count"
      pool:close()
      local ok, err = pcall(aw.await, wire)
      assert.is_false(ok)
      assert.is_true(aw.is_closed(err))
    end)
  end)

  it("works outside of tasks [J25]", function()
    helper.leak_checked(function()
      local pool
      aw.run(function()
        pool = aw.pool(1, obedient)
        pool:call "count"
      end)
      helper.outside(pool.close, pool)
    end)
  end)
end)

describe("aw.pool", function()
  it("refuses wrong arguments [J20]", function()
    for _, n in ipairs { 0, -1, 1025, 1.5, "x", true } do
      raises("bad argument #1 to 'pool'", aw.pool, n, obedient)
    end
    raises("bad argument #2 to 'pool' (function or file name expected, "
      .. "got table)", aw.pool, 1, {})
    raises("bad argument #2 to 'pool'", aw.pool, 1)
    raises("bad argument #2 to 'pool' (file name contains a zero)",
      aw.pool, 1, "a\0b")
  end)

  it("refuses a file that is none, or no Lua [J20]", function()
    local place <close> = folder.new()
    local ok, err = pcall(aw.pool, 1, place.path .. "/none")
    assert.is_false(ok)
    assert.are.same({ "ENOENT", "open" }, { err.code, err.call })
    contains(tostring(err), "pool_spec.lua:")
    ok, err = pcall(aw.pool, 1, place.path)
    assert.is_false(ok)
    assert.are.equal("EISDIR", err.code)
    raises("bad.lua:1: ", aw.pool, 1, place:file("bad.lua", "return ="))
  end)

  it("needs a task for a call, but not for a pool [J20]", function()
    helper.leak_checked(helper.outside, function()
      local pool = aw.pool(1, obedient)
      raises("cannot await outside a task", pool.call, pool, "count")
    end)
  end)
end)
