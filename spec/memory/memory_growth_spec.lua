-- A server that runs for ever must not grow with the names, locations and loops
-- that it uses.

local helper = require "spec.support.helper"
local process = require "spec.support.process"

local run = helper.in_host and process.host or process.stock

--- Run `code` as the body of `serve(i)` for many `i`. The process must not grow
--- by more than 2 MB in the second half.
local function stays_small(code)
  if process.sanitized then
    return -- a sanitizer keeps freed memory for a while
  end
  process.assert_outcome("small\n", 0, run(([[
    local aw = require "aiowire"
    local function serve(i) %s end
    local function size()
      collectgarbage()
      collectgarbage()
      for line in io.lines "/proc/self/status" do
        local kilobytes = line:match "^VmRSS:%%s*(%%d+)"
        if kilobytes then
          return tonumber(kilobytes)
        end
      end
    end
    aw.run(function()
      local function many(from)
        for i = from, from + 15000 do
          serve(i)
        end
        return size()
      end
      local before = many(0)
      local grown = many(100000) - before
      print(grown < 2048 and "small" or "grown by " .. grown .. " KB")
    end)
  ]]):format(code)))
end

describe("a server that runs for ever", function()
  it("may name each of its tasks [D1]", function()
    stays_small [[
      aw.start(aw.Value(1), nil, {
        name = "connection from 10.0.0.1, number " .. ("0"):rep(100) .. i
      }):wait()
    ]]
  end)

  it("may name each of its wires [D1]", function()
    stays_small [[
      aw.await(aw.Value(1):named("request " .. ("0"):rep(100) .. i))
    ]]
  end)

  it("may load new chunks all the time [D1]", function()
    stays_small [[
      load("local aw = ... aw.start(function() end):wait()",
        "=chunk " .. ("0"):rep(40) .. i)(aw)
    ]]
  end)

  it("may start callables of new classes all the time [D1]", function()
    stays_small [[
      aw.start(setmetatable({}, {
        __name = "class " .. ("0"):rep(100) .. i,
        __call = function() end
      })):wait()
    ]]
  end)
end)

describe("the name of a task", function()
  it("lives as long as the task [D1]", helper.in_task(function(ev)
    local kept = {}
    for i = 1, 20 do
      kept[i] = ev:start(function()
        if i % 2 == 0 then
          error("number " .. i, 0)
        end
      end, helper.nop, { name = table.concat { "kept task ", i } })
      pcall(kept[i].wait, kept[i])
      collectgarbage()
    end
    for i = 1, 20 do
      assert.are.equal("kept task " .. i, kept[i].name)
      assert.is_truthy(kept[i]:traceback())
    end
  end))

  it("may come from a table with __index [T2]", helper.in_task(
    function(ev)
      local options = setmetatable({}, {
        __index = function(_, key)
          collectgarbage()
          return key == "name" and table.concat { "made ", "up" } or nil
        end,
      })
      local t = ev:start(helper.nop, nil, options)
      collectgarbage()
      assert.are.equal("made up", t.name)
    end))
end)
