--- pool_worker.lua: the main function of a worker of a pool
---
---     take a job ─► a task calls the function ─► finish: the caller is told
---         ▲                  ▲                     │
---         │    minder: cancels the task of         │
---         │    a job that nobody wants             │
---         └────────────────────────────────────────┘
---
--- A job is a task of its own, so a cancel ends the job alone, and what it has
--- started ends with it. lua/io/thread/pool_worker.c has the inner functions.
local aw, inner = ...

--- Serve the pool of `seat`, a light userdata, until the pool is closed or the
--- state of this worker is in doubt.
return function(seat)
  local f <const> = inner.pool_function(seat)
  local job, crashed
  local work <const> = aw.Call(function()
    inner.pool_results(seat, f(inner.pool_arguments(seat)))
  end):catch(function(err, info)
    crashed = inner.pool_failed(seat, err, info.traceback)
  end):named "job"
  aw.start(function()
    while true do
      if inner.pool_mind(seat) then
        job:cancel()
      end
    end
  end, nil, { background = true, name = "minder" })
  while not crashed and inner.pool_take(seat) do
    job = aw.start(work, aw.keep)
    if inner.pool_began(seat) then
      job:cancel()
    end
    local ok, err = aw.pcall(job.wait, job)
    if not ok and not aw.is_task_cancelled(err) then -- no memory for its body
      crashed = inner.pool_failed(seat, err)
    end
    inner.pool_finish(seat)
  end
end
