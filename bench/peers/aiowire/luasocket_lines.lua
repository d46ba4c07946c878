-- luasocket_lines.lua N PORT: reads N lines from a connection, by LuaSocket's
-- methods.
local aw = require "aiowire"

aw.run(function()
  local server = assert(aw.socket.bind("127.0.0.1", arg[2]))
  local client = assert(server:accept())
  for _ = 0, tonumber(arg[1]) do
    client:receive "*l"
  end
end)
