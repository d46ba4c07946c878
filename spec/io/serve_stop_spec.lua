-- The end of aw.Serve: a cancel, the grace of its connections, and what comes
-- after that [X19].

local aw = require "aiowire"
local clients = require "spec.support.clients"
local helper = require "spec.support.helper"
local process = require "spec.support.process"
local servers = require "spec.support.servers"

local ask, echo, served = servers.ask, servers.echo, servers.served

local LONG <const> = { grace = 60 }
local SHORT <const> = { grace = 0.001 }

describe("a Serve that is cancelled [X19]", function()
  it("accepts nothing more, and lets its connections finish",
    served(function(ev, server, port, g)
      local task = ev:start(aw.Serve(server, echo), nil, LONG)
      local fd = g.keep(clients.connect(port))
      ask(fd, "x")
      task:cancel()
      g.keep(clients.connect(port))
      aw.sleep(0.001)
      assert.are.equal("waiting", task.status)
      assert.are.equal("y\n", ask(fd, "y"))
      clients.shut(fd)
      assert.is_true(aw.is_task_cancelled(helper.caught(task.wait, task)))
      server:accept():close() -- the connection that was not accepted
    end))

  it("ends at once without connections", served(function(ev, server)
    local task = ev:start(aw.Serve(server, echo), nil, LONG)
    aw.sleep(0)
    task:cancel_wait()
    assert.are.equal("cancelled", task.status)
  end))

  it("ends at once while it waits for room", served(function(ev, server, port,
    g)
    local task = ev:start(aw.Serve(server, echo, nil, { max_connections = 1 }),
      nil, LONG)
    local fd = g.keep(clients.connect(port))
    ask(fd, "x")
    task:cancel()
    clients.shut(fd)
    assert.is_true(aw.is_task_cancelled(helper.caught(task.wait, task)))
  end))

  it("hides the cancel from connections, whenever they came [C7]",
    served(function(ev, server, port, g)
      local cancelled, limit
      local task = ev:start(aw.Serve(server, function(_, s)
        s:write "x"
        s:read()
        aw.sleep(0)
        cancelled, limit = false, aw.deadline()
      end), nil, LONG)
      local fd = g.keep(clients.connect(port))
      clients.answer(fd)
      task:cancel()
      clients.send(fd, "go\n")
      assert.are.equal("", clients.rest(fd))
      assert.is_false(cancelled)
      assert.is_nil(limit)
    end))

  it("ends its connections when the grace is over [C8]",
    served(function(ev, server, port, g)
      local how
      local task = ev:start(aw.Serve(server, function(_, s)
        local _ <close> = helper.closer(function(err)
          how = aw.is_cancelled(err)
        end)
        s:write "x"
        s:read()
      end), nil, SHORT)
      local fd = g.keep(clients.connect(port))
      clients.answer(fd)
      task:cancel_wait()
      assert.is_true(how)
      assert.are.equal("", clients.rest(fd))
    end))

  it("kills a connection that goes on, and closes its stream [C9]",
    served(function(ev, server, port, g)
      local task = ev:start(aw.Serve(server, function(_, s)
        s:write "x"
        while true do
          pcall(aw.sleep, 60)
        end
      end), nil, SHORT)
      local fd = g.keep(clients.connect(port))
      clients.answer(fd)
      task:cancel_wait()
      assert.are.equal("", clients.rest(fd))
    end))

  it("sends what its connections have written", served(function(ev, server,
    port, g)
    local SIZE <const> = 4 * 1024 * 1024
    local task = ev:start(aw.Serve(server, function(_, s)
      s:configure { high_water = 2 * SIZE }
      s:write(("x"):rep(SIZE))
      s:read_some()
      s:write "end"
    end), nil, LONG)
    local fd = g.keep(clients.connect(port))
    local got = #clients.answer(fd)
    task:cancel()
    clients.send(fd, "x")
    local tail
    repeat
      local more = clients.answer(fd)
      got = got + #more
      tail = #more > 0 and more:sub(-3) or tail
    until #more == 0
    assert.are.equal(SIZE + 3, got)
    assert.are.equal("end", tail)
    assert.is_true(aw.is_task_cancelled(helper.caught(task.wait, task)))
  end))

  it("ends with its time-out", served(function(_, server, port, g)
    local fd = g.keep(clients.connect(port))
    local err = helper.caught(aw.await,
      aw.Serve(server, echo):timeout(0.05, { grace = 0.001 }))
    assert.is_true(aw.is_timeout(err))
    server:close() -- also ends a client that was never accepted
    pcall(clients.rest, fd)
  end))

  it("loses a race after its connections", served(function(ev, server, port, g)
    local stop = aw.event()
    local fd = g.keep(clients.connect(port))
    local task = ev:start((aw.Serve(server, echo) | aw.Wait(stop)), nil, LONG)
    ask(fd, "x")
    stop:set()
    aw.sleep(0.001)
    assert.are.equal("y\n", ask(fd, "y"))
    clients.shut(fd)
    task:wait()
  end))

  it("fails with the error of its accept, after its connections",
    served(function(ev, server, port, g)
      local task = ev:start(aw.Serve(server, echo), aw.keep, LONG)
      local fd = g.keep(clients.connect(port))
      ask(fd, "x")
      -- Another engine may not wait for the same server [X16].
      local inside = aw.EventLoop { clock = "real", signals = false }
      local failed = inside:start(aw.Serve(server, echo), aw.keep)
      inside:run()
      local ok, err = helper.join(failed)
      assert.is_false(ok)
      assert.is_truthy(tostring(err):find("another engine", 1, true))
      task:cancel()
      clients.shut(fd)
      assert.is_true(aw.is_task_cancelled(helper.caught(task.wait, task)))
    end))
end)

describe("a program that serves", function()
  local script = [[
    local server <close> = aw.tcp.listen("127.0.0.1", 0)
    local fd = clients.connect(select(2, server:name()))
    clients.send(fd, "x\n")
    aw.await(aw.Serve(server, function(_, s)
      print(s:read())
      io.stdout:flush()
      for _ = 1, %d do
        io.popen("kill -INT $PPID"):close()
        aw.sleep(0.001)
      end
      aw.sleep(0.05)
      print "finished"
    end))
  ]]

  --- Checks what is written when so many signals come.
  local function prints(text, signals)
    local outcome = process.run("exec $aiowire s.lua",
      { ["s.lua"] = servers.prelude .. script:format(signals) })
    assert.are.equal(text, outcome.out)
    assert.are.equal("", outcome.err)
    assert.are.equal(2, outcome.signal)
  end

  it("finishes its connections after the first signal [L2]", function()
    prints("x\nfinished\n", 1)
  end)

  it("ends them at the second one [L2]", function()
    prints("x\n", 2)
  end)
end)
