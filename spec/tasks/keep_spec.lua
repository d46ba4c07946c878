-- aw.keep: a failed task keeps its error for the first task that waits for it
-- [T5].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local process = require "spec.support.process"
local wires = require "spec.support.wires"

local test, virtual, sealed = helper.test, helper.virtual, helper.sealed
local caught, raiser = helper.caught, wires.raiser

describe("a failure that is kept", function()
  it("is raised to its waiters, as it is [T5, E1]", function()
    test(function(ev)
      local boom = {}
      local t = ev:start(raiser(boom), aw.keep)
      assert.are.equal(boom, caught(t.wait, t))
      assert.are.equal("failed", t.status)
      assert.are.equal(boom, caught(t.wait, t))
    end)
  end)

  it("is raised to a Done of it [T5]", function()
    test(function(ev)
      local boom = {}
      local t = ev:start(aw.Sleep(1) >> raiser(boom), aw.keep)
      assert.are.equal(boom, caught(aw.await, aw.Done(t)))
    end)
  end)

  it("stops neither its loop nor its scope [E9]", function()
    test(function()
      local log, note = helper.recorder()
      aw.scope(function(s)
        local t = s:start(raiser "boom", aw.keep)
        s:start(aw.Sleep(1) >> aw.Call(note, "sibling"))
        aw.sleep(2)
        note(caught(t.wait, t))
      end)
      assert.are.same({ "sibling", "boom" }, log)
    end)
  end)

  it("has its traceback [E2]", function()
    test(function(ev)
      local t = ev:start(raiser "boom", aw.keep)
      caught(t.wait, t)
      assert.is_truthy(t:traceback():find("spec/support/wires.lua", 1, true))
    end)
  end)

  it("does not exist if the task was cancelled [T4]", function()
    test(function(ev)
      local t = ev:start(aw.Never, aw.keep)
      aw.yield()
      t:cancel_wait()
      assert.are.equal("cancelled", t.status)
    end)
  end)
end)

describe("aw.keep", function()
  it("is for start alone", sealed(function()
    local here = "^spec/tasks/keep_spec%.lua:%d+: "
    local err = caught(function()
      return aw.Never:supervise(aw.keep)
    end)
    assert.are.equal("bad argument #1 to 'supervise' (aw.keep is for start():"
      .. " this wire ends well, and no task is left to keep the failure)",
      (err:gsub(here, "")))
    err = caught(function()
      return aw.Poller({}, { on_error = aw.keep })
    end)
    assert.are.equal("bad option 'on_error' (aw.keep is for start(): no task "
      .. "is left to keep the failure)", (err:gsub(here, "")))
    err = caught(function()
      aw.keep()
    end)
    assert.are.equal("aw.keep is a handler to give to start(), whose task "
      .. "keeps the failure", (err:gsub(here, "")))
  end))

  it("may be given to a loop that runs more than once", sealed(function()
    local ev = virtual()
    local t = ev:start(raiser "boom", aw.keep)
    assert.are.equal("done", ev:run())
    local err
    ev:start(function()
      err = caught(t.wait, t)
    end)
    assert.are.equal("done", ev:run())
    assert.are.equal("boom", err)
    ev:close()
  end))
end)

-- { how the Task is forgotten, the script after line 2, its output }
local forgotten = {
  { "is garbage", [[
aw.run(function(ev)
  ev:start(boom, aw.keep)
  aw.yield()
  aw.yield()
  collectgarbage()
  collectgarbage()
  print "collected"
end)
]], "collected\n" },
  { "is there when its loop ends", [[
aw.run(function(ev)
  kept = ev:start(boom, aw.keep)
end)
]], "" },
  { "is there when its loop is closed", [[
local ev = aw.EventLoop()
kept = ev:start(boom, aw.keep)
ev:run() ev:close()
]], "" },
  { "is there when its loop fails", [[
local ev = aw.EventLoop()
kept = ev:start(boom, aw.keep) ev:start(aw.Sleep(0) >> aw.Call(error, "x"))
pcall(ev.run, ev)
]], "" },
  { "is garbage with its loop", [[
local ev = aw.EventLoop()
ev:start(boom, aw.keep)
ev:run()
]], "" },
}

-- Scripts for which no warning is written.
local asked_for = {
  { "that somebody waits for", [[
aw.run(function(ev)
  local t = ev:start(boom, aw.keep)
  pcall(t.wait, t)
end)
]] },
  { "that somebody has waited for, if not to the end", [[
aw.run(function(ev)
  local t = ev:start(aw.Sleep(0) >> boom, aw.keep)
  pcall(aw.timeout, 0, t.wait, t)
end)
]] },
  { "of a task that ends well", [[
aw.run(function(ev) ev:start(aw.Value(1), aw.keep) end)
]] },
  { "that somebody waits for after its loop has ended", [[
aw.run(function(ev) kept = ev:start(boom, aw.keep) end)
aw.run(function() pcall(kept.wait, kept) end)
]] },
  { "that somebody waits for after its loop was closed", [[
local ev = aw.EventLoop()
kept = ev:start(boom, aw.keep)
ev:run() ev:close()
aw.run(function() pcall(kept.wait, kept) end)
]] },
  { "whose traceback somebody asks for", [[
aw.run(function(ev) kept = ev:start(boom, aw.keep) end)
assert(kept:traceback():find("s.lua:2", 1, true))
]] },
  { "which is handled", [[
aw.run(function(ev) ev:start(boom, function() end) end)
]] },
}

local head <const> = [[
local aw, kept = require "aiowire"
local function boom() error "boom" end
]]

describe("a kept failure without a waiter", function()
  for _, case in ipairs(forgotten) do
    it("is warned of once the Task " .. case[1] .. " [D4]", function()
      process.each("", 'warn "@on" ' .. head .. case[2], function(outcome)
        assert.are.equal("Lua warning: aiowire: s.lua:4: aw.keep kept the "
          .. "failure of task N 'function@s.lua:2', and nobody has waited "
          .. "for it: s.lua:2: boom\n",
          (outcome.err:gsub("task %d+", "task N")))
        assert.are.equal(case[3], outcome.out)
        assert.are.equal(0, outcome.code)
      end)
    end)
  end

  for _, case in ipairs(asked_for) do
    it("is not warned of " .. case[1] .. " [D4]", function()
      process.each("", 'warn "@on" ' .. head .. case[2], function(outcome)
        assert.are.equal("", outcome.err)
        assert.are.equal(0, outcome.code)
      end)
    end)
  end
end)
