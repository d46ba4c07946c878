local aw = require "aiowire"
local pipes = require "spec.support.pipes"
local process = require "spec.support.process"
local helper = require "spec.support.helper"

--- Returns an event loop of another kind: it calls `loop.work` for each byte
--- that comes by a pipe, and for each time-out. `loop.ring()` sends a byte.
local function pipe_loop()
  local fd, reader, writer = pipes.raw_pipe()
  local loop = { fd = fd, steps = 0, asked = 0, over = false }
  function loop.ring()
    writer:write "x"
  end
  function loop.ask()
    loop.asked = loop.asked + 1
    return loop.timeout
  end
  function loop.step()
    loop.steps = loop.steps + 1
    loop.timeout = nil
    if loop.rung then
      reader:read(1)
      loop.rung = false
    end
    return loop.over, "result", loop.steps
  end
  function loop.close()
    reader:close()
    writer:close()
  end
  loop.wire = aw.Drive { fd = fd, timeout = loop.ask, step = loop.step }
  return loop
end

--- Returns a function for `it` that runs `f(ev, loop)` as a task.
local function with_loop(f)
  return helper.sealed(function()
    local loop = pipe_loop()
    aw.run(function(ev)
      f(ev, loop)
    end)
    loop.close()
  end)
end

--- Let the loop end, by a byte.
local function finish(loop)
  loop.over, loop.rung = true, true
  loop.ring()
end

--- Wait until the loop has made a step more.
local function await_step(loop)
  local steps = loop.steps
  helper.wait_until(function()
    return loop.steps > steps
  end)
end

describe("a Drive", function()
  it("steps the loop at its start [X31]", helper.sealed(function()
    local steps = 0
    helper.run(aw.Drive { timeout = 1000, step = function()
      steps = steps + 1
      return true
    end })
    assert.equal(1, steps)
  end))

  it("has the results behind the true of the last step [X31]",
    helper.sealed(function()
      assert.same({ "a", nil, "c", n = 3 }, table.pack(aw.run(aw.Drive {
        timeout = 0, step = function()
          return true, "a", nil, "c"
        end })))
    end))

  it("goes on after other results than true", helper.sealed(function()
    local steps, results = 0, { false, 1, "true", true }
    aw.run(aw.Drive { timeout = 0, step = function()
      steps = steps + 1
      return results[steps]
    end })
    assert.equal(4, steps)
  end))

  it("steps the loop when its descriptor is ready [X31]",
    with_loop(function(ev, loop)
      local task = ev:start(loop.wire)
      aw.sleep(0)
      finish(loop)
      assert.same({ "result", 2 }, { task:wait() })
    end))

  it("steps the loop when its time-out is over [X31]",
    with_loop(function(ev, loop)
      loop.step()
      loop.timeout = 0.001
      local task = ev:start(aw.Drive { fd = loop.fd, timeout = 0.001,
        step = loop.step })
      await_step(loop)
      await_step(loop)
      loop.over = true
      task:wait()
    end))

  it("asks for the time-out before the first block of a program [X33]",
    function()
      local script = [[
        local aw = require "aiowire"
        local due = false
        local drive = aw.Drive {
          timeout = function() return due and 0 or nil end,
          step = function() return due end,
        }
        local both = drive & aw.Call(function() due = true end)
        aw.run(both:timeout(]] .. process.PATIENCE .. [[))
        print "stepped"
      ]]
      local outcome = process.run("exec $aiowire s.lua", { ["s.lua"] = script })
      assert.equal("stepped\n", outcome.out)
    end)

  it("waits for its time-out alone if it has no descriptor",
    helper.sealed(function()
      local steps = 0
      aw.run(aw.Drive { timeout = 0.001, step = function()
        steps = steps + 1
        return steps == 5
      end })
      assert.equal(5, steps)
    end))

  it("lets other tasks have their turns while the time-out is 0 [X31]",
    helper.sealed(function()
      local log, note = helper.recorder()
      aw.run(function(ev)
        ev:start(aw.Drive { timeout = 0, step = function()
          note "step"
          return #log > 6
        end })
        ev:start(aw.Call(note, "task") * 3)
      end)
      assert.same({ "step", "task", "step", "task", "step", "task", "step" },
        log)
    end))

  it("takes other time-outs and descriptors after each step [X33]",
    helper.sealed(function()
      local one, other = pipe_loop(), pipe_loop()
      local turn = 0
      local plan = { one.fd, other.fd, nil }
      aw.run(function(ev)
        local task = ev:start(aw.Drive {
          fd = function()
            return plan[turn]
          end,
          events = function()
            return "r"
          end,
          timeout = function()
            return turn == 3 and 0.001 or nil
          end,
          step = function()
            turn = turn + 1
            return turn == 4
          end,
        })
        aw.sleep(0)
        assert.equal(1, turn)
        other.ring()
        aw.sleep(0.001)
        assert.equal(1, turn)
        one.ring()
        task:wait()
      end)
      one.close()
      other.close()
    end))

  it("takes another descriptor when it is asked [X33]",
    with_loop(function(ev, loop)
      local other = pipe_loop()
      local fd = other.fd
      local task = ev:start(aw.Drive { fd = function()
        return fd
      end, step = loop.step })
      aw.sleep(0.01)
      fd = loop.fd
      aw.sleep(0)
      finish(loop)
      task:wait()
      other.close()
    end))

  it("waits until its descriptor is writable [X33]", helper.sealed(function()
    local _, reader, writer = pipes.raw_pipe()
    local steps = 0
    aw.run(aw.Drive { fd = pipes.fd(writer), events = "w",
      step = function()
        steps = steps + 1
        return steps == 3
      end })
    reader:close()
    writer:close()
  end))

  it("may await in its step [X37]", helper.sealed(function()
    assert.equal("slept", (aw.run(aw.Drive { timeout = 0, step = function()
      aw.sleep(0.001)
      return true, "slept"
    end })))
  end))

  it("ends by real time on a virtual clock, too [X38]",
    helper.in_task(function()
      local steps = 0
      aw.Drive({ timeout = 0.001, step = function()
        steps = steps + 1
        return steps == 3
      end })()
      assert.equal(3, steps)
      assert.equal(0, aw.now())
    end))

  it("says what it waits for", with_loop(function(ev, loop)
    local task = ev:start(loop.wire)
    aw.sleep(0)
    assert.equal("Drive", task.name)
    assert.matches("Drive " .. loop.fd, ev:dump())
    task:cancel()
  end))
end)

describe("an idle Drive", function()
  --- Returns how often this thread has waited so far.
  local function waits()
    local status <close> = assert(io.open "/proc/thread-self/status")
    return tonumber(status:read "a":match "\nvoluntary_ctxt_switches:%s*(%d+)")
  end

  --- Fails if the engine wakes again and again while the only other task
  --- sleeps.
  local function sleep_well()
    local before = waits()
    aw.sleep(0.2)
    assert.is_true(waits() - before < 20)
  end

  it("makes no step and asks nothing [X32]", with_loop(function(ev, loop)
    local task = ev:start(loop.wire)
    aw.sleep(0.01)
    local asked = loop.asked
    sleep_well()
    assert.equal(1, loop.steps)
    assert.is_true(loop.asked <= asked + 1) -- before the sleep
    task:cancel()
  end))

  it("leaves another idle Drive alone [X32]", with_loop(function(ev, loop)
    local other = pipe_loop()
    local tasks = { ev:start(loop.wire), ev:start(other.wire) }
    aw.sleep(0.01)
    local asked, others = loop.asked, other.asked
    sleep_well()
    assert.is_true(loop.asked <= asked + 1 and other.asked <= others + 1)
    for _, task in ipairs(tasks) do
      task:cancel_wait()
    end
    other.close()
  end))

  it("asks for the time-out once tasks have run [X32]",
    with_loop(function(ev, loop)
      local task = ev:start(loop.wire)
      aw.sleep(0.01)
      loop.timeout = 0.001 -- armed between two steps
      await_step(loop)
      loop.over, loop.timeout = true, 0
      task:wait()
    end))

  it("asks though other tasks are always ready [X32]",
    with_loop(function(ev, loop)
      local task = ev:start(loop.wire)
      aw.sleep(0.01)
      loop.over, loop.timeout = true, 0
      local busy = ev:start(aw.Forever(aw.yield))
      while loop.steps < 2 do
        aw.yield()
      end
      busy:cancel()
      task:wait()
    end))

  it("asks again for each task that runs before the engine blocks [X32]",
    with_loop(function(ev, loop)
      local task = ev:start(loop.wire)
      for _ = 1, 20 do
        aw.sleep(0.001)
        loop.timeout = 0
        await_step(loop)
      end
      loop.over, loop.timeout = true, 0
      task:wait()
    end))
end)

describe("the end of a Drive", function()
  it("leaves the loop to the next one [X34]", with_loop(function(ev, loop)
    for _ = 1, 3 do
      local task = ev:start(loop.wire)
      aw.sleep(0)
      task:cancel_wait()
      assert.equal("cancelled", task.status)
    end
    local task = ev:start(loop.wire)
    finish(loop)
    task:wait()
  end))

  it("comes by a time-out or a lost race [X34]", with_loop(function(_, loop)
    aw.run(loop.wire:timeout(0.001) // aw.Value())
    aw.run(loop.wire | aw.Sleep(0.001))
    finish(loop)
    loop.wire()
  end))

  it("leaves the descriptor to be closed at once [X34]",
    helper.sealed(function()
      for _ = 1, 3 do
        local loop = pipe_loop()
        aw.run(loop.wire | aw.Sleep(0.001))
        loop.close()
      end
    end))

  it("comes with the loop of a collected task", helper.sealed(function()
    local loop = pipe_loop()
    do
      local ev = aw.EventLoop()
      ev:start(loop.wire)
      ev:start(function()
        aw.sleep(0.001)
        ev:stop()
      end)
      ev:run()
    end
    collectgarbage()
    loop.close()
  end))

  it("is the error of a step [X35]", helper.sealed(function()
    local failure = { "my error" }
    aw.run(function()
      local ok, err = aw.pcall(aw.Drive { timeout = 0, step = function()
        error(failure)
      end })
      assert.is_false(ok)
      assert.equal(failure, err)
    end)
  end))

  it("is the error of a second run of the same loop [X34]",
    with_loop(function(ev, loop)
      local first = ev:start(loop.wire)
      aw.sleep(0)
      local ok, err = aw.pcall(loop.wire)
      assert.is_false(ok)
      assert.equal(("Drive runs already, in task %d"):format(first.id), err)
      first:cancel()
    end))

  it("is an error of what it waits for [X33]", helper.sealed(function()
    local function refused(options)
      options.step = options.step or helper.nop
      local text
      aw.run(aw.Drive(options):catch(function(err)
        text = tostring(err):match "^[^\n]*"
      end))
      return text
    end
    local function give(value)
      return function()
        return value
      end
    end
    assert.equal("fd of Drive must be a descriptor or nil, got -1",
      refused { fd = give(-1) })
    assert.equal("fd of Drive must be a descriptor or nil, got 4294967296",
      refused { fd = give(1 << 32) })
    assert.equal("fd of Drive must be a descriptor or nil, got x",
      refused { fd = give "x" })
    assert.equal("events of Drive must be 'r', 'w' or 'rw', got q",
      refused { fd = 0, events = give "q" })
    assert.equal("timeout of Drive must be a number or nil, got {}",
      (refused { timeout = give {} }:gsub("got table.*", "got {}")))
    assert.matches("bad file descriptor", refused { fd = 1000000 })
  end))
end)

describe("aw.Drive", function()
  local function refused(pattern, options)
    local ok, err = pcall(aw.Drive, options)
    assert.is_false(ok)
    assert.matches(pattern, err, 1, true)
  end

  it("refuses options that do not fit", function()
    local step = helper.nop
    refused("table expected, got nil", nil)
    refused("unknown option 'stop'", { stop = step })
    refused("bad option 'step' (function expected, got nil)",
      { fd = 0 })
    refused("fd or timeout expected", { step = step })
    refused("bad option 'fd' (descriptor or function expected",
      { fd = -1, step = step })
    refused("bad option 'fd'", { fd = 1.5, step = step })
    refused("bad option 'fd'", { fd = 1 << 32, step = step })
    refused("bad option 'events'", { fd = 0, events = "x", step = step })
    refused("bad option 'timeout'", { timeout = -1, step = step })
    refused("bad option 'timeout'", { timeout = "1", step = step })
  end)
end)
