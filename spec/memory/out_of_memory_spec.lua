-- A loop that runs out of memory ends within its time-out and grace [LU2, C9].
-- Each failed allocation runs a full collection. So many tasks at once must not
-- run one collection each.

local helper = require "spec.support.helper"
local process = require "spec.support.process"

local program = helper.in_host and "$aiowire" or "$lua"

--- Run a loop in 40 MB of memory. `code` starts its tasks; `how` is a pattern
--- for its result.
local function ends(how, code)
  if process.sanitized then
    return -- a sanitizer reserves more than the limit
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
      -- Whether the error has a position depends on the last free bytes: a
      -- task may fail to start, or in its first wait.
      print((tostring(how):gsub("^s%%.lua:%%d+: ", "")))
    ]]):format(code),
  })
  process.assert_exit(0, outcome)
  assert.is_truthy(outcome.out:find(how), outcome.out)
end

describe("a loop without memory", function()
  it("ends if there is none for the coroutines of tasks [LU2]", function()
    ends("not enough memory", [[
      pcall(function()
        while true do
          ev:start(sleep)
        end
      end)
    ]])
  end)

  it("ends if each failed task has a handler [LU2]", function()
    ends("%a", [[
      local function handler() end
      pcall(function()
        while true do
          ev:start(sleep, handler)
        end
      end)
    ]])
  end)

  it("ends if there is none to describe the failed operands of joins [LU2]",
    function()
      ends("%a", [[
        pcall(function()
          while true do
            ev:start(aw.Sleep(1) & sleep)
          end
        end)
      ]])
    end)

  it("ends if there is none for the coroutines of clean-ups [LU2]", function()
    ends("%a", [[
      pcall(function()
        while true do
          ev:start(aw.Never:finally(sleep))
        end
      end)
    ]])
  end)

  it("ends if a task swallows each error for ever [C9]", function()
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

  it("ends if there is none for clean-up [C9]", function()
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

  it("ends if it cancels many bodies [C9]", function()
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

  -- Wires that many tasks run. None of them ends by itself.
  for name, wire in pairs {
    ["retries"] = "fail:retry { times = math.huge, delay = 0.0001 }",
    ["retries, and asks whether to"] =
      "fail:retry { times = math.huge, delay = 0, when = rawequal }",
    ["repeats a body"] = "aw.Forever(nap)",
    ["repeats what is supervised"] = "again(fail:supervise(nop))",
    ["repeats what is caught"] = "again(fail:catch(nop))",
    ["repeats what has a fallback"] = "again(fail // aw.Value(1))",
    ["repeats what has clean-up"] = "aw.Forever(aw.Sleep(0.0001):finally(nop))",
    ["repeats a join"] = "aw.Forever(aw.Sleep(0.0001) & nop)",
    ["repeats a join that fails"] = "again((aw.Sleep(1) & fail) // nop)",
    ["repeats an Any that fails"] = "again(aw.Any { fail, fail } // nop)",
    ["repeats a race"] = "aw.Forever(aw.Race { aw.Sleep(0.0001), nap })",
    ["repeats a time-out"] = "aw.Forever(aw.Wire(sleep):timeout(0.001) // nop)",
    ["opens scopes"] = "aw.Forever(function() "
      .. "aw.scope(function(s) s:start(nap) end) end)",
    ["awaits wires that it makes"] = "aw.Forever(function() "
      .. "aw.await(aw.Sleep(0.0001) >> nop) end)",
    ["receives what never comes"] =
      "aw.Forever(aw.Recv(aw.channel()):timeout(0.001) // nop)",
    ["does something every while"] = "aw.Every(0.001, nop)",
    ["goes on to itself"] = "self",
    ["has clean-up that waits"] = "aw.Never:finally(sleep)",
  } do
    it("ends if each task " .. name .. " [LU2, C9]", function()
      ends("%a", ([[
        local function nop() end
        local function nap() aw.sleep(0.0001) end
        local function self() nap() return self end
        local fail = aw.Call(error, "x")
        local function again(w)
          return aw.Forever(aw.Sleep(0.0001) >> w)
        end
        local _ = self, again
        pcall(function()
          while true do
            ev:start(%s)
          end
        end)
      ]]):format(wire))
    end)
  end
end)
