-- SIGINT and SIGTERM while a script under a stock lua5.4 runs a loop [L2].
-- host_signals_spec.lua has signals to the program `aiowire`.

local process = require "spec.support.process"
local texts = require "spec.support.texts"

local stock = process.under_stock
local contains, lacks = texts.contains, texts.lacks

local function run(script, ...)
  return process.stock(process.prelude .. script:format(...))
end

for name, number in pairs { INT = 2, TERM = 15 } do
  describe("SIG" .. name .. " under lua5.4", function()
    it("is raised after clean-up while the loop sleeps [L2]",
      stock(function()
        local outcome = run([[
local ev = aw.EventLoop {}
ev:start(function()
  local _ <close> = sweeper "clean"
  aw.sleep(30)
  say "never"
end)
signal_me("%s", 0.1)
local ok, err = pcall(ev.run, ev)
say(tostring(ok), tostring(err))
]], name)
        assert.are.equal(0, outcome.code)
        assert.is_truthy(
          outcome.out:find "^clean\nfalse [^\n]*interrupted!", outcome.out
        )
        lacks(outcome.out, "never")
      end))

    it("is raised after clean-up while a task runs [L2]",
      stock(function()
        local outcome = run([[
local ok, err = pcall(aw.run, function()
  local _ <close> = sweeper "clean"
  signal_me "%s"
  aw.sleep(30)
  say "never"
end)
say(tostring(ok), tostring(err))
]], name)
        assert.is_truthy(
          outcome.out:find "^clean\nfalse [^\n]*interrupted!", outcome.out
        )
        lacks(outcome.out, "never")
      end))

    it("is raised after clean-up while tasks are always ready [L2]",
      stock(function()
        local outcome = run([[
local ev = aw.EventLoop {}
ev:start(aw.Forever(aw.Call(aw.yield)))
signal_me("%s", 0.1)
say(tostring(pcall(ev.run, ev)))
]], name)
        assert.are.equal("false\n", outcome.out)
      end))

    it("ends a script that does not catch it [L2]", stock(function()
      local outcome = run([[
signal_me("%s", 0.1)
aw.run(aw.Sleep(30))
say "never"
]], name)
      assert.are.equal(1, outcome.code)
      assert.are.equal("", outcome.out)
      contains(outcome.err, "interrupted!")
    end))

    it("calls no handler [L2]", stock(function()
      local outcome = run([[
local ev = aw.EventLoop {}
ev:start(aw.Sleep(30), function()
  say "handler"
end)
signal_me("%s", 0.1)
say(tostring(pcall(ev.run, ev)))
]], name)
      assert.are.equal("false\n", outcome.out)
    end))

    it("ends the loop [S7]", stock(function()
      local outcome = run([[
local ev = aw.EventLoop {}
ev:start(aw.Sleep(30))
signal_me("%s", 0.1)
pcall(ev.run, ev)
say(select(2, pcall(ev.start, ev, aw.Sleep(1))))
]], name)
      contains(outcome.out, "this EventLoop has ended")
    end))

    it("lets a running clean-up end [L2]", stock(function()
      local outcome = run([[
local ev = aw.EventLoop { timeout = 0.05 }
ev:start(function()
  local _ <close> = sweeper("clean", 0.4)
  aw.sleep(30)
end)
signal_me("%s", 0.15)
pcall(ev.run, ev)
say "end"
]], name)
      assert.are.equal("clean\nend\n", outcome.out)
    end))

    it("does not wait for clean-up when it comes again [L2]", stock(function()
      local outcome = run([[
local ev = aw.EventLoop { grace = 60 }
ev:start(function()
  local _ <close> = sweeper("never", 9)
  aw.sleep(30)
end)
signal_me("%s", 0.1)
signal_me("%s", 0.5)
ev:run()
say "never"
]], name, name)
      assert.are_not.equal(124, outcome.code)
      assert.are_not.equal(0, outcome.code)
      lacks(outcome.out, "never")
    end))

    it("is raised by the outermost run after an inner run has ended [L2]",
      stock(function()
        local outcome = run([[
local ok = pcall(aw.run, function()
  local _ <close> = sweeper "clean"
  local inner = aw.EventLoop {}
  inner:start(aw.Sleep(0.001))
  say(inner:run())
  signal_me "%s"
  aw.sleep(30)
  say "never"
end)
say(tostring(ok))
]], name)
        assert.are.equal("done\nclean\nfalse\n", outcome.out)
      end))

    it("ends both loops with clean-up during an inner run [L2]",
      stock(function()
        local outcome = run([[
local ok = pcall(aw.run, function()
  local _ <close> = sweeper "outer"
  local inner = aw.EventLoop {}
  inner:start(function()
    local _ <close> = sweeper "inner"
    aw.sleep(30)
  end)
  signal_me("%s", 0.1)
  inner:run()
  say "never"
end)
say(tostring(ok))
]], name)
        assert.are.equal("inner\nouter\nfalse\n", outcome.out)
      end))

    it("is raised by a second run, too [L2]", stock(function()
      local outcome = run([[
aw.run(aw.Sleep(0.001))
signal_me("%s", 0.1)
say(tostring(pcall(aw.run, aw.Sleep(30))))
]], name)
      assert.are.equal("false\n", outcome.out)
    end))

    if name == "TERM" then
      it("kills at once before and after the run [L2]",
        stock(function()
          local before = run [[
local ev = aw.EventLoop {}
ev:start(aw.Sleep(1))
say "before"
signal_me "TERM"
say "never"
]]
          assert.are.equal("before\n", before.out)
          assert.are.equal(number, before.signal)
          for _, ending in ipairs {
            "aw.run(aw.Sleep(0.001))",
            "aw.EventLoop(0.01):run()",
            "aw.run(aw.Sleep(30), { timeout = 0.01 })",
            "aw.run(function() error 'x' end)",
            "aw.run(aw.Never)",
          } do
            local after = run([[
pcall(function() %s end)
say "after"
signal_me "TERM"
say "never"
]], ending)
            assert.are.equal("after\n", after.out)
            assert.are.equal(number, after.signal)
          end
        end))

      it("is ignored after the run if it was before [L2]",
        stock(function()
          local outcome = process.run("trap '' TERM; exec $lua s.lua", {
            ["s.lua"] = process.prelude .. [[
aw.run(aw.Sleep(0.001))
signal_me "TERM"
say "alive"
]],
          })
          assert.are.equal("alive\n", outcome.out)
          assert.are.equal(0, outcome.code)
        end))

      it("kills at once if the loop leaves signals alone [L2]",
        stock(function()
          local outcome = run [[
signal_me("TERM", 0.1)
aw.run(function()
  local _ <close> = sweeper "never"
  aw.sleep(30)
end, { signals = false })
]]
          assert.are.equal(number, outcome.signal)
          assert.are.equal("", outcome.out)
        end))
    else
      it("is handled by lua5.4 again after the run [L2]",
        stock(function()
          local outcome = run [[
aw.run(aw.Sleep(0.001))
signal_me "INT"
local start = os.clock()
while os.clock() - start < 5 do end
say "never"
]]
          assert.are.equal("", outcome.out)
          assert.are.equal(1, outcome.code)
          contains(outcome.err, "interrupted!")
        end))
    end
  end)
end

describe("a loop under lua5.4 that gets no signal", function()
  it("raises no error [L2]", stock(function()
    local outcome = run [[
local ev = aw.EventLoop {}
ev:start(aw.Sleep(0.01))
say(ev:run())
]]
    assert.are.equal("done\n", outcome.out)
    assert.are.equal(0, outcome.code)
  end))
end)

describe("two signals of different kinds", function()
  it("count as a first and a second one [L2]", stock(function()
    local outcome = run [[
local ev = aw.EventLoop { grace = 60 }
ev:start(function()
  local _ <close> = sweeper("never", 9)
  aw.sleep(30)
end)
signal_me("TERM", 0.1)
signal_me("INT", 0.5)
ev:run()
say "never"
]]
    assert.are_not.equal(124, outcome.code)
    assert.are_not.equal(0, outcome.code)
    lacks(outcome.out, "never")
  end))
end)
