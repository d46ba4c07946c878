-- Sequences that share their array of elements [V1, V4]. A sequence does not
-- change when another one is extended. Memory grows in proportion to the
-- expressions.

local aw = require "aiowire"
local helper = require "spec.support.helper"

local in_task, logged, sealed = helper.in_task, helper.logged, helper.sealed

--- Returns a leaf with the value `id`.
local function leaf(id)
  return aw.Call(function()
    return id
  end)
end

local operators = {
  [">>"] = function(a, b) return a >> b end,
  ["&"] = function(a, b) return a & b end,
  ["|"] = function(a, b) return a | b end,
  ["//"] = function(a, b) return a // b end,
}

for name, op in pairs(operators) do
  describe("a wire that is extended by " .. name, function()
    it("does not change, and each extension is as written [V1]",
      sealed(function()
        local a, b, c = aw.Sleep(1), aw.Sleep(2), aw.Sleep(3)
        local w = op(op(a, b), c)
        local before = tostring(w)
        local first, second = op(w, aw.Sleep(4)), op(w, aw.Sleep(5))
        local longer, other = op(first, aw.Sleep(6)), op(second, aw.Sleep(7))
        local function shown(...)
          local list = { before }
          for _, n in ipairs { ... } do
            list[#list + 1] = ("Sleep(%d)"):format(n)
          end
          return table.concat(list, " " .. name .. " ")
        end
        assert.are.equal(before, tostring(w))
        assert.are.equal(shown(4), tostring(first))
        assert.are.equal(shown(5), tostring(second))
        assert.are.equal(shown(4, 6), tostring(longer))
        assert.are.equal(shown(5, 7), tostring(other))
      end))

    it("does not change when a longer one is garbage [V1]", sealed(function()
      local w = op(op(aw.Sleep(1), aw.Sleep(2)), aw.Sleep(3))
      local before = tostring(w)
      for i = 4, 20 do
        op(op(w, aw.Sleep(i)), leaf(i))
        collectgarbage()
      end
      assert.are.equal(before, tostring(w))
    end))

    it("may be joined to itself [V4]", sealed(function()
      local w = op(op(aw.Sleep(1), aw.Sleep(2)), aw.Sleep(3))
      local one = tostring(w)
      local twice = op(w, w)
      assert.are.equal(one .. " " .. name .. " " .. one, tostring(twice))
      assert.are.equal(one, tostring(w))
    end))

    it("holds nothing of a longer one that is garbage [V1]", sealed(function()
      local held = setmetatable({}, { __mode = "k" })
      local w = op(op(aw.Sleep(1), aw.Sleep(2)), aw.Sleep(3))
      do
        local big = {}
        held[big] = true
        op(w, aw.Call(print, big))
      end
      collectgarbage()
      collectgarbage()
      assert.is_nil(next(held))
      assert.is_string(tostring(w))
    end))
  end)
end

describe("a sequence that is extended while it runs", function()
  it("gets no step that was appended meanwhile [V1]", logged(
    function(ev, log, note)
      local w, longer
      local function step(what)
        return aw.Call(note, what)
      end
      local function extend()
        longer = w >> step "late"
        collectgarbage()
      end
      w = step "a" >> step "b" >> aw.Call(extend) >> aw.Sleep(1) >> step "c"
      ev:start(w):wait()
      assert.are.same({ "a", "b", "c" }, log)
      ev:start(longer):wait()
      assert.are.same({ "a", "b", "c", "a", "b", "c", "late" }, log)
    end))

  it("lives as long as its task, though all its Wires are garbage [V1]",
    logged(function(ev, log, note)
      local function step(what)
        return aw.Call(note, what)
      end
      do
        local w = step "a" >> step "b" >> step "c"
        local longer = w >> step "d"
        ev:start(longer)
        ev:start(w)
        ev:start(longer >> step "e")
      end
      collectgarbage()
      collectgarbage()
      aw.sleep(1)
      assert.are.equal("a a a b b b c c c d d e", table.concat(log, " "))
    end))
end)

describe("a wire that is nested too deeply", function()
  local DEEPER <const> = 33000

  local function pass_on(err)
    error(err, 0)
  end

  local nests = {
    ["w * 1"] = function(w) return w * 1 end,
    ["w:whole()"] = function(w) return w:whole() end,
    ["(w >> x):whole()"] = function(w) return (w >> aw.Sleep(0)):whole() end,
    ["w:timeout(9)"] = function(w) return w:timeout(9) end,
    ["w / f"] = function(w) return w / tostring end,
    ["w:catch(f)"] = function(w) return w:catch(pass_on) end,
    ["w:retry{times = 1}"] = function(w) return w:retry { times = 1 } end,
    ["w:shielded()"] = function(w) return w:shielded() end,
    ["Every(1, w)"] = function(w) return aw.Every(1, w) end,
  }

  local function too_deep(ok, err)
    assert.is_false(ok)
    assert.is_truthy(tostring(err):find("nested too deeply", 1, true),
      tostring(err))
  end

  local function nested(nest)
    local w = aw.Sleep(0)
    for _ = 1, DEEPER do
      w = nest(w)
    end
    return w
  end

  for name, nest in pairs(nests) do
    it("fails with an error about it: " .. name .. " [V1]", in_task(function()
      too_deep(aw.pcall(aw.await, nested(nest)))
    end))
  end

  it("fails the task that it is started as [V1]", in_task(function(ev)
    local seen
    local t = ev:start(nested(nests["w * 1"]), function(_, err)
      seen = err
    end)
    too_deep(aw.pcall(t.wait, t))
    too_deep(false, seen)
  end))

  it("may be caught as any failure [O7]", in_task(function()
    local w = nested(nests["w * 1"])
    assert.are.equal("fallback", aw.await(w // aw.Value "fallback"))
  end))

  it("fails as an await of a body that awaits itself, too [N6]",
    in_task(function()
      local function again(n)
        return n == 0 and "end" or aw.await(aw.Call(again, n - 1))
      end
      assert.are.equal("end", again(20))
      if not helper.gc_stress then
        too_deep(aw.pcall(again, DEEPER))
      end
    end))
end)
