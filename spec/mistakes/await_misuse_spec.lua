-- Awaits where there can be none [C11]: outside any task, and inside functions
-- of C that call back. coroutine_spec.lua has those in coroutines of one's own.

local aw = require "aiowire"
local bystanders = require "spec.support.bystanders"
local helper = require "spec.support.helper"
local places = require "spec.support.places"
local process = require "spec.support.process"
local texts = require "spec.support.texts"

local test, closer, caught = helper.test, helper.closer, helper.caught
local virtual, sealed, outside = helper.virtual, helper.sealed, helper.outside
local survives, handled = bystanders.survives, bystanders.handled
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

  it("names the function that was called [C11]", sealed(function()
    outside(function()
      blames("cannot await outside a task (aw.sleep)", function()
        aw.sleep(1)
      end)
    end)
  end))

  it("names the function, and none that it is made of [C11]",
    process.under_stock(function()
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

  it("is refused to a handler, which may start wires [E7]",
    sealed(function()
      local log = {}
      local ev = virtual()
      ev:start(aw.Call(error, "failed"), function(loop)
        blames("cannot await outside a task", function()
          aw.sleep(1)
        end)
        loop:start(aw.Call(table.insert, log, "by the loop"))
        aw.start(aw.Call(table.insert, log, "by aw.start"))
      end)
      assert.are.equal("done", ev:run())
      assert.are.same({ "by the loop", "by aw.start" }, log)
    end))

  it("leaves a loop that is made later unharmed [C11]",
    sealed(function()
      outside(function()
        pcall(aw.sleep, 1)
      end)
      survives(function() end)
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

  it("has nothing to do with awaits in a task [C11]", sealed(function()
    survives(function()
      aw.sleep(0)
      aw.yield()
      aw.await(aw.Value(1))
    end)
  end))

  for name, call in pairs {
    sleep = function()
      aw.sleep(1)
    end,
    yield = function()
      aw.yield()
    end,
    await = function()
      aw.await(aw.Sleep(1))
    end,
    scope = function()
      aw.scope(function() end)
    end,
    timeout = function()
      aw.timeout(1, function() end)
    end,
  } do
    it("says what to do instead, as aw." .. name .. " [C11]", function()
      helper.outside(helper.raises, helper.outside_advice, call)
    end)
  end

  it("says what to do instead in a coroutine, too [C11]", function()
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
  -- Inside a callback of C, `f` is refused and names `where`.
  local function refused_in(where, call)
    it("is refused inside " .. where .. " [C11]", sealed(function()
      survives(function()
        local tries = 0
        local function f()
          aw.sleep(1)
        end
        local function try()
          tries = tries + 1
          local err = blames("cannot await inside", f)
          contains(err, where)
          return "x"
        end
        call(try)
        assert.is_true(tries > 0)
      end)
    end))
  end

  refused_in("sort", function(try)
    table.sort({ 3, 1, 2 }, function(a, b)
      try()
      return a < b
    end)
  end)

  refused_in("gsub", function(try)
    local replaced = ("abc"):gsub("%a", try)
    assert.are.equal("xxx", replaced)
  end)

  refused_in("require", function(try)
    package.preload["spec.that_awaits"] = try
    require "spec.that_awaits"
    package.preload["spec.that_awaits"] = nil
    package.loaded["spec.that_awaits"] = nil
  end)

  refused_in("__gc", function(try)
    local ok, err
    do
      setmetatable({}, {
        __gc = function()
          ok, err = pcall(try)
        end,
      })
    end
    collectgarbage()
    if not ok then
      error(err, 0)
    end
  end)

  it("leaves through table.sort as the error it is [C11]",
    sealed(function()
      survives(function()
        local function compare()
          aw.sleep(1)
        end
        local ok, err = pcall(table.sort, { 2, 1 }, compare)
        assert.is_false(ok)
        contains(err, "cannot await inside 'sort'")
        blamed(err, compare)
      end)
    end))

  it("fails the task if nobody catches it [C11]", sealed(function()
    local err = handled(function()
      local _ = ("abc"):gsub("%a", function()
        aw.sleep(1)
      end)
    end)
    contains(err, "cannot await inside 'gsub'")
  end))

  local callers = {
    { "sort", function(f)
      table.sort({ 3, 1, 2 }, function(a, b)
        f()
        return a < b
      end)
    end },
    { "gsub", function(f)
      string.gsub("x", "x", f)
    end },
    { "require", function(f)
      package.preload["spec.awaiting"] = f
      local _ <close> = closer(function()
        package.preload["spec.awaiting"] = nil
        package.loaded["spec.awaiting"] = nil
      end)
      require "spec.awaiting"
    end },
  }
  for _, case in ipairs(callers) do
    local name, call = case[1], case[2]
    it("says that it stands inside " .. name .. " [C11]", function()
      test(function(ev)
        helper.raises("cannot await inside", function()
          call(function()
            aw.sleep(1)
          end)
        end)
        helper.raises(name, function()
          call(function()
            aw.sleep(1)
          end)
        end)
        assert.are.equal(0, ev:now())
        aw.sleep(1)
        assert.are.equal(1, ev:now())
      end)
    end)
  end

  it("says so in a finalizer [C11]", function()
    test(function()
      local message
      setmetatable({}, {
        __gc = function()
          message = caught(aw.sleep, 1)
        end,
      })
      collectgarbage()
      collectgarbage()
      message = tostring(message)
      contains(message, "cannot await")
    end)
  end)

  it("does not stand in a sort that awaits nothing [C11]", function()
    test(function()
      local list = { 3, 1, 2 }
      table.sort(list)
      aw.yield()
      assert.are.same({ 1, 2, 3 }, list)
    end)
  end)
end)
