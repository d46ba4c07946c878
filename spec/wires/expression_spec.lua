-- Expressions: how Lua's precedence groups them, and their text
-- [V4, V8, O1-O16]. The text of a wire is the expression that makes it, with
-- the fewest parentheses, so reading it back gives the same text.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local places = require "spec.support.places"
local texts = require "spec.support.texts"
local wires = require "spec.support.wires"

local sealed = helper.sealed
local place = places.place
local contains = texts.contains

local S = aw.Sleep

--- Returns the text of `w` with normalized spaces.
local function text(w)
  return (tostring(w)
    :gsub("%s*=%s*", "=")
    :gsub("%s*{%s*", "{")
    :gsub("%s+}", "}")
    :gsub("%s+", " "))
end

--- Returns the wire that an expression makes. The expression may use all names
--- of the library.
local function read(expression)
  local chunk = assert(load("return " .. expression, expression, "t",
    setmetatable({ print = print }, { __index = aw })))
  return chunk()
end

--- Define a spec for each expression: the text of its wire is the expression.
local function shown_as_written(expressions)
  for _, expression in ipairs(expressions) do
    it(expression .. " [V8]", sealed(function()
      assert.are.equal(expression, text(read(expression)))
    end))
  end
end

--- Define a spec for each pair: the text of the wire of the first expression is
--- the second expression.
local function shown_as(pairs_of_texts)
  for _, pair in ipairs(pairs_of_texts) do
    it(pair[1] .. " as " .. pair[2] .. " [V8]", sealed(function()
      assert.are.equal(pair[2], text(read(pair[1])))
    end))
  end
end

describe("a wire of operators is shown as it is written:", function()
  shown_as_written {
    "Sleep(1) & Sleep(2)",
    "Sleep(1) | Sleep(2)",
    "Sleep(1) // Sleep(2)",
    "Sleep(1) / print",
    "Sleep(1) & Sleep(2) & Sleep(3)",
    "Sleep(1) | Sleep(2) | Sleep(3)",
    "Sleep(1) // Sleep(2) // Sleep(3)",
    "Sleep(1) / print / print",
    "Sleep(1) >> Sleep(2) & Sleep(3) >> Sleep(4) | Sleep(5)",
    "Sleep(1) & (Sleep(2) | Sleep(3))",
    "(Sleep(1) | Sleep(2)) & Sleep(3)",
    "(Sleep(1) & Sleep(2)) >> Sleep(3)",
    "Sleep(1) >> (Sleep(2) & Sleep(3))",
    "(Sleep(1) | Sleep(2)) >> Sleep(3)",
    "(Sleep(1) & Sleep(2)) * 3",
    "(Sleep(1) | Sleep(2)) * 3",
    "(Sleep(1) >> Sleep(2)) // Sleep(3)",
    "Sleep(1) // (Sleep(2) >> Sleep(3))",
    "Sleep(1) // Sleep(2) >> Sleep(3)",
    "Sleep(1) // Sleep(2) & Sleep(3)",
    "(Sleep(1) & Sleep(2)) // Sleep(3)",
    "(Sleep(1) >> Sleep(2)) / print",
    "(Sleep(1) & Sleep(2)) / print",
    "(Sleep(1) | Sleep(2)) / print",
    "Sleep(1) >> Sleep(2) / print",
    "Sleep(1) / print >> Sleep(2)",
    "Sleep(1) / print | Sleep(2) / print",
    "Sleep(1) / print // Sleep(2)",
    "Sleep(1) // Sleep(2) / print",
    "Sleep(1) // (Sleep(2) / print)",
    "Sleep(1) // Sleep(2) * 3",
    "Sleep(1) // (Sleep(2) * 3)",
    "Sleep(1) * 3 // Sleep(2)",
    "Sleep(1) * 3 / print",
    "Sleep(1) / print * 3",
    "Sleep(1) * 2 & Sleep(2)",
    "Forever(Sleep(1) & Sleep(2))",
    "Never | Value(1)",
  }
end)

describe("a wire of operators has the fewest parentheses:", function()
  shown_as {
    { "(Sleep(1) & Sleep(2)) & Sleep(3)",
      "Sleep(1) & Sleep(2) & Sleep(3)" },
    { "Sleep(1) & (Sleep(2) & Sleep(3))",
      "Sleep(1) & Sleep(2) & Sleep(3)" },
    { "Sleep(1) | (Sleep(2) | Sleep(3))",
      "Sleep(1) | Sleep(2) | Sleep(3)" },
    { "Sleep(1) // (Sleep(2) // Sleep(3))",
      "Sleep(1) // Sleep(2) // Sleep(3)" },
    { "((Sleep(1) >> Sleep(2)) & (Sleep(3) >> Sleep(4))) | Sleep(5)",
      "Sleep(1) >> Sleep(2) & Sleep(3) >> Sleep(4) | Sleep(5)" },
    { "(Sleep(1) // Sleep(2)) * 3", "Sleep(1) // Sleep(2) * 3" },
    { "(Sleep(1) / print) | (Sleep(2) // Sleep(3))",
      "Sleep(1) / print | Sleep(2) // Sleep(3)" },
    { "(Sleep(1):timeout(2)) & (Sleep(3))",
      "Sleep(1):timeout(2) & Sleep(3)" },
  }
end)

describe("a wire of methods is shown as it is written:", function()
  shown_as_written {
    "Sleep(1):timeout(0.5)",
    "Sleep(1):retry{times=3}",
    "Sleep(1):catch(print)",
    "Sleep(1):finally(print)",
    "Sleep(1):supervise(print)",
    "Sleep(1):bind(print)",
    "Sleep(1):timeout(2):timeout(3)",
    "Sleep(1):timeout(2):catch(print):finally(print)",
    "(Sleep(1) >> Sleep(2)):timeout(3)",
    "(Sleep(1) & Sleep(2)):timeout(3)",
    "(Sleep(1) | Sleep(2)):retry{times=3}",
    "(Sleep(1) // Sleep(2)):catch(print)",
    "(Sleep(1) / print):timeout(3)",
    "(Sleep(1) * 3):timeout(3)",
    "Sleep(1):timeout(2) // Sleep(3)",
    "Sleep(1):timeout(2) >> Sleep(3)",
    "Sleep(1):timeout(2) * 3",
    "Sleep(1):bind(print) / print",
  }

  it("Sleep(1):map(print), or with its operator [V8]", sealed(function()
    local shown = text(S(1):map(print))
    assert.is_true(shown == "Sleep(1) / print"
      or shown == "Sleep(1):map(print)", shown)
  end))

  it("Sleep(1):timeout(2, {grace=3}) with its grace [V8]", sealed(function()
    local shown = text(S(1):timeout(2, { grace = 3 }))
    assert.is_truthy(shown:find("^Sleep%(1%):timeout%(2, ?{grace=3}%)$"),
      shown)
  end))

  it("Sleep(1):finally(print, 2) with its grace [V8]", sealed(function()
    assert.are.equal("Sleep(1):finally(print, 2)",
      text(S(1):finally(print, 2)))
  end))

  it("Sleep(1):retry{...} with what was asked for [V8]", sealed(function()
    local shown = text(S(1):retry { times = 3, delay = 0.5, max = 8,
      jitter = "full", within = 60 })
    assert.is_truthy(shown:find("^Sleep%(1%):retry{.*}$"), shown)
    for _, part in ipairs { "times=3", "delay=0.5", "max=8",
      'jitter="full"', "within=60" } do
      contains(shown, part)
    end
  end))
end)

describe("a table form is shown as it is written:", function()
  shown_as_written {
    "Select{Sleep(1), Sleep(2)}",
    "Select{tick=Sleep(1)}",
    "Race{Sleep(1), Sleep(2)}",
    "Race{left=Sleep(1), right=Sleep(2)}",
    "Any{Sleep(1), Sleep(2)}",
    "All{left=Sleep(1), right=Sleep(2)}",
    "All{Sleep(1), x=Sleep(2)}",
    "Any{Sleep(1) >> Sleep(2), Sleep(3) & Sleep(4)}",
    "All{a=Sleep(1)} & Sleep(2)",
    "Race{Sleep(1), Sleep(2)}:timeout(3)",
    "Race{Sleep(1), Sleep(2)} >> Sleep(3)",
    "Every(1, Sleep(2))",
    "Every(0.5, Sleep(1) >> Sleep(2))",
    "Every(1, Sleep(2)):timeout(3)",
  }

  it("All{Sleep(1), Sleep(2)}, or with its operator [V8]",
    sealed(function()
      local shown = text(aw.All { S(1), S(2) })
      assert.is_true(shown == "All{Sleep(1), Sleep(2)}"
        or shown == "Sleep(1) & Sleep(2)", shown)
    end))

  it("All{..., limit=2} with its limit [V8]", sealed(function()
    local shown = text(aw.All { S(1), S(2), limit = 2 })
    assert.are.equal("All{Sleep(1), Sleep(2), limit=2}", shown)
  end))

  it("All{...} with its keys in their order [V8] [O6]", sealed(function()
    assert.are.equal("All{Sleep(0), B=Sleep(1), a=Sleep(2), b=Sleep(3)}",
      text(aw.All { b = S(3), a = S(2), B = S(1), S(0) }))
  end))

  it("Every(1, w, {missed=\"burst\"}) with what was asked for [V8]",
    sealed(function()
      local shown = text(aw.Every(1, S(2), { missed = "burst" }))
      contains(shown, 'missed="burst"')
      assert.is_truthy(shown:find("^Every%(1, Sleep%(2%)"), shown)
    end))
end)

describe("the text of a combinator", function()
  it("shows a name in place of what was named [V8] [O15]", sealed(function()
    local w = (S(1) & S(2)):named "pair"
    assert.are.equal("pair | Sleep(3)", text(w | S(3)))
    assert.are.equal("pair:timeout(1)", text(w:timeout(1)))
  end))

  it("shows a body by its function [V8]", sealed(function()
    local function body() end
    local shown = text(S(1) & body)
    contains(shown, place(body))
  end))

  it("is cut for wires that are long or deep [V8]", sealed(function()
    local long, deep = S(1), S(1)
    for _ = 1, helper.scale(2000) do
      long = long | S(2)
      deep = (deep & S(2)) | S(3)
    end
    assert.is_true(#tostring(long) < 10000)
    assert.is_true(#tostring(deep) < 10000)
  end))

  it("reads back as the same wire, for random expressions [V8]",
    sealed(function()
      local state = 11
      local function roll(n)
        state = (state * 1103515245 + 12345) % 2147483648
        return (state >> 16) % n + 1
      end
      local build
      local forms = {
        function(d) return build(d) >> build(d) end,
        function(d) return build(d) & build(d) end,
        function(d) return build(d) | build(d) end,
        function(d) return build(d) // build(d) end,
        function(d) return build(d) / print end,
        function(d) return build(d) * roll(9) end,
        function(d) return build(d):timeout(roll(9)) end,
        function(d) return build(d):catch(print) end,
        function(d) return build(d):finally(print) end,
        function(d) return build(d):bind(print) end,
        function(d) return build(d):retry { times = roll(9) } end,
        function(d) return aw.Any { build(d), build(d) } end,
        function(d) return aw.Race { x = build(d), build(d) } end,
        function(d) return aw.All { x = build(d), y = build(d) } end,
        function(d) return aw.Forever(build(d)) end,
        function(d) return aw.Every(roll(9), build(d)) end,
      }
      function build(depth)
        if depth == 0 then
          return S(roll(9))
        end
        return forms[roll(#forms)](depth - 1)
      end
      for _ = 1, helper.scale(300) do
        local shown = tostring(build(roll(4)))
        assert.are.equal(shown, tostring(read(shown)))
      end
    end))

  it("is no longer than it must be: each parenthesis counts [V8]",
    sealed(function()
      local nested = {
        function(a, b, c) return (a >> b) // c end,
        function(a, b, c) return (a & b) // c end,
        function(a, b, c) return (a | b) & c end,
        function(a, b, c) return a // (b >> c) end,
        function(a, b, c) return (a & b) >> c end,
        function(a, b, c) return a >> (b | c) end,
      }
      for _, build in ipairs(nested) do
        local shown = text(build(S(1), S(2), S(3)))
        local bare = shown:gsub("^%((.-%)) (.-)%) ", "%1 %2 ")
          :gsub(" %((Sleep.*)%)$", " %1")
        assert.are_not.equal(shown, bare)
        assert.are_not.equal(shown, text(read(bare)))
      end
    end))
end)

describe("Lua's precedence", function()
  --- Define a spec: both functions make wires with equal traces of a, b, c, d
  --- and e.
  local function same(what, bare, full)
    it("reads " .. what, sealed(function()
      local function trace(build)
        return wires.trace(function(note)
          local function leaf(name, seconds)
            return wires.takes(seconds, note, name)
          end
          return build(leaf("a", 1), leaf("b", 2), leaf("c", 1.5),
            leaf("d", 3), leaf("e", 4))
        end)
      end
      assert.are.same(trace(full), trace(bare))
    end))
  end

  same("a >> b & c >> d | e as ((a >> b) & (c >> d)) | e [O4] [O5]",
    function(a, b, c, d, e) return a >> b & c >> d | e end,
    function(a, b, c, d, e) return ((a >> b) & (c >> d)) | e end)
  same("a // b >> c as (a // b) >> c [O7]",
    function(a, b, c) return a // b >> c end,
    function(a, b, c) return (a // b) >> c end)
  same("a * 2 >> b as (a * 2) >> b [O2]",
    function(a, b) return a * 2 >> b end,
    function(a, b) return (a * 2) >> b end)
  same("a & b | c & d as (a & b) | (c & d) [O4] [O5]",
    function(a, b, c, d) return a & b | c & d end,
    function(a, b, c, d) return (a & b) | (c & d) end)
  same("a >> b / f as a >> (b / f) [O11]",
    function(a, b) return a >> b / tostring end,
    function(a, b) return a >> (b / tostring) end)
  same("a >> b:timeout(5) as a >> (b:timeout(5)) [O8]",
    function(a, b) return a >> b:timeout(2.5) end,
    function(a, b) return a >> (b:timeout(2.5)) end)

  it("makes (a >> b):timeout another thing than a >> b:timeout [O8]",
    function()
      local function trace(build)
        return wires.trace(function(note)
          return build(wires.takes(1, note, "a"), wires.takes(2, note, "b"))
        end)
      end
      assert.are_not.same(
        trace(function(a, b) return (a >> b):timeout(2.5) end),
        trace(function(a, b) return a >> b:timeout(2.5) end))
    end)
end)
