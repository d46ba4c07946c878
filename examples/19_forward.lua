#!/usr/bin/env aiowire
-- A port forwarder: each connection to a port of ours becomes one to another
-- host.
--
--     aiowire 19_forward.lua 8080 example.org 80 [own host]
--
-- Both directions are copied at the same time. When one side stops sending, so
-- does the other, and what comes back still arrives. On TERM or Ctrl-C nobody
-- new is let in; those who are there have GRACE seconds to finish. Without
-- arguments it forwards to a server of its own and ends.
local aw = require "aiowire"

local GRACE <const> = 10
local LIMITS <const> = { max_connections = 100 } -- others wait in the backlog
local LONGEST <const> = 3600 -- seconds for a connection

--- A wire that copies one direction to its end, and passes the end on.
local function pass(from, to)
  return aw.Call(aw.copy, from, to) >> aw.Call(to.shutdown, to)
end

--- Return the body for the task of a connection. An error in one direction,
--- such as a reset, cancels the other. Both streams are closed at the end.
local function forward(host, port)
  return function(_, client)
    local target <close> = aw.tcp.connect(host, port, { timeout = 10 })
    aw.await((pass(client, target) & pass(target, client)):timeout(LONGEST))
  end
end

--- A failed connection is reported, and the others go on.
local function report(_, err)
  io.stderr:write(tostring(err), "\n")
end

--- Run the forwarder until `done` ends.
local function run(server, host, port, done)
  aw.await(aw.Serve(server, forward(host, port), report, LIMITS) | done)
end

-- ---- a run without arguments ----

--- Forward to a server that sends everything back. The forwarder is told to
--- stop while a client is there, which still can finish.
local function demo(server)
  local behind <close> = aw.tcp.listen("127.0.0.1", 0)
  local stop = aw.event()
  local function client_body()
    local _, port = server:name()
    local client <close> = aw.tcp.connect("127.0.0.1", port)
    client:write "one\n"
    print(client:read())
    stop:set()
    client:write("two\n", "three\n"):shutdown()
    for line in client:lines() do
      print(line)
    end
  end
  local echo = aw.Serve(behind, function(_, stream)
    aw.copy(stream, stream)
  end)
  local _, port = behind:name()
  aw.await(echo | aw.Call(client_body)
    & aw.Call(run, server, "127.0.0.1", port, aw.Wait(stop)))
end

aw.run(function()
  local server <close> = aw.tcp.listen(arg[4] or "127.0.0.1",
    tonumber(arg[1] or 0))
  if not arg[1] then
    return demo(server)
  end
  print("listening on port " .. select(2, server:name()))
  local stop = (aw.Signal "TERM" | aw.Signal "INT") / function()
    server:close()
  end
  run(server, arg[2], tonumber(arg[3]), stop)
end, { grace = GRACE })
