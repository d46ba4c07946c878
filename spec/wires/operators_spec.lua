-- w:named, and the operators without a meaning [O15, O16].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local places = require "spec.support.places"
local texts = require "spec.support.texts"
local wires = require "spec.support.wires"

local test, recorder, nop = helper.test, helper.recorder, helper.nop
local line, place = places.line, places.place
local contains = texts.contains
local takes, giving = wires.takes, wires.giving

describe("w:named(s)", function()
  it("behaves as w [O15]", function()
    test(function(ev)
      local log, note = recorder()
      local w = giving(takes(2, note, "child"), note, "a"):named("a")
      ev:start(w >> takes(1, note, "b")):wait()
      assert.are.same({ "a", "b", "child" }, log)
      assert.are.equal("x", aw.await(aw.Value("x"):named("v")))
    end)
  end)

  it("names the task that runs it [O15]", function()
    test(function(ev)
      local t = ev:start(aw.Sleep(1):named("nap"))
      assert.are.equal("nap", t.name)
    end)
  end)

  it("leaves w without the name [O15]", function()
    test(function()
      local w = aw.Sleep(0.5)
      local named = w:named("nap")
      assert.are.equal("Sleep(0.5)", tostring(w))
      assert.are.equal("nap", tostring(named))
      assert.are.equal("rest", tostring(named:named("rest")))
    end)
  end)

  it("refuses what is no name [O15]", function()
    test(function()
      local w = aw.Sleep(1)
      assert.is_false((pcall(w.named, w)))
      assert.is_false((pcall(w.named, w, {})))
      assert.is_false((pcall(w.named, w, true)))
    end)
  end)
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

  it("says so between two wires [O16]", function()
    test(function()
      for _, operate in pairs(binary) do
        helper.raises("means nothing for wires", function()
          return operate(aw.Sleep(1), aw.Sleep(2))
        end)
      end
    end)
  end)

  it("says so with a wire on either side [O16]", function()
    test(function()
      for _, operate in pairs(binary) do
        for _, other in ipairs { 1, {}, nop, true } do
          helper.raises("means nothing for wires", function()
            return operate(aw.Sleep(1), other)
          end)
          helper.raises("means nothing for wires", function()
            return operate(other, aw.Sleep(1))
          end)
        end
      end
    end)
  end)

  it("says so before a wire [O16]", function()
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
      local w = aw.Sleep(1)
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
      local w = aw.Sleep(1)
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
      local w = aw.Sleep(0.1)
      assert.are.equal("Sleep(0.1) >> Sleep(0.1)", tostring(w >> w))
      assert.are.equal("Sleep(0.1) * 2", tostring(w * 2))
    end)
  end)
end)
