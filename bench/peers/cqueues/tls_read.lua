-- tls_read.lua PORT FOLDER: reads what comes and drops it.
local cqueues = require "cqueues"
local context = require "openssl.ssl.context"
local pkey = require "openssl.pkey"
local socket = require "cqueues.socket"
local x509 = require "openssl.x509"

local function content(name)
  local file <close> = assert(io.open(arg[2] .. "/" .. name))
  return file:read "a"
end

local tls = context.new("TLS", true)
tls:setCertificate(x509.new(content "cert.pem"))
tls:setPrivateKey(pkey.new(content "key.pem"))

local queue = cqueues.new()
local server = socket.listen { host = "127.0.0.1", port = arg[1],
  nodelay = true }

queue:wrap(function()
  for client in server:clients { nodelay = true } do
    client:setmode("b", "bn")
    queue:wrap(function()
      if client:starttls(tls) then
        repeat
          local chunk = client:read(-65536)
        until not chunk
      end
      client:close()
    end)
  end
end)
assert(queue:loop())
