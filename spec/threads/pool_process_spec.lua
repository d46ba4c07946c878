-- Pools in processes of their own: signals, the end of the program, and threads
-- that cannot be made [J25, J26].

local process = require "spec.support.process"
local resolver = require "spec.support.resolver"
local texts = require "spec.support.texts"

local contains = texts.contains

--- Run a script under each interpreter, and check the outcome.
local function each(script, check)
  process.each("", process.prelude .. script, check)
end

local function prints(expected, script)
  each(script, function(outcome)
    process.assert_outcome(expected, 0, outcome)
  end)
end

describe("a program with a pool", function()
  it("ends although nobody closes the pool [J25]", function()
    prints("2\n", [[
      aw.run(function()
        pool = aw.pool(2, function(n) return n + 1 end)
        say(pool:call(1))
      end)
    ]])
  end)

  it("ends although a task that calls is left behind [J25]", function()
    prints("", [[
      local ev = aw.EventLoop()
      local pool = aw.pool(1, function() require "aiowire".sleep(1000) end)
      ev:start(pool:Call())
      ev:start(function() ev:stop() end)
      ev:run()
    ]])
  end)

  it("stops by a signal with its jobs [J25]", function()
    each([[
      aw.run(function(ev)
        local pool <close> = aw.pool(1, function()
          local aw = require "aiowire"
          local _ <close> = setmetatable({}, { __close = function()
            print "closed"
          end })
          io.popen "kill -INT $PPID":close() -- os.execute ignores it
          aw.sleep(1000)
        end)
        pool:call()
      end)
    ]], function(outcome, name)
      assert.are.equal("closed\n", outcome.out)
      if name == "aiowire" then
        process.assert_died_by(2, outcome)
      else
        assert.is_truthy(outcome.err:find("interrupted!", 1, true))
      end
    end)
  end)

  it("stops by a signal although a job is busy [J25]", function()
    each([[
      aw.run(function(ev)
        local pool <close> = aw.pool(1, function()
          io.popen "kill -INT $PPID":close()
          while true do end
        end)
        pool:call()
      end)
    ]], function(outcome, name)
      assert.are.equal("", outcome.out)
      if name == "aiowire" then
        process.assert_died_by(2, outcome)
      end
    end)
  end)
end)

describe("a pool whose workers do not end", function()
  -- The tasks that close it and call it are killed.
  local function leave(workers)
    local outcome = process.run("mkfifo fifo && exec $aiowire -W s.lua",
      { ["s.lua"] = ([[
      local aw = require "aiowire"
      local ev = aw.EventLoop { grace = 0 }
      local begun = 0
      local pool = aw.pool(%d, function(path)
        io.open(path, "w"):close()
        io.open("fifo", "r"):close() -- blocks in C
      end)
      ev:start(function()
        for i = 1, %d do
          ev:start(pool:Call("begun" .. i))
          repeat aw.sleep(0.01) until io.open("begun" .. i)
        end
        ev:start(function() pool:close() end)
        aw.yield()
        ev:stop()
      end)
      ev:run()
      print "main"
    ]]):format(workers, workers) })
    process.assert_outcome("main\n", 0, outcome)
    return outcome.err
  end

  it("is left behind at the end of its parent, with a warning [J25]",
    function()
      contains(leave(1), "aiowire: pool 's.lua:4': a worker does not come "
        .. "back from code in C, and is left behind")
      contains(leave(2), "aiowire: pool 's.lua:4': 2 workers do not come "
        .. "back from code in C, and are left behind")
    end)

  it("is interrupted again and again at the end of its parent [J25]",
    function()
      local outcome = process.run("exec $aiowire -W s.lua", { ["s.lua"] = [[
        local aw = require "aiowire"
        local ev = aw.EventLoop { grace = 0 }
        local pool = aw.pool(1, function(path)
          local caught = 0
          io.open(path, "w"):close()
          repeat
            pcall(function() while true do end end)
            caught = caught + 1
          until caught == 3
          print "ended"
        end)
        ev:start(function()
          ev:start(pool:Call "begun")
          repeat aw.sleep(0.01) until io.open "begun"
          ev:stop()
        end)
        ev:run()
      ]] })
      process.assert_outcome("ended\n", 0, outcome)
      assert.is_nil(outcome.err:find("behind", 1, true), outcome.err)
    end)
end)

describe("a pool that is garbage", function()
  it("is not waited for by the collector [J25]", function()
    local outcome = process.run("mkfifo fifo && exec $aiowire -W s.lua",
      { ["s.lua"] = [[
      local aw = require "aiowire"
      local kept = setmetatable({}, { __mode = "k" })
      local function leave_a_pool()
        local begun = os.tmpname()
        local ev <close> = aw.EventLoop()
        local pool = aw.pool(1, function(path)
          os.remove(path)
          io.open("fifo", "r"):close() -- blocks in C
        end)
        kept[pool] = true
        ev:start(pool:Call(begun), nil, { background = true })
        ev:start(function()
          while io.open(begun) do aw.sleep(0.01) end
          ev:stop(0)
        end)
        pcall(ev.run, ev)
      end
      leave_a_pool()
      collectgarbage()
      collectgarbage()
      print(next(kept), aw.stats().threads)
      io.open("fifo", "w"):close()
      print "main"
    ]] })
    process.assert_outcome("nil\t1\nmain\n", 0, outcome)
    assert.is_nil(outcome.err:find("behind", 1, true), outcome.err)
  end)
end)

describe("a pool without threads", function()
  it("makes its calls fail, and tries again later [J26]", function()
    resolver.prints([[
false	s.lua:16: call 'pool 's.lua:15'': resource temporarily unavailable
EAGAIN
2
]], [[
aw.run(function()
  local pool <close> = aw.pool(1, function(n) return n + 1 end)
  local function call(n) local r = pool:call(n) return r end
  resolver.refuse(true)
  local ok, err = pcall(call, 1)
  print(ok, err)
  print(err.code)
  resolver.refuse(false)
  print(call(1))
end)
]])
  end)

  it("fails the jobs that a crashed worker has left [J26]", function()
    resolver.prints("EAGAIN\n2\n", [[
aw.run(function(ev)
  local pool <close> = aw.pool(1, function(n)
    if n == 0 then require "aiowire".sleep(0.01) os.exit(1) end
    return n + 1
  end)
  local crash = ev:start(pool:Call(0), aw.keep)
  local second = ev:start(pool:Call(1), aw.keep)
  aw.yield()
  aw.yield()
  resolver.refuse(true)
  local _, err = pcall(second.wait, second)
  pcall(crash.wait, crash)
  print(err.code)
  resolver.refuse(false)
  print(pool:call(1))
end)
]])
  end)
end)

describe("a pool in a forked process", function()
  it("has no workers there, and is closed without them [J26]", function()
    -- What the threads of the parent hold looks like leaks in the child.
    local outcome = process.run([[
      export ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0
      exec $aiowire s.lua]], { ["s.lua"] = [[
      local aw = require "aiowire"
      local fork = require "spec_fork"
      local pool = aw.pool(1, function(n) return n end)
      print(pool:call(7))
      io.stdout:flush()
      local pid = fork.fork()
      if pid == 0 then
        print(pcall(pool.call, pool, 1))
        pool:close()
        io.stdout:flush()
        os.exit(5)
      end
      aw.sleep(0.01)
      print(fork.wait(pid))
      print(pool:call(8))
      pool:close()
    ]] })
    process.assert_exit(0, outcome)
    assert.is_truthy(outcome.out:find(
      "^7\nfalse\t.*has forked since.*\n5\t.*\n8\n$"), outcome.out)
  end)
end)
