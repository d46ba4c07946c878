-- tcp_echo.lua PORT: sends back what comes.
local aw = require "aiowire"

local function echo(_, stream)
  local chunk = stream:read_some()
  while chunk do
    stream:write(chunk)
    chunk = stream:read_some()
  end
end

aw.run(function()
  local server = aw.tcp.listen("127.0.0.1", arg[1], { backlog = 1024 })
  return aw.Serve(server, echo)
end)
