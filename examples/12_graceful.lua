#!/usr/bin/env aiowire
-- A server that a signal stops, and that lets its clients finish.
--
-- One wire accepts clients, another waits for the signal; the race of both ends
-- when the signal arrives. Clients are tasks of a scope, which ends when the
-- last client has left. The scope cancels clients that take too long; they
-- still hang up properly.
local aw = require "aiowire"

local door <const> = aw.channel() -- stands for a listening socket

local function serve(_, name, seconds)
  print(name, "comes in")
  local _ <close> = setmetatable({}, { __close = function()
    print(name, "hangs up")
  end })
  aw.sleep(seconds)
  print(name, "is done")
end

local function server()
  aw.scope({ timeout = 0.5 }, function(clients)
    local take = aw.Recv(door) / function(client)
      clients:start(aw.Wire(serve, table.unpack(client)))
    end
    aw.await(aw.Forever(take) | aw.Signal "TERM")
    print("--", "no more clients; waiting for those that are here")
  end)
  print("--", "closed")
end

-- Clients come, and then the signal.
local function street()
  for _, client in ipairs { { "Ann", 0.1 }, { "Bea", 0.2 }, { "Cid", 9 } } do
    door:send(client)
    aw.sleep(0.05)
  end
  aw.exec("sh", "-c", "kill -TERM $PPID")
  aw.await(aw.Send(door, { "Dan", 1 }) | aw.Sleep(0.1)) -- the door stays closed
end

local ev <close> = aw.EventLoop { timeout = 5 }
ev:start(server)
ev:start(street)
