#!/usr/bin/env aiowire
-- An echo server for ZeroMQ that also reads standard input: one Poller for
-- both, as in the Python package. Each line is sent to the server and comes
-- back. The end of the input ends the program.
--
--   aiowire examples/20_zmq_echo.lua [ADDRESS]
local aw = require "aiowire"
local zmq = require "aiowire.zmq"

local address = arg and arg[1] or "tcp://127.0.0.1:*"
local server = zmq.socket("rep"):bind(address)
local client = zmq.socket("req"):connect(server.last_endpoint)
print("listening on " .. server.last_endpoint)

local poller

local function echo()
  server:send("echo: " .. server:recv())
end

--- Send a line to the server and print the answer.
local function typed()
  local line = io.read "l"
  if not line then
    poller:unregister(io.stdin)
    return aw.Sleep(0.1) >> aw.Wire(function()
      poller:shutdown()
    end)
  end
  client:send(line)
  print(client:recv())
end

poller = aw.Poller { [server] = echo, [io.stdin] = typed }

local ev <close> = aw.EventLoop()
ev:start(poller)
ev:start(function() -- so that the program does something without input
  local me = zmq.socket("req"):connect(server.last_endpoint)
  me:send "hello"
  print(me:recv())
  me:close()
end)
