-- poller.lua N ACTIVE/ALL: N datagrams, in rounds of ACTIVE, on some of ALL
-- sockets that are watched, after a first round of all and one of ACTIVE. Each
-- socket is connected to itself.
local cqueues = require "cqueues"
local socket = require "socket"

local active, all = arg[2]:match "(%d+)/(%d+)"
active, all = tonumber(active), tonumber(all)
local left = active + tonumber(arg[1])
local sockets, awaited = {}, 0
local queue = cqueues.new()
local done = false

local function send(count)
  awaited = count
  for i = 1, count do
    sockets[i]:send "x"
  end
end

local function got_one()
  awaited = awaited - 1
  if awaited > 0 then
    return
  elseif left == 0 then
    done = true
  else
    local count = math.min(left, active)
    left = left - count
    send(count)
  end
end

for i = 1, all do
  local s = socket.udp()
  s:setsockname("127.0.0.1", 0)
  s:setpeername(s:getsockname())
  sockets[i] = s
  local readable = { pollfd = s:getfd(), events = "r" }
  queue:wrap(function()
    while true do
      cqueues.poll(readable)
      s:receive()
      got_one()
    end
  end)
end

send(all)
while not done do
  assert(queue:step())
end
