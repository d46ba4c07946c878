-- The sweep over servers: see spec/sweep/sweep.lua. The clients are plain
-- descriptors, which are closed before the connections are joined.

local aw = require "aiowire"
local clients = require "spec.support.clients"
local sweep = require "spec.sweep.sweep"

local scenarios, scenario = sweep.scenarios("real")

--- Returns a server, its port, a group of clients, and a guard that closes the
--- server and those.
local function open_server(p)
  local server, port = clients.listen()
  local group = clients.group()
  return server, port, group, p.guard(function()
    server:close()
    getmetatable(group).__close(group)
  end)
end

scenario("accepting, before and after the client comes", function(_, p)
  local server, port, group, guard = open_server(p)
  local _ <close> = guard
  aw.scope(function(s)
    s:start(function()
      local _ <close> = p.guard()
      for _ = 1, 2 do
        p.yield()
        group.keep(clients.connect(port))
      end
    end)
    for _ = 1, 2 do
      local stream <close> = p.step(server.accept, server)
      p.step(stream.write, stream, "x")
    end
  end)
end)

scenario("accepting in wires", function(_, p)
  local server, port, group, guard = open_server(p)
  local _ <close> = guard
  p.await(aw.Accept(server) | aw.Sleep(0))
  group.keep(clients.connect(port))
  local one <close> = p.await(aw.Accept(server) | aw.Accept(server))
  group.keep(clients.connect(port))
  p.step(aw.readable, server)
  local _, two = p.await(aw.Select { aw.Accept(server), aw.Sleep(60) })
  two:close()
  p.step(one.write, one, "x")
end)

scenario("serving", function(_, p)
  aw.scope(function(s)
    local server, port, group, guard = open_server(p)
    local _ <close> = guard
    s:start(aw.Serve(server, function(_, stream)
      local _ <close> = p.guard()
      local line = p.step(stream.read, stream)
      p.step(stream.write, stream, line or "", "\n")
      return function()
        local _ <close> = p.guard()
        p.yield()
      end
    end, nil, { max_connections = 2 }))
    for i = 1, 3 do
      local fd = group.keep(clients.connect(port))
      clients.send(fd, i .. "\n")
      p.step(aw.readable, fd)
    end
    p.yield()
  end)
end)

scenario("serving a client that resets", function(_, p)
  aw.scope(function(s)
    local server, port, group, guard = open_server(p)
    local _ <close> = guard
    s:start(aw.Serve(server, function(_, stream)
      local _ <close> = p.guard()
      p.step(stream.write, stream, "x")
      p.step(stream.read, stream)
    end, function() end))
    group.keep(clients.connect(port))
    p.yield()
    clients.reset(table.remove(group.fds))
    p.yield()
    local fd = group.keep(clients.connect(port))
    p.step(aw.readable, fd)
  end)
end)

describe("the sweep of servers", function()
  for sentence, proof in sweep.all_facts(scenarios) do
    it(sentence, proof)
  end

  it("covers 4 scenarios and 100 strikes [C2]", function()
    assert.is_true(#scenarios >= 4)
    assert.is_true(sweep.strikes(scenarios) >= 100)
  end)
end)
