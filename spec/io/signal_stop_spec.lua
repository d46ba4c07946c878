-- A program has waited for INT or TERM, does not wait now, and gets the signal
-- [H5, L2]. The first signal is kept; the second one stops the program, as by
-- default.

local process = require "spec.support.process"
local texts = require "spec.support.texts"

local NUMBERS <const> = { INT = 2, TERM = 15 }

-- Functions for scripts: send(name, …) sends signals to this process, and their
-- handlers have run when it returns; begin(wire) starts a task that waits.
local prelude = process.prelude .. [[
local fork = require "spec_fork"
local NUMBERS = { HUP = 1, INT = 2, QUIT = 3, USR1 = 10, TERM = 15 }
local function send(...)
  for _, name in ipairs { ... } do
    fork.kill(NUMBERS[name])
  end
end
local function begin(wire)
  local task = aw.start(wire)
  aw.yield()
  return task
end
]]

--- Run a body under both interpreters. The signal must kill the program; under
--- lua5.4 the run must raise "interrupted!".
local function stopped(number, expected, code, options)
  process.each("", prelude .. ("aw.run(function()\n%s\nend, %s)\n")
    :format(code, options or "{}"), function(outcome, interpreter)
    assert.are.equal(expected, outcome.out, interpreter .. ": " .. outcome.err)
    if interpreter == "lua" then
      assert.are.equal(1, outcome.code)
      texts.contains(outcome.err, "interrupted!")
    else
      process.assert_died_by(number, outcome)
    end
  end)
end

--- Run a body under both interpreters. The program must not be stopped.
local function goes_on(expected, code)
  process.each("", prelude .. ("aw.run(function()\n%s\nend)\n"):format(code),
    function(outcome, interpreter)
      assert.are.equal(expected, outcome.out,
        interpreter .. ": " .. outcome.err)
      assert.are.equal(0, outcome.code)
    end)
end

for name, number in pairs(NUMBERS) do
  describe("SIG" .. name .. " without a waiter", function()
    it("is kept once, and delivered to the next waiter [H5]", function()
      goes_on("first\nsecond\nover\n", ([[
        begin(aw.Signal "%s")
        send "%s"
        aw.signal "%s" -- gets the signal that was kept
        say "first"
        send "%s"
        aw.signal "%s"
        say "second"
        send "%s"
        aw.yield()
        say "over"
      ]]):gsub("%%s", name))
    end)

    it("stops the run with grace if one is kept already [H5, L2]", function()
      stopped(number, "draining\nclean\n", ([[
        begin(aw.Signal "%s"):named "drain"
        send "%s"
        aw.sleep(0.001)
        say "draining"
        local _ <close> = sweeper "clean"
        send("%s", "%s")
        aw.sleep(30)
        say "never"
      ]]):gsub("%%s", name):gsub(":named \"drain\"", ""))
    end)

    it("stops the run at once when one more comes [H5, L2]", function()
      stopped(number, "draining\n", ([[
        begin(aw.Signal "%s")
        send "%s"
        aw.sleep(0.001)
        say "draining"
        local _ <close> = closing(function()
          aw.shield(function()
            send "%s"
            aw.sleep(30)
            say "never"
          end)
        end)
        send("%s", "%s")
        aw.sleep(30)
      ]]):gsub("%%s", name), "{ grace = 60 }")
    end)

    it("stops a body that never awaits [C9, L2]", function()
      stopped(number, "draining\nclean\n", ([[
        begin(aw.Signal "%s")
        send "%s"
        aw.sleep(0.001)
        local _ <close> = sweeper "clean"
        say "draining"
        send("%s", "%s")
        while true do end
      ]]):gsub("%%s", name))
    end)

    it("stops a program that awaited it in a race or a Select",
      function()
        for _, wire in ipairs {
          "aw.Signal '%s' | aw.Never",
          "aw.Select { signal = aw.Signal '%s', never = aw.Never }",
          "aw.Never | aw.Signal '%s' | aw.Signal 'USR1'",
        } do
          stopped(number, "clean\n", ([[
            aw.start(]] .. wire .. [[, nil, { background = true })
            aw.yield()
            local _ <close> = sweeper "clean"
            send "%s"
            aw.sleep(0.001)
            send("%s", "%s")
            aw.sleep(30)
          ]]):gsub("%%s", name))
        end
      end)

    it("goes to the waiters each time it comes [H5]", function()
      goes_on("4\n", ([[
        local count = 0
        for _ = 1, 4 do
          local task = begin(aw.Signal "%s")
          send("%s", "%s", "%s")
          task:wait()
          count = count + 1
        end
        say(tostring(count))
      ]]):gsub("%%s", name))
    end)
  end)
end

describe("a signal that does not stop the program", function()
  it("is kept once without a waiter [H5]", function()
    goes_on("USR1\nUSR1\n", [[
      begin(aw.Signal "USR1")
      send("USR1", "USR1", "USR1")
      aw.sleep(0.001)
      say "USR1"
      send("USR1", "USR1", "USR1")
      aw.signal "USR1"
      say "USR1"
      send("USR1", "USR1", "USR1")
    ]])
  end)
end)

describe("SIGHUP without a waiter", function()
  local code = prelude .. [[
    aw.run(function()
      begin(aw.Signal "HUP")
      send "HUP"
      aw.sleep(0.001)
      send("HUP", "HUP")
      local _ <close> = sweeper "clean"
      aw.sleep(0.001)
      say "on"
    end)
  ]]

  it("stops the program if one is kept already [H5, L2]", function()
    local outcome = process.host(code)
    process.assert_died_by(1, outcome)
    assert.are.equal("clean\n", outcome.out)
  end)

  it("is kept once under lua5.4 [L2]", process.under_stock(function()
    process.assert_outcome("on\nclean\n", 0, process.stock(code))
  end))
end)

describe("INT and TERM", function()
  it("are kept separately, and a second one of a kind stops [H5]", function()
    stopped(15, "draining\nclean\n", [[
      begin(aw.Signal "INT")
      begin(aw.Signal "TERM")
      send("INT", "TERM")
      aw.sleep(0.001)
      say "draining"
      local _ <close> = sweeper "clean"
      send("INT", "TERM", "TERM")
      aw.sleep(30)
    ]])
  end)

  it("kill if one is kept and the loop leaves signals alone [H5]",
    process.under_stock(function()
      local outcome = process.stock(prelude .. [[
        aw.run(function()
          begin(aw.Signal "TERM")
          send "TERM"
          aw.sleep(0.001)
          send "TERM"
          say "kept"
          send "TERM"
          say "never"
        end, { signals = false })
      ]])
      process.assert_died_by(15, outcome)
      assert.are.equal("kept\n", outcome.out)
    end))
end)

describe("a signal during the run of another engine inside a task", function()
  it("ends that run while it waits for a child [L2]", function()
    stopped(2, "inner\nouter\n", [[
      local _ <close> = sweeper "outer"
      local inner = aw.EventLoop { clock = "virtual" }
      inner:start(function()
        local _ <close> = sweeper "inner"
        local p <close> = aw.spawn { "sh", "-c", "kill -INT $PPID; sleep 30" }
        p:wait()
      end)
      inner:run()
      aw.sleep(30)
      say "never"
    ]])
  end)
end)
