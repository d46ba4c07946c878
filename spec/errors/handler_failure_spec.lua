-- A handler that fails: the report shows both errors in full, first the error
-- that was being handled [E8, E2]. If a handler calls what only a task may
-- call, the error says how to start a task [C11].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local process = require "spec.support.process"
local wires = require "spec.support.wires"

local caught, virtual, raiser = helper.caught, helper.virtual, wires.raiser

local head <const> = [[
local aw = require "aiowire"
local function deep()
  error "deep"
end
local ev = aw.EventLoop()
]]

local tail <const> = [[

print(pcall(ev.run, ev))
print(ev.failure)
]]

-- { kind of handler, line 6 of the script, wire trace, true if the handler's
-- error is an UnhandledException }
local kinds = {
  { "of start", [[ev:start(deep, function() error "late" end)]],
    "function@s.lua:2" },
  { "of a child of a scope",
    [[ev:start(function() aw.scope(function(s) s:start(deep, function() ]]
      .. [[error "late" end) aw.sleep(9) end) end)]],
    "function@s.lua:2" },
  { "of catch", [[ev:start(aw.Wire(deep):catch(function() error "late" end))]],
    "Wire(function@s.lua:2):catch(function@s.lua:6)", true },
  { "of supervise",
    [[ev:start(aw.Wire(deep):supervise(function() error "late" end))]],
    "Wire(function@s.lua:2):supervise(function@s.lua:6)", true },
  { "that says when to retry", [[ev:start(aw.Wire(deep):retry { times = 2, ]]
    .. [[when = function() error "late" end })]],
    "Wire(function@s.lua:2):retry{times = 2, when = function@s.lua:6}", true },
  { "that cleans up", [[ev:start(aw.Wire(deep):finally(]]
    .. [[function() error "late" end))]],
    "Wire(function@s.lua:2):finally(function@s.lua:6)", true },
  { "that is callable", [[ev:start(deep, setmetatable({}, { __call = ]]
    .. [[function() error "late" end }))]], "function@s.lua:2" },
}

--- Returns the expected output of the script. Task ids are replaced, since the
--- main task of the program shifts them.
local function expected(state, unhandled)
  local note = unhandled
    and "\n(UnhandledException in a task started at s.lua:6)" or ""
  local name = #state > 60 and state:sub(1, 57) .. "..." or state
  return "false\ts.lua:6: late" .. note .. [[

s.lua:3: deep
stack traceback:
	[C]: in function 'error'
	s.lua:3: in function <s.lua:2>
wire trace (newest first):
	]] .. state .. [[

	started at s.lua:6
task N ']] .. name .. [['
while that was handled, another error was raised:
s.lua:6: late]] .. note .. [[

stack traceback:
	[C]: in function 'error'
	s.lua:6: in function <s.lua:6>
]]
end

describe("a handler that fails", function()
  for _, kind in ipairs(kinds) do
    local name, code, state, unhandled = table.unpack(kind, 1, 4)
    it(name .. " is told with what it was called for [E8]", function()
      process.each("", head .. code .. tail, function(outcome)
        local out = outcome.out:gsub("task %d+ '", "task N '")
        out = out:gsub("s%.lua:6: in metamethod 'call'",
          "s.lua:6: in function <s.lua:6>")
        assert.are.equal(expected(state, unhandled), out)
        assert.are.equal("", outcome.err)
      end)
    end)
  end

  it("of a Poller is reported with the callback's error [Q5]", function()
    process.each("", [[
local aw = require "aiowire"
local ev = aw.EventLoop()
ev:start(aw.Poller({ [io.stdin] = function() error "deep" end }, {
  on_error = function() error "late" end }))
print(pcall(ev.run, ev))
print(ev.failure)
]], function(outcome)
      local out = outcome.out:gsub("task %d+ '", "task N '")
      assert.are.equal([[
false	s.lua:4: late
s.lua:3: deep
stack traceback:
	[C]: in function 'error'
	s.lua:3: in function <s.lua:3>
wire trace (newest first):
	Readable(0)
	started at s.lua:3
task N 'Readable(0)'
while that was handled, another error was raised:
s.lua:4: late
stack traceback:
	[C]: in function 'error'
	s.lua:4: in function <s.lua:4>
]], (out:gsub("wire trace.-\n\tstarted", "wire trace (newest first):\n"
        .. "\tReadable(0)\n\tstarted")))
    end)
  end)

  it("within a handler that failed is reported third [E8]", function()
    helper.leak_checked(function()
      local ev = virtual()
      ev:start(aw.Wire(raiser "first"):catch(raiser "second"), raiser "third")
      assert.are.equal("third", caught(ev.run, ev))
      local info = ev.failure
      assert.are.equal("second", info.cause)
      assert.are.equal("second", info.suppressed[1].err)
      local inner = info.suppressed[1].info
      assert.are.equal("first", inner.cause)
      assert.are.equal("first", inner.suppressed[1].err)
      local text = tostring(info)
      local a, b, c = text:find "first\n", text:find "second\n",
        text:find "third\n"
      assert.is_true(a < b and b < c, text)
    end)
  end)

  it("has its own traceback, and the place of the task [E8]", function()
    helper.leak_checked(function()
      local ev = virtual()
      local t = ev:start(raiser "first", function()
        error "second"
      end, { name = "job" })
      caught(ev.run, ev)
      local info = ev.failure
      assert.are.equal("second", info.err:match ": (.*)")
      assert.are.equal("job", info.name)
      assert.are.equal(t.started_at, info.started_at)
      assert.is_true(rawequal(t, info.task))
      assert.are_not.equal(info.suppressed[1].info.traceback, info.traceback)
    end)
  end)

  it("that passes its error on adds nothing to it [E8]", function()
    helper.leak_checked(function()
      for _, boom in ipairs { "boom", {} } do
        local ev = virtual()
        ev:start(raiser(boom), function(_, err)
          error(err, 0)
        end)
        assert.are.equal(boom, caught(ev.run, ev))
        assert.is_nil(ev.failure.cause)
        assert.are.same({}, ev.failure.suppressed)
      end
    end)
  end)

  it("by an await leaves only the error of that await [E1]", function()
    helper.leak_checked(function()
      local ev = virtual()
      local other = ev:start(raiser "other", function() end)
      local t = ev:start(aw.Wire(raiser "first"):catch(function()
        other:wait()
      end), function() end)
      ev:run()
      assert.are.equal("failed", t.status)
      assert.is_nil(other:traceback():find("another error", 1, true))
      assert.is_truthy(t:traceback():find("another error", 1, true))
    end)
  end)
end)

local awaits <const> = "cannot await outside a task (aw.sleep): "
local advice <const> =
  "; start a task that waits, as ev:start(function() ... end)\n"

describe("an await without a task", function()
  it("says that a closed coroutine cannot wait [C9]", function()
    process.each("", [[
local aw = require "aiowire"
local err
local function await() aw.sleep(1) end
local ev = aw.EventLoop { grace = 0 }
ev:start(function()
  local _ <close> = setmetatable({}, { __close = function()
    err = select(2, pcall(await))
  end })
  while true do pcall(aw.sleep, 9) end
end)
ev:run(0)
print(err)
]], function(outcome)
      assert.are.equal("s.lua:3: " .. awaits .. "its coroutine is being "
        .. "closed; what is left of its clean-up cannot wait\n", outcome.out)
    end)
  end)

  local function told(why, code)
    it("says that " .. why .. " [C11]", function()
      process.each("", code, function(outcome)
        assert.are.equal("s.lua:3: " .. awaits .. why .. advice, outcome.out)
      end)
    end)
  end

  told("a handler is not a task", [[
local aw = require "aiowire"
local err
local function await() aw.sleep(1) end
local ev <close> = aw.EventLoop()
ev:start(error, function() err = select(2, pcall(await)) end)
ev:run()
print(err)]])

  told("a finalizer is not a task", [[
local aw, err = require "aiowire"
local ev <close> = aw.EventLoop()
local function await() aw.sleep(1) end
ev:start(error, function()
  setmetatable({}, { __gc = function() err = select(2, pcall(await)) end })
  collectgarbage()
  collectgarbage()
end)
ev:run()
print(err)]])
end)
