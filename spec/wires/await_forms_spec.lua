-- aw.all, aw.any, aw.race and aw.select make a table form and await it
-- [V6, O6].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local texts = require "spec.support.texts"
local wires = require "spec.support.wires"

local gives, fails = wires.gives, wires.fails
local told = texts.told

describe("a table form in lower case", function()
  it("ends as its wire does: aw.all [O6]", helper.in_task(function(ev)
    assert.are.same({ n = 3, "a", nil, "c" },
      table.pack(aw.all { gives(1, "a", 2), gives(1), gives(2, "c") }))
    assert.are.same({ "a", x = "b" },
      aw.all { gives(1, "a"), x = gives(1, "b"), limit = 1 })
    assert.are.equal(4, ev:now())
    assert.are.same({ n = 0 }, table.pack(aw.all {}))
  end))

  it("ends as its wire does: aw.any [O6]", helper.in_task(function()
    assert.are.same({ n = 2, "b", "c" },
      table.pack(aw.any { fails(1, "no"), gives(2, "b", "c"), x = aw.Never }))
    assert.are.equal("late",
      helper.caught(aw.any, { fails(2, "late"), fails(1, "no") }))
  end))

  it("ends as its wire does: aw.race [O6]", helper.in_task(function()
    assert.are.same({ n = 3, "b", "c", "x" },
      table.pack(aw.race { gives(2), x = gives(1, "b", "c") }))
    assert.are.equal("no", helper.caught(aw.race, { gives(2), fails(1, "no") }))
  end))

  it("ends as its wire does: aw.select [H4]", helper.in_task(function()
    local ch = aw.channel(1)
    ch:send "v"
    assert.are.same({ n = 2, "ch", "v" },
      table.pack(aw.select { aw.Sleep(1), ch = aw.Recv(ch) }))
    assert.are.same({ n = 1, 1 },
      table.pack(aw.select { aw.Sleep(1), ch = aw.Recv(ch) }))
  end))

  it("is cancelled as an await is [C3]", helper.in_task(function(ev)
    for _, act in ipairs { aw.all, aw.any, aw.race, aw.select } do
      local t = ev:start(aw.Call(act, { aw.Never, aw.Never }))
      aw.sleep(1)
      t:cancel_wait()
      assert.are.equal("cancelled", t.status)
    end
  end))
end)

describe("an error about a table form in lower case", function()
  it("blames the caller's line, and has its own name",
    helper.in_task(function()
      for _, name in ipairs { "all", "any", "race", "select" } do
        local function bad(why)
          return ("bad argument #1 to '%s' (%s)"):format(name, why)
        end
        told(bad "table expected, got no value", aw[name])
        told(bad "table expected, got number", aw[name], 5)
        told(bad "wire expected for #1, got number", aw[name], { 5 })
        told(bad "key must be a string or of the list, got 7", aw[name],
          { [7] = print })
        if name ~= "all" then
          told(bad "at least one wire expected", aw[name], {})
        end
      end
      told("bad argument #1 to 'all' (limit must be a whole number, at least "
        .. "1, got 0)", aw.all, { limit = 0 })
      told("bad argument #1 to 'select' (event expected for #1, got "
        .. "Call(print))", aw.select, { aw.Call(print) })
    end))

  it("names an await outside a task [C11]", helper.sealed(function()
    helper.outside(function()
      for _, name in ipairs { "all", "any", "race", "select" } do
        told(("cannot await outside a task (aw.%s)"):format(name)
          .. helper.outside_advice, aw[name], { aw.Sleep(1) })
      end
    end)
  end))
end)
