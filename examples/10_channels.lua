#!/usr/bin/env aiowire
-- A pipeline on channels: one reader, three cooks, one waiter.
--
--   reader ──► orders (holds 2) ──► 3 cooks ──► dishes (holds none) ──► waiter
--
-- The sender of a full channel waits, so no task runs ahead of the others. The
-- oven is a semaphore with one permit. The waiter's calls are a broadcast,
-- which reaches all guests. Closing a channel ends the loops over its values:
-- `orders` is closed after the last order, `dishes` after the last cook. The
-- clock is virtual, so an evening takes no time and is always the same.
local aw = require "aiowire"

local MINUTES <const> = {
  soup = 4, pizza = 9, salad = 2, pie = 12, stew = 6, toast = 1,
}
local BAKED <const> = { pizza = true, pie = true }

local function say(who, ...)
  print(("%5.1f  %-7s"):format(aw.now(), who) .. table.concat({ ... }, " "))
end

--- Send the orders as fast as the kitchen takes them.
local function reader(_, orders)
  for _, dish in ipairs { "soup", "pizza", "salad", "pie", "stew", "toast" } do
    orders:send(dish)
    say("reader", "ordered", dish)
  end
  orders:close()
end

local function cook(_, name, orders, dishes, oven)
  for dish in orders:iter() do
    local permit <close> = BAKED[dish] and oven:acquire() or nil
    say(name, "cooks", dish, permit and "(in the oven)")
    aw.sleep(MINUTES[dish])
    dishes:send(dish)
  end
end

--- Run all cooks, and close `dishes` when the last cook is done.
local function kitchen(_, orders, dishes)
  local oven = aw.semaphore(1, { name = "oven" })
  aw.scope(function(s)
    for _, name in ipairs { "Ada", "Bob", "Cleo" } do
      s:start(aw.Wire(cook, name, orders, dishes, oven))
    end
  end)
  dishes:close()
end

--- Listen until the wanted dish is called.
local function guest(_, name, wish, calls)
  local heard <close> = calls:subscribe()
  for dish in heard:iter() do
    if dish == wish then
      say(name, "eats", dish)
      return
    end
  end
end

local ev <close> = aw.EventLoop { clock = "virtual" }
local orders = aw.channel(2, { name = "orders" })
local dishes = aw.channel(0, { name = "dishes" })
local calls = aw.broadcast()

ev:start(aw.Wire(reader, orders))
ev:start(aw.Wire(kitchen, orders, dishes))
ev:start(aw.Wire(guest, "Dora", "soup", calls))
ev:start(aw.Wire(guest, "Emil", "pie", calls))
ev:start(function()
  local served = 0
  for dish in dishes:iter() do
    say("waiter", "serves", dish)
    calls:send(dish)
    served = served + 1
  end
  say("waiter", served .. " dishes; " .. tostring(dishes))
end)
