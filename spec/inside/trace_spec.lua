-- aw.trace(): what the tasks did, in a file [D20 to D24].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local json = require "spec.support.json"
local process = require "spec.support.process"
local texts = require "spec.support.texts"
local traces = require "spec.support.traces"

local contains = texts.contains
local find, names, track = traces.find, traces.names, traces.track

-- Runs `body(ev)` while a trace is running. Returns the trace, and what
-- aw.trace() has returned.
local function traced(body, options, loop)
  local path = os.tmpname()
  local events, lost
  aw.run(function(ev)
    aw.trace(path, options)
    body(ev)
    events, lost = aw.trace()
  end, loop)
  local trace = traces.read_file(path)
  os.remove(path)
  return trace, events, lost
end

-- Start a body that calls `f(...)`: such a task has steps.
local function start(name, f, ...)
  local arguments = table.pack(...)
  return aw.start(function()
    f(table.unpack(arguments))
  end, nil, { name = name })
end

describe("a trace", function()
  it("shows the steps and waits of a task in their order [D21]", function()
    local trace = traced(function()
      start("worker", function()
        aw.sleep(0.001)
        aw.sleep(0.001)
      end):wait()
    end)
    assert.are.same({ "step", "sleep", "step", "sleep", "step" },
      names(trace, "worker"))
    local wait = find(trace, { cat = "wait", tid = track(trace, "worker") })[1]
    assert.are.equal("0.001", wait.args.about)
    assert.is_true(wait.dur >= 1000)
  end)

  it("shows the life of each task around them [D21]", function()
    local trace = traced(function()
      start("worker", aw.sleep, 0.001):wait()
    end)
    local number = track(trace, "worker")
    local life = find(trace, { cat = "task", tid = number })[1]
    assert.are.equal("done", life.args["end"])
    contains(life.args.started_at, "trace_spec.lua:")
    local last = find(trace, { ph = "X", tid = number })
    last = last[#last]
    assert.is_true(last.ts + last.dur <= life.ts + life.dur + 0.001)
  end)

  it("has the id of a task as the number of its track [D21]", function()
    local id
    local trace = traced(function()
      local task = start("worker", aw.sleep, 0)
      id = task.id
      task:wait()
    end)
    assert.are.equal(id, track(trace, "worker"))
  end)

  it("shows what a wait is for, and how it has ended [D21]", function()
    local trace = traced(function()
      local jobs = aw.channel(0, { name = "jobs" })
      local task = start("worker", jobs.recv, jobs)
      aw.yield()
      task:cancel "enough"
      pcall(task.wait, task)
    end)
    local wait = find(trace, { cat = "wait", tid = track(trace, "worker") })[1]
    assert.are.equal("recv", wait.name)
    contains(wait.args.about, "jobs")
    assert.are.equal("cancelled", wait.args.result)
  end)

  it("marks a cancel with its cause [D21]", function()
    local trace = traced(function()
      local task = start("worker", aw.sleep, 9)
      aw.yield()
      task:cancel "enough"
      pcall(task.wait, task)
    end)
    local cancel = find(trace, { ph = "i", name = "cancel" })[1]
    assert.are.equal(track(trace, "worker"), cancel.tid)
    assert.are.equal("task:cancel()", cancel.args.by)
  end)

  it("marks each loser of a race, also one that only waits [D21]", function()
    local trace = traced(function()
      aw.await(aw.Sleep(0.001) | aw.Sleep(9) | aw.Call(aw.sleep, 9))
    end)
    local cancels = find(trace, { ph = "i", name = "cancel" })
    assert.are.equal(2, #cancels)
    for _, cancel in ipairs(cancels) do
      assert.are.equal("a lost race", cancel.args.by)
      local life = find(trace, { cat = "task", tid = cancel.tid })[1]
      assert.are.equal("cancelled", life.args["end"])
    end
  end)

  it("marks an error with its text [D21]", function()
    local trace = traced(function()
      pcall(function()
        aw.start(aw.Call(error, "no luck", 0):named "worker", aw.keep):wait()
      end)
    end)
    local fault = find(trace, { ph = "i", name = "error" })[1]
    assert.are.equal(track(trace, "worker"), fault.tid)
    assert.are.equal("no luck", fault.args.error)
  end)

  it("calls no code of users for the text of an error [D21]", function()
    local called = false
    local trace = traced(function()
      local object = setmetatable({}, { __tostring = function()
        called = true
        return "text"
      end })
      pcall(function()
        aw.start(aw.Call(error, object):named "worker", aw.keep):wait()
      end)
    end)
    local fault = find(trace, { ph = "i", name = "error" })[1]
    assert.are.equal("table", fault.args.error)
    assert.is_false(called)
  end)

  it("draws an arrow from a start to what the task does first [D21]", function()
    local trace = traced(function()
      start("worker", aw.sleep, 0):wait()
      aw.start(aw.Sleep(0):named "waiter"):wait()
    end)
    for name, first in pairs { worker = "step", waiter = "sleep" } do
      local number = track(trace, name)
      local tail = find(trace, { ph = "s", id = number })
      local head = find(trace, { ph = "f", id = number })
      assert.are.same({ 1, 1 }, { #tail, #head })
      assert.are.equal(number, head[1].tid)
      local slice = find(trace, { ph = "X", name = first, tid = number })[1]
      assert.are.equal(slice.ts, head[1].ts)
    end
  end)

  it("knows the tasks that are older than it [D20]", function()
    local path = os.tmpname()
    aw.run(function()
      local task = start("older", aw.sleep, 0.002)
      aw.yield()
      aw.trace(path)
      task:wait()
      aw.trace()
    end)
    local trace = traces.read_file(path)
    os.remove(path)
    local life = find(trace, { cat = "task", tid = track(trace, "older") })[1]
    assert.are.equal("before this trace", life.args.begin)
    assert.are.same({ "sleep", "step" }, names(trace, "older"))
  end)

  it("shows what is under way at its end [D20]", function()
    local trace = traced(function()
      start("worker", aw.sleep, 0.01)
      aw.yield()
    end)
    local number = track(trace, "worker")
    local wait = find(trace, { cat = "wait", tid = number })[1]
    assert.are.equal("still waits", wait.args.result)
    local life = find(trace, { cat = "task", tid = number })[1]
    assert.are.equal("still alive", life.args["end"])
  end)

  it("shows when the engine blocked, and the collector [D21, D28]", function()
    local trace = traced(function()
      repeat -- on a busy machine, a sleep may be over before it blocks
        aw.sleep(0.001)
      until aw.recorded():find "nothing to do for "
      collectgarbage()
    end)
    assert.is_true(#find(trace, { tid = 0, name = "blocked" }) > 0)
    assert.is_true(#find(trace, { tid = 0, name = "working" }) > 0)
    assert.is_true(#find(trace, { tid = 0, cat = "collector" }) > 0)
    assert.is_true(#find(trace, { ph = "C", name = "tasks" }) > 0)
  end)

  it("returns the number of its events [D20]", function()
    local trace, events, lost = traced(function()
      aw.sleep(0)
    end)
    assert.are.equal(trace.other.events, events)
    assert.are.equal(0, lost)
    assert.is_true(events > 0)
  end)

  it("keeps the newest events, and counts the others [D20, D26]", function()
    local trace, events, lost = traced(function()
      for _ = 1, 200 do
        start("x", aw.sleep, 0):wait()
      end
      start("last", aw.sleep, 0):wait()
    end, { events = 64 })
    assert.is_true(events <= 64 and lost > 1000)
    assert.are.equal(lost, trace.other.overwritten)
    assert.are.same({ "step", "sleep", "step" }, names(trace, "last"))
  end)

  it("knows the names of living tasks whose start is lost [D20]", function()
    local trace = traced(function()
      local go = aw.event()
      start("early", function()
        while not go:is_set() do
          aw.sleep(0)
        end
      end)
      for _ = 1, 100 do
        aw.sleep(0)
      end
      go:set()
    end, { events = 32 })
    local life = find(trace, { cat = "task", tid = track(trace, "early") })[1]
    assert.are.equal("still alive", life.args["end"])
  end)

  it("shows names and texts of any bytes [D21]", function()
    local odd = 'a"\\\n\t\1\127é\xff\xed\xa0\x80\xf0\x9f\x98\x80'
    local trace = traced(function()
      start(odd, aw.sleep, 0):wait()
    end)
    local shown = 'a"\\\n\t\1\127é' .. ("\u{fffd}"):rep(4) .. "\u{1f600}"
    assert.is_true(track(trace, shown) > 0)
  end)

  it("shows long names cut, and still as UTF-8 [D21]", function()
    local trace = traced(function()
      start(("é"):rep(500), aw.sleep, 0):wait()
    end)
    local cut = false
    for _, event in ipairs(find(trace, { name = "thread_name" })) do
      cut = cut or event.args.name:find("^éééé") ~= nil
    end
    assert.is_true(cut)
  end)

  it("moves the times of a virtual clock by that clock [D24]", function()
    local trace = traced(function()
      start("worker", aw.sleep, 3600):wait()
    end, nil, { clock = "virtual" })
    local wait = find(trace, { cat = "wait", tid = track(trace, "worker") })[1]
    assert.is_true(wait.dur >= 3600e6)
    local step = names(trace, "worker")
    assert.are.same({ "step", "sleep", "step" }, step)
    assert.are.equal("number", type(wait.args.clock))
  end)

  it("writes numbers for JSON in any locale [D21]", function()
    local before = os.setlocale(nil, "numeric")
    for _, name in ipairs { "de_DE.UTF-8", "fr_FR.UTF-8", "C" } do
      if os.setlocale(name, "numeric") then
        break
      end
    end
    local trace = traced(function()
      start("worker", aw.sleep, 1.5):wait()
    end, nil, { clock = "virtual" })
    os.setlocale(before, "numeric")
    local wait = find(trace, { cat = "wait", tid = track(trace, "worker") })[1]
    assert.is_true(wait.dur >= 1.5e6)
  end)

  it("has other tracks for tasks of further engines [D24]", function()
    local trace = traced(function()
      start("outer", function()
        aw.run(function()
          start("inner", aw.sleep, 60):wait()
        end, { clock = "virtual" })
      end):wait()
    end)
    assert.is_true(track(trace, "inner") > 1000000)
    assert.is_true(track(trace, "outer") < 1000000)
    assert.are.same({ "step", "sleep", "step" }, names(trace, "inner"))
  end)

  it("numbers the tracks of many engines in 31 bits [D24]", function()
    if helper.gc_stress then
      pending "thousands of engines take minutes"
      return
    end
    local path = os.tmpname()
    aw.trace(path)
    for _ = 1, 3000 do
      local ev <close> = aw.EventLoop { clock = "virtual" }
      ev:start(aw.Sleep(1))
      ev:run()
    end
    aw.trace()
    local trace = traces.read_file(path)
    os.remove(path)
    local most = 0
    for _, event in ipairs(find(trace, { cat = "wait" })) do
      most = math.max(most, event.tid)
    end
    assert.is_true(most > 2999 * 100000 and most <= 0x7fffffff)
  end)

  it("shows a loop that ran in a task, and its end [D21]", function()
    local path = os.tmpname()
    aw.trace(path)
    aw.run(function()
      aw.sleep(0)
    end)
    aw.trace()
    local trace = traces.read_file(path)
    os.remove(path)
    assert.is_true(#find(trace, { cat = "task" }) > 0)
  end)

  it("can be repeated in one state [D20]", function()
    for _ = 1, 3 do
      local trace = traced(function()
        start("worker", aw.sleep, 0):wait()
      end)
      assert.are.equal(1, #find(trace, { cat = "task",
        tid = track(trace, "worker") }))
    end
  end)

  it("has the events since its begin while a recorder is on [D20]", function()
    aw.record()
    aw.run(function()
      start("before", aw.sleep, 0):wait()
    end)
    local trace = traced(function()
      start("within", aw.sleep, 0):wait()
    end)
    contains(aw.recorded(), "before")
    aw.record(false)
    assert.is_nil(aw.recorded())
    assert.is_true(track(trace, "within") > 0)
    assert.is_false((pcall(track, trace, "before")))
  end)
end)

describe("the file of a trace", function()
  local function at_this_line(message, f, ...)
    local line = debug.getinfo(2, "l").currentline
    local ok, err = pcall(f, ...)
    assert.is_false(ok)
    contains(tostring(err), message)
    return tostring(err), line
  end

  local function try(...)
    aw.trace(...)
    error "not reached"
  end

  it("must be one that can be written, at once [D22]", function()
    for _, path in ipairs { "/nonexistent/x.json", "/", "/dev", "", "x/" } do
      local err = at_this_line("trace '" .. path .. "'", try, path)
      contains(err, "trace_spec.lua:")
      local _, object = pcall(try, path)
      assert.is_true(aw.is_system_error(object), path)
    end
    assert.is_false((pcall(aw.trace)))
  end)

  it("has no \\0 in its name [D22]", function()
    at_this_line("a path without \\0 expected", try, "a\0b")
  end)

  it("belongs to one trace at a time [D20]", function()
    local path = os.tmpname()
    at_this_line("no trace is running", function()
      aw.trace()
    end)
    aw.trace(path)
    at_this_line("a trace is running already, for '" .. path .. "'", try, path)
    aw.trace()
    at_this_line("no trace is running", function()
      aw.trace()
    end)
    os.remove(path)
  end)

  it("takes a number of events [D20]", function()
    for _, bad in ipairs { "x", 0, -1, 1.5, 2 ^ 40, {} } do
      at_this_line("bad option 'events'", try, "x", { events = bad })
    end
    at_this_line("unknown option 'event'", try, "x", { event = 1 })
  end)

  it("replaces a file, and what a link refers to [D22]", function()
    local outcome = process.run([[
exec $aiowire s.lua]], { ["old.json"] = "old", ["s.lua"] = [[
local aw = require "aiowire"
os.execute "ln -s old.json link.json"
aw.trace "link.json"
aw.sleep(0)
print(io.open "old.json":read "a")
aw.trace()
print(io.open "old.json":read(17))
os.execute "test -L link.json && ls"
]] })
    process.assert_outcome("old\n{\"displayTimeUnit\n"
      .. "link.json\nold.json\ns.lua\n", 0, outcome)
  end)

  it("is where it was meant to be after a change of folder [D22]", function()
    local lfs = require "lfs"
    local here, folder = lfs.currentdir(), os.tmpname()
    os.remove(folder)
    lfs.mkdir(folder)
    lfs.chdir(folder)
    aw.trace "x.json"
    lfs.chdir(here)
    aw.trace()
    assert.is_true(#traces.read_file(folder .. "/x.json").events > 0)
    os.remove(folder .. "/x.json")
    assert.is_truthy(lfs.rmdir(folder))
  end)

  it("is as it was if the disk is full [D22]", function()
    local outcome = process.run("trap '' XFSZ; ulimit -f 1; $aiowire s.lua; ls",
      { ["x.json"] = "old", ["s.lua"] = [[
local aw = require "aiowire"
aw.trace "x.json"
for _ = 1, 200 do
  aw.sleep(0)
end
local ok, err = pcall(aw.trace)
print(ok, err.code, io.open "x.json":read "a")
print(pcall(aw.trace))
]] })
    process.assert_outcome("false\tEFBIG\told\nfalse\ts.lua:8: no trace is "
      .. "running; aw.trace(path) begins one\ns.lua\nx.json\n", 0, outcome)
  end)

  it("may be a pipe [D22]", function()
    local outcome = process.run("$aiowire s.lua | cat", { ["s.lua"] = [[
local aw = require "aiowire"
aw.trace "/dev/stdout"
aw.sleep(0)
aw.trace()
]] })
    assert.is_true(#traces.read(outcome.out).events > 0)
  end)
end)

describe("a trace that goes where standard output goes", function()
  local SCRIPT <const> = [[
print "before"
require("aiowire").sleep(0)
io.write "after\n"]]

  -- Returns the trace that follows both lines in the file `out`.
  local function behind_output(command)
    local outcome = process.run(command .. "; ls >&2; cat out",
      { ["s.lua"] = SCRIPT })
    contains(outcome.err, "out\ns.lua\n")
    local text = outcome.out:match "^before\nafter\n(.*)$"
    return traces.read(assert(text, outcome.out))
  end

  for what, command in pairs {
    ["by the name /dev/stdout"] = "$aiowire --trace=/dev/stdout s.lua >out",
    ["by its own name"] = "$aiowire --trace=out s.lua >out",
    ["by the name of the other stream"] =
      "$aiowire --trace=/dev/stderr s.lua >out 2>&1",
    ["at its end"] = "$aiowire --trace=out s.lua >>out",
  } do
    it("follows the output, " .. what .. " [D22]", function()
      assert.is_true(#behind_output(command).events > 0)
    end)
  end

  it("follows it when the process ends at once [D22, D23]", function()
    local outcome = process.run("$aiowire --trace=out s.lua >out; cat out",
      { ["s.lua"] = SCRIPT .. " os.exit(0, false)" })
    contains(outcome.out, "before\nafter\n{")
  end)
end)

describe("a trace that is under way", function()
  local function ends_by(code, stock)
    local command = stock and "$lua s.lua" or "$aiowire s.lua"
    local outcome = process.run(command .. "; cat x.json; ls >&2",
      { ["s.lua"] = [[
local aw = require "aiowire"
aw.trace "x.json"
aw.run(function()
  aw.start(aw.Call(aw.sleep, 0), nil, { name = "worker" }):wait()
end)
]] .. code })
    local trace = traces.read(outcome.out)
    assert.are.equal("worker", find(trace, { tid = track(trace, "worker"),
      cat = "task" })[1].name)
    contains(outcome.err, "s.lua\nx.json\n")
  end

  for what, code in pairs {
    ["the state ends"] = "",
    ["os.exit ends the process at once"] = "os.exit(0, false)",
    ["os.exit closes the state"] = "os.exit(0, true)",
    ["an error ends the program"] = "error 'x'",
    ["os.exit is called in a task"] = [[
aw.run(function() os.exit(0, false) end)]],
  } do
    it("is written when " .. what .. " [D23]", function()
      ends_by(code)
    end)
    it("is written when " .. what .. ", under stock Lua [D23]", function()
      if process.sanitized then
        pending "stock Lua cannot load this module"
        return
      end
      ends_by(code, true)
    end)
  end

  it("may be begun and ended by a finalizer meanwhile [D20]", function()
    local outcome = process.run("exec $aiowire s.lua", { ["s.lua"] = [[
local aw = require "aiowire"
local function trap(f)
  setmetatable({}, { __gc = f })
end
local traps = true
local function begin_or_end()
  if not pcall(aw.trace, "y.json") then
    pcall(aw.trace)
  end
  if traps then
    trap(begin_or_end)
  end
end
collectgarbage("incremental", 1, 1000)
trap(begin_or_end)
for i = 1, 300 do
  pcall(aw.trace, "x" .. i .. ".json")
  pcall(aw.trace)
end
traps = false
print "done"
]] })
    process.assert_outcome("done\n", 0, outcome)
  end)

  it("is not the child's after a fork [D23]", function()
    local ok = pcall(require, "posix.unistd")
    if not ok then
      pending "luaposix is missing"
      return
    end
    local outcome = process.run("$aiowire s.lua; cat x.json", { ["s.lua"] = [[
local aw = require "aiowire"
local unistd = require "posix.unistd"
aw.trace "x.json"
if unistd.fork() == 0 then
  os.exit(0, false)
end
require "posix.sys.wait".wait()
print(io.open "x.json")
os.exit(0, false)
]] })
    contains(outcome.out, "nil\tx.json")
  end)

  it("of a worker is written at the worker's end [D23]", function()
    local outcome = process.run("$aiowire s.lua; cat x.json", { ["s.lua"] = [[
local aw = require "aiowire"
aw.thread(function()
  local aw = require "aiowire"
  aw.trace "x.json"
  aw.start(aw.Sleep(0), nil, { name = "inside" })
end):wait()
]] })
    local trace = traces.read(outcome.out)
    assert.is_true(track(trace, "inside") > 0)
  end)
end)

describe("the reader of traces of these specs", function()
  local function wrong(message, events)
    local ok, err = pcall(traces.read, ('{"otherData":{},"traceEvents":[%s]}')
      :format(events))
    assert.is_false(ok)
    contains(tostring(err), message)
  end

  local function slice(tid, ts, dur)
    return ('{"ph":"X","pid":1,"tid":%d,"name":"a","ts":%s,"dur":%s}')
      :format(tid, ts, dur)
  end

  it("refuses slices that overlap", function()
    wrong("does not nest", slice(1, "0.000", "2.000") .. ","
      .. slice(1, "1.000", "2.000"))
  end)

  it("refuses times that go back", function()
    wrong("goes back in time", slice(1, "1.000", "0.500") .. ","
      .. slice(1, "0.999", "0.000"))
  end)

  it("refuses what is no JSON", function()
    assert.is_false((pcall(json.read, '{"traceEvents":[],}')))
  end)
end)

