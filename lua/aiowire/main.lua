--- main.lua: the root task of the program `aiowire`
---
--- The task calls `f(...)`, then runs the Wire or Poller that `f` returns.
--- Other results are ignored, as in lua, so a file that returns a table or a
--- function for `require` can also be run. `timeout` and `grace` are seconds
--- for the loop; nil: no limit, and the usual grace. `graph` is the format of a
--- picture to draw instead of the run, or nil.
---
--- Returns true; false, the error and its info; or, if the time limit has cut
--- the run, true, "timeout", what it cut short, and the error of the clean-up
--- with its info; or "graph" and the picture.
local aw, inner = ...

local function is_runnable(v)
  return inner.is_made(v) or inner.is_poller and inner.is_poller(v)
end

--- What the limit of `ev` cut short, in one line; or nil.
local function cut_of(ev)
  local waited = ev.waited
  if waited then
    local place = waited:match "\n\t([^\n]-:%d+): in "
      or waited:match "\n\t(started at [^\n]*)"
    local what = waited:match "^cut short: ([^\n]*)"
    return place and what .. ", " .. place or what
  end
end

return function(timeout, grace, graph, f, ...)
  local ev = aw.EventLoop { name = "main", grace = grace }
  local arguments = table.pack(...)
  local painter = graph and inner.part "aiowire.graph_main"(graph)
  local function main()
    inner.main_chunk()
    inner.hold_awaits(painter ~= nil)
    local result = inner.screened(f(table.unpack(arguments, 1, arguments.n)))
    if is_runnable(result) then
      if painter then
        painter.returned = result
      else
        return result
      end
    end
  end
  local task = inner.start_raw(ev, aw.Wire(main):named "main")
  if painter then
    painter:watch(task, inner.start_raw(ev, painter:body()))
  end
  if timeout then
    inner.fix_limit(ev, timeout)
  end
  local ok, how = pcall(ev.run, ev, timeout)
  inner.fix_limit()
  if painter and painter.picture then
    return "graph", painter.picture
  elseif painter and painter.failed then
    return false, painter.err, painter.info
  end
  local err, info = nil, nil
  if not ok then
    err, info = how, ev.failure
  end
  local timed_out = ok and how == "timeout" or ev.waited ~= nil
  local cut = cut_of(ev)
  if not painter then -- else none of its tasks may begin
    ev:close()
  end
  if timed_out then
    return true, "timeout", cut, err, info
  elseif ok then
    return true
  end
  return false, err, info
end
