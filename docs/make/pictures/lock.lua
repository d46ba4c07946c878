-- Two workers write reports to one disk, one at a time.

local aw = require "aiowire"

local jobs = aw.channel(8, { name = "jobs" })
local disk = aw.semaphore(1, { name = "disk" })

local function write(seconds)
  aw.sleep(seconds)
end

local function save(seconds)
  disk:acquire()
  aw.timeout(0.05, write, seconds)
  disk:release()
end

local function worker()
  for seconds in jobs:iter() do
    aw.pcall(save, seconds) -- a report that fails is left out
  end
end

local ev = aw.EventLoop()
ev:start(worker, nil, { name = "worker 1" })
ev:start(worker, nil, { name = "worker 2" })
for _, seconds in ipairs { 0.01, 0.02, 0.09, 0.01, 0.01 } do
  jobs:send(seconds)
end
jobs:close()
print(select(2, pcall(ev.run, ev)))
