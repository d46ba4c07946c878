-- aw.fs.open: FIFOs, and other files as streams [X8].

local aw = require "aiowire"
local clients = require "spec.support.clients"
local helper = require "spec.support.helper"
local texts = require "spec.support.texts"

local raises = helper.raises

--- Returns a function for `it` that runs `f(path, ev)` in a loop. There is a
--- FIFO at `path`, in an empty folder.
local function with_fifo(f)
  return function()
    clients.in_folder(function(folder)
      local path <const> = folder .. "/fifo"
      assert(os.execute("mkfifo " .. path))
      helper.run(function(ev)
        f(path, ev, folder)
      end)
    end)
  end
end

--- Starts `f` and returns its task once it waits.
local function waiting(ev, f, ...)
  return helper.waiting(ev, aw.Call(f, ...))
end

describe("a FIFO", function()
  it("is opened for reading at once, and read when there is a writer [X8]",
    with_fifo(function(path, ev)
      local reader <close> = aw.fs.open(path)
      local line = waiting(ev, reader.read, reader)
      aw.exec { "sh", "-c", 'echo "one\ntwo" > "$1"', "sh", path }
      assert.are.equal("one", line:wait())
      assert.are.equal("two", reader:read())
      assert.is_nil(reader:read())
      assert.is_nil(reader:read())
    end))

  it("keeps waiting for its first writer after a cancelled read [X8, C10]",
    with_fifo(function(path, ev)
      local reader <close> = aw.fs.open(path)
      for _ = 1, 3 do
        waiting(ev, reader.read_some, reader):cancel_wait()
      end
      local text = waiting(ev, reader.read, reader, "a")
      local writer = aw.fs.open(path, "w")
      writer:write "late"
      writer:close()
      assert.are.equal("late", text:wait())
    end))

  it("ends for its reader when a writer came and wrote nothing [X8]",
    with_fifo(function(path, ev)
      local reader <close> = aw.fs.open(path)
      local text = waiting(ev, reader.read, reader)
      aw.exec { "sh", "-c", ': > "$1"', "sh", path }
      assert.are.same({ n = 1 }, table.pack(text:wait()))
    end))

  it("is opened for writing when there is a reader [X8]",
    with_fifo(function(path, ev)
      local order = {}
      local opening = waiting(ev, function()
        local writer <close> = aw.fs.open(path, "w")
        order[#order + 1] = "writer"
        writer:write "hello\n"
      end)
      aw.sleep(0.02)
      order[#order + 1] = "reader"
      local reader <close> = aw.fs.open(path, "rb")
      assert.are.equal("hello", reader:read())
      opening:wait()
      assert.are.same({ "reader", "writer" }, order)
    end))

  it("leaves nothing when the wait for a reader is cancelled [X8, C10]",
    with_fifo(function(path, ev)
      local opening = waiting(ev, aw.fs.open, path, "a")
      opening:cancel_wait()
      assert.is_false(pcall(aw.timeout, 0.03, aw.fs.open, path, "w"))
      assert.are.equal("no reader",
        aw.await(aw.Call(aw.fs.open, path, "w") | aw.Sleep(0.02)
          >> aw.Value "no reader"))
    end))

  it("without a reader is ENXIO on a virtual clock [X8]",
    with_fifo(function(path)
      local err = helper.caught(function()
        aw.test(function()
          aw.fs.open(path, "w")
        end)
      end)
      assert.is_truthy(tostring(err):find("no such device or address", 1,
        true), tostring(err))
    end))

  it("is opened in both directions at once [X8]",
    with_fifo(function(path, ev)
      local both <close> = aw.fs.open(path, "r+")
      local line = waiting(ev, both.read, both)
      both:write "x\n"
      assert.are.equal("x", line:wait())
      local writer <close> = aw.fs.open(path, "w")
      writer:write "y\n"
      assert.are.equal("y", both:read())
    end))

  it("gives EPIPE when its reader has gone [X8]", with_fifo(function(path)
    local reader = aw.fs.open(path)
    local writer <close> = aw.fs.open(path, "w")
    reader:close()
    local err = raises("broken pipe", writer.write, writer, "x")
    assert.are.equal("EPIPE", err.code)
    assert.are.equal(path, err.about)
  end))

  it("is copied, received from, and waited for [X8]",
    with_fifo(function(path, ev)
      local reader <close> = aw.fs.open(path)
      local received = waiting(ev, aw.await, aw.Recv(reader))
      local ready = ev:start(aw.Readable(reader))
      local writer = aw.fs.open(path, "w")
      writer:write "some"
      ready:wait()
      assert.are.equal("some", received:wait())
      local cat <close> = aw.spawn { "cat" }
      writer:write "more"
      writer:close()
      assert.are.equal(4, aw.copy(reader, cat.stdin))
      cat.stdin:shutdown()
      assert.are.equal("more", cat.stdout:read "a")
    end))
end)

describe("fs.open of another file", function()
  it("gives a stream over a regular file [X8]",
    with_fifo(function(_, _, folder)
      local path = folder .. "/file"
      local text = ("line\n"):rep(100000)
      local s = aw.fs.open(path, "w")
      s:write(text):flush()
      s:close()
      s = aw.fs.open(path, "a")
      s:write "end"
      s:close()
      s = aw.fs.open(folder .. ("/."):rep(100) .. "/file")
      texts.contains(tostring(s), ("/."):rep(100) .. "/file")
      assert.are.equal("line", s:read())
      local count = 1
      for _ in s:lines() do
        count = count + 1
      end
      assert.are.equal(100001, count)
      assert.is_nil(s:read())
      s:close()
      s = aw.fs.open(path, "r+b")
      assert.are.equal(#text + 3, #s:read "a")
      s:write "!"
      s:close()
      s = aw.fs.open(path, "w+")
      assert.are.equal("", s:read "a")
      s:close()
    end))

  it("gives a stream over a device [X8]", with_fifo(function()
    local null <close> = aw.fs.open("/dev/null", "r+")
    null:write "x"
    assert.is_nil(null:read())
    local zero <close> = aw.fs.open "/dev/zero"
    assert.are.equal(("\0"):rep(300000), zero:read(300000))
    assert.are.equal(300000, aw.copy(zero, null, 300000))
  end))

  it("gives a stream over a terminal, in both directions [X8]",
    with_fifo(function()
      local p <close> = aw.spawn { "sh", "-c",
        "stty raw -echo; tty; exec sleep 100", pty = true, stderr = "null",
        grace = 0 }
      local path = p.stdout:read():match "/dev/[%w/]+"
      local s <close> = aw.fs.open(path, "r+")
      s:write "shown\n"
      assert.are.equal("shown", p.stdout:read())
      p.stdin:write "typed\n"
      assert.are.equal("typed", s:read())
    end))

  it("closes it on exec, above the standard files [X8]",
    with_fifo(function(path)
      local s <close> = aw.fs.open(path)
      assert.is_true(s:getfd() > 2)
      local seen = aw.exec { "ls", "/proc/self/fd/" .. s:getfd() }
      assert.is_false(seen.ok)
    end))
end)

describe("fs.open fails", function()
  --- Checks the error of an open.
  local function fails(code, text, path, mode)
    local err = raises(text, aw.fs.open, path, mode)
    assert.are.equal(code, err.code)
    assert.are.equal("open", err.call)
    assert.are.equal(path, err.about)
  end

  it("with the error of the kernel, about the path [X8]",
    with_fifo(function(path, _, folder)
      fails("ENOENT", "no such file or directory", folder .. "/none")
      fails("ENOENT", "open '", folder .. "/none/none", "w")
      fails("EISDIR", "directory", folder)
      fails("EISDIR", "directory", folder, "w")
      fails("ENOTDIR", "not a directory", path .. "/x")
      fails("ENAMETOOLONG", "name too long", folder .. ("/x"):rep(3000))
    end))

  it("for a socket, which cannot be opened [X8]",
    with_fifo(function(_, _, folder)
      local path = folder .. "/socket"
      local p <close> = aw.spawn { "python3", "-c", "import socket, sys; "
        .. "socket.socket(socket.AF_UNIX).bind(sys.argv[1])", path }
      if not p:wait().ok then
        helper.pending "python3 is not installed"
      end
      fails("ENXIO", "no such device or address", path)
      fails("ENXIO", "no such device or address", path, "w")
    end))

  it("with an argument error for a bad path or mode [X8]",
    with_fifo(function(path)
      raises("#2 to 'open' (invalid mode 'x': r, w, a, r+, w+ or a+ expected)",
        aw.fs.open, path, "x")
      raises("invalid mode", aw.fs.open, path, "r++")
      raises("invalid mode", aw.fs.open, path, "")
      raises("invalid mode", aw.fs.open, path, "r\0")
      raises("zero byte", aw.fs.open, path .. "\0")
      raises("#1 to 'open' (string expected", aw.fs.open)
      raises("string expected", aw.fs.open, path, {})
      helper.outside(raises, "cannot await outside a task", aw.fs.open, path)
    end))
end)
