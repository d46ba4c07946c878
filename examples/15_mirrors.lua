#!/usr/bin/env aiowire
-- A client that tries three mirrors, in two ways. Both are wires.
--
--     aiowire 15_mirrors.lua /file host:port host:port host:port
--
-- The patient way asks one mirror after the other. The hasty way asks the next
-- one as soon as the mirror before it is late, and takes the first answer. In
-- both ways a try that is given up has closed its connection before anything
-- else happens. Without arguments it asks three mirrors of its own.
local aw = require "aiowire"

local LATE <const> = 0.1 -- seconds

--- Get a file. Raises an error unless the mirror sends as much as it says.
local function get(mirror, path)
  local stream <close> = aw.tcp.connect(mirror.host, mirror.port)
  stream:write("GET ", path, " HTTP/1.0\r\nHost: ", mirror.host, "\r\n\r\n")
  local header = stream:read_until "\r\n\r\n" or "nothing"
  if not header:find "^HTTP/1%.%d 200 " then
    error(mirror.host .. ": " .. header:match "[^\r\n]*", 0)
  end
  local text = stream:read "a"
  if #text ~= tonumber(header:lower():match "\ncontent%-length: *(%d+)") then
    error(mirror.host .. ": the file is cut short", 0)
  end
  return text
end

--- A try lasts a second at most, and a mirror gets two tries.
local function try(mirror, path)
  return aw.Call(get, mirror, path):timeout(10 * LATE)
    :retry { times = 2, delay = 0.02 }
end

local function patient(mirrors, path)
  return try(mirrors[1], path) // try(mirrors[2], path) // try(mirrors[3], path)
end

local function hasty(mirrors, path)
  return aw.Any {
    try(mirrors[1], path),
    aw.Sleep(LATE) >> try(mirrors[2], path),
    aw.Sleep(2 * LATE) >> try(mirrors[3], path),
  }
end

-- ---- mirrors for a run without arguments ----

--- Run `f(mirrors)` beside three mirrors: nobody listens at the first, the
--- second says nothing, and the third works at every second try.
local function with_mirrors(f)
  local mirrors, servers, tries = {}, {}, 0
  for i = 1, 3 do
    servers[i] = aw.tcp.listen("127.0.0.1", 0)
    local host, port = servers[i]:name()
    mirrors[i] = { host = host, port = port }
  end
  servers[1]:close()
  local silent = aw.Serve(servers[2], function(_, stream)
    stream:read "a" -- ends when the client gives up
  end)
  local moody = aw.Serve(servers[3], function(_, stream)
    stream:read_until "\r\n\r\n"
    tries = tries + 1
    stream:write(tries % 2 == 1 and "HTTP/1.0 503 Busy\r\n\r\n"
      or "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello")
  end)
  aw.await(silent | moody | aw.Call(f, mirrors))
  servers[2]:close()
  servers[3]:close()
end

aw.run(function()
  if not arg[1] then
    return with_mirrors(function(mirrors)
      print("patient", aw.await(patient(mirrors, "/")))
      print("hasty", aw.await(hasty(mirrors, "/")))
    end)
  end
  local mirrors = {}
  for i = 1, 3 do
    local host, port = arg[i + 1]:match "^(.*):(%d+)$"
    mirrors[i] = { host = host, port = tonumber(port) }
  end
  io.write(aw.await(patient(mirrors, arg[1])))
end)
