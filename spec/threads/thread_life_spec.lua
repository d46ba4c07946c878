-- The life of workers: cancels, closing, the end of the parent [J4-J9].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local process = require "spec.support.process"
local texts = require "spec.support.texts"

local raises, run = helper.raises, helper.run
local contains = texts.contains

local function sleeper()
  require "aiowire".sleep(1000)
end

--- A worker that tells when its clean-up has begun and ended.
local function cleaner()
  local aw = require "aiowire"
  local _ <close> = setmetatable({}, { __close = function()
    aw.parent:try_send "cleaning"
    aw.shield(function()
      aw.sleep(0.01)
    end)
    aw.parent:try_send "clean"
  end })
  aw.parent:send "begun"
  aw.sleep(1000)
end

describe("a cancelled thread", function()
  it("cleans up, and raises TaskCancelled in who waits [J4, J5]", function()
    run(function()
      local t <close> = aw.thread(cleaner)
      assert.are.equal("begun", t:recv())
      t:cancel()
      assert.is_true(aw.is_task_cancelled(helper.caught(t.wait, t)))
      assert.are.equal("cleaning", t:recv())
      assert.are.equal("clean", t:recv())
      assert.are.equal("cancelled", t.status)
      t:cancel()
    end)
  end)

  it("may be cancelled before it has begun [J5]", function()
    run(function()
      for _ = 1, helper.scale(100) do
        local t <close> = aw.thread(sleeper)
        t:cancel()
        assert.is_true(aw.is_task_cancelled(helper.caught(t.wait, t)))
      end
    end)
  end)

  it("raises what its clean-up raised [J4]", function()
    run(function()
      local t <close> = aw.thread(function()
        local ok, err = pcall(require "aiowire".sleep, 1000)
        error(ok or "in clean-up: " .. tostring(err), 0)
      end)
      aw.sleep(0.01)
      t:cancel()
      pcall(t.wait, t)
      assert.are_not.equal("running", t.status)
    end)
  end)
end)

describe("a busy thread", function()
  local function busy()
    local aw = require "aiowire"
    aw.parent:send "begun"
    while true do end
  end

  it("is interrupted by a cancel [J5]", function()
    run(function()
      local t <close> = aw.thread(busy)
      assert.are.equal("begun", t:recv())
      t:cancel()
      assert.is_true(aw.is_task_cancelled(helper.caught(t.wait, t)))
    end)
  end)

  it("is interrupted as it begins to be busy [J5]", function()
    run(function()
      for _ = 1, helper.scale(60) do
        local t <close> = aw.thread(function()
          while true do end
        end)
        t:close()
        assert.are.equal("cancelled", t.status)
      end
    end)
  end)

  it("is interrupted in each of its coroutines, and in C calls [J5]",
    function()
      run(function()
        local t <close> = aw.thread(function()
          require "aiowire".parent:send "begun"
          coroutine.wrap(function()
            ("x"):gsub("x", function()
              while true do end
            end)
          end)()
        end)
        assert.are.equal("begun", t:recv())
        t:close()
        assert.are.equal("cancelled", t.status)
      end)
    end)

  it("is interrupted although functions in C take its time [J5]", function()
    run(function()
      local t <close> = aw.thread(function()
        require "aiowire".parent:send "begun"
        while true do
          local _ = ("x"):rep(1000000):upper()
        end
      end)
      assert.are.equal("begun", t:recv())
      t:cancel()
      assert.is_true(aw.is_task_cancelled(helper.caught(t.wait, t)))
    end)
  end)

  it("that catches the interrupt is interrupted again [J5]", function()
    run(function()
      local t <close> = aw.thread(function()
        require "aiowire".parent:send "begun"
        while true do
          pcall(function()
            while true do end
          end)
        end
      end)
      assert.are.equal("begun", t:recv())
      t:close()
      assert.are_not.equal("running", t.status)
    end)
  end)

  it("may clean up for longer than a body may be busy [J5]", function()
    run(function()
      local t <close> = aw.thread(function()
        local aw = require "aiowire"
        local _ <close> = setmetatable({}, { __close = function()
          local n = 0
          for i = 1, 5000000 do
            n = n + i
          end
          aw.parent:try_send(n)
        end })
        aw.parent:send "begun"
        aw.sleep(1000)
      end)
      assert.are.equal("begun", t:recv())
      t:cancel()
      assert.is_true(aw.is_task_cancelled(helper.caught(t.wait, t)))
      assert.are.equal(12500002500000, t:recv())
    end)
  end)

  it("ends with its parent [J6]", function()
    local outcome = process.host [[
      local aw = require "aiowire"
      for _ = 1, 3 do
        aw.thread(function()
          require "aiowire".parent:send(1)
          while true do end
        end):recv()
      end
      print "main"
    ]]
    process.assert_outcome("main\n", 0, outcome)
    assert.are.equal("", outcome.err)
  end)

  it("keeps no signal handler when it has ended [J5]", function()
    run(function()
      local function caught()
        for line in io.lines "/proc/self/status" do
          local mask = line:match "^SigCgt:%s*(%x+)"
          if mask then
            return mask
          end
        end
      end
      local before = caught()
      local t <close> = aw.thread(busy)
      t:recv()
      t:close()
      assert.are.equal(before, caught())
    end)
  end)
end)

describe("closing a thread", function()
  it("waits for its clean-up [J6]", function()
    run(function()
      local t <close> = aw.thread(cleaner)
      assert.are.equal("begun", t:recv())
      t:close()
      assert.are.equal("cancelled", t.status)
      t:close()
    end)
  end)

  it("happens at the end of a block, also for a cancelled task [J6]",
    function()
      run(function(ev)
        local thread
        local task = helper.waiting(ev, function()
          local t <close> = aw.thread(sleeper)
          thread = t
          t:wait()
        end)
        task:cancel_wait()
        assert.are.equal("cancelled", thread.status)
      end)
    end)

  it("blocks outside of tasks [J6]", function()
    helper.outside(function()
      local t = aw.thread(sleeper)
      t:close()
      assert.are.equal("cancelled", t.status)
    end)
  end)

  it("leaves nothing, 1,000 times [J6]", function()
    run(function()
      for i = 1, helper.scale(1000) do
        local t <close> = aw.thread(function(n)
          return n
        end, i)
        if i % 3 > 0 then
          assert.are.equal(i, t:wait())
        end
      end
    end)
  end)
end)

describe("a thread that is garbage", function()
  it("is cancelled [J6]", function()
    run(function()
      for _ = 1, 10 do
        aw.thread(sleeper)
      end
    end)
  end)

  it("is a mistake if it has failed and nobody has waited [D4, J4]",
    function()
      local outcome = process.host [[
        local aw = require "aiowire"
        local t = aw.thread(function() error "lost" end)
        while t.status == "running" do aw.sleep(0.001) end
        t = nil
        collectgarbage() collectgarbage()
      ]]
      process.assert_exit(0, outcome)
      contains(outcome.err, "s.lua:2' has failed, and nobody has waited for it")
      contains(outcome.err, "s.lua:2: lost")
    end)
end)

describe("the end of the parent", function()
  it("cancels its threads, with clean-up [J6]", function()
    local outcome = process.host [[
      local aw = require "aiowire"
      local t = aw.thread(function()
        local aw = require "aiowire"
        local _ <close> = setmetatable({}, { __close = function()
          print "cleaned"
        end })
        aw.parent:send(1)
        aw.sleep(1000)
      end)
      t:recv()
      print "main"
    ]]
    process.assert_outcome("main\ncleaned\n", 0, outcome)
    assert.are.equal("", outcome.err)
  end)

  it("does so for os.exit, an error and a signal [J6]", function()
    for ending, code in pairs {
      ["os.exit(3)"] = 3, ["error 'x'"] = 1,
      ["t.x.y = 1"] = 1,
    } do
      local outcome = process.host(([[
        local aw = require "aiowire"
        local t = aw.thread(function()
          local aw = require "aiowire"
          local _ <close> = setmetatable({}, { __close = function()
            print "cleaned"
          end })
          aw.parent:send(1)
          aw.sleep(1000)
        end)
        t:recv()
        %s
      ]]):format(ending))
      process.assert_outcome("cleaned\n", code, outcome)
    end
    local outcome = process.host [[
      local aw = require "aiowire"
      local t = aw.thread(function()
        local aw = require "aiowire"
        local _ <close> = setmetatable({}, { __close = function()
          print "cleaned"
        end })
        aw.parent:send(1)
        aw.sleep(1000)
      end)
      t:recv()
      aw.exec("sh", "-c", "kill -INT $PPID")
      t:wait()
    ]]
    process.assert_died_by(2, outcome)
    assert.are.equal("cleaned\n", outcome.out)
  end)

  it("does so under stock Lua [J6]", function()
    if process.sanitized then
      helper.pending "stock Lua cannot load a module with sanitizers"
    end
    local outcome = process.stock [[
      local aw = require "aiowire"
      local t
      aw.run(function()
        t = aw.thread(function()
          local aw = require "aiowire"
          local _ <close> = setmetatable({}, { __close = function()
            print "cleaned"
          end })
          aw.parent:send(1)
          aw.sleep(1000)
        end)
        t:recv()
      end)
      print "main"
    ]]
    process.assert_outcome("main\ncleaned\n", 0, outcome)
  end)
end)

describe("a finalizer at the end of the state", function()
  it("cannot start a thread once all have been ended [J6]", function()
    local outcome = process.host [[
      local aw = require "aiowire"
      local last
      local early = setmetatable({}, { __gc = function()
        print(pcall(aw.thread, function() end))
        print(pcall(last.cancel, last))
      end })
      aw.thread(function() end):wait()
      local late = setmetatable({}, { __gc = function()
        last = aw.thread(function() require "aiowire".sleep(1000) end)
        print(last.status)
      end })
      _G.kept = { early, late }
    ]]
    process.assert_exit(0, outcome)
    contains(outcome.out, "running\n")
    contains(outcome.out, "no thread can be started: the Lua state ends")
    contains(outcome.out, "thread (finalized)")
  end)
end)

describe("the end of the parent", function()
  -- The state waits for 2 s, the second half of them after the grace. A machine
  -- that lets the worker wait for so long may have several tries.
  it("ends the grace of clean-up that awaits for long [J6]", function()
    local outcome
    for _ = 1, 5 do
      outcome = process.run("exec $aiowire -W s.lua", { ["s.lua"] = [[
        local aw = require "aiowire"
        aw.thread(function()
          local aw = require "aiowire"
          local _ <close> = setmetatable({}, { __close = function()
            pcall(aw.shield, function() aw.sleep(1000) end)
            print "cleaned"
          end })
          aw.parent:send "begun"
          aw.sleep(1000)
        end):recv()
      ]] })
      if not outcome.err:find("behind", 1, true) then
        break
      end
    end
    process.assert_outcome("cleaned\n", 0, outcome)
  end)
end)

describe("a worker in code of C", function()
  it("is left behind at the end of its parent, with a warning [J6]",
    function()
      local outcome = process.run("exec $aiowire -W s.lua", { ["s.lua"] = [[
        local aw = require "aiowire"
        aw.thread(function()
          os.execute "echo > begun; exec sleep 8"
          print "not reached"
        end)
        repeat
          aw.sleep(0.01)
        until io.open "begun"
        print "main"
      ]] })
      process.assert_outcome("main\n", 0, outcome)
      contains(outcome.err, "thread 1 's.lua:2' does not come back from code "
        .. "in C, and is left behind")
    end)
end)

describe("os.exit in a thread", function()
  it("ends that thread alone [J7]", function()
    run(function()
      local t <close> = aw.thread(function()
        os.exit(0)
      end)
      assert.are.equal(0, select("#", t:wait()))
      local u <close> = aw.thread(function()
        local aw = require "aiowire"
        local _ <close> = setmetatable({}, { __close = function()
          aw.parent:try_send "cleaned"
        end })
        os.exit(7, false)
      end)
      raises("os.exit(7)", u.wait, u)
      assert.are.equal("cleaned", u:recv())
    end)
  end)
end)

describe("the output of threads", function()
  it("goes where that of the parent goes, line by line [J8]", function()
    local outcome = process.host [[
      local aw = require "aiowire"
      local list = {}
      for i = 1, 4 do
        list[i] = aw.thread(function(n)
          for _ = 1, 200 do print(n, n, n) end
        end, i)
      end
      for _ = 1, 200 do print(5, 5, 5) end
      for _, t in ipairs(list) do t:wait() end
    ]]
    process.assert_exit(0, outcome)
    local lines = 0
    for line in outcome.out:gmatch "[^\n]+" do
      lines = lines + 1
      local a, b, c = line:match "^(%d)\t(%d)\t(%d)$"
      assert.is_true(a ~= nil and a == b and b == c, line)
    end
    assert.are.equal(1000, lines)
  end)

  it("includes warnings [J8]", function()
    local outcome = process.run("exec $aiowire -W s.lua", { ["s.lua"] = [[
      local aw = require "aiowire"
      aw.thread(function() warn("from ", "a worker") end):wait()
    ]] })
    process.assert_exit(0, outcome)
    assert.are.equal("Lua warning: from a worker\n", outcome.err)
  end)

  it("includes warnings under stock Lua, of the last clean-up, too [J8]",
    function()
      if process.sanitized then
        helper.pending "stock Lua cannot load a module with sanitizers"
      end
      local outcome = process.run("exec $lua -W s.lua", { ["s.lua"] = [[
        local aw = require "aiowire"
        local t
        aw.run(function()
          t = aw.thread(function()
            local aw = require "aiowire"
            local _ <close> = setmetatable({}, { __close = function()
              warn "last"
            end })
            warn("from ", "a worker")
            warn "@off"
            warn "not shown"
            warn "@on"
            aw.parent:send(1)
            aw.sleep(1000)
          end)
          t:recv()
        end)
      ]] })
      process.assert_exit(0, outcome)
      assert.are.equal("Lua warning: from a worker\nLua warning: last\n",
        outcome.err)
    end)

  it("shows the worker's stack for an error that nobody handles [J4]",
    function()
      local outcome = process.host [[
        local aw = require "aiowire"
        local t = aw.thread(function()
          local function deep() error "boom" end
          deep()
        end)
        t:wait()
      ]]
      process.assert_exit(1, outcome)
      contains(outcome.err, "s.lua:3: boom\nstack traceback:")
      contains(outcome.err, "s.lua:3: in local 'deep'")
      contains(outcome.err, "in thread 1 's.lua:2'")
    end)
end)

describe("the rules of a worker's state", function()
  it("are those of the program: no bytecode [J1]", function()
    local outcome = process.host [[
      local aw = require "aiowire"
      print(aw.thread(function()
        return load(string.dump(function() end)) == nil, arg[0]
      end):wait())
      local f = assert(io.open("b.lua", "wb"))
      f:write(string.dump(function() end))
      f:close()
      print(pcall(aw.thread, "b.lua"))
    ]]
    process.assert_exit(0, outcome)
    contains(outcome.out, "true\ts.lua")
    contains(outcome.out, "binary chunk")
  end)

  it("include the paths of modules [J1]", function()
    local outcome = process.run("mkdir m && mv x.lua m/ && exec $aiowire s.lua",
      { ["x.lua"] = "return { y = 5 }", ["s.lua"] = [[
        package.path = "m/?.lua"
        local aw = require "aiowire"
        print(aw.thread(function() return require "x".y end):wait())
      ]] })
    process.assert_outcome("5\n", 0, outcome)
  end)
end)

describe("a fork of the parent", function()
  it("has no workers, and ends without them [J9]", function()
    local outcome = process.host [[
      local aw = require "aiowire"
      local fork = require "spec_fork"
      local t = aw.thread(function() require "aiowire".parent:recv() end)
      local pid = fork.fork()
      if pid == 0 then
        print(t.status, pcall(t.send, t, 1))
        print(pcall(t.wait, t))
        t:close()
        io.stdout:flush()
        os.exit(5)
      end
      aw.sleep(0.1)
      print(fork.wait(pid))
      t:send(1)
      t:wait()
    ]]
    process.assert_exit(0, outcome)
    contains(outcome.out, "lost\tfalse")
    contains(outcome.out, "has forked since\n5\t")
  end)
end)
