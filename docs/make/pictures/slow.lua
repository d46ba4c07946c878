-- A server that sums up its log for each request, and a heartbeat beside it.

local aw = require "aiowire"

local log = ("GET /a 200 512\nGET /b 404 0\n"):rep(30000)

local function bytes_of(page)
  local sum = 0
  for path, bytes in log:gmatch "GET (%S+) %d+ (%d+)" do
    sum = path == page and sum + bytes or sum
  end
  return sum
end

local function answer(_, client)
  for page in client:lines() do
    client:write(bytes_of(page), "\n")
  end
end

local function ask(host, port)
  local stream <close> = aw.tcp.connect(host, port)
  for _, page in ipairs { "/a", "/b" } do
    aw.sleep(0.03)
    stream:write(page, "\n")
    stream:read()
  end
end

aw.run(function(ev)
  local door <close> = aw.tcp.listen("127.0.0.1", 0)
  ev:start(aw.Serve(door, answer):named "server", nil, { background = true })
  ev:start(aw.Sleep(0.02) * 6, nil, { name = "heartbeat" })
  ev:start(aw.Call(ask, door:name()), nil, { name = "client" }):wait()
end)
