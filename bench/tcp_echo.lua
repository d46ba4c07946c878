-- tcp_echo.lua: an echo server on aiowire, a task for each connection.
--
--   aiowire bench/tcp_echo.lua     prints its port, and serves until TERM
--
-- After USR1 it prints the bytes of live Lua objects and of the C core.
-- Neighbours: the same server on other libraries, tcp_echo.c and tcp_echo_*.

local aw = require "aiowire"

local function print_memory()
  collectgarbage()
  collectgarbage()
  print(collectgarbage "count" * 1024 + aw.stats().bytes)
  io.stdout:flush()
end

aw.run(function(ev)
  local server <close> = aw.tcp.listen("127.0.0.1", 0, { backlog = 1024 })
  ev:start(function()
    while true do
      aw.signal "USR1"
      print_memory()
    end
  end)
  local _, port = server:name()
  print(port)
  io.stdout:flush()

  aw.await(aw.Serve(server, function(_, stream)
    local chunk = stream:read_some()
    while chunk do
      stream:write(chunk)
      chunk = stream:read_some()
    end
  end))
end)
