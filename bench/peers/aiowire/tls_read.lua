-- tls_read.lua PORT FOLDER: reads what comes and drops it.
local aw = require "aiowire"

local function drop(_, stream)
  repeat
    local chunk = stream:read_some()
  until not chunk
end

aw.run(function()
  local server = aw.tls.listen("127.0.0.1", arg[1], {
    cert = arg[2] .. "/cert.pem", key = arg[2] .. "/key.pem" })
  return aw.Serve(server, drop)
end)
