-- tcp_copy.lua: aw.copy from one connection to another.
--
--   aiowire bench/tcp_copy.lua     prints its port, takes two connections, and
--                                  copies what comes from the first to the
--                                  second
--
-- Neighbour: tcp_copy.c does the same.

local aw = require "aiowire"

aw.run(function()
  local server <close> = aw.tcp.listen("127.0.0.1", 0)
  local _, port = server:name()
  print(port)
  io.stdout:flush()
  local from <close> = server:accept()
  local to <close> = server:accept()
  aw.copy(from, to)
  to:shutdown()
  aw.sleep(3600) -- until tcp.lua ends it, after the CPU time was read
end)
