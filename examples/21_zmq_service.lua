#!/usr/bin/env aiowire
-- A server with two sockets: a ROUTER for requests, and a SUB for orders from
-- its admin, who has a PUB. Run all three in one process:
--   aiowire examples/21_zmq_service.lua
-- or each in a process of its own, over tcp, in any order, with the argument
-- server, client or admin.
local aw = require "aiowire"
local zmq = require "aiowire.zmq"

local role = arg and arg[1]
local REQUESTS <const> = role and "tcp://127.0.0.1:5570" or "inproc://requests"
local ORDERS <const> = role and "tcp://127.0.0.1:5571" or "inproc://orders"

local parts = {}

function parts.server()
  local requests = zmq.socket("router"):bind(REQUESTS)
  local orders = zmq.socket("sub"):bind(ORDERS):subscribe ""
  local greeting, poller = "hello", nil
  poller = aw.Poller {
    [requests] = function()
      local peer, empty, name = requests:recv()
      requests:send(peer, empty, greeting .. ", " .. name)
    end,
    [orders] = function()
      local order, value = orders:recv()
      print("order: " .. order, value or "")
      if order == "stop" then
        poller:shutdown()
      end
      greeting = value or greeting
    end,
  }
  aw.await(poller)
end

function parts.client()
  local s = zmq.socket("req"):connect(REQUESTS)
  for i = 1, 3 do
    s:send("client " .. i)
    print(s:recv())
    aw.sleep(0.1)
  end
end

function parts.admin()
  local s = zmq.socket("pub"):connect(ORDERS)
  s:wait_subscriber() -- from now on no order is lost
  aw.sleep(0.15)
  s:send("greeting", "good day")
  aw.sleep(0.3)
  s:send "stop"
end

aw.run(function(ev)
  for _, name in ipairs(role and { role } or { "server", "client", "admin" }) do
    ev:start(aw.Wire(parts[name]):named(name))
  end
end)
