#!/usr/bin/env aiowire
-- Fetch pages over HTTPS, several at the same time.
--
--     aiowire 38_https_get.lua https://example.org/ https://example.com/a
--
-- Each page has LIMIT seconds for everything: the look-up of the name, the
-- connection, the handshake and the answer. Without arguments a server in this
-- process answers, whose key openssl makes for this run.
local aw = require "aiowire"

local LIMIT <const> = 10
local MAX_BODY <const> = 16 * 1024 * 1024

--- Returns host, port and path of a URL.
local function parts_of(url)
  local place, path = url:match "^https://([^/?#]+)([^#]*)"
  local host, port = (place or ""):match "^(.-):?(%d*)$"
  if not place or host == "" then
    error("no URL of https: " .. url, 2)
  end
  return host, tonumber(port) or 443, path:find "^/" and path or "/" .. path
end

--- Returns the fields of a header as a table; their names in lower case.
local function fields_of(header)
  local fields = {}
  for name, value in header:gmatch "\n([^:\r\n]+):%s*([^\r\n]*)" do
    fields[name:lower()] = value
  end
  return fields
end

--- Read a body that comes in chunks, each with its size in front.
local function read_chunks(stream)
  local chunks, total = {}, 0
  repeat
    local digits = (stream:read() or ""):match "^%x+"
    local size = digits and #digits <= 8 and tonumber(digits, 16) or math.huge
    total = total + size
    if total > MAX_BODY then
      error("a body that is cut, bad or too large", 0)
    end
    chunks[#chunks + 1] = stream:read(size)
    stream:read() -- the end of the line
  until size == 0
  return table.concat(chunks)
end

--- Read the answer. A body without a length ends with the stream; TLS raises an
--- error if the stream was cut, so a short body is never taken for a whole one.
local function read_answer(stream)
  local header = stream:read_until("\r\n\r\n", 65536)
  local status = header and header:match "^HTTP/1%.%d (%d%d%d)"
  if not status then
    error("no answer of HTTP", 0)
  end
  local fields = fields_of(header)
  local length = tonumber(fields["content-length"])
  if (fields["transfer-encoding"] or ""):lower() == "chunked" then
    return tonumber(status), read_chunks(stream)
  elseif length and length > MAX_BODY then
    error("a body of " .. length .. " bytes", 0)
  end
  local body = stream:read(length or "a")
  if #body < (length or 0) then
    error(("%d bytes of %d"):format(#body, length), 0)
  end
  return tonumber(status), body
end

--- Fetch a page. `ca` is who is trusted, by default those of the system.
local function get(url, ca)
  local host, port, path = parts_of(url)
  local stream <close> = aw.tls.connect(host, port,
    { ca = ca, alpn = { "http/1.1" }, max_output = MAX_BODY })
  stream:write(("GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n")
    :format(path, host))
  return read_answer(stream)
end

--- Fetch all pages at the same time. A failure stops no other page.
local function get_all(urls, ca)
  local pages = {}
  for i, url in ipairs(urls) do
    pages[i] = aw.Call(get, url, ca):timeout(LIMIT)
  end
  for i, how in ipairs(aw.settle(pages)) do
    if how.ok then
      print(urls[i], how[1], #how[2] .. " bytes")
    else
      print(urls[i], how.err)
    end
  end
end

-- A server to talk to -------------------------------------------------------

local ANSWERS <const> = {
  ["/length"] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
  ["/chunks"] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    .. "6\r\nhello \r\n5\r\nworld\r\n0\r\n\r\n",
  ["/bad"] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    .. "5\r\nhello\r\nno size\r\n",
  ["/end"] = "HTTP/1.1 200 OK\r\n\r\nuntil the end",
  ["/cut"] = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nnot all of it",
}

local function answer(_, client)
  local path = client:read_until("\r\n\r\n", 8192):match "^GET (%S+)"
  client:write(ANSWERS[path] or "HTTP/1.1 404 Not Found\r\n\r\n")
end

local function demo()
  local pem = aw.exec { "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
    "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj",
    "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
    "-keyout", "-", "-out", "-", check = true }.out
  local server <close> = aw.tls.listen("127.0.0.1", 0,
    { cert = pem, key = pem, alpn = { "http/1.1" } })
  local _, port = server:name()
  local place = "https://localhost:" .. port
  local function ignore() end -- clients that fail
  aw.await(aw.Serve(server, answer, ignore) | aw.Call(function()
    get_all({ place .. "/length", place .. "/chunks", place .. "/end",
      place .. "/bad", place .. "/cut", place .. "/none" }, pem)
    get_all { place .. "/length" } -- the system does not know this server
  end))
end

aw.run(function()
  if arg and arg[1] then
    get_all(arg)
  else
    demo()
  end
end)
