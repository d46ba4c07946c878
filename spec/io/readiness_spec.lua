-- Waiting for descriptors: aw.readable, aw.writable and their wires
-- [Q3, Q6, C2, C6, C10].
--
-- The watcher of a single wait leaves the kernel's set before its task resumes.
-- If it stayed, and the descriptor were closed and its number given to a socket
-- of libuv, one of the two would miss its events.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local pipes = require "spec.support.pipes"
local process = require "spec.support.process"

local raises = helper.raises
local run = aw.run
local with_pipe = pipes.with_pipe

describe("a wait for a descriptor", function()
  it("ends when there is something to read [Q3]", function()
    with_pipe(function(fd, reader, writer)
      local order = {}
      run(function(ev)
        ev:start(function()
          aw.readable(fd)
          order[#order + 1] = reader:read(1)
        end)
        ev:start(function()
          aw.sleep(0.01)
          order[#order + 1] = "write"
          writer:write "x"
        end)
      end)
      assert.are.same({ "write", "x" }, order)
    end)
  end)

  it("ends at once when there is something to read already [Q3]",
    function()
      with_pipe(function(fd, _, writer)
        writer:write "x"
        run(aw.Readable(fd) >> aw.Readable(fd))
      end)
    end)

  it("goes on while there is nothing to read [Q3]", function()
    with_pipe(function(fd)
      local how = helper.run_loop(function(ev)
        ev:start(aw.Readable(fd))
      end, { timeout = 0.02 })
      assert.are.equal("timeout", how)
    end)
  end)

  it("wakes all waiters for the same direction [Q3]", function()
    with_pipe(function(fd, _, writer)
      local order = {}
      run(function(ev)
        for i = 1, 3 do
          ev:start(aw.Readable(fd) >> aw.Call(table.insert, order, i))
        end
        ev:start(aw.Sleep(0.01) >> function()
          writer:write "x"
        end)
      end)
      assert.are.same({ 1, 2, 3 }, order)
    end)
  end)

  it("for writing ends when there is room [Q3]", function()
    with_pipe(function(_, _, writer)
      run(aw.Writable(pipes.fd(writer)))
      run(function()
        aw.writable(writer)
      end)
    end)
  end)

  it("ends at the end of a pipe [Q6]", function()
    with_pipe(function(fd, reader, writer)
      writer:close()
      run(aw.Readable(fd))
      assert.is_nil(reader:read(1))
    end)
  end)

  it("ends when a pipe has no reader [Q6]", function()
    with_pipe(function(_, reader, writer)
      reader:close()
      run(aw.Writable(writer))
    end)
  end)

  it("leaves the descriptor blocking, as io.read needs it [Q3]",
    function()
      local p <close> = assert(io.popen "echo a; sleep 0.05; echo b")
      run(function()
        aw.readable(p)
      end)
      assert.are.equal("a", p:read "l")
      assert.are.equal("b", p:read "l") -- would fail if nonblocking
    end)

  it("needs no watcher for a file or /dev/null [Q6]", function()
    for _, path in ipairs { "/dev/null", "/proc/self/exe", "README.md" } do
      local file <close> = assert(io.open(path))
      run(function()
        for _ = 1, 3 do
          aw.readable(file)
          aw.readable(pipes.fd(file))
          assert.are.equal(0, aw.stats().handles)
        end
      end)
    end
  end)

  it("has a text and a label [V8, D1]", function()
    with_pipe(function(fd)
      assert.are.equal(("Readable(%d)"):format(fd), tostring(aw.Readable(fd)))
      assert.are.equal(("Writable(%d)"):format(fd), tostring(aw.Writable(fd)))
      run(function(ev)
        local task = ev:start(aw.Readable(fd))
        aw.yield()
        assert.are.equal("readable " .. fd, task.waiting)
        task:cancel()
      end)
    end)
  end)

  it("leaves no watcher without waiters [Q3, I7]", function()
    with_pipe(function(fd, _, writer)
      writer:write "x"
      run(function()
        aw.readable(fd)
        aw.sleep(0.01)
        assert.are.equal(0, aw.stats().handles)
      end)
    end)
  end)

  it("has one watcher for all of its waiters [I7]", function()
    with_pipe(function(fd)
      run(function(ev)
        local tasks = {}
        for i = 1, 5 do
          tasks[i] = ev:start(aw.Readable(fd))
        end
        aw.sleep(0.01)
        assert.are.equal(1, aw.stats().handles)
        for _, task in ipairs(tasks) do
          task:cancel()
        end
      end)
    end)
  end)

  it("lets its descriptor be closed and the number be reused [Q3]",
    function()
      for _ = 1, 3 do
        local fd, reader, writer = pipes.raw_pipe()
        writer:write "x"
        run(function()
          aw.readable(fd)
          reader:close()
          writer:close()
          local again, r, w = pipes.raw_pipe()
          local _ <close> = r
          local _ <close> = w
          assert.are.equal(fd, again)
          w:write "y"
          aw.readable(again)
          assert.are.equal("y", r:read(1))
        end)
      end
    end)
end)

describe("a source with a buffer", function()
  it("is ready while the buffer of a Lua file holds data [Q6]", function()
    local reader, writer = pipes.pipe()
    local _ <close> = reader
    local _ <close> = writer
    helper.leak_checked(function()
      writer:write "a\nb\nc\n"
      local lines = {}
      run((aw.Readable(reader) >> function()
        lines[#lines + 1] = reader:read "l"
      end) * 3)
      assert.are.same({ "a", "b", "c" }, lines)
    end)
  end)

  it("is not ready when the buffer is empty [Q6]", function()
    local reader, writer = pipes.pipe()
    local _ <close> = reader
    local _ <close> = writer
    writer:write "a\n"
    local how = helper.run_loop(function(ev)
      ev:start(aw.Readable(reader) >> function()
        reader:read "l"
      end >> aw.Readable(reader))
    end, { timeout = 0.02 })
    assert.are.equal("timeout", how)
  end)

  it("may be a socket of LuaSocket [Q6]",
    pipes.over_luasocket(helper.sealed(function(client, peer)
      client:send "a\nb\n"
      local lines = {}
      run((aw.Readable(peer) >> function()
        lines[#lines + 1] = peer:receive "*l"
      end) * 2)
      assert.are.same({ "a", "b" }, lines)
      run(aw.Writable(client))
    end)))

  it("may be a socket of cqueues [Q6]", pipes.over_cqueues(function(a, b)
    a:xwrite "one\ntwo\n"
    a:flush()
    local lines = {}
    run((aw.Readable(b) >> function()
      lines[#lines + 1] = b:recv "*l"
    end) * 2)
    assert.are.same({ "one", "two" }, lines)
  end))

  it("may be any object with pollfd, getfd or fd [Q6]", function()
    with_pipe(function(fd, _, writer)
      writer:write "x"
      local function get()
        return fd
      end
      for _, object in ipairs { { pollfd = get }, { getfd = get },
        { fd = get }, { fd = fd } } do
        run(aw.Readable(object))
        run(function()
          aw.readable(object)
        end)
      end
    end)
  end)

  it("is closed if the object says so [Q3]", function()
    local object = { getfd = function() return -1 end }
    local err = raises("Closed", run, aw.Readable(object))
    assert.is_true(aw.is_closed(err))
    local file = assert(io.open "/dev/null")
    file:close()
    err = raises("Closed", run, aw.Readable(file))
    assert.is_true(aw.is_closed(err))
  end)
end)

describe("a bad source", function()
  it("raises a SystemError if the descriptor is not open [Q3, E4]",
    function()
      local function await()
        aw.readable(999)
      end
      for _, w in ipairs { aw.Readable(999), await } do
        local err = raises("readable 'descriptor 999'", helper.leak_checked,
          run, w)
        assert.is_true(aw.is_system_error(err))
        assert.are.equal("EBADF", err.code)
        assert.are.equal("readable", err.call)
      end
    end)

  it("ends only the waiting task, not the loop [Q3]", function()
    local seen
    local how = helper.run_loop(function(ev)
      ev:start(aw.Readable(999), function(_, err)
        seen = err.code
      end)
      ev:start(aw.Sleep(0.01))
    end)
    assert.are.equal("done", how)
    assert.are.equal("EBADF", seen)
  end)

  it("does not abort when closed during its wait [Q3, UV3]", function()
    helper.leak_checked(function()
      local fd, reader, writer = pipes.raw_pipe()
      local _ <close> = writer
      local seen
      run(function(ev)
        ev:start(aw.Readable(fd), function(_, err)
          seen = err.code
        end)
        ev:start(function()
          reader:close()
        end)
      end)
      assert.are.equal("EBADF", seen)
    end)
  end)

  it("is refused with the line of the caller [Q6]", function()
    for _, name in ipairs { "Readable", "readable", "Writable", "writable" } do
      local function refuses(why, ...)
        local given = table.pack(...)
        local err = raises("(" .. why .. ")", function()
          aw[name](table.unpack(given, 1, given.n))
        end)
        assert.is_truthy(err:find "readiness_spec.lua:%d+: bad argument #1 ")
      end
      refuses("source expected, got table", {})
      refuses("source expected, got string", "x")
      refuses("source expected, got number", 1.5)
      refuses("source expected, got boolean", true)
      refuses("source expected, got function", print)
      refuses("a descriptor is not negative", -1)
      refuses("source expected, got nil", nil)
    end
  end)

  it("cannot be awaited outside a task [C11]", function()
    helper.outside(function()
      raises("cannot await outside a task (aw.readable)", aw.readable, 0)
      raises("cannot await outside a task (aw.writable)", aw.writable, 1)
    end)
  end)
end)

describe("a cancel", function()
  it("ends a wait for a descriptor [C2, C10]",
    function()
      with_pipe(function(fd, _, writer)
        local caught
        run(function(ev)
          local task = ev:start(function()
            local _, err = pcall(aw.readable, fd)
            caught = aw.is_cancelled(err)
            error(err, 0)
          end)
          aw.yield()
          writer:write "x"
          task:cancel_wait()
          assert.are.equal("cancelled", task.status)
        end)
        assert.is_true(caught)
      end)
    end)

  it("comes after a notification that was on its way [C6]", function()
    with_pipe(function(fd, _, writer)
      local log = {}
      run(function(ev)
        local task
        local function wait()
          aw.readable(fd)
          log[#log + 1] = "ready"
          aw.yield()
          log[#log + 1] = "not reached"
        end
        ev:start(function()
          aw.readable(fd) -- wakes first, by the same event
          task:cancel()
        end)
        task = ev:start(wait)
        aw.sleep(0.005)
        writer:write "x"
      end)
      assert.are.same({ "ready" }, log)
    end)
  end)

  it("at any await of a reader and a writer leaves nothing behind [C2, C10]",
    function()
      local function scenario(fd, reader, writer, strike)
        local count = 0
        local function step(f, ...)
          count = count + 1
          strike(count)
          f(...)
        end
        local function write()
          for _ = 1, 3 do
            step(aw.writable, writer)
            writer:write "x"
            step(aw.sleep, 0.001)
          end
        end
        local function read()
          for _ = 1, 3 do
            step(aw.readable, fd)
            reader:read(1)
          end
        end
        return write, read, function() return count end
      end
      local total = 1
      for at = 0, 100 do
        if at > total then
          break
        end
        with_pipe(function(fd, reader, writer)
          local tasks = {}
          local write, read, count = scenario(fd, reader, writer,
            function(n)
              if n == at then
                tasks[1]:cancel()
                tasks[2]:cancel()
              end
            end)
          run(function(ev)
            tasks[1] = ev:start(write)
            tasks[2] = ev:start(read)
          end)
          total = at == 0 and count() or total
        end)
      end
      assert.is_true(total >= 9)
    end)
end)

describe("descriptors that run out", function()
  it("are an error of the waiting task, and the loop goes on [UV14]",
    process.under_stock(function()
      local script = [[
        local aw = require "aiowire"
        local p = io.popen "sleep 0.01; echo x"
        local hold, codes = {}, {}
        repeat
          local f = io.open "/dev/null"
          hold[#hold + 1] = f
        until not f
        for spare = 0, 16 do
          local ok, err = pcall(aw.run, aw.Readable(p))
          codes[ok and "fine" or err.code or tostring(err)] = true
          table.remove(hold):close()
        end
        assert(codes.fine)
        for code in pairs(codes) do
          assert(code == "fine" or code == "EMFILE", code)
        end
        print "survived"
      ]]
      -- The engine itself gets no descriptors at first.
      local outcome = process.run("ulimit -n 32; exec $lua s.lua",
        { ["s.lua"] = script })
      assert.are.equal("survived\n", outcome.out, outcome.err)
    end))
end)

describe("a loop that has nothing to do", function()
  it("wakes only for events that it waits for", function()
    local counts = io.open "/proc/self/status"
    if not counts then
      pending "the system does not count how often a process waits"
      return
    end
    counts:close()
    local outcome = process.host [[
      local aw = require "aiowire"
      local function waits() -- how often the process has slept
        local file <close> = io.open "/proc/self/status"
        local text = file:read "a"
        return tonumber(text:match "\nvoluntary_ctxt_switches:%s*(%d+)")
      end
      local signal = aw.start(aw.Signal "USR1")
      local sleeper = aw.start(aw.Sleep(3600))
      local p <close> = aw.spawn { "sleep", "3600" }
      local child = aw.start(aw.Call(p.wait, p))
      local poller = aw.Poller { [p.stdout] = print }
      local polls = aw.start(poller)
      local pipe <close> = io.popen "sleep 0.3; echo x"
      aw.sleep(0.01)
      local before = waits()
      aw.readable(pipe)
      print(waits() - before <= 2 or waits() - before)
      for _, task in ipairs { signal, sleeper, child, polls } do
        task:cancel()
      end]]
    assert.are.equal("true\n", outcome.out, outcome.err)
    assert.are.equal(0, outcome.code)
  end)
end)
