-- Common first mistakes, and the whole text that a user sees for each: in the
-- program, and in a stock lua5.4 with warnings on.

local process = require "spec.support.process"

-- { what the user does, the script after its first line, the message, the rest
-- of the text in the program }. In a message, a line that begins with four
-- spaces continues the previous line. The name of the interpreter precedes an
-- error. lua5.4 appends a traceback of its own. Fields: `lua` is the message of
-- lua5.4 where it differs; `out` and `lua_out` are the texts on standard
-- output.
local mistakes = {
  { "starts a function that is declared further down", [[
local function first(ev) ev:start(second) end
local function second() print "second" end
aw.run(first)
]], [[
Lua warning: aiowire: s.lua:2: start(nil) starts nothing; is what it names
    declared further down, or misspelt?
]] },
  { "starts nothing at all", [[
aw.run(function(ev) ev:start() end)
]], [[
s.lua:2: bad argument #1 to 'start' (wire expected, got no value)
]], [[
stack traceback:
	[C]: in method 'start'
	s.lua:2: in function <s.lua:2>
wire trace (newest first):
	function@s.lua:2
	started at s.lua:2
task 2 'function@s.lua:2'
]] },
  { "calls the function instead of handing it over", [[
local function work() print "works" end
aw.run(function(ev) ev:start(work()) end)
]], [[
s.lua:3: bad argument #1 to 'start' (wire expected, got no value)
]], [[
stack traceback:
	[C]: in method 'start'
	s.lua:3: in function <s.lua:3>
wire trace (newest first):
	function@s.lua:3
	started at s.lua:3
task 2 'function@s.lua:3'
]], out = "works\n" },
  { "hands over what a function returned", [[
local function work() return 5 end
aw.run(function(ev) ev:start(work()) end)
]], [[
s.lua:3: bad argument #1 to 'start' (wire expected, got number)
]], [[
stack traceback:
	[C]: in method 'start'
	s.lua:3: in function <s.lua:3>
wire trace (newest first):
	function@s.lua:3
	started at s.lua:3
task 2 'function@s.lua:3'
]] },
  { "runs a name that is not there", [[
aw.run(mian)
]], [[
s.lua:2: bad argument #1 to 'run' (wire expected, got no value)
]], [[
stack traceback:
	[C]: in function 'aiowire.run'
	s.lua:2: in main chunk
wire trace (newest first):
	main
task 1 'main'
]] },
  { "awaits a name that is not there", [[
aw.run(function() aw.await(stpe) end)
]], [[
s.lua:2: bad argument #1 to 'await' (wire expected, got nil)
]], [[
stack traceback:
	[C]: in function 'aiowire.await'
	s.lua:2: in function <s.lua:2>
wire trace (newest first):
	function@s.lua:2
	started at s.lua:2
task 2 'function@s.lua:2'
]] },
  { "calls start with a dot", [[
aw.run(function(ev) ev.start(print) end)
]], [[
s.lua:2: bad argument #1 to 'start' (EventLoop expected, got function;
    call it with ':')
]], [[
stack traceback:
	[C]: in field 'start'
	s.lua:2: in function <s.lua:2>
wire trace (newest first):
	function@s.lua:2
	started at s.lua:2
task 2 'function@s.lua:2'
]] },
  { "calls wait with a dot", [[
aw.run(function(ev) local t = ev:start(print) t.wait() end)
]], [[
s.lua:2: bad argument #1 to 'wait' (task expected, got no value; call it
    with ':')
]], [[
stack traceback:
	[C]: in field 'wait'
	s.lua:2: in function <s.lua:2>
wire trace (newest first):
	function@s.lua:2
	started at s.lua:2
task 2 'function@s.lua:2'
]], out = "EventLoop (running)\n" },
  { "awaits outside of tasks", [[
aw.sleep(0)
print "slept"
]], [[
]], out = "slept\n", lua_out = "", lua = [[
s.lua:2: cannot await outside a task (aw.sleep); run it with
    aw.run(function() ... end)
]] },
  { "awaits in a handler", [[
local ev <close> = aw.EventLoop()
ev:start(function() error "boom" end, function() aw.sleep(1) end)
]], [[
s.lua:3: boom
]], [[
stack traceback:
	[C]: in function 'error'
	s.lua:3: in function <s.lua:3>
wire trace (newest first):
	function@s.lua:3
	started at s.lua:3
task 2 'function@s.lua:3'
while that was handled, another error was raised:
s.lua:3: cannot await outside a task (aw.sleep): a handler is not a task; start
    a task that waits, as ev:start(function() ... end)
stack traceback:
	[C]: in function 'aiowire.sleep'
	s.lua:3: in function <s.lua:3>
]], lua = [[
s.lua:3: cannot await outside a task (aw.sleep): a handler is not a task; start
    a task that waits, as ev:start(function() ... end)
]] },
  { "sleeps a string", [[
aw.run(function() aw.sleep("1") end)
]], [[
s.lua:2: bad argument #1 to 'sleep' (number expected, got string)
]], [[
stack traceback:
	[C]: in function 'aiowire.sleep'
	s.lua:2: in function <s.lua:2>
wire trace (newest first):
	function@s.lua:2
	started at s.lua:2
task 2 'function@s.lua:2'
]] },
  { "sleeps a negative time", [[
local w = aw.Sleep(-1)
]], [[
s.lua:2: bad argument #1 to 'Sleep' (seconds must not be negative)
]], [[
stack traceback:
	[C]: in function 'aiowire.Sleep'
	s.lua:2: in main chunk
wire trace (newest first):
	main
task 1 'main'
]] },
  { "limits a wire to no time", [[
local w = aw.Sleep(1):timeout()
]], [[
s.lua:2: bad argument #1 to 'timeout' (number expected, got no value)
]], [[
stack traceback:
	[C]: in method 'timeout'
	s.lua:2: in main chunk
wire trace (newest first):
	main
task 1 'main'
]] },
  { "takes sleep for Sleep", [[
aw.run(function(ev) ev:start(aw.sleep(0)) end)
]], [[
s.lua:2: bad argument #1 to 'start' (wire expected, got no value)
]], [[
stack traceback:
	[C]: in method 'start'
	s.lua:2: in function <s.lua:2>
wire trace (newest first):
	function@s.lua:2
	started at s.lua:2
task 2 'function@s.lua:2'
]] },
  { "takes Sleep for sleep", [[
aw.run(function(ev)
  local before = ev:now()
  aw.Sleep(60)
  print(ev:now() - before < 60)
end)
]], [[
]], out = "true\n" },
  { "forgets to run the loop", [[
local ev = aw.EventLoop()
ev:start(aw.Call(print, "hello"))
ev:start(aw.Call(print, "world"))
]], [[
Lua warning: aiowire: s.lua:2: this EventLoop was never run, and its tasks
    never began (2, the first started at s.lua:3); call its run(), or declare
    it <close>
]] },
  { "starts something after the run", [[
local ev = aw.EventLoop()
ev:run()
ev:start(aw.Call(print, "hello"))
]], [[
Lua warning: aiowire: s.lua:2: this EventLoop was not run again, and its
    tasks never began (1, started at s.lua:4); call its run(), or declare it
    <close>
]] },
  { "starts something on a loop that has ended", [[
local ev = aw.EventLoop()
ev:close()
ev:start(aw.Call(print, "hello"))
]], [[
s.lua:4: this EventLoop has ended (closed)
]], [[
stack traceback:
	[C]: in method 'start'
	s.lua:4: in main chunk
wire trace (newest first):
	main
task 1 'main'
]] },
  { "runs a loop that runs", [[
local ev = aw.EventLoop()
ev:start(function() ev:run() end)
ev:run()
]], [[
s.lua:3: this EventLoop is already running
(UnhandledException in a task started at s.lua:3)
]], [[
stack traceback:
	[C]: in method 'run'
	s.lua:3: in function <s.lua:3>
wire trace (newest first):
	function@s.lua:3
	started at s.lua:3
task 2 'function@s.lua:3'
]] },
  { "misspells an option", [[
local ev <close> = aw.EventLoop { timout = 1 }
]], [[
s.lua:2: bad argument #1 to 'EventLoop' (unknown option 'timout', did you
    mean 'timeout'?)
]], [[
stack traceback:
	[C]: in function 'aiowire.EventLoop'
	s.lua:2: in main chunk
wire trace (newest first):
	main
task 1 'main'
]] },
  { "hands exec a line", [[
aw.run(function() aw.exec("ls -l") end)
]], [[
s.lua:2: spawn 'ls -l': no such file or directory; each argument is a word of
    its own, no shell reads the line
]], [[
stack traceback:
	[C]: in function 'aiowire.exec'
	s.lua:2: in function <s.lua:2>
wire trace (newest first):
	function@s.lua:2
	started at s.lua:2
task 2 'function@s.lua:2'
]] },
  { "hands exec options apart from the command", [[
aw.run(function() aw.exec("ls", "-l", { cwd = "/" }) end)
]], [[
s.lua:2: bad argument #1 to 'exec' (string expected as word 3 of the command,
    got table; options stand in one table with the words, as { "ls", "-l",
    cwd = "/" })
]], [[
stack traceback:
	[C]: in function 'aiowire.exec'
	s.lua:2: in function <s.lua:2>
wire trace (newest first):
	function@s.lua:2
	started at s.lua:2
task 2 'function@s.lua:2'
]] },
  { "hands start the arguments of the body", [[
local function greet(ev, name) print(name) end
aw.run(function(ev) ev:start(greet, "Ada") end)
]], [[
s.lua:3: bad argument #2 to 'start' (function expected, got string; a handler
    comes here, and arguments of the body go into aw.Wire(f, ...))
]], [[
stack traceback:
	[C]: in method 'start'
	s.lua:3: in function <s.lua:3>
wire trace (newest first):
	function@s.lua:3
	started at s.lua:3
task 2 'function@s.lua:3'
]] },
  { "writes host and port in one word", [[
aw.tcp.listen("127.0.0.1:8080")
]], [[
s.lua:2: bad argument #2 to 'listen' (port expected, got nothing; host and port
    are two arguments)
]], [[
stack traceback:
	[C]: in field 'listen'
	s.lua:2: in main chunk
wire trace (newest first):
	main
task 1 'main'
]] },
  { "catches Cancelled", [[
warn "@on"
aw.run(function(ev)
  local t = ev:start(function()
    pcall(aw.sleep, 10)
    aw.sleep(10)
  end)
  aw.yield()
  t:cancel()
end)
]], [[
Lua warning: aiowire: task 3 was cancelled, caught that, and awaited
    again: raise Cancelled on, and let clean-up await inside aw.shield
]], lua = [[
Lua warning: aiowire: task 2 was cancelled, caught that, and awaited
    again: raise Cancelled on, and let clean-up await inside aw.shield
]] },
  { "puts a number into a sequence", [[
local w = aw.Sleep(1) >> 5
]], [[
s.lua:2: attempt to use a number as a wire (operand of '>>')
]], [[
stack traceback:
	[C]: in metamethod 'shr'
	s.lua:2: in main chunk
wire trace (newest first):
	main
task 1 'main'
]] },
  { "puts an unknown name into a sequence", [[
local w = aw.Sleep(1) >> setp
]], [[
s.lua:2: attempt to use a nil as a wire (operand of '>>')
]], [[
stack traceback:
	[C]: in metamethod 'shr'
	s.lua:2: in main chunk
wire trace (newest first):
	main
task 1 'main'
]] },
  { "puts an unknown name among arguments", [[
local w = aw.Sequence(aw.Sleep(1), setp, aw.Sleep(2))
]], [[
s.lua:2: bad argument #2 to 'Sequence' (wire expected, got nil)
]], [[
stack traceback:
	[C]: in function 'aiowire.Sequence'
	s.lua:2: in main chunk
wire trace (newest first):
	main
task 1 'main'
]] },
  { "adds wires", [[
local w = aw.Sleep(1) + aw.Sleep(2)
]], [[
s.lua:2: '+' means nothing for wires; use a >> b for one after the other,
    a & b for both
]], [[
stack traceback:
	[C]: in metamethod 'add'
	s.lua:2: in main chunk
wire trace (newest first):
	main
task 1 'main'
]] },
  { "puts two functions into a sequence", [[
local function a() end
local function b() end
local w = a >> b
]], [[
s.lua:4: attempt to perform bitwise operation on a function value (local 'a')
]], [[
stack traceback:
	s.lua:4: in main chunk
wire trace (newest first):
	main
task 1 'main'
]] },
  { "repeats a wire one and a half times", [[
local w = aw.Sleep(1) * 1.5
]], [[
s.lua:2: a wire is repeated a whole number of times, got 1.5
]], [[
stack traceback:
	[C]: in metamethod 'mul'
	s.lua:2: in main chunk
wire trace (newest first):
	main
task 1 'main'
]] },
  { "returns a result from a body", [[
aw.run(function() return 5 end)
]], [[
a body must return nothing or the next wire, got number (5); use
    aw.Value(...) for results [function@s.lua:2]
]], [[
stack traceback:
	[C]: in function 'aiowire.run'
	s.lua:2: in main chunk
wire trace (newest first):
	function@s.lua:2
	started at s.lua:2
task 2 'function@s.lua:2'
]] },
  { "returns nil and a message from a body", [[
aw.run(function() return nil, "no such thing" end)
]], [[
a body must return nothing or the next wire, got an extra string ("no such
    thing"); use aw.Value(...) for results [function@s.lua:2]
]], [[
stack traceback:
	[C]: in function 'aiowire.run'
	s.lua:2: in main chunk
wire trace (newest first):
	function@s.lua:2
	started at s.lua:2
task 2 'function@s.lua:2'
]] },
  { "returns the next wire from a Call", [[
local function step() return aw.Call(print, "next") end
aw.run(aw.Call(step) >> aw.Sleep(0))
]], [[
Lua warning: aiowire: s.lua:2: nobody runs the wire that this function
    returned to a Call (Call(print, "next")), which is not the last of its
    sequence or repeat; use aw.Wire(f), which hands the wire on
]] },
  { "returns the next wire from a map", [[
local function step(n) return aw.Call(print, n) end
aw.run((aw.Value(1) / step) * 2)
]], [[
Lua warning: aiowire: s.lua:2: nobody runs the wire that this function
    returned to a map (Call(print, 1)), which is not the last of its sequence
    or repeat; use w:bind(f), which hands the wire on
]] },
  { "returns the next wire from a handler", [[
local function recover() print "recovered" end
local ev <close> = aw.EventLoop()
ev:start(function() error "boom" end, function() return aw.Wire(recover) end)
]], [[
Lua warning: aiowire: s.lua:4: nobody runs the wire that this task's
    handler returned (Wire(function@s.lua:2)); start it, as ev:start(w), or
    use w:catch(f)
]] },
  { "sends on a closed channel", [[
aw.run(function()
  local ch = aw.channel(1)
  ch:close()
  ch:send(1)
end)
]], [[
s.lua:5: Closed: send of channel s.lua:3
]], [[
stack traceback:
	[C]: in method 'send'
	s.lua:5: in function <s.lua:2>
wire trace (newest first):
	function@s.lua:2
	started at s.lua:2
task 2 'function@s.lua:2'
]] },
  { "waits for what nobody sends", [[
local ok, err = pcall(aw.run, function()
  aw.channel():recv()
end)
print(err.message:match "^[^\n]*")
]], [[
]], out = "Deadlock: all tasks wait, and nothing can wake them\n" },
  { "fails in clean-up", [[
aw.run(aw.Wire(function() error "first" end):finally(function()
  error "second"
end))
]], [[
s.lua:2: first
]], [[
stack traceback:
	[C]: in function 'error'
	s.lua:2: in function <s.lua:2>
wire trace (newest first):
	Wire(function@s.lua:2):finally(function@s.lua:2)
	started at s.lua:2
task 2 'Wire(function@s.lua:2):finally(function@s.lua:2)'
while that was handled, another error was raised:
s.lua:3: second
stack traceback:
	[C]: in function 'error'
	s.lua:3: in function <s.lua:2>
]], lua = [[
s.lua:3: second
]] },
  { "yields in a body", [[
aw.run(function()
  coroutine.yield()
end)
]], [[
s.lua:3: coroutine.yield in a body, outside any coroutine of its own: to
    wait, use aw.yield() or another await
]], [[
stack traceback:
	[C]: in function 'coroutine.yield'
	s.lua:3: in function <s.lua:2>
wire trace (newest first):
	function@s.lua:2
	started at s.lua:2
task 2 'function@s.lua:2'
]] },
  { "waits for itself", [[
aw.run(function() aw.current():wait() end)
]], [[
s.lua:2: a task cannot wait for itself or for a task above it
]], [[
stack traceback:
	[C]: in method 'wait'
	s.lua:2: in function <s.lua:2>
wire trace (newest first):
	function@s.lua:2
	started at s.lua:2
task 2 'function@s.lua:2'
]] },
  { "awaits in a sort", [[
aw.run(function()
  table.sort({ 2, 1 }, function(a, b) aw.sleep(0) return a < b end)
end)
]], [[
s.lua:3: cannot await inside 'sort' (aw.sleep): Lua cannot leave it half way
]], [[
stack traceback:
	[C]: in function 'aiowire.sleep'
	s.lua:3: in function <s.lua:3>
	[C]: in function 'table.sort'
	s.lua:3: in function <s.lua:2>
wire trace (newest first):
	function@s.lua:2
	started at s.lua:2
task 2 'function@s.lua:2'
]] },
  { "awaits in a generator", [[
aw.run(function()
  coroutine.wrap(function() aw.sleep(0) print "slept" end)()
end)
]], [[
]], out = "slept\n", lua_out = "", lua = [[
s.lua:3: s.lua:3: cannot await in a coroutine that the engine does not
    know (aw.sleep); make it with aw.wrap(f), or call aw.install()
]] },
  { "starts something in a scope that was left", [[
aw.run(function()
  local kept
  aw.scope(function(s) kept = s end)
  kept:start(aw.Sleep(1))
end)
]], [[
s.lua:5: this scope has been left
]], [[
stack traceback:
	[C]: in method 'start'
	s.lua:5: in function <s.lua:2>
wire trace (newest first):
	function@s.lua:2
	started at s.lua:2
task 2 'function@s.lua:2'
]] },
  { "keeps a failure, and forgets it", [[
aw.run(function(ev)
  ev:start(function() error "boom" end, aw.keep)
end)
]], [[
Lua warning: aiowire: s.lua:3: aw.keep kept the failure of task 3
    'function@s.lua:3', and nobody has waited for it: s.lua:3: boom
]], lua = [[
Lua warning: aiowire: s.lua:3: aw.keep kept the failure of task 2
    'function@s.lua:3', and nobody has waited for it: s.lua:3: boom
]] },
}

local first_line <const> = 'local aw = require "aiowire"\n'

local function unwrapped(text)
  return (text:gsub("\n    ", " "))
end

--- Returns the message of the interpreter `name`: a warning unchanged, an error
--- after that name.
local function said(name, text)
  text = unwrapped(text)
  if text == "" or text:find "^Lua warning: " then
    return text
  end
  return name .. ": " .. text
end

local function run(command, code)
  return process.run(command, { ["s.lua"] = first_line .. code })
end

describe("somebody who", function()
  for _, mistake in ipairs(mistakes) do
    local does, code, text, rest = table.unpack(mistake, 1, 4)

    it(does .. " is told so by the program [D4, E2]", function()
      local outcome = run("exec $aiowire s.lua", code)
      assert.are.equal(said("aiowire", text) .. unwrapped(rest or ""),
        outcome.err)
      assert.are.equal(mistake.out or "", outcome.out)
      assert.are.equal(rest and 1 or 0, outcome.code)
    end)

    it(does .. " is told so by lua5.4 [D4, E2]", process.under_stock(function()
      local outcome = run("exec $lua -W s.lua", code)
      local err = outcome.err:gsub("\nstack traceback:.*", "\n")
      assert.are.equal(said("lua5.4", mistake.lua or text), err)
      assert.are.equal(mistake.lua_out or mistake.out or "", outcome.out)
    end))
  end
end)
