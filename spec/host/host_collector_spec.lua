-- The garbage collector of the program `aiowire`: garbage with finalizers does
-- not pile up, and the settings of a script take effect.

local process = require "spec.support.process"

local assert_outcome = process.assert_outcome

-- `most(n, make)` calls make(i) n times, and returns the highest memory in use
-- meanwhile, as a multiple of the memory in use at the start.
local prelude = [[
local aw = require "aiowire"
local function most(n, make)
  for i = 1, 20000 do -- allocates all memory that stays: tables have grown
    make(i)
  end
  collectgarbage()
  collectgarbage()
  local first, most = collectgarbage "count", 0
  for i = 1, n do
    make(i)
    if i % 100 == 0 then
      most = math.max(most, collectgarbage "count")
    end
  end
  return most / first
end
local finalized = { __gc = function() end }
]]

-- The memory rises to 5.7 times the live memory, on Lua 5.5 to 13 times. If
-- garbage piled up, it would rise to 15 times and more; on Lua 5.5, 25 times.
local BOUND <const> = _VERSION == "Lua 5.4" and 8 or 20

local garbage <const> = {
  ["objects of a script"] = [[
most(300000, function() setmetatable({}, finalized) end)]],
  ["objects beside live ones"] = [[
(function()
  local kept = {}
  for i = 1, 10000 do
    kept[i] = setmetatable({}, finalized)
  end
  return most(1000000, function() setmetatable({}, finalized) end)
    + #kept * 0
end)()]],
  ["objects of a body"] = [[
aw.run(aw.Call(most, 300000, function() setmetatable({}, finalized) end))]],
  ["objects of a coroutine"] = [[
coroutine.wrap(most)(300000, function() setmetatable({}, finalized) end)]],
  ["wires"] = "most(200000, function() return aw.Sleep(1) end)",
  ["wires with names"] = [[
most(200000, function() return aw.Sleep(1):named "again" end)]],
  ["channels"] = "most(200000, function() return aw.channel(1) end)",
}

describe("garbage with finalizers in the program", function()
  for what, code in pairs(garbage) do
    it("does not pile up: " .. what .. " [LU23]", function()
      local outcome = process.host(prelude .. "print(" .. code .. ")")
      local ratio = tonumber(outcome.out)
      assert.is_truthy(ratio and ratio < BOUND, outcome.out .. outcome.err)
    end)
  end

  it("does not pile up in a chain of bodies [N2, LU23]", function()
    local outcome = process.host(prelude .. [[
local first, most
local function state(_, n)
  if n % 100 == 0 then
    most = math.max(most, collectgarbage "count")
  end
  if n > 0 then
    return aw.Wire(state, n - 1):named "again"
  end
end
collectgarbage()
first, most = collectgarbage "count", 0
aw.run(aw.Wire(state, 200000))
print(most / first)
]])
    local ratio = tonumber(outcome.out)
    assert.is_truthy(ratio and ratio < BOUND, outcome.out .. outcome.err)
  end)
end)

describe("the settings of the collector", function()
  -- The generational collector of Lua 5.5 makes no full collections at once.
  local mode = _VERSION == "Lua 5.4" and "incremental" or "generational"
  it("are " .. mode .. ", to avoid full collections [LU23]", function()
    assert_outcome(mode .. "\n", 0,
      process.host [[print(collectgarbage "incremental")]])
  end)

  it("may be changed by LUA_INIT or -e [LU23]", function()
    local other = mode == "incremental" and "generational" or "incremental"
    local files = { ["s.lua"] = [[print(collectgarbage "incremental")]] }
    assert_outcome(other .. "\n", 0, process.run(
      ([[LUA_INIT='collectgarbage "%s"' exec $aiowire s.lua]]):format(other),
      files))
    assert_outcome(other .. "\n", 0, process.run(
      ([[exec $aiowire -e 'collectgarbage "%s"' s.lua]]):format(other),
      files))
  end)

  it("may be changed by a script, and stay after an await [LU23]", function()
    assert_outcome("true\ttrue\ttrue\n", 0, process.host(([[
package.path = %q
local aw = require "aiowire"
local collector = require "spec.support.collector"
local first = collector.set(300, 200)
local pause, speed = collector.set(300, 200) -- as rounded by Lua 5.5
aw.sleep(0.001)
local pause_then, speed_then = collector.set(300, 200)
print(pause ~= first, pause_then == pause, speed_then == speed)
]]):format(process.root .. "/?.lua")))
  end)
end)
