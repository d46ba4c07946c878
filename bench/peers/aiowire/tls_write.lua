-- tls_write.lua PORT FOLDER: answers each byte with a MiB, in pieces of 64 KiB.
local aw = require "aiowire"

local piece <const> = ("x"):rep(65536)

local function answer(_, stream)
  while stream:read(1) do
    for _ = 1, 16 do
      stream:write(piece)
    end
  end
end

aw.run(function()
  local server = aw.tls.listen("127.0.0.1", arg[1], {
    cert = arg[2] .. "/cert.pem", key = arg[2] .. "/key.pem" })
  return aw.Serve(server, answer)
end)
