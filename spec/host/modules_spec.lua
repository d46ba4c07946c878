-- Modules that await while they are required, in the program and after
-- aw.install().

local process = require "spec.support.process"

local assert_outcome = process.assert_outcome

local M_SLOW = [[
local aw = require "aiowire"
print("begins", ...)
aw.sleep(0.001)
print "ends"
return { "slow" }
]]

local M_BAD = [[
local aw = require "aiowire"
tries = (tries or 0) + 1
print("try", tries)
aw.sleep(0.001)
if tries < 3 then error { tries } end
return "third"
]]

-- Run a text as a script under the program, and, after aw.install(), under a
-- stock lua5.4; both must write `out` and end well.
local function both(out, code, files)
  files = files or {}
  files["slow.lua"], files["bad.lua"] = M_SLOW, M_BAD
  files["s.lua"] = "local aw = require 'aiowire'\n" .. code
  files["t.lua"] = "local aw = require 'aiowire'\naw.install()\n"
    .. "aw.run(assert(loadfile 's.lua'))\n"
  assert_outcome(out, 0, process.run("exec $aiowire s.lua", files))
  if not process.sanitized then
    assert_outcome(out, 0, process.run("exec $lua t.lua", files))
  end
end

describe("a module that awaits while it is required", function()
  it("works in the program and after aw.install() [R16]", function()
    both("begins\tslow\t./slow.lua\nends\nslow\t./slow.lua\n", [[
      local slow, place = require "slow"
      print(slow[1], place)
    ]])
  end)

  it("may await in a searcher and in a coroutine [R16]", function()
    both("search\tx\nload\tx\tdata\nx\tdata\n", [[
      table.insert(package.searchers, 1, function(name)
        if name == "x" then
          aw.sleep(0.001)
          print("search", name)
          return function(...)
            aw.sleep(0.001)
            print("load", ...)
            return (...)
          end, "data"
        end
      end)
      print(coroutine.wrap(require)("x"))
    ]])
  end)

  it("lets other tasks run meanwhile [R16]", function()
    both("begins\tslow\t./slow.lua\nother\nends\n", [[
      aw.start(function() print "other" end)
      require "slow"
    ]])
  end)

  it("runs once for all tasks that require it [R17]", function()
    both("begins\tslow\t./slow.lua\nends\n1\ttrue\n2\ttrue\n3\ttrue\n", [[
      local first
      for i = 1, 3 do
        aw.start(function()
          local m = require "slow"
          first = first or m
          print(i, m == first)
        end)
      end
    ]])
  end)

  it("is waited for under a label that names the loader [R17]", function()
    local outcome = process.host [[
      local aw = require "aiowire"
      package.preload.x = function() aw.sleep(0.001) end
      return aw.Wire(function(ev)
        local one = ev:start(function() require "x" end)
        ev:start(function() require "x" end)
        aw.yield()
        print(one.id, (ev:dump():match "require 'x'[^\n]-task %d+"))
      end)
    ]]
    local id = outcome.out:match "^%d+"
    assert_outcome(id .. "\trequire 'x', loaded by task " .. id .. "\n", 0,
      outcome)
  end)

  it("is tried again by the next task after a failure [R18]", function()
    both([[
try	1
1	1
try	2
2	2
try	3
3	third
4	third
]], [[
      for i = 1, 4 do
        aw.start(function()
          local ok, value = pcall(require, "bad")
          print(i, ok and value or value[1])
        end)
      end
    ]])
  end)

  it("is tried again after the load was cancelled [R18]", function()
    both("begins\tslow\t./slow.lua\nnil\nends\n2\tslow\n", [[
      package.preload.slow = function() aw.sleep(1000) end
      local loader = aw.start(function() require "slow" end)
      aw.start(function() print(2, require "slow"[1]) end)
      aw.yield()
      package.preload.slow = nil
      loader:cancel_wait()
      print(package.loaded.slow)
    ]])
  end)

  it("is given up by a task that is cancelled while it waits [R18]",
    function()
      both("begins\tslow\t./slow.lua\ncancelled\nends\n", [[
        aw.start(function() require "slow" end)
        local other = aw.start(function() require "slow" end)
        aw.yield()
        other:cancel_wait()
        print(other.status)
      ]])
    end)

  it("is free again after its coroutine has died [R18]", function()
    both("false\ttrue\n2\n", [[
      local n = 0
      package.preload.x = function()
        n = n + 1
        aw.sleep(0.001)
        if n == 1 then error "x" end
        return n
      end
      local co = coroutine.create(require)
      local ok, err = coroutine.resume(co, "x")
      print(ok, type(err) == "string")
      aw.start(function() print((require "x")) end)
    ]])
  end)

  it("is free again after the task that loads it was killed [R18]",
    function()
      both("again\n", [[
        package.preload.x = function()
          while true do pcall(aw.sleep, 1000) end
        end
        local stubborn = aw.start(function()
          coroutine.wrap(require)("x")
        end, nil, { grace = 0.001 })
        local other = aw.start(function() print((require "x")) end)
        aw.yield()
        package.preload.x = function() return "again" end
        stubborn:cancel()
      ]])
    end)
end)

describe("modules that wait for each other", function()
  -- What tasks report, with short forms of the messages.
  local function reports(out, code)
    both(out, [[
      local function say(what, ok, message)
        message = message:gsub("^s.lua:%d+: cannot require", "no")
        message = message:gsub("task %d+ is loading it, and waits for this "
          .. "task$", "WAITS")
        print(what, ok, message)
      end
      local idle = aw.start(function() aw.sleep(1000) end)
      local left = 0
      local function try(name)
        left = left + 1
        aw.start(function()
          say(name, pcall(require, name))
          left = left - 1
          if left == 0 then idle:cancel() end
        end)
      end
    ]] .. code)
  end

  it("fail if two tasks load them [R19]", function()
    reports([[
x	false	no 'y': WAITS
y	false	no 'y': this task is loading it
]], [[
      package.preload.x = function() aw.sleep(0.001) return require "y" end
      package.preload.y = function() aw.sleep(0.001) return require "x" end
      try "x"
      try "y"
    ]])
  end)

  it("fail if the loader waits for a task that requires the module [R19]",
    function()
      reports([[
all	false	no 'all': WAITS
wait	false	no 'wait': WAITS
scope	false	no 'scope': WAITS
self	false	no 'self': this task is loading it
]], [[
      package.preload.all = function()
        aw.all { function() require "all" end }
      end
      package.preload.wait = function()
        local t = aw.start(function()
          require "wait"
        end, aw.keep)
        aw.sleep(0.001)
        t:wait()
      end
      package.preload.scope = function()
        aw.scope(function(scope)
          scope:start(function() require "scope" end)
          aw.sleep(0.001)
        end)
      end
      package.preload.self = function()
        aw.sleep(0)
        return require "self"
      end
      for _, name in ipairs { "all", "wait", "scope", "self" } do
        left = left + 1
        say(name, pcall(require, name))
        left = left - 1
      end
      idle:cancel()
    ]])
    end)

  it("are no cycle if the loader waits for other tasks only [R19]",
    function()
      both("1\n1\t2\n", [[
        package.preload.x = function()
          aw.all { function() aw.sleep(0.001) end }
          aw.scope(function(scope)
            scope:start(function() aw.sleep(0.001) end)
          end)
          return 1
        end
        aw.scope(function(scope)
          scope:start(function() print((require "x"), 2) end)
          print((require "x"))
        end)
      ]])
    end)
end)

describe("the program's require", function()
  -- What Lua's own `require` does, seen from scripts. Addresses and the lowest
  -- levels of stacks are left out.
  local ODD = process.read "spec/support/odd_requires.lua"

  it("does what that of lua5.4 does [R16]", function()
    local files = { ["s.lua"] = ODD }
    local line = "export LUA_PATH='./?.lua;./?/init.lua' LUA_CPATH='./?.so'\n"
    local theirs = process.run(line .. "exec $lua s.lua", files)
    local ours = process.run(line .. "exec $aiowire s.lua", files)
    assert_outcome(theirs.out, 0, ours)
    assert.is_true(#theirs.out > 5000, theirs.err)
    assert.are.equal("", theirs.err .. ours.err)
  end)

  it("cannot wait where its caller cannot [R20]", function()
    local outcome = process.host [[
      local aw = require "aiowire"
      package.preload.x = function() aw.sleep(0.001) end
      local function sorted(name)
        table.sort({ 1, 2 }, function() require(name) end)
      end
      print(pcall(sorted, "x"))
      aw.start(function() require "x" end)
      aw.yield()
      print(pcall(sorted, "x"))
      local other = aw.EventLoop { clock = "virtual" }
      other:start(function() require "x" end)
      print(false, (tostring(select(2, pcall(other.run, other)))
        :match "[^\n]*"))
    ]]
    local CANNOT <const> = "cannot require 'x': task N is loading it, and this "
      .. "call of 'require' cannot wait for it"
    outcome.out = outcome.out:gsub("task %d+", "task N")
    assert_outcome("false\ts.lua:2: cannot await inside 'sort' (aw.sleep): Lua "
      .. "cannot leave it half way\nfalse\ts.lua:4: " .. CANNOT
      .. "\nfalse\ts.lua:11: " .. CANNOT .. "\n", 0, outcome)
  end)

  it("lets no coroutine.yield of the module through [R20]", function()
    assert_outcome("false\tattempt to yield across a C-call boundary\n", 0,
      process.host [[
        package.preload.x = function() coroutine.yield() end
        print(coroutine.resume(coroutine.create(require), "x"))
      ]])
  end)
end)

describe("an await inside Lua's own require", function()
  local under_stock = process.under_stock

  it("says what to do, in a task and outside [R21]", under_stock(function()
    local OUTSIDE <const> = "s.lua:2: cannot await outside a task (aw.sleep); "
    local ADVICE <const> = "require the module in aw.run(function() ... end)\n"
    local INSIDE <const> = "s.lua:2: cannot await inside 'require' (aw.sleep): "
    assert_outcome(OUTSIDE .. "call aw.install(), and " .. ADVICE
      .. INSIDE .. "call aw.install() before\n"
      .. INSIDE .. "this is Lua's own function, kept since before "
      .. "aw.install()\n" .. OUTSIDE .. ADVICE, 0, process.stock [[
local aw = require "aiowire"
package.preload.x = function() aw.sleep(0) end
local theirs = require
print(select(2, pcall(require, "x")))
aw.run(function() print(select(2, pcall(require, "x"))) end)
aw.install()
aw.run(function() print(select(2, pcall(theirs, "x"))) end)
print(select(2, pcall(require, "x")))
]])
  end))

  it("is refused after aw.install(), too, if it was replaced before [R21]",
    under_stock(function()
      assert_outcome("loads x\nfalse\n", 0, process.stock [[
        local aw = require "aiowire"
        package.preload.x = function() aw.sleep(0) end
        local theirs = require
        function require(name) print("loads " .. name) return theirs(name) end
        aw.install()
        aw.run(function() print((pcall(require, "x"))) end)
      ]])
    end))
end)

describe("the option -l", function()
  local files = {
    ["slow.lua"] = M_SLOW,
    ["wire.lua"] = "local aw = require 'aiowire'\n"
      .. "return aw.Call(print, 'never')\n",
    ["sub.lua"] = "local aw = require 'aiowire'\n"
      .. "aw.start(function() aw.sleep(0.001) print 'task' end)\n"
      .. "return require 'slow'\n",
    ["fails.lua"] = "local aw = require 'aiowire'\naw.sleep(0.001)\n"
      .. "error 'no luck'\n",
  }

  local function run(line)
    return process.run("exec $aiowire " .. line, files)
  end

  it("requires a module that awaits, with the tasks it starts [R22]",
    function()
      local outcome = run "-l sub -l s=slow -e 'print(sub == s, s[1], aw)'"
      outcome.out = outcome.out:gsub("table: %S+", "table")
      assert_outcome("begins\tslow\t./slow.lua\ntask\nends\n"
        .. "true\tslow\ttable\n", 0, { code = outcome.code, err = outcome.err,
        out = outcome.out:gsub("ends\ntask\n", "task\nends\n") })
    end)

  it("does not run a Wire that the module returns [R22]", function()
    assert_outcome("true\n", 0,
      run "-l w=wire -e 'print(w == require \"wire\")'")
  end)

  it("ends the program with the module's error [R22]", function()
    local outcome = run "-l fails -e 'print \"never\"'"
    assert_outcome("", 1, outcome)
    assert.are.equal("aiowire: ./fails.lua:3: no luck",
      outcome.err:match "^[^\n]*")
    outcome = run "-l nothing -e 'print \"never\"'"
    assert_outcome("", 1, outcome)
    assert.are.equal("aiowire: module 'nothing' not found:",
      outcome.err:match "^[^\n]*")
  end)

  it("may be a module that is no function of Lua [R22]", function()
    assert_outcome("table\n", 0, run "-l t=table -e 'print(type(t))'")
  end)
end)
