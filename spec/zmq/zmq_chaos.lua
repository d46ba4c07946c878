--- A hub and its peers, for a run in which peers are killed again and again. As
--- a script, this is a peer, which works until it is told to stop or is killed:
---
---   zmq_chaos.lua NAME NUMBERS TICKS
---
--- A peer sends numbers to the hub, in order, and the hub accepts each number
--- once. The hub is a ROUTER, NUMBERS is its address. At most WINDOW numbers
--- are not acknowledged. A peer that was started again learns by the first
--- acknowledgement what the one before it has achieved.
---
---   peer ► hub   "where"               hub ► peer   number accepted last
---   peer ► hub   number, parts of a message of zmq_parts.lua
---
--- The hub publishes ticks, also numbered, at the address TICKS; the last ones
--- have the text "stop". The peer writes to its stdout, a pipe to the hub:
---
---   acked NUMBER     each time more has been acknowledged
---   tick NUMBER      for each tick
---   done NUMBER      the last number that it sent, once all are acknowledged
---   bad WHAT

local aw = require "aiowire"
local zmq = require "aiowire.zmq"
local new_message = require("spec.zmq.zmq_parts").new

local M = { WINDOW = 10 }

local function say(what, number)
  io.stdout:write(what, " ", number, "\n")
end

--- Send numbers until `stopped`, then wait for the rest.
local function count(numbers, stopped)
  numbers:send "where"
  local acked = tonumber((numbers:recv()))
  local sent = acked
  say("acked", acked)
  while acked < sent or not stopped:is_set() do
    while sent < acked + M.WINDOW and not stopped:is_set() do
      sent = sent + 1
      numbers:send(sent, table.unpack(new_message(math.random)))
    end
    local number = tonumber((numbers:recv()))
    if number > acked then
      acked, sent = number, math.max(sent, number)
      say("acked", acked)
    end
  end
  say("done", sent)
end

local function listen(ticks, stopped)
  while true do
    local number, text = ticks:recv()
    if text == "stop" then
      stopped:set()
    else
      say("tick", number)
    end
  end
end

local function peer(name, numbers_address, ticks_address)
  local numbers <close> = zmq.socket("dealer", { routing_id = name })
    :connect(numbers_address)
  local ticks <close> = zmq.socket("sub"):subscribe "":connect(ticks_address)
  local stopped = aw.event()
  aw.await(aw.Call(count, numbers, stopped) | aw.Call(listen, ticks, stopped))
end

if ... ~= "spec.zmq.zmq_chaos" then
  io.stdout:setvbuf "line"
  aw.run(aw.Call(peer, ...))
end

return M
