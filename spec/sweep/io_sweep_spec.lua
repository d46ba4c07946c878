-- The sweep over descriptors, the Poller, signals, streams and processes: see
-- spec/sweep/sweep.lua.
--
-- A scenario closes by `<close>` what it has opened. After that the sweep
-- counts descriptors, handles and children.

local aw = require "aiowire"
local folder = require "spec.support.folder"
local listening = require "spec.support.listening"
local pipes = require "spec.support.pipes"
local streams = require "spec.sweep.streams"
local sweep = require "spec.sweep.sweep"

local open_pair = streams.open_plain

local scenarios, scenario = sweep.scenarios("real")

--- Opens a pipe. Returns its descriptor, reader and writer, and a guard that
--- closes the pipe.
local function open_pipe(p)
  local fd, reader, writer = pipes.raw_pipe()
  return fd, reader, writer, p.guard(function()
    reader:close()
    writer:close()
  end)
end

--- A cat that is closed with its block, in a guard that counts.
local function open_cat(p)
  local cat = aw.spawn { "cat", stderr = "inherit", grace = 1 }
  return cat, p.guard(function()
    cat:close()
  end)
end

scenario("a reader and a writer of a pipe", function(_, p)
  local fd, reader, writer, guard = open_pipe(p)
  local _ <close> = guard
  aw.scope(function(s)
    s:start(function()
      local _ <close> = p.guard()
      for _ = 1, 2 do
        p.step(aw.writable, writer)
        writer:write "x"
      end
    end)
    for _ = 1, 2 do
      p.step(aw.readable, fd)
      reader:read(1)
    end
  end)
end)

scenario("readiness as wires, in a time-out and a race in turn",
  function(_, p)
    local fd, _, writer, guard = open_pipe(p)
    local _ <close> = guard
    p.await(aw.Writable(writer) >> aw.Writable(writer))
    aw.scope({ timeout = 0.002 }, function()
      p.await(aw.Readable(fd))
    end)
    writer:write "x"
    p.await(aw.Readable(fd) >> aw.Value(1))
  end)

scenario("a Poller whose callbacks await", function(_, p)
  local fd, reader, writer, guard = open_pipe(p)
  local _ <close> = guard
  local poller, calls = nil, 0
  poller = aw.Poller { [fd] = function()
    local _ <close> = p.guard()
    p.yield()
    reader:read(1)
    calls = calls + 1
    if calls == 3 then
      poller:shutdown()
    end
    p.sleep(0.0005)
  end }
  aw.scope(function(s)
    s:start(function()
      for _ = 1, 3 do
        p.sleep(0.0005)
        writer:write "x"
      end
    end)
    p.await(poller)
  end)
end)

scenario("a Poller that is registered, unregistered and run again",
  function(_, p)
    local fd, reader, writer, guard = open_pipe(p)
    local _ <close> = guard
    local poller = aw.Poller {}
    for round = 1, 2 do
      aw.scope(function(s)
        s:start(function()
          local _ <close> = p.guard()
          p.yield()
          poller:register(fd, function()
            p.yield()
            reader:read(1)
            poller:unregister(fd)
            -- Runs beside what follows [P13].
            return function()
              local _ <close> = p.guard()
              p.sleep(0.0005)
              poller:shutdown()
            end
          end)
          p.step(aw.writable, writer)
          writer:write(tostring(round))
        end)
        p.await(poller)
      end)
    end
  end)

scenario("a Poller with a callback that fails", function(_, p)
  local fd, reader, writer, guard = open_pipe(p)
  local _ <close> = guard
  local poller
  poller = aw.Poller({ [fd] = function()
    p.yield()
    reader:read(1)
    error "of the callback"
  end }, { on_error = function()
    poller:shutdown()
  end })
  writer:write "x"
  p.await(poller)
end)

scenario("exec", function(_, p)
  local _ <close> = p.guard()
  p.step(aw.exec, "echo", "x")
  p.step(aw.exec, { "cat", stdin = "text" })
  p.await(aw.Exec("true"))
end)

scenario("exec beside exec", function(_, p)
  aw.scope(function(s)
    for _ = 1, 2 do
      s:start(function()
        local _ <close> = p.guard()
        p.step(aw.exec, { "sh", "-c", "echo out; echo err >&2" })
      end)
    end
    p.yield()
  end)
end)

scenario("exec with drain, on a terminal, and into a file", function(_, p)
  local _ <close> = p.guard()
  p.step(aw.exec, { "sh", "-c", "sleep 0.01 & echo x; echo y >&2",
    drain = 0.001 })
  p.step(aw.exec, { "cat", pty = true, stdin = "half a line" })
  p.step(aw.exec, { "echo", "x", stdout = "/dev/null", append = true })
end)

scenario("a pipeline", function(_, p)
  local _ <close> = p.guard()
  p.step(aw.pipeline, { "echo", "x" }, { "cat" })
  p.step(aw.pipeline, { "cat" }, { "sh", "-c", "cat >&2" },
    { stdin = "text", drain = 1 })
  p.step(aw.pipeline, { "yes" }, { "true" }, { stderr = "null" })
end)

scenario("a child that reads from another's output", function(_, p)
  local cat, guard = open_cat(p)
  local _ <close> = guard
  local other <close> = aw.spawn { "cat", stdin = cat.stdout, grace = 1 }
  p.step(cat.stdin.write, cat.stdin, "through both\n")
  p.step(cat.stdin.flush, cat.stdin)
  p.step(other.stdout.read, other.stdout)
  p.step(cat.stdin.shutdown, cat.stdin)
  p.step(other.wait, other)
end)

scenario("a detached child, and one on a terminal", function(_, p)
  local detached = aw.spawn { "cat", detach = true }
  local _ <close> = p.guard(function()
    detached:kill "KILL"
    aw.shield(function()
      detached:wait()
    end)
    detached:close()
  end)
  local cat <close> = aw.spawn { "cat", pty = true, grace = 1 }
  p.step(cat.stdin.write, cat.stdin, "typed\n")
  p.step(cat.stdout.read, cat.stdout)
  p.step(cat.stdin.shutdown, cat.stdin)
  p.step(cat.stdout.read, cat.stdout, "a")
  p.step(detached.stdin.shutdown, detached.stdin)
  p.step(detached.wait, detached)
end)

scenario("connects to one address and to several, and refusals",
  function(_, p)
    local listener <close>, port = listening.tcp()
    local _ <close> = p.guard()
    local one <close> = p.step(aw.tcp.connect, "127.0.0.1", port)
    local other <close> = p.step(aw.tcp.connect, "localhost", port,
      { timeout = 60 })
    p.step(pcall, aw.tcp.connect, "127.0.0.1", 1)
    p.step(pcall, aw.tcp.connect, "localhost", 1, { timeout = 60 })
    local third = p.await(aw.Call(aw.tcp.connect, "localhost", port)
      :retry { times = 2 } | aw.Sleep(60))
    third:close()
    listener:drain()
    assert(one and other)
  end)

scenario("connects that race, and a connect to a unix socket", function(_, p)
  local listener <close>, path = listening.unix()
  local _ <close> = p.guard(function()
    listening.remove(path)
  end)
  local stream <close> = p.step(aw.unix.connect, path)
  local w = aw.Call(aw.unix.connect, path)
  p.await(w | w | w):close()
  listener:drain()
  assert(stream)
end)

scenario("sockets as LuaSocket's", function(_, p)
  local _ <close> = p.guard()
  local server <close> = assert(aw.socket.bind("127.0.0.1", 0))
  local host, port = server:getsockname()
  local client <close> = assert(p.step(aw.socket.connect, host, port))
  local peer <close> = assert(p.step(server.accept, server))
  p.step(peer.send, peer, "a line\n")
  assert(p.step(client.receive, client) == "a line")
  client:settimeout(0.001)
  p.step(client.receive, client, 5)
  p.step(aw.socket.select, { client }, nil, 0.001)
end)

scenario("look-ups of names", function(_, p)
  local _ <close> = p.guard()
  p.step(aw.dns.resolve, "127.1")
  p.step(pcall, aw.dns.resolve, "no such host")
  p.step(pcall, aw.dns.reverse, "127.0.0.1")
end)

scenario("a write to standard output", function(_, p)
  local _ <close> = p.guard()
  p.step(aw.stderr.write, aw.stderr, "")
  p.step(aw.stdout.flush, aw.stdout)
end)

scenario("a child that is spawned, ended and waited for", function(_, p)
  local cat, guard = open_cat(p)
  local _ <close> = guard
  p.yield()
  cat:kill "TERM"
  p.step(cat.wait, cat)
  p.step(cat.wait, cat)
end)

scenario("streams: write, read, lines, read_some, shutdown", function(_, p)
  local cat, guard = open_cat(p)
  local _ <close> = guard
  p.step(cat.stdin.write, cat.stdin, "one\ntwo\nthree\nrest")
  p.step(cat.stdout.read, cat.stdout, "l", 2)
  local next_line = cat.stdout:lines()
  p.step(next_line, cat.stdout)
  p.step(next_line, cat.stdout)
  p.step(cat.stdout.read_some, cat.stdout)
  p.step(cat.stdin.shutdown, cat.stdin)
  p.step(cat.stdout.read, cat.stdout, "a")
  p.step(cat.wait, cat)
end)

scenario("a write that must wait, and its reader", function(_, p)
  local cat, guard = open_cat(p)
  local _ <close> = guard
  aw.scope(function(s)
    s:start(function()
      local _ <close> = p.guard()
      p.step(cat.stdin.write, cat.stdin, ("x"):rep(700000))
      p.step(cat.stdin.shutdown, cat.stdin)
    end)
    p.step(cat.stdout.read, cat.stdout, "a")
  end)
end)

scenario("sockets: read_until, Recv, shutdown", function(_, p)
  local a, b, guard = open_pair(p)
  local _ <close> = guard
  p.step(a.write, a, "one--two-")
  p.step(b.read_until, b, "--")
  aw.scope(function(s)
    s:start(function()
      local _ <close> = p.guard()
      p.yield()
      p.step(a.write, a, "-three")
    end)
    p.step(b.read_until, b, "--")
    p.await(aw.Recv(b))
  end)
  p.step(a.shutdown, a)
  p.await(aw.Recv(b) | aw.Never)
  p.step(b.write, b, "answer")
  p.step(a.read, a, 6)
end)

scenario("copies, in both directions", streams.copies(open_pair))

scenario("a FIFO that is opened and read", function(_, p)
  local path = os.tmpname()
  os.remove(path)
  os.execute("mkfifo " .. path)
  local _ <close> = p.guard(function()
    os.remove(path)
  end)
  aw.scope(function(s)
    s:start(function()
      local _ <close> = p.guard()
      local writer <close> = p.step(aw.fs.open, path, "w")
      p.step(writer.write, writer, "text")
    end)
    p.sleep(0.0005)
    local reader <close> = p.step(aw.fs.open, path)
    p.step(reader.read, reader, "a")
  end)
end)

scenario("a file that is written, sought in, read and closed", function(_, p)
  local path = os.tmpname()
  local _ <close> = p.guard(function()
    os.remove(path)
  end)
  do
    local s <close> = p.step(aw.fs.open, path, "w+")
    p.step(s.write, s, ("text\n"):rep(1000))
    p.step(s.flush, s)
    p.step(s.sync, s)
    p.step(s.seek, s, "set", 5)
    p.step(s.read, s, "l", "a")
    p.step(s.write, s, "more")
    p.step(s.close, s)
  end
  local from <close> = p.step(aw.fs.open, path)
  local to <close> = p.step(aw.fs.open, path, "a")
  p.step(aw.copy, from, to, 100)
end)

scenario("a signal", function(ev, p)
  local _ <close> = p.guard()
  local me = io.open("/proc/self/stat"):read "n"
  local function send()
    local sender <close> = aw.spawn { "kill", "-USR1", tostring(me) }
    sender:wait()
  end
  aw.scope(function(s)
    s:start(function()
      p.yield() -- the signal is taken over by now [H5]
      send()
    end)
    p.await(aw.Signal "USR1")
  end)
  assert(ev)
end)

scenario("io in its clean-up", function(_, p)
  local fd, reader, writer, guard = open_pipe(p)
  local _ <close> = guard
  local _ <close> = p.guard(function()
    aw.shield(function()
      p.step(aw.writable, writer)
      writer:write "x"
      p.step(aw.readable, fd)
      reader:read(1)
      p.step(aw.exec, "true")
      local cat <close> = aw.spawn { "cat", stderr = "inherit" }
      p.step(cat.stdin.write, cat.stdin, "line\n")
      p.step(cat.stdout.read, cat.stdout)
      writer:write "y"
      local poller
      poller = aw.Poller { [fd] = function()
        p.yield()
        reader:read(1)
        poller:shutdown()
      end }
      p.await(poller)
    end)
  end)
  p.sleep(0)
end)

scenario("datagrams, by methods and as events", function(_, p)
  local a = aw.udp.bind("127.0.0.1", 0)
  local b = aw.udp.connect(a:name())
  local _ <close> = p.guard(function()
    a:close()
    b:close()
  end)
  aw.scope(function(s)
    s:start(function()
      local _ <close> = p.guard()
      p.sleep(0.0005)
      p.step(b.send, b, "one")
      p.step(b.send, b, "two")
      p.await(aw.Send(b, "three"))
    end)
    p.step(a.recv, a)
    p.step(a.recv, a, 2)
    p.await(aw.Recv(a) | aw.Sleep(10))
    p.await(aw.Readable(a) | aw.Sleep(0.0005))
  end)
end)

scenario("files and folders", function(_, p)
  local root = os.tmpname()
  os.remove(root)
  local fs, file = aw.fs, root .. "/a/file"
  local _ <close> = p.guard(function()
    os.execute("rm -rf " .. root)
  end)
  p.step(fs.mkdir, root .. "/a", { parents = true })
  p.step(fs.write, file, "one\n")
  p.step(fs.append, file, "two\n")
  p.step(fs.write, file, "three\n", { atomic = true })
  p.step(fs.read, file)
  p.step(fs.stat, file)
  p.step(fs.copy, file, root .. "/b")
  p.step(fs.rename, root .. "/b", root .. "/c")
  p.step(fs.scandir, root)
  p.step(fs.glob, root .. "/**/f*")
  p.step(fs.unlink, root .. "/c")
  p.step(fs.mkdir, root .. "/d")
  p.step(fs.rmdir, root .. "/d")
  p.step(fs.copy, "/dev/null", root .. "/e")
  local stream, path = p.step(fs.tempfile)
  local _ <close> = p.guard(function()
    stream:close()
    os.remove(path)
  end)
  p.await(aw.Call(fs.read, file) & aw.Call(fs.stat, root))
  p.await(aw.Call(fs.read, "/dev/null") | aw.Sleep(10))
end)

scenario("watches of files, by methods and as events", function(_, p)
  local d <close> = folder.new()
  local w = aw.fs.watch(d.path)
  local _ <close> = p.guard(function()
    w:close()
  end)
  local tree <close> = p.step(aw.fs.watch, d.path, { recursive = true })
  d:file("1", "")
  p.step(w.recv, w)
  p.step(tree.recv, tree)
  aw.scope(function(s)
    s:start(function()
      local _ <close> = p.guard()
      p.sleep(0.0005)
      d:file("2", "")
    end)
    p.step(w.recv, w)
    p.await(aw.Recv(tree) | aw.Sleep(10))
  end)
  p.await(aw.Recv(w) | aw.Sleep(0.0005))
end)

describe("the sweep of io", function()
  for sentence, proof in sweep.all_facts(scenarios) do
    it(sentence, proof)
  end

  it("covers 14 scenarios and 360 strikes [C2]", function()
    assert.is_true(#scenarios >= 14)
    assert.is_true(sweep.strikes(scenarios) >= 360)
  end)
end)
