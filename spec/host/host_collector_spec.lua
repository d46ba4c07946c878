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

-- The memory rises to 5.7 times the live memory. If garbage piled up, it would
-- rise to 15 times and more.
local BOUND <const> = 8

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
  it("are incremental, to avoid full collections [LU23]", function()
    assert_outcome("incremental\n", 0,
      process.host [[print(collectgarbage "incremental")]])
  end)

  it("may be changed by LUA_INIT or -e [LU23]", function()
    local files = { ["s.lua"] = [[print(collectgarbage "incremental")]] }
    assert_outcome("generational\n", 0, process.run(
      [[LUA_INIT='collectgarbage "generational"' exec $aiowire s.lua]], files))
    assert_outcome("generational\n", 0, process.run(
      [[exec $aiowire -e 'collectgarbage "generational"' s.lua]], files))
  end)

  it("may be changed by a script, and stay after an await [LU23]", function()
    assert_outcome("300\t400\n", 0, process.host [[
local aw = require "aiowire"
collectgarbage("incremental", 300, 400)
aw.sleep(0.001)
print(collectgarbage("setpause", 300), collectgarbage("setstepmul", 400))
]])
  end)
end)
