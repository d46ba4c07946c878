#!/usr/bin/env aiowire
-- Standard input and a countdown in one loop: type lines, or just wait.
--
-- A Poller calls back each time one of its sources is ready. It works for a
-- terminal, a pipe, a file and /dev/null: at the end of its input the callback
-- unregisters the source.
--
--   aiowire examples/07_poller.lua
--   ls | aiowire examples/07_poller.lua
local aw = require "aiowire"

local seconds = 3
local poller

local function read()
  local line = io.read "l"
  if not line then
    print "end of input"
    poller:unregister(io.stdin)
    return
  end
  print(("you said %q"):format(line))
  -- A returned wire runs beside the next callback.
  return aw.Sleep(0.05) >> aw.Call(print, ("still thinking of %q"):format(line))
end

poller = aw.Poller { [io.stdin] = read }

local function tick()
  print(seconds .. " ...")
  seconds = seconds - 1
end

local countdown = (aw.Wire(tick) >> aw.Sleep(0.1)) * seconds

local ev <close> = aw.EventLoop()
ev:start(poller)
ev:start(countdown >> function()
  print "time is up"
  poller:shutdown()
end)
