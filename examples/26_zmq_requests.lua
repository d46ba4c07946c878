#!/usr/bin/env aiowire
-- A service and its clients. The address decides whether tasks, processes or
-- machines work together; the service may be killed and started again while
-- clients ask.
--
--   aiowire examples/26_zmq_requests.lua                  in one process
--   aiowire examples/26_zmq_requests.lua service ipc:///tmp/words
--   aiowire examples/26_zmq_requests.lua client ipc:///tmp/words 5
--   aiowire examples/26_zmq_requests.lua service "tcp://*:5590"
--   aiowire examples/26_zmq_requests.lua client tcp://127.0.0.1:5590 5
local aw = require "aiowire"
local zmq = require "aiowire.zmq"

local role, address, count = table.unpack(arg or {})
address = address or "inproc://words"

local functions = {}

function functions.upper(text)
  aw.sleep(0.001) -- stands for work
  return text:upper()
end

function functions.count(text)
  return #text, select(2, text:gsub("%S+", ""))
end

--- Answer `name, argument, ...` with the results of the function of that name.
local function call(_, name, ...)
  local f = functions[name] or error("no function '" .. name .. "'")
  return f(...)
end

local function service()
  local socket <close> = zmq.socket("router"):bind(address)
  aw.await(zmq.Service(socket, call, { concurrency = 10, timeout = 5,
    on_error = function(err)
      print("the service: " .. tostring(err):gsub("^.-:%d+: ", ""))
    end }))
end

local function client()
  for i = 1, count or 3 do
    local text = ("line %d of the client"):format(i)
    print(zmq.request(address, { "upper", text }))
    print(zmq.request(address, { "count", text }, { timeout = 1, retries = 9 }))
  end
  print(zmq.request(address, "nonsense"))
end

if role == "service" then
  aw.run(service)
elseif role == "client" then
  aw.run(client)
else
  aw.run(function()
    local serving <close> = aw.start(service)
    client()
    serving:cancel_wait()
  end)
end
