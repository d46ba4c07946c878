-- spawn { detach = true }: a child that outlives its task, its loop and the
-- program.

local aw = require "aiowire"
local fork = require "spec_fork"
local helper = require "spec.support.helper"
local process = require "spec.support.process"

local run, wait_until = helper.run, helper.wait_until
local state_of, lives = process.state_of, process.lives

local function sleeper(options)
  options = options or {}
  options[1], options[2], options.detach = "sleep", "60", true
  options.stdin, options.stdout, options.stderr = "null", "null", "null"
  return aw.spawn(options)
end

describe("a detached child", function()
  it("leads a session of its own", function()
    run(function()
      local p <close> = aw.spawn { "sh", "-c",
        "read a b c d e f g </proc/$$/stat; echo $a $e $f", detach = true }
      local pid, group, session = p.stdout:read "a":match "(%d+) (%d+) (%d+)"
      assert.are.same({ tostring(p.pid), pid, pid }, { pid, group, session })
      p:wait()
    end)
  end)

  it("can be awaited and sent signals, as any other child", function()
    run(function()
      local p = sleeper()
      assert.are.equal(("process %d 'sleep' (detached, running)"):format(
        p.pid), tostring(p))
      assert.is_true(p:kill(0))
      assert.is_true(p:kill "KILL")
      assert.are.same({ ok = false, signal = 9 }, p:wait())
      assert.is_nil(state_of(p.pid))
      p:close()
    end)
  end)

  it("goes on when it is closed, which does not await", function()
    run(function(ev)
      local p = sleeper()
      local turned = false
      ev:start(function() turned = true end)
      p:close()
      assert.is_false(turned)
      assert.is_true(lives(p.pid))
      assert.is_true(p:kill())
      assert.are.equal(15, p:wait().signal)
    end)
  end)

  it("goes on when its block is left, and is reaped when it ends", function()
    run(function()
      local pid
      do
        local p <close> = aw.spawn { "sh", "-c", "read x", detach = true }
        pid = p.pid
        assert.is_true(lives(pid))
      end -- leaving the block ends its input
      wait_until(function() return state_of(pid) == nil end)
    end)
  end)

  it("goes on when it is garbage", function()
    run(function()
      local pid = sleeper().pid
      collectgarbage()
      collectgarbage()
      assert.is_true(lives(pid))
      os.execute("kill " .. pid)
      wait_until(function() return aw.stats().handles == 0 end)
      assert.is_nil(state_of(pid))
    end)
  end)

  it("goes on with its group, which still gets signals", function()
    run(function()
      local p = aw.spawn { "sh", "-c", "sleep 60 & echo $!; exit 3",
        detach = true, group = true, stdin = "null", stderr = "null" }
      local member = p.stdout:read()
      assert.are.equal(3, p:wait().code)
      assert.is_true(lives(member))
      assert.is_true(p:kill "KILL")
      wait_until(function() return not lives(member) end)
      p:close()
      assert.is_nil(state_of(p.pid))
    end)
  end)

  it("goes on when the task that waits for it is cancelled", function()
    run(function(ev)
      local p = sleeper()
      local task = ev:start(function()
        local _ <close> = p
        p:wait()
      end)
      aw.yield()
      task:cancel_wait()
      assert.is_true(lives(p.pid))
      p:kill()
      p:wait()
    end)
  end)

  it("outlives its engine, and is reaped later", function()
    helper.leak_checked(function()
      local p
      aw.run(function()
        p = sleeper()
      end, { clock = "virtual" })
      collectgarbage() -- collects the engine of p
      collectgarbage()
      assert.are.equal(("process %d 'sleep' (detached, left running)"):format(
        p.pid), tostring(p))
      assert.is_true(lives(p.pid))
      assert.is_false(p:kill())
      aw.run(function()
        assert.are.same({ ok = false, lost = true }, p:wait())
      end)
      os.execute("kill " .. p.pid)
      aw.run(function()
        wait_until(function() return state_of(p.pid) == "Z" end)
        aw.exec "true"
      end)
      assert.is_nil(state_of(p.pid))
    end)
  end)

  it("outlives the program, or the Lua state", function()
    process.each("", process.prelude .. [[
      aw.run(function()
        held = aw.spawn { "sleep", "60", detach = true, stdin = "null",
          stdout = "null", stderr = "null" }
        say(held.pid)
      end)
    ]], function(outcome)
      assert.are.equal(0, outcome.code, outcome.err)
      local pid = outcome.out:match "%d+"
      assert.is_true(lives(pid))
      os.execute("kill " .. pid)
    end)
  end)

  it("outlives a program that Ctrl-C ends", function()
    local outcome = process.host(process.prelude .. [[
      local p <close> = aw.spawn { "sleep", "60", detach = true,
        stdin = "null", stdout = "null", stderr = "null" }
      say(p.pid)
      signal_me "INT"
      p:wait()
    ]])
    assert.are.equal(2, outcome.signal)
    local pid = outcome.out:match "%d+"
    assert.is_true(lives(pid))
    os.execute("kill " .. pid)
  end)

  it("ends even if other code has reaped it [UV8]", function()
    run(function()
      local p = aw.spawn { "true", detach = true }
      fork.wait(p.pid)
      assert.are.same({ ok = false, lost = true }, p:wait())
      p:close()
    end)
  end)

  it("takes a boolean only [API]", function()
    local _, err = pcall(function()
      aw.spawn { "true", detach = "yes" }
    end)
    local line = debug.getinfo(1, "l").currentline - 2
    assert.are.equal(("spec/process/detach_spec.lua:%d: "
      .. "bad option 'detach' (boolean expected, got string)")
      :format(line), err)
  end)
end)
