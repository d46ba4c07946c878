-- Signals to the program `aiowire` [L2]. signals_spec.lua has signals to a
-- script under a stock lua5.4.

local process = require "spec.support.process"
local texts = require "spec.support.texts"

local prelude = process.prelude
local assert_died_by, assert_outcome =
  process.assert_died_by, process.assert_outcome
local contains, lacks = texts.contains, texts.lacks

for name, number in pairs { INT = 2, TERM = 15 } do
  describe("SIG" .. name, function()
    it("kills the program after clean-up while it sleeps [L2]",
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

    it("kills it after clean-up while a task runs [L2]", function()
      local outcome = process.host(prelude .. ([[
local _ <close> = sweeper "main"
signal_me "%s"
aw.sleep(30)
say "never"
]]):format(name))
      assert_died_by(number, outcome)
      assert.are.equal("main\n", outcome.out)
    end)

    it("kills it after clean-up while tasks are always ready [L2]",
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

    it("stops a coroutine of a body that never awaits [C9]", function()
      assert_died_by(number, process.host(prelude .. ([[
signal_me("%s", 0.1)
coroutine.wrap(function()
  while true do end
end)()
say "never"
]]):format(name)))
    end)

    it("stops a body that never awaits and catches errors [C9]", function()
      assert_died_by(number, process.host(prelude .. ([[
signal_me("%s", 0.1)
while true do
  pcall(function()
    while true do end
  end)
end
]]):format(name)))
    end)

    it("kills it after clean-up while a loop of a private engine blocks "
      .. "[L2, S6]",
      function()
        local outcome = process.host(prelude .. ([[
local _ <close> = sweeper "main"
signal_me("%s", 0.1)
aw.run(function()
  local _ <close> = sweeper "inner"
  aw.sleep(60)
end, { seed = 1 })
aw.sleep(60)
say "never"
]]):format(name))
        assert_died_by(number, outcome)
        assert.are.equal("inner\nmain\n", outcome.out)
      end)

    it("lets a running clean-up end [L2]", function()
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

    -- The grace of the loop is 5 s: an end within 3 s did not wait for it.
    it("kills at once when it comes a second time [L2]", function()
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

    it("is not an error, and prints nothing [L2]", function()
      local outcome = process.host(prelude .. ([[
signal_me("%s", 0.05)
aw.sleep(30)
]]):format(name))
      assert_died_by(number, outcome)
      lacks(outcome.err, "stack traceback")
    end)

    it("kills a script that catches Cancelled [L2]",
      function()
        local outcome = process.host(prelude .. ([[
signal_me("%s", 0.05)
print(pcall(aw.sleep, 30))
]]):format(name))
        assert_died_by(number, outcome)
      end)
  end)
end

describe("a signal during a coroutine of a body", function()
  local nested = process.prelude .. [[
local function busy(instructions)
  for _ = 1, instructions or math.huge do
  end
end
]]

  it("interrupts it, but not its later steps [L2]",
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

  it("interrupts the body, too, if it goes on [L2]", function()
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

  it("interrupts a body that only switches coroutines [L2]", function()
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

describe("a program that gets no signal", function()
  it("exits with 0 at its end [L2]", function()
    assert_outcome("end\nclean\n", 0, process.host(prelude .. [[
local _ <close> = sweeper "clean"
say "end"
]]))
  end)
end)

describe("a handler in the program", function()
  it("is interrupted by SIGINT if it never ends [C9]", function()
    local outcome = process.host [[
local aw = require "aiowire"
aw.start(function() error "first" end, function()
  os.execute("(sleep 0.2; kill -INT " .. io.open("/proc/self/stat"):read "n"
    .. ") &")
  while true do end
end)
aw.sleep(5)
]]
    assert.are.equal(2, outcome.signal)
  end)
end)

describe("SIGQUIT in the program", function()
  it("prints the dump and goes on [D2]", function()
    local outcome = process.host [[
local aw = require "aiowire"
aw.start(aw.Sleep(0.5), nil, { name = "the sleeper" })
os.execute("(sleep 0.1; kill -QUIT "
  .. io.open("/proc/self/stat"):read "n" .. ") &")
aw.sleep(0.3)
print "goes on"
]]
    contains(outcome.err, "the sleeper")
    contains(outcome.out, "goes on")
    assert.are.equal(0, outcome.code)
  end)
end)

describe("SIGHUP in the program", function()
  local script = [[
local aw = require "aiowire"
local _ <close> = setmetatable({}, { __close = function()
  print "clean"
end })
os.execute("kill -HUP " .. io.open("/proc/self/stat"):read "n")
aw.sleep(0.2)
print "goes on"
]]

  it("kills it after clean-up, as when the terminal is closed [L2]",
    function()
      local outcome = process.host(script)
      assert.are.equal("clean\n", outcome.out, outcome.err)
      assert.are.equal(1, outcome.signal)
    end)

  it("stays ignored if the parent ignored it, as nohup does [L2]", function()
    local outcome = process.run("trap '' HUP; exec $aiowire s.lua",
      { ["s.lua"] = script })
    assert.are.equal("goes on\nclean\n", outcome.out, outcome.err)
    assert.are.equal(0, outcome.code)
  end)
end)

-- ---- where a signal met a busy body ----------------------------------------

local sending = prelude .. [[
local fork = require "spec_fork"
local function send(name)
  fork.kill(({ HUP = 1, INT = 2, TERM = 15 })[name])
end
]]

--- The script must die by SIGINT, with this one line in stderr.
local function interrupted(line, script)
  local outcome = process.run("exec $aiowire s.lua",
    { ["s.lua"] = sending .. script })
  assert_died_by(2, outcome)
  local place = select(2, (sending .. script):match "^(.-)%-%- HERE"
    :gsub("\n", "")) + 1
  assert.are.equal(line:gsub("HERE", "s.lua:" .. place) .. "\n", outcome.err)
  return outcome
end

describe("SIGINT to a busy body", function()
  it("prints its line and its task [R49]", function()
    interrupted("aiowire: interrupted at HERE, in task 2 'worker'", [[
aw.start(function()
  send "INT"
  while true do end -- HERE
end, nil, { name = "worker" })
]])
  end)

  it("prints that once, however often the body goes on [R49]", function()
    interrupted("aiowire: interrupted at HERE, in task 1 'main'", [[
send "INT"
for _ = 1, 4 do
  pcall(function()
    while true do end -- HERE
  end)
end
]])
  end)

  it("raises an error with the line [R49]", function()
    local outcome = interrupted(
      "aiowire: interrupted at HERE, in task 1 'main'", [[
send "INT"
print(pcall(function()
  while true do end -- HERE
end))
]])
    assert.is_truthy(
      outcome.out:find "^false\ts.lua:%d+: interrupted!\n$", outcome.out)
  end)

  it("stops a coroutine where it cannot await [R49]", function()
    interrupted("aiowire: interrupted at HERE, in task 1 'main'", [[
table.sort({ 2, 1 }, function()
  send "INT"
  coroutine.wrap(function()
    coroutine.wrap(function()
      while true do end -- HERE
    end)()
  end)()
end)
]])
  end)

  it("stops a coroutine of a handler, and names its task [R49]", function()
    interrupted(
      "aiowire: interrupted at HERE, in the handler of task 2 'worker'", [[
aw.start(function() error "first" end, function()
  send "INT"
  coroutine.wrap(function()
    while true do end -- HERE
  end)()
end, { name = "worker" })
]])
  end)

  it("stops a body that begins in the next step [R49]", function()
    local outcome = process.run("exec $aiowire s.lua", {
      ["s.lua"] = sending .. [[
local _ <close> = sweeper "clean"
aw.run(aw.Call(send, "INT") >> aw.Call(function()
  while true do end
end))
]] })
    assert_died_by(2, outcome)
    assert.are.equal("clean\n", outcome.out)
  end)

  it("stops a body of another task in the same round [R49]", function()
    interrupted("aiowire: interrupted at HERE, in task 3 'busy'", [[
aw.start(function() aw.yield() send "INT" end)
aw.start(function()
  aw.yield()
  while true do end -- HERE
end, nil, { name = "busy" })
]])
  end)

  it("says nothing if no body is busy [R49]", function()
    assert.are.same({ out = "", err = "", signal = 2 },
      process.run("exec $aiowire s.lua", {
        ["s.lua"] = sending .. [[
send "INT"
for _ = 1, 1000 do end
aw.sleep(30)
]] }))
  end)
end)

-- The grace of the main loop is 5 s by default. An end within 4 s did not wait
-- for it; the time of a clean-up is checked from below only.
describe("the grace after a signal", function()
  it("is that of the main loop, also in a loop with a longer one [R50]",
    function()
      local outcome = process.run(
        "exec timeout 100 $aiowire --grace=0.05 s.lua", {
          ["s.lua"] = sending .. [[
aw.start(function()
  aw.yield()
  send "INT"
end)
aw.run(function()
  local _ <close> = sweeper("never", 1000)
  aw.sleep(1000)
end, { grace = 1000 })
]] })
      assert_died_by(2, outcome)
      lacks(outcome.out, "never")
    end)

  it("may be shorter in a loop of its own [R50]", function()
    local outcome = process.run(
      "exec timeout 100 $aiowire --grace=1000 s.lua", {
        ["s.lua"] = sending .. [[
aw.start(function()
  aw.yield()
  send "INT"
end)
aw.run(function()
  local _ <close> = sweeper("never", 1000)
  aw.sleep(1000)
end, { grace = 0.05 })
]] })
    assert_died_by(2, outcome)
    lacks(outcome.out, "never")
  end)
end)

-- ---- at each stage of the program ------------------------------------------

describe("SIGINT", function()
  local send = "local aw = require 'aiowire'; require('spec_fork').kill(2); "

  --- The program must die by SIGINT, with no more output than this.
  local function dies(command, expected)
    local outcome = process.run(command, {
      ["send.lua"] = send,
      ["main.lua"] = "print 'never'",
      ["late.lua"] = "KEPT = setmetatable({}, { __gc = function() "
        .. send .. " print 'never' end }) print 'end'",
    })
    assert_died_by(2, outcome)
    assert.are.equal(expected or "", outcome.out)
  end

  it("ends the program in LUA_INIT, busy or not [R49]", function()
    dies(("LUA_INIT=\"%s aw.sleep(30)\" exec $aiowire main.lua"):format(send))
    dies(("LUA_INIT=\"%s while true do end\" exec $aiowire main.lua")
      :format(send))
  end)

  it("ends it in an -e, and runs nothing that follows [R49]", function()
    dies(("exec $aiowire -e \"%s aw.sleep(30)\" -e 'print(1)' main.lua")
      :format(send))
  end)

  it("ends it while a module is loaded [R49]", function()
    dies "exec $aiowire -l send main.lua"
  end)

  it("ends it while its state is closed [R49]", function()
    dies("exec $aiowire late.lua", "end\n")
  end)

  it("ends a forked child alone [R49]", function()
    local outcome = process.host [[
local aw = require "aiowire"
local fork = require "spec_fork"
local child = fork.fork()
if child == 0 then
  fork.kill(2)
  while true do end
end
print(fork.wait(child) == -2)
]]
    assert_outcome("true\n", 0, outcome)
  end)
end)
