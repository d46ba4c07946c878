-- Checks of spec/tree/symbols.lua, which the specs of layers and rooms use.

local symbols = require "spec.tree.symbols"

local function edge(from, to, what)
  return { from = from, to = to, what = what or "f" }
end

describe("the reading of symbols", function()
  it("finds who calls whom in the objects of the core [layers]", function()
    local process = require "spec.support.process"
    local sources = {}
    for _, path in ipairs(process.files("core", "%.c$")) do
      if not path:find "/test/" then
        sources[#sources + 1] = path
      end
    end
    local edges, missing = symbols.edges("aiowire_core", sources)
    assert.are.same({}, missing)
    assert.is_true(#edges > #sources)
    for _, found in ipairs(edges) do
      assert.are_not.equal(found.from, found.to)
    end
  end)

  it("finds what some sources need of others [layers]", function()
    local needed = symbols.undefined(
      "aiowire_bind", { "lua/bind/base/loops.c" }, "^awl_"
    )
    assert.are.same(
      { "awl_bad_self", "awl_get", "awl_is", "awl_set", "awl_unset" }, needed
    )
  end)

  it("says which sources have no object [layers]", function()
    local edges, missing = symbols.edges("aiowire_core", { "core/no.c" })
    assert.are.same({}, edges)
    assert.are.same({ "core/no.c" }, missing)
  end)

  it("names units and rooms by their paths [layers]", function()
    assert.are.equal("core/run/task", symbols.unit "core/run/task.h")
    assert.are.equal("core/run", symbols.room "core/run/task")
  end)

  it("tells offences, and allowances that allow nothing [layers]", function()
    local edges = { edge("a", "b", "f"), edge("b", "a", "g"),
      edge("c", "a", "h") }
    local offences, idle = symbols.offences(edges, function(e)
      return e.to == "a"
    end, { g = true, x = true })
    assert.are.same({ "c needs h of a" }, offences)
    assert.are.same({ "x" }, idle)
  end)

  it("finds circles [layers]", function()
    local edges = { edge("a", "b"), edge("b", "c"), edge("c", "a", "g"),
      edge("d", "a"), edge("e", "f"), edge("f", "e") }
    assert.are.same({ "a b c", "e f" }, symbols.circles(edges))
    assert.are.same({ "e f" }, symbols.circles(edges, { g = true }))
  end)
end)
