--- Messages whose parts show if one is missing or comes from another message.
--- As a script, this is a peer that sends or receives them until it is killed.
---
---   zmq_parts.lua send TYPE ADDRESS      prints "sent" once
---   zmq_parts.lua receive TYPE ADDRESS   prints "good" or "bad" each time

local M = {}

--- Returns a message of 2 to 9 parts. The first has the number of parts and a
--- random word, each other its position and that word.
function M.new(random)
  local parts, word = {}, ("%08x"):format(random(0xffffffff))
  local count = random(2, 9)
  parts[1] = ("%d %s"):format(count, word)
  for i = 2, count do
    parts[i] = ("%d %s%s"):format(i, word, ("x"):rep(random(0, 60)))
  end
  return parts
end

--- Tells whether `parts` are all parts of one such message, in order.
function M.is_well_formed(parts)
  local count, word = (parts[1] or ""):match "^(%d+) (%x+)$"
  if not count or tonumber(count) ~= #parts then
    return false
  end
  for i = 2, #parts do
    local place, same = parts[i]:match "^(%d+) (%x%x%x%x%x%x%x%x)"
    if tonumber(place) ~= i or same ~= word then
      return false
    end
  end
  return true
end

if ... == "spec.zmq.zmq_parts" then
  return M
end

local role, type, address = ...
local aw = require "aiowire"
local socket = require("aiowire.zmq").socket(type, { linger = 0 })
socket:connect(address)

local function send()
  socket:send_multipart(M.new(math.random))
  io.stdout:write "sent\n"
  while true do
    socket:send_multipart(M.new(math.random))
  end
end

local function receive()
  while true do
    local whole = M.is_well_formed(socket:recv_multipart())
    io.stdout:write(whole and "good\n" or "bad\n")
  end
end

io.stdout:setvbuf "no"
aw.run(role == "send" and send or receive)
