-- luasocket_echo.lua PORT: sends back what comes, by LuaSocket's methods.
local aw = require "aiowire"
local socket = aw.socket

local function echo(client)
  client:setoption("tcp-nodelay", true)
  repeat
    local data = client:receive(64)
  until not data or not client:send(data)
  client:close()
end

aw.run(function(ev)
  local server = assert(socket.bind("127.0.0.1", arg[1], 1024))
  while true do
    ev:start(aw.Call(echo, assert(server:accept())))
  end
end)
