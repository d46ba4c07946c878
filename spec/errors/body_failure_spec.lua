-- How a body can fail: whatever it raises, returns, overflows, or leaves to be
-- closed, its handler hears of it, and the others go on [E1, E3, E6, N1].

local aw = require "aiowire"
local bystanders = require "spec.support.bystanders"
local helper = require "spec.support.helper"
local places = require "spec.support.places"
local texts = require "spec.support.texts"

local virtual, sealed, closer = helper.virtual, helper.sealed, helper.closer
local survives, handled = bystanders.survives, bystanders.handled
local place = places.place
local contains = texts.contains

local wire = aw.Sleep(1)

describe("a raised value", function()
  it("that is a table reaches the handler as it is [E1]",
    sealed(function()
      local mine = { code = 7 }
      assert.are.equal(mine, handled(function()
        error(mine)
      end))
    end))

  it("that is false reaches the handler as it is [E1]",
    sealed(function()
      assert.are.equal(false, handled(function()
        error(false)
      end))
    end))

  it("that is nil reaches the handler as a text [E1]",
    sealed(function()
      assert.are.equal("<nil error>", handled(function()
        error(nil)
      end))
    end))

  it("keeps its identity up to run, if nobody handles it [E8]",
    sealed(function()
      for _, value in ipairs { {}, 42, "text", print } do
        local ev = virtual()
        ev:start(function()
          error(value, 0)
        end)
        local ok, err = pcall(ev.run, ev)
        assert.is_false(ok)
        assert.is_true(aw.is_unhandled(err))
        assert.are.equal(value, err.cause)
        assert.are.equal("string", type(tostring(err)))
      end
    end))

  it("that is false stops the loop as any other [E1]",
    sealed(function()
      local log = {}
      local ev = virtual()
      ev:start(function()
        error(false)
      end)
      ev:start(aw.Sleep(1) >> aw.Call(table.insert, log, "never"))
      local ok, err = pcall(ev.run, ev)
      assert.is_false(ok)
      assert.is_true(aw.is_unhandled(err))
      assert.are.equal(false, err.cause)
      assert.are.same({}, log)
    end))

  it("leaves aw.run as it is [E1]", sealed(function()
    local opts = { clock = "virtual", signals = false }
    for _, value in ipairs { {}, "text", 42 } do
      local ok, err = pcall(aw.run, function()
        aw.sleep(1)
        error(value, 0)
      end, opts)
      assert.is_false(ok)
      assert.are.equal(value, err)
    end
    local ok, err = pcall(aw.run, function()
      error(false)
    end, opts)
    assert.is_false(ok)
    assert.are.equal(false, err)
  end))

  it("reaches who waits for the task as it is [T5]", sealed(function()
    local mine = {}
    aw.test(function(ev)
      for _, value in ipairs { mine, "text" } do
        local task = ev:start(function()
          aw.sleep(1)
          error(value, 0)
        end, function() end)
        local ok, err = pcall(task.wait, task)
        assert.is_false(ok)
        assert.are.equal(value, err)
      end
    end)
  end))

  it("whose __tostring fails does no harm [E2]", sealed(function()
    local mine = setmetatable({}, {
      __tostring = function()
        error "no text for you"
      end,
    })
    local err, info = handled(function()
      error(mine)
    end)
    assert.are.equal(mine, err)
    assert.are.equal("string", type(tostring(info)))
  end))
end)

describe("a body", function()
  local function fails_with(body, ...)
    local err = handled(body)
    assert.are.equal("string", type(err))
    for _, part in ipairs { ... } do
      contains(err, part)
    end
    contains(err, place(body))
  end

  local rule = "a body must return nothing or the next wire, got "

  it("that returns true fails [N1]", sealed(function()
    fails_with(function()
      return true
    end, rule .. "boolean (true)", "aw.Value")
  end))

  it("that returns false fails [N1]", sealed(function()
    fails_with(function()
      return false
    end, rule .. "boolean")
  end))

  it("that returns a number or a string fails [N1]", sealed(function()
    fails_with(function()
      return 42
    end, rule .. "number", "42")
    fails_with(function()
      return "next"
    end, rule .. "string", "next")
  end))

  it("that returns a table without __call fails [N1]",
    sealed(function()
      fails_with(function()
        return {}
      end, rule .. "table")
    end))

  it("that returns nil and a message fails with the message [N1]",
    sealed(function()
      fails_with(function()
        return nil, "no such file"
      end, "no such file")
    end))

  it("that returns two wires fails [N1]", sealed(function()
    fails_with(function()
      return wire, wire
    end)
  end))

  it("that returns true after an await fails [N1]", sealed(function()
    fails_with(function()
      aw.sleep(1)
      return true
    end, rule .. "boolean (true)")
  end))

  it("may return nothing, nil or a wire [N1]", sealed(function()
    local ev = virtual()
    ev:start(function() end)
    ev:start(function()
      return nil
    end)
    ev:start(function()
      return wire
    end)
    assert.are.equal("done", ev:run())
    assert.are.equal(1, ev:now())
  end))

  it("that overflows the stack fails [E6]", sealed(function()
    local function deeper()
      return 1 + deeper()
    end
    local err = handled(function()
      aw.yield()
      deeper()
    end)
    contains(err, "stack overflow")
  end))

  it("that overflows the stack closes its variables first [E6]",
    sealed(function()
      local log = {}
      local function deeper()
        return 1 + deeper()
      end
      local err = handled(function()
        local _ <close> = closer(function()
          log[#log + 1] = "closed"
        end)
        deeper()
      end)
      contains(err, "stack overflow")
      assert.are.same({ "closed" }, log)
    end))

  it("that overflows the C stack fails [E6]", sealed(function()
    local function deeper(s)
      return (s:gsub(".", deeper))
    end
    local err = handled(function()
      deeper "x"
    end)
    contains(err, "stack overflow")
  end))

  it("may overflow the stack and catch it [E6]", sealed(function()
    survives(function()
      local function deeper()
        return 1 + deeper()
      end
      local ok, err = pcall(deeper)
      assert.is_false(ok)
      contains(err, "stack overflow")
    end)
  end))
end)

describe("an error in __close", function()
  it("fails a body that had ended well [E3]", sealed(function()
    local mine = {}
    assert.are.equal(mine, handled(function()
      local _ <close> = closer(function()
        error(mine)
      end)
      aw.sleep(1)
    end))
  end))

  it("replaces the body's own error, which is kept aside [E3]",
    sealed(function()
      local first, second = { "first" }, { "second" }
      local err, info = handled(function()
        local _ <close> = closer(function()
          error(second)
        end)
        error(first)
      end)
      assert.are.equal(second, err)
      assert.are.equal(1, #info.suppressed)
      assert.are.equal(first, info.suppressed[1].err)
    end))

  it("is the error of a task that was cancelled [E3]",
    sealed(function()
      local mine = {}
      local got
      local ev = virtual()
      local task = ev:start(function()
        local _ <close> = closer(function()
          error(mine)
        end)
        aw.sleep(100)
      end, function(_, err)
        got = err
      end)
      ev:start(aw.Sleep(1) >> aw.Call(task.cancel, task))
      assert.are.equal("done", ev:run())
      assert.are.equal(mine, got)
      assert.are.equal("failed", task.status)
    end))

  it("does not keep the other variables from being closed [E6]",
    sealed(function()
      local log = {}
      handled(function()
        local _ <close> = closer(function()
          log[#log + 1] = "outer"
        end)
        local _ <close> = closer(function()
          log[#log + 1] = "inner"
          error "inner"
        end)
        aw.sleep(1)
      end)
      assert.are.same({ "inner", "outer" }, log)
    end))

  it("is none if __close catches it [E6]", sealed(function()
    survives(function()
      local _ <close> = closer(function()
        pcall(error, "caught")
      end)
    end)
  end))
end)
