-- tls_connect.lua N PORT FOLDER: connects N times, sends 64 bytes and gets them
-- back.
local aw = require "aiowire"

local request <const> = ("x"):rep(64)
local options <const> = { ca = arg[3] .. "/cert.pem" }

aw.run(function()
  for _ = 1, arg[1] do
    local stream <close> = aw.tls.connect("127.0.0.1", arg[2], options)
    stream:write(request)
    assert(#stream:read(64) == 64)
  end
end)
