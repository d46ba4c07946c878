-- tcp_copy.lua N PORT: copies N megabytes from one connection to the next.
local aw = require "aiowire"

aw.run(function()
  local server <close> = aw.tcp.listen("127.0.0.1", arg[2])
  local from <close> = server:accept()
  local to <close> = server:accept()
  aw.copy(from, to)
end)
