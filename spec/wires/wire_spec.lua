-- Wires are values [V1-V8].
--
-- Wires are built inside `test`, so the leak check covers them. In the program,
-- the specs run inside the root task. So "outside a task" means in a handler
-- here.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local places = require "spec.support.places"
local texts = require "spec.support.texts"

local test = helper.test
local recorder = helper.recorder
local nop = helper.nop
local line, place = places.line, places.place
local contains, lacks = texts.contains, texts.lacks

describe("building wires", function()
  it("runs nothing [V1]", function()
    test(function()
      local log, note = recorder()
      local a = aw.Call(note, "a")
      local b = aw.Wire(note, "b")
      local built = {
        a >> b,
        a * 3,
        3 * b,
        a * 0,
        aw.Sequence(a, b, a),
        aw.Repeat(b, 2),
        aw.Forever(a >> b),
        a:whole(),
        b:named("b"),
        (a >> b):shielded(1),
        aw.Value(a, b),
        aw.Call(note, "c") >> note,
      }
      for _, w in ipairs(built) do
        assert.is_string(tostring(w))
      end
      aw.sleep(1)
      assert.are.same({}, log)
    end)
  end)

  it("leaves the operands as they were [V1]", function()
    test(function()
      local log, note = recorder()
      local a = aw.Call(note, "a") >> aw.Call(note, "b")
      local shown = tostring(a)
      local longer = a >> aw.Call(note, "c")
      local more = longer >> a
      local named = a:named("other")
      assert.are.equal(shown, tostring(a))
      aw.await(a)
      assert.are.same({ "a", "b" }, log)
      aw.await(longer)
      assert.are.same({ "a", "b", "a", "b", "c" }, log)
      aw.await(more)
      assert.are.equal(10, #log)
      assert.are.equal("other", tostring(named))
      assert.are.equal(shown, tostring(a))
    end)
  end)

  it("takes the same wire as an operand more than once [V1]", function()
    test(function()
      local log, note = recorder()
      local a = aw.Call(note, "a")
      local twice = a >> a
      aw.await((twice >> a >> twice) * 2)
      assert.are.equal(10, #log)
    end)
  end)
end)

describe("a wire", function()
  it("may be started again after it ended [V1, U3]", function()
    test(function(ev)
      local log, note = recorder()
      local w = (aw.Call(note, "a") >> aw.Sleep(0.1)) * 2
      local shown = tostring(w)
      for round = 1, 3 do
        ev:start(w):wait()
        assert.are.equal(2 * round, #log)
        assert.are.equal(shown, tostring(w))
      end
    end)
  end)

  it("may be started many times at once [V1]", function()
    test(function(ev, clock)
      local count = 0
      local w = aw.Sleep(1) >> aw.Wire(function()
        count = count + 1
      end)
      for _ = 1, 20 do
        ev:start(w)
      end
      clock:advance(0.5)
      assert.are.equal(0, count)
      clock:advance(1)
      assert.are.equal(20, count)
    end)
  end)

  it("may be started again from inside itself [V1]", function()
    test(function(ev)
      local depth = 0
      local function again()
        depth = depth + 1
        if depth < 5 then
          aw.await(aw.Sequence(again, aw.Sleep(0.1)))
        end
      end
      ev:start(aw.Wire(again)):wait()
      assert.are.equal(5, depth)
    end)
  end)

  it("is not changed by a run that fails or is cancelled [V1]", function()
    test(function(ev)
      local log, note = recorder()
      local fail = true
      local w = (aw.Call(note, "a") >> aw.Wire(function()
        if fail then
          error("first time")
        end
        aw.sleep(1)
        note "end"
      end)) * 2
      helper.raises("first time", function()
        aw.await(w)
      end)
      fail = false
      local t = ev:start(w)
      aw.sleep(0.5)
      t:cancel_wait()
      assert.are.same({ "a", "a" }, log)
      aw.await(w)
      assert.are.same({ "a", "a", "a", "end", "a", "end" }, log)
    end)
  end)

  it("refuses to have a field written [V1]", function()
    test(function()
      local wires = {
        aw.Wire(nop),
        aw.Call(nop),
        aw.Value(1),
        aw.Sleep(1),
        aw.Never,
        aw.Sleep(1) >> aw.Sleep(2),
        aw.Sleep(1) * 2,
        aw.Forever(aw.Sleep(1)),
        aw.Sleep(1):named("x"),
      }
      for _, w in ipairs(wires) do
        helper.raises("immutable (cannot set field 'x')", function()
          w.x = 1
        end)
        helper.raises("immutable", function()
          w.named = nop
        end)
        helper.raises("immutable", function()
          w[1] = nop
        end)
        helper.raises("immutable", function()
          w.x = nil
        end)
      end
    end)
  end)

  it("blames the line that wrote the field [V1]", function()
    test(function()
      local w = aw.Sleep(1)
      local at = line() + 2
      helper.raises(place(at) .. ":", function()
        w.x = 1
      end)
    end)
  end)

  it("locks its metatable [V1]", function()
    test(function()
      for _, w in ipairs { aw.Wire(nop), aw.Sleep(1), aw.Never } do
        local shown = tostring(w)
        assert.are_not.equal("table", type(getmetatable(w)))
        assert.is_false((pcall(setmetatable, w, {})))
        assert.are.equal(shown, tostring(w))
      end
    end)
  end)
end)

describe("where a wire is wanted", function()
  it("takes a function, which is called with the loop [V2]", function()
    test(function(ev)
      local got
      ev:start(function(...)
        got = table.pack(...)
      end):wait()
      assert.are.equal(1, got.n)
      assert.is_true(got[1] == ev)
    end)
  end)

  it("takes a callable object, which is called with the loop [V2]", function()
    test(function(ev)
      local got
      local object = setmetatable({}, {
        __call = function(...)
          got = table.pack(...)
        end,
      })
      ev:start(object):wait()
      assert.are.equal(2, got.n)
      assert.is_true(rawequal(got[1], object))
      assert.is_true(got[2] == ev)
    end)
  end)

  it("takes functions and callable objects as operands [V2, P14]", function()
    test(function()
      local log, note = recorder()
      local function f()
        note "f"
      end
      local object = setmetatable({}, {
        __call = function()
          note "object"
        end,
      })
      local w = aw.Call(note, "w")
      aw.await(f >> w)
      aw.await(w >> f)
      aw.await(object >> w)
      aw.await(w >> object)
      aw.await(aw.Sequence(f, object, f))
      aw.await(aw.Repeat(object, 2))
      assert.are.same({
        "f", "w",
        "w", "f",
        "object", "w",
        "w", "object",
        "f", "object", "f",
        "object", "object",
      }, log)
    end)
  end)

  it("refuses anything else when it is built [V2]", function()
    test(function(ev)
      local w = aw.Sleep(1)
      local plain = setmetatable({}, { __index = nop })
      for _, bad in ipairs { 42, "x", true, false, plain, io.stdout } do
        helper.raises("wire", function()
          ev:start(bad)
        end)
        helper.raises("wire", function()
          return w >> bad
        end)
        helper.raises("wire", function()
          return bad >> w
        end)
        helper.raises("wire", function()
          return aw.Sequence(w, bad)
        end)
        helper.raises("wire", function()
          return aw.Forever(bad)
        end)
        helper.raises("wire", function()
          return aw.Repeat(bad, 2)
        end)
        helper.raises("wire", function()
          aw.await(bad)
        end)
      end
    end)
  end)

  it("names the bad value and the caller's line [V2]", function()
    test(function(ev)
      helper.raises("(wire expected, got number)", function()
        ev:start(42)
      end)
      helper.raises("bad argument #1 to 'start'", function()
        ev:start(42)
      end)
      local at = line() + 2
      helper.raises(place(at) .. ":", function()
        ev:start(42)
      end)
    end)
  end)
end)

describe("each kind of wire", function()
  it("can be started, awaited, called and combined [V3]", function()
    test(function(ev)
      local log, note = recorder()
      local kinds = {
        aw.Wire(nop),
        aw.Value(1),
        aw.Sleep(0.1),
        aw.SleepUntil(0),
        aw.Sleep(0.1) >> aw.Value(1),
        aw.Value(1) * 2,
        aw.Sleep(0.1):named("x"),
        aw.Sleep(0.1):whole(),
        aw.Sleep(0.1):shielded(1),
      }
      for i, w in ipairs(kinds) do
        ev:start(w):wait()
        aw.await(w)
        w(ev)
        aw.await((w >> aw.Call(note, i)) * 2)
      end
      assert.are.equal(2 * #kinds, #log)
    end)
  end)
end)

describe("a sequence of sequences", function()
  it("is flat however it was grouped [V4]", function()
    test(function()
      local a, b, c = aw.Sleep(0.1), aw.Sleep(0.2), aw.Sleep(0.3)
      local flat = "Sleep(0.1) >> Sleep(0.2) >> Sleep(0.3)"
      assert.are.equal(flat, tostring(a >> b >> c))
      assert.are.equal(flat, tostring(a >> (b >> c)))
      assert.are.equal(flat, tostring((a >> b) >> c))
      assert.are.equal(flat, tostring(aw.Sequence(a, b, c)))
      assert.are.equal(flat, tostring(aw.Sequence(a, b >> c)))
    end)
  end)

  it("is not flattened through a repeat or a name [V4]", function()
    test(function()
      local a, b = aw.Sleep(0.1), aw.Sleep(0.2)
      assert.are.equal(
        "(Sleep(0.1) >> Sleep(0.2)) * 2 >> Sleep(0.1)",
        tostring((a >> b) * 2 >> a)
      )
      assert.are.equal(
        "pair >> Sleep(0.1)",
        tostring((a >> b):named("pair") >> a)
      )
    end)
  end)

  it("may be a thousand long, built from either side [V4]", function()
    test(function()
      local count = 0
      local step = aw.Call(function()
        count = count + 1
      end)
      local left, right = step, step
      for _ = 2, 1000 do
        left = left >> step
        right = step >> right
      end
      aw.await(left)
      assert.are.equal(1000, count)
      aw.await(right)
      assert.are.equal(2000, count)
    end)
  end)
end)

describe("the functions of the module", function()
  it("build with a capital and act without one [V6]", function()
    test(function(ev)
      local w = aw.Sleep(1)
      assert.are.equal(0, ev:now())
      aw.sleep(1)
      assert.are.equal(1, ev:now())
      aw.await(w)
      assert.are.equal(2, ev:now())
    end)
  end)

  it("build outside a task, but do not act there [V6]", function()
    test(function(ev)
      local built, ok, err, waited, why
      local failing = ev:start(function()
        error "on purpose"
      end, function()
        built = tostring((aw.Sleep(0.1) >> aw.Value(1)) * 2)
        ok, err = pcall(aw.sleep, 0.1)
        waited, why = pcall(aw.await, aw.Sleep(0.1))
      end)
      pcall(failing.wait, failing)
      assert.are.equal("(Sleep(0.1) >> Value(1)) * 2", built)
      assert.is_false(ok)
      contains(err, "await")
      assert.is_false(waited)
      contains(why, "await")
    end)
  end)
end)

describe("a wire that needs no Lua", function()
  local function busy()
    return aw.stats().busy
  end

  it("runs without a coroutine [V7]", function()
    test(function(ev, clock)
      local before = busy()
      for _ = 1, 10 do
        ev:start(aw.Sleep(1))
        ev:start((aw.Sleep(1) >> aw.Value(1) >> aw.Sleep(1)) * 2)
        ev:start(aw.Call(aw.sleep, 1))
        ev:start(aw.Sleep(1):named("x") >> aw.SleepUntil(2))
      end
      clock:advance(0.5)
      assert.are.equal(before, busy())
      clock:advance(1)
      assert.are.equal(before, busy())
    end)
  end)

  it("is not a body that sleeps: that holds one [V7]", function()
    test(function(ev, clock)
      local before = busy()
      for _ = 1, 10 do
        ev:start(aw.Call(function()
          aw.sleep(1)
        end))
      end
      clock:advance(0.5)
      assert.are.equal(before + 10, busy())
      clock:advance(1)
      assert.are.equal(before, busy())
    end)
  end)
end)

describe("tostring of a wire", function()
  it("shows the expression [V8]", function()
    test(function()
      local a, b = aw.Sleep(0.1), aw.Sleep(0.2)
      local shown = {
        ["Sleep(0.1)"] = a,
        ["SleepUntil(3)"] = aw.SleepUntil(3.0),
        ["Never"] = aw.Never,
        ['Value(1, "x")'] = aw.Value(1, "x"),
        ["Value()"] = aw.Value(),
        ['Call(print, "beep")'] = aw.Call(print, "beep"),
        ["Call(print)"] = aw.Call(print),
        ["Call(string.rep, 1.5)"] = aw.Call(string.rep, 1.5),
        ["Sleep(0.1) * 4"] = a * 4,
        ["Forever(Sleep(0.1))"] = aw.Forever(a),
        ["Forever(Sleep(0.1) >> Sleep(0.2))"] = aw.Forever(a >> b),
        ["Sleep(0.1):whole()"] = a:whole(),
        ["Sleep(0.1):shielded(0.5)"] = a:shielded(0.5),
      }
      for expected, w in pairs(shown) do
        assert.are.equal(expected, tostring(w))
      end
    end)
  end)

  it("puts parentheses where they are needed [V8]", function()
    test(function()
      local a, b = aw.Sleep(0.1), aw.Sleep(0.2)
      assert.are.equal(
        '(Sleep(0.1) >> Call(print, "beep")) * 4',
        tostring((a >> aw.Call(print, "beep")) * 4)
      )
      assert.are.equal(
        "(Sleep(0.1) >> Sleep(0.2)):whole()",
        tostring((a >> b):whole())
      )
      assert.are.equal(
        "(Sleep(0.1) >> Sleep(0.2)) * 2 >> Sleep(0.1)",
        tostring((a >> b) * 2 >> a)
      )
    end)
  end)

  it("puts none where they are not needed [V8]", function()
    test(function()
      local a, b = aw.Sleep(0.1), aw.Sleep(0.2)
      assert.are.equal("Sleep(0.1) >> Sleep(0.2) * 4", tostring(a >> b * 4))
      assert.are.equal("Sleep(0.1) * 4 >> Sleep(0.2)", tostring(a * 4 >> b))
    end)
  end)

  it("shows a name instead of the named wire [V8]", function()
    test(function()
      local a, b = aw.Sleep(0.1), aw.Sleep(0.2)
      assert.are.equal("nap", tostring(a:named("nap")))
      assert.are.equal("nap * 3", tostring((a >> b):named("nap") * 3))
      assert.are.equal("nap >> Sleep(0.2)", tostring(a:named("nap") >> b))
    end)
  end)

  it("shows where a function was defined [V8]", function()
    test(function()
      local at = line() + 1
      local function body() end
      local where = place(at)
      local shown = tostring(aw.Wire(body))
      contains(shown, "Wire(function@")
      contains(shown, where)
      shown = tostring(aw.Call(body, 1))
      contains(shown, "Call(function@")
      contains(shown, where)
    end)
  end)

  it("cuts a long string and shows other values by type [V8]", function()
    test(function()
      local shown = tostring(aw.Call(print, ("x"):rep(100)))
      contains(shown, ("x"):rep(32))
      lacks(shown, ("x"):rep(33))
      contains(shown, "...")
      shown = tostring(aw.Call(print, {}))
      contains(shown, "Call(print, table")
    end)
  end)

  it("does not touch what the wire holds [V8]", function()
    test(function()
      local asked = 0
      local prying = setmetatable({}, {
        __call = nop,
        __tostring = function()
          asked = asked + 1
          error("asked")
        end,
      })
      assert.is_string(tostring(aw.Call(print, prying)))
      assert.is_string(tostring(aw.Wire(nop, prying)))
      assert.are.equal(0, asked)
    end)
  end)

  it("shows a deep expression without running out of stack [V8]", function()
    test(function()
      local w = aw.Sleep(0.1)
      for _ = 1, 500 do
        w = (w >> aw.Sleep(0.2)) * 2
      end
      assert.is_string(tostring(w))
    end)
  end)
end)
