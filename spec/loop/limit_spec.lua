--- Time limits in real time, and limits set in an outer engine. Such limits
--- hold while the running engine blocks on something external or is busy
--- [K6, L2, S6].
---
--- The tasks wait for a pipe to which nobody writes. Without its limit each
--- test would hang, so no test has to measure time.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local pipes = require "spec.support.pipes"
local process = require "spec.support.process"
local texts = require "spec.support.texts"

local contains, lacks = texts.contains, texts.lacks
local with_pipe, recorder = pipes.with_pipe, helper.recorder

--- Returns the error that aw.test raises.
local function failure_of(...)
  local ok, err = pcall(aw.test, ...)
  assert.is_false(ok)
  return err
end

local BLOCKS <const> = {
  ["that waits for a descriptor"] = function(fd)
    aw.readable(fd)
  end,
  ["that waits for a descriptor for at most a virtual second"] = function(fd)
    aw.timeout(1, aw.readable, fd)
  end,
  ["that waits for a descriptor in a wire"] = function(fd)
    aw.await(aw.Readable(fd) | aw.Never)
  end,
  ["that waits for a descriptor in a shield"] = function(fd)
    aw.shield(function()
      aw.readable(fd)
    end, 3600)
  end,
  ["that swallows every cancel"] = function(fd)
    while true do
      pcall(aw.readable, fd)
    end
  end,
  ["whose clean-up waits for a descriptor"] = function(fd)
    local _ <close> = helper.closer(function()
      aw.shield(function()
        aw.readable(fd)
      end, 3600)
    end)
    aw.readable(fd)
  end,
  ["whose child waits for a descriptor"] = function(fd)
    aw.scope(function(s)
      s:start(aw.Readable(fd))
    end)
  end,
  ["that runs a loop of its own clock"] = function(fd)
    local ev <close> = aw.EventLoop { clock = "virtual", signals = false }
    ev:start(aw.Readable(fd))
    ev:run()
  end,
  ["that runs such a loop again and again"] = function()
    while true do
      local ev <close> = aw.EventLoop { clock = "virtual", signals = false }
      ev:start(aw.Sleep(1))
      ev:run()
    end
  end,
  ["that runs a loop which is never idle"] = function()
    local ev <close> = aw.EventLoop { clock = "virtual", signals = false }
    ev:start(aw.Forever(aw.Sleep(1)))
    ev:run()
  end,
  ["that runs loops in loops"] = function(fd)
    aw.run(function()
      aw.run(aw.Readable(fd), { clock = "real", signals = false })
    end, { clock = "virtual", signals = false })
  end,
  ["that runs a longer test"] = function(fd)
    aw.test({ limit = 3600 }, function()
      aw.readable(fd)
    end)
  end,
}

for what, body in pairs(BLOCKS) do
  describe("a test " .. what, function()
    it("ends when its limit of real time is over [K6]", function()
      with_pipe(function(fd)
        local err = failure_of({ limit = 0.05 }, function()
          body(fd)
        end)
        contains(err, "test took longer than 0.05 s")
        contains(err, "EventLoop 'test'")
      end)
    end)
  end)
end

describe("the limit of a test", function()
  it("limits only that test and those inside it [K6]", function()
    with_pipe(function(fd)
      aw.test({ limit = 60 }, function()
        local err = failure_of({ limit = 0.05 }, function()
          aw.readable(fd)
        end)
        contains(err, "test took longer than 0.05 s")
        aw.sleep(1) -- the outer test goes on
      end)
    end)
  end)

  it("may be infinite [K6]", function()
    assert.are.equal(1, aw.test({ limit = math.huge }, function()
      aw.sleep(1)
      return 1
    end))
  end)

  it("does not cut off a wait that ends in time [K6]", function()
    with_pipe(function(fd, _, writer)
      assert.are.equal("got it", aw.test({ limit = 60 }, function()
        writer:write "x"
        aw.readable(fd)
        return "got it"
      end))
    end)
  end)
end)

--- Run `f` in a task on a real clock, and check that nothing is left.
local function on_real_clock(f)
  helper.leak_checked(function()
    aw.run(f, { clock = "real", signals = false })
  end)
end

describe("a time-out around the run of another engine", function()
  for _, clock in ipairs { "virtual", "real" } do
    it(("stops it while it blocks, on a %s clock [S6, S7]"):format(clock),
      function()
        local log, note = recorder()
        with_pipe(function(fd)
          on_real_clock(function()
            local ok, err = pcall(aw.timeout, 0.02, function()
              local ev <close> = aw.EventLoop { clock = clock,
                signals = false }
              ev:start(aw.Readable(fd):finally(function()
                note "clean-up"
              end))
              ev:run()
              note "not reached"
            end)
            assert.is_false(ok)
            assert.is_true(aw.is_timeout(err))
          end)
        end)
        assert.are.same({ "clean-up" }, log)
      end)
  end

  it("stops it while it is busy [S6, S7]", function()
    on_real_clock(function()
      local ok, err = pcall(aw.timeout, 0.02, function()
        aw.run(aw.Forever(aw.Sleep(1)), { clock = "virtual",
          signals = false })
      end)
      assert.is_false(ok)
      assert.is_true(aw.is_timeout(err))
    end)
  end)

  it("ends the loop around it as well [L2]", function()
    with_pipe(function(fd)
      helper.leak_checked(function()
        local ev <close> = aw.EventLoop { clock = "real", timeout = 0.02,
          signals = false }
        ev:start(function()
          aw.run(aw.Readable(fd), { clock = "virtual", signals = false })
        end)
        assert.are.equal("timeout", ev:run())
      end)
    end)
  end)

  it("takes the grace of its clean-up when its own is over [C8]", function()
    with_pipe(function(fd)
      helper.leak_checked(function()
        local ev <close> = aw.EventLoop { clock = "real", timeout = 0.02,
          grace = 0.02, signals = false }
        ev:start(function()
          aw.run(aw.Readable(fd):shielded(3600), { clock = "virtual",
            signals = false })
        end)
        assert.are.equal("timeout", ev:run())
      end)
    end)
  end)
end)

--- Code of scripts: opens a descriptor that never becomes ready.
local SILENT <const> = [[
local silent_path = os.tmpname()
os.remove(silent_path)
os.execute("mkfifo " .. silent_path)
local r = io.open(silent_path, "r+")
os.remove(silent_path)
]]

describe("a signal", function()
  it("ends the run of another engine that blocks [L2]", function()
    local outcome = process.run("exec $aiowire s.lua", {
      ["s.lua"] = process.prelude .. SILENT .. [[
        local _ <close> = sweeper "main"
        signal_me("INT", 0.1)
        aw.run(aw.Readable(r):finally(function()
          say "inner"
        end), { clock = "virtual" })
        aw.yield()
        say "not reached"
      ]] })
    contains(outcome.out, "inner\nmain\n")
    lacks(outcome.out, "not reached")
    process.assert_died_by(2, outcome)
  end)

  it("takes the grace of a virtual clock in real time [L2, C8]", function()
    local outcome = process.run("exec $aiowire s.lua", {
      ["s.lua"] = process.prelude .. SILENT .. [[
        signal_me("INT", 0.1)
        aw.run(aw.Readable(r):shielded(3600), { clock = "virtual",
          grace = 0.1 })
        aw.yield()
        say "not reached"
      ]] })
    lacks(outcome.out, "not reached")
    process.assert_died_by(2, outcome)
  end)

  it("ends the run around that of another engine, too [L2, S6]", function()
    local outcome = process.host [[
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
    assert.are.equal("1\tstopped\nouter is clean\n", outcome.out, outcome.err)
    assert.are.equal(15, outcome.signal)
  end)

  it("ends clean-up that spins when the grace is over [C9, L2]",
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
