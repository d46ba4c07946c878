-- spawn { group = true }: the library ends the group of a child when it ends
-- the child, or when the child has ended.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local process = require "spec.support.process"

local run, wait_until = helper.run, helper.wait_until
local state_of, lives = process.state_of, process.lives

--- Starts a leader that starts a member of its group and ends. Returns the
--- Process, which has been awaited, and the pid of the member, which runs.
---@param line string for the shell: what the member does
local function with_orphan(line, options)
  options = options or {}
  options[1], options[2] = "sh", "-c"
  options[3] = ("(%s) & exit 3"):format(line)
  options.group = true
  local p = aw.spawn(options)
  local member = p.stdout:read()
  assert.are.equal(3, p:wait().code)
  return p, member
end

local SLEEPS <const> = "sh -c 'echo $$; exec sleep 30'"
local STUBBORN <const> =
  [[sh -c 'trap "" TERM; echo $$; while :; do sleep 0.01; done']]

--- Returns a line for the shell that writes "clean" into a file on TERM.
local function tidy(name)
  return ([[sh -c 'trap "echo clean >%s; exit 0" TERM
    echo $$; while :; do sleep 0.01; done' 2>/dev/null]]):format(name)
end

--- Call `f` with the name of a new file. Returns the contents of the file.
local function written(f)
  local name = os.tmpname()
  f(name)
  local text = process.read(name)
  os.remove(name)
  return text
end

describe("a leader that has ended", function()
  it("is noticed, and not reaped until it is closed [UV8]", function()
    run(function()
      local p, member = with_orphan(SLEEPS)
      assert.are.equal("Z", state_of(p.pid))
      assert.is_true(lives(member))
      assert.are.equal(3, p:wait().code)
      p:close()
      assert.is_nil(state_of(p.pid))
    end)
  end)

  it("makes no task wait if its group is empty", function()
    run(function(ev)
      local p = aw.spawn { "true", group = true, grace = 1000 }
      p:wait()
      local turned = false
      ev:start(function() turned = true end)
      p:close()
      assert.is_false(turned)
      assert.is_nil(state_of(p.pid))
    end)
  end)

  it("gets no signal, but its group does [UV8]", function()
    run(function()
      local p, member = with_orphan(SLEEPS)
      assert.is_true(lives(member))
      assert.is_true(p:kill "KILL")
      wait_until(function() return not lives(member) end)
      assert.is_false(p:kill "KILL")
      assert.are.equal(3, p:wait().code)
      p:close()
      assert.is_false(p:kill "KILL")
    end)
  end)
end)

describe("the group of a leader that has ended", function()
  it("ends when the process is closed", function()
    run(function()
      local p, member = with_orphan(SLEEPS)
      p:close()
      assert.is_false(lives(member))
    end)
  end)

  it("ends when the block of the process is left", function()
    run(function()
      local member
      do
        local p <close>, pid = with_orphan(SLEEPS)
        member = pid
        assert.is_true(lives(member) and p:wait().code == 3)
      end
      assert.is_false(lives(member))
    end)
  end)

  it("has its grace to clean up", function()
    run(function()
      assert.are.equal("clean\n", written(function(name)
        with_orphan(tidy(name), { grace = 60 }):close()
      end))
    end)
  end)

  it("is sent TERM, and KILL after the grace", function()
    run(function()
      local p, member = with_orphan(STUBBORN, { grace = 0.02 })
      p:close()
      assert.is_false(lives(member))
      assert.is_nil(state_of(p.pid))
    end)
  end)

  it("ends with an exec that is cancelled", function()
    run(function()
      local name = os.tmpname()
      local ok, err = aw.pcall(aw.timeout, 0.3, aw.exec, { "sh", "-c",
        ("sh -c 'echo $$ >%s; exec sleep 30' & exit 0"):format(name),
        group = true })
      assert.is_false(ok)
      assert.is_true(aw.is_timeout(err))
      local pid = process.read(name):match "%d+"
      os.remove(name)
      assert.is_true(pid == nil or not lives(pid))
    end)
  end)

  it("ends with an exec that has ended", function()
    run(function()
      local r = aw.exec { "sh", "-c",
        "sleep 30 >/dev/null 2>&1 & echo $!", group = true }
      assert.is_true(r.ok)
      assert.is_false(lives(r.out:match "%d+"))
    end)
  end)

  it("ends when the process is garbage [LU11]", function()
    run(function()
      local member = select(2, with_orphan(SLEEPS))
      collectgarbage()
      collectgarbage()
      wait_until(function()
        return not lives(member) and aw.stats().handles == 0
      end)
    end)
  end)

  it("is killed when a hard cancel cuts its grace [C8]", function()
    run(function()
      local p, member
      local ev = aw.EventLoop { grace = 0.05, signals = false }
      ev:start(function()
        p, member = with_orphan(STUBBORN, { grace = 60 })
        local _ <close> = p
        ev:stop()
        aw.sleep(10)
      end)
      ev:run()
      ev:close()
      wait_until(function() return not lives(member) end)
      assert.is_nil(state_of(p.pid))
      wait_until(function() return aw.stats().handles == 0 end)
    end)
  end)

  it("ends with the program, or the Lua state", function()
    local code = process.prelude .. [[
      aw.run(function()
        held = aw.spawn { "sh", "-c", "(sh -c 'echo $$; exec sleep 30') &",
          group = true }
        say(held.stdout:read())
        held:wait()
        again = aw.spawn { "sh", "-c", "sh -c 'echo $$; exec sleep 30'; true",
          group = true }
        say(again.stdout:read())
      end)
    ]]
    process.each("", code, function(outcome)
      assert.are.equal(0, outcome.code, outcome.err)
      local count = 0
      for pid in outcome.out:gmatch "%d+" do
        count = count + 1
        assert.is_false(lives(pid))
      end
      assert.are.equal(2, count)
    end)
  end)

  it("ends while SIGCHLD is ignored, if Linux supports that", function()
    process.each("ignore=17", process.prelude .. [[
      aw.run(function()
        local p <close> = aw.spawn { "sh", "-c",
          "(sh -c 'echo $$; exec sleep 30') & read _", group = true }
        say(p.stdout:read())
        p.stdin:shutdown()
        assert(p:wait().lost)
        if not p:kill(0) then
          say "unknown"
        end
      end)
    ]], function(outcome)
      assert.are.equal(0, outcome.code, outcome.err)
      local pid = outcome.out:match "%d+"
      if outcome.out:find "unknown" then
        os.execute("kill -9 " .. pid)
        helper.pending "needs Linux 6.9"
      end
      assert.is_false(lives(pid))
    end)
  end)
end)

describe("a running leader", function()
  it("has its grace together with its group", function()
    run(function()
      assert.are.equal("clean\n", written(function(name)
        local p = aw.spawn { "sh", "-c", "trap 'exit 5' TERM\n" .. tidy(name)
          .. " & while :; do sleep 0.01; done", group = true, grace = 60,
          stderr = "null" } -- the shell would report the end of the member
        local member = p.stdout:read()
        p:close()
        assert.are.equal(5, p:wait().code)
        assert.is_false(lives(member))
      end))
    end)
  end)
end)
