-- aw.thread: a worker with a Lua state and an engine of its own [J1].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local texts = require "spec.support.texts"

local raises, run = helper.raises, helper.run
local contains = texts.contains

--- A worker that waits until it is cancelled or gets a message.
local function idle()
  local aw = require "aiowire"
  return aw.parent:recv()
end

describe("a thread", function()
  it("returns the results of its function from wait [J1]", function()
    run(function()
      local t <close> = aw.thread(function(a, b, ...)
        local aw = require "aiowire"
        aw.sleep(0.001)
        return a + b, ...
      end, 1, 2, "x", nil)
      assert.are.same({ n = 3, 3, "x" }, table.pack(t:wait()))
      assert.are.equal("done", t.status)
      contains(tostring(t), "(done, ")
    end)
  end)

  it("runs the Wire that its function returns [J1]", function()
    run(function()
      local t <close> = aw.thread(function()
        local aw = require "aiowire"
        return aw.Sleep(0.001) >> aw.Value(4, 5)
      end)
      assert.are.same({ 4, 5 }, { t:wait() })
    end)
  end)

  it("shares no global with its parent [J1]", function()
    run(function()
      local t <close> = aw.thread(function()
        rawset(_G, "counter", (rawget(_G, "counter") or 0) + 1)
        return rawget(_G, "counter")
      end)
      assert.are.equal(1, t:wait())
      assert.is_nil(rawget(_G, "counter"))
    end)
  end)

  it("has an aw.parent; the main state has none [J2]", function()
    run(function()
      assert.is_nil(aw.parent)
      local t <close> = aw.thread(function()
        return tostring(require "aiowire".parent)
      end)
      contains(t:wait(), "the parent of thread ")
    end)
  end)

  it("runs wires, channels and time-outs of its own [J1]", function()
    run(function()
      local t <close> = aw.thread(function()
        local aw = require "aiowire"
        local ch, sum = aw.channel(), 0
        aw.await(aw.Call(function()
          for i = 1, 10 do
            ch:send(i)
          end
          ch:close()
        end) & aw.Call(function()
          for v in ch:iter() do
            sum = sum + v
          end
        end))
        local ok, err = pcall(aw.timeout, 0.001, aw.sleep, 100)
        return sum, ok, aw.is_timeout(err)
      end)
      assert.are.same({ 55, false, true }, { t:wait() })
    end)
  end)

  it("can be waited for by several tasks, and after its end [J3]", function()
    run(function(ev)
      local t <close> = aw.thread(idle)
      local got = {}
      for i = 1, 3 do
        ev:start(function()
          got[i] = t:wait()[1]
        end)
      end
      aw.yield()
      t:send { 7 }
      assert.are.same({ 7 }, t:wait())
      helper.wait_until(function()
        return #got == 3
      end)
      assert.are.same({ 7, 7, 7 }, got)
      assert.are_not.equal(t:wait(), t:wait())
    end)
  end)

  it("runs on when a task that waits for it is cancelled [J3]", function()
    run(function(ev)
      local t <close> = aw.thread(idle)
      local waiter = helper.waiting(ev, function()
        t:wait()
      end)
      waiter:cancel_wait()
      assert.are.equal("running", t.status)
      t:send(1)
      assert.are.equal(1, t:wait())
    end)
  end)

  it("starts workers of its own [J1]", function()
    run(function()
      local t <close> = aw.thread(function(n)
        local aw = require "aiowire"
        local inner <close> = aw.thread(function(m)
          return m * 2
        end, n)
        return inner:wait() + 1
      end, 20)
      assert.are.equal(41, t:wait())
    end)
  end)

  it("may run a loop with a virtual clock [J1]", function()
    run(function()
      local t <close> = aw.thread(function()
        local aw = require "aiowire"
        local ev <close> = aw.EventLoop { clock = "virtual" }
        ev:start(aw.Sleep(1000))
        ev:run()
        return ev:now()
      end)
      assert.are.equal(1000, t:wait())
    end)
  end)

  it("is something outside, also for a virtual clock [J3]", function()
    helper.test(function()
      local t <close> = aw.thread(function()
        require "aiowire".sleep(0.01)
        return "real"
      end)
      assert.are.equal("real", t:wait())
      assert.are.equal(0, aw.now())
    end)
  end)

  it("can use processes, sockets, files, names and signals [J1, J8]",
    function()
      run(function()
        local t <close> = aw.thread(function()
          local aw = require "aiowire"
          local r = aw.exec("echo", "from a worker")
          local path = os.tmpname()
          aw.fs.write(path, "text")
          local text = aw.fs.read(path)
          os.remove(path)
          local server <close> = aw.tcp.listen("127.0.0.1", 0)
          local client <close> = aw.tcp.connect(server:name())
          local accepted <close> = server:accept()
          accepted:write "hello\n"
          local file <close> = io.open "/proc/self/stat"
          local me = file:read "n"
          aw.scope(function(s)
            s:start(aw.Signal "WINCH")
            aw.yield()
            aw.exec("kill", "-WINCH", me)
          end)
          return r.out, text, client:read(), #aw.dns.resolve "localhost" > 0
        end)
        assert.are.same({ "from a worker\n", "text", "hello", true },
          { t:wait() })
      end)
    end)

  it("counts in aw.stats while it runs [J1]", function()
    run(function()
      local before = aw.stats().threads
      local t <close> = aw.thread(idle)
      assert.are.equal(before + 1, aw.stats().threads)
      t:close()
      assert.are.equal(before, aw.stats().threads)
    end)
  end)
end)

describe("the error of a thread", function()
  it("is raised in the task that waits, with the worker's stack [J4]",
    function()
      run(function(ev)
        local t <close> = aw.thread(function()
          local function deep(nothing)
            return nothing.field
          end
          local x = deep()
          return x
        end)
        local err, info
        local task = ev:start(function()
          t:wait()
        end, function(_, e, i)
          err, info = e, i
        end)
        pcall(task.wait, task)
        contains(err, "attempt to index a nil value")
        contains(info.traceback, "thread_spec.lua:")
        contains(info.traceback, "in thread ")
        contains(info.traceback, "deep")
        assert.are.equal("failed", t.status)
      end)
    end)

  it("is copied as results are [J4]", function()
    run(function()
      local t <close> = aw.thread(function()
        error { code = 7, list = { 1, 2 } }
      end)
      local err = helper.caught(t.wait, t)
      assert.are.same({ code = 7, list = { 1, 2 } }, err)
    end)
  end)

  it("keeps its class [J4]", function()
    run(function()
      local t <close> = aw.thread(function()
        local aw = require "aiowire"
        aw.timeout(0.001, aw.sleep, 10)
      end)
      assert.is_true(aw.is_timeout(helper.caught(t.wait, t)))
    end)
  end)

  it("is a Deadlock if all its tasks wait for one another [J4]", function()
    run(function()
      local t <close> = aw.thread(function()
        require "aiowire".channel():recv()
      end)
      contains(tostring(helper.caught(t.wait, t)), "Deadlock")
    end)
  end)

  it("says what result cannot be copied [J4]", function()
    run(function()
      local t <close> = aw.thread(function()
        return 1, io.stdout
      end)
      assert.is_truthy(helper.caught(t.wait, t):find(
        "^thread %d+ '.*thread_spec.lua:%d+': cannot copy an object of type "
        .. "FILE%* %(result 2%)$"))
    end)
  end)
end)

describe("aw.thread", function()
  it("runs a file [J1]", function()
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write "local a, b = ...\nreturn a .. b, ..."
    file:close()
    run(function()
      local t <close> = aw.thread(path, "x", "y")
      assert.are.same({ "xy", "x", "y" }, { t:wait() })
      contains(tostring(t), path)
    end)
    os.remove(path)
  end)

  it("raises at the caller's line for a file that cannot be run [J1]",
    function()
      local path = os.tmpname()
      run(function()
        local err = raises("no such file", aw.thread, path .. ".none")
        assert.is_true(aw.is_system_error(err))
        local _, text = pcall(function()
          aw.thread(path .. ".none")
        end)
        contains(tostring(text), "thread_spec.lua:")
        raises("directory", aw.thread, "/")
        local file = assert(io.open(path, "w"))
        file:write "return +"
        file:close()
        raises(path .. ":1:", aw.thread, path)
        raises("file name contains a zero", aw.thread, "a\0b")
      end)
      os.remove(path)
    end)

  it("says what cannot be copied [J1]", function()
    run(function()
      raises("argument 2", aw.thread, idle, io.stdout)
      raises("function or file name expected, got no value", aw.thread)
      local up = 1
      raises("local variable 'up'", aw.thread, function()
        return up
      end)
    end)
  end)

  it("keeps the loop of its parent free [J1]", function()
    run(function(ev)
      local turns = 0
      local t <close> = aw.thread(function()
        local ends = os.clock() + 0.02
        repeat until os.clock() >= ends
      end)
      local ticker = ev:start(function()
        while true do
          aw.sleep(0)
          turns = turns + 1
        end
      end)
      t:wait()
      ticker:cancel_wait()
      assert.is_true(turns > 0)
    end)
  end)
end)
