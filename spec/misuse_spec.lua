-- What bad input gets: an error that blames the caller's line, and a loop
-- that goes on as if nothing had been asked.

local aw = require "aiowire"
local helper = require "spec.helper"
local places = require "spec.places"
local process = require "spec.process"
local texts = require "spec.texts"

local virtual, sealed = helper.virtual, helper.sealed
local closer, outside = helper.closer, helper.outside
local blames, blamed, place = places.blames, places.blamed, places.place
local contains = texts.contains

local function fail()
  error("failed", 0)
end

-- The misuse happens in a task of a loop with another task in it; both then
-- go on to their ends.
local function survives(misuse)
  local log = {}
  local ev = virtual()
  ev:start(function(...)
    misuse(...)
    aw.sleep(1)
    log[#log + 1] = "the task goes on"
  end)
  ev:start(aw.Sleep(2) >> aw.Call(table.insert, log, "the others go on"))
  assert.are.equal("done", ev:run())
  assert.are.same({ "the task goes on", "the others go on" }, log)
end

-- A failing body: what its handler got, while a sibling goes on.
local function handled(body)
  local calls, got_err, got_info = 0, nil, nil
  local log = {}
  local ev = virtual()
  local task = ev:start(body, function(_, err, info)
    calls = calls + 1
    got_err, got_info = err, info
  end)
  ev:start(aw.Sleep(1) >> aw.Call(table.insert, log, "goes on"))
  assert.are.equal("done", ev:run())
  assert.are.equal(1, calls)
  assert.are.same({ "goes on" }, log)
  assert.are.equal("failed", task.status)
  return got_err, got_info
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
    local ev = virtual()
    ev:start(nil)
    assert.are.equal("done", ev:run())
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

  it("is none that was done [S7]", sealed(function()
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

describe("awaiting outside a task", function()
  local function refused(name, f)
    it("is refused to " .. name .. " [C11]", sealed(function()
      outside(function()
        local err = blames("cannot await outside a task", f)
        contains(err, "aw.run")
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

  it("is refused to a task's wait [T5]", sealed(function()
    local ev = virtual()
    local task = ev:start(wire)
    outside(function()
      blames("aw.run", function()
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
      ev:start(fail, function(loop)
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

  it("is none in a task [C11]", sealed(function()
    survives(function()
      aw.sleep(0)
      aw.yield()
      aw.await(aw.Value(1))
    end)
  end))
end)

describe("awaiting where Lua cannot yield", function()
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
end)

describe("awaiting in a coroutine of one's own", function()
  local script = [[
local aw = require "aiowire"
aw.run(function()
  print(pcall(coroutine.wrap(function()
    aw.sleep(0.001)
    return "slept"
  end)))
  aw.sleep(0.001)
  print "goes on"
end)
]]

  it("is refused under a stock lua5.4 [C11]", process.under_stock(function()
    local outcome = process.stock(script)
    contains(outcome.out, "false\ts.lua:4: cannot await in a coroutine")
    contains(outcome.out, "aw.wrap(f)")
    contains(outcome.out, "aw.install()")
    contains(outcome.out, "\ngoes on\n")
    assert.are.equal(0, outcome.code)
  end))

  it("is allowed in the program [C11]", function()
    local outcome = process.host(script)
    assert.are.equal("true\tslept\ngoes on\n", outcome.out)
    assert.are.equal(0, outcome.code)
  end)
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

describe("a parked task's coroutine", function()
  it("is not resumed by hand [L7]", sealed(function()
    local log = {}
    local ev = virtual()
    local parked
    local sleeper = ev:start(function()
      parked = coroutine.running()
      aw.sleep(2)
      log[#log + 1] = ("slept until %g"):format(ev:now())
    end)
    ev:start(function()
      aw.sleep(1)
      for _ = 1, 3 do
        local _, first, second = coroutine.resume(parked, "wake up")
        contains(second or first, "this coroutine belongs to task")
      end
      log[#log + 1] = "refused"
    end)
    assert.are.equal("done", ev:run())
    assert.are.same({ "refused", "slept until 2" }, log)
    assert.are.equal("done", sleeper.status)
  end))

  it("fails its task when closed by hand [C9]", sealed(function()
    local log, calls = {}, 0
    local ev = virtual()
    local parked, got
    local sleeper = ev:start(function()
      local _ <close> = closer(function()
        log[#log + 1] = "closed"
      end)
      parked = coroutine.running()
      aw.sleep(5)
      log[#log + 1] = "never"
    end, function(_, err)
      calls = calls + 1
      got = err
    end)
    ev:start(function()
      aw.sleep(1)
      pcall(coroutine.close, parked)
      aw.sleep(9)
      log[#log + 1] = "goes on"
    end)
    assert.are.equal("done", ev:run())
    assert.are.same({ "closed", "goes on" }, log)
    assert.are.equal(1, calls)
    contains(got, "its coroutine was closed from outside")
    assert.are.equal("failed", sleeper.status)
  end))

  it("may be closed by hand inside a scope [C9]", sealed(function()
    local ev = virtual()
    local parked, got
    ev:start(function()
      parked = coroutine.running()
      aw.scope(function()
        aw.sleep(5)
      end)
    end, function(_, err)
      got = err
    end)
    ev:start(function()
      aw.sleep(1)
      coroutine.close(parked)
      parked = nil
      collectgarbage() -- the scope's object goes
    end)
    assert.are.equal("done", ev:run())
    contains(got, "its coroutine was closed from outside")
  end))

  it("is dead when its task is [L7]", sealed(function()
    local ev = virtual()
    local parked
    ev:start(function()
      parked = coroutine.running()
      aw.sleep(5)
    end, function() end)
    ev:start(function()
      aw.sleep(1)
      coroutine.close(parked)
    end)
    assert.are.equal("done", ev:run())
    assert.are.equal("dead", coroutine.status(parked))
    local ok, err = coroutine.resume(parked)
    assert.is_false(ok)
    contains(err, "cannot resume dead coroutine")
  end))

  it("hands nothing to it when resumed by hand [L7]", sealed(function()
    local ev = virtual()
    local parked, results
    ev:start(function()
      parked = coroutine.running()
      results = table.pack(aw.scope(function(s)
        s:start(aw.Sleep(2))
        return "mine"
      end))
    end)
    ev:start(function()
      aw.sleep(1)
      coroutine.resume(parked, "not", "mine")
    end)
    assert.are.equal("done", ev:run())
    assert.are.same({ "mine", n = 1 }, results)
  end))

  it("waits on although a generator of it was closed [L7]",
    sealed(function()
      local ev = virtual()
      local parked, generator, slept
      ev:start(function()
        parked = coroutine.running()
        pcall(aw.wrap(function()
          generator = coroutine.running()
          aw.sleep(2)
        end))
        aw.sleep(2)
        slept = ev:now()
      end)
      ev:start(function()
        aw.sleep(1)
        coroutine.close(generator)
        aw.sleep(2)
        coroutine.resume(parked)
      end)
      assert.are.equal("done", ev:run())
      assert.are.equal(4, slept)
    end))

  it("may leave a generator behind that waits for ever [C9]",
    sealed(function()
      local ev = virtual { grace = 0 }
      local generator
      ev:start(function()
        aw.wrap(function()
          generator = coroutine.running()
          while true do
            pcall(aw.sleep, 1)
          end
        end)()
      end)
      ev:run(1)
      assert.are.equal(1, #ev.stuck)
      helper.run_loop(function(other)
        other:start(function()
          aw.yield()
          local _, first, second = coroutine.resume(generator, "wake up")
          contains(second or first, "this coroutine belongs to")
          aw.yield()
        end)
      end)
      coroutine.close(generator)
    end))

  it("may be looked at by anyone [L7]", sealed(function()
    local ev = virtual()
    local parked
    ev:start(function()
      parked = coroutine.running()
      aw.sleep(2)
    end)
    ev:start(function()
      aw.sleep(1)
      assert.are.equal("suspended", coroutine.status(parked))
      assert.are.equal("string", type(debug.traceback(parked)))
    end)
    assert.are.equal("done", ev:run())
  end))
end)

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
