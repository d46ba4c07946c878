-- Accepting connections: who gets which, races, cancels, closing [X16], and
-- too few descriptors [X17].

local aw = require "aiowire"
local clients = require "spec.support.clients"
local helper = require "spec.support.helper"
local servers = require "spec.support.servers"

local run, sealed = helper.run, helper.sealed
local served = servers.served

--- Let other tasks run, and the engine look at its descriptors.
local function settle()
  for _ = 1, 3 do
    aw.sleep(0.0001)
  end
end

--- Starts a task that accepts a connection and reads a line from it, which is
--- its result, and lets it wait.
local function accepting_line(ev, server)
  local task = ev:start(function()
    local s <close> = server:accept()
    return aw.Value(s:read())
  end)
  settle()
  return task
end

--- Checks that a task has failed with Closed.
local function failed_closed(task)
  local ok, err = helper.join(task)
  assert.is_false(ok)
  assert.is_true(aw.is_closed(err), tostring(err))
end

describe("accepting [X16]", function()
  it("takes connections that came before", served(function(_, server, port, g)
    for i = 1, 3 do
      clients.send(g.keep(clients.connect(port)), i .. "\n")
    end
    for i = 1, 3 do
      local s <close> = server:accept()
      assert.are.equal(tostring(i), s:read())
    end
  end))

  it("waits for a connection", served(function(ev, server, port, g)
    local task = accepting_line(ev, server)
    assert.are.equal("waiting", task.status)
    assert.is_truthy(ev:dump():find("accept tcp 127.0.0.1:" .. port, 1, true))
    clients.send(g.keep(clients.connect(port)), "late\n")
    assert.are.equal("late", task:wait())
  end))

  it("gives each connection to the task that has waited longest",
    served(function(ev, server, port, g)
      local tasks = {}
      for i = 1, 3 do
        tasks[i] = ev:start(function()
          local s <close> = i == 2 and aw.await(aw.Accept(server))
            or server:accept()
          return aw.Value(s:read())
        end)
        settle()
      end
      for i = 1, 3 do
        clients.send(g.keep(clients.connect(port)), i .. "\n")
        assert.are.equal(tostring(i), tasks[i]:wait())
      end
    end))

  it("does not overtake a task that waits", served(function(ev, server, port, g)
    local task = accepting_line(ev, server)
    clients.send(g.keep(clients.connect(port)), "first\n")
    clients.send(g.keep(clients.connect(port)), "second\n")
    local s <close> = server:accept()
    assert.are.equal("second", s:read())
    assert.are.equal("first", task:wait())
  end))

  it("lets other tasks run when connections are there",
    served(function(ev, server, port, g)
      local turns, accepted = 0, 0
      for _ = 1, 100 do
        g.keep(clients.connect(port))
      end
      local other = ev:start(aw.Forever(function()
        turns = turns + 1
      end))
      for _ = 1, 100 do
        server:accept():close()
        accepted = accepted + 1
      end
      assert.are.equal(100, accepted)
      assert.is_true(turns > 0)
      other:cancel()
    end))

  it("wins a race by what it has taken", served(function(_, server, port, g)
    g.keep(clients.connect(port))
    local s <close> = aw.await(aw.Accept(server) | aw.Sleep(60))
    assert.is_truthy(tostring(s):find("stream 'tcp 127.0.0.1:", 1, true))
  end))

  it("takes nothing when it loses a race", served(function(_, server, port, g)
    g.keep(clients.connect(port))
    local ch = aw.channel(1)
    ch:send "other"
    assert.are.equal("other",
      aw.await(aw.Recv(ch) | aw.Accept(server) / tostring))
    aw.await(aw.Sleep(0) | aw.Accept(server) / helper.nop)
    local other <close> = clients.listen()
    g.keep(clients.connect(select(2, other:name())))
    local key, s = aw.select { a = aw.Accept(server), b = aw.Accept(other) }
    s:close()
    local left = key == "a" and other or server
    left:accept():close()
  end))

  it("takes one connection for two events of a race",
    served(function(_, server, port, g)
      g.keep(clients.connect(port))
      g.keep(clients.connect(port))
      aw.await(aw.Accept(server) | aw.Accept(server)):close()
      server:accept():close()
    end))

  it("takes one connection for events that waited",
    served(function(ev, server, port, g)
      local task = ev:start(aw.Accept(server) | aw.Accept(server))
      settle()
      g.keep(clients.connect(port))
      g.keep(clients.connect(port))
      task:wait():close()
      server:accept():close()
    end))

  it("leaves the connection to others when it is cancelled",
    served(function(ev, server, port, g)
      local task = ev:start(function()
        server:accept()
      end)
      settle()
      task:cancel_wait()
      clients.send(g.keep(clients.connect(port)), "x\n")
      local s <close> = server:accept()
      assert.are.equal("x", s:read())
    end))

  it("takes nothing in a cancelled task [C2]",
    served(function(ev, server, port, g)
      g.keep(clients.connect(port))
      local task = ev:start(function()
        server:accept()
      end)
      task:cancel_wait()
      assert.are.equal("cancelled", task.status)
      server:accept():close()
    end))

  it("closes a connection that its task never takes", sealed(function()
    local server <close>, port = clients.listen()
    local group <close> = clients.group()
    local client
    aw.run(function()
      aw.start(aw.Accept(server), nil, { background = true })
      settle()
      client = group.keep(clients.connect(port))
      aw.readable(server:getfd()) -- the other task is woken, too
    end)
    server:close()
    collectgarbage()
    collectgarbage()
    local ok, got = pcall(clients.receive, client)
    assert.is_true(not ok or got == "")
  end))

  it("knows the peer of a connection that was reset [X4]",
    served(function(_, server, port)
      local fd = clients.connect(port)
      local own = clients.own_port(fd)
      clients.reset(fd)
      local s <close> = server:accept() -- Linux accepts it
      assert.are.same({ "127.0.0.1", own }, { s:peer() })
      assert.is_truthy(tostring(s):find("127.0.0.1:" .. own, 1, true))
    end))

  it("passes over a connection that was reset", served(function(_, server, port,
    g)
    clients.reset(clients.connect(port))
    clients.send(g.keep(clients.connect(port)), "x\n")
    local s = server:accept()
    local ok, line = aw.pcall(s.read, s)
    if not ok then -- the system has kept the one that was reset
      assert.are.equal("ECONNRESET", line.code)
      s:close()
      s = server:accept()
      line = s:read()
    end
    assert.are.equal("x", line)
    s:close()
  end))

  it("raises Closed when the server is closed", sealed(function()
    run(function(ev)
      local server = clients.listen()
      local tasks = {}
      tasks[1] = ev:start(function()
        server:accept()
      end, aw.keep)
      tasks[2] = ev:start(aw.Accept(server), aw.keep)
      settle()
      server:close()
      for _, task in ipairs(tasks) do
        failed_closed(task)
      end
      local err = helper.caught(function()
        server:accept()
      end)
      assert.is_true(aw.is_closed(err))
      assert.is_truthy(tostring(err):find("accept_spec.lua:", 1, true))
      assert.is_true(aw.is_closed(helper.caught(aw.await, aw.Accept(server))))
    end)
  end))

  it("is refused outside of tasks", sealed(function()
    local server <close> = clients.listen()
    helper.outside(function()
      helper.raises("server:accept", server.accept, server)
    end)
  end))

  it("is refused while another engine waits", served(function(ev, server, port,
    g)
    local task = ev:start(function()
      server:accept():close()
    end)
    settle()
    local inside = aw.EventLoop { clock = "real", signals = false }
    inside:start(function()
      local err = helper.caught(server.accept, server)
      assert.is_truthy(tostring(err):find("another engine", 1, true))
      err = helper.caught(aw.await, aw.Accept(server))
      assert.are.equal("EBUSY", err.code)
    end)
    inside:run()
    g.keep(clients.connect(port))
    task:wait()
    inside = aw.EventLoop { clock = "real", signals = false }
    g.keep(clients.connect(port))
    inside:start(function()
      server:accept():close()
    end)
    inside:run()
    g.keep(clients.connect(port))
    server:accept():close()
  end))

  it("ends when another engine closes the server", served(function(ev, server)
    local task = ev:start(function()
      server:accept()
    end, aw.keep)
    settle()
    local inside = aw.EventLoop { clock = "real", signals = false }
    inside:start(function()
      server:close()
    end)
    inside:run()
    failed_closed(task)
  end))

  it("shows its server", sealed(function()
    local server <close>, port = clients.listen()
    assert.are.equal(("Accept(tcp 127.0.0.1:%d)"):format(port),
      tostring(aw.Accept(server)))
  end))

  it("keeps its server alive", sealed(function()
    run(function(ev)
      local server, port = clients.listen()
      local group <close> = clients.group()
      local task = ev:start(aw.Accept(server))
      server = nil -- luacheck: ignore
      settle()
      collectgarbage()
      collectgarbage()
      group.keep(clients.connect(port))
      task:wait():close()
    end)
  end))
end)

describe("accepting without descriptors [X17]", function()
  it("goes on when there are some", served(function(ev, server, port, g)
    clients.needs_refused_accepts()
    g.keep(clients.connect(port))
    g.keep(clients.connect(port))
    aw.readable(server) -- the engine has its own descriptors
    local log = {}
    do
      local exhausted <close> = clients.exhaust()
      for i = 1, 2 do
        ev:start(function()
          local s = i == 1 and server:accept() or aw.await(aw.Accept(server))
          s:close()
          log[#log + 1] = i
        end, nil, { name = "accept " .. i })
      end
      settle()
      aw.sleep(0.1)
      assert.are.same({}, log)
      exhausted.give(2)
    end
    helper.wait_until(function()
      return #log == 2
    end)
    assert.are.same({ 1, 2 }, log)
  end))

  it("goes on in a test, whose clock stands still",
    helper.in_task(function(ev)
      clients.needs_refused_accepts()
      local server <close>, port = clients.listen()
      local group <close> = clients.group()
      group.keep(clients.connect(port))
      aw.readable(server)
      local task
      do
        local exhausted <close> = clients.exhaust()
        task = ev:start(function()
          server:accept():close()
        end)
        aw.yield()
        aw.yield()
        assert.are.equal("waiting", task.status)
        exhausted.give(1)
      end
      task:wait()
    end))

  it("does not spin", served(function(_, server, port, g)
    g.keep(clients.connect(port))
    aw.readable(server)
    local exhausted <close> = clients.exhaust()
    local before = os.clock()
    aw.await(aw.Sleep(0.5) | aw.Accept(server))
    assert.is_true(os.clock() - before < 0.2)
    assert.is_truthy(exhausted)
  end))

  it("ends when the server is closed, or the task cancelled",
    served(function(ev, server, port, g)
      g.keep(clients.connect(port))
      aw.readable(server)
      local exhausted <close> = clients.exhaust()
      local cancelled = ev:start(aw.Accept(server))
      local closed = ev:start(aw.Accept(server), aw.keep)
      settle()
      cancelled:cancel_wait()
      assert.are.equal("waiting", closed.status)
      server:close()
      failed_closed(closed)
      assert.is_truthy(exhausted)
    end))
end)
