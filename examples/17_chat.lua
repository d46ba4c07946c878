#!/usr/bin/env aiowire
-- A chat server on one page: what one client writes, all clients read.
--
--     aiowire 17_chat.lua 4000 [host]   the server, until Ctrl-C
--     nc localhost 4000                 a client; as many as you like
--
-- Each client has a task, which aw.Serve starts. When the task ends, however it
-- ends, aw.Serve closes the client's stream. Without arguments the server talks
-- to two clients of its own and ends.
local aw = require "aiowire"

local PATIENCE <const> = 60 -- seconds to say a name

-- A client that reads too slowly loses the oldest lines. It can neither stop
-- the others nor fill the memory.
local room <const> = aw.broadcast(100, "drop")

local function talk(client, name)
  for line in client:lines() do
    room:send(name .. ": " .. line)
  end
end

local function listen(client, inbox)
  for line in inbox:iter() do
    client:write(line, "\n")
  end
end

--- The body of the task of a client. Both halves run at the same time. The
--- first to end, at the end of the client's input, ends the other.
local function chat(_, client)
  client:write "Your name? "
  local name = aw.timeout(PATIENCE, client.read, client)
  if not name then
    return
  end
  local inbox <close> = room:subscribe()
  room:send(name .. " comes in")
  local ok, err = aw.pcall(aw.await,
    aw.Call(talk, client, name) | aw.Call(listen, client, inbox))
  room:send(name .. " leaves")
  if not ok then
    error(err, 0)
  end
end

--- A client that is gone, or silent, or writes endless lines, is no error of
--- the server.
local function gone(_, err)
  if not aw.is_system_error(err) and not aw.is_timeout(err) then
    error(err, 0)
  end
end

--- Two clients: Ann listens to Bob.
local function demo(port)
  local function come_in(name)
    local client = aw.tcp.connect("127.0.0.1", port)
    client:read_until "? "
    client:write(name, "\n")
    return client, client:read()
  end
  local ann <close> = come_in "Ann"
  local bob <close> = come_in "Bob"
  bob:write "hello\n":shutdown()
  for _ = 1, 3 do
    print(ann:read())
  end
end

aw.run(function()
  local server <close> = aw.tcp.listen(arg[2] or "127.0.0.1",
    tonumber(arg[1] or 0), { max_line = 1000 })
  local serve = aw.Serve(server, chat, gone, { max_connections = 1000 })
  local _, port = server:name()
  if not arg[1] then
    return aw.await(serve | aw.Call(demo, port))
  end
  print("listening on port " .. port)
  local stop = (aw.Signal "INT" | aw.Signal "TERM") / function()
    server:close() -- new clients are refused; the others have the grace
  end
  aw.await(serve | stop)
end, { grace = 1 })
