-- How combinators appear in the text of a Deadlock [L4] and in the dump of a
-- loop [D1, D2].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local places = require "spec.support.places"
local texts = require "spec.support.texts"
local wires = require "spec.support.wires"

local test, sealed = helper.test, helper.sealed
local line, place = places.line, places.place
local contains, lacks, in_order = texts.contains, texts.lacks, texts.in_order

--- Returns the text of the Deadlock that ends a loop which runs `w`.
local function deadlock_of(w)
  local ev = helper.virtual()
  ev:start(w, nil, { name = "main" })
  local ok, err = pcall(ev.run, ev)
  assert.is_false(ok)
  local text = tostring(err)
  contains(text, "Deadlock")
  return text
end

local function blocked(name)
  return aw.Wire(function()
    aw.await(aw.Never)
  end):named(name)
end

describe("a Deadlock", function()
  local stuck = {
    ["a join"] = function()
      return aw.Never & aw.Never
    end,
    ["a join, one operand of which has ended,"] = function()
      return aw.Sleep(1) & aw.Never
    end,
    ["All"] = function()
      return aw.All { x = aw.Never, y = aw.Sleep(1) }
    end,
    ["All with a limit"] = function()
      return aw.All { aw.Never, aw.Sleep(1), limit = 1 }
    end,
    ["a race"] = function()
      return blocked "a" | blocked "b"
    end,
    ["a race of events"] = function()
      return aw.Never | aw.Never
    end,
    ["Race"] = function()
      return aw.Race { x = blocked "a", aw.Never }
    end,
    ["Any"] = function()
      return aw.Any { wires.fails(1, "boom"), aw.Never }
    end,
    ["Select"] = function()
      return aw.Select { x = aw.Never, y = aw.Never }
    end,
    ["a fall-back"] = function()
      return wires.fails(1, "boom") // aw.Never
    end,
    ["a retry"] = function()
      return aw.Never:retry { times = 3 }
    end,
    ["a catch"] = function()
      return aw.Never:catch(print)
    end,
    ["a map"] = function()
      return aw.Never / print
    end,
    ["a bind"] = function()
      return aw.Value(1):bind(function()
        return aw.Never
      end)
    end,
    ["a supervised wire"] = function()
      return aw.Never:supervise(print)
    end,
    ["a tick of Every"] = function()
      return aw.Every(1, aw.Never)
    end,
  }
  for name, build in pairs(stuck) do
    it("is raised for " .. name .. " that can never end [L4]",
      sealed(function()
        deadlock_of(build())
      end))
  end

  it("is not raised while a time-out is under way [L4]", sealed(function()
    local ev = helper.virtual()
    local got
    ev:start((aw.Never & aw.Never):timeout(1000):catch(function(err)
      got = err
    end))
    assert.are.equal("done", ev:run())
    assert.is_true(aw.is_timeout(got))
    assert.are.equal(1000, ev:now())
  end))

  it("is not raised while an operand can wake up [L4]", sealed(function()
    local ev = helper.virtual()
    ev:start(aw.Never | aw.Sleep(1000))
    ev:start(blocked "a" | aw.Sleep(2000))
    assert.are.equal("done", ev:run())
    assert.are.equal(2000, ev:now())
  end))

  it("is not raised between the tries of a retry [L4]", sealed(function()
    local ev = helper.virtual()
    local w = wires.fails_until(3, "boom")
    ev:start(w:retry { delay = 1000 })
    assert.are.equal("done", ev:run())
  end))

  it("is not raised between the ticks of Every [L4]", sealed(function()
    local ev = helper.virtual { timeout = 100 }
    ev:start(aw.Every(30, helper.nop))
    assert.are.equal("timeout", ev:run())
  end))

  it("lets the blocked tasks clean up [L3] [L4]", sealed(function()
    local log, note = helper.recorder()
    local ev = helper.virtual()
    ev:start(blocked "a":finally(function()
      note "a"
    end) & blocked "b":finally(function()
      note "b"
    end))
    assert.is_false((pcall(ev.run, ev)))
    assert.are.same({ "a", "b" }, log)
  end))

  it("shows the tree: operands below what joins them [L4]",
    sealed(function()
      local text = deadlock_of(blocked "left" & blocked "right")
      in_order(text, "'main'", "waiting", "'left'", "waiting", "'right'",
        "waiting")
    end))

  it("shows the tree of a join in a race [L4]", sealed(function()
    local text = deadlock_of((blocked "a" & blocked "b"):named "pair"
      | blocked "c")
    in_order(text, "'main'", "'pair'", "'a'", "'b'", "'c'")
  end))
end)

describe("the dump of a loop with combinators", function()
  --- Start `w`, and return the dump of its loop a second later.
  local function dump_of(w)
    local dump
    test(function(ev)
      local t = ev:start(w, helper.nop, { name = "main" })
      aw.sleep(1)
      dump = ev:dump()
      t:cancel_wait()
    end)
    return dump
  end

  it("has the operands of a join below it, in order [D2]", sealed(function()
    in_order(dump_of(blocked "a" & blocked "b" & blocked "c"),
      "'main'", "waiting", "'a'", "waiting", "'b'", "'c'")
  end))

  it("says how many operands it waits for [D1]", sealed(function()
    in_order(dump_of(blocked "a" & blocked "b" & aw.Call(helper.nop)),
      "'main'", "join 2 children")
    in_order(dump_of(blocked "a" & aw.Call(helper.nop)),
      "'main'", "join 1 child")
  end))

  it("has no operand that has ended [D2]", sealed(function()
    local dump = dump_of(blocked "alive"
      & aw.Call(helper.nop):named "ended")
    in_order(dump, "'alive'")
    lacks(dump, "'ended'")
  end))

  it("has the operands of a race below it [D2]", sealed(function()
    in_order(dump_of(blocked "a" | blocked "b"), "'main'", "'a'", "'b'")
  end))

  it("names operands after what they are [D1]", sealed(function()
    in_order(dump_of(aw.Sleep(5) >> aw.Sleep(6) & blocked "b"),
      "'main'", "'Sleep(5) >> Sleep(6)'", "sleep 5.0 (4.0 left)", "'b'")
  end))

  it("shows where an operand awaits [D2]", sealed(function()
    local awaits
    local dump = dump_of(aw.Wire(function()
      awaits = line() + 1
      aw.sleep(100)
    end) & blocked "b")
    in_order(dump, "'main'", place(awaits))
  end))

  it("has joins in joins, each below its own [D2]", sealed(function()
    local dump = dump_of(
      (blocked "a" & blocked "b"):named "left"
      & (blocked "c" & blocked "d"):named "right")
    in_order(dump, "'main'", "'left'", "'a'", "'b'", "'right'", "'c'",
      "'d'")
    local function depth(name)
      local shown = dump:match("[^\n]*'" .. name .. "'[^\n]*")
      return utf8.len(shown:match "^[^t]*")
    end
    assert.are.equal(depth "left", depth "right")
    assert.are.equal(depth "a", depth "d")
    assert.is_true(depth "main" < depth "left")
    assert.is_true(depth "left" < depth "a")
  end))

  it("marks losers that still clean up [D2]", function()
    local dump
    test(function(ev)
      local t = ev:start(wires.cleaning(5, helper.nop):named "loser"
        | aw.Sleep(1))
      aw.sleep(2)
      dump = ev:dump()
      t:wait()
    end)
    in_order(dump, "'loser'")
    contains(dump, "CANCELLED")
  end)

  it("shows a race of events as one waiting task [D1]", sealed(function()
    in_order(dump_of(aw.Sleep(5) | aw.Sleep(6)), "'main'", "waiting")
    in_order(dump_of(aw.Select { x = aw.Sleep(5), y = aw.Never }),
      "'main'", "waiting")
  end))

  it("may be taken in any state of any combinator [D2]", function()
    test(function(ev)
      local all = (aw.Every(1, aw.Sleep(0.5) & aw.Sleep(0.25))
        | (aw.Sleep(3):timeout(2):retry { times = 2, delay = 0.5 }
          // (aw.Sleep(1) / helper.nop)):supervise(helper.nop))
        :finally(function()
          aw.sleep(1)
        end)
      local t = ev:start(all)
      while t.status == "waiting" or t.status == "ready" do
        assert.are.equal("string", type(ev:dump()))
        assert.are.equal("string", type(t:traceback()))
        assert.are.equal("string", type(tostring(t)))
        aw.sleep(0.125)
      end
      assert.are.equal("done", t.status)
    end)
  end)
end)
