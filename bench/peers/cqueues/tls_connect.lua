-- tls_connect.lua N PORT FOLDER: connects N times, sends 64 bytes and gets them
-- back.
local cqueues = require "cqueues"
local context = require "openssl.ssl.context"
local socket = require "cqueues.socket"
local ssl = require "openssl.ssl"
local store = require "openssl.x509.store"
local verify = require "openssl.x509.verify_param"

local request = ("x"):rep(64)
local tls = context.new("TLS", false)
local trusted = store.new()
trusted:add(arg[3] .. "/cert.pem")
tls:setStore(trusted)
tls:setVerify(context.VERIFY_PEER)

local queue = cqueues.new()
queue:wrap(function()
  for _ = 1, arg[1] do
    local stream = socket.connect { host = "127.0.0.1", port = arg[2],
      nodelay = true }
    stream:setmode("b", "bn")
    local connection = ssl.new(tls)
    local parameters = verify.new()
    parameters:setIP("127.0.0.1")
    connection:setParam(parameters)
    assert(stream:starttls(connection))
    stream:write(request)
    assert(#stream:read(64) == 64)
    stream:close()
  end
end)
assert(queue:loop())
