#!/usr/bin/env aiowire
-- A web hook that starts a program: lua-http serves, and runs unchanged in a
-- task.
--
--   aiowire examples/43_web_hook.lua 8080 make deploy
--   curl -d '{"ref": "main"}' http://127.0.0.1:8080/deploy
--
--   aiowire examples/43_web_hook.lua        calls its own hook, and ends
--
-- lua-http waits by cqueues, so its controller runs as a wire. The function
-- `answer` is called in a coroutine of cqueues, which cannot await:
-- others.await calls the program in a task, and lets only this coroutine wait.
-- One program runs at a time, and none longer than LIMIT. Needs Debian's
-- lua-http.
local aw = require "aiowire"
local others = require "aiowire.cqueues"

-- Debian has lua-http for older versions of Lua only; it runs under 5.4, too.
package.path = package.path
  .. ";/usr/share/lua/5.3/?.lua;/usr/share/lua/5.1/?.lua"
local installed, http = pcall(require, "http.server")
if not installed then
  print "lua-http is not installed"
  return
end
local cqueues = require "cqueues"
local headers = require "http.headers"

local LIMIT <const> = 60 -- seconds

local port, command = tonumber(arg[1]), table.move(arg, 2, #arg, 1, {})
if #command == 0 then
  command = { "wc", "-c" }
end

local one_at_a_time = aw.semaphore(1)

--- Run the command with the body of the request as its input.
local function run_command(body)
  local _ <close> = one_at_a_time:acquire()
  local options = table.move(command, 1, #command, 1, { stdin = body })
  return aw.timeout(LIMIT, aw.exec, options)
end

--- Send a status and a text.
local function respond(stream, status, text)
  local head = headers.new()
  head:append(":status", status)
  head:append("content-type", "text/plain")
  assert(stream:write_headers(head, false))
  assert(stream:write_chunk(text, true))
end

--- Answer a request. What lua-http calls looks as in any program with lua-http.
local function answer(_, stream)
  local request = assert(stream:get_headers())
  if request:get ":method" ~= "POST" or request:get ":path" ~= "/deploy" then
    return respond(stream, "404", "POST /deploy\n")
  end
  local body = assert(stream:get_body_as_string(LIMIT))
  local ok, result = pcall(others.await, run_command, body)
  if ok and result.code == 0 then
    respond(stream, "200", result.out)
  else
    respond(stream, "500", ok and result.err or tostring(result))
  end
end

local controller = cqueues.new()
local server = assert(http.listen { host = "127.0.0.1", port = port or 0,
  tls = false, cq = controller, onstream = answer,
  onerror = function(_, _, operation, err)
    io.stderr:write(operation, ": ", tostring(err), "\n")
  end })
assert(server:listen())
local _, _, bound = server:localname()

--- Call the hook by a stream of ours, and print the answer.
local function call(path, body)
  local stream <close> = aw.tcp.connect("127.0.0.1", bound)
  stream:write(("POST %s HTTP/1.0\r\nContent-Length: %d\r\n\r\n%s"):format(
    path, #body, body))
  local status = stream:read "l":match " (%d+)"
  local text = stream:read "a":match "\r\n\r\n(.*)$"
  io.write(path, " ", status, " ", text)
end

if port then
  print("waiting for hooks on port " .. bound)
  aw.run(others.Drive(controller))
else
  aw.run(others.Drive(controller) | aw.Call(function()
    call("/deploy", '{"ref": "main"}')
    call("/other", "")
  end))
end
server:close()
controller:close()
