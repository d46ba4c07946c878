--- aw.run(w [, opts]): make a loop, run `w` to its end, give its results.
---
--- Its error is raised as it is, not in an UnhandledException. A time-out
--- given in `opts` raises Timeout; if somebody cancels the task, but not the
--- loop, there are no results to give: TaskCancelled. In a task it is a loop
--- inside that task.
local _, inner = ...

local function give(task, ...)
  if select("#", ...) > 0 then
    return ...
  end
  return task:results()
end

-- Called by a C function, so the caller is one level further up.
return function(w, opts)
  if w == nil or not inner.is_wire(w) then
    inner.bad_type(1, "wire", w)
  end
  local ev = inner.new_loop(w, opts)
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
