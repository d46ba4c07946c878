-- Operands of any combinator: their tasks, their failures, what they may start,
-- and their cost.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local places = require "spec.support.places"
local texts = require "spec.support.texts"
local wires = require "spec.support.wires"

local test = helper.test
local recorder = helper.recorder
local closer = helper.closer
local takes, gives, fails = wires.takes, wires.gives, wires.fails
local line, place = places.line, places.place
local contains = texts.contains

--- Combinators over two operands, and what is done with one. --------------

local pairs_of = {
  ["&"] = function(a, b) return a & b end,
  ["|"] = function(a, b) return a | b end,
  ["All"] = function(a, b) return aw.All { x = a, y = b } end,
  ["All with a limit"] = function(a, b)
    return aw.All { a, b, limit = 2 }
  end,
  ["Any"] = function(a, b) return aw.Any { a, b } end,
  ["Race"] = function(a, b) return aw.Race { x = a, y = b } end,
}

local singles = {
  ["//"] = function(w) return w // aw.Never end,
  ["timeout"] = function(w) return w:timeout(1000) end,
  ["retry"] = function(w) return w:retry { times = 1 } end,
  ["catch"] = function(w)
    return w:catch(function(err) error(err, 0) end)
  end,
  ["finally"] = function(w) return w:finally(helper.nop) end,
  ["supervise"] = function(w) return w:supervise(helper.nop) end,
  ["/"] = function(w) return w / function(...) return ... end end,
  ["bind"] = function(w) return w:bind(aw.Value) end,
}

describe("an operand", function()
  for name, pair in pairs(pairs_of) do
    it("is a task of its own in " .. name .. " [S4]", function()
      test(function(ev)
        local ids = {}
        local function operand()
          ids[#ids + 1] = aw.current().id
          aw.sleep(1)
        end
        local t = ev:start(pair(aw.Wire(operand), aw.Wire(operand)))
        t:wait()
        assert.are.equal(2, #ids)
        assert.are_not.equal(ids[1], ids[2])
        assert.are_not.equal(t.id, ids[1])
        assert.are_not.equal(t.id, ids[2])
      end)
    end)

    it("is given the loop in " .. name .. " [V2]", function()
      test(function(ev)
        local seen
        aw.await(pair(aw.Wire(function(loop)
          seen = loop
        end), aw.Sleep(1)))
        assert.are.equal(ev, seen)
      end)
    end)

    it("may start what outlives it at the root, in " .. name .. " [S5]",
      function()
        test(function(ev)
          local log, note = recorder()
          aw.await(pair(aw.Wire(function()
            ev:start(takes(5, note, "at the root"))
            aw.sleep(1)
          end), aw.Sleep(1)))
          assert.are.equal(1, ev:now())
          aw.sleep(5)
          assert.are.same({ "at the root" }, log)
        end)
      end)

    it("cannot be waited for inside it, in " .. name .. " [T5]",
      function()
        test(function(ev)
          local ok, err
          local t
          t = ev:start(pair(aw.Wire(function()
            ok, err = pcall(t.wait, t)
          end), aw.Sleep(1)))
          t:wait()
          assert.is_false(ok)
          assert.is_false(aw.is_cancelled(err))
        end)
      end)
  end

  for name, single in pairs(singles) do
    it("is a part of the running task under " .. name .. " [O9]", function()
      test(function(ev)
        local id
        local t = ev:start(single(aw.Wire(function()
          id = aw.current().id
        end)))
        t:wait()
        assert.are.equal(t.id, id)
      end)
    end)
  end
end)

describe("a wire with combinators that is run by a call", function()
  it("runs to its end inline, and leaves no next wire [N6]", function()
    for name, pair in pairs(pairs_of) do
      test(function(ev)
        local log, note = recorder()
        local nothing = pair(takes(1, note, "a"), takes(1, note, "b"))(ev)
        assert.is_nil(nothing, name)
        assert.is_true(#log >= 1, name)
        assert.are.equal(1, ev:now(), name)
      end)
    end
  end)

  it("raises its errors there [N6]", function()
    for name, pair in pairs(pairs_of) do
      test(function(ev)
        local problem = {}
        local w = pair(fails(1, problem), fails(1, problem))
        local ok, err = pcall(w, ev)
        assert.is_false(ok, name)
        assert.are.equal(problem, err, name)
      end)
    end
  end)
end)

describe("the handler of a task with combinators", function()
  for name, pair in pairs(pairs_of) do
    it("is called once, with the raw error, for " .. name .. " [E7]",
      function()
        helper.leak_checked(function()
          local problem = {}
          local err = wires.failure_of(pair(fails(1, problem),
            fails(1, problem)))
          assert.is_true(rawequal(problem, err))
        end)
      end)
  end

  for name, single in pairs(singles) do
    if name ~= "//" and name ~= "supervise" then
      it("is called once, with the raw error, for " .. name .. " [E7]",
        function()
          helper.leak_checked(function()
            local problem = {}
            local err = wires.failure_of(single(fails(1, problem)))
            assert.is_true(rawequal(problem, err))
          end)
        end)
    end
  end

  it("hears where the operand raised it [E2] [D3]", function()
    helper.leak_checked(function()
      for name, pair in pairs(pairs_of) do
        local raised
        local body = aw.Wire(function()
          aw.sleep(1)
          raised = line() + 1
          error "boom"
        end):named "the culprit"
        local _, info = wires.failure_of(pair(body, fails(1, "boom")))
        if name ~= "Any" then
          contains(info.traceback, place(raised))
          contains(tostring(info), "the culprit")
        end
      end
    end)
  end)

  it("is called for a loop that has no other: it stops [E8]", function()
    helper.leak_checked(function()
      local problem = {}
      local log, note = recorder()
      local ev = helper.virtual()
      ev:start(fails(1, problem) & wires.cleaning(1, note, "cleaned"))
      ev:start(wires.cleaning(2, note, "bystander cleaned"))
      local ok, err = pcall(ev.run, ev)
      assert.is_false(ok)
      assert.is_true(aw.is_unhandled(err))
      assert.are.equal(problem, err.cause)
      assert.are.same({ "cleaned", "bystander cleaned" }, log)
    end)
  end)

  it("may start combinators anew [E7]", function()
    helper.leak_checked(function()
      local log, note = recorder()
      local ev = helper.virtual()
      ev:start(fails(1, "boom") & aw.Sleep(9), function(loop, err)
        note(err)
        loop:start(takes(1, note, "a") & takes(2, note, "b"))
      end)
      assert.are.equal("done", ev:run())
      assert.are.same({ "boom", "a", "b" }, log)
      assert.are.equal(3, ev:now())
    end)
  end)
end)

describe("a wire of combinators that needs no Lua", function()
  local bare = {
    ["&"] = function() return aw.Sleep(2) & aw.Sleep(1) & aw.Sleep(3) end,
    ["|"] = function() return aw.Sleep(5) >> aw.Sleep(1) | aw.Sleep(2) end,
    ["| of events"] = function() return aw.Sleep(5) | aw.Sleep(2) end,
    ["//"] = function() return aw.Sleep(2) // aw.Sleep(1) end,
    ["All"] = function() return aw.All { aw.Sleep(2), aw.Sleep(1) } end,
    ["All with a limit"] = function()
      return aw.All { aw.Sleep(1), aw.Sleep(1), aw.Sleep(1), limit = 2 }
    end,
    ["Race"] = function()
      return aw.Race { aw.Sleep(5) * 2, aw.Sleep(2) }
    end,
    ["Any"] = function()
      return aw.Any { aw.Sleep(5), aw.Sleep(2) >> aw.Sleep(1) }
    end,
    ["Select"] = function()
      return aw.Select { aw.Sleep(5), aw.Sleep(2) }
    end,
    ["timeout"] = function()
      return aw.Sleep(9):timeout(2) // aw.Sleep(1)
    end,
    ["retry"] = function()
      return aw.Sleep(9):timeout(0.5):retry { times = 3, delay = 1 }
        // aw.Sleep(1)
    end,
    ["Every"] = function() return aw.Every(1, aw.Sleep(0.5)) end,
    ["all of them"] = function()
      return (((aw.Sleep(1) & aw.Sleep(2)) | aw.Sleep(9)):timeout(5)
        // aw.Never) * 3
    end,
  }

  for name, build in pairs(bare) do
    it("runs without a coroutine, as " .. name .. " [V7]", function()
      test(function(ev, clock)
        local before = aw.stats().busy
        local tasks = {}
        for i = 1, 10 do
          tasks[i] = ev:start(build())
        end
        for _ = 1, 4 do
          clock:advance(0.375)
          assert.are.equal(before, aw.stats().busy)
        end
        for i = 1, 10 do
          tasks[i]:cancel_wait()
        end
      end)
    end)
  end

  it("is not one with a body: that holds one [V7]", function()
    test(function(ev, clock)
      local before = aw.stats().busy
      ev:start((aw.Sleep(2) & aw.Call(function()
        aw.sleep(1)
      end)) | aw.Sleep(9))
      clock:advance(0.5)
      assert.are.equal(before + 1, aw.stats().busy)
      clock:advance(1)
      assert.are.equal(before, aw.stats().busy)
    end)
  end)
end)

describe("results", function()
  it("may be many, through all combinators [E1]", function()
    test(function()
      local list = {}
      for i = 1, 200 do
        list[i] = i
      end
      local w = aw.Sleep(1) >> aw.Value(table.unpack(list))
      for _, single in pairs(singles) do
        w = single(w)
      end
      w = w | aw.Never
      local got = table.pack(aw.await(w))
      assert.are.equal(200, got.n)
      assert.are.equal(200, got[200])
    end)
  end)

  it("keep their identity [E1]", function()
    test(function()
      local object = {}
      local w = gives(1, object)
      assert.is_true(rawequal(object, (aw.await(w & w))))
      assert.is_true(rawequal(object, (aw.await(w | aw.Never))))
      assert.is_true(rawequal(object, aw.await(aw.All { x = w }).x))
    end)
  end)

  it("of losers are let go [H3]", function()
    test(function()
      local weak = setmetatable({}, { __mode = "k" })
      local function operand()
        return aw.Call(function()
          aw.sleep(1)
          local object = {}
          weak[object] = true
          return object
        end)
      end
      assert.are.equal("table", type((aw.await(operand() | operand()))))
      collectgarbage()
      collectgarbage()
      assert.is_nil(next(weak))
    end)
  end)
end)

describe("combinators, however deep,", function()
  local function deep(levels)
    local w = gives(1, "x")
    for i = 1, levels do
      local kind = i % 7
      if kind == 0 then
        w = w:timeout(1000)
      elseif kind == 1 then
        w = w // aw.Never
      elseif kind == 2 then
        w = w:retry { times = 2 }
      elseif kind == 3 then
        w = (w | aw.Never):named "race"
      elseif kind == 4 then
        w = w / function(...) return ... end
      elseif kind == 5 then
        w = w:finally(helper.nop)
      else
        w = (w & aw.Sleep(1)):named "join"
      end
    end
    return w
  end

  it("run to their end [V1]", function()
    test(function(ev)
      assert.are.equal("x", (aw.await(deep(140))))
      assert.are.equal(1, ev:now())
    end)
  end)

  it("are cancelled at once [C3]", function()
    test(function(ev)
      local t = ev:start(deep(140))
      aw.sleep(0.5)
      t:cancel_wait()
      assert.are.equal("cancelled", t.status)
      assert.are.equal(0.5, ev:now())
    end)
  end)

  it("need no stack of C where they need no task [V1]", function()
    test(function(ev)
      local w = aw.Sleep(1)
      for i = 1, helper.scale(3000) do
        w = i % 2 == 0 and w:timeout(1000) or w // aw.Never
      end
      aw.await(w)
      assert.are.equal(1, ev:now())
      local t = ev:start(w)
      aw.sleep(0.5)
      t:cancel_wait()
      assert.are.equal("cancelled", t.status)
    end)
  end)
end)

describe("many rounds", function()
  it("leave the memory as it was [N2] [H2]", function()
    test(function()
      local rounds = helper.scale(20000)
      local w = (aw.Sleep(10) | aw.Call(helper.nop))
      aw.await(w * rounds)
      local bytes = aw.stats().bytes
      aw.await(w * rounds)
      assert.are.equal(bytes, aw.stats().bytes)
      local choice = aw.Sleep(10) | aw.Sleep(1)
      aw.await(choice * rounds)
      bytes = aw.stats().bytes
      aw.await(choice * rounds)
      assert.are.equal(bytes, aw.stats().bytes)
    end)
  end)
end)

describe("an operand that does not end", function()
  it("is killed and listed, and what waits for it goes on [C9]",
    function()
      for name, pair in pairs(pairs_of) do
        -- Under AIOWIRE_GCSTRESS, raising a thousand Cancelled takes too long.
        if name ~= "Any" and (name == "&" or not helper.gc_stress) then
          helper.leak_checked(function()
            local ev = helper.virtual()
            local err
            ev:start(pair(aw.Wire(function()
              while true do
                pcall(aw.sleep, 1000)
              end
            end):named "stubborn", fails(1, "boom")), function(_, e)
              err = e
            end)
            assert.are.equal("done", ev:run(), name)
            assert.are.equal("boom", err, name)
            assert.are.equal(1, #ev.stuck, name)
            assert.are.equal(1, ev:now(), name)
          end)
        end
      end
    end)
end)

describe("a child that fails while its group is cancelled", function()
  --- Returns a wire that fails a second after its cancel.
  local function late(err)
    return aw.Wire(function()
      local _ <close> = closer(function()
        aw.shield(function()
          aw.sleep(1)
        end)
        error(err, 0)
      end)
      aw.sleep(100)
    end)
  end

  for name, group in pairs {
    ["a join"] = function(child) return aw.Sleep(100) & child end,
    ["a race"] = function(child) return aw.Sleep(100) | child end,
    ["an Any"] = function(child) return aw.Any { aw.Never, child } end,
    ["a time-out"] = function(child) return child:timeout(50) end,
    ["a retry"] = function(child) return child:retry { times = 1 } end,
    ["a spin-off"] = function(child)
      return wires.giving(child) >> aw.Sleep(100)
    end,
  } do
    it("is not forgotten in " .. name .. " [E3]", function()
      test(function(ev)
        local problem, got = {}, nil
        local t = ev:start(group(late(problem)), function(_, err)
          got = err
        end)
        aw.sleep(1)
        t:cancel_wait()
        assert.are.equal(problem, got)
        assert.are.equal("failed", t.status)
        assert.are.equal(2, ev:now())
      end)
    end)
  end
end)
