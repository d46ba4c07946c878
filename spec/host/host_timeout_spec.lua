-- The options --timeout and --grace of the program `aiowire`.

local process = require "spec.support.process"
local texts = require "spec.support.texts"

local assert_died_by, assert_exit, assert_outcome = process.assert_died_by,
  process.assert_exit, process.assert_outcome
local contains, lacks = texts.contains, texts.lacks

-- A script calls begun() when it has come to what the limit is to cut. On a
-- busy machine the limit may be over before: then it runs again with more time.
local prelude = process.prelude .. [[
local function begun()
  say "begun"
end
]]

-- Runs a command with `$aiowire` and a limit. Returns the outcome without the
-- line "begun", and the message of the limit without what it cut short.
local function limited(command, files)
  local seconds = 0.2
  while true do
    local outcome = process.run(command:gsub("$limit",
      ("--timeout=%.14g"):format(seconds)), files)
    local rest, count = outcome.out:gsub("begun\n", "", 1)
    if count == 1 or seconds > 100 then
      outcome.out = rest
      return outcome, ("aiowire: timeout after %.14g s"):format(seconds)
    end
    seconds = seconds * 4
  end
end

local function script(code, options)
  return limited(("exec $aiowire $limit %s s.lua"):format(options or ""),
    { ["s.lua"] = prelude .. code })
end

-- The message about a cut in the script's line that has "-- here".
local function cut(message, code, what)
  local before = (prelude .. code):match "^(.-)%-%- here"
  local _, line = before:gsub("\n", "")
  return ("%s (cut short: %s in task 1, s.lua:%d)\n"):format(message, what,
    line + 1)
end

describe("a program with --timeout", function()
  it("that ends before exits as without it [R4]", function()
    assert_outcome("ran\n", 3, process.run(
      "exec $aiowire --timeout=300 s.lua",
      { ["s.lua"] = "print 'ran' os.exit(3)" }))
    assert_outcome("ran\n", 1, process.run(
      "exec $aiowire --timeout=300 s.lua",
      { ["s.lua"] = "print 'ran' error('timeout', 0)" }))
  end)

  it("that has no time runs nothing [R4]", function()
    local outcome = process.run("exec $aiowire --timeout=0 s.lua",
      { ["s.lua"] = "print 'ran'" })
    assert_outcome("", 124, outcome)
    assert.are.equal("aiowire: timeout after 0 s\n", outcome.err)
  end)

  it("tells which wait the limit cut short [R4]", function()
    local code = [[
begun()
aw.sleep(900) -- here
say "never"
]]
    local outcome, message = script(code)
    assert_outcome("", 124, outcome)
    assert.are.equal(cut(message, code, "sleep 900 s"), outcome.err)
  end)

  it("tells where a task was busy [R4]", function()
    local code = [[
begun()
while true do end -- here
]]
    local outcome, message = script(code)
    assert_outcome("", 124, outcome)
    assert.are.equal(cut(message, code, "a function that does not wait"),
      outcome.err)
  end)

  for name, code in pairs {
    ["in a coroutine"] = "coroutine.wrap(function() while true do end end)()",
    ["in pcall"] = [[
while true do
  pcall(function() while true do end end)
end]],
    ["in a task"] = [[
aw.start(function() while true do end end)
aw.sleep(900)]],
    ["with tasks that are always ready"] = [[
aw.start(aw.Forever(aw.Call(aw.yield)))
while true do
  aw.yield()
end]],
    ["in a loop of its own"] = "aw.run(function() while true do end end)",
    ["on a virtual clock"] = [[
aw.run(function()
  while true do
    aw.sleep(1)
  end
end, { clock = "virtual" })]],
    ["in a wire that main returns"] = [[
return aw.Call(function() while true do end end)]],
    ["in a worker"] = [[
aw.thread(function() while true do end end)
aw.sleep(900)]],
  } do
    it(("is cut while it is busy %s [R4]"):format(name), function()
      local outcome, message = script("begun()\n" .. code)
      assert_outcome("", 124, outcome)
      contains(outcome.err, message)
    end)
  end

  it("is cut in a busy handler of an error [R4]", function()
    local outcome, message = script [[
aw.start(function() error "first" end, function()
  begun()
  while true do end
end)
]]
    assert_exit(124, outcome)
    contains(outcome.err, message
      .. " (cut short: the handler of an error in task 2, started at s.lua:")
    contains(outcome.err, "first")
    contains(outcome.err, "interrupted!")
  end)

  it("ends a deadlock, and tells what waits [R4]", function()
    local code = [[
begun()
aw.event():wait() -- here
]]
    local outcome, message = script(code)
    assert_outcome("", 124, outcome)
    contains(outcome.err, message .. " (cut short: wait event s.lua:")
  end)

  it("is cut in an -e, in LUA_INIT and in a module of -l [R4]", function()
    local busy = "print 'begun' io.stdout:flush() while true do end"
    for _, command in ipairs {
      "exec $aiowire $limit -e \"$(cat busy.lua)\" -e 'print \"never\"'",
      "LUA_INIT=@busy.lua exec $aiowire $limit -e 'print \"never\"'",
      "exec $aiowire $limit -l busy -e 'print \"never\"'",
      "exec $aiowire $limit - <busy.lua",
    } do
      local outcome, message = limited(command, { ["busy.lua"] = busy })
      assert_outcome("", 124, outcome)
      contains(outcome.err, message)
    end
  end)

  it("is cut while it reads the script [R4]", function()
    local outcome = process.run("mkfifo pipe; sleep 900 >pipe & "
      .. "$aiowire --timeout=0.1 --grace=900 - <pipe; code=$?; "
      .. "kill $!; exit $code")
    assert_outcome("", 124, outcome)
    assert.are.equal("aiowire: timeout after 0.1 s\n", outcome.err)
  end)

  it("has the rest of the time for the next chunk [R4]", function()
    local outcome, message = limited([[exec $aiowire $limit \
      -e 'first = aw.deadline()' \
      -e 'print "begun" print(math.abs(aw.deadline() - first) < 0.1)
          io.stdout:flush() aw.sleep(900)' \
      -e 'print "never"']])
    assert_outcome("true\n", 124, outcome)
    contains(outcome.err, message)
  end)

  it("exits with 124 after an os.exit in a finalizer at the end [R4]",
    function()
      local outcome, message = script [[
kept = setmetatable({}, { __gc = function()
  say "closed"
  os.exit(5)
end })
begun()
aw.sleep(900)]]
      assert_outcome("closed\n", 124, outcome)
      contains(outcome.err, message)
    end)

  it("is ended in a finalizer at the end, after the grace [R4]", function()
    local outcome = script([[
kept = setmetatable({}, { __gc = function()
  begun()
  while true do end
end })
io.write "written\n"
]], "--grace=0.01")
    assert_outcome("written\n", 124, outcome)
    assert.are.equal("aiowire: timeout in a finalizer at the end\n",
      outcome.err)
  end)
end)

describe("the limit of the program", function()
  it("is what aw.deadline() shows [R4]", function()
    assert_outcome("true\ntrue\n", 0, process.run(
      "exec $aiowire --timeout=500 s.lua", { ["s.lua"] = [[
local aw = require "aiowire"
local function left()
  return aw.deadline() - aw.now()
end
print(left() > 0 and left() < 500)
aw.run(function() print(left() > 0 and left() < 500) end)
]] }))
  end)

  it("cannot be moved by aw.extend [R5]", function()
    assert_outcome("false\ts.lua:2: cannot move the time limit of the program\n"
      .. "true\n", 0, process.run("exec $aiowire --timeout=500 s.lua",
      { ["s.lua"] = [[
local aw = require "aiowire"
print(pcall(function() aw.extend(9000) end))
print(aw.deadline() - aw.now() <= 500)
]] }))
  end)

  it("lets limits inside of it be moved [R5]", function()
    assert_outcome("true\ttrue\n", 0, process.run(
      "exec $aiowire --timeout=500 s.lua", { ["s.lua"] = [[
local aw = require "aiowire"
aw.timeout(1, function()
  aw.extend(300)
  local later = aw.deadline() - aw.now() > 200
  aw.extend(9000)
  print(later, aw.deadline() - aw.now() <= 500)
end)
]] }))
  end)
end)

describe("clean-up after the limit", function()
  it("runs within the grace [R6]", function()
    local outcome = script [[
local _ <close> = sweeper "main"
aw.start(function()
  local _ <close> = sweeper "task"
  begun()
  aw.sleep(900)
end)
aw.sleep(900)
]]
    assert_exit(124, outcome)
    contains(outcome.out, "main\n")
    contains(outcome.out, "task\n")
  end)

  it("is cut at the end of --grace [R6]", function()
    local outcome = script([[
local _ <close> = closing(function()
  say "begins"
  aw.shield(function() aw.sleep(900) end, 900)
  say "never"
end)
begun()
aw.sleep(900)
]], "--grace=0.01")
    assert_outcome("begins\n", 124, outcome)
  end)

  it("cannot wait with --grace=0 [R6]", function()
    local outcome = script([[
local _ <close> = closing(function()
  say "begins"
  aw.shield(function() aw.sleep(0.001) end)
  say "never"
end)
begun()
aw.sleep(900)
]], "--grace=0")
    assert_exit(124, outcome)
    lacks(outcome.out, "never")
  end)

  it("is cut at the end of --grace if it is busy [R6]", function()
    local outcome = script([[
local _ <close> = closing(function()
  say "begins"
  while true do end
end)
begun()
aw.sleep(900)
]], "--grace=0.01")
    assert_outcome("begins\n", 124, outcome)
  end)

  it("may not choose the status by os.exit [R6]", function()
    local outcome = script [[
local _ <close> = closing(function() os.exit(3) end)
begun()
aw.sleep(900)
]]
    assert_outcome("", 124, outcome)
  end)

  it("has its errors shown after the message of the limit [R6]", function()
    local outcome, message = script [[
local _ <close> = closing(function() error "in clean-up" end)
begun()
aw.sleep(900)
]]
    assert_outcome("", 124, outcome)
    assert.are.equal(message, outcome.err:sub(1, #message))
    assert.is_truthy(outcome.err:find "\naiowire: s%.lua:%d+: in clean%-up\n",
      outcome.err)
  end)

  it("ends at once by the first signal, which ends the program [R6]",
    function()
      local outcome = script([[
local _ <close> = closing(function()
  aw.shield(function()
    signal_me "INT"
    aw.sleep(900)
  end, 900)
  say "never"
end)
begun()
aw.sleep(900)
]], "--grace=900")
      assert_died_by(2, outcome)
      assert.are.equal("", outcome.out)
    end)

  it("after os.exit keeps the status if it ends by itself [R6]", function()
    local outcome = script [[
local _ <close> = closing(function()
  begun()
  local limit = aw.now() + 0.3
  aw.shield(function() aw.sleep_until(limit) end, 60)
  say "clean"
end)
os.exit(3)
]]
    assert_outcome("clean\n", 3, outcome)
  end)

  it("that blocks outside of Lua is given up 2 s after the grace [R6]",
    function()
      local outcome = limited("$aiowire $limit --grace=0.01 s.lua; code=$?; "
        .. "kill $(cat pid); exit $code", { ["s.lua"] = prelude .. [[
begun()
os.execute "echo $$ >pid; exec sleep 900 >/dev/null 2>&1"
]] })
      assert_outcome("", 124, outcome)
      contains(outcome.err, "the program does not end")
    end)
end)

describe("the option --grace", function()
  it("holds for signals, too [R6]", function()
    local outcome = process.run("exec $aiowire --grace=0.01 s.lua",
      { ["s.lua"] = process.prelude .. [[
local _ <close> = closing(function()
  say "begins"
  aw.shield(function() aw.sleep(900) end, 900)
  say "never"
end)
signal_me "TERM"
aw.sleep(900)
]] })
    assert_died_by(15, outcome)
    assert.are.equal("begins\n", outcome.out)
  end)

  it("holds for os.exit, too [R6]", function()
    assert_outcome("begins\n", 3, process.run(
      "exec $aiowire --grace=0.01 s.lua", { ["s.lua"] = process.prelude .. [[
local _ <close> = closing(function()
  say "begins"
  aw.shield(function() aw.sleep(900) end, 900)
  say "never"
end)
os.exit(3)
]] }))
  end)
end)
