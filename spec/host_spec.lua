-- The program `aiowire`, looked at from outside: what it takes, prints and
-- returns, beside what lua5.4 does.

local process = require "spec.process"
local texts = require "spec.texts"

local prelude = process.prelude
local contains, lacks = texts.contains, texts.lacks

local function assert_died_by(signal, outcome)
  assert.are.same({ signal = signal, out = outcome.out, err = outcome.err },
    outcome)
end

local function assert_exit(code, outcome)
  assert.are.same({ code = code, out = outcome.out, err = outcome.err },
    outcome)
end

local function assert_outcome(out, code, outcome)
  assert.are.same({ out = out, code = code, err = outcome.err }, outcome)
end

describe("the program's arguments", function()
  local show = [[
local list = {}
for i = -12, #arg do
  if arg[i] then
    list[#list + 1] = i .. "=" .. (arg[i]:match "aiowire$" or arg[i])
  end
end
print((table.concat(list, " "):gsub("=aiowire", "=PROGRAM")
  :gsub("=lua5.4", "=PROGRAM")))
print(select("#", ...), ...)
]]

  for _, line in ipairs {
    "s.lua",
    "s.lua a 'b c' ''",
    "s.lua -e -v --",
    "./s.lua x",
    "-e 'x = 1' s.lua q",
    "-e 'x = 1' -e 'y = 2' s.lua q -z",
    "-- s.lua a",
  } do
    it(("are as in lua5.4: %s [arg]"):format(line), function()
      local files = { ["s.lua"] = show }
      local theirs = process.run("exec $lua " .. line, files)
      local ours = process.run("exec $aiowire " .. line, files)
      assert.are.equal(0, theirs.code)
      assert.are.same(theirs, ours)
    end)
  end

  it("are those of a script that has no arguments [arg]", function()
    local outcome = process.host "print(#arg, arg[0], ...)"
    assert_outcome("0\ts.lua\n", 0, outcome)
  end)
end)

describe("the option -e", function()
  it("runs its text [options]", function()
    assert_outcome("hello\n", 0,
      process.run [[exec $aiowire -e 'print "hello"']])
  end)

  it("may be given more than once, in order [options]", function()
    assert_outcome("1\n2\n", 0,
      process.run [[exec $aiowire -e 'print(1)' -e 'print(2)']])
  end)

  it("comes before the script and shares its globals [options]",
    function()
      assert_outcome("set\n", 0, process.run(
        [[exec $aiowire -e 'x = "set"' s.lua]],
        { ["s.lua"] = "print(x)" }
      ))
    end)

  it("may await [options]", function()
    assert_outcome("1\n2\n", 0, process.run([[exec $aiowire -e '
      local aw = require "aiowire"
      print(1)
      aw.sleep(0.01)
      print(2)
    ']]))
  end)

  it("fails as in lua5.4 [options]", function()
    for _, text in ipairs { "x = = 1", "local x = nil + 1" } do
      local theirs = process.run("exec $lua -e '" .. text .. "'")
      local ours = process.run("exec $aiowire -e '" .. text .. "'")
      assert_exit(1, ours)
      assert.are.equal(theirs.err:match ": ([^\n]*)\n",
        ours.err:match ": ([^\n]*)\n")
    end
  end)

  it("does not go on to the script after an error [options]",
    function()
      local outcome = process.run([[exec $aiowire -e 'error "x"' s.lua]],
        { ["s.lua"] = "print 'ran'" })
      assert_outcome("", 1, outcome)
    end)

  it("without a text is bad usage [options]", function()
    local outcome = process.run "exec $aiowire -e"
    assert_outcome("", 2, outcome)
    contains(outcome.err, "usage: ")
  end)
end)

describe("the option -v", function()
  it("prints one line with the versions [options]", function()
    local outcome = process.run "exec $aiowire -v </dev/null"
    assert_exit(0, outcome)
    assert.is_truthy(outcome.out:find "^aiowire %d+%.%d+[^\n]*\n$",
      outcome.out)
    contains(outcome.out, "Lua 5.4")
  end)

  it("goes before a script, which runs [options]", function()
    local outcome = process.run("exec $aiowire -v s.lua",
      { ["s.lua"] = "print 'ran'" })
    assert_exit(0, outcome)
    assert.is_truthy(outcome.out:find "^aiowire [^\n]*\nran\n$",
      outcome.out)
  end)

  it("after a script is the script's [options]", function()
    assert_outcome("-v\n", 0, process.run("exec $aiowire s.lua -v",
      { ["s.lua"] = "print(...)" }))
  end)
end)

describe("bad usage", function()
  it("is told on stderr, and exits 2 [exit]", function()
    for _, option in ipairs { "-z", "--no-such-option", "-vz" } do
      local outcome = process.run("exec $aiowire " .. option
        .. " </dev/null")
      assert_outcome("", 2, outcome)
      contains(outcome.err, option)
      contains(outcome.err, "usage: ")
    end
  end)

  it("runs no script [exit]", function()
    assert_outcome("", 2, process.run("exec $aiowire -z s.lua",
      { ["s.lua"] = "print 'ran'" }))
  end)
end)

describe("a script", function()
  it("exits 0 at its end [exit]", function()
    assert_outcome("ran\n", 0, process.host "print 'ran'")
  end)

  it("may await at top level [host]", function()
    assert_outcome("1\n2\n", 0, process.host [[
local aw = require "aiowire"
print(1)
aw.sleep(0.01)
print(2)
]])
  end)

  it("runs as a task [host]", function()
    assert_outcome("running\n", 0, process.host [[
local aw = require "aiowire"
print(aw.current().status)
]])
  end)

  it("needs no module file for the library [host]", function()
    local outcome = process.run(
      "LUA_CPATH_5_4=/nowhere/?.so LUA_PATH_5_4=/nowhere/?.lua "
        .. "exec $aiowire s.lua",
      { ["s.lua"] = 'print(type(require("aiowire").run))' }
    )
    assert_outcome("function\n", 0, outcome)
  end)

  it("finds no global that lua5.4 does not have [host]", function()
    local script = [[
local names = {}
for name in pairs(_G) do
  names[#names + 1] = name
end
table.sort(names)
print(table.concat(names, " "))
]]
    assert.are.equal(process.stock(script).out, process.host(script).out)
  end)

  it("may begin with #! [host]", function()
    assert_outcome("ran\n", 0,
      process.host "#!/usr/bin/env aiowire\nprint 'ran'\n")
  end)

  it("is waited for with all that it started [host]", function()
    assert_outcome("main\nlater\n", 0, process.host [[
local aw = require "aiowire"
aw.start(aw.Sleep(0.01) >> aw.Call(print, "later"))
print "main"
]])
  end)

  it("may run loops of its own [S6]", function()
    assert_outcome("7\ndone\n", 0, process.host [[
local aw = require "aiowire"
print(aw.run(aw.Call(function()
  aw.sleep(0.001)
  return 7
end)))
local ev = aw.EventLoop {}
ev:start(aw.Sleep(0.001))
print(ev:run())
]])
  end)

  it("may return a wire, which then runs [host]", function()
    assert_outcome("chunk\nbeep\nbeep\n", 0, process.host [[
local aw = require "aiowire"
print "chunk"
return (aw.Sleep(0.001) >> aw.Call(print, "beep")) * 2
]])
  end)

  it("that returns a failing wire fails [host]", function()
    local outcome = process.host [[
local aw = require "aiowire"
return aw.Sleep(0.001) >> aw.Call(error, "boom", 0)
]]
    assert_outcome("", 1, outcome)
    contains(outcome.err, "boom")
  end)

  it("may return nothing [host]", function()
    assert_outcome("", 0, process.host "return")
  end)

  it("may use coroutines that await [C11]", function()
    assert_outcome("1\n2\n", 0, process.host [[
local aw = require "aiowire"
for i in coroutine.wrap(function()
  for i = 1, 2 do
    aw.sleep(0.001)
    coroutine.yield(i)
  end
end) do
  print(i)
end
]])
  end)

  it("that is not there exits 1 [exit]", function()
    local theirs = process.run "exec $lua nosuch.lua"
    local ours = process.run "exec $aiowire nosuch.lua"
    assert_outcome("", 1, ours)
    assert.are.equal(theirs.err:match ": ([^\n]*)\n",
      ours.err:match ": ([^\n]*)\n")
  end)

  it("that is not Lua exits 1 [exit]", function()
    local theirs = process.stock "x = = 1"
    local ours = process.host "x = = 1"
    assert_outcome("", 1, ours)
    assert.are.equal(theirs.err:match ": ([^\n]*)\n",
      ours.err:match ": ([^\n]*)\n")
  end)

  it("that is bytecode is refused [host]", function()
    local code = string.dump(load "print 'ran'")
    assert.are.equal("ran\n", process.stock(code).out)
    local ours = process.host(code)
    assert_outcome("", 1, ours)
    assert.is_truthy(ours.err:find "binary" or ours.err:find "bytecode",
      ours.err)
  end)

  it("that is bytecode behind a #! line is refused, too [host]",
    function()
      local code = "#!/usr/bin/env aiowire\n"
        .. string.dump(load "print 'ran'")
      assert_outcome("", 1, process.host(code))
    end)
end)

describe("an uncaught error", function()
  -- The message after the program's name, and the lines of the traceback down
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

  it("begins with the program's name [exit]", function()
    local outcome = process.host "error 'boom'"
    assert.is_truthy(outcome.err:find "^[^\n:]*aiowire: s%.lua:1: boom\n",
      outcome.err)
  end)

  it("without a position has none added [exit]", function()
    local outcome = process.host "error('boom', 0)"
    assert.is_truthy(outcome.err:find "^[^\n:]*: boom\n", outcome.err)
    assert_exit(1, outcome)
  end)

  it("that is no text is shown as in lua5.4 [exit]", function()
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

  it("of a started wire ends the program with its cause first [E8]",
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

  it("of a started wire is followed by the chain of wires [D3]",
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

  it("is not printed if a handler took it [E7]", function()
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
  it("exits 13, and shows the tasks [L4]", function()
    local outcome = process.host [[
local aw = require "aiowire"
aw.start(aw.Never, nil, { name = "the idler" })
print "main"
]]
    assert_outcome("main\n", 13, outcome)
    contains(outcome.err:lower(), "deadlock")
    contains(outcome.err, "the idler")
  end)

  it("exits 13 if it is the script itself that waits [L4]", function()
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

  it("is none while anything sleeps [L4]", function()
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
    it(("exits %d if called as os.exit(%s) [exit]"):format(code, shown),
      function()
        assert_outcome("before\n", code, process.host(
          "print 'before' os.exit(" .. shown .. ") print 'never'"
        ))
      end)
  end

  it("lets all clean-up run, whichever task calls it [exit]",
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

  it("flushes what was written [exit]", function()
    assert_outcome("no newline", 5,
      process.host [[io.write "no newline" os.exit(5)]])
  end)

  it("is not kept waiting by other tasks [exit]", function()
    assert_exit(6, process.host [[
local aw = require "aiowire"
aw.start(aw.Sleep(60))
aw.start(aw.Never)
os.exit(6)
]])
  end)
end)

for name, number in pairs { INT = 2, TERM = 15 } do
  describe("SIG" .. name, function()
    it("while the program sleeps kills it after clean-up [L2]",
      function()
        local outcome = process.host(prelude .. ([[
local _ <close> = sweeper "main"
aw.start(function()
  local _ <close> = sweeper "child"
  aw.sleep(30)
end)
signal_me("%s", 0.1)
aw.sleep(30)
say "never"
]]):format(name))
        assert_died_by(number, outcome)
        contains(outcome.out, "main\n")
        contains(outcome.out, "child\n")
        lacks(outcome.out, "never")
      end)

    it("while a task runs kills it after clean-up [L2]", function()
      local outcome = process.host(prelude .. ([[
local _ <close> = sweeper "main"
signal_me "%s"
aw.sleep(30)
say "never"
]]):format(name))
      assert_died_by(number, outcome)
      assert.are.equal("main\n", outcome.out)
    end)

    it("while other tasks are always ready does so, too [L2]",
      function()
        local outcome = process.host(prelude .. ([[
local _ <close> = sweeper "main"
aw.start(aw.Forever(aw.Call(aw.yield)))
signal_me("%s", 0.1)
while true do
  aw.yield()
end
]]):format(name))
        assert_died_by(number, outcome)
        assert.are.equal("main\n", outcome.out)
      end)

    it("stops a body that never awaits [C9]", function()
      local outcome = process.host(prelude .. ([[
local _ <close> = sweeper "main"
signal_me("%s", 0.1)
while true do end
]]):format(name))
      assert_died_by(number, outcome)
      assert.are.equal("main\n", outcome.out)
    end)

    it("stops such a body in a coroutine of its own [C9]", function()
      assert_died_by(number, process.host(prelude .. ([[
signal_me("%s", 0.1)
coroutine.wrap(function()
  while true do end
end)()
say "never"
]]):format(name)))
    end)

    it("stops such a body though it catches errors [C9]", function()
      assert_died_by(number, process.host(prelude .. ([[
signal_me("%s", 0.1)
while true do
  pcall(function()
    while true do end
  end)
end
]]):format(name)))
    end)

    it("during a clean-up lets that end [L2]", function()
      local outcome = process.host(prelude .. ([[
local task = aw.start(function()
  local _ <close> = sweeper("clean", 0.3)
  aw.sleep(30)
end)
aw.yield()
aw.yield()
signal_me("%s", 0.1)
task:cancel_wait()
aw.sleep(30)
say "never"
]]):format(name))
      assert_died_by(number, outcome)
      assert.are.equal("clean\n", outcome.out)
    end)

    -- The loop's grace is 5 s, so 3 s prove that nobody waited for its end.
    it("given twice kills at once [L2]", function()
      local outcome = process.run("exec timeout 3 $aiowire s.lua", {
        ["s.lua"] = prelude .. ([[
local _ <close> = sweeper("never", 9)
signal_me("%s", 0.1)
signal_me("%s", 0.5)
aw.sleep(30)
]]):format(name, name),
      })
      assert_died_by(number, outcome)
      lacks(outcome.out, "never")
    end)

    it("is no error: nothing is printed as one [L2]", function()
      local outcome = process.host(prelude .. ([[
signal_me("%s", 0.05)
aw.sleep(30)
]]):format(name))
      assert_died_by(number, outcome)
      lacks(outcome.err, "stack traceback")
    end)

    it("is not forgotten when the script catches Cancelled [L2]",
      function()
        local outcome = process.host(prelude .. ([[
signal_me("%s", 0.05)
print(pcall(aw.sleep, 30))
]]):format(name))
        assert_died_by(number, outcome)
      end)
  end)
end

describe("a signal while a coroutine of a body is busy", function()
  local nested = process.prelude .. [[
local function busy(instructions)
  for _ = 1, instructions or math.huge do
  end
end
]]

  it("interrupts it, and nothing that it does in a later step [L2]",
    function()
      local outcome = process.host(nested .. [[
local generate = coroutine.wrap(function()
  signal_me "INT"
  local _, err = pcall(busy)
  coroutine.yield(err)
  busy(3000000)
  return "done"
end)
aw.shield(function()
  say(tostring(generate()))
  aw.sleep(0.01)
  say(generate())
end)
]])
      assert_died_by(2, outcome)
      assert.is_truthy(outcome.out:find "interrupted!\ndone\n$", outcome.out)
    end)

  it("interrupts the body, too, if that goes on [L2]", function()
    local outcome = process.run("exec timeout 5 $aiowire s.lua", {
      ["s.lua"] = nested .. [[
local generate = coroutine.wrap(function()
  signal_me "INT"
  busy()
end)
pcall(generate)
say "body"
busy()
]] })
    assert_died_by(2, outcome)
    assert.are.equal("body\n", outcome.out)
  end)

  it("interrupts a body that only switches between them [L2]", function()
    local outcome = process.run("exec timeout 5 $aiowire s.lua", {
      ["s.lua"] = nested .. [[
local generate = coroutine.wrap(function()
  while true do
    coroutine.yield()
  end
end)
signal_me "INT"
while true do
  generate()
end
]] })
    assert_died_by(2, outcome)
  end)
end)

describe("a program without signals", function()
  it("ends by itself, with code 0 [L2]", function()
    assert_outcome("end\nclean\n", 0, process.host(prelude .. [[
local _ <close> = sweeper "clean"
say "end"
]]))
  end)
end)

describe("closed standard streams", function()
  local script = [[
local aw = require "aiowire"
print "to stdout"
aw.sleep(0.01)
local file = assert(io.open("result", "w"))
file:write(tostring(io.read and io.read "l"))
file:close()
local back = assert(io.open("result"))
io.stderr:write(back:read "a", "\n")
]]

  it("of input do no harm [U13]", function()
    local outcome = process.run("exec $aiowire s.lua <&-",
      { ["s.lua"] = script })
    assert.are.same({ out = "to stdout\n", err = "nil\n", code = 0 },
      outcome)
  end)

  it("of output do no harm [U13]", function()
    local outcome = process.run("exec $aiowire s.lua >&- </dev/null",
      { ["s.lua"] = script })
    assert.are.same({ out = "", err = "nil\n", code = 0 }, outcome)
  end)

  it("all three do no harm [U13]", function()
    local outcome = process.run("exec $aiowire s.lua <&- >&- 2>&-",
      { ["s.lua"] = script })
    assert.are.same({ out = "", err = "", code = 0 }, outcome)
  end)

  it("do not become files that the script opens [U13]", function()
    local outcome = process.run(
      "$aiowire s.lua >&- </dev/null; cat data",
      { ["s.lua"] = [[
local file = assert(io.open("data", "w"))
print "stray"
io.stdout:flush()
file:write "mine"
file:close()
]] }
    )
    assert.are.equal("mine", outcome.out)
  end)
end)
