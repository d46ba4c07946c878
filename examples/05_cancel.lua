#!/usr/bin/env aiowire
-- Cancelling: scopes, time-outs, clean-up and shields.
local aw = require "aiowire"

--- A resource whose release takes a moment.
local function borrow(what)
  return setmetatable({}, { __close = function()
    aw.shield(function() -- a cancelled task may await only in a shield
      aw.sleep(0.02)
      print("  gave back the " .. what)
    end, 1) -- for at most one second
  end })
end

local function painter(_, what)
  local _ <close> = borrow(what)
  while true do
    aw.sleep(0.03) -- the cancel is raised here
    print("  painting with the " .. what)
  end
end

aw.run(function(ev)
  print "a scope owns what it starts, and is left when all of it has ended"
  local _, why = aw.scope({ timeout = 0.1 }, function(s)
    s:start(aw.Wire(painter, "brush"))
    s:start(aw.Wire(painter, "roller"))
  end)
  print("  " .. why .. ", and both are back")

  print "aw.timeout raises when time is up"
  local ok, err = aw.pcall(aw.timeout, 0.05, painter, nil, "pen")
  print("  " .. tostring(ok), tostring(err), aw.is_timeout(err))

  print "one task is cancelled; cancel_wait returns after its clean-up"
  local task = ev:start(aw.Wire(painter, "spray"))
  aw.sleep(0.04)
  task:cancel_wait "enough"
  print("  " .. task.status)

  print "a shielded wire finishes what it began"
  aw.scope({ timeout = 0.02 }, function()
    local save = aw.Sleep(0.05) >> aw.Call(print, "  saved")
    aw.await(save:shielded(1))
    aw.sleep(0) -- outside the shield, Cancelled is raised
    print "  not reached"
  end)
end)
