-- Machines of several states: a task holds one after the other by one leaf.
-- That must not be seen: what is kept, what is garbage, how the task looks.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local texts = require "spec.support.texts"

local test = helper.test
local contains = texts.contains

local MANY <const> = helper.gc_stress and 200 or 20000

local function collect()
  collectgarbage()
  collectgarbage()
end

--- Makes of a function a state.
local kinds = {
  ["a function"] = function(f)
    return f
  end,
  ["a Wire"] = function(f)
    return aw.Wire(f)
  end,
  ["a Wire with arguments"] = function(f)
    return aw.Wire(f, {}, "argument")
  end,
  ["a named Wire"] = function(f)
    return aw.Wire(f):named "named"
  end,
  ["a longer wire"] = function(f)
    return aw.Sleep(0) >> aw.Wire(f)
  end,
}

for name, make in pairs(kinds) do
  describe("a state that is " .. name, function()
    it("is garbage once its task has gone on [V1]", function()
      test(function(ev)
        local weak = setmetatable({}, { __mode = "v" })
        local function second()
          aw.sleep(1)
          collect()
          assert.is_nil(weak.state)
          assert.is_nil(weak.body)
        end
        local function first()
          local body = function()
            return second
          end
          weak.body, weak.state = body, make(body)
          return weak.state
        end
        ev:start(first):wait()
      end)
    end)

    it("is alive while its task waits in it [V1]", function()
      test(function(ev)
        local weak = setmetatable({}, { __mode = "v" })
        local function first()
          local body = function()
            aw.sleep(1)
            collect()
            assert.is_not_nil(weak.state)
          end
          weak.state = make(body)
          return weak.state
        end
        ev:start(first):wait()
      end)
    end)

    it("is what each of two tasks runs that share their first state", function()
      test(function(ev)
        local ran = {}
        local other = make(function()
          ran[aw.current()] = "other"
          aw.sleep(2)
        end)
        local count = 0
        local function first()
          count = count + 1
          if count == 1 then
            return other
          end
          aw.sleep(1)
          return make(function()
            ran[aw.current()] = "third"
            aw.sleep(1)
          end)
        end
        local a, b = ev:start(first), ev:start(first)
        aw.sleep(1.5)
        assert.are.same({ [a] = "other", [b] = "third" }, ran)
        aw.sleep(2)
        assert.are.equal("done", a.status)
        assert.are.equal("done", b.status)
      end)
    end)

    it("may be one of a million, in constant memory [N2]", function()
      test(function(ev)
        local left, before, two = MANY, nil, nil
        local one = make(function()
          left = left - 1
          if left <= MANY // 2 and not before then
            collect()
            before = collectgarbage "count"
          end
          if left > 0 then
            return two
          end
          collect()
          assert.is_true(collectgarbage "count" - before < 16)
        end)
        two = make(function()
          left = left - 1
          return one
        end)
        if name ~= "a longer wire" and not helper.gc_stress then
          left = 1000000
        end
        ev:start(one):wait()
      end)
    end)
  end)
end

describe("a machine of two states", function()
  it("has the names of its last states in its chain [D3]", function()
    test(function(ev)
      local n, pong, info = 0, nil, nil
      local function ping()
        n = n + 1
        if n == 100 then
          error "no"
        end
        return pong
      end
      function pong()
        n = n + 1
        return ping
      end
      pong = aw.Wire(pong):named "pong"
      n = 1
      ev:start(ping, function(_, _, about)
        info = about
      end)
      aw.sleep(1)
      local chain = table.concat(info.chain, "\n")
      contains(chain, "pong")
      contains(chain, "states_spec.lua")
      local _, times = chain:gsub("pong", "")
      assert.is_true(times >= 1 and times < 20)
    end)
  end)

  it("has the state that failed in its info [D3]", function()
    test(function(ev)
      local info, b
      local function a()
        return b
      end
      b = aw.Wire(function(_, n)
        if n == 2 then
          error "no"
        end
        return a
      end, 2):named "resting"
      ev:start(a, function(_, _, about)
        info = about
      end)
      aw.sleep(1)
      contains(info.chain[1], "resting")
    end)
  end)

  it("knows the wire of an error of a state that it has left [E5]", function()
    test(function(ev)
      local text
      local function after(_, err)
        return function()
          collect()
          text = tostring(err)
        end
      end
      ev:start(function()
        return aw.Wire(function()
          local ok, err = aw.pcall(aw.await, aw.Sleep(5):timeout(1))
          assert.is_false(ok)
          return aw.Wire(after, err)
        end)
      end):wait()
      contains(text, "sleep 5 s")
    end)
  end)

  it("never calls a function by the name of a dead one [D3]", function()
    -- Addresses of collected functions are used anew, by others.
    test(function(ev)
      local sources = {}
      for i = 1, 40 do
        sources[i] = ("\n"):rep(i) .. "local go = ... return function()"
          .. " return go() end"
      end
      for i = 1, helper.gc_stress and 45 or 200 do
        local which, info = i % 40 + 1, nil
        ev:start(function()
          return load(sources[which], "=source" .. which)(function()
            return function()
              error "no"
            end
          end)
        end, function(_, _, about)
          info = about
        end)
        aw.sleep(1)
        contains(table.concat(info.chain, "\n"),
          ("source%d:%d"):format(which, which + 1))
        if i % 7 == 0 then
          collect()
        end
      end
    end)
  end)

  it("may run a loop of its own in a state", function()
    local log = {}
    local count = 0
    local one, two
    function one()
      count = count + 1
      log[#log + 1] = aw.run(function()
        return function()
          return aw.Value(count)
        end
      end)
      return count < 3 and two or nil
    end
    function two()
      return one
    end
    aw.run(one)
    assert.are.same({ 1, 2, 3 }, log)
  end)
end)
