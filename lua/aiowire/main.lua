--- main.lua: the root task of the program `aiowire`
---
--- The task calls `f(...)`, then runs the Wire or Poller that `f` returns.
--- Other results are ignored, as in lua, so a file that returns a table or a
--- function for `require` can also be run. `timeout` and `grace` are seconds
--- for the loop; nil: no limit, and the usual grace.
---
--- Returns true; false, the error and its info; or, if the time limit has cut
--- the run, true, "timeout", what it cut short, and the error of the clean-up
--- with its info.
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

return function(timeout, grace, f, ...)
  local ev = aw.EventLoop { name = "main", grace = grace }
  local arguments = table.pack(...)
  local function main()
    inner.main_chunk()
    local result = inner.screened(f(table.unpack(arguments, 1, arguments.n)))
    if is_runnable(result) then
      return result
    end
  end
  inner.start_raw(ev, aw.Wire(main):named "main")
  if timeout then
    inner.fix_limit(ev, timeout)
  end
  local ok, how = pcall(ev.run, ev, timeout)
  inner.fix_limit()
  local err, info = nil, nil
  if not ok then
    err, info = how, ev.failure
  end
  local timed_out = ok and how == "timeout" or ev.waited ~= nil
  local cut = cut_of(ev)
  ev:close()
  if timed_out then
    return true, "timeout", cut, err, info
  elseif ok then
    return true
  end
  return false, err, info
end
