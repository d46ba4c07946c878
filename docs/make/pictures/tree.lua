-- Prints the dump of a loop with tasks of many kinds.

local aw = require "aiowire"

local function download(name, seconds)
  return aw.Sleep(seconds):named(name)
end

local ev = aw.EventLoop { clock = "virtual", name = "shop" }
local jobs = aw.channel(8, { name = "jobs" })

local function worker()
  for job in jobs:iter() do
    aw.sleep(job)
  end
end

local function orders()
  aw.scope(function(s)
    s:start(worker, nil, { name = "worker 1" })
    s:start(worker, nil, { name = "worker 2" })
    jobs:send(9)
    aw.await(download("origin", 8) | download("mirror", 4))
  end)
end

-- Says goodbye for so many seconds when it is cancelled.
local function client()
  local _ <close> = setmetatable({}, { __close = function()
    aw.shield(function()
      aw.sleep(2)
    end)
  end })
  aw.sleep(60)
end

local main = ev:start(orders, nil, { name = "orders" })
ev:start(aw.Done(main), nil, { name = "report" })
local guest = ev:start(client, nil, { name = "client" })
ev:start(function()
  aw.sleep(0.5)
  guest:cancel()
  aw.sleep(0.5)
  print(ev:dump())
  ev:stop()
end, nil, { name = "watcher" })
ev:run()
