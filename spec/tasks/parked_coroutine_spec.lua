-- User code resumes, closes or inspects the coroutine of a waiting task
-- [C9, LU7].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local process = require "spec.support.process"
local texts = require "spec.support.texts"

local virtual, sealed, closer = helper.virtual, helper.sealed, helper.closer
local under_stock = process.under_stock
local contains = texts.contains

--- Define a spec of Lua's own coroutine.close. The program replaces that
--- function, so the spec runs under stock Lua only.
local function unreplaced(what, f)
  if not helper.in_host then
    it(what, sealed(f))
  end
end

describe("a parked task's coroutine", function()
  it("is not resumed by hand [LU7]", sealed(function()
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

  unreplaced("fails its task when closed by hand [C9]", function()
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
  end)

  unreplaced("may be closed by hand inside a scope [C9]", function()
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
      collectgarbage() -- frees the object of the scope
    end)
    assert.are.equal("done", ev:run())
    contains(got, "its coroutine was closed from outside")
  end)

  --- Objects that only a coroutine refers to, and what waits for it.
  local lonely = setmetatable({}, { __mode = "k" })

  local function watch(object)
    lonely[object] = true
    return object
  end

  local function is_left()
    collectgarbage()
    collectgarbage()
    return next(lonely) ~= nil
  end

  --- Waits for an object that only the coroutine holds.
  local LONELY <const> = {
    ["ch:send"] = function()
      watch(aw.channel()):send {}
    end,
    ["ch:recv"] = function()
      watch(aw.channel()):recv()
    end,
    ["ch:iter"] = function()
      for _ in watch(aw.channel()):iter() do
        error "a value from nowhere"
      end
    end,
    ["ch:recv in a scope"] = function()
      aw.scope(function()
        watch(aw.channel()):recv()
      end)
    end,
    ["e:wait"] = function()
      watch(aw.event()):wait()
    end,
    ["sem:acquire"] = function()
      watch(aw.semaphore(0)):acquire()
    end,
    ["rate:acquire"] = function()
      local rate = watch(aw.rate(1, 9))
      rate:acquire()
      rate:acquire()
    end,
  }

  unreplaced("keeps nothing that it did not wait for [LU11]", function()
    helper.leak_checked(function()
      local gone = setmetatable({}, { __mode = "k" })
      aw.run(function()
        local ch = aw.channel(1)
        gone[ch] = true
        ch:send {}
      end)
      collectgarbage()
      collectgarbage()
      assert.is_nil(next(gone))
    end)
  end)

  for name, wait in pairs(LONELY) do
    unreplaced("keeps what it waits for when it is closed: " .. name
      .. " [C9]", function()
      local ev = virtual()
      local parked, kept
      local sleeper = ev:start(function()
        parked = coroutine.running()
        wait()
      end, function() end)
      ev:start(function()
        aw.sleep(1)
        coroutine.close(parked)
        parked = nil
        kept = is_left()
        sleeper:cancel()
      end)
      assert.are.equal("done", ev:run())
      assert.are.equal("failed", sleeper.status)
      assert.is_true(kept)
      assert.is_false(is_left())
    end)
  end

  unreplaced("is dead when its task is [LU7]", function()
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
  end)

  it("hands nothing to it when resumed by hand [LU7]", sealed(function()
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

  it("waits on although a generator of it was closed [LU7]",
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

  it("may be looked at by anyone [LU7]", sealed(function()
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

  local resumes = [[
aw.run(function(ev)
  local co
  local task = ev:start(function()
    co = coroutine.running()
    aw.sleep(0.02)
    print "slept"
  end)
  aw.sleep(0.001)
  print(coroutine.resume(co, "x"))
  task:wait()
  print(task.status)
end)
]]

  it("is refused by coroutine.resume of a stock lua5.4 [C11]",
    under_stock(function()
      local outcome = process.stock(
        'local aw = require "aiowire"\n' .. resumes
      )
      contains(outcome.out, "true\tnil\tthis coroutine belongs to task")
      contains(outcome.out, "\nslept\ndone\n")
      assert.are.equal(0, outcome.code)
    end))

  it("is refused as a failure after aw.install() [C11]",
    under_stock(function()
      local outcome = process.stock(
        'local aw = require "aiowire"\naw.install()\n' .. resumes
      )
      contains(outcome.out, "false\t")
      contains(outcome.out, "this coroutine belongs to task")
      contains(outcome.out, "\nslept\ndone\n")
      assert.are.equal(0, outcome.code)
    end))

  it("is refused as a failure in the program [C11]", function()
    local outcome = process.host(
      'local aw = require "aiowire"\n' .. resumes
    )
    contains(outcome.out, "false\t")
    contains(outcome.out, "this coroutine belongs to task")
    contains(outcome.out, "\nslept\ndone\n")
    assert.are.equal(0, outcome.code)
  end)

  unreplaced("fails its task when closed, though it awaits deep inside [C9]",
    function()
      local log = {}
      local ev = virtual()
      local parked, got
      ev:start(function()
        local _ <close> = closer(function()
          log[#log + 1] = "outer"
        end)
        aw.await(function()
          local _ <close> = closer(function()
            log[#log + 1] = "inner"
          end)
          parked = coroutine.running()
          aw.sleep(5)
        end)
      end, function(_, err)
        got = err
      end)
      ev:start(function()
        aw.sleep(1)
        pcall(coroutine.close, parked)
        aw.sleep(9)
        log[#log + 1] = "goes on"
      end)
      assert.are.equal("done", ev:run())
      assert.are.same({ "inner", "outer", "goes on" }, log)
      contains(got, "closed from outside")
    end)

  it("that waits for another of its task is not resumed either [C11]",
    sealed(function()
      local log = {}
      local ev = virtual()
      local outer
      ev:start(function()
        outer = coroutine.running()
        aw.await(function()
          aw.sleep(5)
          log[#log + 1] = "inner"
        end)
        log[#log + 1] = "outer"
      end)
      ev:start(function()
        aw.sleep(1)
        pcall(coroutine.resume, outer)
        log[#log + 1] = "tried"
      end)
      assert.are.equal("done", ev:run())
      assert.are.same({ "tried", "inner", "outer" }, log)
    end))
end)

describe("coroutine.close, where the library has replaced it,", function()
  -- Runs in another process, since aw.install() replaces functions for good.
  local function outcome_of(code)
    return process.host('local aw = require "aiowire" aw.install()\n' .. code)
  end

  for what, code in pairs {
    ["that sleeps"] = [[
      local co
      local t = aw.start(function()
        co = coroutine.running()
        aw.sleep(0.01)
        return aw.Value "slept"
      end)
      aw.yield()
    ]],
    ["that awaits a wire"] = [[
      local co
      local t = aw.start(function()
        co = coroutine.running()
        aw.await(aw.Call(aw.sleep, 0.01) >> aw.Sleep(0))
        return aw.Value "slept"
      end)
      aw.yield()
    ]],
    ["with a generator that awaits"] = [[
      local co
      local t = aw.start(function()
        local next = coroutine.wrap(function()
          co = coroutine.running()
          aw.sleep(0.01)
          coroutine.yield "slept"
        end)
        return aw.Value(next())
      end)
      aw.yield()
    ]],
  } do
    it("leaves a task " .. what .. " alone [C9]", function()
      local outcome = outcome_of(code .. [[
        local closed, why = coroutine.close(co)
        print(closed, why:gsub("%d+", "N"))
        print(t:wait())
      ]])
      process.assert_outcome("false\tthis coroutine belongs to task N; "
        .. "only the engine closes it\t1\nslept\n", 0, outcome)
    end)
  end

  it("leaves the pool alone [LU7]", function()
    process.assert_outcome(
      "false\tthis coroutine belongs to the engine\nmore\n", 0, outcome_of [[
      local co
      aw.start(function() co = coroutine.running() end):wait()
      print(coroutine.close(co))
      print(aw.start(function() return aw.Value "more" end):wait())
    ]])
  end)

  it("leaves the running task alone [C9]", function()
    process.assert_outcome("true\tfalse\nslept\n", 0, outcome_of [[
      aw.start(function()
        local ok, closed = pcall(coroutine.close, coroutine.running())
        print(ok, closed)
        aw.sleep(0.01)
        print "slept"
      end):wait()
    ]])
  end)

  if _VERSION ~= "Lua 5.4" then
    it("leaves the running task alone if it gets nothing [C9]", function()
      process.assert_outcome("true\tfalse\nslept\n", 0, outcome_of [[
        aw.start(function()
          local ok, closed = pcall(coroutine.close)
          print(ok, closed)
          aw.sleep(0.01)
          print "slept"
        end):wait()
      ]])
    end)

    it("ends the coroutine of the user that calls it [C11]", function()
      process.assert_outcome("slept\ntrue\tdead\n", 0, outcome_of [[
        local co = coroutine.create(function()
          aw.sleep(0.01)
          print "slept"
          coroutine.close()
          print "lives"
        end)
        print(coroutine.resume(co), coroutine.status(co))
      ]])
    end)
  end

  it("closes those of the user as ever [C11]", function()
    -- A coroutine can close itself in Lua 5.5, which ends it.
    local own = _VERSION == "Lua 5.4" and "false\n" or ""
    process.assert_outcome("true\nfalse\toops\ntrue\nfalse\n" .. own, 0,
      outcome_of [[
      local co = coroutine.create(function()
        local _ <close> = setmetatable({}, { __close = function()
          error("oops", 0)
        end })
        coroutine.yield()
      end)
      print(coroutine.close(coroutine.create(print)))
      coroutine.resume(co)
      print(coroutine.close(co))
      print(coroutine.close(co))
      print((pcall(coroutine.close, coroutine.running)))
      co = coroutine.create(function() print((pcall(coroutine.close, co))) end)
      coroutine.resume(co)
    ]])
  end)
end)
