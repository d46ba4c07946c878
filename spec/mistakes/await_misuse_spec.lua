-- Places where no await is possible [C11]: outside tasks, and inside C
-- functions that call Lua functions. coroutine_spec.lua has the places where an
-- await is possible, and coroutines that user code makes.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local places = require "spec.support.places"
local process = require "spec.support.process"
local sockets = require "spec.support.sockets"
local texts = require "spec.support.texts"
local wires = require "spec.support.wires"

local test, closer, caught = helper.test, helper.closer, helper.caught
local virtual, sealed, outside = helper.virtual, helper.sealed, helper.outside
local blames, blamed = places.blames, places.blamed
local contains = texts.contains

local wire = aw.Sleep(1)

describe("an await outside any task", function()
  local function refused(name, f)
    it("is refused to " .. name .. " [C11]", sealed(function()
      outside(function()
        local err = blames("cannot await outside a task", f)
        contains(err, helper.outside_advice)
      end)
      -- A loop that is made later still works.
      test(function()
        aw.sleep(1)
      end)
    end))
  end

  refused("sleep", function()
    aw.sleep(1)
  end)
  refused("sleep_until", function()
    aw.sleep_until(1)
  end)
  refused("yield", function()
    aw.yield()
  end)
  refused("await", function()
    aw.await(wire)
  end)

  refused("scope", function()
    aw.scope(function() end)
  end)
  refused("timeout", function()
    aw.timeout(1, function() end)
  end)

  it("names the function that was called [C11]", sealed(function()
    outside(function()
      blames("cannot await outside a task (aw.sleep)", function()
        aw.sleep(1)
      end)
    end)
  end))

  it("names the called function, not one inside it [C11]",
    process.under_stock(function()
      sockets.needed()
      local outcome = process.stock [[
local aw = require "aiowire"
local socket = aw.zmq.socket "pair"
print(pcall(aw.exec, "touch", "ran"))
print(pcall(socket.poll, socket))
print(io.open "ran")
]]
      local advice <const> = "; run it with aw.run(function() ... end)\n"
      assert.are.equal("false\ts.lua:3: cannot await outside a task (aw.exec)"
        .. advice .. "false\ts.lua:4: cannot await outside a task "
        .. "(socket:poll)" .. advice
        .. "nil\tran: No such file or directory\t2\n", outcome.out)
    end))

  it("is refused to a task's wait [T5]", sealed(function()
    local ev = virtual()
    local task = ev:start(wire)
    outside(function()
      blames(helper.outside_advice, function()
        task:wait()
      end)
    end)
    assert.are.equal("done", ev:run())
    assert.are.equal("done", task.status)
  end))

  it("is refused to the main chunk under a stock lua5.4 [C11]",
    process.under_stock(function()
      local outcome = process.stock(
        'local aw = require "aiowire"\n'
          .. "print(pcall(function()\n"
          .. "  aw.sleep(1)\n"
          .. "end))\n"
          .. 'aw.run(function() aw.sleep(0) print "ran" end)\n'
      )
      contains(outcome.out, "s.lua:3: cannot await outside a task (aw.sleep)")
      contains(outcome.out, "aw.run(function() ... end)")
      contains(outcome.out, "\nran\n")
      assert.are.equal(0, outcome.code)
    end))

  it("gives advice in a coroutine, too [C11]", function()
    helper.outside(function()
      local ok, err = coroutine.resume(coroutine.create(function()
        aw.sleep(1)
      end))
      assert.is_false(ok)
      contains(err, helper.outside_advice)
    end)
  end)
end)

describe("an await where Lua cannot yield", function()
  local function with(event, f)
    return setmetatable({}, { [event] = f })
  end

  -- Define a spec. `call(try)` must call `try`, whose await must fail; `try`
  -- returns "x". The message contains `name`, the name of the C function. The
  -- task can await afterwards.
  local function refused(where, call, name)
    it("is refused in " .. where .. " [C11]", helper.in_task(function(ev)
      local tries = 0
      local function try()
        tries = tries + 1
        local err = helper.raises("cannot await", function()
          aw.sleep(1)
        end)
        contains(err, "await_misuse_spec.lua:")
        contains(err, name and "cannot await inside '" .. name .. "'" or "")
        return "x"
      end
      call(try)
      assert.is_true(tries > 0)
      assert.are.equal(0, ev:now())
      aw.sleep(1)
      assert.are.equal(1, ev:now())
    end))
  end

  refused("the handler of an xpcall", function(try)
    assert.are.same({ false, "x" }, { xpcall(error, try) })
  end)

  refused("tostring", function(try)
    assert.are.equal("x", tostring(with("__tostring", try)))
  end)

  refused("string.format", function(try)
    assert.are.equal("<x>", ("<%s>"):format(with("__tostring", try)))
  end)

  refused("table.sort", function(try)
    table.sort({ 3, 1, 2 }, function(a, b)
      try()
      return a < b
    end)
  end, "sort")

  refused("string.gsub", function(try)
    assert.are.equal("xx", (("ab"):gsub(".", try)))
  end, "gsub")

  refused("table.concat", function(try)
    local t = setmetatable({}, {
      __index = try,
      __len = function()
        return 2
      end,
    })
    assert.are.equal("x x", table.concat(t, " "))
  end)

  refused("table.unpack", function(try)
    assert.are.same({ "x", "x" },
      { table.unpack(with("__index", try), 1, 2) })
  end)

  refused("the reader of load", function(try)
    local ended = false
    local chunk = load(function()
      try()
      local piece = not ended and "return 7" or nil
      ended = true
      return piece
    end)
    assert.are.equal(7, chunk())
  end)

  refused("__gc", function(try)
    local ok, err
    do
      setmetatable({}, {
        __gc = function()
          ok, err = pcall(try)
        end,
      })
    end
    collectgarbage()
    assert.is_true(ok, err)
  end)

  refused("a debug hook", function(try)
    local ok, err
    debug.sethook(function()
      debug.sethook()
      ok, err = pcall(try)
    end, "l")
    local line = debug.getinfo(1, "l").currentline
    assert.is_number(line)
    assert.is_true(ok, err)
  end)

  refused("the handlers of coroutine.close", function(try)
    local ok, err
    local co = coroutine.create(function()
      local _ <close> = closer(function()
        ok, err = pcall(try)
      end)
      coroutine.yield()
    end)
    coroutine.resume(co)
    coroutine.close(co)
    assert.is_true(ok, err)
  end)

  it("fails the task if it is not caught [C11]", sealed(function()
    local err = wires.failure_of(function()
      local _ = ("abc"):gsub("%a", function()
        aw.sleep(1)
      end)
    end)
    contains(err, "cannot await inside 'gsub'")
  end))

  it("leaves table.sort as the error it is [C11]", sealed(function()
    local function compare()
      aw.sleep(1)
    end
    test(function()
      local err = caught(table.sort, { 2, 1 }, compare)
      contains(err, "cannot await inside 'sort'")
      blamed(err, compare)
    end)
  end))
end)
