#!/usr/bin/env aiowire
-- An encrypted service. The server admits the clients whose public keys are in
-- a folder; secret keys go from files to libzmq. Run both in one process:
--   aiowire examples/24_zmq_curve.lua
-- or each in a process of its own, with the same folder for keys:
--   aiowire examples/24_zmq_curve.lua keys FOLDER
--   aiowire examples/24_zmq_curve.lua server FOLDER
--   aiowire examples/24_zmq_curve.lua client FOLDER
local aw = require "aiowire"
local zmq = require "aiowire.zmq"

local role, folder = arg and arg[1], arg and arg[2]
local address = "tcp://127.0.0.1:5572"

--- Make the keys of both: the secret ones, and the public ones for the peers.
local function make_keys()
  assert(os.execute(("mkdir -p '%s/clients'"):format(folder)))
  local public, secret = zmq.curve_keypair()
  zmq.save_keys(folder .. "/server.secret", public, secret)
  zmq.save_keys(folder .. "/server.key", public)
  public, secret = zmq.curve_keypair()
  zmq.save_keys(folder .. "/client.secret", public, secret)
  zmq.save_keys(folder .. "/clients/client.key", public)
end

local function open_server()
  local auth = zmq.auth {
    curve = folder .. "/clients",
    on_denied = function(r, why)
      print("denied: " .. why, r.address)
    end,
  }
  local server = zmq.socket("rep", {
    curve_server = true,
    curve_secretkey = folder .. "/server.secret",
  })
  return auth, server:bind(address)
end

local function serve(server, count)
  for _ = 1, count do
    local name = server:recv()
    server:send("hello, " .. name)
  end
end

local function ask(name)
  local client <close> = zmq.socket("req", {
    curve_serverkey = folder .. "/server.key",
    curve_secretkey = folder .. "/client.secret",
  })
  client:connect(address):send(name)
  print(client:recv())
end

--- A stranger has a key that nobody knows. Its denial ends this function.
local function intrude(denied)
  local public, secret = zmq.curve_keypair()
  local stranger <close> = zmq.socket("req", {
    curve_serverkey = folder .. "/server.key",
    curve_publickey = public,
    curve_secretkey = secret,
  })
  stranger:connect(address):send "let me in"
  denied:wait()
end

local function demonstrate()
  address = "tcp://127.0.0.1:*"
  folder = os.tmpname()
  os.remove(folder)
  make_keys()
  local denied = aw.event()
  local auth, server = open_server()
  address = server.last_endpoint
  aw.scope(function(s)
    s:start(aw.Call(serve, server, 1))
    ask "Ann"
  end)
  auth:close() -- one authenticator for a context
  local strict <close> = zmq.auth { curve = {}, on_denied = function(_, why)
    print("denied: " .. why)
    denied:set()
  end }
  intrude(denied)
  server:close()
  os.execute(("rm -r '%s'"):format(folder))
  return strict
end

aw.run(function()
  if role == "keys" then
    make_keys()
  elseif role == "server" then
    local auth, server = open_server()
    serve(server, math.maxinteger)
    auth:close()
  elseif role == "client" then
    ask(os.getenv "USER" or "somebody")
  else
    demonstrate()
  end
end)
