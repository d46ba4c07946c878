#!/usr/bin/env aiowire
-- A server of HTTP/1.1 on one page. It sends the files of a folder.
--
--     aiowire 18_http.lua 8080 folder [host]    the server, until Ctrl-C
--     curl http://localhost:8080/index.html
--     wrk -c 100 http://localhost:8080/
--
-- A client may send one request after the other. One that says nothing, or does
-- not read, is left after PATIENCE seconds. Without arguments the server
-- answers a client of its own and ends.
local aw = require "aiowire"

local PATIENCE <const> = 10 -- seconds for a header, or to take CHUNK bytes
local CHUNK <const> = 64 * 1024
local MAX_HEADER <const> = 8192
local TYPES <const> = { html = "text/html", css = "text/css",
  js = "text/javascript", png = "image/png", txt = "text/plain" }

local function send(client, ...)
  aw.timeout(PATIENCE, client.write, client, ...)
end

local function head(status, size, more)
  return ("HTTP/1.1 %s\r\nContent-Length: %d\r\n%s\r\n"):format(status, size,
    more or "")
end

--- Open the file that a target such as "/a%20b?x" names; nil for a folder, for
--- what is not there, and for paths with a name that begins with a dot, such as
--- ".git" or "..". The folder itself is trusted: links in it are followed.
local function open(root, target)
  local path = target:gsub("[?#].*", ""):gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end)
  if path:find "%z" or not path:find "^/" or path:find "/%." then
    return nil
  end
  path = root .. path:gsub("/$", "/index.html")
  local folder <close> = io.open(path .. "/.")
  return not folder and io.open(path, "rb") or nil,
    TYPES[path:match "%.(%w+)$"] or "application/octet-stream"
end

--- Send a file in pieces: a large one never is in memory as a whole.
local function send_file(client, file, type, has_body)
  local left = file:seek "end"
  file:seek "set"
  send(client, head("200 OK", left, "Content-Type: " .. type .. "\r\n"))
  while has_body and left > 0 do
    local bytes = assert(file:read(math.min(left, CHUNK)), "the file shrinks")
    send(client, bytes)
    left = left - #bytes
  end
end

--- Answer one request. Returns true if another one may follow: not after one
--- with a body, which would look like a request.
local function answer(client, root, request)
  local method, target, minor = request:match "^(%u+) (%S+) HTTP/1%.(%d)\r?"
  if method ~= "GET" and method ~= "HEAD" then
    send(client, head(method and "405 Method Not Allowed" or "400 Bad Request",
      0, "Allow: GET, HEAD\r\nConnection: close\r\n"))
    return false
  end
  local file <close>, type = open(root, target)
  if file then
    send_file(client, file, type, method == "GET")
  else
    send(client, head("404 Not Found", 0))
  end
  local fields = request:lower()
  return minor == "1" and not fields:find "\nconnection: *close"
    and not fields:find "\ntransfer%-encoding *:"
    and not fields:find "\ncontent%-length *: *[1-9]"
end

--- The body of the task of a connection. aw.Serve closes the connection.
local function http(root)
  return function(_, client)
    repeat
      local request = aw.timeout(PATIENCE, client.read_until, client,
        "\r\n\r\n", MAX_HEADER)
    until not request or not answer(client, root, request)
  end
end

--- A client that is gone or silent is no error of the server.
local function gone(_, err)
  if not aw.is_system_error(err) and not aw.is_timeout(err) then
    error(err, 0)
  end
end

--- A client that sends three requests at once.
local function demo(port)
  local client <close> = aw.tcp.connect("127.0.0.1", port)
  client:write("GET /18_http.lua HTTP/1.1\r\n\r\n",
    "HEAD /%2e%2e/README.md HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
  local size = tonumber(client:read_until "\r\n\r\n":match "Length: (%d+)")
  print("a file", client:read(size):match "[^\n]*")
  print("above the folder", client:read_until "\r\n\r\n":match "[^\r]*")
  print("no index", client:read_until "\r\n\r\n":match "[^\r]*")
  print("then", client:read())
end

aw.run(function()
  local root = arg[2] or arg[1] and "." or arg[0]:match "^(.*)/" or "."
  local server <close> = aw.tcp.listen(arg[3] or "127.0.0.1",
    tonumber(arg[1] or 0))
  local serve = aw.Serve(server, http(root), gone, { max_connections = 1000 })
  local _, port = server:name()
  if not arg[1] then
    return aw.await(serve | aw.Call(demo, port))
  end
  print("listening on port " .. port)
  local stop = (aw.Signal "INT" | aw.Signal "TERM") / function()
    server:close() -- new clients are refused; the others have the grace
  end
  aw.await(serve | stop)
end, { grace = 5 })
