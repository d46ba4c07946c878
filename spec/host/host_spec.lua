-- The program `aiowire` seen from outside: its arguments, output and exit
-- codes, compared with those of lua5.4.

local process = require "spec.support.process"
local texts = require "spec.support.texts"

local assert_exit, assert_outcome =
  process.assert_exit, process.assert_outcome
local contains = texts.contains

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

  it("are empty for a script without arguments [arg]", function()
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

  it("runs before the script and shares its globals [options]",
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

  it("does not run the script after an error [options]",
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
    contains(outcome.out, _VERSION)
  end)

  it("is followed by a script, which runs [options]", function()
    local outcome = process.run("exec $aiowire -v s.lua",
      { ["s.lua"] = "print 'ran'" })
    assert_exit(0, outcome)
    assert.is_truthy(outcome.out:find "^aiowire [^\n]*\nran\n$",
      outcome.out)
  end)

  it("is an argument of the script if it follows it [options]", function()
    assert_outcome("-v\n", 0, process.run("exec $aiowire s.lua -v",
      { ["s.lua"] = "print(...)" }))
  end)
end)

describe("bad usage", function()
  it("prints a message to stderr and exits with 2 [exit]", function()
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
  it("exits with 0 at its end [exit]", function()
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

  it("has only the globals of lua5.4 [host]", function()
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

  it("ends after all tasks that it started [host]", function()
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

  it("may return a Poller, which then runs [host]", function()
    assert_outcome("x\n", 0, process.host [[
local aw = require "aiowire"
child = aw.spawn { "echo", "x" }
local poller
poller = aw.Poller { [child.stdout] = function()
  print(child.stdout:read "l")
  poller:shutdown()
end }
return poller
]])
  end)

  it("may return nothing [host]", function()
    assert_outcome("", 0, process.host "return")
  end)

  -- A module for `require` may also be run as a script.
  for _, result in ipairs {
    "{}", "{ run = print }", "nil", "nil, 'x'", "false", "true", "7", "'x'",
    "print", "function() print 'never' end",
    "setmetatable({}, { __call = function() print 'never' end })",
    "coroutine.create(print)", "io.stdout", "{}, aw.Call(print, 'never')",
    "aw", "aw.current()", "aw.EventLoop {}", "aw.event()", "aw.channel()",
  } do
    it(("that returns %s ends as in lua5.4 [host]"):format(result), function()
      local script = "local aw = require 'aiowire'\nprint 'ran'\nreturn "
        .. result
      assert_outcome("ran\n", 0, process.host(script))
      assert_outcome("ran\n", 0, process.run("exec $aiowire - <s.lua",
        { ["s.lua"] = script }))
      assert_outcome("ran\n", 0, process.run("exec $aiowire <s.lua",
        { ["s.lua"] = script }))
      assert_outcome("ran\nran\nend\n", 0, process.run(
        [[exec $aiowire -e "$(cat s.lua)" -e "$(cat s.lua)" -e 'print "end"']],
        { ["s.lua"] = script }))
    end)
  end

  it("that returns no wire ends after its tasks [host]",
    function()
      assert_outcome("main\nlater\n", 0, process.host [[
local aw = require "aiowire"
aw.start(aw.Sleep(0.001) >> aw.Call(print, "later"))
print "main"
return {}
]])
    end)

  it("of LUA_INIT may return a table [host]", function()
    assert_outcome("ran\n", 0, process.run(
      "LUA_INIT=@init.lua exec $aiowire -e 'print \"ran\"'",
      { ["init.lua"] = "return {}" }))
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

  it("that does not exist makes the program exit with 1 [exit]", function()
    local theirs = process.run "exec $lua nosuch.lua"
    local ours = process.run "exec $aiowire nosuch.lua"
    assert_outcome("", 1, ours)
    assert.are.equal(theirs.err:match ": ([^\n]*)\n",
      ours.err:match ": ([^\n]*)\n")
  end)

  it("with a syntax error makes the program exit with 1 [exit]", function()
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

  it("that is bytecode after a #! line is refused, too [host]",
    function()
      local code = "#!/usr/bin/env aiowire\n"
        .. string.dump(load "print 'ran'")
      assert_outcome("", 1, process.host(code))
    end)
end)

describe("closed standard files", function()
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

  it("do no harm: input [UV13]", function()
    local outcome = process.run("exec $aiowire s.lua <&-",
      { ["s.lua"] = script })
    assert.are.same({ out = "to stdout\n", err = "nil\n", code = 0 },
      outcome)
  end)

  it("do no harm: output [UV13]", function()
    local outcome = process.run("exec $aiowire s.lua >&- </dev/null",
      { ["s.lua"] = script })
    assert.are.same({ out = "", err = "nil\n", code = 0 }, outcome)
  end)

  it("do no harm: all three [UV13]", function()
    local outcome = process.run("exec $aiowire s.lua <&- >&- 2>&-",
      { ["s.lua"] = script })
    assert.are.same({ out = "", err = "", code = 0 }, outcome)
  end)

  it("do not become files that the script opens [UV13]", function()
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
