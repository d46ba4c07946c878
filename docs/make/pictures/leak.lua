-- A server with a watchdog for each request: it complains when ten minutes have
-- passed without an answer.

local aw = require "aiowire"

local REQUESTS <const> = tonumber(arg[1]) or 20

local function complain(request)
  aw.sleep(600)
  print("no answer: " .. request)
end

local function answer(ev, client)
  for request in client:lines() do
    ev:start(aw.Call(complain, request), nil,
      { name = "watchdog", background = true })
    client:write(request:upper(), "\n")
  end
end

local function ask(host, port)
  local stream <close> = aw.tcp.connect(host, port)
  for i = 1, REQUESTS do
    stream:write("page ", i, "\n")
    stream:read()
    aw.sleep(0.005)
  end
end

local door <close> = aw.tcp.listen("127.0.0.1", 0)
local ev <close> = aw.EventLoop()
ev:start(aw.Serve(door, answer):named "server", nil, { background = true })
ev:start(aw.Call(ask, door:name()), nil, { name = "client" })
