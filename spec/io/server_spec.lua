-- The class Server: names, closing, the collector, and servers as sources.

local aw = require "aiowire"
local clients = require "spec.support.clients"
local helper = require "spec.support.helper"
local process = require "spec.support.process"
local servers = require "spec.support.servers"

local raises, run, sealed = helper.raises, helper.run, helper.sealed
local served = servers.served

describe("a server", function()
  it("shows its address and its state", sealed(function()
    local server, port = clients.listen()
    local text = ("server 'tcp 127.0.0.1:%d' (%%s)"):format(port)
    assert.are.equal(text:format "open", tostring(server))
    server:close()
    assert.are.equal(text:format "closed", tostring(server))
  end))

  it("keeps its name when it is closed", sealed(function()
    local server, port = clients.listen()
    server:close()
    assert.are.same({ "127.0.0.1", port }, { server:name() })
  end))

  it("closes its descriptor with its block", sealed(function()
    local fd
    do
      local server <close> = clients.listen()
      fd = server:getfd()
      assert.are.same({ true, true }, { clients.mode(fd) })
    end
    assert.is_false(clients.is_open(fd))
  end))

  it("is closed once", sealed(function()
    local server = clients.listen()
    server:close()
    server:close()
    assert.is_true(aw.is_closed(helper.caught(server.getfd, server)))
  end))

  it("is closed by the collector", sealed(function()
    local fd = clients.listen():getfd()
    collectgarbage()
    collectgarbage()
    assert.is_false(clients.is_open(fd))
  end))

  it("refuses new clients when it is closed", sealed(function()
    local server, port = clients.listen()
    server:close()
    raises("refused", clients.connect, port)
  end))

  it("is locked", sealed(function()
    local server <close> = clients.listen()
    assert.is_false(getmetatable(server))
    assert.is_false((pcall(function()
      server.x = 1
    end)))
  end))

  it("refuses other objects", sealed(function()
    local server <close> = clients.listen()
    for _, name in ipairs { "accept", "close", "name", "getfd" } do
      raises("bad", server[name], aw.stdin)
      raises("bad", server[name])
    end
    raises("bad argument #1 to 'Accept' (server expected, got "
      .. "aiowire.Stream)", aw.Accept, aw.stdin)
    raises("bad argument #1 to 'Accept' (server expected, got no value)",
      aw.Accept)
  end))
end)

describe("a server as a source", function()
  it("is readable when a client has come", served(function(_, server, port, g)
    g.keep(clients.connect(port))
    aw.readable(server)
    aw.await(aw.Readable(server))
    server:accept():close()
  end))

  it("calls back a Poller for each client", served(function(_, server, port, g)
    local count, poller = 0, nil
    poller = aw.Poller { [server] = function()
      server:accept():close()
      count = count + 1
      if count == 3 then
        poller:shutdown()
      end
    end }
    for _ = 1, 3 do
      g.keep(clients.connect(port))
    end
    aw.await(poller)
    assert.are.equal(3, count)
  end))

  it("can be received from [X16]", served(function(_, server, port, g)
    local client = g.keep(clients.connect(port))
    local s <close> = aw.await(aw.Recv(server))
    s:write "x"
    assert.are.equal("x", clients.answer(client))
  end))

  it("ends waits for its readiness with Closed", sealed(function()
    run(function(ev)
      local server = clients.listen()
      local task = ev:start(aw.Readable(server), aw.keep)
      aw.sleep(0)
      server:close()
      local ok, err = helper.join(task)
      assert.is_false(ok)
      assert.is_true(aw.is_closed(err), tostring(err))
    end)
  end))

  it("is Closed by name when it is closed", sealed(function()
    local server = clients.listen()
    local pattern = "Closed: readable of tcp 127.0.0.1:"
    helper.run(function()
      aw.scope(function(s)
        s:start(function()
          raises(pattern, aw.readable, server)
        end)
        aw.yield()
        server:close()
      end)
      raises(pattern, aw.readable, server)
      raises(pattern, aw.await, aw.Readable(server))
    end)
  end))

  it("is collected before its descriptors run out", function()
    local outcome = process.run([[ulimit -n 256; exec $aiowire s.lua]], {
      ["s.lua"] = [[
        local aw = require "aiowire"
        for i = 1, 2000 do
          aw.tcp.listen("127.0.0.1", 0)
        end
        print "fine"]] })
    assert.are.equal("fine\n", outcome.out, outcome.err)
  end)

  it("cannot be sent to, or written to", sealed(function()
    local server <close> = clients.listen()
    raises("cannot send", aw.Send, server, "x")
    raises("a server is never writable", aw.Writable, server)
    raises("a server is never writable", aw.run,
      aw.Poller({ [server] = print }, { flags = "w" }))
  end))
end)

describe("a server in a program that ends", function()
  it("unlinks its file, also if the program was told to exit", function()
    for _, ending in ipairs { "os.exit(0)", "" } do
      local outcome = process.run(
        [[$aiowire s.lua && test ! -e s && echo gone]],
        { ["s.lua"] = [[
          local aw = require "aiowire"
          server = aw.unix.listen "s"
          ]] .. ending })
      assert.are.equal("gone\n", outcome.out, outcome.err)
    end
  end)
end)
