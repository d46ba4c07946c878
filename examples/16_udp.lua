#!/usr/bin/env aiowire
-- Discovery: clients ask on a UDP port which services there are, and collect
-- the answers that come in time. Everything runs on this machine.
local aw = require "aiowire"

-- Answer each question about `kind`. The wire runs until it is cancelled.
local function Responder(socket, kind, place)
  return aw.Forever(function()
    local question, host, port = socket:recv()
    if question == "WHO " .. kind then
      socket:send(kind .. " " .. place, host, port)
    end
  end)
end

-- Ask all `ports` for `kind`. Return what has answered in `patience` seconds,
-- or when all have.
local function discover(kind, ports, patience)
  local socket <close> = aw.udp.bind("127.0.0.1", 0)
  for _, port in ipairs(ports) do
    socket:send("WHO " .. kind, "127.0.0.1", port)
  end
  local found = {}
  aw.scope({ timeout = patience }, function()
    while #found < #ports do
      -- Answers that are too long are no answers.
      local answer, _, _, truncated = socket:recv(100)
      if not truncated then
        found[#found + 1] = answer
      end
    end
  end)
  table.sort(found)
  return found
end

aw.run(function()
  local services = { { "clock", "room 1" }, { "clock", "room 2" },
    { "printer", "hall" } }
  aw.scope(function(s)
    local ports = {}
    for i, service in ipairs(services) do
      local socket = aw.udp.bind("127.0.0.1", 0)
      ports[i] = select(2, socket:name())
      s:start(Responder(socket, table.unpack(service)):finally(function()
        socket:close()
      end))
    end
    for _, kind in ipairs { "clock", "printer", "lamp" } do
      local found = discover(kind, ports, 0.2)
      print(kind, #found > 0 and table.concat(found, ", ") or "none")
    end
    s:cancel()
  end)
end)
