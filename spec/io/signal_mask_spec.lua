-- aw.signal in a program that was started with blocked signals [H5]. aw.signal
-- unblocks a signal while it watches that signal, and unblocks no other.

local process = require "spec.support.process"

-- Functions for scripts: blocked() returns the blocked signals of this thread
-- as a bit mask.
local prelude = process.prelude .. [[
local fork = require "spec_fork"
local function blocked()
  local file <close> = io.open "/proc/thread-self/status"
  return tonumber(file:read "a":match "SigBlk:%s*(%x+)", 16)
end
local function bit(number)
  return 1 << number - 1
end
]]

local function each(state, code)
  process.each(state, prelude .. code, function(outcome, interpreter)
    assert.are.equal("ok\n", outcome.out, interpreter .. ": " .. outcome.err)
    assert.are.equal(0, outcome.code)
  end)
end

local STATE <const> = "block=1 block=2 block=10 block=12 block=15"

describe("a signal that is blocked", function()
  it("can be waited for [H5]", function()
    each(STATE, [[
      aw.run(function()
        for name, number in pairs { USR1 = 10, INT = 2, TERM = 15, HUP = 1 } do
          local told = aw.start(aw.Signal(name))
          aw.yield()
          fork.kill(number)
          told:wait()
        end
      end)
      say "ok"
    ]])
  end)

  it("counts if it came before the wait [H5]", function()
    each(STATE, [[
      aw.run(function()
        fork.kill(10)
        aw.signal "USR1"
      end)
      say "ok"
    ]])
  end)

  it("is unblocked until the loop ends, and no other signal is [H5]", function()
    each(STATE, [[
      local before = blocked()
      local ev = aw.EventLoop()
      ev:start(function()
        assert(blocked() == before)
        aw.pcall(aw.timeout, 0.001, aw.signal, "USR1")
        assert(blocked() == before & ~bit(10))
        aw.pcall(aw.timeout, 0.001, aw.signal, "USR1")
        aw.pcall(aw.timeout, 0.001, aw.signal, "INT")
        aw.pcall(aw.timeout, 0.001, aw.signal, "WINCH")
        assert(blocked() == before & ~bit(10) & ~bit(2))
      end)
      if aw.current() then
        aw.await(function() ev:run() end)
      else
        ev:run()
      end
      assert(blocked() == before)
      say "ok"
    ]])
  end)

  it("is blocked again, no matter how the loop ends [H5]", function()
    each(STATE, [[
      local before = blocked()
      for _, how in ipairs {
        function(ev) ev:start(function() error "x" end) end,
        function(ev) ev:start(function() ev:stop() end) end,
        function(ev) ev:start(function() aw.sleep(0.001) ev:stop() end) end,
        function(ev) ev:start(aw.Sleep(9)) return 0.001 end,
      } do
        local ev = aw.EventLoop { signals = false }
        ev:start(aw.Signal "USR2", nil, { background = true })
        ev:start(function()
          aw.pcall(aw.timeout, 0, aw.signal, "USR1")
          assert(blocked() & bit(10) == 0)
        end)
        local seconds = how(ev)
        pcall(ev.run, ev, seconds)
        assert(blocked() == before)
        ev:close()
      end
      say "ok"
    ]])
  end)

  it("is pending again after the loop [H5]", function()
    each("block=10", [[
      local ev = aw.EventLoop { clock = "virtual" }
      ev:start(function()
        aw.pcall(aw.timeout, 0, aw.signal, "USR1")
      end)
      ev:run()
      fork.kill(10) -- kills if not blocked
      say "ok"
    ]])
  end)

  it("is not blocked for a child [UV9]", function()
    each(STATE, [[
      aw.run(function()
        local p <close> = aw.spawn { "sleep", "30" }
        p:kill "USR1"
        assert(p:wait().signal == 10)
      end)
      say "ok"
    ]])
  end)
end)
