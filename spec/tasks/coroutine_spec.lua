-- Awaits in coroutines that user code makes, and in Lua functions that C
-- functions call [C11].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local process = require "spec.support.process"
local texts = require "spec.support.texts"

local test, recorder, closer = helper.test, helper.recorder, helper.closer
local caught, virtual, sealed = helper.caught, helper.virtual, helper.sealed
local in_task = helper.in_task
local under_stock = process.under_stock
local contains = texts.contains

describe("a generator of aw.wrap", function()
  local function count(n)
    return aw.wrap(function()
      for i = 1, n do
        aw.sleep(1)
        coroutine.yield(i)
      end
    end)
  end

  it("may await between its values [C11]", in_task(function(ev)
    local next_value = count(3)
    for i = 1, 3 do
      assert.are.equal(i, next_value())
      assert.are.equal(i, ev:now())
    end
  end))

  it("feeds a generic for [C11]", in_task(function(ev)
    local got = {}
    for i in count(3) do
      got[#got + 1] = i
    end
    assert.are.same({ 1, 2, 3 }, got)
    assert.are.equal(3, ev:now())
  end))

  it("need not await [C11]", in_task(function(ev)
    local next_value = aw.wrap(function()
      coroutine.yield "a"
      coroutine.yield "b"
    end)
    assert.are.equal("a", next_value())
    assert.are.equal("b", next_value())
    assert.are.equal(0, ev:now())
  end))

  it("takes and gives values as coroutine.wrap does [C11]",
    in_task(function()
      local log = {}
      local function body(...)
        log[#log + 1] = table.pack(...)
        aw.sleep(1)
        log[#log + 1] = table.pack(coroutine.yield(1, nil, 3, nil))
        aw.sleep(1)
        return "end", nil
      end
      local step = aw.wrap(body)
      local first = table.pack(step("x", nil, "z", nil))
      local last = table.pack(step(nil))
      assert.are.same({ n = 4, 1, nil, 3, nil }, first)
      assert.are.same({ n = 2, "end", nil }, last)
      assert.are.same({ { n = 4, "x", nil, "z", nil }, { n = 1, nil } },
        log)
    end))

  it("is dead after its end [C11]", in_task(function()
    local step = count(0)
    assert.is_nil(step())
    local ok, err = pcall(step)
    assert.is_false(ok)
    contains(err, "dead")
  end))

  it("raises its errors in its caller as they are [E1]",
    in_task(function()
      local mine = {}
      local step = aw.wrap(function()
        aw.sleep(1)
        error(mine)
      end)
      local ok, err = pcall(step)
      assert.is_false(ok)
      assert.are.equal(mine, err)
      assert.is_false((pcall(step)))
    end))

  it("may hold another one [C11]", in_task(function(ev)
    local doubled = aw.wrap(function()
      for i in count(3) do
        aw.sleep(1)
        coroutine.yield(2 * i)
      end
    end)
    local got = {}
    for i in doubled do
      got[#got + 1] = i
    end
    assert.are.same({ 2, 4, 6 }, got)
    assert.are.equal(6, ev:now())
  end))

  it("runs in the task that calls it [C11]", in_task(function(ev)
    local seen = {}
    local step = aw.wrap(function()
      for _ = 1, 2 do
        seen[#seen + 1] = aw.current()
        aw.sleep(1)
        seen[#seen + 1] = aw.current()
        coroutine.yield()
      end
    end)
    local main = aw.current()
    step()
    local other = ev:start(function()
      step()
    end)
    other:wait()
    assert.are.equal(4, #seen)
    assert.are.equal(main, seen[1])
    assert.are.equal(main, seen[2])
    assert.are.equal(other, seen[3])
    assert.are.equal(other, seen[4])
  end))

  it("lets the other tasks go on while it awaits [C11]",
    sealed(function()
      local log = {}
      aw.test(function(ev)
        for _, name in ipairs { "a", "b" } do
          ev:start(function()
            for i in count(2) do
              log[#log + 1] = name .. i
            end
          end)
        end
      end)
      assert.are.same({ "a1", "b1", "a2", "b2" }, log)
    end))

  it("is unwound by a cancel of its task, innermost first [C3]",
    sealed(function()
      local log = {}
      local function sweeper(name)
        return closer(function()
          log[#log + 1] = name
        end)
      end
      local ev = virtual()
      local task = ev:start(function()
        local _ <close> = sweeper "consumer"
        local step = aw.wrap(function()
          local _ <close> = sweeper "generator"
          aw.sleep(100)
          log[#log + 1] = "never"
        end)
        step()
        log[#log + 1] = "never"
      end)
      ev:start(aw.Sleep(1) >> aw.Call(task.cancel, task))
      assert.are.equal("done", ev:run())
      assert.are.same({ "generator", "consumer" }, log)
      assert.are.equal("cancelled", task.status)
    end))

  it("is cut off by a time-out of its caller [O8]",
    in_task(function(ev)
      local step = aw.wrap(function()
        aw.sleep(100)
      end)
      local ok, err = pcall(aw.timeout, 1, step)
      assert.is_false(ok)
      assert.is_true(aw.is_timeout(err))
      assert.are.equal(1, ev:now())
    end))

  it("is not disturbed by a second caller while it awaits [C11]",
    in_task(function(ev)
      local step = aw.wrap(function()
        aw.sleep(2)
        coroutine.yield "mine"
      end)
      local got, refused
      local first = ev:start(function()
        got = step()
      end)
      local second = ev:start(function()
        aw.sleep(1)
        refused = not pcall(step)
      end)
      first:wait()
      second:wait()
      assert.are.equal("mine", got)
      assert.is_true(refused)
      assert.are.equal(2, ev:now())
    end))

  it("may be dropped before its end [C11]", in_task(function()
    local step = count(10)
    assert.are.equal(1, step())
  end))

  it("works outside a task while it does not await [C11]",
    sealed(function()
      local step = aw.wrap(function(x)
        return x + coroutine.yield(x)
      end)
      assert.are.equal(1, step(1))
      assert.are.equal(3, step(2))
    end))

  it("needs a function [C11]", sealed(function()
    helper.raises("bad argument #1 to 'wrap'", function()
      aw.wrap(42)
    end)
    helper.raises("bad argument #1 to 'wrap'", function()
      aw.wrap()
    end)
  end))
end)

describe("a plain coroutine in a task", function()
  it("works as in plain Lua while it does not await [C11]",
    in_task(function(ev)
      local co = coroutine.create(function(x)
        return coroutine.yield(x + 1)
      end)
      assert.are.same({ true, 2 }, { coroutine.resume(co, 1) })
      aw.sleep(1)
      assert.are.same({ true, "end" }, { coroutine.resume(co, "end") })
      assert.are.equal("dead", coroutine.status(co))
      assert.is_false((coroutine.resume(co)))
      assert.are.equal(1, ev:now())
    end))

  it("may be closed by its maker [C11]", in_task(function()
    local closed = false
    local co = coroutine.create(function()
      local _ <close> = closer(function()
        closed = true
      end)
      coroutine.yield()
    end)
    coroutine.resume(co)
    assert.is_true((coroutine.close(co)))
    assert.is_true(closed)
    aw.sleep(1)
  end))
end)

describe("a body", function()
  it("runs in a coroutine that can yield [C11]", in_task(function()
    local _, is_main = coroutine.running()
    assert.is_false(is_main)
    assert.is_true(coroutine.isyieldable())
  end))

  it("that yields by itself fails, and the loop goes on [C11]",
    sealed(function()
      local log, got = {}, nil
      local ev = virtual()
      ev:start(function()
        coroutine.yield "to nobody"
      end, function(_, err)
        got = err
      end)
      ev:start(aw.Sleep(1) >> aw.Call(table.insert, log, "goes on"))
      assert.are.equal("done", ev:run())
      contains(got, "yield")
      assert.are.same({ "goes on" }, log)
    end))
end)

describe("an await in a coroutine of one's own", function()
  it("goes on, or names aw.wrap [C11]", function()
    test(function(ev)
      local co = coroutine.wrap(function()
        aw.sleep(1)
        return "slept"
      end)
      local ok, got = pcall(co)
      if ok then
        assert.are.equal("slept", got)
        assert.are.equal(1, ev:now())
      else
        contains(got, "aw.wrap")
        assert.are.equal(0, ev:now())
      end
      aw.sleep(1)
    end)
  end)

  it("goes on in a generator made by aw.wrap [C11]", function()
    test(function(ev)
      local log, note = recorder()
      local generate = aw.wrap(function(first)
        note(first)
        aw.sleep(1)
        note(coroutine.yield "a")
        aw.sleep(1)
        note(coroutine.yield "b")
        return "c"
      end)
      note(generate "in 1")
      note(generate "in 2")
      note(generate "in 3")
      assert.are.same({ "in 1", "a", "in 2", "b", "in 3", "c" }, log)
      assert.are.equal(2, ev:now())
    end)
  end)

  it("lets other tasks run meanwhile [C11]", function()
    test(function(ev)
      local log, note = recorder()
      ev:start(aw.Sleep(1) >> aw.Call(note, "other"))
      for value in aw.wrap(function()
        aw.sleep(2)
        coroutine.yield "generated"
      end) do
        note(value)
      end
      assert.are.same({ "other", "generated" }, log)
    end)
  end)

  it("gets Cancelled there [C11]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(function()
        aw.wrap(function()
          local _ <close> = closer(function(err)
            note(aw.is_cancelled(err))
          end)
          aw.sleep(100)
        end)()
      end)
      aw.sleep(1)
      t:cancel_wait()
      assert.are.same({ true }, log)
      assert.are.equal("cancelled", t.status)
    end)
  end)

  it("raises its errors where it is called [C11]", function()
    test(function()
      local boom = {}
      local err = caught(aw.wrap(function()
        aw.sleep(1)
        error(boom)
      end))
      assert.are.equal(boom, err)
    end)
  end)

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

describe("an await", function()
  -- Define a spec. `call(try)` must call `try`, which awaits and returns its
  -- arguments.
  local function allowed(where, call)
    it("is allowed in " .. where .. " [C11]", in_task(function(ev)
      local awaits = 0
      local function try(...)
        aw.sleep(1)
        awaits = awaits + 1
        assert.are.equal(awaits, ev:now())
        return ...
      end
      call(try)
      assert.is_true(awaits > 0)
    end))
  end

  local function with(event, f)
    return setmetatable({}, { [event] = f })
  end

  allowed("pcall", function(try)
    assert.are.same({ true, "x" }, { pcall(try, "x") })
    assert.are.same({ true }, { pcall(aw.sleep, 0) })
  end)

  allowed("nested pcalls", function(try)
    assert.are.same({ true, true, true, "x" },
      { pcall(pcall, pcall, try, "x") })
  end)

  allowed("the body of an xpcall", function(try)
    assert.are.same({ true, "x" }, { xpcall(try, print, "x") })
  end)

  allowed("arithmetic", function(try)
    for event, use in pairs {
      __add = function(a) return a + 1 end,
      __sub = function(a) return a - 1 end,
      __mul = function(a) return a * 1 end,
      __div = function(a) return a / 1 end,
      __mod = function(a) return a % 1 end,
      __pow = function(a) return a ^ 1 end,
      __idiv = function(a) return a // 1 end,
      __band = function(a) return a & 1 end,
      __bor = function(a) return a | 1 end,
      __bxor = function(a) return a ~ 1 end,
      __shl = function(a) return a << 1 end,
      __shr = function(a) return a >> 1 end,
      __unm = function(a) return -a end,
      __bnot = function(a) return ~a end,
      __len = function(a) return #a end,
    } do
      assert.are.equal(event, use(with(event, function()
        return try(event)
      end)))
    end
  end)

  allowed("concatenation", function(try)
    local joined = with("__concat", function()
      return try "joined"
    end) .. "x"
    assert.are.equal("joined", joined)
  end)

  allowed("comparison", function(try)
    local order = {
      __eq = function() return try(true) end,
      __lt = function() return try(true) end,
      __le = function() return try(false) end,
    }
    local a, b = setmetatable({}, order), setmetatable({}, order)
    assert.is_true(a == b)
    assert.is_true(a < b)
    assert.is_false(a <= b)
  end)

  allowed("indexing", function(try)
    local t = with("__index", function(_, key)
      return try(key)
    end)
    assert.are.equal("key", t.key)
    local written
    local u = with("__newindex", function(_, key, value)
      try()
      written = key .. value
    end)
    u.key = "value"
    assert.are.equal("keyvalue", written)
  end)

  allowed("a call of an object", function(try)
    assert.are.equal("x", with("__call", function(_, x)
      return try(x)
    end)("x"))
  end)

  allowed("__pairs and the iterator of a for", function(try)
    local got = {}
    for k, v in pairs(with("__pairs", function(t)
      try()
      return function(_, k)
        try()
        if not k then
          return 1, "one"
        end
      end, t, nil
    end)) do
      got[k] = v
    end
    assert.are.same({ "one" }, got)
  end)

  allowed("dofile", function(try)
    local name = os.tmpname()
    local file = assert(io.open(name, "w"))
    file:write 'require("aiowire").sleep(0) return "file"'
    file:close()
    assert.are.equal("file", dofile(name))
    os.remove(name)
    try()
  end)

  allowed("a loaded chunk", function(try)
    assert.are.equal("x", assert(load "return (...)(\"x\")")(try))
  end)

  allowed("__close at the end of a block", function(try)
    do
      local _ <close> = closer(try)
    end
  end)

  allowed("__close on return", function(try)
    local function f()
      local _ <close> = closer(try)
      return "x", "y"
    end
    assert.are.same({ "x", "y" }, { f() })
  end)

  allowed("__close on break", function(try)
    for i = 1, 3 do
      local _ <close> = closer(try)
      if i == 2 then
        break
      end
    end
  end)

  allowed("__close on an error", function(try)
    local ok, err = pcall(function()
      local _ <close> = closer(try)
      error("mine", 0)
    end)
    assert.is_false(ok)
    assert.are.equal("mine", err)
  end)

  it("is allowed in __close of a failing body [E6]",
    sealed(function()
      local log = {}
      local ev = virtual()
      ev:start(function()
        local _ <close> = closer(function(err)
          aw.sleep(1)
          log[#log + 1] = err
        end)
        error("mine", 0)
      end, function(_, err)
        log[#log + 1] = "handled " .. err
      end)
      assert.are.equal("done", ev:run())
      assert.are.same({ "mine", "handled mine" }, log)
      assert.are.equal(1, ev:now())
    end))
end)

describe("coroutines that await", function()
  -- A script for the program, and for lua5.4 after aw.install().
  local uses = [[
aw.run(function()
  local step = coroutine.wrap(function(...)
    print("got", ...)
    for i = 1, 2 do
      aw.sleep(0.001)
      print("sent", coroutine.yield(i, nil))
    end
    return "end"
  end)
  print(step("a", nil))
  print(step("b"))
  print(step("c"))
  local co = coroutine.create(function()
    aw.sleep(0.001)
    coroutine.yield "yielded"
    aw.sleep(0.001)
    error({}, 0)
  end)
  print(coroutine.status(co), coroutine.resume(co))
  print(coroutine.status(co), select("#", coroutine.resume(co)))
  print(coroutine.status(co), coroutine.resume(co))
  local parked = coroutine.create(function()
    local _ <close> = setmetatable({}, {
      __close = function() print "closed" end,
    })
    aw.sleep(0.001)
    coroutine.yield()
  end)
  print(coroutine.resume(parked))
  print(coroutine.close(parked), coroutine.status(parked))
  local outer = coroutine.wrap(function()
    local inner = coroutine.wrap(function()
      aw.sleep(0.001)
      return "inner"
    end)
    return inner() .. " and outer"
  end)
  print(outer())
end)
for x in coroutine.wrap(function() coroutine.yield "outside" end) do
  print(x)
end
]]

  local expected = table.concat({
    "got\ta\tnil",
    "1\tnil",
    "sent\tb",
    "2\tnil",
    "sent\tc",
    "end",
    "suspended\ttrue\tyielded",
    "suspended\t2",
    "dead\tfalse\tcannot resume dead coroutine",
    "true",
    "closed",
    "true\tdead",
    "inner and outer",
    "outside",
    "",
  }, "\n")

  it("are all that the program's coroutine library makes [C11]",
    function()
      local outcome = process.host(
        'local aw = require "aiowire"\n' .. uses
      )
      assert.are.equal("", outcome.err)
      assert.are.equal(expected, outcome.out)
    end)

  it("are made by a stock lua5.4 after aw.install() [C11]",
    under_stock(function()
      local outcome = process.stock(
        'local aw = require "aiowire"\naw.install()\n' .. uses
      )
      assert.are.equal("", outcome.err)
      assert.are.equal(expected, outcome.out)
    end))

  it("are made after a second aw.install(), too [C11]",
    under_stock(function()
      local outcome = process.stock(
        'local aw = require "aiowire"\naw.install() aw.install()\n' .. uses
      )
      assert.are.equal("", outcome.err)
      assert.are.equal(expected, outcome.out)
    end))

  it("name the function and the line of a wrong argument [C11]",
    under_stock(function()
      local call = "local ok, err = pcall(function() coroutine.close(1) end)\n"
        .. "print(err)"
      local theirs = process.stock("print()\n" .. call)
      local ours = process.stock("require 'aiowire'.install() print()\n"
        .. call)
      assert.are.equal(theirs.out, ours.out)
    end))

  it("are not made by a stock lua5.4 before [C11]",
    under_stock(function()
      local outcome = process.stock [[
local aw = require "aiowire"
aw.run(function()
  print(coroutine.resume(coroutine.create(function()
    aw.sleep(0.001)
  end)))
  print "goes on"
end)
]]
      contains(outcome.out, "false\ts.lua:4: cannot await in a coroutine")
      contains(outcome.out, "aw.wrap")
      contains(outcome.out, "aw.install")
      contains(outcome.out, "\ngoes on\n")
      assert.are.equal(0, outcome.code)
    end))
end)
