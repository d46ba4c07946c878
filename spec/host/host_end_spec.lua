-- The end of the program `aiowire` by an uncaught error, a Deadlock or os.exit:
-- its output and its exit code.

local process = require "spec.support.process"
local texts = require "spec.support.texts"

local prelude = process.prelude
local assert_exit, assert_outcome =
  process.assert_exit, process.assert_outcome
local contains, lacks = texts.contains, texts.lacks

describe("an uncaught error", function()
  -- Returns the message after the name of the program, and the traceback down
  -- to the main chunk.
  local function first_lines(err)
    local first, rest = err:match "^[^:\n]*: (.-\n)(.*)$"
    assert.is_truthy(first, err)
    local down_to_main = rest:match "^(.-in main chunk\n)"
    assert.is_truthy(down_to_main, err)
    return first .. down_to_main
  end

  local function without_c(lines)
    return (lines:gsub("\t%[C%]:[^\n]*\n", ""))
  end

  for name, script in pairs {
    ["of the language"] = [[
local function f()
  local x = nil + 1
  return x
end
f()
print "never"
]],
    ["in nested functions"] = [[
local t = {}
function t.inner(x)
  local y = x.a.b
  return y
end
local function outer()
  t.inner {}
  return 1
end
local function named()
  outer()
  return 1
end
named()
]],
  } do
    it(name .. " prints as in lua5.4 [exit]", function()
      local theirs, ours = process.stock(script), process.host(script)
      assert_outcome("", 1, ours)
      assert.are.equal(first_lines(theirs.err), first_lines(ours.err))
    end)
  end

  it("raised by error prints as in lua5.4 [exit]", function()
    local script = [[
local function fail()
  error "boom"
end
local function working()
  fail()
  return 1
end
working()
]]
    local theirs, ours = process.stock(script), process.host(script)
    assert_outcome("", 1, ours)
    assert.are.equal(without_c(first_lines(theirs.err)),
      without_c(first_lines(ours.err)))
  end)

  it("is printed after the program's name [exit]", function()
    local outcome = process.host "error 'boom'"
    assert.is_truthy(outcome.err:find "^[^\n:]*aiowire: s%.lua:1: boom\n",
      outcome.err)
  end)

  it("without a position is printed without one [exit]", function()
    local outcome = process.host "error('boom', 0)"
    assert.is_truthy(outcome.err:find "^[^\n:]*: boom\n", outcome.err)
    assert_exit(1, outcome)
  end)

  it("that is not a text is shown as in lua5.4 [exit]", function()
    for _, value in ipairs {
      "{}", "false", "12", "print",
      "setmetatable({}, { __tostring = function() return 'obj' end })",
    } do
      local script = "error(" .. value .. ")"
      local theirs, ours = process.stock(script), process.host(script)
      assert_outcome("", 1, ours)
      assert.are.equal(theirs.err:match ": ([^\n]*)\n",
        ours.err:match ": ([^\n]*)\n")
    end
  end)

  it("that is nil still exits 1 [exit]", function()
    local outcome = process.host "error(nil)"
    assert_outcome("", 1, outcome)
    contains(outcome.err, "nil")
  end)

  it("of a started wire ends the program, and is printed first [E8]",
    function()
      local outcome = process.host [[
local aw = require "aiowire"
local function working()
  error "boom"
end
local function ready()
  return working
end
aw.start(ready)
aw.sleep(5)
print "never"
]]
      assert_outcome("", 1, outcome)
      assert.is_truthy(outcome.err:find "^[^\n:]*: s%.lua:3: boom\n",
        outcome.err)
      contains(outcome.err, "stack traceback:\n")
      contains(outcome.err, "s.lua:3: in ")
    end)

  it("of a started wire is printed with the chain of wires [D3]",
    function()
      local outcome = process.host [[
local aw = require "aiowire"
local function working()
  error "boom"
end
local function ready()
  return working
end
aw.start(ready, nil, { name = "the client" })
aw.sleep(5)
]]
      local trace = outcome.err:match "wire trace.*"
      assert.is_truthy(trace, outcome.err)
      contains(trace, "s.lua:2")
      contains(trace, "s.lua:5")
      contains(trace, "started at s.lua:8")
      contains(trace, "the client")
      assert.is_true(trace:find("s.lua:2", 1, true)
        < trace:find("s.lua:5", 1, true), "newest first: " .. trace)
    end)

  it("of a started wire shows no line of the library [D3]", function()
    local outcome = process.host [[
local aw = require "aiowire"
aw.start(function()
  aw.await(function()
    aw.sleep(0.001)
    error "boom"
  end)
end)
]]
    assert_exit(1, outcome)
    local traceback = outcome.err:match "stack traceback:\n(.-)\n%S"
    assert.is_truthy(traceback, outcome.err)
    contains(traceback, "s.lua:5: in ")
    lacks(traceback, "aiowire/")
    lacks(traceback, "aiowire.await")
  end)

  it("is not printed if a handler was called [E7]", function()
    local outcome = process.host [[
local aw = require "aiowire"
aw.start(function()
  error("boom", 0)
end, function(_, err)
  print("handled", err)
end)
]]
    assert.are.same({ out = "handled\tboom\n", err = "", code = 0 },
      outcome)
  end)

  it("lets the other tasks clean up first [L3]", function()
    local outcome = process.host(prelude .. [[
aw.start(function()
  local _ <close> = closing(function()
    aw.shield(function()
      aw.sleep(0.01)
      say "clean"
    end, 5)
  end)
  aw.sleep(30)
end)
aw.sleep(0.01)
error "boom"
]])
    assert_outcome("clean\n", 1, outcome)
    contains(outcome.err, "boom")
  end)
end)

describe("a deadlock of the program", function()
  it("exits with 13, and prints the tasks [L4]", function()
    local outcome = process.host [[
local aw = require "aiowire"
aw.start(aw.Never, nil, { name = "the idler" })
print "main"
]]
    assert_outcome("main\n", 13, outcome)
    contains(outcome.err:lower(), "deadlock")
    contains(outcome.err, "the idler")
  end)

  it("exits 13 if the script itself waits [L4]", function()
    local outcome = process.host [[
local aw = require "aiowire"
local _ <close> = setmetatable({}, {
  __close = function() print "clean" end,
})
aw.await(aw.Never)
]]
    assert_outcome("clean\n", 13, outcome)
    contains(outcome.err:lower(), "deadlock")
  end)

  it("does not happen while a task sleeps [L4]", function()
    assert_outcome("woken\n", 0, process.host [[
local aw = require "aiowire"
local idler = aw.start(aw.Never)
aw.start(aw.Sleep(0.02) >> aw.Call(idler.cancel, idler)
  >> aw.Call(print, "woken"))
]])
  end)
end)

describe("os.exit in the program", function()
  for shown, code in pairs {
    ["7"] = 7, ["0"] = 0, ["true"] = 0, ["false"] = 1, [""] = 0,
    ["3, true"] = 3,
  } do
    it(("exits with %d if called as os.exit(%s) [exit]"):format(code, shown),
      function()
        assert_outcome("before\n", code, process.host(
          "print 'before' os.exit(" .. shown .. ") print 'never'"
        ))
      end)
  end

  it("lets all tasks clean up, whichever task calls it [exit]",
    function()
      local outcome = process.host(prelude .. [[
local _ <close> = sweeper "main"
aw.start(function()
  local _ <close> = sweeper "sibling"
  aw.sleep(30)
end)
aw.start(function()
  local _ <close> = sweeper "caller"
  aw.scope(function(s)
    s:start(function()
      local _ <close> = sweeper "nested"
      aw.sleep(0.01)
      aw.await(function()
        say "exit"
        os.exit(7)
        say "never"
      end)
      say "never"
    end)
  end)
  say "never"
end)
aw.sleep(30)
say "never"
]])
      assert_exit(7, outcome)
      local lines = {}
      for line in outcome.out:gmatch "[^\n]+" do
        lines[#lines + 1] = line
      end
      assert.are.equal("exit", lines[1])
      table.sort(lines)
      assert.are.same({ "caller", "exit", "main", "nested", "sibling" },
        lines)
      assert.are.equal("", outcome.err)
    end)

  it("raises Cancelled at the call [exit]", function()
    local outcome = process.host(prelude .. [[
local ok, err = pcall(os.exit, 4)
say(tostring(ok), tostring(aw.is_cancelled(err)))
aw.sleep(1)
say "never"
]])
    assert_outcome("false true\n", 4, outcome)
  end)

  it("flushes standard output [exit]", function()
    assert_outcome("no newline", 5,
      process.host [[io.write "no newline" os.exit(5)]])
  end)

  it("is not delayed by other tasks [exit]", function()
    assert_exit(6, process.host [[
local aw = require "aiowire"
aw.start(aw.Sleep(60))
aw.start(aw.Never)
os.exit(6)
]])
  end)
end)
