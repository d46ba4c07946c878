-- Debug hooks of the user, as coverage tools, profilers and debuggers set them
-- [D5]. A hook that is set outside of bodies applies to all bodies; a hook that
-- a body sets ends with that body. "Outside" means the main chunk, under the
-- program and under lua5.4, and handlers.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local process = require "spec.support.process"

local nop, test = helper.nop, helper.test

local this_file = debug.getinfo(1, "S").source
local main_thread = coroutine.running()

--- Returns the line number of the caller.
local function here()
  return debug.getinfo(2, "l").currentline
end

--- Call `f` while this hook is set outside of bodies. Restore the hook that was
--- set before.
local function under(hook, mask, count, f)
  local before, its_mask, its_count = debug.gethook()
  debug.sethook(hook, mask, count)
  local ok, err = pcall(f)
  debug.sethook(before, its_mask or "", its_count)
  assert(ok, err)
end

--- Returns a line hook, and a table that counts how often the hook has seen
--- each line of this file.
local function counter()
  local seen = setmetatable({}, { __index = function() return 0 end })
  return function(_, line)
    if debug.getinfo(2, "S").source == this_file then
      seen[line] = seen[line] + 1
    end
  end, seen
end

local function fails(what)
  return function()
    error(what, 0)
  end
end

describe("a debug hook that is set outside of bodies [D5]", function()
  it("sees the lines of every body, also behind an await", function()
    local hook, seen = counter()
    local line
    local function body()
      line = here()
      aw.sleep(0.01)
      return aw.Value(line)
    end
    helper.run_loop(function(ev) -- fills the pool of coroutines
      for _ = 1, 5 do
        ev:start(function() aw.sleep(0) end)
      end
    end)
    under(hook, "l", 0, function()
      helper.run_loop(function(ev)
        for _ = 1, 4 do
          ev:start(body)
        end
      end, { clock = "virtual" })
    end)
    assert.are.same({ 4, 4, 4 },
      { seen[line], seen[line + 1], seen[line + 2] })
  end)

  it("sees no line of the library", function()
    local sources = {}
    local function hook()
      sources[debug.getinfo(2, "S").source] = true
    end
    under(hook, "l", 0, function()
      aw.run(function()
        aw.All { nop, nop }(aw)
        aw.exec { "cat", stdin = "x" }
        aw.await(aw.Exec "true")
      end)
      test(function()
        aw.sleep(1)
      end)
      aw.test(function(_, clock)
        clock:advance(1)
      end)
      aw.run(function()
        local b = aw.broadcast()
        local sub <close> = b:subscribe()
        b:send(1)
        assert.are.equal(1, sub:recv())
      end)
      pcall(aw.run)
    end)
    assert.is_true(sources[this_file])
    for source in pairs(sources) do
      assert.is_nil(source:find "^=%[aiowire", source)
    end
  end)

  it("reaches each body at its next resume", function()
    local hook, seen = counter()
    local line
    test(function(ev)
      local t = ev:start(function()
        aw.sleep(1)
        line = here()
        aw.sleep(1)
      end)
      aw.sleep(0.5)
      debug.sethook(main_thread, hook, "l")
      t:wait()
      debug.sethook(main_thread)
    end)
    assert.are.equal(1, seen[line + 1])
  end)

  it("is gone from each body when it was cleared", function()
    local hook, seen = counter()
    local line
    test(function(ev)
      debug.sethook(main_thread, hook, "l")
      local t = ev:start(function()
        line = here()
        aw.sleep(1)
        line = here()
        return aw.Value(debug.gethook())
      end)
      aw.sleep(0.5)
      debug.sethook(main_thread)
      assert.is_nil((t:wait()))
      assert.is_nil((debug.gethook()))
    end)
    assert.are.equal(0, seen[line])
    assert.are.equal(1, seen[line - 2])
  end)

  it("is what debug.gethook gives in a body", function()
    under(nop, "cl", 77, function()
      aw.run(function()
        local hook, mask, count = debug.gethook()
        assert.are.equal(nop, hook)
        assert.are.same({ "cl", 77 }, { mask, count })
        aw.sleep(0)
        hook, mask, count = debug.gethook()
        assert.are.equal(nop, hook)
        assert.are.same({ "cl", 77 }, { mask, count })
      end)
    end)
  end)

  it("may be changed for another", function()
    local function other() end
    test(function(ev)
      debug.sethook(main_thread, nop, "l")
      local t = ev:start(function()
        local first = debug.gethook()
        aw.sleep(1)
        return aw.Value(first, debug.gethook())
      end)
      aw.sleep(0.5)
      debug.sethook(main_thread, other, "c", 9)
      local first, second, mask, count = t:wait()
      debug.sethook(main_thread)
      assert.are.equal(nop, first)
      assert.are.equal(other, second)
      assert.are.same({ "c", 9 }, { mask, count })
    end)
  end)

  it("goes on counting over awaits", function()
    local calls = 0
    under(function() calls = calls + 1 end, "", 1000, function()
      aw.run(function()
        for _ = 1, 100 do
          for _ = 1, 50 do end
          aw.sleep(0)
        end
      end)
    end)
    assert.is_true(calls >= 5)
  end)

  it("sees functions of wires, handlers, finally and <close>", function()
    local hook, seen = counter()
    local lines = {}
    local function note(name)
      lines[name] = here()
      aw.sleep(0)
      return name
    end
    local function noting(name)
      return function() lines[name] = here() end
    end
    under(hook, "l", 0, function()
      helper.run_loop(function(ev)
        ev:start(aw.Call(note, "call"))
        ev:start(aw.Value(1) / noting "map")
        ev:start(aw.Value(1):bind(noting "bind"))
        ev:start(aw.Call(nop):finally(noting "finally"))
        ev:start(aw.Call(fails "x"):catch(noting "catch"))
        ev:start(aw.Call(fails "x"):supervise(noting "supervise"))
        ev:start(aw.Call(fails "x"):retry {
          times = 2, when = noting "when",
        }, noting "handler")
        ev:start(function()
          local _ <close> = helper.closer(noting "close")
          aw.sleep(0)
        end)
        ev:start(function()
          aw.await(aw.Race { noting "race", aw.Never })
        end)
      end)
    end)
    local count = 0
    for name, line in pairs(lines) do
      count = count + 1
      assert.is_true(seen[line] > 0, name)
    end
    assert.are.equal(10, count)
  end)

  it("is restored after a handler, unless the handler set one",
    function()
      under(nop, "l", 0, function()
        helper.run_loop(function(ev)
          ev:start(fails "x", function()
            assert.are.equal(nop, (debug.gethook()))
          end)
        end)
        assert.are.equal(nop, (debug.gethook()))
      end)
    end)

  it("may be set by a handler", function()
    local inside
    helper.run_loop(function(ev)
      ev:start(fails "x", function() debug.sethook(nop, "l") end)
      ev:start(function()
        aw.sleep(0.001)
        inside = debug.gethook()
      end)
    end)
    local after = debug.gethook()
    debug.sethook()
    assert.are.equal(nop, inside)
    assert.are.equal(nop, after)
  end)

  it("applies to the bodies of a loop with its own engine, too", function()
    aw.run(function()
      debug.sethook(nop, "l")
      helper.run_loop(function(ev)
        ev:start(function()
          assert.are.equal(nop, (debug.gethook()))
        end)
      end, { clock = "virtual" })
    end)
    assert.is_nil((debug.gethook()))
  end)

  for _, mask in ipairs { "c", "r", "l", "" } do
    it(("and raises (mask %q) fails the task alone"):format(mask), function()
      local log, note = helper.recorder()
      local armed = true
      local function hook()
        if armed and aw.current() and aw.current().name == "victim" then
          armed = false
          error("too much", 0)
        end
      end
      under(hook, mask, mask == "" and 1 or 0, function()
        helper.run_loop(function(ev)
          ev:start(aw.Wire(function()
            aw.sleep(0)
            tostring(1)
          end):named "victim", function(_, err) note(err) end)
          ev:start(function()
            aw.sleep(0.001)
            note "other"
          end)
        end)
      end)
      assert.are.same({ "too much", "other" }, log)
    end)
  end

  it("and raises always fails each task, and not the engine", function()
    local log, note = helper.recorder()
    local threads = setmetatable({}, { __mode = "k" })
    helper.run_loop(function(ev)
      ev:start(fails "first", function()
        debug.sethook(function()
          if not threads[coroutine.running()] and aw.current() then
            error("never", 0)
          end
        end, "crl", 1)
      end)
      for _ = 1, 2 do
        ev:start(function()
          aw.sleep(0.001)
          note "not reached"
        end, function(_, err)
          note(err)
        end)
      end
      ev:start(aw.Sleep(0.002) >> aw.Call(note, "not reached"),
        function(_, err)
          debug.sethook()
          note(err)
        end)
    end)
    assert.are.same({ "never", "never", "never" }, log)
  end)
end)

describe("a debug hook that a body sets [D5]", function()
  it("ends with that body", function()
    aw.run(function()
      local order = {}
      local function look()
        order[#order + 1] = debug.gethook() or "none"
      end
      local function set()
        debug.sethook(nop, "l")
      end
      aw.await(aw.Call(set) >> aw.Call(look))
      aw.await(aw.Call(function()
        look()
        set()
      end) * 2)
      aw.start(aw.Call(set)):wait()
      aw.start(aw.Call(look)):wait()
      look()
      assert.are.same({ "none", "none", "none", "none", "none" }, order)
    end)
  end)

  it("stays over its awaits, and reaches neither others nor children",
    function()
      local own = function() end
      under(nop, "l", 0, function()
        aw.run(function()
          debug.sethook(own, "c")
          local child = aw.start(function()
            return aw.Value((debug.gethook()))
          end)
          assert.are.equal(nop, (child:wait()))
          aw.sleep(0)
          assert.are.equal(own, (debug.gethook()))
        end)
        aw.run(function()
          assert.are.equal(nop, (debug.gethook()))
        end)
      end)
    end)

  it("stays when that from outside changes meanwhile", function()
    local own = function() end
    test(function(ev)
      local t = ev:start(function()
        debug.sethook(own, "c")
        aw.sleep(1)
        return aw.Value((debug.gethook()))
      end)
      aw.sleep(0.5)
      debug.sethook(main_thread, nop, "l")
      local hook = t:wait()
      debug.sethook(main_thread)
      assert.are.equal(own, hook)
    end)
  end)

  it("or clears, is so for that body only", function()
    under(nop, "l", 0, function()
      aw.run(function()
        debug.sethook()
        aw.sleep(0)
        assert.is_nil((debug.gethook()))
        assert.are.equal(nop, (aw.start(function()
          return aw.Value((debug.gethook()))
        end):wait()))
      end)
      aw.run(function()
        assert.are.equal(nop, (debug.gethook()))
      end)
    end)
  end)

  it("breaks no await", function()
    aw.run(function(ev)
      local calls = 0
      local ch = aw.channel(1)
      ev:start(function()
        for i = 1, 20 do
          ch:send(i)
        end
        ch:close()
      end)
      debug.sethook(function() calls = calls + 1 end, "crl", 1)
      local sum = 0
      for i in ch:iter() do
        sum = sum + i
        aw.sleep(0)
      end
      pcall(error, "x")
      aw.scope(function(s)
        s:start(aw.Sleep(0))
      end)
      debug.sethook()
      assert.are.equal(210, sum)
      assert.is_true(calls > 100)
    end)
  end)

  it("breaks no method of the library that is written in Lua", function()
    aw.test(function(_, clock)
      debug.sethook(nop, "crl", 1)
      clock:advance(1)
      local b = aw.broadcast()
      local sub <close> = b:subscribe()
      b:send(1)
      assert.are.equal(1, sub:recv())
      debug.sethook()
      assert.are.equal(1, clock:now())
    end)
  end)

  it("may ask for the statistics while an error is on its way", function()
    aw.run(function()
      for _ = 1, 20 do
        debug.sethook(function() aw.stats() end, "crl", 1)
        local _, err = pcall(aw.await, aw.Sleep(1):timeout(0))
        debug.sethook()
        assert.is_true(aw.is_timeout(err))
      end
    end)
  end)

  it("that raises at a count ends a body that never awaits", function()
    test(function(ev)
      local t = ev:start(function()
        local n = 0
        debug.sethook(function()
          n = n + 1
          if n > 20 then
            error("too long", 0)
          end
        end, "", 1000)
        while true do end
      end, nop)
      assert.are.same({ false, "too long" }, { helper.join(t) })
    end)
  end)

  it("cannot await", function()
    aw.run(function()
      local message, line
      debug.sethook(function()
        debug.sethook()
        line = here()
        message = select(2, pcall(function() aw.sleep(0) end))
      end, "l")
      local _ = 1
      assert.are.equal(("spec/tasks/hooks_spec.lua:%d: cannot await inside "
        .. "'debug hook' (aw.sleep): Lua cannot leave it half way")
        :format(line + 1), message)
    end)
  end)

  it("does not apply to its coroutines", function()
    aw.run(function()
      debug.sethook(nop, "l")
      local inside = coroutine.wrap(function()
        coroutine.yield((debug.gethook()))
      end)()
      debug.sethook()
      assert.is_nil(inside)
    end)
  end)
end)

describe("SIGINT", function()
  it("leaves a hook of the user's where it was [L2]", function()
    process.each("", process.prelude .. [[
aw.run(function()
  local calls, kept = 0, nil
  debug.sethook(function() calls = calls + 1 end, "", 100)
  local hook = debug.gethook()
  signal_me "INT"
  local ok, err = pcall(function() while true do end end)
  local before = calls
  aw.shield(function() aw.sleep(0) end)
  for _ = 1, 1000 do end
  local now, mask, count = debug.gethook()
  say(tostring(ok), err:match "interrupted!", tostring(now == hook), mask,
    tostring(count), tostring(calls > before))
end)
]], function(outcome)
      assert.is_truthy(
        outcome.out:find "^false interrupted! true  100 true\n", outcome.out)
    end)
  end)
end)

-- Tools, as people write them. ------------------------------------------------

describe("a coverage tool that hooks lines", function()
  it("finds what ran in bodies, and what did not", function()
    process.each("", [[
local hits = {}
local function hook(_, line)
  local file = debug.getinfo(2, "S").source
  hits[file] = hits[file] or {}
  hits[file][line] = (hits[file][line] or 0) + 1
end
debug.sethook(hook, "l")
local aw = require "aiowire"
local function work(n)
  aw.sleep(0.001)
  if n > 1 then
    return aw.Value(n)    -- 12
  end
  error "one"             -- 14
end
aw.run(function(ev)
  for n = 1, 3 do
    ev:start(function() return work(n) end, print and function()
      aw.start(function() -- 19
        hits.started = true -- 20
      end)
    end)
  end
  aw.sleep(0.01)
end)
debug.sethook()
local mine = hits["@s.lua"]
print(mine[12], mine[14], mine[20])
]], function(outcome)
      process.assert_outcome("2\t1\t1\n", 0, outcome)
    end)
  end)
end)

describe("a profiler that hooks calls and returns", function()
  it("finds each call in bodies, over their awaits", function()
    process.each("", [[
local aw = require "aiowire"
local calls, returns = {}, {}
local function hook(event)
  local f = debug.getinfo(2, "f").func
  local list = event == "return" and returns or calls
  list[f] = (list[f] or 0) + 1
end
local function inner() aw.sleep(0.001) end
local function outer() inner() inner() return 1 end
debug.sethook(hook, "cr")
aw.run(function(ev)
  for _ = 1, 3 do ev:start(function() local x = outer() end) end
end)
debug.sethook()
print(calls[inner], returns[inner], calls[outer], returns[outer])
]], function(outcome)
      process.assert_outcome("6\t6\t3\t3\n", 0, outcome)
    end)
  end)

  it("finds by counts where bodies spend their time", function()
    process.each("", [[
local aw = require "aiowire"
local samples = { busy = 0, idle = 0 }
local function busy() for _ = 1, 20000 do end end
local function idle() for _ = 1, 20 do end end
local function hook()
  local f = debug.getinfo(2, "f").func
  local name = f == busy and "busy" or f == idle and "idle"
  if name then samples[name] = samples[name] + 1 end
end
debug.sethook(hook, "", 1000)
aw.run(function(ev)
  for _ = 1, 5 do
    ev:start(function() for _ = 1, 10 do busy() aw.sleep(0) idle() end end)
  end
end)
debug.sethook()
print(samples.busy > 500, samples.idle < 50)
]], function(outcome)
      process.assert_outcome("true\ttrue\n", 0, outcome)
    end)
  end)
end)
