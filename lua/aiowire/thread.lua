--- thread.lua: the loop of a worker
---
--- The root task calls `main(data)`, and runs the Wire or Poller that it
--- returns. Returns "done" and its results; "exited" and the status given to
--- os.exit; "cancelled"; or "failed", the error and its traceback.
local aw, inner = ...

local function how_failed(ev, err)
  local info = ev.failure
  local traceback = info and info.traceback
  return "failed", err, type(traceback) == "string" and traceback or nil
end

local function is_runnable(v)
  return inner.is_made(v) or inner.is_poller and inner.is_poller(v)
end

local function how_ended(task, results)
  if task.status == "cancelled" then
    return "cancelled"
  elseif is_runnable(results[1]) then
    return "done", task:results()
  end
  return "done", table.unpack(results, 1, results.n)
end

return function(name, main, data)
  inner.own_exit()
  inner.name_inspected(name)
  aw.install() -- else a busy coroutine could not be interrupted
  local ev <close> = aw.EventLoop { name = "thread", signals = false }
  local results = { n = 0 }
  local function begin()
    if inner.thread_begin() then
      aw.yield() -- raises Cancelled
    end
    results = table.pack(main(data))
    if is_runnable(results[1]) then
      return results[1]
    end
  end
  local task = inner.start_raw(ev, aw.Wire(begin):named(name))
  local ok, err = pcall(ev.run, ev)
  local code = inner.exit_code()
  if code then
    return "exited", code
  elseif not ok then
    return how_failed(ev, err)
  end
  return how_ended(task, results)
end
