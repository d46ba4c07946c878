-- What aw.socket does beyond LuaSocket: its calls await [X42 to X47].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local listening = require "spec.support.listening"
local process = require "spec.support.process"

local raises, run = helper.raises, helper.run
local socket = aw.socket

--- Returns a client, the socket that its server has accepted, and the server.
local function connected()
  local server = assert(socket.bind("127.0.0.1", 0))
  local host, port = server:getsockname()
  local client = assert(socket.connect(host, port))
  return client, assert(server:accept()), server
end

local function close_all(...)
  for _, s in ipairs { ... } do
    s:close()
  end
end

--- Wait until a task waits for a socket.
local function until_waiting(task)
  helper.wait_until(function()
    return task.status == "waiting"
  end)
end

describe("a call of aw.socket", function()
  it("lets other tasks run while it waits [X42]", function()
    run(function(ev)
      local client, accepted, server = connected()
      local log = {}
      local reader = ev:start(function()
        log[#log + 1] = "before"
        local line = client:receive()
        log[#log + 1] = line
      end)
      until_waiting(reader)
      log[#log + 1] = "meanwhile"
      accepted:send "line\n"
      reader:wait()
      assert.are.same({ "before", "meanwhile", "line" }, log)
      close_all(client, accepted, server)
    end)
  end)

  it("accepts, connects and sends while it waits [X42]", function()
    run(function(ev)
      local server = socket.bind("127.0.0.1", 0)
      local host, port = server:getsockname()
      local text = ("x"):rep(8 * 1024 * 1024)
      local got
      local serving = ev:start(function()
        local s <close> = server:accept()
        got = s:receive "*a"
      end)
      until_waiting(serving)
      local client <close> = socket.connect(host, port)
      assert.are.equal(#text, client:send(text))
      client:close()
      serving:wait()
      assert.is_true(got == text)
      server:close()
    end)
  end)

  it("is refused outside of tasks, unless it never waits [X43]", function()
    helper.outside(function()
      local server = socket.tcp()
      assert(server:bind("127.0.0.1", 0))
      assert(server:listen())
      raises("cannot await outside a task", server.accept, server)
      server:settimeout(0)
      assert.are.same({ nil, "timeout" }, { server:accept() })
      server:close()
    end)
  end)

  it("gets its turns though its bytes are always there [X42]", function()
    run(function(ev)
      local client, accepted, server = connected()
      accepted:send(("line\n"):rep(4000))
      local others, done = 0, false
      local counting = ev:start(function()
        while not done do
          others = others + 1
          aw.yield()
        end
      end)
      for _ = 1, 4000 do
        assert.are.equal("line", (client:receive()))
      end
      done = true
      counting:wait()
      assert.is_true(others > 1)
      close_all(client, accepted, server)
    end)
  end)

  it("yields in a loop that never waits [X42]", function()
    run(function(ev)
      local client, accepted, server = connected()
      client:settimeout(0)
      local writer = ev:start(function()
        aw.yield()
        accepted:send "x"
      end)
      local got
      repeat
        got = client:receive(1)
      until got
      assert.are.equal("x", got)
      repeat
        local _, writable = socket.select({ client }, { client }, 0)
      until #writable == 1
      writer:wait()
      close_all(client, accepted, server)
    end)
  end)

  it("has settimeout as a limit from its start [X44]", function()
    run(function(ev)
      local client, accepted, server = connected()
      client:settimeout(0.05)
      local stop = false
      local writer = ev:start(function()
        repeat
          accepted:send "." -- bytes that come prolong nothing
          aw.sleep(0.001)
        until stop
      end)
      local before = aw.now()
      local _, err, partial = client:receive "*a"
      stop = true
      assert.are.equal("timeout", err)
      assert.is_true(aw.now() - before >= 0.05)
      assert.are.equal("", (partial:gsub("%.", "")))
      writer:wait()
      close_all(client, accepted, server)
    end)
  end)

  it("ends with 'closed' when another task closes the socket [X45]",
    function()
      run(function(ev)
        local client, accepted, server = connected()
        local results
        local reader = ev:start(function()
          results = table.pack(client:receive(5, "pre"))
        end)
        until_waiting(reader)
        client:close()
        reader:wait()
        assert.are.same({ nil, "closed", "pre", n = 3 }, results)
        close_all(accepted, server)
      end)
    end)
end)

describe("select of aw.socket", function()
  it("returns a socket that another task closes [X45]", function()
    run(function(ev)
      local client, accepted, server = connected()
      local readable
      local selecting = ev:start(function()
        readable = socket.select({ client }, nil)
      end)
      until_waiting(selecting)
      client:close()
      selecting:wait()
      assert.are.equal(client, readable[1])
      assert.are.same({ nil, "closed", "", n = 3 },
        table.pack(client:receive()))
      close_all(accepted, server)
    end)
  end)

  it("refuses what is no socket, and no time", function()
    run(function()
      raises("bad argument #1 to 'select' (sockets expected, got number",
        socket.select, { 1 }, nil, 0)
      raises("bad argument #3 to 'select'", socket.select, nil, nil, 0 / 0)
      raises("bad argument #1 to 'skip' (number expected", socket.skip, "x")
    end)
  end)
end)

describe("a cancel of a call of aw.socket", function()
  it("raises, and loses no bytes of a socket made outside [X46]", function()
    run(function()
      local client, accepted, server = connected()
      accepted:send "part"
      raises("timeout", aw.timeout, 0.01, client.receive, client)
      assert.is_true(client:getfd() >= 0)
      accepted:send " of a line\n"
      assert.are.equal("part of a line", (client:receive()))
      close_all(client, accepted, server)
    end)
  end)

  --- Returns the address of a server that never answers, and its socket.
  local function silent()
    local server = socket.bind("127.0.0.1", 0)
    local host, port = server:getsockname()
    return server, host, port
  end

  -- Each body makes a socket, stores it in `kept`, and waits for it.
  local function ways(host, port)
    local kept
    local function use()
      kept = socket.tcp()
      assert(kept:connect(host, port))
      kept:receive()
    end
    return function()
      return kept
    end, use
  end

  local function closes(what, cut)
    it(what .. " closes a socket made inside [X47]", function()
      run(function(ev)
        local server, host, port = silent()
        local kept, use = ways(host, port)
        cut(ev, use, kept)
        assert.are.equal(-1, kept():getfd())
        server:close()
      end)
    end)
  end

  closes("by a time-out", function(_, use)
    raises("timeout", aw.timeout, 0.05, use)
  end)

  closes("of the task", function(ev, use, kept)
    local task = ev:start(use)
    helper.wait_until(function()
      return kept() ~= nil and task.status == "waiting"
    end)
    task:cancel()
    pcall(task.wait, task)
  end)

  closes("by a lost race", function(_, use, kept)
    aw.race {
      use,
      function()
        helper.wait_until(kept)
      end,
    }
  end)

  closes("by a failure beside it", function(_, use, kept)
    raises("boom", aw.all, {
      use,
      function()
        helper.wait_until(kept)
        error("boom", 0)
      end,
    })
  end)

  it("leaves a socket open that was made under a limit that is left [X47]",
    function()
      run(function()
        local server, host, port = silent()
        local made, client
        repeat -- on a busy machine the limit may be over before
          made, client = pcall(aw.timeout, 0.2, socket.connect, host, port)
        until made
        raises("timeout", aw.timeout, 0.01, client.receive, client)
        assert.is_true(client:getfd() >= 0)
        aw.sleep(0.2)
        raises("timeout", aw.timeout, 0.01, client.receive, client)
        assert.is_true(client:getfd() >= 0)
        close_all(client, server)
      end)
    end)

  it("leaves a socket open that another task has made [X47]", function()
    run(function()
      local client, accepted, server = connected()
      aw.race {
        function()
          client:receive()
        end,
        function()
          aw.yield()
        end,
      }
      assert.is_true(client:getfd() >= 0)
      close_all(client, accepted, server)
    end)
  end)
end)

describe("a socket of aw.socket", function()
  it("is closed by <close>, and by the collector [X47]", function()
    run(function()
      local kept
      do
        local s <close> = socket.tcp4()
        kept = s
      end
      assert.are.equal(-1, kept:getfd())
      for _ = 1, 10 do
        socket.udp4()
      end
    end) -- run() checks that no descriptor is left
  end)

  it("connects for one task at a time [X40]", function()
    local silent <close> = listening.tcp("127.0.0.1", 0)
    local errors = {}
    run(function(ev)
      local first = socket.connect("127.0.0.1", silent.port) -- fills its queue
      local s = socket.tcp()
      s:settimeout(0.1)
      for i = 1, 2 do
        ev:start(function()
          local _, err = s:connect("127.0.0.1", silent.port)
          errors[i] = err
          if i == 1 then
            s:close()
            first:close()
          end
        end)
      end
    end)
    assert.same({ "timeout", "Operation already in progress" }, errors)
  end)

  it("has those collected that nobody uses, if descriptors are out",
    function()
      local outcome = process.run("ulimit -n 64; $aiowire s.lua", {
        ["s.lua"] = [[
          local aw = require "aiowire"
          collectgarbage "stop"
          aw.run(function()
            local here <close> = aw.socket.udp4()
            here:setsockname("127.0.0.1", 0)
            local host, port = here:getsockname()
            for _ = 1, 100 do
              assert(aw.socket.tcp():bind(host, 0))
            end
            for _ = 1, 100 do
              assert(aw.socket.udp():sendto("x", host, port))
            end
            print "survived"
          end)]],
      })
      assert.are.equal("survived\n", outcome.out, outcome.err)
    end)

  it("is a source for aw.readable, and for LuaSocket's select [X40]",
    function()
      run(function()
        local client, accepted, server = connected()
        accepted:send "x"
        aw.readable(client)
        assert.are.equal("x", client:receive(1))
        close_all(client, accepted, server)
      end)
    end)

  it("of unix has the same methods [X40]", function()
    run(function(ev)
      local path = os.tmpname()
      os.remove(path)
      local server = socket.unix()
      assert.are.equal("unixstream{master}", server.class)
      assert(server:bind(path))
      assert(server:listen())
      assert.are.equal(path, server:getsockname())
      local echo = ev:start(function()
        local s <close> = server:accept()
        s:send(s:receive() .. "\n")
      end)
      local client <close> = socket.unix.stream()
      assert(client:connect(path))
      client:send "hello\n"
      assert.are.equal("hello", (client:receive()))
      echo:wait()
      server:close()
      local refused <close> = socket.unix()
      assert.are.same({ nil, "connection refused" }, { refused:connect(path) })
      os.remove(path)
      assert.are.same({ nil, "No such file or directory" },
        { refused:connect(path) })
    end)
  end)

  it("connects by the family that was asked for [X40]", function()
    run(function()
      local server <close> = socket.bind("127.0.0.1", 0)
      local _, port = server:getsockname()
      local four <close> = assert(socket.connect4("127.0.0.1", port))
      assert.are.equal("inet", select(3, four:getpeername()))
      assert.is_nil((socket.connect6("127.0.0.1", port)))
    end)
  end)

  it("tells the time, and the names of addresses [X40, X42]", function()
    run(function()
      assert.is_true(socket.gettime() >= os.time() - 1)
      local name, all = socket.dns.tohostname "127.0.0.1"
      assert.is_true(name == nil or all.ip[1] == "127.0.0.1")
      assert.is_nil((socket.dns.tohostname "no.such.host.invalid"))
    end)
  end)

  it("refuses a group that is no address of its family [X40]", function()
    local s = socket.udp()
    raises("multiaddr", s.setoption, s, "ipv6-add-membership",
      { multiaddr = "224.0.0.1", interface = 0 })
    s:close()
  end)

  it("refuses a port that is none", function()
    run(function()
      local s <close> = socket.tcp()
      local refused = { nil, "service not supported for socket type" }
      for _, port in ipairs { 65536, "70000", 1e9, -1 } do
        assert.are.same(refused, { s:bind("127.0.0.1", port) })
        assert.are.same(refused, { socket.connect("127.0.0.1", port) })
      end
    end)
  end)

  it("looks names up while other tasks run [X42]", function()
    run(function()
      local ip, found = socket.dns.toip "localhost"
      assert.are.equal("127.0.0.1", ip)
      assert.are.same({ name = "localhost", alias = {}, ip = { ip } }, found)
      local list = socket.dns.getaddrinfo "127.0.0.1"
      assert.are.same({ { family = "inet", addr = "127.0.0.1" } }, list)
      assert.is_string(socket.dns.gethostname())
      assert.are.same({ nil, "host not found" }, { socket.dns.toip "" })
    end)
  end)
end)
