--- run.lua: aw.run(w [, opts]) runs `w` in a loop of its own and returns its
--- results
---
--- The error of `w` is raised unchanged, without an UnhandledException. A
--- time-out in `opts` raises Timeout. TaskCancelled is raised if the task is
--- cancelled but the loop is not. Inside a task, the loop runs inside that
--- task.
local _, inner = ...

local function give(task, ...)
  if select("#", ...) > 0 then
    return ...
  end
  return task:results()
end

-- A C function calls this function, so errors blame level 3.
return function(w, opts)
  if w == nil or not inner.is_wire(w) then
    inner.bad_type(1, "wire", w)
  end
  -- If the engine itself fails, as without descriptors, the tasks end here.
  local ev <close> = inner.new_loop(w, opts)
  local task = inner.start_raw(ev, w)
  local how = ev:run()
  local timeout = how == "timeout" and inner.timeout(ev, inner.timeout_of(ev))
  ev:close()
  if timeout then
    error(timeout, 3)
  end
  if how == "done" and task.status == "cancelled" then
    error(inner.task_cancelled(), 3)
  end
  return give(task)
end
