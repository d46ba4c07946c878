-- What reviews and stress runs found broken: each was seen to fail first.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local process = require "spec.support.process"
local texts = require "spec.support.texts"

local virtual = helper.virtual
local sealed = helper.sealed
local contains = texts.contains

describe("a task that outlives many time-outs", function()
  it("is not killed for Cancelled that it ended in time [C9]",
    sealed(function()
      local ev = virtual()
      local count = 0
      local task = ev:start(function()
        for _ = 1, 3000 do
          aw.scope({ timeout = 0.01 }, function()
            aw.sleep(1)
          end)
          count = count + 1
        end
      end)
      assert.are.equal("done", ev:run())
      assert.are.equal(3000, count)
      assert.are.equal("done", task.status)
      assert.are.equal(0, #ev.stuck)
    end))
end)

describe("a scope that a generator leaves open", function()
  --- A generator that stands in a scope of the running task.
  local function generator()
    local step = aw.wrap(function()
      aw.scope(function()
        coroutine.yield()
      end)
    end)
    step()
    return step
  end

  it("is not left in the wrong order [S2]", sealed(function()
    local ok, err = pcall(aw.run, function()
      local step = generator()
      aw.scope(function()
        step()
      end)
    end)
    assert.is_false(ok)
    contains(err, "a scope must be left")
  end))

  it("does no harm when the generator is dropped [S2]", sealed(function()
    local ev = virtual()
    local task = ev:start(function()
      local step = generator() -- luacheck: ignore
      step = nil
      collectgarbage()
      aw.sleep(1)
    end)
    assert.are.equal("done", ev:run())
    assert.are.equal("done", task.status)
  end))
end)

describe("a scope whose function does not wait", function()
  it("lets the time-out of its loop come in time [F3]", sealed(function()
    local ev = aw.EventLoop { timeout = 0.05, signals = false }
    ev:start(function()
      while true do
        aw.scope(function() end)
      end
    end)
    assert.are.equal("timeout", ev:run())
  end))
end)

describe("a handler", function()
  it("that raises nil ends the loop with <nil error> [E1]", sealed(function()
    local ev = virtual()
    ev:start(function()
      error "first"
    end, function()
      error(nil)
    end)
    local ok, err = pcall(ev.run, ev)
    assert.is_false(ok)
    assert.are.equal("<nil error>", err)
  end))

  it("cannot run a loop of its own either [E7]", sealed(function()
    local ev = virtual()
    local refused
    ev:start(function()
      error "first"
    end, function()
      local other = virtual()
      refused = not pcall(other.run, other)
      other:close()
    end)
    assert.are.equal("done", ev:run())
    assert.is_true(refused)
  end))

  it("that never ends is interrupted by SIGINT [C9]", function()
    local outcome = process.host [[
local aw = require "aiowire"
aw.start(function() error "first" end, function()
  os.execute("(sleep 0.2; kill -INT " .. io.open("/proc/self/stat"):read "n"
    .. ") &")
  while true do end
end)
aw.sleep(5)
]]
    assert.are.equal(2, outcome.signal)
  end)
end)

describe("a task that has ended", function()
  it("goes by the place of its start, if it had no name [D1]", function()
    aw.test(function(ev)
      local task = ev:start(aw.Sleep(0.1) >> aw.Sleep(0.1))
      assert.are.equal("Sleep(0.1) >> Sleep(0.1)", task.name)
      task:wait()
      assert.is_truthy(task.name:find "^wire@.*regress_spec%.lua:%d+$")
    end)
  end)

  it("keeps the name of its function [D1]", sealed(function()
    local ev = virtual()
    local task = ev:start(function() end)
    local name = task.name
    ev:run()
    assert.is_truthy(name:find "^function@")
    assert.are.equal(name, task.name)
  end))
end)

describe("a task of a loop that does not run", function()
  it("is closed inside another loop's task [S7]", sealed(function()
    local ev = virtual()
    local status
    ev:start(function()
      local idle = aw.EventLoop()
      local task
      do
        local t <close> = idle:start(function()
          aw.sleep(100)
        end)
        task = t
      end
      status = task.status
      idle:close()
    end)
    assert.are.equal("done", ev:run())
    assert.are.equal("cancelled", status)
  end))
end)

describe("bad options", function()
  it("are refused by start, by name [T2]", sealed(function()
    local ev = virtual()
    helper.raises("unknown option 'nmae', did you mean 'name'?", function()
      ev:start(function() end, nil, { nmae = "x" })
    end)
    ev:close()
  end))

  it("are refused by aw.run at the caller's line, once [L1]", function()
    local ok, err = pcall(aw.run, function() end, { x = 1 })
    assert.is_false(ok)
    assert.is_truthy(err:find("^[^:]*regress_spec%.lua:%d+: bad argument #2 to "
      .. "'run' %(unknown option 'x'%)$"), err)
  end)
end)

describe("aw.run", function()
  it("raises TaskCancelled if its task was cancelled alone [T5]", sealed(
    function()
      local ok, err = pcall(aw.run, function()
        aw.current():cancel()
        aw.sleep(1)
      end)
      assert.is_false(ok)
      assert.is_true(aw.is_task_cancelled(err), tostring(err))
    end))

  it("gives nothing if the loop was stopped [L1]", sealed(function()
    assert.are.equal(0, select("#", aw.run(function(ev)
      ev:stop()
      aw.sleep(1)
    end)))
  end))
end)

describe("SIGQUIT in the program", function()
  it("prints the dump and goes on [D2]", function()
    local outcome = process.host [[
local aw = require "aiowire"
aw.start(aw.Sleep(0.5), nil, { name = "the sleeper" })
os.execute("(sleep 0.1; kill -QUIT "
  .. io.open("/proc/self/stat"):read "n" .. ") &")
aw.sleep(0.3)
print "goes on"
]]
    contains(outcome.err, "the sleeper")
    contains(outcome.out, "goes on")
    assert.are.equal(0, outcome.code)
  end)
end)

describe("SIGHUP in the program", function()
  local script = [[
local aw = require "aiowire"
local _ <close> = setmetatable({}, { __close = function()
  print "clean"
end })
os.execute("kill -HUP " .. io.open("/proc/self/stat"):read "n")
aw.sleep(0.2)
print "goes on"
]]

  it("ends it after its clean-up, by the signal: the terminal is closed [L2]",
    function()
      local outcome = process.host(script)
      assert.are.equal("clean\n", outcome.out, outcome.err)
      assert.are.equal(1, outcome.signal)
    end)

  it("stays ignored where it is, as by nohup [L2]", function()
    local outcome = process.run("trap '' HUP; exec $aiowire s.lua",
      { ["s.lua"] = script })
    assert.are.equal("goes on\nclean\n", outcome.out, outcome.err)
    assert.are.equal(0, outcome.code)
  end)
end)

describe("what an Any does with errors of clean-up", function()
  --- What `w` fails with, and how many errors it suppressed.
  local function failure_of(w)
    local ev = virtual()
    local error_of, suppressed
    ev:start(w, function(_, err, info)
      error_of, suppressed = err, #info.suppressed
    end)
    assert.are.equal("done", ev:run())
    return error_of, suppressed, ev:now()
  end

  local function early()
    aw.sleep(0.5)
    error("early", 0)
  end

  local function unclean(what)
    return aw.Sleep(9):finally(function()
      error(what, 0)
    end)
  end

  it("forgives that of an operand's own time-out [O6]", sealed(function()
    local err, _, ended = failure_of(
      aw.Any { unclean "clean":timeout(1), aw.Sleep(2) })
    assert.is_nil(err)
    assert.are.equal(2, ended)
  end))

  it("takes the last one, cut off from outside, if all have failed [O6]",
    sealed(function()
      local err, suppressed = failure_of(
        aw.Any { early, unclean "clean" }:timeout(1))
      assert.are.equal("clean", err)
      assert.are.equal(1, suppressed)
      assert.are.equal("c2",
        (failure_of(aw.Any { unclean "c1", unclean "c2" }:timeout(1))))
    end))

  it("raises it, cut off from outside, rather than Timeout [E3]",
    sealed(function()
      local err, suppressed = failure_of(
        aw.Any { early, aw.Never, unclean "clean" }:timeout(1))
      assert.are.equal("clean", err)
      assert.are.equal(0, suppressed)
    end))
end)

describe("a shield whose grace ends", function()
  it("does not harden a cancel from inside it [C7, C8]", sealed(function()
    local ev = virtual { grace = 1000000 }
    local ended
    local fails = aw.Sleep(1) >> function()
      error("early", 0)
    end
    local spins = aw.Wire(function()
      return fails
    end)
    local inner = aw.Sleep(100):shielded(1000)
    ev:start((spins >> inner):shielded(10), function(_, err)
      assert.are.equal("early", err)
      ended = ev:now()
    end)
    ev:run()
    assert.are.equal(100, ended)
  end))
end)

describe("a signal that two operands of a race wait for", function()
  it("wakes the left one, and all the other tasks [O5, H5]", function()
    local outcome = process.host([[
local aw = require "aiowire"
local function left() return "left" end
local function right() return "right" end
aw.scope(function(s)
  s:start(function()
    print(aw.await(aw.Signal "HUP" / left | aw.Signal "HUP" / right))
  end)
  s:start(aw.Signal "HUP" >> aw.Call(print, "other"))
  aw.sleep(0.05)
  os.execute("kill -HUP " .. io.open("/proc/self/stat"):read "n")
end)
]])
    assert.are.equal("left\nother\n", outcome.out, outcome.err)
    assert.are.equal(0, outcome.code)
  end)
end)

describe("a scope that is cancelled when its wire has ended", function()
  --- How `w` ends, and when.
  local function outcome_of(w)
    local ev = virtual { grace = 100 }
    local failure
    local task = ev:start(w, function(_, err)
      failure = err
    end)
    ev:run()
    return failure, ev:now(), task:results()
  end

  local function spins(w)
    return aw.Wire(function()
      return w
    end)
  end

  it("was cut short if a child of it was cut, whenever the cancel came [O8]",
    sealed(function()
      local w = spins(aw.Sleep(5)) >> aw.Sleep(4):shielded()
      local err, ended = outcome_of(w:timeout(3))
      assert.is_true(aw.is_timeout(err))
      assert.are.equal(4, ended)
    end))

  it("was not cut short if its children ended by themselves [S3, T7]",
    sealed(function()
      local w = spins(aw.Sleep(5):shielded(50)) >> aw.Value(1)
      local err, ended, result = outcome_of(w:timeout(3))
      assert.is_nil(err)
      assert.are.equal(5, ended)
      assert.are.equal(1, result)
      err, ended, result = outcome_of(aw.Call(aw.scope, { timeout = 3 },
        function(s)
          s:start(aw.Sleep(5):shielded(50))
          return "all"
        end))
      assert.is_nil(err)
      assert.are.equal(5, ended)
      assert.are.equal("all", result)
    end))
end)

describe("an error that was on its way when the race was decided", function()
  local function wins(w)
    local ev = virtual()
    local failure
    local task = ev:start(w, function(_, err)
      failure = err
    end)
    ev:run()
    assert.is_nil(failure)
    assert.are.equal("done", task.status)
  end

  local function fails()
    error("late", 0)
  end

  it("is dropped, though it had to leave a scope first [O5]",
    sealed(function()
      wins(aw.Any { function() aw.scope(fails) end, function() end })
      wins(aw.Any { function() aw.shield(fails) end, function() end })
      wins(aw.Wire(function()
        aw.timeout(1, function() end)
        fails()
      end) | aw.Send(aw.channel(1), "sent"))
    end))

  it("is dropped, though the clean-up after it was cut off [O5]",
    sealed(function()
      local slow = aw.Wire(fails):finally(function()
        aw.sleep(1000)
      end)
      wins(aw.Sleep(10) | slow:timeout(20, { grace = 30 }))
    end))
end)

describe("a signal while a loop with an engine of its own runs in a task",
  function()
    local script = [[
local aw = require "aiowire"
local _ <close> = setmetatable({}, { __close = function()
  print "outer is clean"
end })
for i = 1, 3 do
  local ev = aw.EventLoop { clock = "virtual" }
  ev:start(function()
    if i == 1 then
      os.execute("kill -TERM " .. io.open("/proc/self/stat"):read "n")
    end
    while true do
      aw.yield()
    end
  end)
  print(i, ev:run())
end
print "never"
]]

    it("ends the run around it, too, by the signal [L2, S6]", function()
      local outcome = process.host(script)
      assert.are.equal("1\tstopped\nouter is clean\n", outcome.out,
        outcome.err)
      assert.are.equal(15, outcome.signal)
    end)
  end)

describe("a run of a loop with an engine of its own in a cancelled task",
  function()
    it("is an await: it raises, and runs nothing [C2, S6]", sealed(function()
      local ev = virtual()
      local ran, kept
      local task = ev:start(function()
        aw.pcall(function()
          pcall(aw.sleep, 10)
          local inner = aw.EventLoop { clock = "virtual" }
          inner:start(function()
            ran = true
          end)
          local ok, err = pcall(inner.run, inner)
          inner:close()
          kept = not ok and aw.is_cancelled(err)
        end)
      end)
      ev:start(function()
        aw.sleep(1)
        task:cancel()
      end)
      ev:run()
      assert.is_nil(ran)
      assert.is_true(kept)
    end))
  end)

describe("what a try raises in its clean-up", function()
  it("is raised, by a time-out as by a cancel: it is no failing try [E3, O10]",
    sealed(function()
      local ev = virtual()
      local got
      local unclean = aw.Sleep(9):finally(function()
        error("unclean", 0)
      end)
      ev:start(unclean:retry { times = 2, delay = 1 }:timeout(1),
        function(_, err)
          got = err
        end)
      ev:run()
      assert.are.equal("unclean", got)
    end))
end)

describe("an operand that has ended", function()
  it("still knows where it was started [T6]", sealed(function()
    local ev = virtual()
    local operand, before
    ev:start(aw.Sleep(1) & function()
      operand = aw.current()
      before = operand.started_at
    end)
    ev:run()
    assert.is_truthy(before:find("regress_spec.lua:%d+"), before)
    assert.are.equal(before, operand.started_at)
  end))
end)

describe("clean-up that spins on a virtual clock", function()
  it("ends when the grace of a signal is over, in real time [C9, L2]",
    function()
      local outcome = process.host([[
local aw = require "aiowire"
local function spin()
  return spin
end
local ev = aw.EventLoop { clock = "virtual", grace = 0.05 }
ev:start(aw.Never:finally(function()
  os.execute("kill -TERM " .. io.open("/proc/self/stat"):read "n")
  return aw.Wire(spin)
end):timeout(1))
print(ev:run())
]])
      assert.are.equal("stopped\n", outcome.out, outcome.err)
      assert.are.equal(15, outcome.signal)
    end)
end)

describe("an error of a wire that waited", function()
  it("says what it was about [E4]", sealed(function()
    local ev = virtual()
    local got
    local ch = aw.channel(1, { name = "jobs" })
    ch:close()
    ev:start(aw.Send(ch, 1), function(_, err)
      got = err.message
    end)
    ev:run()
    assert.are.equal("Closed: send of channel jobs", got)
  end))
end)

describe("a join of more wires than a call takes", function()
  it("is refused at the caller's line [O6]", function()
    local never, list = aw.Never, {}
    for i = 1, 500001 do
      list[i] = never
    end
    local err = helper.raises("bad argument #1 to 'All' (too many wires",
      function()
        local _ = aw.All(list)
      end)
    assert.is_truthy(err:find "^[^\n]*regress_spec.lua:%d+:", err)
  end)
end)

describe("a channel that is closed under a race of a send and a receive",
  function()
    local function closes_on(w)
      local ev = virtual()
      local ch = aw.channel()
      local closed
      local task = ev:start(w(ch), function(_, err)
        closed = aw.is_closed(err)
      end)
      ev:start(aw.Sleep(1) >> aw.Call(ch.close, ch))
      ev:run()
      return task.status, closed
    end

    it("ends the one that stands left [O5, H1]", sealed(function()
      local status, closed = closes_on(function(ch)
        return aw.Send(ch, 1) | aw.Recv(ch)
      end)
      assert.are.equal("failed", status)
      assert.is_true(closed)
      status, closed = closes_on(function(ch)
        return aw.Recv(ch) | aw.Send(ch, 1)
      end)
      assert.are.equal("done", status)
      assert.is_nil(closed)
    end))
  end)
