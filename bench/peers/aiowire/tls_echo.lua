-- tls_echo.lua PORT FOLDER: sends back what comes.
local aw = require "aiowire"

local function echo(_, stream)
  local chunk = stream:read_some()
  while chunk do
    stream:write(chunk)
    chunk = stream:read_some()
  end
end

aw.run(function()
  local server = aw.tls.listen("127.0.0.1", arg[1], { backlog = 1024,
    cert = arg[2] .. "/cert.pem", key = arg[2] .. "/key.pem" })
  return aw.Serve(server, echo)
end)
