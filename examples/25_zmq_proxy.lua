#!/usr/bin/env aiowire
-- A forwarder: publishers connect to one address, subscribers to another, and
-- neither knows the other. An admin pauses it, asks for its statistics, and
-- ends it. Run all in one process:
--   aiowire examples/25_zmq_proxy.lua
-- or each in a process of its own, over tcp, with the argument forwarder,
-- publisher, subscriber, or a command: PAUSE, RESUME, STATISTICS, TERMINATE.
local aw = require "aiowire"
local zmq = require "aiowire.zmq"

local role = arg and arg[1]
local function address(name, port)
  return role and "tcp://127.0.0.1:" .. port or "inproc://" .. name
end
local NEWS <const> = address("news", 5590) -- from the publishers
local READERS <const> = address("readers", 5591)
local CONTROL <const> = address("control", 5592)

local parts = {}

function parts.forwarder()
  local front <close> = zmq.socket("xsub"):bind(NEWS)
  local back <close> = zmq.socket("xpub"):bind(READERS)
  local control <close> = zmq.socket("rep"):bind(CONTROL)
  aw.await(zmq.Proxy(front, back, nil, control))
  print "the forwarder ends"
end

function parts.publisher()
  local s <close> = zmq.socket("xpub"):connect(NEWS)
  s:recv() -- a subscription, which came through the forwarder
  for i = 1, 3 do
    s:send("weather", "day " .. i)
    s:send("sport", "nobody reads this")
  end
end

function parts.subscriber()
  local s <close> = zmq.socket("sub"):connect(READERS):subscribe "weather"
  for _ = 1, 3 do
    print(s:recv())
  end
end

local function command(word)
  local s <close> = zmq.socket("req"):connect(CONTROL)
  s:send(word)
  local reply = s:recv_multipart()
  if #reply > 1 then -- the statistics: numbers of 64 bits
    local from_front, bytes = string.unpack("=I8 =I8", reply[1] .. reply[2])
    print(("%d messages with %d bytes from publishers"):format(from_front,
      bytes))
  else
    print(word .. " done")
  end
end

local function all(ev)
  ev:start(aw.Wire(parts.forwarder):named "forwarder")
  ev:start(aw.Wire(parts.publisher):named "publisher")
  aw.await(aw.Wire(parts.subscriber):named "subscriber")
  for _, word in ipairs { "PAUSE", "STATISTICS", "RESUME", "TERMINATE" } do
    command(word)
  end
end

aw.run(function(ev)
  if role and parts[role] then
    parts[role]()
  elseif role then
    command(role)
  else
    all(ev)
  end
end)
