#!/usr/bin/env aiowire
-- TLS that begins in the middle of a connection, as in SMTP, IMAP or FTP: a
-- small mail server, and a client that sends a letter to it. The client goes on
-- only with TLS: a server that does not offer it gets no letter.
--
--     aiowire 39_starttls.lua
local aw = require "aiowire"

local PATIENCE <const> = 10 -- seconds for a line

local function read_line(stream)
  local line = aw.timeout(PATIENCE, stream.read, stream)
  return (line or error("the peer has gone", 0)):gsub("\r$", "")
end

local function say(stream, ...)
  stream:write(table.concat({ ... }, "\r\n"), "\r\n")
end

-- The server ------------------------------------------------------------------

--- Read the letter up to the line with a dot.
local function read_letter(client)
  local lines = {}
  say(client, "354 go on")
  for line in read_line, client do
    if line == "." then
      break
    end
    lines[#lines + 1] = line:gsub("^%.", "")
  end
  return lines
end

--- Serve one client; `certificate` has a certificate and its key.
local function mail_server(certificate)
  local commands = {}

  function commands.EHLO(client)
    say(client, "250-mail.example", client:tls() and "250 8BITMIME"
      or "250 STARTTLS")
  end

  function commands.STARTTLS(client)
    if client:tls() then
      return say(client, "503 TLS it is already")
    end
    say(client, "220 begin")
    client:starttls { server = true, cert = certificate, key = certificate }
  end

  function commands.DATA(client)
    if not client:tls() then
      return say(client, "530 only with TLS")
    end
    local letter = read_letter(client)
    print("a letter of " .. #letter .. " lines, by " .. client:tls().version)
    say(client, "250 taken")
  end

  return function(_, client)
    say(client, "220 mail.example")
    for line in read_line, client do
      local word = line:upper():match "^%a+"
      if word == "QUIT" then
        return say(client, "221 bye")
      elseif commands[word] then
        commands[word](client)
      else
        say(client, "250 fine")
      end
    end
  end
end

-- The client ------------------------------------------------------------------

--- Send a command, and return the lines of the answer. Raises an error for the
--- code of a failure.
local function command(stream, text)
  if text then
    say(stream, text)
  end
  local lines = {}
  repeat
    lines[#lines + 1] = read_line(stream)
  until lines[#lines]:find "^%d%d%d[^-]" or #lines > 100
  if lines[#lines]:find "^[45]" then
    error(("%s: %s"):format(text, lines[#lines]), 0)
  end
  return table.concat(lines, "\n")
end

local function send_letter(host, port, letter, options)
  local stream <close> = aw.tcp.connect(host, port, { timeout = PATIENCE })
  command(stream)
  if not command(stream, "EHLO me.example"):find "%f[%u]STARTTLS%f[%U]" then
    error("the server has no TLS", 0)
  end
  command(stream, "STARTTLS")
  stream:starttls(options)
  command(stream, "EHLO me.example") -- what was said before may be forged
  command(stream, "MAIL FROM:<me@me.example>")
  command(stream, "RCPT TO:<you@mail.example>")
  command(stream, "DATA")
  say(stream, table.unpack(letter))
  command(stream, ".")
  command(stream, "QUIT")
end

aw.run(function()
  local pem = aw.exec { "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
    "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj",
    "/CN=mail.example", "-addext", "subjectAltName=DNS:mail.example",
    "-keyout", "-", "-out", "-", check = true }.out
  local server <close> = aw.tcp.listen("127.0.0.1", 0)
  local host, port = server:name()
  aw.await(aw.Serve(server, mail_server(pem)) | aw.Call(function()
    send_letter(host, port, { "Subject: hello", "", "This is a letter." },
      { host = "mail.example", ca = pem })
  end))
end)
