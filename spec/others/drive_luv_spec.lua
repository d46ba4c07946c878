local aw = require "aiowire"
local helper = require "spec.support.helper"
local process = require "spec.support.process"
local rocks = require "spec.support.rocks"

local uv = rocks.find "luv"
local others = uv and require "aiowire.luv"

if uv then -- libuv opens a descriptor for its first socket, and keeps it
  uv.new_tcp():close()
  uv.run()
end

local it = rocks.facts(it, uv, "lua-luv")

--- Call `f` after some ms, by a timer of luv.
local function after(ms, f)
  local timer = uv.new_timer()
  timer:start(ms, 0, function()
    timer:close()
    f()
  end)
end

--- Returns the error and the info of a failed Drive.
local function failure_of_drive()
  local err, info
  aw.run(others.Drive():catch(function(e, i)
    err, info = e, i
  end))
  return err, info
end

--- Returns a handle that keeps luv's loop alive until it is closed.
local function idle_handle()
  local async = uv.new_async(helper.nop)
  return async
end

describe("luv's loop", function()
  it("runs beside tasks, and ends when nothing is alive [X36]",
    helper.sealed(function()
      local log, note = helper.recorder()
      local idle = idle_handle()
      aw.run(others.Drive() & aw.Call(function()
        note "task"
        after(1, function()
          note "timer"
          idle:close()
        end)
      end))
      assert.same({ "task", "timer" }, log)
      assert.is_false(uv.loop_alive())
    end))

  it("ends at once if nothing is alive [X36]", helper.sealed(function()
    assert.same({ n = 0 }, table.pack(aw.run(others.Drive())))
  end))

  it("has sockets that talk to streams of ours [X36]",
    helper.sealed(function()
      local server = aw.tcp.listen("127.0.0.1", 0)
      local _, port = server:name()
      local answer
      local client = uv.new_tcp()
      client:connect("127.0.0.1", port, function(err)
        assert(not err, err)
        client:write "hello\n"
        client:read_start(function(_, chunk)
          if chunk then
            answer = chunk
          else
            client:close()
          end
        end)
      end)
      aw.run(others.Drive() | aw.Serve(server, function(_, stream)
        stream:write(stream:read "l":upper(), "\n")
      end))
      server:close()
      assert.equal("HELLO\n", answer)
    end))

  it("takes what a task arms between two steps [X32]",
    helper.sealed(function()
      aw.run(function(ev)
        local log, note = helper.recorder()
        local handle = idle_handle()
        local task = ev:start(others.Drive())
        aw.sleep(0.01)
        after(1, function()
          note "timer"
        end)
        helper.wait_until(function()
          return #log > 0
        end)
        local server, client = uv.new_tcp(), uv.new_tcp()
        server:bind("127.0.0.1", 0)
        server:listen(1, function()
          note "connection"
        end)
        aw.sleep(0.001)
        client:connect("127.0.0.1", server:getsockname().port, function()
          note "connected"
        end)
        helper.wait_until(function()
          return #log == 3
        end)
        for _, one in ipairs { handle, server, client } do
          one:close()
        end
        task:wait()
      end)
    end))

  it("counts timers of tasks from their start [X38]",
    helper.sealed(function()
      aw.run(function(ev)
        local handle = idle_handle()
        ev:start(others.Drive())
        aw.sleep(0.05)
        local start, rang = aw.now(), nil
        after(30, function()
          rang = aw.now()
          handle:close()
        end)
        helper.wait_until(function()
          return rang
        end)
        assert.is_true(rang - start >= 0.029)
      end)
    end))

  it("leaves mistakes with timers to the caller's line", function()
    local timer = uv.new_timer()
    for _, start in ipairs { timer.start, uv.timer_start } do
      local ok, err = pcall(function()
        start(timer)
      end)
      assert.is_false(ok)
      assert.matches("drive_luv_spec.lua:%d+: bad argument #2 to 'timer_start'",
        err)
    end
    timer:close()
    uv.run()
  end)

  it("makes no step while it is idle [X32]", helper.sealed(function()
    aw.run(function(ev)
      local handle = idle_handle()
      local turns, check = 0, uv.new_check()
      check:start(function()
        turns = turns + 1
      end)
      check:unref()
      local task = ev:start(others.Drive())
      aw.sleep(0.01)
      local before = turns
      aw.sleep(0.05)
      assert.equal(before, turns)
      handle:close()
      check:close()
      task:wait()
    end)
  end))

  for _, kind in ipairs { "prepare", "check" } do
    it(("is idle beside a %s handle [X32]"):format(kind),
      helper.sealed(function()
        local calls = 0
        local handle = uv["new_" .. kind]()
        handle:start(function()
          calls = calls + 1
        end)
        after(20, function()
          handle:close()
        end)
        aw.run(others.Drive())
        assert.is_true(calls < 100, calls)
      end))
  end

  it("lets tasks have their turns while it is busy [X36]",
    helper.sealed(function()
      local handle = uv.new_idle()
      handle:start(helper.nop)
      aw.run(others.Drive() & aw.Call(function()
        local begun = os.clock()
        for _ = 1, 10 do
          aw.yield()
        end
        local took = os.clock() - begun
        handle:close()
        assert.is_true(took < 0.06, took)
      end))
    end))

  it("can be driven again after a cancel [X34]", helper.sealed(function()
    aw.run(function(ev)
      local log, note = helper.recorder()
      after(10, function()
        note "timer"
      end)
      while #log == 0 do
        local task = ev:start(others.Drive())
        aw.sleep(0.002)
        task:cancel_wait()
      end
    end)
    aw.run(others.Drive())
  end))

  it("runs once at a time [X34]", helper.sealed(function()
    aw.run(function(ev)
      local handle = idle_handle()
      local first = ev:start(others.Drive())
      aw.sleep(0)
      local ok, err = aw.pcall(others.Drive())
      assert.is_false(ok)
      assert.equal(("Drive(luv) runs already, in task %d"):format(first.id),
        err)
      handle:close()
      first:wait()
    end)
  end))
end)

describe("a callback of luv", function()
  it("gives the task of the Drive its error, with the traceback [X35]",
    helper.sealed(function()
      local failure = { "an object" }
      local function inner()
        error(failure)
      end
      after(1, function()
        inner()
      end)
      local err, info = failure_of_drive()
      aw.run(others.Drive())
      assert.equal(failure, err)
      assert.matches("drive_luv_spec.lua:%d+: in [^\n]*inner", info.traceback)
      assert.is_nil(info.traceback:find("[aiowire.", 1, true))
    end))

  it("loses no error of the same turn [X35]", helper.sealed(function()
    for i = 1, 3 do
      after(0, function()
        error("error " .. i, 0)
      end)
    end
    local errors = {}
    for _ = 1, 3 do
      errors[#errors + 1] = failure_of_drive()
    end
    table.sort(errors)
    assert.same({ "error 1", "error 2", "error 3" }, errors)
    aw.run(others.Drive())
  end))

  it("cannot await [X37]", helper.sealed(function()
    local err
    after(1, function()
      err = select(2, pcall(aw.sleep, 0))
    end)
    aw.run(others.Drive())
    assert.matches("cannot await inside '%a+' %(aw.sleep%)", err)
  end))

  it("belongs to the task of the Drive", helper.sealed(function()
    local task
    after(1, function()
      task = aw.current()
    end)
    aw.run(others.Drive():named "luv")
    assert.equal("luv", task.name)
  end))

  it("may start tasks and send to channels [X37]", helper.sealed(function()
    local channel = aw.channel(1)
    after(1, function()
      channel:try_send "from luv"
    end)
    local got
    aw.run(others.Drive() & aw.Call(function()
      got = channel:recv()
    end))
    assert.equal("from luv", got)
  end))
end)

describe("luv outside of a Drive", function()
  it("runs its loop as before", helper.sealed(function()
    local ran = false
    after(1, function()
      ran = true
    end)
    uv.run()
    assert.is_true(ran)
  end))

  it("ends the program for the error of a callback, as before",
    helper.in_task(function()
      local result = aw.exec { process.binary, "-e", [[
        local aw = require "aiowire"
        local uv = require "luv"
        local others = require "aiowire.luv"
        aw.run(others.Drive())
        local timer = uv.new_timer()
        timer:start(0, 0, function() error "boom" end)
        uv.run()
        print "not reached"
      ]] }
      assert.equal("", result.out)
      assert.matches("Uncaught Error: .*boom", result.err)
    end))
end)
