-- The standard output of the program `aiowire` loses its reader, as in `aiowire
-- FILE | head -n 1`. The program cleans up, then dies by SIGPIPE. In most cases
-- here the pipe has no reader from the start.

local process = require "spec.support.process"
local texts = require "spec.support.texts"

local assert_died_by, assert_exit, assert_outcome =
  process.assert_died_by, process.assert_exit, process.assert_outcome
local contains = texts.contains

local PIPE <const> = 13

-- Makes descriptor 4 a pipe without a reader.
local unread = "mkfifo pipe; exec 3<>pipe 4>pipe 3>&-; "

-- complain() writes a line to standard error. The main chunk has a clean-up
-- that awaits.
local prelude = [[
local aw = require "aiowire"
local function complain(text)
  io.stderr:write(text, "\n")
end
local closing <close> = setmetatable({}, {
  __close = function()
    aw.shield(function()
      aw.sleep(0.001)
      complain "main closed"
    end)
  end,
})
]]

local function run(code, how)
  return process.run(unread .. (how or "exec $aiowire s.lua >&4 4>&-"),
    { ["s.lua"] = prelude .. code })
end

local function assert_cleaned(outcome)
  assert_died_by(PIPE, outcome)
  assert.are.equal("main closed\n", outcome.err)
end

local writes <const> = {
  ["print"] = [[print "x"]],
  ["io.write"] = [[io.write "x" io.flush()]],
  ["io.write in assert"] = [[assert(io.write "x") assert(io.flush())]],
  ["io.stdout"] = [[io.stdout:setvbuf "no" io.stdout:write "x"]],
  ["aw.stdout"] = [[aw.stdout:write "x"]],
  ["aw.stdout in pcall"] = [[pcall(aw.stdout.write, aw.stdout, "x")]],
  ["a child"] = [[aw.exec { "echo", "x", stdout = "inherit" }]],
  ["a child that is given aw.stdout"] = [[
aw.exec { "echo", "x", stdout = aw.stdout }]],
  ["a child that is given io.stdout"] = [[
aw.exec { "echo", "x", stdout = io.stdout }]],
  ["a child that is waited for"] = [[
local p <close> = aw.spawn { "echo", "x", stdout = "inherit" }
p:wait()]],
}

local places <const> = {
  ["the main chunk"] = "%s aw.sleep(60)",
  ["a loop of the main chunk"] = "while true do %s aw.sleep(0.001) end",
  ["a task"] = "aw.start(function() %s aw.sleep(60) end) aw.sleep(60)",
  ["a background task"] = [[
aw.start(function() %s aw.sleep(60) end, nil, { background = true })
aw.sleep(60)]],
  ["a loop inside the program's"] = [[
aw.run(function() %s aw.sleep(60) end)]],
  ["a loop with a clock of its own"] = [[
aw.run(function() %s aw.sleep(60) end, { seed = 1 })]],
  ["a wrapped coroutine"] = [[
coroutine.wrap(function() %s aw.sleep(60) end)()]],
}

describe("output without a reader", function()
  for what, write in pairs(writes) do
    for where, place in pairs(places) do
      it(("ends the program after clean-up: %s in %s [exit]"):format(what,
        where), function()
        assert_cleaned(run(place:format(write)))
      end)
    end
  end

  it("ends the program after its children [exit]", function()
    local outcome = run [[
local child <close> = aw.spawn { "sleep", "60" }
complain(child.pid)
print "x"
aw.sleep(60)
]]
    assert_died_by(PIPE, outcome)
    local pid = outcome.err:match "^(%d+)\nmain closed\n$"
    assert.is_truthy(pid, outcome.err)
    assert.is_nil(os.execute(("kill -0 %s 2>/dev/null"):format(pid)))
  end)

  it("ends a body that never awaits [exit]", function()
    assert_cleaned(run "while true do print 'x' end")
  end)

  it("ends a body that never awaits and catches errors [exit]", function()
    assert_died_by(PIPE, run [[
while true do
  pcall(function()
    while true do
      print "x"
    end
  end)
end
]])
  end)

  it("does not end a clean-up that writes [exit]", function()
    local outcome = run [[
local _ <close> = setmetatable({}, {
  __close = function()
    for i = 1, 3 do
      aw.shield(function()
        print "x"
        aw.sleep(0.001)
      end)
    end
    complain "written"
  end,
})
print "x"
aw.sleep(60)
]]
    assert_died_by(PIPE, outcome)
    assert.are.equal("written\nmain closed\n", outcome.err)
  end)

  it("does not cut short a clean-up that a signal began [exit]", function()
    local outcome = run [[
local _ <close> = setmetatable({}, {
  __close = function()
    aw.shield(function()
      print "x"
      aw.sleep(0.001)
      complain "written"
    end)
  end,
})
io.popen "kill -INT $PPID":close()
aw.sleep(60)
]]
    assert_died_by(2, outcome)
    assert.are.equal("written\nmain closed\n", outcome.err)
  end)

  it("does not prevent finalizers [exit]", function()
    local outcome = run [[
kept = setmetatable({}, {
  __gc = function()
    print "x"
    complain "finalized"
  end,
})
]]
    assert_died_by(PIPE, outcome)
    assert.are.equal("main closed\nfinalized\n", outcome.err)
  end)

  it("kills at the exit if all output was buffered [exit]", function()
    for _, exit in ipairs { "", "os.exit(5)", "os.exit(5, nil)" } do
      assert_cleaned(run([[io.write "x" ]] .. exit))
    end
    assert_died_by(PIPE, run [[io.write "x" os.exit(5, false)]])
  end)

  it("ends the program at a chunk of the command line [exit]", function()
    local outcome = process.run(unread .. "exec $aiowire -e 'print(1)' "
      .. [[-e 'io.stderr:write "second"' >&4]])
    assert_died_by(PIPE, outcome)
    assert.are.equal("", outcome.err)
  end)

  it("ends a module of -l that never returns [exit]", function()
    local outcome = process.run(unread .. "exec $aiowire -l m >&4",
      { ["m.lua"] = "while true do print 'x' end" })
    assert_died_by(PIPE, outcome)
  end)

  it("ends the output of -v, --help and --version [exit]", function()
    for _, option in ipairs { "-v", "--help", "--version" } do
      assert_died_by(PIPE,
        process.run(unread .. "exec $aiowire " .. option .. " >&4"))
    end
  end)

  it("does not hide other errors [exit]", function()
    local outcome = run [[error "boom"]]
    assert_exit(1, outcome)
    contains(outcome.err, "s.lua:13: boom")
  end)

  it("may lose its reader later [exit]", function()
    local outcome = process.run(
      "{ $aiowire s.lua; echo $? >code; } | head -n 1; cat code",
      { ["s.lua"] = prelude .. "while true do print 'x' aw.sleep(0.001) end" }
    )
    assert.are.same({ out = "x\n141\n", err = "main closed\n", code = 0 },
      outcome)
  end)

  it("may be the pipe of standard error as well [exit]", function()
    local outcome = run([[
local _ <close> = setmetatable({}, {
  __close = function()
    io.open("closed", "w"):close()
  end,
})
print "x"
complain "x"
aw.sleep(60)
]], "$aiowire s.lua >&4 2>&4 4>&-; echo $?; ls closed")
    assert_outcome("141\nclosed\n", 0, outcome)
  end)

  it("may be a socket [exit]", function()
    local outcome = process.run("exec $aiowire s.lua", { ["s.lua"] = [[
local aw = require "aiowire"
local python = [=[
import os, socket, subprocess, sys
ours, theirs = socket.socketpair()
child = subprocess.Popen(sys.argv[1:], stdout=theirs, stderr=subprocess.PIPE)
theirs.close()
ours.close()
print(child.communicate()[1].decode(), child.returncode)
]=]
local how = aw.exec { "python3", "-c", python, arg[-1], "-e", [=[
  local _ <close> = setmetatable({}, {
    __close = function() io.stderr:write "closed" end,
  })
  while true do
    print "x"
    aw.sleep(0.001)
  end]=] }
io.write(how.out)
]] })
    assert_outcome("closed -13\n", 0, outcome)
  end)
end)

describe("another pipe without a reader", function()
  it("makes the write fail [E4]", function()
    local outcome = process.host [[
local aw = require "aiowire"
local child <close> = aw.spawn { "true" }
child:wait()
print(select(2, pcall(child.stdin.write, child.stdin, "x")).code)
local file <close> = io.popen("exec true", "w")
local ok, why
repeat
  ok, why = file:write(("x"):rep(65536))
until not ok
print(why)
]]
    assert_outcome("EPIPE\nBroken pipe\n", 0, outcome)
  end)

  it("may be the output of a child, which then dies [E4]", function()
    assert_outcome("13\nend\n", 0, process.host [[
local aw = require "aiowire"
local child <close> = aw.spawn { "yes" }
child.stdout:close()
print(child:wait().signal)
aw.sleep(0.001)
print "end"
]])
  end)
end)

describe("output without a reader, in a stock lua5.4,", function()
  local function stock(code)
    return process.run(unread .. "exec $lua s.lua >&4 4>&-",
      { ["s.lua"] = "local aw = require 'aiowire'\n" .. code })
  end

  it("kills as without the module [UV9]", process.under_stock(function()
    assert_died_by(PIPE, stock [[aw.run(aw.Call(print, "x"))]])
  end))

  it("makes the write of a stream fail [UV9]", process.under_stock(function()
    local outcome = stock [[
aw.run(function()
  local _, err = pcall(aw.stdout.write, aw.stdout, "x")
  io.stderr:write(tostring(err), " ", err.code)
end)]]
    assert_exit(0, outcome)
    contains(outcome.err, "write 'stdout': broken pipe EPIPE")
  end))
end)
