local aw = require "aiowire"
local helper = require "spec.support.helper"
local rocks = require "spec.support.rocks"

local cqueues = rocks.find "cqueues"
local condition = cqueues and require "cqueues.condition"
local socket = cqueues and require "cqueues.socket"
local others = require "aiowire.cqueues"

local it = rocks.facts(it, cqueues, "lua-cqueues")

--- Returns a function for `it` that calls `f(controller)` in a task.
local function with_controller(f)
  return helper.sealed(function()
    local controller = cqueues.new()
    aw.run(function(ev)
      f(controller, ev)
    end)
    controller:close()
  end)
end

--- Returns the error and the info of a failed Drive.
local function failure_of(controller)
  local err, info
  aw.run(others.Drive(controller):catch(function(e, i)
    err, info = e, i
  end))
  return err, info
end

describe("a controller of cqueues", function()
  it("runs beside tasks, and ends when it is empty [X36]",
    with_controller(function(controller)
      local order, note = helper.recorder()
      local begun, done = condition.new(), condition.new()
      controller:wrap(function()
        begun:wait()
        cqueues.sleep(0.001)
        note "slept"
        done:signal()
      end)
      controller:wrap(function()
        done:wait()
        note "signalled"
      end)
      aw.run(others.Drive(controller) & aw.Call(function()
        note "task"
        begun:signal()
      end))
      assert.same({ "task", "slept", "signalled" }, order)
      assert.is_true(controller:empty())
    end))

  it("ends at once if it is empty [X36]", with_controller(function(controller)
    assert.same({ n = 0 }, table.pack(aw.run(others.Drive(controller))))
  end))

  it("has sockets that talk to streams of ours [X36]",
    with_controller(function(controller)
      local server = aw.tcp.listen("127.0.0.1", 0)
      local _, port = server:name()
      local answer
      controller:wrap(function()
        local stream = socket.connect("127.0.0.1", port)
        stream:write "hello\n"
        answer = stream:read "*l"
        stream:close()
      end)
      aw.run(others.Drive(controller) | aw.Serve(server, function(_, client)
        client:write(client:read "l":upper(), "\n")
      end))
      server:close()
      assert.equal("HELLO", answer)
    end))

  it("takes what a task arms between two steps [X32]",
    with_controller(function(controller, ev)
      local log, note = helper.recorder()
      local go = condition.new()
      controller:wrap(function()
        go:wait()
        note "first"
      end)
      local task = ev:start(others.Drive(controller))
      aw.sleep(0.01)
      go:signal()
      helper.wait_until(function()
        return #log > 0
      end)
      controller:wrap(note, "too late")
      task:wait()
      assert.same({ "first" }, log)
    end))

  it("gives its task the error of a coroutine [X35]", helper.sealed(function()
    local controller = cqueues.new()
    local function inner()
      error("boom")
    end
    controller:wrap(function()
      cqueues.sleep(0.001)
      inner()
    end)
    local err, info = failure_of(controller)
    controller:close()
    assert.matches("^%S+:%d+: boom$", err)
    assert.matches("drive_cqueues_spec.lua:%d+: in [^\n]*inner",
      info.traceback)
    assert.is_nil(info.traceback:find("[aiowire.", 1, true))
  end))

  it("goes on without the coroutine that has failed [X35]",
    helper.sealed(function()
      local controller = cqueues.new()
      local log, note = helper.recorder()
      local failure = {}
      controller:wrap(error, failure)
      controller:wrap(function()
        cqueues.sleep(0.01)
        note "the other one"
      end)
      assert.equal(failure, (failure_of(controller)))
      aw.run(others.Drive(controller))
      controller:close()
      assert.same({ "the other one" }, log)
    end))

  it("can be driven again after a cancel [X34]",
    with_controller(function(controller, ev)
      local log, note = helper.recorder()
      controller:wrap(function()
        for i = 1, 3 do
          cqueues.sleep(0.005)
          note(i)
        end
      end)
      while not controller:empty() do
        local task = ev:start(others.Drive(controller))
        aw.sleep(0.002)
        task:cancel_wait()
      end
      assert.same({ 1, 2, 3 }, log)
    end))

  it("runs once at a time [X34]", with_controller(function(controller, ev)
    controller:wrap(cqueues.sleep, 10)
    local first = ev:start(others.Drive(controller))
    aw.sleep(0)
    local ok, err = aw.pcall(others.Drive(controller))
    assert.is_false(ok)
    assert.equal(("Drive(cqueues) runs already, in task %d"):format(first.id),
      err)
    first:cancel()
  end))

  it("raises in the Drive when it is closed [X35]",
    with_controller(function(controller, ev)
      controller:wrap(cqueues.sleep, 10)
      local text
      local task = ev:start(others.Drive(controller):catch(function(err)
        text = tostring(err)
      end))
      aw.sleep(0)
      controller:close()
      task:wait()
      -- whichever comes first: a look at the descriptor, or a question
      assert.truthy(text:find "bad file descriptor"
        or text:find "cqueue closed")
    end))

  it("does nothing while it is idle [X32]",
    with_controller(function(controller, ev)
      local go = condition.new()
      controller:wrap(function()
        go:wait()
      end)
      local asked, step = 0, controller.step
      local counted = setmetatable({}, { __index = function(_, name)
        return function(_, ...)
          asked = asked + (name == "timeout" and 1 or 0)
          return controller[name](controller, ...)
        end
      end })
      assert.is_function(step)
      local task = ev:start(others.Drive(counted))
      aw.sleep(0.01)
      local before = asked
      aw.sleep(0.05)
      assert.is_true(asked <= before + 1)
      task:cancel()
    end))

  it("is refused if it is none", function()
    for _, value in ipairs { 1, "x", {}, io.stdout } do
      local ok, err = pcall(others.Drive, value)
      assert.is_false(ok)
      assert.matches("bad argument #1 to 'Drive' %(controller of cqueues "
        .. "expected, got", err)
    end
  end)
end)

describe("a busy controller of cqueues", function()
  it("lets tasks have their turns [X36]", with_controller(function(controller)
    local over = false
    controller:wrap(function()
      while not over do
        cqueues.sleep(0)
      end
    end)
    aw.run(others.Drive(controller) & aw.Call(function()
      local begun = os.clock()
      for _ = 1, 10 do
        aw.yield()
      end
      local took = os.clock() - begun
      over = true
      assert.is_true(took < 0.06, took)
    end))
  end))
end)

describe("a controller of cqueues that is reset", function()
  --- Let a coroutine read three bytes, and reset the controller after one.
  local function read_three(controller, reset)
    local x, y = socket.pair()
    x:setmode("bn", "bn")
    y:setmode("bn", "bn")
    local got = { aw.event(), aw.event(), aw.event() }
    controller:wrap(function()
      for i = 1, 3 do
        x:read(1)
        got[i]:set()
      end
    end)
    aw.run((others.Drive(controller) & aw.Call(function()
      for i = 1, 3 do
        y:write "x"
        got[i]:wait()
        if i == 1 then
          reset(controller)
        end
      end
    end)):timeout(10))
    x:close()
    y:close()
  end

  it("is driven on [X33]", with_controller(function(controller)
    read_three(controller, controller.reset)
  end))

  it("is driven on if a coroutine does that [X33]",
    with_controller(function(controller)
      read_three(controller, function()
        local go = aw.event()
        controller:wrap(function()
          controller:reset()
          go:set()
        end)
        go:wait()
      end)
    end))
end)

describe("await of aiowire.cqueues", function()
  it("is refused without a function", with_controller(function(controller)
    local errors = {}
    local function note()
      errors[#errors + 1] = select(2, pcall(others.await, 1))
    end
    controller:wrap(note)
    aw.run(others.Drive(controller) & aw.Call(note))
    for i = 1, 2 do
      assert.matches("bad argument #1 to 'await' %(function expected",
        errors[i])
    end
  end))
end)

describe("a coroutine of cqueues", function()
  it("cannot await by itself [X37]", with_controller(function(controller)
    local err
    controller:wrap(function()
      err = select(2, pcall(aw.sleep, 0))
    end)
    aw.run(others.Drive(controller))
    assert.matches("cannot await in a coroutine that the engine does not know",
      err)
  end))

  it("lets a task await, and only itself wait [X37]",
    with_controller(function(controller)
      local log, note = helper.recorder()
      local go = aw.event()
      controller:wrap(function()
        note(table.pack(others.await(function(...)
          go:wait()
          return ...
        end, 1, nil, 3)))
      end)
      controller:wrap(function()
        cqueues.sleep(0.001)
        note "other"
        go:set()
      end)
      aw.run(others.Drive(controller))
      assert.same({ "other", { 1, nil, 3, n = 3 } }, log)
    end))

  it("raises the error of that task, with both tracebacks [X37]",
    helper.sealed(function()
      local controller = cqueues.new()
      local failure = { "an object" }
      local function awaited()
        aw.sleep(0.001)
        error(failure)
      end
      local function outer()
        others.await(awaited)
      end
      local caught
      controller:wrap(function()
        caught = select(2, pcall(others.await, awaited))
        outer()
      end)
      local err, info = failure_of(controller)
      controller:close()
      assert.equal(failure, caught)
      assert.equal(failure, err)
      local function line(f, offset)
        return (":%d: in [^\n]*\n"):format(
          debug.getinfo(f, "S").linedefined + offset)
      end
      assert.matches(line(awaited, 2) .. ".*" .. line(outer, 1),
        info.traceback)
    end))

  it("gets an error when the Drive is cancelled meanwhile [X37]",
    with_controller(function(controller, ev)
      local err, cleaned
      controller:wrap(function()
        err = select(2, pcall(others.await, function()
          local _ <close> = setmetatable({}, { __close = function()
            cleaned = true
          end })
          aw.sleep(100)
        end))
      end)
      local task = ev:start(others.Drive(controller))
      aw.sleep(0.001)
      task:cancel_wait()
      assert.is_true(cleaned)
      assert.is_nil(err)
      aw.run(others.Drive(controller))
      assert.matches("^cancelled, with the task", err)
    end))

  it("cannot let a task await under a loop of cqueues", with_controller(
    function(controller)
      local err
      controller:wrap(function()
        err = select(2, pcall(others.await, aw.sleep, 0))
      end)
      assert(controller:loop())
      assert.matches("no Drive of aiowire.cqueues runs this coroutine", err)
    end))

  it("cannot let a task await after a Drive that has failed",
    with_controller(function(controller)
      local closed, err = cqueues.new(), nil
      closed:close()
      assert.matches("cqueue closed", (failure_of(closed)))
      controller:wrap(function()
        err = select(2, pcall(others.await, aw.sleep, 0))
      end)
      assert(controller:loop())
      assert.matches("no Drive of aiowire.cqueues runs this coroutine", err)
    end))

  it("is not needed for await [X37]", helper.in_task(function()
    assert.equal(3, others.await(function(x)
      aw.sleep(0.001)
      return x
    end, 3))
  end))
end)
