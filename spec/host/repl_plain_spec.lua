-- The prompt without a terminal: `aiowire -i <file`, compared with lua5.4.

local process = require "spec.support.process"
local texts = require "spec.support.texts"

local assert_exit, assert_outcome = process.assert_exit, process.assert_outcome
local contains = texts.contains

--- Run `aiowire -i` with this input. The line that greets is cut off.
local function plain(input, options, files)
  files = files or {}
  files["in"] = input
  local outcome = process.run(("exec $aiowire -i %s <in"):format(options or ""),
    files)
  outcome.greeting, outcome.out = outcome.out:match "^([^\n]*)\n(.*)$"
  return outcome
end

describe("the prompt without a terminal", function()
  it("greets with one line [R31]", function()
    local greeting = plain("").greeting
    assert.is_truthy(greeting:find
      "^aiowire [%d.]+ %(Lua 5%.4%.%d+, libuv [%d.]+%)  %.help for help$",
      greeting)
  end)

  for name, case in pairs {
    ["expressions"] = { "1 + 1\n=2\n'a', nil, 1.5\nnil\n",
      "> 2\n> 2\n> a\tnil\t1.5\n> nil\n> \n" },
    ["statements"] = { "x = 1\nprint(x)\nfor i = 1, 2 do print(i) end\n",
      "> > 1\n> 1\n2\n> \n" },
    ["entries of several lines"] = { "x = {\n1,\n\n2 }\n#x\nif x then\n"
      .. "print 'y'\nend\n[[a\nb]]\n",
      "> >> >> >> > 2\n> >> >> y\n> >> a\nb\n> \n" },
    ["nothing"] = { "", "> \n" },
    ["empty lines and comments"] = { "\n\n-- x\n1 -- one\n",
      "> > > > 1\n> \n" },
    ["a last line without its end"] = { "1 + 1", "> 2\n> \n" },
    ["functions of several results"] = { "(function() end)()\n"
      .. "(function() return 1, 2 end)()\n...\n.5\n",
      "> > 1\t2\n> > 0.5\n> \n" },
    ["prompts of the user"] = { "_PROMPT = 'p '\n_PROMPT2 = 'q '\nx =\n1\nx\n"
      .. "_PROMPT = setmetatable({}, {__tostring = function() return 't' end})"
      .. "\nx\n", "> p p q p 1\np t1\nt\n" },
    ["input that a line reads"] = {
      "io.read()\nthis is read\nio.read(4)\nabcdef = 1\nef\n",
      "> this is read\n> abcd\n> > 1\n> \n" },
    ["objects with a text"] = { "setmetatable({}, {__tostring = function() "
      .. "return 'object' end})\n", "> object\n> \n" },
  } do
    it("writes prompts and results for " .. name .. " [R42]", function()
      local outcome = plain(case[1])
      assert_outcome(case[2], 0, outcome)
      assert.are.equal("", outcome.err)
    end)
  end

  it("goes on after errors, and exits with 0 [R35, R42]", function()
    local outcome = plain "error 'one'\nx = = 1\nnil + 1\nprint 'last'\n"
    assert_exit(0, outcome)
    assert.are.equal("> > > > last\n> \n", outcome.out)
    assert.is_truthy(outcome.err:find("^stdin:1: one\nstack traceback:\n"
      .. "\t%[C%]: in function 'error'\n\tstdin:1: in main chunk\n"
      .. "stdin:1: unexpected symbol near '='\n"
      .. "stdin:1: attempt to perform arithmetic on a nil value\n"
      .. "stack traceback:\n\tstdin:1: in main chunk\n$"), outcome.err)
  end)

  it("says what is missing at the end of the input [R33, R42]", function()
    local outcome = plain "x = {"
    assert_exit(0, outcome)
    contains(outcome.err, "stdin:1: ")
    contains(outcome.err, "<eof>")
  end)

  it("asks for more after an expression that has begun [R33]", function()
    assert.are.equal("> >> {1, 2}\n> >> 3\n> \n", plain "{1,\n2}\n1 +\n2\n".out)
  end)

  it("gives no hints [R39]", function()
    local outcome = plain "local x = 1\naw.Sleep(1)\n"
    assert_outcome("> > Sleep(1)\n> \n", 0, outcome)
    assert.are.equal("", outcome.err)
  end)

  it("lets lines await and tasks go on [R32]", function()
    local outcome = plain [[
go = aw.channel(1)
task = aw.start(function() go:recv() print "in the task" end)
aw.sleep(0.001)
go:send(true) task:wait()
aw.current().name, task.status
]]
    assert.are.equal("", outcome.err)
    assert_outcome("> > > > in the task\n> line\tdone\n> \n", 0, outcome)
  end)

  it("cancels the tasks at the end of the input, with grace [R37]", function()
    local outcome = plain [[
function body() local x <close> = setmetatable({}, {__close = function()
  aw.shield(function() aw.sleep(0.01) print "cleaned up" end) end})
  aw.sleep(1000) end
_ = aw.start(body)
aw.sleep(0)
]]
    assert_exit(0, outcome)
    contains(outcome.out, "cleaned up\n")
  end)

  it("exits with the code of os.exit [R37]", function()
    assert_exit(3, plain "os.exit(3)\nprint 'not reached'\n")
    assert_exit(1, plain "os.exit(false)\n")
    local outcome = plain "_ = aw.start(aw.Call(os.exit, 4))\naw.sleep(1000)\n"
    assert_exit(4, outcome)
  end)

  it("fails only the line that deadlocks [R35]", function()
    local outcome = plain "aw.channel(1):recv()\nprint 'next'\n"
    assert_outcome("> > next\n> \n", 0, outcome)
    contains(outcome.err, "Deadlock: ")
    contains(outcome.err, "recv channel stdin:1")
  end)

  it("prints the failure of another task with its name [R34]", function()
    local outcome = plain [[
_ = aw.start(function() error "boom" end, nil, {name = "worker"})
aw.sleep(0.001)
print "next"
]]
    assert_exit(0, outcome)
    contains(outcome.out, "next\n")
    local said = "^task %d+ 'worker' failed: stdin:1: boom\n"
    assert.is_truthy(outcome.err:find(said), outcome.err)
  end)

  it("prints texts of errors that are objects [R35]", function()
    local outcome = plain [[
error {}
error(setmetatable({}, {__tostring = function() return "mine" end}))
error(setmetatable({}, {__tostring = function() error "no" end}))
error()
error(nil)
error(12)
print "next"
]]
    assert_exit(0, outcome)
    contains(outcome.out, "next\n")
    contains(outcome.err, "(error object is a table value)\n")
    contains(outcome.err, "\nmine\n")
    contains(outcome.err, "12")
  end)

  it("keeps the first result in _ [R32]", function()
    local outcome = plain "6 * 7, 1\n_ + 1\nprint(_)\nx = 2\n_\n"
    assert_outcome("> 42\t1\n> 43\n> 43\n> > 43\n> \n", 0, outcome)
  end)

  it("survives what lines do to the libraries [R35]", function()
    local outcome = plain [[
write = io.write
string.find, string.format, table.pack, tostring, pcall, load = nil
setmetatable(_G, {__index = error, __newindex = error})
.tsks
write(1 +
2)
x
debug.setmetatable("", nil)
write "last"
]]
    assert_exit(0, outcome)
    assert.is_truthy(outcome.out:find "> >> 3.*> last.*\n> \n$", outcome.out)
  end)

  it("has an end for each input [R42]", function()
    for _, input in ipairs { "</dev/null", "<&-", "<.", "</proc/self/mem" } do
      assert_exit(0, process.run("exec $aiowire -i " .. input))
    end
  end)

  it("dies by SIGPIPE when nobody reads its results [R42]", function()
    local outcome = process.run("exec 3>&1; { $aiowire -i <in; echo $? >&3; } "
      .. "| true", { ["in"] = ("1\naw.sleep(0.01)\n"):rep(1000) })
    assert.are.equal("141\n", outcome.out)
  end)

  it("has lines as long as one likes [R42]", function()
    local outcome = plain("#'" .. ("x"):rep(100000) .. "'\n")
    assert_outcome("> 100000\n> \n", 0, outcome)
  end)

  it("reads zeros as lua does not: as part of the line [R42]", function()
    local outcome = plain "#'a\0b'\n"
    assert_outcome("> 3\n> \n", 0, outcome)
  end)
end)

describe("what runs before the prompt", function()
  it("is LUA_INIT, -l, -e and the script, in one session [R31]", function()
    local outcome = process.run(
      "LUA_INIT='print(1)' exec $aiowire -i -l m -e 'print(3)' s.lua x <in", {
        ["m.lua"] = "print(2)", ["s.lua"] = "print(4, ...)",
        ["in"] = "print(5, arg[1])\n" })
    assert_exit(0, outcome)
    assert.are.equal("1\n2\n3\n4\tx\n> 5\tx\n> \n",
      outcome.out:match "^[^\n]*\n(.*)$")
  end)

  it("leaves its tasks to the session [R31]", function()
    local outcome = plain("ping:send 'x'\npong:recv()\n", "s.lua", {
      ["s.lua"] = [[
local aw = require "aiowire"
ping, pong = aw.channel(1), aw.channel(1)
aw.start(function() pong:send("got " .. ping:recv()) end)
]] })
    assert_outcome("> > got x\n> \n", 0, outcome)
  end)

  it("is awaited; a wire that the script returns is started [R31]", function()
    local outcome = plain("print 'a line'\nnames:recv()\n", "s.lua", {
      ["s.lua"] = [[
local aw = require "aiowire"
aw.sleep(0.01)
print "awaited"
names = aw.channel(1)
return aw.Wire(function() names:send "the wire" aw.sleep(1000) end)
]] })
    assert_outcome("awaited\n> a line\n> the wire\n> \n", 0, outcome)
  end)

  it("has no global aw and ev [R31]", function()
    local outcome = plain("print(type(aw), type(ev))\n", "-e 'print(rawget(_G, "
      .. "[[aw]]), ev)' s.lua", { ["s.lua"] = "print(aw, ev)" })
    assert_outcome("nil\tnil\nnil\tnil\n> table\tuserdata\n> \n", 0, outcome)
  end)

  it("may have globals of these names, which stay [R31]", function()
    assert_outcome("> 1\ttrue\n> \n", 0, plain("print(aw, ev)\n",
      "-e '_ENV.aw, ev = 1, true'"))
  end)

  it("ends the program if it fails, as in lua [R31]", function()
    local outcome = plain("print 'a line'\n", "s.lua",
      { ["s.lua"] = "error 'boom'" })
    assert_outcome("", 1, outcome)
    assert.are.equal("aiowire: s.lua:1: boom\nstack traceback:\n"
      .. "\t[C]: in function 'error'\n\ts.lua:1: in main chunk\n",
      outcome.err)
    assert_outcome("", 1, plain("print(1)\n", "s.lua", { ["s.lua"] = "x =" }))
    assert_outcome("", 1, plain("print(1)\n", "none.lua"))
    assert_outcome("", 13, plain("print(1)\n", "s.lua",
      { ["s.lua"] = "require 'aiowire'.channel(1):recv()" }))
    assert_outcome("", 5, plain("print(1)\n", "-e 'os.exit(5)'"))
  end)

  it("may be standard input, too [R42]", function()
    local outcome = plain("print 'script'\n", "-")
    assert_outcome("script\n> \n", 0, outcome)
  end)

  it("excludes --timeout [R3]", function()
    local outcome = process.run "exec $aiowire -i --timeout=1 </dev/null"
    assert_exit(2, outcome)
    contains(outcome.err, "--timeout")
  end)
end)

describe("a command without a terminal", function()
  it("lists the commands [R41]", function()
    local outcome = plain ".help\n"
    assert_exit(0, outcome)
    for _, name in ipairs { "help", "tasks", "tree", "cancel ID", "time W",
      "load FILE", "exit" } do
      contains(outcome.out, "." .. name .. " ")
    end
  end)

  it("stands in the documents [R41]", function()
    local program = process.read(process.root .. "/docs/program.md")
    local manual = process.read(process.root .. "/docs/aiowire.1")
    local help = plain(".help\n").out
    local count = 0
    for name, argument in help:gmatch "%f[^\n ]%.(%l+) ?(%u*) +%l" do
      count = count + 1
      contains(program, ("\n| `.%s%s` |"):format(name,
        argument ~= "" and " " .. argument or ""))
      contains(manual, ("\n.It Li .%s%s\n"):format(name,
        argument ~= "" and " Ar " .. argument:lower() or ""))
    end
    assert.are.equal(count, select(2, program:gsub("\n| `%.", "")))
    assert.is_true(count >= 7)
  end)

  it("that is unknown gets the nearest name [R41]", function()
    local outcome = plain ".tsks\n.qqqq\n.\n"
    assert_exit(0, outcome)
    contains(outcome.err, "no command '.tsks' (did you mean .tasks?)\n")
    contains(outcome.err, "no command '.qqqq' (.help lists them)\n")
    contains(outcome.err, "stdin:1: unexpected symbol near '.'\n")
  end)

  it("needs its argument, and takes no other [R41]", function()
    local outcome = plain ".time\n.load\n.cancel  \n.exit now\n.tasks x\n1\n"
    assert_outcome("> > > > > > 1\n> \n", 0, outcome)
    assert.are.equal("usage: .time W\nusage: .load FILE\nusage: .cancel ID\n"
      .. "usage: .exit\nusage: .tasks\n", outcome.err)
  end)

  it("is no command inside an entry [R41]", function()
    assert_outcome("> >> >> 1.5\n> \n", 0, plain "x = (1 +\n.5\n) print(x)\n")
  end)

  it("lists tasks: .tasks [R41]", function()
    local outcome = plain [[
.tasks
t = aw.start(aw.Sleep(1000), nil, {name = "sleeper"})
u = aw.start(function() aw.channel(1):recv() end)
aw.sleep(0)
.tasks
]]
    assert_exit(0, outcome)
    contains(outcome.out, "> no tasks\n")
    local row = outcome.out:match "\n(%d+ +sleeper[^\n]*)\n"
    assert.is_truthy(row and row:find "^%d+ +sleeper +waiting  sleep 1000%.0 "
      and row:find "  %d+%.%d s +%d+ +stdin:1$", outcome.out)
    assert.is_truthy(outcome.out:find "\n%d+ +[^\n]- waiting  recv channel ",
      outcome.out)
    assert.is_nil(outcome.out:find("'line'", 1, true))
  end)

  it("prints the tree: .tree [R41]", function()
    local outcome = plain [[
t = aw.start(aw.Sleep(1000) & aw.Sleep(2000), nil, {name = "both"})
aw.sleep(0)
.tree
]]
    assert_exit(0, outcome)
    contains(outcome.out, "'both'  waiting  join 2 children")
    contains(outcome.out, "sleep 2000.0")
    assert.is_nil(outcome.out:find("'line'", 1, true))
  end)

  it("cancels a task: .cancel [R41]", function()
    local outcome = plain [[
t = aw.start(aw.Sleep(1000))
f = assert(load("return " .. t.id))
_PROMPT2 = ""
print(t.status)
.cancel 987654
.cancel x
]]
    assert_exit(0, outcome)
    contains(outcome.err, "no task '987654' (.tasks lists them)\n")
    contains(outcome.err, "no task 'x' (.tasks lists them)\n")
  end)

  it("measures: .time [R41]", function()
    local outcome = plain [[
.time 1 + 1, 2
.time aw.Sleep(0.01) >> aw.Value("v")
.time x = 1
.time error "boom"
.time 1 +
_
]]
    assert_exit(0, outcome)
    local figures = "[%d.]+ [mµ]*s, [%d.]+ [mµ]*s of processor time, "
      .. "%d+ steps?\n"
    assert.is_truthy(outcome.out:find("^> 2\t2\n" .. figures .. "> v\n"
      .. figures .. "> " .. figures .. "> > > v\n> \n$"), outcome.out)
    contains(outcome.err, "stdin:1: boom\n")
    contains(outcome.err, "<eof>")
  end)

  it("runs a file in the session: .load [R41]", function()
    local outcome = plain(".load none.lua\n.load bad.lua\n.load fails.lua\n"
      .. "  .load  s.lua  \nnames:recv()\n", "", { ["s.lua"] = [[
#!/usr/bin/env aiowire
local aw = require "aiowire"
aw.sleep(0.001)
print("loaded", ...)
names = aw.channel(1)
return aw.Wire(function() names:send "the wire" aw.sleep(1000) end)
]], ["bad.lua"] = "x = = 1", ["fails.lua"] = "error 'boom'" })
    assert_outcome("> > > > loaded\n> the wire\n> \n", 0, outcome)
    contains(outcome.err, "none.lua")
    contains(outcome.err, "bad.lua:1: unexpected symbol near '='\n")
    contains(outcome.err, "fails.lua:1: boom\nstack traceback:\n")
  end)

  it("leaves: .exit [R37, R41]", function()
    assert_outcome("> 1\n> ", 0, plain "1\n.exit\n2\n")
  end)
end)
