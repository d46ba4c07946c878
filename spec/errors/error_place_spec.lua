-- The text of an error object begins with the user's line that raised it, as
-- error() does for strings; it never names a location in the library [E4].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local places = require "spec.support.places"
local process = require "spec.support.process"

local line, closer = places.line, helper.closer
local HERE <const> = debug.getinfo(1, "S").short_src

local function at(number)
  return HERE .. ":" .. number
end

--- Check that `f` raises an error object with this message at its second line.
local function check(f, message)
  collectgarbage()
  collectgarbage()
  helper.test(function()
    local ok, err = pcall(f)
    assert.is_false(ok)
    local place = at(debug.getinfo(f, "S").linedefined + 1)
    assert.are.equal(place .. ": " .. message, tostring(err))
    assert.are.equal(message, err.message)
    assert.are.equal(place, err.where)
  end)
end

local closed = aw.channel(1, { name = "jobs" })
closed:close()

describe("an error object", function()
  it("of a refused wait has the line of that wait [E4]", function()
    check(function()
      aw.readable(987654)
    end, "readable 'descriptor 987654': bad file descriptor")
    check(function()
      closed:send(1)
    end, "Closed: send of channel jobs")
  end)

  it("of a wait that fails later has its line, too [E4]", function()
    local ch = aw.channel(0, { name = "jobs" })
    check(function()
      aw.await(aw.Send(ch, 1) & (aw.Sleep(1) >> aw.Call(ch.close, ch)))
    end, "Closed: send of channel jobs")
  end)

  it("of a call that does not wait has its line [E4]", function()
    check(function()
      closed:try_send(1)
    end, "Closed: send of channel jobs")
  end)

  it("of a cancelled task has the line of the waiter [E4]", function()
    helper.test(function(ev)
      local t = ev:start(aw.Never, nil, { name = "poor fellow" })
      t:cancel()
      local waits = line() + 1
      local _, err = pcall(t.wait, t)
      assert.are.equal(("%s: TaskCancelled: task %d 'poor fellow' was "
        .. "cancelled"):format(at(waits), t.id), tostring(err))
    end)
  end)

  it("of a wire that a body awaits has the line of the await [E4]", function()
    check(function()
      aw.await(aw.Readable(987654))
    end, "readable 'descriptor 987654': bad file descriptor")
  end)

  it("of a Call that a body awaits has the line of the await [E4]", function()
    check(function()
      aw.await(aw.Call(closed.send, closed, 1))
    end, "Closed: send of channel jobs")
    check(function()
      aw.await(aw.Exec { "false", check = true })
    end, "command 'false' ended with code 1")
    check(function()
      aw.await(aw.Sleep(0) >> aw.Call(aw.exec, "no-such-program"))
    end, "spawn 'no-such-program': no such file or directory")
  end)

  it("has the stack of the waiter if it has no line of its own [E2]",
    function()
      helper.test(function(ev)
        local awaits = line() + 2
        local function wait()
          aw.await(aw.Call(error, "boom"))
          return 1
        end
        local info
        local t = ev:start(function() assert(wait()) end, function(_, _, i)
          info = i
        end)
        pcall(t.wait, t)
        assert.are.equal(("stack traceback:\n\t[C]: in function 'error'\n"
          .. "\t[C]: in function 'aiowire.await'\n\t%s: in upvalue 'wait'\n"
          .. "\t%s: in function <%s>"):format(at(awaits), at(awaits + 4),
          at(awaits + 4)), info.traceback)
      end)
    end)

  it("has the line of the first raise, whoever waits for it [E4]", function()
    helper.test(function(ev)
      local raised = line() + 2
      local t = ev:start(function()
        closed:send(1)
      end, function() end)
      local _, err = pcall(t.wait, t)
      assert.are.equal(at(raised) .. ": Closed: send of channel jobs",
        tostring(err))
    end)
  end)

  it("of a wire without a line has the line of its start [E4]", function()
    helper.leak_checked(function()
      for _, wire in ipairs { aw.Send(closed, 1),
        aw.Call(closed.send, closed, 1), aw.Send(closed, 1) & aw.Never,
        aw.Send(closed, 1):timeout(1) } do
        local ev = aw.EventLoop { clock = "virtual" }
        local err
        local started = line() + 1
        ev:start(wire, function(_, e)
          err = e
        end)
        ev:run()
        assert.are.equal(at(started) .. ": Closed: send of channel jobs",
          tostring(err))
      end
    end)
  end)

  it("that is made in a handler has the handler's line [E4]", function()
    helper.leak_checked(function()
      local ev = aw.EventLoop { clock = "virtual" }
      local raised, err
      ev:start(aw.Call(error, "boom"), function()
        raised = line() + 1
        local _, e = pcall(closed.try_send, closed, 1)
        err = e
      end)
      ev:run()
      assert.are.equal(at(raised) .. ": Closed: send of channel jobs",
        tostring(err))
    end)
  end)

  it("that is made outside of tasks has its line [E4]", function()
    helper.leak_checked(function()
      local raised = line() + 1
      local _, err = pcall(closed.try_send, closed, 1)
      assert.are.equal(at(raised) .. ": Closed: send of channel jobs",
        tostring(err))
    end)
  end)

  it("of a deadlock has the line of the run that it ended [E4]", function()
    helper.leak_checked(function()
      local ev = aw.EventLoop { clock = "virtual", name = "stuck" }
      ev:start(aw.Never)
      local ran = line() + 1
      local _, err = pcall(ev.run, ev)
      assert.are.equal(at(ran) .. ": " .. err.message, tostring(err))
    end)
  end)

  it("of aw.exec has the caller's line, not one of the library [E4]", function()
    helper.leak_checked(function()
      local errors, lines = {}, {}
      aw.run(function()
        for i, command in ipairs { { "false", check = true },
          { "yes", max_output = 100 }, { "missing" },
          { "cat", stdin = "text", stderr = "pipe", max_output = 2 } } do
          lines[i] = line() + 1
          errors[i] = select(2, pcall(aw.exec, command))
        end
      end)
      local messages = { "command 'false' ended with code 1",
        "read 'stdout of yes (over max_output, 100 bytes)': message too long",
        "spawn 'missing': no such file or directory",
        "read 'stdout of cat (over max_output, 2 bytes)': message too long" }
      for i, message in ipairs(messages) do
        assert.are.equal(at(lines[i]) .. ": " .. message, tostring(errors[i]))
      end
    end)
  end)

  it("of aw.exec has the caller in its traceback [E2]", function()
    helper.leak_checked(function()
      for _, command in ipairs { { "false", check = true },
        { "yes", max_output = 100 }, { "missing" },
        { "cat", stdin = "text", max_output = 2, check = true } } do
        local called = line() + 3
        local info
        local function run()
          aw.exec(command)
        end
        local ev = aw.EventLoop {}
        ev:start(function()
          run()
          return nil
        end, function(_, _, i)
          info = i
        end)
        ev:run()
        assert.are.equal(("stack traceback:\n"
          .. "\t[C]: in function 'aiowire.exec'\n"
          .. "\t%s: in upvalue 'run'\n\t%s: in function <%s>"):format(
          at(called), at(called + 4), at(called + 3)), info.traceback)
      end
    end)
  end)

  it("of aw.Exec has the line of its start [E2, E4]", function()
    helper.leak_checked(function()
      for command, message in pairs {
        [aw.Exec { "false", check = true }] =
          "command 'false' ended with code 1",
        [aw.Exec { "yes", max_output = 100 }] =
          "read 'stdout of yes (over max_output, 100 bytes)': message too long",
      } do
        local ev = aw.EventLoop {}
        local err, info
        local started = line() + 1
        ev:start(command, function(_, e, i)
          err, info = e, i
        end)
        ev:run()
        assert.are.equal(at(started) .. ": " .. message, tostring(err))
        assert.are.equal("stack traceback:\n\tstarted at " .. at(started),
          info.traceback)
      end
    end)
  end)

  it("has its text without the place in `message` [E4]", function()
    helper.test(function()
      local _, err = pcall(aw.readable, 987654)
      assert.are.equal("readable 'descriptor 987654': bad file descriptor",
        err.message)
      assert.are.equal("EBADF", err.code)
    end)
  end)

  it("is passed on as it is, with its first place [E1, E4]", function()
    helper.test(function()
      local raised
      local _, err = pcall(function()
        local _ <close> = closer(function()
          aw.sleep(1)
        end)
        raised = line() + 1
        closed:send(1)
      end)
      local _, again = pcall(error, err, 0)
      assert.are.equal(err, again)
      assert.are.equal(at(raised) .. ": Closed: send of channel jobs",
        tostring(again))
    end)
  end)
end)

describe("Cancelled", function()
  it("begins with no line; its location is that of the cancel [C1]", function()
    helper.test(function(ev)
      local text
      local t = ev:start(function()
        local _, err = pcall(aw.sleep, 5)
        text = tostring(err)
      end)
      aw.yield()
      t:cancel "enough"
      t:wait()
      assert.are.equal("Cancelled: enough", text)
    end)
  end)
end)

describe("the text of UnhandledException", function()
  --- Run `f` as a task without a handler. Returns the text of the
  --- UnhandledException; START stands for the line of the start.
  local function text_of(f)
    local ev = aw.EventLoop { clock = "virtual" }
    local started = line() + 1
    ev:start(f)
    local _, err = pcall(ev.run, ev)
    assert.is_true(aw.is_unhandled(err))
    return (tostring(err):gsub(":" .. started, ":START"))
  end

  it("begins with the cause, which has its line [E4]", function()
    helper.leak_checked(function()
      local raised = line() + 2
      local text = text_of(function()
        error "boom"
      end)
      assert.are.equal(("%s: boom\n(UnhandledException in a task started at "
        .. "%s:START)"):format(at(raised), HERE), text)
      raised = line() + 2
      text = text_of(function()
        closed:send(1)
      end)
      assert.are.equal(("%s: Closed: send of channel jobs\n(UnhandledException "
        .. "in a task started at %s:START)"):format(at(raised), HERE), text)
    end)
  end)

  it("has the line of the start for a cause without one [E4]", function()
    helper.leak_checked(function()
      local cause = setmetatable({}, {
        __tostring = function()
          return "mine"
        end,
      })
      for _, value in ipairs { cause, "mine" } do
        local raised = line() + 2
        local text = text_of(function()
          error(value, 0)
        end)
        assert.are.equal(("mine\n(UnhandledException raised at %s, in a task "
          .. "started at %s:START)"):format(at(raised), HERE), text)
      end
    end)
  end)
end)

describe("what a stock lua5.4 prints of an error object", function()
  local function prints(text, code)
    return process.under_stock(function()
      local outcome = process.stock('local aw = require "aiowire"\n' .. code)
      assert.are.equal(text, outcome.err)
    end)
  end

  it("is the line of a SystemError, and its text [E4]", prints(
    "lua5.4: s.lua:3: readable 'descriptor 987654': bad file descriptor\n", [[
aw.run(function()
  aw.readable(987654)
end)
]]))

  it("is the line of a Closed, and its text [E4]", prints(
    "lua5.4: s.lua:5: Closed: send of channel s.lua:2\n", [[
local ch = aw.channel(1)
ch:close()
aw.run(function()
  ch:send(1)
end)
]]))

  it("is the line of aw.exec for a program that failed [E4]", prints(
    "lua5.4: s.lua:3: command 'false' ended with code 1\n", [[
aw.run(function()
  aw.exec { "false", check = true }
end)
]]))

  it("is the line that started a wire without one [E4]", prints(
    "lua5.4: s.lua:2: readable 'descriptor 987654': bad file descriptor\n", [[
aw.run(aw.Readable(987654))
]]))

  it("is both lines of an unhandled error [E4]", prints([[
lua5.4: s.lua:4: readable 'descriptor 987654': bad file descriptor
(UnhandledException in a task started at s.lua:3)
]], [[
local ev = aw.EventLoop {}
ev:start(function()
  aw.readable(987654)
end)
ev:run()
]]))
end)
