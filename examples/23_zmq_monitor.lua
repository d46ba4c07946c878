#!/usr/bin/env aiowire
-- Who is there? A server that knows its clients: it waits for three of them
-- before it begins, and a monitor tells of those that come and go.
--   aiowire examples/23_zmq_monitor.lua
local aw = require "aiowire"
local zmq = require "aiowire.zmq"

local ADDRESS <const> = "tcp://127.0.0.1:*"

local function client(address, name, seconds)
  local s <close> = zmq.socket("push"):connect(address)
  s:wait_peers(1, 10)
  s:send(name)
  aw.sleep(seconds)
end

local function report(monitor)
  for e in monitor:iter() do
    print("monitor: " .. e.event, e.error or "")
  end
  print "monitor: the socket is closed"
end

aw.run(function(ev)
  local s = zmq.socket "pull"
  local monitor = s:monitor { "handshake_succeeded", "disconnected" }
  s:bind(ADDRESS)
  ev:start(aw.Call(report, monitor):named "report")
  for i, name in ipairs { "ada", "grace", "joan" } do
    ev:start(aw.Call(client, s.last_endpoint, name, i / 20):named(name))
  end

  s:wait_peers(3, 10)
  print "all clients are there"
  for _ = 1, 3 do
    print("hello, " .. s:recv())
  end
  aw.sleep(0.2)
  s:close()
end)
