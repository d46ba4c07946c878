-- aw.record() and aw.recorded(): the last events of tasks, as text [D25, D26].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local process = require "spec.support.process"
local texts = require "spec.support.texts"

local contains, in_order, lacks = texts.contains, texts.in_order, texts.lacks

-- Runs `body` with a recorder. Returns the text of the last `most` events.
local function recorded(body, most, options)
  local text
  aw.record()
  aw.run(function(ev)
    body(ev)
    text = aw.recorded(most)
  end, options)
  aw.record(false)
  return text
end

local function lines_of(text)
  local count = 0
  for _ in text:gmatch "[^\n]+" do
    count = count + 1
  end
  return count
end

describe("a recorder", function()
  it("is off, unless it is asked for [D26]", function()
    assert.is_nil(aw.recorded())
    aw.record()
    assert.are.equal("string", type(aw.recorded()))
    aw.record(false)
    assert.is_nil(aw.recorded())
    aw.record(false)
  end)

  it("tells what tasks did, the newest last [D26]", function()
    in_order(recorded(function()
      aw.start(function()
        aw.sleep(0.001)
      end, nil, { name = "worker" }):wait()
    end), "'worker' started at ", "'worker' ran for ",
      "'worker' waits: sleep 0.001", "'worker' woke up",
      "'worker' ended: done")
  end)

  -- On a busy machine, a sleep may be over before the engine blocks.
  it("tells when no task was ready [D26]", function()
    in_order(recorded(function()
      repeat
        aw.sleep(0.001)
      until aw.recorded():find "nothing to do for "
    end), " waits: sleep 0.001", "nothing to do for ", " woke up")
  end)

  it("tells the span of a sleep as the program has said it [D26]", function()
    local naps = aw.Sleep(0.001) * 3 >> aw.Sleep(0.0025)
    in_order(recorded(function()
      aw.start(naps, nil, { name = "napper" }):wait()
    end), "waits: sleep 0.001\n", "waits: sleep 0.001\n",
      "waits: sleep 0.001\n", "waits: sleep 0.0025\n")
  end)

  it("says how many children a task waits for, as a dump does [D26]",
    function()
      local text = recorded(function()
        aw.all { aw.Sleep(0), aw.Sleep(0) }
        aw.scope(function(s)
          s:start(aw.Sleep(0))
        end)
      end)
      contains(text, "waits: join 2 children\n")
      contains(text, "waits: join 1 child\n")
    end)

  it("tells of steps in a row in one line, which counts as one [D26]",
    function()
      if helper.gc_stress then
        pending "pauses of the collector stand between the steps"
        return
      end
      local function body(ev)
        aw.sleep(0)
        for _ = 1, 50 do
          aw.yield()
        end
        local scope_task = ev:start(aw.Sleep(0))
        scope_task:wait()
      end
      collectgarbage "stop" -- on a busy machine, a pause may be a long one
      local all, last = recorded(body), recorded(body, 8)
      collectgarbage "restart"
      assert.is_truthy(all:find "ran 5%d times, for 0%.%d+ s in all")
      assert.are.equal(8, lines_of(last))
      contains(last, " times, for ")
    end)

  it("mixes up no texts of events [D26]", function()
    aw.record()
    local ev = aw.EventLoop()
    for i = 1, 20 do
      ev:start(aw.Sleep(0), nil, { name = ("n"):rep(i) })
    end
    ev:run()
    local text = aw.recorded()
    aw.record(false)
    for i = 1, 20 do
      local line = text:match("'" .. ("n"):rep(i) .. "' started([^\n]*)")
      assert.is_truthy(line:find "^ at %S*recorder_spec%.lua:%d+$", text)
    end
  end)

  it("leaves out collections that have delayed nobody [D26]", function()
    lacks(recorded(function()
      collectgarbage()
      collectgarbage()
    end), "a cycle")
  end)

  it("tells why a task was cancelled, and with what it failed [D26]", function()
    local text = recorded(function()
      local task = aw.start(function()
        aw.sleep(9)
      end, nil, { name = "cut" })
      aw.yield()
      task:cancel "enough"
      pcall(task.wait, task)
      pcall(function()
        aw.start(aw.Call(error, "no luck", 0):named "bad", aw.keep):wait()
      end)
    end)
    contains(text, "'cut' is cancelled by task:cancel()")
    contains(text, "'cut' woke up: cancelled")
    contains(text, "'cut' ended: cancelled")
    contains(text, "'bad' ended: failed, no luck")
  end)

  it("returns as many events as are asked for [D26]", function()
    local text = recorded(function()
      for _ = 1, 20 do
        aw.sleep(0)
      end
    end, 3)
    assert.are.equal(3, lines_of(text))
  end)

  it("has the last 4096 records, and no more [D26]", function()
    local text = recorded(function()
      for i = 1, 3000 do
        aw.start(aw.Sleep(0), nil, { name = "n" .. i }):wait()
      end
    end)
    lacks(text, "'n1' ended")
    contains(text, "'n3000' ended")
    assert.is_true(lines_of(text) > 1000 and lines_of(text) <= 4096)
  end)

  it("tells tasks of several engines apart [D26]", function()
    local text = recorded(function()
      aw.run(function()
        aw.start(aw.Sleep(60), nil, { name = "inner" }):wait()
      end, { clock = "virtual" })
    end)
    assert.is_truthy(text:find "task %d+:%d+ 'inner' ended: done")
    contains(text, "the clock of the tasks says ")
  end)

  it("refuses wrong arguments [D26]", function()
    assert.has_error(function() aw.record(1) end)
    assert.has_error(function() aw.recorded(0) end)
    assert.has_error(function() aw.recorded("x") end)
  end)

  it("needs no memory of Lua while it records [D26]", function()
    aw.run(function()
      local function work()
        for _ = 1, 1000 do
          aw.yield()
        end
      end
      work()
      aw.record()
      work()
      collectgarbage()
      collectgarbage "stop"
      local before = collectgarbage "count"
      work()
      local grown = collectgarbage "count" - before
      collectgarbage "restart"
      assert.is_true(grown < 16, grown)
    end)
    aw.record(false)
  end)

  it("survives collections in its own text [D26]", function()
    aw.record()
    for _ = 1, 50 do
      aw.run(function()
        aw.sleep(0)
        collectgarbage()
      end)
      assert.is_true(#aw.recorded() > 0)
    end
    aw.record(false)
  end)
end)

describe("a report", function()
  it("of a Deadlock ends with the last events [D25]", function()
    aw.record()
    local ok, err = pcall(aw.run, function()
      aw.start(aw.Sleep(0), nil, { name = "before" }):wait()
      aw.await(aw.Never)
    end)
    aw.record(false)
    assert.is_false(ok)
    local head = helper.gc_stress and "the last 100 events"
      or "the events so far:"
    in_order(tostring(err), "Deadlock: ", head,
      "'before' ended: done", "waits: sleep for ever")
  end)

  it("has the last 100 of more events [D25]", function()
    aw.record()
    local _, err = pcall(aw.run, function()
      for _ = 1, 100 do
        aw.sleep(0)
      end
      aw.await(aw.Never)
    end)
    aw.record(false)
    local text = tostring(err):match
      "the last 100 events %(aw%.recorded%(%) returns more%):\n(.*)"
    assert.are.equal(100, lines_of(text))
  end)

  it("of a Deadlock has none if nothing is recorded [D25]", function()
    local _, err = pcall(aw.run, function()
      aw.await(aw.Never)
    end)
    lacks(tostring(err), "events")
  end)
end)

describe("AIOWIRE_RECORD", function()
  it("records from the start, in workers too [D25]", function()
    local outcome = process.run("exec env AIOWIRE_RECORD=1 $aiowire s.lua",
      { ["s.lua"] = [[
local aw = require "aiowire"
aw.sleep(0)
print(aw.recorded():find("'main' started", 1, true) ~= nil)
print(aw.thread(function()
  local aw = require "aiowire"
  return aw.recorded() ~= nil
end):wait())
]] })
    process.assert_outcome("true\ntrue\n", 0, outcome)
  end)

  it("records under stock Lua [D25]", function()
    if process.sanitized then
      pending "stock Lua cannot load this module"
      return
    end
    local outcome = process.run("exec env AIOWIRE_RECORD=1 $lua s.lua",
      { ["s.lua"] = [[
local aw = require "aiowire"
aw.run(function() aw.sleep(0) end)
print(aw.recorded():find("ended: done", 1, true) ~= nil)
]] })
    process.assert_outcome("true\n", 0, outcome)
  end)

  it("is ignored with -E [D25]", function()
    local outcome = process.run(
      "AIOWIRE_RECORD=1 exec $aiowire -E -e 'print(aw.recorded())'")
    process.assert_outcome("nil\n", 0, outcome)
  end)

  it("of another value does nothing [D25]", function()
    local outcome = process.run("exec env AIOWIRE_RECORD=0 $aiowire s.lua",
      { ["s.lua"] = "print(require('aiowire').recorded())" })
    process.assert_outcome("nil\n", 0, outcome)
  end)
end)

