-- What bad input gets: an error that blames the caller's line, and a loop
-- that goes on as if nothing had been asked.

local aw = require "aiowire"
local bystanders = require "spec.support.bystanders"
local helper = require "spec.support.helper"
local places = require "spec.support.places"
local texts = require "spec.support.texts"

local virtual, sealed = helper.virtual, helper.sealed
local survives = bystanders.survives
local blames = places.blames
local contains = texts.contains

local function fail()
  error("failed", 0)
end

local wire = aw.Sleep(1)

describe("start", function()
  for shown, value in pairs {
    number = 42, string = "x", boolean = true, table = {},
  } do
    it("refuses a " .. shown .. " [V2]", sealed(function()
      survives(function(ev)
        blames(
          ("bad argument #1 to 'start' (wire expected, got %s)")
            :format(shown),
          function()
            ev:start(value)
          end
        )
      end)
    end))
  end

  it("refuses it outside a task, too [V2]", sealed(function()
    local ev = virtual()
    blames("bad argument #1 to 'start' (wire expected, got number)",
      function()
        ev:start(42)
      end)
    ev:start(wire)
    assert.are.equal("done", ev:run())
    assert.are.equal(1, ev:now())
  end))

  it("refuses a handler that cannot be called [E7]", sealed(function()
    local ev = virtual()
    blames("bad argument #2 to 'start'", function()
      ev:start(wire, 42)
    end)
    assert.are.equal("done", ev:run())
    assert.are.equal(0, ev:now())
  end))

  it("refuses options that are no table [T2]", sealed(function()
    local ev = virtual()
    blames("bad argument #3 to 'start'", function()
      ev:start(wire, nil, "name")
    end)
    assert.are.equal("done", ev:run())
  end))

  it("takes nil, and does nothing [P2]", sealed(function()
    local log, note = helper.recorder()
    local ev = virtual()
    ev:start(nil)
    ev:start(nil, note)
    ev:start(nil, note, { name = "nothing" })
    assert.are.same({}, ev:tasks())
    assert.are.equal("done", ev:run())
    assert.are.same({}, log)
  end))

  it("takes a wire, a function and a callable object [V2]",
    sealed(function()
      local log = {}
      local ev = virtual()
      ev:start(aw.Call(table.insert, log, "wire"))
      ev:start(function()
        log[#log + 1] = "function"
      end)
      ev:start(setmetatable({}, {
        __call = function()
          log[#log + 1] = "object"
        end,
      }))
      ev:run()
      assert.are.same({ "wire", "function", "object" }, log)
    end))
end)

describe("aw.start", function()
  it("refuses what is no wire [V2]", sealed(function()
    survives(function()
      blames("bad argument #1 to 'start' (wire expected, got number)",
        function()
          aw.start(42)
        end)
    end)
  end))
end)

describe("building a wire", function()
  local function noop() end

  for name, build in pairs {
    Wire = function() aw.Wire(42) end,
    Call = function() aw.Call(42) end,
    Forever = function() aw.Forever "x" end,
    Repeat = function() aw.Repeat({}, 2) end,
    Sequence = function() aw.Sequence(noop, 42) end,
    Sleep = function() aw.Sleep {} end,
    SleepUntil = function() aw.SleepUntil(print) end,
    Done = function() aw.Done(42) end,
  } do
    it("refuses a bad argument to " .. name .. " [V2]",
      sealed(function()
        blames("bad argument #", build)
        blames(name, build)
      end))
  end

  it("checks the arguments of Call(aw.sleep) at once [V7]",
    sealed(function()
      blames("seconds must not be negative", function()
        aw.Call(aw.sleep, -1)
      end)
      blames("seconds must not be NaN", function()
        aw.Call(aw.sleep, 0 / 0)
      end)
    end))

  it("does not check the arguments of other functions [V2]",
    sealed(function()
      aw.Call(math.floor, "no number")
    end))
end)

describe("an operator", function()
  local function noop() end

  for shown, value in pairs {
    string = "x", number = 42, boolean = false, table = {},
  } do
    it("refuses a " .. shown .. " beside >> [V2]", sealed(function()
      local message = ("attempt to use a %s as a wire (operand of '>>')")
        :format(shown)
      survives(function()
        blames(message, function()
          return (value >> wire) and nil
        end)
        blames(message, function()
          return (wire >> value) and nil
        end)
      end)
    end))
  end

  it("refuses nil beside >> [V2]", sealed(function()
    blames("attempt to use a nil as a wire (operand of '>>')", function()
      return (wire >> nil) and nil
    end)
  end))

  it("takes a function beside >> [V2]", sealed(function()
    local ev = virtual()
    ev:start(noop >> wire >> noop)
    assert.are.equal("done", ev:run())
    assert.are.equal(1, ev:now())
  end))

  it("refuses a broken number of times [O2]", sealed(function()
    survives(function()
      blames("a wire is repeated a whole number of times, got 1.5",
        function()
          return (wire * 1.5) and nil
        end)
      blames("a wire is repeated a whole number of times, got 0.5",
        function()
          return (0.5 * wire) and nil
        end)
      blames("a wire is repeated a whole number of times, got",
        function()
          return (wire * (0 / 0)) and nil
        end)
    end)
  end))

  it("refuses a string as a number of times [O2]", sealed(function()
    survives(function()
      blames("a wire is repeated a whole number of times, got string",
        function()
          return (wire * "3") and nil
        end)
      blames("a wire is repeated a whole number of times, got string",
        function()
          return ("3" * wire) and nil
        end)
    end)
  end))

  it("refuses a wire or a table as a number of times [O2]",
    sealed(function()
      blames("a wire is repeated a whole number of times", function()
        return (wire * wire) and nil
      end)
      blames("a wire is repeated a whole number of times", function()
        return (wire * {}) and nil
      end)
    end))

  it("takes whole floats, 0 and less as a number of times [O2]",
    sealed(function()
      local log = {}
      local ev = virtual()
      local insert = aw.Call(table.insert, log, "ran")
      ev:start(insert * 2.0)
      ev:start(insert * 0)
      ev:start(insert * -3)
      ev:run()
      assert.are.same({ "ran", "ran" }, log)
    end))

  it("+ means nothing, and says what does [O16]", sealed(function()
    survives(function()
      local err = blames("'+' means nothing for wires", function()
        return (wire + wire) and nil
      end)
      contains(err, ">>")
    end)
  end))

  -- luacheck: push ignore 314
  local meaningless = {
    ["-"] = function() return (wire - wire) and nil end,
    ["%"] = function() return (wire % 2) and nil end,
    ["^"] = function() return (wire ^ 2) and nil end,
    ["~"] = function() return (wire ~ wire) and nil end,
    ["<<"] = function() return (wire << wire) and nil end,
    ["<"] = function() return (wire < wire) and nil end,
    ["<="] = function() return (wire <= wire) and nil end,
    ["#"] = function() return #wire and nil end,
  }
  -- luacheck: pop
  for operator, use in pairs(meaningless) do
    it(operator .. " means nothing [O16]", sealed(function()
      survives(function()
        blames(("'%s'"):format(operator), use)
      end)
    end))
  end

  it("- and ~ before one wire mean nothing [O16]", sealed(function()
    blames("'-'", function()
      return (-wire) and nil
    end)
    blames("'~'", function()
      return (~wire) and nil
    end)
  end))

  it(".. is left to Lua's own message [O16]", sealed(function()
    blames("attempt to concatenate", function()
      return (wire .. "x") and nil
    end)
  end))

  it("== and ~= may be asked of any wire [O16]", sealed(function()
    local same, other = wire, aw.Sleep(1) >> wire
    assert.is_true(wire == same)
    assert.is_false(wire == other)
  end))
end)

describe("a wire", function()
  it("refuses to have a field written [V1]", sealed(function()
    survives(function()
      blames("a wire is immutable (cannot set field 'x')", function()
        wire.x = 1
      end)
      blames("a wire is immutable (cannot set field 'whole')", function()
        wire.whole = nil
      end)
      blames("a wire is immutable", function()
        wire[1] = 1
      end)
    end)
    contains(tostring(wire), "Sleep(1")
  end))

  it("keeps its metatable to itself [V1]", sealed(function()
    assert.are_not.equal("table", type(getmetatable(wire)))
    assert.is_false((pcall(setmetatable, wire, {})))
    local ev = virtual()
    ev:start(wire)
    assert.are.equal("done", ev:run())
  end))

  it("refuses a grace that is none [O13]", sealed(function()
    blames("negative", function()
      wire:shielded(-1)
    end)
    blames("bad argument #", function()
      wire:shielded {}
    end)
  end))
end)

describe("a loop that has ended", function()
  local function refuses(ev, how)
    local message = "this EventLoop has ended" .. how
    local err = blames(message, function()
      ev:start(wire)
    end)
    contains(err, message)
    assert.are.same({}, ev:tasks())
  end

  it("by a time-out says so [S7]", sealed(function()
    local ev = virtual { timeout = 1 }
    ev:start(aw.Never)
    assert.are.equal("timeout", ev:run())
    refuses(ev, " (timeout)")
  end))

  it("by a stop says so [S7]", sealed(function()
    local ev = virtual()
    ev:start(aw.Call(ev.stop, ev) >> aw.Never)
    assert.are.equal("stopped", ev:run())
    refuses(ev, " (stopped)")
  end))

  it("by an error says so [S7]", sealed(function()
    local ev = virtual()
    ev:start(fail)
    assert.is_false((pcall(ev.run, ev)))
    refuses(ev, " (failed)")
  end))

  it("by close says so [S7]", sealed(function()
    local ev = virtual()
    ev:close()
    refuses(ev, " (closed)")
    ev:close()
  end))

  it("by the end of its block says so [S7]", sealed(function()
    local kept
    do
      local ev <close> = virtual()
      kept = ev
    end
    refuses(kept, "")
  end))

  it("is not one that was done [S7]", sealed(function()
    local ev = virtual()
    assert.are.equal("done", ev:run())
    ev:start(wire)
    assert.are.equal("done", ev:run())
  end))
end)

describe("a duration", function()
  it("of NaN is refused [K3]", sealed(function()
    survives(function()
      blames("bad argument #1 to 'sleep' (seconds must not be NaN)",
        function()
          aw.sleep(0 / 0)
        end)
      blames("bad argument #1 to 'Sleep' (seconds must not be NaN)",
        function()
          aw.Sleep(0 / 0)
        end)
      blames("NaN", function()
        aw.sleep_until(0 / 0)
      end)
    end)
  end))

  it("of less than nothing is refused [K3]", sealed(function()
    survives(function()
      blames("bad argument #1 to 'sleep' (seconds must not be negative)",
        function()
          aw.sleep(-1)
        end)
      blames("bad argument #1 to 'Sleep' (seconds must not be negative)",
        function()
          aw.Sleep(-1)
        end)
    end)
  end))

  it("that is no number is refused [K3]", sealed(function()
    survives(function()
      for _, value in ipairs { "soon", {}, true, print } do
        blames("bad argument #1 to 'sleep'", function()
          aw.sleep(value)
        end)
      end
      blames("bad argument #1 to 'sleep'", function()
        aw.sleep()
      end)
    end)
  end))

  it("may be 0, a fraction or for ever [K3]", sealed(function()
    survives(function()
      aw.sleep(0)
      aw.sleep(0.001)
      aw.Sleep(math.huge)
    end)
  end))
end)

describe("running a loop inside itself", function()
  it("is refused to its task [I6]", sealed(function()
    survives(function(ev)
      blames("this EventLoop is already running", function()
        ev:run()
      end)
    end)
  end))

  it("is refused to a task of a loop inside it [I6]",
    sealed(function()
      survives(function(ev)
        local refused = false
        local inner = aw.EventLoop {}
        inner:start(function()
          blames("this EventLoop is already running", function()
            ev:run()
          end)
          refused = true
        end)
        assert.are.equal("done", inner:run())
        assert.is_true(refused)
      end)
    end))

  it("is refused to a handler [E7]", sealed(function()
    local refused = false
    local ev = virtual()
    ev:start(fail, function(loop)
      refused = not pcall(loop.run, loop)
    end)
    assert.are.equal("done", ev:run())
    assert.is_true(refused)
  end))

  it("is no matter for another loop [S6]", sealed(function()
    survives(function()
      local inner = aw.EventLoop {}
      inner:start(aw.Sleep(0.5))
      assert.are.equal("done", inner:run())
    end)
  end))
end)
