#!/usr/bin/env aiowire
-- A server that was written for luv, beside tasks with time-outs.
--
--   aiowire examples/44_luv_server.lua
--
-- `serve` uses luv alone: handles and callbacks. luv's loop runs as a wire, so
-- tasks of ours can be its clients, and a time-out cuts one of them short. The
-- Drive ends when the server is closed and nothing in luv's loop is alive.
-- Needs Debian's lua-luv.
local aw = require "aiowire"

local installed, uv = pcall(require, "luv")
if not installed then
  print "luv is not installed"
  return
end
local others = require "aiowire.luv"

--- Serve lines in capitals, each after so many ms as it is long.
local function serve()
  local server = uv.new_tcp()
  server:bind("127.0.0.1", 0)
  server:listen(16, function(err)
    assert(not err, err)
    local client, timer = uv.new_tcp(), uv.new_timer()
    server:accept(client)
    client:read_start(function(failure, chunk)
      if failure or not chunk then
        timer:close()
        client:close()
        return
      end
      timer:start(#chunk, 0, function()
        client:write(chunk:upper())
      end)
    end)
  end)
  return server
end

--- Ask the server by a stream of ours.
local function ask(port, line)
  local stream <close> = aw.tcp.connect("127.0.0.1", port)
  stream:write(line, "\n")
  return stream:read "l"
end

local function ask_in_time(port, line, seconds)
  local answer = aw.await(aw.Call(ask, port, line):timeout(seconds)
    // aw.Value "too late")
  print(line:sub(1, 10), answer:sub(1, 10))
end

local server = serve()
local port = server:getsockname().port
aw.run(others.Drive() & aw.Call(function()
  aw.run(aw.Call(ask_in_time, port, "hello", 10)
    & aw.Call(ask_in_time, port, ("slow "):rep(1000), 0.05))
  server:close()
end))
