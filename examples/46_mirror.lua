-- Fetch 100 pages by LuaSocket's http, 8 at a time, and try again what fails.
--
-- socket.http makes its sockets by `create`. Those of aw.socket await, so the
-- eight requests of a moment wait at the same time. The server is in this file:
-- it refuses each tenth page at first.
local aw = require "aiowire"

local installed, http = pcall(require, "socket.http")
if not installed then
  print "skipped: LuaSocket is not installed"
  return
end
local ltn12 = require "ltn12"

local PAGES <const>, AT_A_TIME <const> = 100, 8

-- ---- the server ----

local refused = {}

local function answer(_, stream)
  local path = stream:read("l"):match "^GET (%S+)"
  repeat
    local header = stream:read "l"
  until not header or header == "\r"
  local status, text = "200 OK", "the text of " .. path
  if tonumber(path:match "%d+$") % 10 == 0 and not refused[path] then
    refused[path] = true
    status, text = "503 Service Unavailable", "later"
  end
  aw.sleep(0.005) -- so that requests meet
  stream:write("HTTP/1.1 ", status, "\r\nContent-Length: ", #text,
    "\r\nConnection: close\r\n\r\n", text)
end

-- ---- the mirror ----

local now, most, requests = 0, 0, 0

-- Return the text of a page. Raises if it is refused.
local function fetch(url)
  local parts = {}
  now, requests = now + 1, requests + 1
  most = math.max(most, now)
  local ok, status = http.request { url = url, sink = ltn12.sink.table(parts),
    create = aw.socket.tcp }
  now = now - 1
  if not ok or status ~= 200 then
    error(("%s: %s"):format(url, status), 0)
  end
  return table.concat(parts)
end

aw.run(function(ev)
  local server <close> = aw.tcp.listen("127.0.0.1", 0)
  ev:start(aw.Serve(server, answer), nil, { background = true })
  local _, port = server:name()

  local pages, fetches = {}, {}
  for i = 1, PAGES do
    local url = ("http://127.0.0.1:%d/page/%d"):format(port, i)
    local get = aw.Call(fetch, url):timeout(10)
      :retry { times = 3, delay = 0.01 }
    fetches[i] = function()
      pages[i] = aw.await(get)
    end
  end
  fetches.limit = AT_A_TIME
  aw.await(aw.All(fetches))

  print(("%d pages, at most %d at a time, %d tried again"):format(#pages, most,
    requests - PAGES))
  print(pages[1])
end)
