-- SIGQUIT to the program `aiowire`: it prints all tasks and goes on; twice
-- within a second, it ends the program [R45-R47]. host_signals_spec.lua has the
-- signals that stop it.
--
-- The scripts send signals to themselves by send(name), whose handler has run
-- when it returns. So the order of events is certain.

local process = require "spec.support.process"
local texts = require "spec.support.texts"

local assert_died_by, assert_outcome =
  process.assert_died_by, process.assert_outcome
local contains, lacks = texts.contains, texts.lacks

local QUIT <const> = 3

local prelude = process.prelude .. [[
local fork = require "spec_fork"
local function send(name)
  fork.kill(({ HUP = 1, INT = 2, QUIT = 3, TERM = 15 })[name])
end
local function count(most)
  local n = 0
  for i = 1, most do n = n + 1 end -- HERE
  return n
end
]]

--- Run a script with the prelude.
local function run(script, command)
  return process.run(command or "exec $aiowire s.lua",
    { ["s.lua"] = prelude .. script })
end

--- The number of dumps in the text.
local function dumps(text)
  return select(2, text:gsub("EventLoop 'main' %(", ""))
end

--- The script must end well, with this output and one dump, which says that a
--- task is busy at the line with this comment.
local function goes_on(expected, script, comment)
  local outcome = run(script)
  assert_outcome(expected, 0, outcome)
  assert.are.equal(1, dumps(outcome.err), outcome.err)
  if comment then
    contains(outcome.err, ("busy at %s\n"):format(
      process.place_of(prelude .. script, comment)))
  end
  return outcome
end

describe("SIGQUIT while a body is busy", function()
  it("prints where, and the body goes on [R45]", function()
    local outcome = goes_on("10000\n", [[
aw.start(aw.Sleep(60), nil, { name = "sleeper", background = true })
aw.start(function()
  send "QUIT"
  say(count(10000))
end, nil, { name = "worker" })
]], "HERE")
    assert.is_truthy(outcome.err:find(
      "task %d+ 'worker'  running  [^\n]*\n[^\n]*busy at s.lua:%d+\n"),
      outcome.err)
    contains(outcome.err, "'sleeper'  ")
  end)

  it("prints one dump if the body ends at once [R45]", function()
    local outcome = goes_on("end\n", [[
aw.start(function() send "QUIT" end)
aw.yield()
aw.yield()
say "end"
]])
    lacks(outcome.err, "busy at")
  end)

  it("prints one dump if the run ends at once [R45]", function()
    goes_on("", [[send "QUIT"]])
  end)

  it("prints it in coroutines, also where they cannot await [R45]",
    function()
      goes_on("10000\n", [[
local function generate()
  coroutine.yield(nil)
  send "QUIT"
  coroutine.yield(count(10000))
end
local next = coroutine.wrap(generate)
table.sort({ 2, 1 }, function()
  next()
  say(next())
end)
]], "HERE")
    end)

  it("prints it while coroutines are switched all the time [R45]", function()
    goes_on("1000\n", [[
local next = coroutine.wrap(function()
  local n = 0
  while true do
    n = n + 1
    coroutine.yield(n)
  end
end)
send "QUIT"
local n
repeat n = next() until n == 1000
say(n)
]])
  end)

  it("raises nothing that a pcall could catch [R45]", function()
    goes_on("0\n", [[
local failed = 0
send "QUIT"
for _ = 1, 1000 do
  if not pcall(function() for _ = 1, 10 do end end) then
    failed = failed + 1
  end
end
say(failed)
]])
  end)

  it("prints it in a handler, whose task has ended [R45]", function()
    local outcome = goes_on("10000\n", [[
aw.start(function() error "first" end, function()
  send "QUIT"
  coroutine.wrap(function() say(count(10000)) end)()
end, { name = "worker" })
]])
    assert.is_truthy(outcome.err:find(
      "\nthe handler of task %d+ 'worker' is busy at s.lua:%d+\n"),
      outcome.err)
  end)

  it("prints it in a __close [R45]", function()
    goes_on("10000\n", [[
do
  local _ <close> = closing(function()
    send "QUIT"
    say(count(10000))
  end)
end
]], "HERE")
  end)

  it("prints it in a loop with a clock of its own, and what is around it "
    .. "[R45]", function()
      local script = [[
aw.run(function() -- RUN
  aw.sleep(1000)
  send "QUIT"
  say(count(10000))
end, { clock = "virtual" })
]]
      local outcome = goes_on("10000\n", script, "HERE")
      assert.is_truthy(outcome.err:find("runs a loop at s.lua:%d+"),
        outcome.err)
    end)

  it("leaves a debug hook of the user where it was [R45]", function()
    goes_on("true\t\t1000\ttrue\n", [[
local calls = 0
debug.sethook(function() calls = calls + 1 end, "", 1000)
local before = debug.gethook()
send "QUIT"
count(10000)
local now, mask, number = debug.gethook()
local seen = calls
count(10000)
print(now == before, mask, number, calls > seen)
]])
  end)

  it("leaves coroutines alone that are made at that moment [R45]", function()
    goes_on("nil\t10000\n", [[
send "QUIT"
local co = coroutine.create(count)
count(10000)
local _, n = coroutine.resume(co, 10000)
print(debug.gethook(co), n)
]])
  end)

  it("prints it again for a later one [R45]", function()
    local outcome = run [[
send "QUIT"
count(1000)
aw.sleep(1.2)
send "QUIT"
say(count(1000))
]]
    assert_outcome("1000\n", 0, outcome)
    assert.are.equal(2, dumps(outcome.err), outcome.err)
  end)

  it("comes to the main program while a worker is busy [R45]", function()
    local outcome = run [[
local t <close> = aw.thread(function()
  while true do end
end)
send "QUIT"
aw.sleep(0.01)
say "end"
]]
    assert_outcome("end\n", 0, outcome)
    assert.are.equal(1, dumps(outcome.err), outcome.err)
  end)
end)

describe("SIGQUIT while the program waits", function()
  it("disturbs no read of a pipe [R45]", function()
    local outcome = run([[
io.open("ready", "w"):close()
say(io.read())
]], [[(
      until [ -e ready ]; do sleep 0.02; done
      sleep 0.1
      kill -QUIT $(cat pid)
      sleep 0.1
      echo text
    ) | sh -c 'echo $$ >pid; exec "$0" s.lua' $aiowire]])
    assert_outcome("text\n", 0, outcome)
    assert.are.equal(1, dumps(outcome.err), outcome.err)
  end)

  it("goes to aw.signal instead, if the script waits for it [R45]", function()
    local outcome = run [[
aw.start(function()
  aw.yield()
  send "QUIT"
end)
aw.signal "QUIT"
say "got it"
]]
    assert_outcome("got it\n", 0, outcome)
    assert.are.equal("", outcome.err)
  end)
end)

describe("SIGQUIT outside of all runs", function()
  it("says that there are no tasks, and goes on [R46]", function()
    local outcome = run [[
KEPT = setmetatable({}, { __gc = function()
  send "QUIT"
  say "the state ends"
end })
]]
    assert_outcome("the state ends\n", 0, outcome)
    assert.are.equal("aiowire: no tasks\n", outcome.err)
  end)

  it("ends the program if two come at once [R47]", function()
    local outcome = run [[
KEPT = setmetatable({}, { __gc = function()
  while true do send "QUIT" end
end })
]]
    assert_died_by(QUIT, outcome)
  end)
end)

-- Two signals of send() are less than a second apart, unless the machine stops
-- the program in between; so there are as many as it takes.
describe("SIGQUIT twice within a second", function()
  it("ends the program while a body is busy [R47]", function()
    assert_died_by(QUIT, run [[
local _ <close> = sweeper "never"
while true do send "QUIT" end
]])
  end)

  it("ends it while it waits [R47]", function()
    assert_died_by(QUIT, run [[
aw.start(function()
  while true do
    send "QUIT"
    aw.sleep(0)
  end
end)
aw.sleep(1000)
]])
  end)

  it("ends it while it is stuck in C [R47]", function()
    assert_died_by(QUIT, run([[
io.popen("while kill -QUIT $PPID; do :; done >/dev/null 2>&1 &"):close()
io.read()
]], "mkfifo pipe; exec 3<>pipe; exec $aiowire s.lua <&3"))
  end)
end)

describe("a signal that is ignored when the program starts", function()
  it("stays ignored, as in a background job of sh [R48]", function()
    for _, name in ipairs { "HUP", "INT", "QUIT", "TERM" } do
      local outcome = run(([[
send "%s"
aw.sleep(0)
count(1000)
say "goes on"
]]):format(name), ("trap '' %s; exec $aiowire s.lua"):format(name))
      assert_outcome("goes on\n", 0, outcome)
      assert.are.equal("", outcome.err)
    end
  end)

  it("still comes to a script that waits for it [R48]", function()
    assert_outcome("got it\n", 0, run([[
aw.start(function()
  aw.yield()
  send "INT"
end)
aw.signal "INT"
say "got it"
]], "trap '' INT; exec $aiowire s.lua"))
  end)
end)
