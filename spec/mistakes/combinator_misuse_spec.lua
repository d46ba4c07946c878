-- Bad operands and arguments of wires. The error is raised while the wire is
-- built, and blames the caller's line. Nothing runs and nothing is lost
-- [V2, O16].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local places = require "spec.support.places"
local texts = require "spec.support.texts"

local sealed, nop, test = helper.sealed, helper.nop, helper.test
local blames, line, place = places.blames, places.line, places.place
local contains = texts.contains

local w = aw.Sleep(1)
local nan <const> = 0 / 0

--- Define a spec: `f` raises an error that contains each of `words` and blames
--- a line of `f`, or of the function `at`, which `f` calls.
local function refuses(what, words, f, at)
  it("refuses " .. what, sealed(function()
    for _, word in ipairs(words) do
      blames(word, f, at)
    end
  end))
end

describe("an operator", function()
  local operators = {
    [">>"] = function(a, b) return a >> b end,
    ["&"] = function(a, b) return a & b end,
    ["|"] = function(a, b) return a | b end,
    ["//"] = function(a, b) return a // b end,
  }
  local bad = {
    number = 42, string = "x", boolean = true, table = {},
  }

  for name, operate in pairs(operators) do
    for kind, value in pairs(bad) do
      refuses(("a %s on the right of %s [V2] [O16]"):format(kind, name),
        { "attempt to use a " .. kind .. " as a wire",
          "operand of '" .. name .. "'" },
        function()
          return operate(w, value)
        end, operate)
      refuses(("a %s on the left of %s [V2] [O16]"):format(kind, name),
        { "attempt to use a " .. kind .. " as a wire",
          "operand of '" .. name .. "'" },
        function()
          return operate(value, w)
        end, operate)
    end
    refuses("nil on either side of " .. name .. " [V2] [O16]",
      { "attempt to use a nil as a wire (operand of '" .. name .. "')" },
      function()
        return operate(nil, w)
      end, operate)
    refuses("nil on the right of " .. name .. " [V2] [O16]",
      { "attempt to use a nil as a wire (operand of '" .. name .. "')" },
      function()
        return operate(w, nil)
      end, operate)
  end

  it("blames the line where it stands [O16]", sealed(function()
    local at = line() + 2
    blames(place(at) .. ": ", function()
      return nil | w
    end)
    at = line() + 2
    blames(place(at) .. ": ", function()
      return w & 1
    end)
  end))

  it("takes functions and callable objects on either side [V2]",
    sealed(function()
      local object = setmetatable({}, { __call = nop })
      for _, operate in pairs(operators) do
        for _, other in ipairs { nop, object, print } do
          assert.are.equal("string", type(tostring(operate(w, other))))
          assert.are.equal("string", type(tostring(operate(other, w))))
        end
      end
    end))

  it("leaves two functions to Lua: neither is a wire [V2]",
    sealed(function()
      helper.raises("attempt to perform bitwise operation", function()
        return nop & nop
      end)
      assert.are.equal("string", type(tostring(aw.Wire(nop) & nop)))
    end))

  it("`/` refuses what cannot be called [O11]", sealed(function()
    for _, value in pairs(bad) do
      blames(type(value), function()
        return w / value
      end)
    end
    blames("nil", function()
      return w / nil
    end)
  end))

  it("`/` refuses a wire that stands on its right only [O11]",
    sealed(function()
      for _, value in ipairs { 1, nop, "x" } do
        blames("'/'", function()
          return value / w
        end)
      end
    end))
end)

describe("an operator without a meaning", function()
  local binary = {
    ["+"] = function(a, b) return a + b end,
    ["-"] = function(a, b) return a - b end,
    ["%"] = function(a, b) return a % b end,
    ["^"] = function(a, b) return a ^ b end,
    ["~"] = function(a, b) return a ~ b end,
    ["<<"] = function(a, b) return a << b end,
    ["<"] = function(a, b) return a < b end,
    ["<="] = function(a, b) return a <= b end,
  }
  local unary = {
    ["-"] = function(a) return -a end,
    ["~"] = function(a) return ~a end,
    ["#"] = function(a) return #a end,
  }

  it("raises an error that says so beside a wire [O16]", function()
    test(function()
      for _, operate in pairs(binary) do
        for _, other in ipairs { w, 1, {}, nop, true } do
          helper.raises("means nothing for wires", function()
            return operate(w, other)
          end)
          helper.raises("means nothing for wires", function()
            return operate(other, w)
          end)
        end
      end
    end)
  end)

  it("raises such an error before one wire [O16]", function()
    test(function()
      for _, operate in pairs(unary) do
        helper.raises("means nothing for wires", function()
          return operate(aw.Sleep(1))
        end)
      end
    end)
  end)

  it("names itself and what to use instead [O16]", function()
    test(function()
      local err = helper.raises("'+' means nothing for wires", function()
        return w + w
      end)
      contains(err, "a >> b")
      helper.raises("'<<' means nothing for wires", function()
        return w << w
      end)
    end)
  end)

  it("blames the line that used it [O16]", function()
    test(function()
      local at = line() + 2
      helper.raises(place(at) .. ":", function()
        return w + w
      end)
    end)
  end)

  it("is left to Lua's own message if it is `..` [O16]", function()
    test(function()
      helper.raises("concatenate", function()
        return aw.Sleep(1) .. "x"
      end)
      helper.raises("concatenate", function()
        return "x" .. aw.Sleep(1)
      end)
    end)
  end)

  it("is not one that has a meaning: >> and * build [O16]", function()
    test(function()
      assert.are.equal("Sleep(1) >> Sleep(1)", tostring(w >> w))
      assert.are.equal("Sleep(1) * 2", tostring(w * 2))
    end)
  end)

  it("is not `==`, which any wire may be asked [O16]", function()
    test(function()
      assert.is_true(w == w)
      assert.is_false(w == w >> w)
    end)
  end)
end)

describe("a table form", function()
  -- Each function calls its form by name, since messages contain that name.
  local forms = {
    All = function(...) local _ = aw.All(...) end,
    Any = function(...) local _ = aw.Any(...) end,
    Race = function(...) local _ = aw.Race(...) end,
    Select = function(...) local _ = aw.Select(...) end,
  }
  for name, build in pairs(forms) do
    for kind, value in pairs {
      number = 42, string = "x", boolean = true, table = {},
    } do
      refuses(("a %s in %s [V2]"):format(kind, name), { name, kind },
        function()
          build { w, value }
        end, build)
      refuses(("a %s under a key of %s [V2]"):format(kind, name),
        { name, kind, "key" },
        function()
          build { key = value }
        end, build)
    end

    refuses("a call of " .. name .. " without a table", { name, "table" },
      function()
        build(w)
      end, build)
    if name ~= "All" then
      refuses("nothing to choose from in " .. name .. " [O6]", { name },
        function()
          build {}
        end, build)
    end

    refuses("a call of " .. name .. " with nothing", { name, "table" },
      function()
        build()
      end, build)
    refuses("a call of " .. name .. " with a number", { name, "table" },
      function()
        build(42)
      end, build)
  end

  for shown, value in pairs {
    ["zero"] = 0, ["less than zero"] = -1, ["a half"] = 1.5,
    ["NaN"] = nan, ["a string"] = "2", ["a wire"] = w, ["true"] = true,
  } do
    refuses("a limit of " .. shown .. " [O6]", { "limit" }, function()
      aw.All { w, w, limit = value }
    end)
  end

  it("takes functions and callable objects [V2]", sealed(function()
    local object = setmetatable({}, { __call = nop })
    for _, name in ipairs { "All", "Any", "Race" } do
      assert.are.equal("string",
        type(tostring(aw[name] { nop, object, x = print })))
    end
  end))

  it("runs nothing if it refuses an operand [V1]", sealed(function()
    local log, note = helper.recorder()
    helper.test(function()
      pcall(aw.All, { aw.Call(note, "never"), 42 })
      aw.sleep(1)
    end)
    assert.are.same({}, log)
  end))

  it("refuses more wires than a call takes [O6]", function()
    local never, list = aw.Never, {}
    for i = 1, 500001 do
      list[i] = never
    end
    local err = helper.raises("bad argument #1 to 'All' (too many wires",
      function()
        local _ = aw.All(list)
      end)
    assert.is_truthy(err:find "^[^\n]*combinator_misuse_spec.lua:%d+:", err)
  end)
end)

describe("Select", function()
  for shown, build in pairs {
    ["a body"] = function() return aw.Wire(nop) end,
    ["a function"] = function() return nop end,
    ["a call"] = function() return aw.Call(nop) end,
    ["a sequence"] = function() return w >> w end,
    ["a repetition"] = function() return w * 2 end,
    ["a join"] = function() return w & w end,
    ["a time-out"] = function() return w:timeout(1) end,
    ["a fall-back"] = function() return w // w end,
    ["a function of a body"] = function() return aw.Wire(nop) / nop end,
    ["a value"] = function() return aw.Value(1) end,
  } do
    refuses(shown .. ": it is no event [H4]", { "Select", "event" },
      function()
        local value = build()
        aw.Select { w, x = value }
      end)
  end

  it("takes events, named and mapped and bound [H3] [H4]",
    sealed(function()
      assert.are.equal("string", type(tostring(aw.Select {
        w, aw.Never, aw.SleepUntil(1), w:named "n", w / nop, w:map(nop),
        w:bind(nop), (w / nop):named "n" / nop,
      })))
    end))
end)

describe("w:timeout", function()
  for shown, value in pairs {
    ["-1"] = -1, ["NaN"] = nan, ["a string"] = "x", ["a table"] = {},
    ["true"] = true, ["-math.huge"] = -math.huge,
  } do
    refuses(shown .. " seconds [O8]", { "timeout" }, function()
      local _ = w:timeout(value)
    end)
    refuses("a grace of " .. shown .. " [O8]", { "grace" }, function()
      local _ = w:timeout(1, { grace = value })
    end)
  end

  refuses("to be called without seconds [O8]", { "timeout" }, function()
    local _ = w:timeout()
  end)
  refuses("options that are no table [O8]", { "timeout", "table" },
    function()
      local _ = w:timeout(1, 2)
    end)
  refuses("an option that it does not have [O8]", { "typo" }, function()
    local _ = w:timeout(1, { typo = 1 })
  end)

  it("takes math.huge and zero [O8]", sealed(function()
    assert.are.equal("string", type(tostring(w:timeout(math.huge))))
    assert.are.equal("string", type(tostring(w:timeout(0))))
    assert.are.equal("string",
      type(tostring(w:timeout(1, { grace = math.huge }))))
  end))
end)

describe("w:retry", function()
  local bad = {
    times = { 0, -1, 1.5, nan, "3", true, {} },
    delay = { -1, nan, "x", true, {} },
    factor = { -1, nan, "x", true, {} },
    max = { -1, nan, "x", true, {} },
    jitter = { "half", 1, {}, nop },
    when = { 42, "x", true, {} },
    within = { -1, nan, "x", true, {} },
  }
  for option, values in pairs(bad) do
    it("refuses a bad " .. option .. " [O10]", sealed(function()
      for _, value in ipairs(values) do
        blames(option, function()
          local _ = w:retry { [option] = value }
        end)
      end
    end))
  end

  refuses("an option that it does not have [O10]", { "typo" }, function()
    local _ = w:retry { times = 3, typo = 1 }
  end)
  refuses("a number for its table [O10]", { "retry", "table" }, function()
    local _ = w:retry(3)
  end)
  refuses("a list for its options [O10]", { "option" }, function()
    local _ = w:retry { 3 }
  end)

  it("takes all of its options together [O10]", sealed(function()
    assert.are.equal("string", type(tostring(w:retry {
      times = 3, delay = 1, factor = 2, max = 8, jitter = "full",
      when = print, within = 60,
    })))
    assert.are.equal("string", type(tostring(w:retry {
      times = 3.0, delay = 0, jitter = false, max = math.huge,
      within = math.huge,
    })))
  end))
end)

describe("a method with a function", function()
  -- Each function calls its method by name, since messages contain that name.
  local methods = {
    catch = function(...) local _ = w:catch(...) end,
    finally = function(...) local _ = w:finally(...) end,
    supervise = function(...) local _ = w:supervise(...) end,
    map = function(...) local _ = w:map(...) end,
    bind = function(...) local _ = w:bind(...) end,
  }
  for name, method in pairs(methods) do
    for shown, value in pairs {
      number = 42, string = "x", boolean = true, table = {},
    } do
      refuses(("a %s, as %s [O9] [O11] [O14]"):format(shown, name),
        { name, shown },
        function()
          method(value)
        end, method)
    end
    refuses("to be called without one, as " .. name, { name }, function()
      method()
    end, method)

    it("takes a callable object, as " .. name .. " [V2]",
      sealed(function()
        method(setmetatable({}, { __call = nop }))
      end))
  end

  for shown, value in pairs {
    ["-1"] = -1, ["NaN"] = nan, ["a string"] = "x", ["a table"] = {},
  } do
    refuses("a grace of " .. shown .. ", as finally [O9]", { "finally" },
      function()
        local _ = w:finally(nop, value)
      end)
  end
end)

describe("Every", function()
  for shown, value in pairs {
    ["0"] = 0, ["-1"] = -1, ["NaN"] = nan, ["a string"] = "x",
    ["a table"] = {}, ["true"] = true,
  } do
    refuses("a period of " .. shown .. " [K4]", { "Every" }, function()
      aw.Every(value, w)
    end)
  end

  refuses("to be called without a wire [K4]", { "Every", "wire" },
    function()
      aw.Every(1)
    end)
  refuses("what is no wire [K4]", { "Every", "wire", "number" }, function()
    aw.Every(1, 42)
  end)
  refuses("a word that says nothing about what is missed [K4]",
    { "missed" }, function()
      aw.Every(1, w, { missed = "x" })
    end)
  refuses("a number for what is missed [K4]", { "missed" }, function()
    aw.Every(1, w, { missed = 1 })
  end)
  refuses("options that are no table [K4]", { "Every", "table" },
    function()
      aw.Every(1, w, "skip")
    end)
  refuses("an option that it does not have [K4]", { "mised" }, function()
    aw.Every(1, w, { mised = "skip" })
  end)

  it("takes each word that it has for it [K4]", sealed(function()
    for _, missed in ipairs { "skip", "burst", "delay" } do
      assert.are.equal("string",
        type(tostring(aw.Every(1, w, { missed = missed }))))
    end
    assert.are.equal("string", type(tostring(aw.Every(1, w, {}))))
  end))
end)

describe("a wire of combinators", function()
  it("is a value: its fields cannot be written [V1]", sealed(function()
    for _, wire in ipairs {
      w & w, w | w, w // w, w / nop, aw.All { x = w }, aw.Any { w },
      aw.Race { w }, aw.Select { w }, aw.Every(1, w), w:timeout(1),
      w:retry { times = 2 }, w:catch(nop), w:finally(nop),
      w:supervise(nop), w:bind(nop), w:map(nop),
    } do
      blames("immutable", function()
        wire.x = 1
      end)
      assert.are_not.equal("table", type(getmetatable(wire)))
    end
  end))

  it("has no method that does not exist [O16]", sealed(function()
    helper.raises("retri", function()
      (w & w):retri { times = 2 }
    end)
  end))
end)

describe("a Poller as an operand", function()
  it("waits if it is empty, and loses a race [V2] [V5] [Q6]", function()
    helper.test(function(ev)
      local poller = aw.Poller {}
      for _, build in ipairs {
        function() return aw.Sleep(1) | poller end,
        function() return poller | aw.Sleep(1) end,
        function() return aw.Race { aw.Sleep(1), poller } end,
        function() return aw.Any { poller, aw.Sleep(1) } end,
      } do
        local before = ev:now()
        aw.await(build())
        assert.are.equal(1, ev:now() - before)
      end
      poller:shutdown()
    end)
  end)

  it("joins and is cut off with the rest [V2] [V5]", function()
    helper.test(function(ev)
      local poller = aw.Poller {}
      for _, build in ipairs {
        function() return aw.Sleep(1) & poller end,
        function() return poller & aw.Sleep(1) end,
        function() return aw.All { poller, aw.Sleep(1) } end,
        function() return poller // aw.Sleep(1) end,
        function() return aw.Call(error, "boom", 0) // poller end,
      } do
        local before = ev:now()
        local ok, err = pcall(aw.await, build():timeout(2))
        assert.is_false(ok)
        assert.is_true(aw.is_timeout(err), tostring(err))
        assert.are.equal(2, ev:now() - before)
      end
    end)
  end)

  it("ends a join by its shutdown [Q5] [O4]", function()
    helper.test(function(ev)
      local poller = aw.Poller {}
      aw.await(poller & aw.Sleep(1) >> aw.Call(function()
        poller:shutdown()
      end))
      assert.are.equal(1, ev:now())
    end)
  end)

  it("is not an event: Select refuses it [H4] [V5]", sealed(function()
    local poller = aw.Poller {}
    blames("event", function()
      aw.Select { w, poller }
    end)
  end))

  it("shows itself in the text of what holds it [V8]", sealed(function()
    local poller = aw.Poller {}
    local shown = tostring(poller & w)
    contains(shown, "Poller")
    contains(shown, " & Sleep(1)")
  end))
end)
