-- The options --trace and --record of the program `aiowire` [D25, D27].

local process = require "spec.support.process"
local texts = require "spec.support.texts"
local traces = require "spec.support.traces"

local contains, in_order, lacks = texts.contains, texts.in_order, texts.lacks

-- Runs `code` with --trace. Returns the status, the trace and stderr.
local function run(code, options)
  local outcome = process.run(
    ("$aiowire --trace=x.json %s s.lua >out; echo $?; cat x.json")
      :format(options or ""), { ["s.lua"] = code })
  local status, text = outcome.out:match "^(%d+)\n(.*)$"
  return tonumber(status), traces.read(text), outcome.err
end

describe("the option --trace", function()
  for what, case in pairs {
    ["a success"] = { "", 0 },
    ["an error"] = { "error 'no'", 1 },
    ["os.exit"] = { "os.exit(3)", 3 },
    ["os.exit at once"] = { "os.exit(4, false)", 4 },
    ["a deadlock"] = { "require('aiowire').await(require('aiowire').Never)",
      13 },
    ["a time-out"] = { "require('aiowire').sleep(60)", 124, "--timeout=0.2" },
    ["a time-out of busy code"] = { "while true do end", 124,
      "--timeout=0.2" },
    ["SIGINT"] = { "io.popen('kill -INT $PPID'):close() "
      .. "require('aiowire').sleep(60)", 130 },
    ["SIGTERM"] = { "io.popen('kill -TERM $PPID'):close() "
      .. "require('aiowire').sleep(60)", 143 },
  } do
    it("writes the file after " .. what .. " [D23, D27]", function()
      local status, trace = run(case[1], case[3])
      assert.are.equal(case[2], status)
      assert.is_true(traces.track(trace, "main") > 0)
    end)
  end

  it("is not written by a child after a fork [D23]", function()
    local status, trace = run([[
local fork = require "spec_fork"
local pid = fork.fork()
if pid == 0 then
  return
end
fork.wait(pid)
assert(not io.open "x.json")
]])
    assert.are.equal(0, status)
    assert.is_true(traces.track(trace, "main") > 0)
  end)

  it("has the pauses of the collector, where that is possible [D28]", function()
    local _, trace = run "collectgarbage()"
    local pauses = traces.find(trace, { name = "full collection" })
    local cycles = traces.find(trace, { name = "cycle of the collector" })
    assert.is_true(#cycles > 0)
    assert.are.equal(trace.other.pauses > 0, #pauses > 0)
  end)

  it("needs a file that can be written [D27]", function()
    local outcome = process.run "$aiowire --trace=/nonexistent/x -e 'print(1)'"
    process.assert_outcome("", 1, outcome)
    assert.are.equal("aiowire: trace '/nonexistent/x': no such file or "
      .. "directory\n", outcome.err)
  end)

  it("needs a name [D27]", function()
    local outcome = process.run "exec $aiowire --trace"
    process.assert_outcome("", 2, outcome)
    contains(outcome.err, "'--trace' needs a value, as --trace=out.json")
  end)

  it("reports a disk that is full at the end [D22, D27]", function()
    local outcome = process.run "$aiowire --trace=/dev/full -e 'print(1)'"
    process.assert_outcome("1\n", 1, outcome)
    assert.are.equal("aiowire: cannot write the trace '/dev/full': no space "
      .. "left on device\n", outcome.err)
  end)

  it("lets the program end its trace, but begin no other [D27]", function()
    local status, _, err = run [[
local aw = require "aiowire"
assert(not pcall(aw.trace, "other.json"))
aw.trace()]]
    assert.are.equal(0, status)
    assert.are.equal("", err)
  end)

  it("tells of events that were overwritten [D27]", function()
    local outcome = process.run("exec $aiowire --trace=/dev/null s.lua",
      { ["s.lua"] = [[
local aw = require "aiowire"
for _ = 1, 100000 do
  aw.sleep(0)
end]] })
    process.assert_outcome("", 0, outcome)
    assert.is_truthy(outcome.err:find("^trace: '/dev/null' has the last %d+ "
      .. "events; %d+ before them were overwritten %(aw%.trace has an option "
      .. "`events`%)\n$"), outcome.err)
  end)

  it("lets a deadlock end with the last events [D25]", function()
    local _, _, err = run "local aw = require 'aiowire' aw.await(aw.Never)"
    contains(err, "'main' waits: sleep for ever")
  end)
end)

describe("the option --record", function()
  local FAILS <const> = "require('aiowire').sleep(0) error 'no'"

  it("shows the last events with an error [D25, D27]", function()
    local outcome = process.run("exec $aiowire --record s.lua",
      { ["s.lua"] = FAILS })
    process.assert_outcome("", 1, outcome)
    in_order(outcome.err, "aiowire: s.lua:1: no", "the last events:",
      "'main' waits: sleep 0", "'main' ended: failed, s.lua:1: no")
  end)

  it("is a part of --stats [D27]", function()
    local outcome = process.run("exec $aiowire --stats s.lua",
      { ["s.lua"] = FAILS })
    in_order(outcome.err, "the last events:", "'main' ended: failed",
      "stats: ended with status 1")
  end)

  it("shows the events of a deadlock once [D25]", function()
    local outcome = process.run("exec $aiowire --record s.lua",
      { ["s.lua"] = "local aw = require 'aiowire' aw.await(aw.Never)" })
    process.assert_exit(13, outcome)
    local _, count = outcome.err:gsub("waits: sleep for ever", "")
    assert.are.equal(1, count)
  end)

  it("shows them with a dump [D25]", function()
    local outcome = process.run("exec $aiowire --record s.lua",
      { ["s.lua"] = [[
local aw = require "aiowire"
aw.sleep(0)
io.popen "kill -QUIT $PPID":close()
aw.sleep(0)
]] })
    in_order(outcome.err, "task 1 'main'", "the events so far:",
      "'main' woke up")
  end)

  it("prints nothing else [D25]", function()
    local outcome = process.run "exec $aiowire --record -e 'aw.sleep(0)'"
    process.assert_outcome("", 0, outcome)
    lacks(outcome.err, "events")
  end)
end)
