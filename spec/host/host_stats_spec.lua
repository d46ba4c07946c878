-- The option --stats of the program `aiowire`.

local process = require "spec.support.process"
local texts = require "spec.support.texts"

local assert_died_by, assert_outcome =
  process.assert_died_by, process.assert_outcome
local contains, lacks = texts.contains, texts.lacks

local function run(code, options)
  return process.run(("exec $aiowire --stats %s s.lua"):format(options or ""),
    { ["s.lua"] = code })
end

local block = "stats: ended ([^\n]*)\n"
  .. "  time      %d+%.%d+ s, of the processor %d+%.%d+ s, idle %d+%.%d %%\n"
  .. "  tasks     (%d+) started, at most (%d+) alive, (%d+) steps\n"
  .. "  longest   ([^\n]*)\n"
  .. "  Lua       ([^\n]*)\n"
  .. "  memory    %d+%.%d MiB at most\n$"

local function stats_of(outcome)
  local how, started, alive, steps, longest, memory = outcome.err:match(block)
  assert.is_truthy(how, outcome.err)
  return { how = how, started = tonumber(started), alive = tonumber(alive),
    steps = tonumber(steps), longest = longest, memory = memory }
end

describe("the figures of --stats", function()
  it("are printed at the end, after all output [R7]", function()
    local outcome = run [[
kept = setmetatable({}, { __gc = function() io.stderr:write "finalizer\n" end })
print "ran"
io.stderr:write "error\n"]]
    assert_outcome("ran\n", 0, outcome)
    assert.are.equal("error\nfinalizer\n", outcome.err:match "^(.-)stats: ")
    assert.are.equal("with status 0", stats_of(outcome).how)
  end)

  it("count tasks and those alive at once [R7]", function()
    local stats = stats_of(run [[
local aw = require "aiowire"
for _ = 1, 3 do
  aw.start(aw.Sleep(0.001))
end
aw.sleep(0.01)
aw.start(aw.Sleep(0.001))
]])
    assert.are.equal(5, stats.started)
    assert.are.equal(4, stats.alive)
    assert.is_true(stats.steps >= 2)
  end)

  it("name the task of the longest step [R7]", function()
    local stats = stats_of(run [[
local aw = require "aiowire"
aw.start(function()
  local start = os.clock()
  repeat until os.clock() - start > 1.5
end, nil, { name = "the slow one" })
]])
    contains(stats.longest, "'the slow one', started at s.lua:2")
  end)

  it("have the memory of Lua and the cycles of its collector [R7]", function()
    local stats = stats_of(run "collectgarbage() collectgarbage()")
    local kilobytes, cycles = stats.memory:match
      "^(%d+%.%d) KiB at the end, (%d+) cycles of the collector$"
    assert.is_true(tonumber(kilobytes) > 10)
    assert.is_true(tonumber(cycles) >= 2)
  end)

  it("do not count the tasks of other engines [R7]", function()
    local stats = stats_of(run [[
local aw = require "aiowire"
aw.run(function()
  for _ = 1, 9 do
    aw.start(aw.Sleep(1))
  end
end, { clock = "virtual" })
]])
    assert.are.equal(1, stats.started)
  end)

  local numbers = { ["by SIGHUP"] = 1, ["by SIGINT"] = 2, ["by SIGTERM"] = 15 }
  local function killed(name)
    return ("io.popen('kill -%s $PPID'):close() "):format(name)
      .. "require('aiowire').sleep(900)"
  end

  for how, code in pairs {
    ["with status 1"] = "error 'x'",
    ["with status 3"] = "os.exit(3)",
    ["at once, by os.exit(code, false)"] = "os.exit(3, false)",
    ["with status 13 (deadlock)"] = "require('aiowire').event():wait()",
    ["with status 124 (timeout)"] = "-- --timeout=0",
    ["by SIGTERM"] = killed "TERM",
    ["by SIGINT"] = killed "INT",
    ["by SIGHUP"] = killed "HUP",
  } do
    it(("are printed after an end %s [R7]"):format(how), function()
      local outcome = run(code, code:match "%-%-timeout=0")
      assert.are.equal(how, stats_of(outcome).how)
      if numbers[how] then
        assert_died_by(numbers[how], outcome)
      end
    end)
  end

  it("are printed after the loss of standard output's reader [R7]", function()
    local outcome = process.run(
      "{ $aiowire --stats s.lua; echo $? >code; } | true; cat code",
      { ["s.lua"] = "while true do print 'x' end" })
    assert_outcome("141\n", 0, outcome)
    assert.are.equal("by SIGPIPE", stats_of(outcome).how)
  end)

  it("are not printed where nothing runs [R7]", function()
    lacks(process.run("exec $aiowire --stats --version").err, "stats:")
    lacks(process.run("exec $aiowire --stats --help").err, "stats:")
  end)
end)
