-- Facts that need the real clock. Times have lower bounds only, since a busy
-- machine delays everything.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local pipes = require "spec.support.pipes"
local process = require "spec.support.process"
local texts = require "spec.support.texts"

local sealed, recorder, busy = helper.sealed, helper.recorder, helper.busy
local contains = texts.contains

local function real(opts)
  opts = opts or {}
  opts.signals = false
  return aw.EventLoop(opts)
end

describe("a sleep in real time", function()
  it("is never over early [K1]", sealed(function()
    local ev = real()
    local early = {}
    for _, s in ipairs { 0.0001, 0.001, 0.0123, 0.02, 0.05 } do
      ev:start(function()
        local start = ev:now()
        aw.sleep(s)
        local slept = ev:now() - start
        if slept < s then
          early[#early + 1] = ("%.17g < %.17g"):format(slept, s)
        end
      end)
    end
    assert.are.equal("done", ev:run())
    assert.are.same({}, early)
  end))

  it("never ends if it is math.huge [K3]", sealed(function()
    local ev = real { timeout = 0.02 }
    ev:start(aw.Sleep(math.huge))
    ev:start(aw.Sleep(2 ^ 63))
    ev:start(aw.Sleep(1e300))
    assert.are.equal("timeout", ev:run())
  end))

  it("lets a shorter one end first [K1]", sealed(function()
    local log, say = recorder()
    local ev = real()
    ev:start(aw.Sleep(0.03) >> aw.Call(say, "late"))
    ev:start(aw.Sleep(0.01) >> aw.Call(say, "early"))
    ev:run()
    assert.are.same({ "early", "late" }, log)
  end))

  it("keeps the order of deadlines that are overdue together [K2]",
    sealed(function()
      local log, say = recorder()
      local ev = real()
      for _, s in ipairs { 0.03, 0.01, 0.02 } do
        ev:start(aw.Sleep(s) >> aw.Call(say, s))
      end
      ev:start(function()
        busy(0.06)
        say "busy"
      end)
      ev:run()
      assert.are.same({ "busy", 0.01, 0.02, 0.03 }, log)
    end))

  it("that is overdue decides a race by when it was due [K2]",
    sealed(function()
      local got
      aw.run(function()
        local w = (aw.Sleep(0.004) / function()
          return "later"
        end) | (aw.Sleep(0.002) / function()
          return "sooner"
        end)
        got = aw.await(w & aw.Call(busy, 0.02))
      end)
      assert.are.equal("sooner", got)
    end))

  it("counts from a fresh look at the clock [K3]", sealed(function()
    local ev = real()
    local slept
    ev:start(function()
      busy(0.1)
      local start = ev:now()
      aw.sleep(0.1)
      slept = ev:now() - start
    end)
    ev:run()
    assert.is_true(slept >= 0.1, tostring(slept))
  end))

  it("until a time ends no earlier [K1]", sealed(function()
    local ev = real()
    local at, woken
    ev:start(function()
      at = ev:now() + 0.02
      aw.sleep_until(at)
      woken = ev:now()
    end)
    ev:run()
    assert.is_true(woken >= at)
  end))
end)

describe("a time-out in real time", function()
  it("that is overdue together with a sleep aborts it [K2]",
    sealed(function()
      local log, say = recorder()
      local ev = real()
      local ok, err
      ev:start(function()
        ok, err = pcall(aw.timeout, 0.02, function()
          aw.sleep(0.04)
          say "slept"
        end)
      end)
      ev:start(aw.Call(busy, 0.08))
      assert.are.equal("done", ev:run())
      assert.is_false(ok)
      assert.is_true(aw.is_timeout(err))
      assert.are.same({}, log)
    end))

  it("does not abort a sleep that was due before it [K2]",
    sealed(function()
      local log, say = recorder()
      local ev = real()
      ev:start(function()
        pcall(aw.timeout, 0.04, function()
          aw.sleep(0.02)
          say "slept"
        end)
      end)
      ev:start(aw.Call(busy, 0.08))
      assert.are.equal("done", ev:run())
      assert.are.same({ "slept" }, log)
    end))

  it("that was due first is reported, though another is overdue [K2, O8]",
    sealed(function()
      local err
      aw.run(function()
        local w = (aw.Sleep(1):timeout(0.002):catch(function(e)
          err = e
          aw.await(aw.Value())
        end)):timeout(60)
        aw.await(w & aw.Call(busy, 0.02))
      end)
      assert.is_true(aw.is_timeout(err), tostring(err))
      assert.are.equal(0.002, err.after)
    end))

  it("of a loop is not held up by tasks that are always ready [F2]",
    sealed(function()
      local ev = real { timeout = 0.02 }
      ev:start(aw.Forever(aw.Call(aw.yield)))
      ev:start(function()
        while true do
          aw.yield()
        end
      end)
      ev:start(function()
        local function again()
          return again
        end
        return again
      end)
      assert.are.equal("timeout", ev:run())
      assert.is_true(ev:now() > 0)
    end))
end)

describe("the real clock", function()
  it("never goes backwards [L5]", sealed(function()
    local ev = real()
    local last, backwards = ev:now(), false
    ev:start(function()
      for _ = 1, 1000 do
        local now = ev:now()
        backwards = backwards or now < last
        last = now
      end
      aw.sleep(0.001)
      backwards = backwards or ev:now() < last
    end)
    ev:run()
    assert.is_false(backwards)
  end))

  it("goes on while a body sleeps [L5]", sealed(function()
    local ev = real()
    local before, after
    ev:start(function()
      before = aw.now()
      aw.sleep(0.01)
      after = aw.now()
    end)
    ev:run()
    assert.is_true(after - before >= 0.01)
  end))
end)

describe("a sleeper among tasks that are always ready", function()
  it("is woken [F2]", sealed(function()
    local ev = real()
    local woken, rounds = false, 0
    ev:start(function()
      aw.sleep(0.01)
      woken = true
    end)
    ev:start(function()
      while not woken do
        rounds = rounds + 1
        aw.yield()
      end
    end)
    assert.are.equal("done", ev:run())
    assert.is_true(woken)
    assert.is_true(rounds > 0)
  end))
end)

describe("a wait for a descriptor among tasks that are always ready", function()
  it("ends all the same [F2]", function()
    pipes.with_pipe(function(fd, _, writer)
      local seen = false
      local ev = real { timeout = 10 }
      ev:start(function()
        aw.readable(fd)
        seen = true
      end)
      ev:start(function()
        for _ = 1, 1000 do
          aw.yield()
        end
        writer:write "x"
        while not seen do
          aw.yield()
        end
      end)
      assert.are.equal("done", ev:run())
    end)
  end)
end)

describe("a deadlock in real time", function()
  it("is raised though the loop holds signals [L4]", sealed(function()
    local ev = aw.EventLoop {}
    ev:start(aw.Never)
    local ok, err = pcall(ev.run, ev)
    assert.is_false(ok)
    contains(tostring(err):lower(), "deadlock")
  end))

  it("is raised though a descriptor was waited for before [L4]", function()
    pipes.with_pipe(function(fd, _, writer)
      helper.raises("Deadlock", aw.test, { limit = 10 }, function(ev)
        ev:start(aw.Call(writer.write, writer, "x"))
        aw.await(aw.Readable(fd) >> aw.Never)
      end)
    end)
  end)

  it("is not raised while a task sleeps [L4]", sealed(function()
    local ev = real()
    local idler = ev:start(aw.Never)
    ev:start(aw.Sleep(0.01) >> aw.Call(idler.cancel, idler))
    assert.are.equal("done", ev:run())
  end))
end)

describe("a step that holds the engine", function()
  local function run_busy(warnings)
    return process.host(warnings .. [[
local aw = require "aiowire"
aw.run(function()
  aw.sleep(0.001)
  local start = os.clock()
  while os.clock() - start < 0.15 do end
  aw.sleep(0.001)
end)
]])
  end

  it("is reported as a warning [F4]", function()
    local outcome = run_busy 'warn "@on" '
    contains(outcome.reports, "nothing else could run")
    assert.are.equal(0, outcome.code)
  end)

  it("is not reported when warnings are off [F4]", function()
    local outcome = run_busy ""
    assert.are.equal("", outcome.err .. outcome.reports)
  end)
end)

describe("a crowd of sleepers", function()
  it("is woken though some are due while the engine goes to rest [K1]",
    function()
      local left = helper.scale(50000)
      local ev <close> = aw.EventLoop { timeout = 20 }
      local function wake()
        left = left - 1
      end
      for i = 1, left do
        ev:start(aw.Sleep(0.1 + i * 7919 % 1000 / 3000) >> aw.Call(wake))
      end
      assert.are.equal("done", ev:run())
      assert.are.equal(0, left)
    end)
end)
