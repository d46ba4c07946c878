-- A Timeout names two locations [E2, E4]. Its traceback, and the beginning of
-- its text, show where the limit was set. `info.waited` shows the wait that was
-- cut short.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local places = require "spec.support.places"
local process = require "spec.support.process"

local line = places.line
local HERE <const> = debug.getinfo(1, "S").short_src

--- Returns "FILE:LINE" for a line of this file.
local function at(number)
  return HERE .. ":" .. number
end

local function fetch()
  aw.sleep(5)
end
local SLEEP <const> = line() - 2 -- in fetch

--- Run `w` with a handler. Returns the info and error that the handler got, and
--- the place of the start.
local function failure_of(w)
  local ev = aw.EventLoop { clock = "virtual" }
  local err, info
  local started = line() + 1
  ev:start(w, function(_, e, i)
    err, info = e, i
  end)
  assert.are.equal("done", ev:run())
  assert.is_true(aw.is_timeout(err))
  return info, err, at(started)
end

--- Check that `w` times out. `limit` is its traceback, `waited` its
--- info.waited, both without their constant first words; START is the place of
--- the start.
local function check(w, limit, waited)
  collectgarbage()
  collectgarbage()
  helper.leak_checked(function()
    local info, _, started = failure_of(w)
    local function filled(text)
      return (text:gsub("START", started))
    end
    assert.are.equal("stack traceback:\n" .. filled(limit), info.traceback)
    assert.are.equal("cut short: " .. filled(waited), info.waited)
  end)
end

--- Returns a line of a traceback for a function without a name.
local function frame(number, defined)
  return ("\t%s: in function <%s>"):format(at(number), at(defined or number))
end

local FETCH <const> = "\t[C]: in function 'aiowire.sleep'\n" .. frame(SLEEP,
  SLEEP - 1)
local IN_FETCH <const> = ("\t[C]: in function 'aiowire.sleep'\n"
  .. "\t%s: in upvalue 'fetch'"):format(at(SLEEP))
local TIMEOUT <const> = "\t[C]: in function 'aiowire.timeout'\n"
local AWAIT <const> = "\t[C]: in function 'aiowire.await'\n"
local STARTED <const> = "\tstarted at START"

describe("a Timeout", function()
  it("of aw.timeout names its caller and the wait [E2]", function()
    local set = line() + 2
    check(function()
      aw.timeout(1, fetch)
    end, TIMEOUT .. frame(set, set - 1),
      "sleep 5 s\n" .. IN_FETCH .. "\n" .. TIMEOUT .. frame(set, set - 1))
  end)

  it("names the callers of both [E2]", function()
    local function get()
      fetch()
      return true
    end
    local function page()
      aw.timeout(1, get)
    end
    local here = line()
    local limit = TIMEOUT .. "\t" .. at(here - 2) .. ": in upvalue 'page'\n"
      .. frame(here + 4, here + 3)
    check(function()
      page()
      return nil
    end, limit, "sleep 5 s\n" .. IN_FETCH .. "\n\t" .. at(here - 6)
      .. ": in upvalue 'get'\n" .. limit)
  end)

  it("without a line of user code names its start [E2]", function()
    check(aw.Call(aw.timeout, 1, aw.sleep, 5), TIMEOUT .. STARTED,
      "sleep 5 s\n\t[C]: in function 'aiowire.sleep'\n" .. TIMEOUT .. STARTED)
    check(aw.Sleep(5):timeout(1), STARTED, "sleep 5 s\n" .. STARTED)
  end)

  it("of a wire names the line that awaits it [E2]", function()
    local set = line() + 2
    check(function()
      aw.await(aw.Wire(fetch):timeout(1))
    end, AWAIT .. frame(set, set - 1),
      "sleep 5 s\n" .. IN_FETCH .. "\n" .. AWAIT .. frame(set, set - 1))
  end)

  it("of a wire without Lua names its await as both [E2]", function()
    local set = line() + 2
    check(function()
      aw.await(aw.Sleep(5):timeout(1))
    end, AWAIT .. frame(set, set - 1),
      "sleep 5 s\n" .. AWAIT .. frame(set, set - 1))
  end)

  it("of a retry names the wait of the last try [E2]", function()
    check(aw.Wire(fetch):retry { within = 1 }, STARTED,
      "sleep 5 s\n" .. FETCH)
  end)

  it("names an await inside as the wait [E2]", function()
    local set = line() + 2
    check(function()
      aw.timeout(1, function()
        aw.await(aw.Sleep(5))
      end)
    end, TIMEOUT .. frame(set, set - 1),
      "sleep 5 s\n" .. AWAIT .. frame(set + 1, set) .. "\n" .. TIMEOUT
        .. frame(set, set - 1))
  end)

  it("names the wait of another task, and that task [E2]", function()
    local set = line() + 2
    check(function()
      aw.timeout(1, aw.scope, function(s)
        s:start(fetch)
      end)
    end, TIMEOUT .. frame(set, set - 1), "sleep 5 s in task 2\n" .. FETCH)
  end)

  it("names the first of several waits [E2]", function()
    for _, wait in ipairs { aw.All { fetch, aw.Sleep(6) },
      aw.Race { fetch, aw.Never }, aw.Wire(fetch) & aw.Never } do
      local set = line() + 2
      check(function()
        aw.timeout(1, aw.await, wait)
      end, TIMEOUT .. frame(set, set - 1), "sleep 5 s in task 2\n" .. FETCH)
    end
  end)

  it("names the start of another task that waits without Lua [E2]", function()
    local set = line() + 2
    check(function()
      aw.timeout(1, aw.await, aw.All { aw.Sleep(5), aw.Sleep(6) })
    end, TIMEOUT .. frame(set, set - 1), "sleep 5 s in task 2\n" .. STARTED)
  end)

  it("of a Select names an operand [E2]", function()
    local ch = aw.channel(0, { name = "jobs" })
    local set = line() + 2
    check(function()
      aw.timeout(1, aw.await, aw.Select { aw.Recv(ch) })
    end, TIMEOUT .. frame(set, set - 1),
      "recv channel jobs in task 2\n" .. STARTED)
  end)

  it("names the object of the wait [E2]", function()
    local ch = aw.channel(0, { name = "jobs" })
    local set = line() + 2
    check(function()
      aw.timeout(1, ch.recv, ch)
    end, TIMEOUT .. frame(set, set - 1),
      "recv channel jobs\n\t[C]: in ?\n" .. TIMEOUT .. frame(set, set - 1))
    check(aw.Never:timeout(1), STARTED, "sleep for ever\n" .. STARTED)
    check(aw.Done(aw.EventLoop { clock = "virtual" }:start(fetch)):timeout(1)
      // aw.Sleep(2.5):timeout(1), STARTED, "sleep 2.5 s\n" .. STARTED)
  end)

  it("of nested limits is the one that reports, both at once [E2, O8]",
    function()
      for _, inner in ipairs { 1, 5 } do
        local set = line() + 2
        check(function()
          aw.timeout(1, aw.timeout, inner, fetch)
        end, TIMEOUT .. frame(set, set - 1), "sleep 5 s\n" .. IN_FETCH .. "\n"
          .. TIMEOUT .. TIMEOUT .. frame(set, set - 1))
      end
    end)

  it("of the inner limit is the inner one's [E2, O8]", function()
    local set = line() + 2
    check(function()
      aw.timeout(5, aw.timeout, 1, fetch)
    end, TIMEOUT .. TIMEOUT .. frame(set, set - 1), "sleep 5 s\n" .. IN_FETCH
      .. "\n" .. TIMEOUT .. TIMEOUT .. frame(set, set - 1))
  end)

  it("names the wait in a loop inside the task [E2]", function()
    local set = line() + 2
    check(function()
      aw.timeout(1, aw.run, fetch)
    end, TIMEOUT .. frame(set, set - 1), "sleep 5 s in task 2\n" .. FETCH)
  end)

  it("names the run of another engine's loop [E2, S6]", function()
    local ev = aw.EventLoop {}
    local info
    local set = line() + 2
    ev:start(function()
      aw.timeout(0.01, aw.run, fetch, { seed = 1 })
    end, function(_, _, i)
      info = i
    end)
    ev:run()
    assert.are.equal("cut short: EventLoop:run\n"
      .. "\t[C]: in function 'aiowire.run'\n" .. TIMEOUT
      .. frame(set, set - 1), info.waited)
  end)

  it("names the wait in a coroutine of the user [E2]", function()
    local set = line() + 2
    check(function()
      aw.timeout(1, aw.wrap(fetch))
    end, TIMEOUT .. frame(set, set - 1), "sleep 5 s\n" .. IN_FETCH
      .. "\n\t[C]: in ?\n" .. TIMEOUT .. frame(set, set - 1))
  end)

  it("names the wait that came too late to begin [E2]", function()
    local set = line() + 2
    check(function()
      aw.timeout(0, aw.timeout, 9, function()
        aw.yield()
        aw.sleep(5)
      end)
    end, TIMEOUT .. frame(set, set - 1),
      "a wait that had not begun\n\t[C]: in function 'aiowire.sleep'\n"
        .. frame(set + 2, set) .. "\n"
        .. TIMEOUT .. TIMEOUT .. frame(set, set - 1))
  end)

  it("hides the library's own functions [E2]", function()
    local set = line() + 4
    helper.leak_checked(function()
      local ev, info = aw.EventLoop {}, nil
      ev:start(function()
        aw.timeout(0.05, aw.exec, "sleep", "60")
      end, function(_, _, i)
        info = i
      end)
      ev:run()
      -- The first line depends on how long the spawn takes, so it is not
      -- compared.
      assert.are.equal("\n\t[C]: in function 'aiowire.exec'\n" .. TIMEOUT
        .. frame(set, set - 1), info.waited:match "^cut short: [^\n]+(\n.*)")
    end)
  end)

  it("has 22 levels at most on each side [E2]", function()
    local function deep(n, f)
      if n == 0 then
        f()
      else
        deep(n - 1, f)
      end
      return n
    end
    local info = failure_of(function()
      deep(60, function()
        aw.timeout(1, deep, 60, fetch)
      end)
    end)
    assert.are.equal(22, select(2, info.traceback:gsub("\n", "")))
    assert.are.equal(22, select(2, info.waited:gsub("\n", "")))
  end)

  it("has both in catch, supervise and waiters for a task [E2]",
    function()
      helper.test(function(ev)
        local w = aw.Wire(fetch):timeout(1)
        local info
        ev:start(w:catch(function(_, i)
          info = i
        end)):wait()
        assert.are.equal("cut short: sleep 5 s\n" .. FETCH, info.waited)
        ev:start(w:supervise(function(_, _, i)
          info = i
        end)):wait()
        assert.are.equal("cut short: sleep 5 s\n" .. FETCH, info.waited)
        local t = ev:start(w, function() end)
        pcall(t.wait, t)
        assert.is_truthy(t:traceback():find("cut short: sleep 5 s\n" .. FETCH,
          1, true))
      end)
    end)

  it("that is unhandled has both as well [E2, E8]", function()
    helper.leak_checked(function()
      local ev = aw.EventLoop { clock = "virtual" }
      ev:start(aw.Wire(fetch):timeout(1))
      local _, err = pcall(ev.run, ev)
      assert.are.equal("cut short: sleep 5 s\n" .. FETCH, err.info.waited)
      assert.are.equal(err.info.waited, ev.failure.waited)
    end)
  end)

  it("has both places in its text [E4]", function()
    helper.test(function()
      local set = line() + 1
      local _, err = pcall(aw.timeout, 1, fetch)
      assert.are.equal(("%s: timeout after 1.0 s (cut short: sleep 5 s, %s: in "
        .. "upvalue 'fetch')"):format(at(set), at(SLEEP)), tostring(err))
      assert.are.equal("timeout after 1.0 s", err.message)
      assert.are.equal(at(set), err.where)
    end)
  end)

  it("of aw.run has the line of that [E4]", function()
    helper.leak_checked(function()
      local opts = { timeout = 1, clock = "virtual" }
      local set = line() + 1
      local _, err = pcall(aw.run, fetch, opts)
      assert.are.equal(("%s: timeout after 1.0 s (cut short: sleep 5 s in task "
        .. "1, %s: in function <%s>)"):format(at(set), at(SLEEP),
        at(SLEEP - 1)), tostring(err))
    end)
  end)

  it("of a loop is not an error, and is shown by the loop [E2, L2]", function()
    helper.leak_checked(function()
      local ev = aw.EventLoop { clock = "virtual" }
      ev:start(fetch)
      assert.is_nil(ev.waited)
      assert.are.equal("timeout", ev:run(1))
      assert.are.equal("cut short: sleep 5 s in task 1\n" .. FETCH, ev.waited)
    end)
  end)

  it("of a wire without Lua has the start in its text [E4]", function()
    helper.leak_checked(function()
      local _, err, started = failure_of(aw.Sleep(5):timeout(1))
      assert.are.equal(("%s: timeout after 1.0 s (cut short: sleep 5 s, "
        .. "started at %s)"):format(started, started), tostring(err))
    end)
  end)

  it("keeps nothing of a scope that is cut off silently [S3]", function()
    helper.test(function()
      for _ = 1, 3 do
        assert.are.same({ nil, "cancelled", "timeout" },
          { aw.scope({ timeout = 1 }, fetch) })
      end
    end)
  end)
end)

local SCRIPT <const> = [[
local aw = require "aiowire"
local function fetch() aw.sleep(5) end
local function page() aw.timeout(0.01, fetch) end
local function main() page() end
aw.run(main)
]]

describe("the report of a Timeout", function()
  it("of the program has both stacks, and what they share once [E2]",
    function()
      assert.are.equal([[
aiowire: s.lua:3: timeout after 0.01 s (cut short: sleep 5 s, s.lua:2: ]]
.. [[in upvalue 'fetch')
stack traceback:
	[C]: in function 'aiowire.timeout'
	s.lua:3: in upvalue 'page'
	s.lua:4: in function <s.lua:4>
cut short: sleep 5 s
	[C]: in function 'aiowire.sleep'
	s.lua:2: in upvalue 'fetch'
wire trace (newest first):
	function@s.lua:4
	started at s.lua:5
task 2 'function@s.lua:4'
]], process.host(SCRIPT).err)
    end)

  it("of a stock lua5.4 has both places [E4]", process.under_stock(function()
    assert.are.equal([[
lua5.4: s.lua:3: timeout after 0.01 s (cut short: sleep 5 s, s.lua:2: ]]
.. [[in upvalue 'fetch')
]], process.stock(SCRIPT).err)
  end))
end)
