-- aw.Serve: a task for each connection, its end, its failure [X18].

local aw = require "aiowire"
local clients = require "spec.support.clients"
local helper = require "spec.support.helper"
local process = require "spec.support.process"
local servers = require "spec.support.servers"

local raises, run, sealed = helper.raises, helper.run, helper.sealed
local ask, echo, served = servers.ask, servers.echo, servers.served

--- Start a wire whose cancel has nearly no grace.
local function start(ev, w)
  return ev:start(w, nil, { grace = 0.001 })
end

describe("a server whose connections are served [X18]", function()
  it("answers many clients at the same time", served(function(ev, server, port,
    g)
    local _ <close> = start(ev, aw.Serve(server, echo))
    local fds = {}
    for i = 1, 50 do
      fds[i] = g.keep(clients.connect(port))
    end
    for round = 1, 2 do
      for i = 1, 50 do
        local line = ("%d %d"):format(round, i)
        assert.are.equal(line .. "\n", ask(fds[i], line))
      end
    end
  end))

  it("closes each stream when its body ends", served(function(ev, server, port,
    g)
    local _ <close> = start(ev, aw.Serve(server, function(_, s)
      s:write "bye"
    end))
    assert.are.equal("bye", clients.rest(g.keep(clients.connect(port))))
  end))

  it("closes the stream of a body that fails", served(function(ev, server, port,
    g)
    local seen
    local _ <close> = start(ev, aw.Serve(server, function(_, s)
      seen = s
      error "oh"
    end, helper.nop))
    assert.are.equal("", clients.rest(g.keep(clients.connect(port))))
    assert.is_truthy(tostring(seen):find "closed")
  end))

  it("calls the handler for a failure, and goes on", served(function(ev, server,
    port, g)
    local heard
    local _ <close> = start(ev, aw.Serve(server, function(_, s)
      local line = s:read()
      if line == "bad" then
        error("bad line", 0)
      end
      s:write(line)
    end, function(loop, err, info)
      heard = { loop, err, info.task.name }
    end))
    local bad = g.keep(clients.connect(port))
    clients.send(bad, "bad\n")
    assert.are.equal("", clients.rest(bad))
    assert.are.same({ ev, "bad line", "tcp 127.0.0.1:"
      .. clients.own_port(bad) }, heard)
    assert.are.equal("good", ask(g.keep(clients.connect(port)), "good"))
  end))

  it("keeps the stream open for the whole chain", served(function(ev, server,
    port, g)
    local _ <close> = start(ev, aw.Serve(server, function(_, s)
      local function second()
        s:write "second"
      end
      return function()
        aw.sleep(0)
        s:write "first "
        return second
      end
    end))
    assert.are.equal("first second", clients.rest(g.keep(clients.connect(
      port))))
  end))

  it("takes a callable object for a body", served(function(ev, server, port, g)
    local body = setmetatable({}, { __call = function(_, _, s)
      s:write "called"
    end })
    local _ <close> = start(ev, aw.Serve(server, body))
    assert.are.equal("called", clients.rest(g.keep(clients.connect(port))))
  end))

  it("refuses what a body returns, if it is no wire", served(function(ev,
    server, port, g)
    local heard
    local _ <close> = start(ev, aw.Serve(server, function()
      return 42
    end, function(_, err)
      heard = err
    end))
    assert.are.equal("", clients.rest(g.keep(clients.connect(port))))
    assert.is_truthy(heard:find("got number (42)", 1, true), heard)
    assert.is_truthy(heard:find("serve_spec.lua:", 1, true), heard)
  end))

  it("ends the task of a connection that is reset, and no other",
    served(function(ev, server, port, g)
      local heard = {}
      local _ <close> = start(ev, aw.Serve(server, echo, function(_, err)
        heard[#heard + 1] = err.code
      end))
      local one, two = g.keep(clients.connect(port)), clients.connect(port)
      ask(one, "x")
      ask(two, "x")
      clients.reset(two)
      helper.wait_until(function()
        return #heard > 0
      end)
      assert.are.same({ "ECONNRESET" }, heard)
      assert.are.equal("y\n", ask(one, "y"))
    end))

  it("is shown with its connections", served(function(ev, server, port, g)
    local w = aw.Serve(server, echo)
    assert.are.equal(("Serve(tcp 127.0.0.1:%d)"):format(port), tostring(w))
    local _ <close> = start(ev, w)
    local fd = g.keep(clients.connect(port))
    ask(fd, "x")
    local dump = ev:dump()
    for _, text in ipairs { ("'Serve(tcp 127.0.0.1:%d)'"):format(port),
      ("accept tcp 127.0.0.1:%d"):format(port), "'connections'",
      ("'tcp 127.0.0.1:%d'"):format(clients.own_port(fd)) } do
      assert.is_truthy(dump:find(text, 1, true), dump)
    end
  end))

  it("is served by two runs of one wire", served(function(ev, server, port, g)
    local w = aw.Serve(server, echo, nil, { max_connections = 1 })
    local _ <close> = start(ev, w)
    local _ <close> = start(ev, w)
    local one, two = g.keep(clients.connect(port)), g.keep(clients.connect(
      port))
    assert.are.equal("1\n", ask(one, "1"))
    assert.are.equal("2\n", ask(two, "2"))
  end))

  it("is served on a unix socket", sealed(function()
    clients.in_folder(function(folder)
      run(function(ev)
        local server <close> = aw.unix.listen(folder .. "/s")
        local group <close> = clients.group()
        local _ <close> = start(ev, aw.Serve(server, function(_, s)
          s:write(aw.current().name)
        end))
        assert.are.equal("unix " .. folder .. "/s",
          clients.rest(group.keep(clients.connect_path(folder .. "/s"))))
      end)
    end)
  end))

  it("gives its locals to its connections [T8]", served(function(ev, server,
    port, g)
    aw.locals.who = "me"
    local _ <close> = start(ev, aw.Serve(server, function(_, s)
      s:write(aw.locals.who)
    end))
    assert.are.equal("me", clients.rest(g.keep(clients.connect(port))))
  end))

  it("lets other tasks run during a burst", served(function(ev, server, port, g)
    local turns, ended = 0, 0
    for _ = 1, 100 do
      g.keep(clients.connect(port))
    end
    local _ <close> = start(ev, aw.Serve(server, function()
      ended = ended + 1
    end))
    while ended < 100 do
      aw.yield()
      turns = turns + 1
    end
    assert.is_true(turns > 2)
  end))
end)

describe("a bound of connections [X18]", function()
  it("leaves the others in the backlog", served(function(ev, server, port, g)
    local open, most = 0, 0
    local _ <close> = start(ev, aw.Serve(server, function(_, s)
      open = open + 1
      most = math.max(most, open)
      s:write(s:read())
      open = open - 1
    end, nil, { max_connections = 2 }))
    local fds = {}
    for i = 1, 6 do
      fds[i] = g.keep(clients.connect(port))
    end
    for i = 1, 6 do
      assert.are.equal("x", ask(fds[i], "x"))
    end
    assert.are.equal(2, most)
  end))

  it("counts a connection until its failure is over", served(function(ev,
    server, port, g)
    local _ <close> = start(ev, aw.Serve(server, function(_, s)
      error(s:read(), 0)
    end, helper.nop, { max_connections = 1 }))
    for _ = 1, 3 do
      local fd = g.keep(clients.connect(port))
      clients.send(fd, "x\n")
      assert.are.equal("", clients.rest(fd))
    end
  end))

  it("may be infinite", served(function(ev, server, port, g)
    local _ <close> = start(ev, aw.Serve(server, echo, nil,
      { max_connections = math.huge }))
    assert.are.equal("x\n", ask(g.keep(clients.connect(port)), "x"))
  end))
end)

describe("a server that is closed while it is served [X18]", function()
  it("ends the wire after its connections, without an error",
    sealed(function()
      run(function(ev)
        local server, port = clients.listen()
        local group <close> = clients.group()
        local task = ev:start(aw.Serve(server, echo))
        local fd = group.keep(clients.connect(port))
        ask(fd, "x")
        server:close()
        aw.sleep(0)
        assert.are.equal("waiting", task.status)
        assert.are.equal("y\n", ask(fd, "y"))
        clients.shut(fd)
        task:wait()
        assert.are.equal("done", task.status)
      end)
    end))

  it("was closed before", sealed(function()
    run(function()
      local server = clients.listen()
      server:close()
      aw.await(aw.Serve(server, echo))
    end)
  end))

  it("also ends a Serve that waits for room", sealed(function()
    run(function(ev)
      local server, port = clients.listen()
      local group <close> = clients.group()
      local task = ev:start(aw.Serve(server, echo, nil,
        { max_connections = 1 }))
      local fd = group.keep(clients.connect(port))
      ask(fd, "x")
      server:close()
      clients.shut(fd)
      task:wait()
    end)
  end))
end)

describe("a connection that fails without a handler [D4]", function()
  it("is a warning for each place, and Serve goes on", function()
    local outcome = process.run([[exec $aiowire s.lua]], { ["s.lua"] =
      servers.prelude .. [[
      local server <close> = aw.tcp.listen("127.0.0.1", 0)
      local _, port = server:name()
      local task = aw.start(aw.Serve(server, function(_, s)
        local line = s:read()
        if line == "1" then error "one" end
        if line == "2" then error "two" end
        s:write "fine"
      end))
      for _, line in ipairs { 1, 2, 1, 3 } do
        local fd = clients.connect(port)
        clients.send(fd, line .. "\n")
        aw.readable(fd)
        print(clients.receive(fd))
        clients.close(fd)
      end
      task:cancel()
    ]] })
    assert.are.equal("\n\n\nfine\n", outcome.out, outcome.err)
    local lines = {}
    for line in outcome.err:gmatch "[^\n]+" do
      lines[#lines + 1] = line:gsub("127.0.0.1:%d+", "ADDRESS")
    end
    local text = "Lua warning: aiowire: s.lua:%d: a connection of "
      .. "Serve(tcp ADDRESS) failed: %s"
    assert.are.same({ text:format(8, "one"), text:format(9, "two") }, lines)
  end)
end)

describe("the arguments of Serve", function()
  it("are checked when it is built", sealed(function()
    local server <close> = clients.listen()
    raises("bad argument #1 to 'Serve' (server expected, got no value)",
      aw.Serve)
    raises("bad argument #1 to 'Serve' (server expected, got number)", aw.Serve,
      80)
    raises("bad argument #2 to 'Serve' (function expected, got no value)",
      aw.Serve, server)
    raises("bad argument #2 to 'Serve'", aw.Serve, server, aw.Sleep(1))
    raises("bad argument #3 to 'Serve'", aw.Serve, server, echo, 1)
    raises("bad argument #3 to 'Serve' (aw.keep is for start()", aw.Serve,
      server, echo, aw.keep)
    raises("unknown option 'max_connection', did you mean 'max_connections'?",
      aw.Serve, server, echo, nil, { max_connection = 1 })
    for _, bad in ipairs { 0, -1, 1.5, "1", {}, 0 / 0 } do
      raises("bad option 'max_connections'", aw.Serve, server, echo, nil,
        { max_connections = bad })
    end
  end))
end)
