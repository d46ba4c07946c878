-- lua/host/prompt/show.lua: the text of a value at the prompt.

local aw = require "aiowire"
local host_parts = require "spec.support.host_parts"
local texts = require "spec.support.texts"

local contains = texts.contains
local results_text = host_parts.part "prompt.show"

local function show(...)
  return results_text({ ... }, select("#", ...))
end

local function lines_of(text)
  return select(2, text:gsub("\n", "")) + 1
end

describe("the text of results", function()
  it("is that of print, but for tables [R38]", function()
    assert.are.equal("1\tnil\ttrue\t1.5\ta\tb\nc",
      show(1, nil, true, 1.5, "a\tb\nc"))
    assert.are.equal(tostring(print), show(print))
    assert.are.equal("Sleep(1)", show(aw.Sleep(1)))
    assert.are.equal("", show())
  end)

  it("has a table's contents, lists first, then keys in order [R38]",
    function()
      assert.are.equal("{}", show {})
      assert.are.equal("{1, 2, {3}}", show { 1, 2, { 3 } })
      assert.are.equal('{"a", [5] = 5, [6.5] = true, b = 2, c = {d = 4}}',
        show { "a", c = { d = 4 }, b = 2, [5] = 5, [6.5] = true })
      assert.are.equal('{["a b"] = 1, ["end"] = 2}',
        show { ["a b"] = 1, ["end"] = 2 })
    end)

  it("escapes strings inside tables [R38]", function()
    assert.are.equal([[{"a\n\t\"\\\x1B\x00é"}]], show { "a\n\t\"\\\27\0é" })
    assert.are.equal([[{"\xFF"}]], show { "\xff" })
  end)

  it("has lines of their own for tables that are wide [R38]", function()
    local list = {}
    for i = 1, 30 do
      list[i] = "item " .. i
    end
    local text = show { list = list, n = 30 }
    assert.are.equal('{\n  list = {\n    "item 1",', text:sub(1, 26))
    contains(text, "\n    … 10 more\n  },\n  n = 30,\n}")
    contains(show(list, 1), "\n}\n1")
  end)

  it("cuts long lists, long strings and deep tables [R38]", function()
    local list, set, deep = {}, {}, {}
    for i = 1, 100000 do
      list[i], set["k" .. i] = i, i
    end
    assert.is_true(lines_of(show(list)) < 80)
    contains(show(list), "\n  … more\n}")
    assert.is_true(lines_of(show(set)) < 80)
    local inner = deep
    for _ = 1, 100 do
      inner.next = {}
      inner = inner.next
    end
    assert.are.equal("{next = {next = {next = {…}}}}", show(deep))
    local text = show { ("é"):rep(1000) }
    assert.is_true(#text < 300)
    assert.is_truthy(utf8.len(text))
  end)

  it("is short for wide trees, too [R38]", function()
    local function tree(depth)
      local t = {}
      for i = 1, 15 do
        t[i] = depth > 0 and tree(depth - 1) or i
      end
      return t
    end
    assert.is_true(#show(tree(4)) < 20000)
  end)

  it("ends for cycles [R38]", function()
    local t = {}
    t.self, t.list = t, { t, { t } }
    assert.are.equal("{list = {<cycle>, {<cycle>}}, self = <cycle>}", show(t))
    local shared = { 1 }
    assert.are.equal("{{1}, {1}}", show { shared, shared })
  end)
end)

describe("the text of a table with a metatable", function()
  local function with(meta, t)
    return setmetatable(t or { 1 }, meta)
  end

  local function fails()
    error("called", 0)
  end

  it("is that of __tostring or __name [R38]", function()
    local point = with { __tostring = function()
      return "point"
    end }
    assert.are.equal("point", show(point))
    assert.are.equal("{p = point}", show { p = point })
    assert.is_truthy(show(with { __name = "My" }):find "^My: 0x")
    assert.are.equal("{1}", show(with { __name = 7 }))
  end)

  it("is a plain one if __tostring fails [R38]", function()
    for _, f in ipairs { fails, function() error {} end, function()
      return {}
    end } do
      local text = show(with { __tostring = f })
      assert.is_truthy(text:find "^table: 0x%x+ %(its __tostring failed: ",
        text)
    end
  end)

  it("has what __pairs gives, in its order [R38]", function()
    local proxy = with { __pairs = function()
      return next, { 10, 20, x = 1 }
    end }
    assert.are.equal("{10, 20, x = 1}", show(proxy))
    local endless = with { __pairs = function()
      return function(_, i)
        return i + 1, "v"
      end, nil, 0
    end }
    contains(show(endless), "\n  … more\n}")
    assert.is_truthy(show(with { __pairs = fails }):find "^table: 0x")
  end)

  it("is made without __index, __len, __eq and the rest [R38]", function()
    local meta = { __index = fails, __len = fails, __eq = fails, __lt = fails,
      __concat = fails, __call = fails, __newindex = fails, __unm = fails,
      __metatable = "locked" }
    assert.are.equal("{1, {2}}", show(with(meta, { 1, with(meta, { 2 }) })))
  end)
end)
