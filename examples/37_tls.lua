#!/usr/bin/env aiowire
-- An echo server with TLS, and a client that checks its certificate.
--
--     aiowire 37_tls.lua server PORT server.pem server.key
--     aiowire 37_tls.lua client HOST PORT [ca.pem]
--     openssl s_client -connect HOST:PORT -CAfile ca.pem
--
-- docs/tls.md says how these files are made. Without arguments both run in one
-- process, with a key that openssl makes for this run.
local aw = require "aiowire"

--- Returns a key and a certificate for localhost, signed by itself, as text.
local function make_certificate()
  return aw.exec { "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
    "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj",
    "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
    "-keyout", "-", "-out", "-", check = true }.out
end

--- The body of the task of a connection. The handshake is a part of the first
--- read, so a client without TLS fails here and disturbs nobody.
local function echo(_, client)
  for line in client:lines() do
    client:write(line, "\n")
  end
end

local function report(_, err)
  print("a client failed: " .. tostring(err))
end

local function serve(server)
  local host, port = server:name()
  print(("listening on %s, port %d"):format(host, port))
  return aw.Serve(server, echo, report, { max_connections = 1000 })
end

local function talk(host, port, ca)
  local stream <close> = aw.tls.connect(host, port, { ca = ca, timeout = 10 })
  local tls = stream:tls()
  print(tls.version, tls.certificate.subject)
  stream:write "hello\n"
  print(stream:read())
end

--- A client that looks for another server than this one.
local function mistake(port, ca)
  local ok, err = aw.pcall(aw.tls.connect, "localhost", port,
    { ca = ca, host = "other.example" })
  print(ok, aw.is_tls_error(err) and err.reason or err)
end

local function demo()
  local pem = make_certificate() -- its own authority
  local server <close> = aw.tls.listen("127.0.0.1", 0,
    { cert = pem, key = pem })
  local _, port = server:name()
  aw.await(serve(server) | aw.Call(function()
    talk("localhost", port, pem)
    mistake(port, pem)
  end))
end

aw.run(function()
  local role, a, b, c = table.unpack(arg or {})
  if role == "server" then
    local server <close> = aw.tls.listen(nil, tonumber(a),
      { cert = b, key = c })
    aw.await(serve(server))
  elseif role == "client" then
    talk(a, tonumber(b), c)
  else
    demo()
  end
end)
