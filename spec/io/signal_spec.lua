-- Waiting for signals: aw.signal and aw.Signal [H5, L2].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local process = require "spec.support.process"

local raises = helper.raises

-- Send a signal to this process from a child.
local function kill(name)
  io.popen("kill -" .. name .. " $PPID"):close()
end

local function after(seconds, name)
  return aw.Sleep(seconds) >> aw.Call(kill, name)
end

describe("a wait for a signal", function()
  it("ends when it arrives [H5]", function()
    helper.leak_checked(function()
      local order = {}
      aw.run(function(ev)
        ev:start(after(0.01, "USR1"))
        aw.signal "USR1"
        order[#order + 1] = "signal"
        ev:start(after(0.01, "USR2"))
        aw.await(aw.Signal "SIGUSR2" >> aw.Call(table.insert, order, "wire"))
      end)
      assert.are.same({ "signal", "wire" }, order)
    end)
  end)

  it("wakes the leftmost wire of a race, and other tasks [O5, H5]", function()
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

  it("wakes all waiters, in order [H5]", function()
    helper.leak_checked(function()
      local order = {}
      aw.run(function(ev)
        for i = 1, 3 do
          ev:start(aw.Signal "USR1" >> aw.Call(table.insert, order, i))
        end
        ev:start(after(0.01, "USR1"))
      end)
      assert.are.same({ 1, 2, 3 }, order)
    end)
  end)

  it("takes all arrivals between two waits as one [H5]", function()
    helper.leak_checked(function()
      aw.run(function(ev)
        ev:start(after(0, "USR1"))
        aw.signal "USR1"
        for _ = 1, 3 do
          kill "USR1"
        end
        aw.sleep(0.02)
        aw.signal "USR1"
        local err = raises("", aw.timeout, 0.02, aw.signal, "USR1")
        assert.is_true(aw.is_timeout(err))
      end)
    end)
  end)

  it("can be cancelled [C10]", function()
    local how = helper.run_loop(function(ev)
      ev:start(aw.Signal "HUP")
      ev:start(aw.Signal "HUP")
    end, { timeout = 0.01 })
    assert.are.equal("timeout", how)
  end)

  it("has a text and a label [V8, D1]", function()
    assert.are.equal("Signal(HUP)", tostring(aw.Signal "SIGHUP"))
    aw.run(function(ev)
      local task = ev:start(aw.Signal "HUP")
      aw.yield()
      assert.are.equal("signal HUP", task.waiting)
      task:cancel()
    end)
  end)

  it("refuses unknown and uncatchable signals [H5]", function()
    for _, name in ipairs { "KILL", "STOP", "SEGV", "nonsense", "" } do
      raises("no signal '" .. name .. "'", aw.Signal, name)
      raises("no signal '" .. name .. "'", aw.signal, name)
    end
    raises("string expected", aw.Signal, nil)
    helper.outside(raises, "cannot await outside a task (aw.signal)",
      aw.signal, "HUP")
  end)
end)

describe("a signal that was awaited", function()
  it("does not stop the run until the loop ends [H5, L2]", function()
    local outcome = process.run("exec $aiowire s.lua", { ["s.lua"] =
      process.prelude .. [[
        local ev = aw.EventLoop()
        ev:start(function()
          local told = aw.start(aw.Signal "INT")
          aw.yield()
          signal_me "INT"
          told:wait()
          say "mine"
          signal_me("INT")
          aw.sleep(0.02)
          say "still alive"
        end)
        say(ev:run())
      ]] })
    assert.are.equal("mine\nstill alive\ndone\n", outcome.out, outcome.err)
    assert.are.equal(0, outcome.code)
  end)

  it("has its former action after the loop [H5]",
    process.under_stock(function()
      local outcome = process.run("exec $lua s.lua", { ["s.lua"] =
        process.prelude .. [[
          aw.run(function(ev)
            ev:start(function() signal_me "USR1" end)
            aw.signal "USR1"
          end)
          say "ended"
          signal_me "USR1" -- kills again
          os.execute "sleep 0.1"
          say "not reached"
        ]] })
      assert.are.equal("ended\n", outcome.out)
      assert.are.equal(10, outcome.signal)
    end))

  it("leaves INT to the run during a wait for another signal [L2]",
    function()
      local outcome = process.run("exec $aiowire s.lua", { ["s.lua"] =
        process.prelude .. [[
          signal_me("INT", 0.05)
          aw.signal "USR1"
        ]] })
      assert.are.equal(2, outcome.signal, outcome.err)
    end)
end)
