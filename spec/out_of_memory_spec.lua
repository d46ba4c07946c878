-- A loop that runs out of memory ends within its time-out and grace (L2, C9):
-- each attempt to make something then collects all that there is, so a crowd
-- must not make one each.

local helper = require "spec.helper"
local process = require "spec.process"

local program = helper.in_host and "$aiowire" or "$lua"

--- Run the loop that `code` fills, in 40 MB. `how` is a pattern.
local function ends(how, code)
  if process.sanitized then
    return -- which reserves more than any limit
  end
  local outcome = process.run("ulimit -v 40000; exec " .. program .. " s.lua", {
    ["s.lua"] = ([[
      local aw = require "aiowire"
      local ev = aw.EventLoop { grace = 0.2 }
      local hold = {}
      local function sleep() aw.sleep(100) end
      local function fill()
        pcall(function()
          while true do
            hold[#hold + 1] = ("y"):rep(100) .. #hold
          end
        end)
      end
      %s
      local ok, how = pcall(ev.run, ev, 0.05)
      hold = nil
      collectgarbage()
      print(tostring(how):match "[%%a ]+")
    ]]):format(code),
  })
  process.assert_exit(0, outcome)
  assert.is_truthy(outcome.out:find(how), outcome.out)
end

describe("a loop without memory", function()
  it("ends when no task finds any for its coroutine [L2]", function()
    ends("not enough memory", [[
      pcall(function()
        while true do
          ev:start(sleep)
        end
      end)
    ]])
  end)

  it("ends when each failure has its handler [L2]", function()
    ends("%a", [[
      local function handler() end
      pcall(function()
        while true do
          ev:start(sleep, handler)
        end
      end)
    ]])
  end)

  it("ends when none of the tasks that joins fail in can be described [L2]",
    function()
      ends("%a", [[
        pcall(function()
          while true do
            ev:start(aw.Sleep(1) & sleep)
          end
        end)
      ]])
    end)

  it("ends when no clean-up finds any for its coroutine [L2]", function()
    ends("%a", [[
      pcall(function()
        while true do
          ev:start(aw.Never:finally(sleep))
        end
      end)
    ]])
  end)

  it("ends when a task swallows it, and Cancelled, for ever [C9]", function()
    ends("timeout", [[
      ev:start(fill)
      ev:start(function()
        while true do
          pcall(function() return ("x"):rep(1000000) end)
          pcall(aw.yield)
        end
      end)
    ]])
  end)

  it("ends when clean-up finds none [C9]", function()
    ends("%a", [[
      for _ = 1, 2000 do
        ev:start(aw.Sleep(100):finally(function()
          local t = {}
          t[1] = {}
          aw.sleep(100)
        end))
      end
      ev:start(fill)
    ]])
  end)

  it("ends when a crowd of bodies is cancelled [C9]", function()
    ends("%a", [[
      for _ = 1, 2000 do
        ev:start(function()
          local _ <close> = setmetatable({}, { __close = function()
            return { {} }
          end })
          aw.sleep(100)
        end)
      end
      ev:start(function()
        aw.sleep(0)
        fill()
      end)
    ]])
  end)
end)
