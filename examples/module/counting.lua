-- Uses counter.c, a module in C whose objects go to other threads.

local aw = require "aiowire"
local counter = require "counter"

local function count(c, times)
  for _ = 1, times do
    c:add()
  end
  return c
end

aw.run(function()
  local c = counter.new()
  local threads = {}
  for i = 1, 4 do
    threads[i] = aw.thread(count, c, 10000)
  end
  for _, t in ipairs(threads) do
    t:wait()
  end
  print("counted", c:value())
end)
