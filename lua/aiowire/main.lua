--- main.lua: the root task of the program `aiowire`
---
--- The task calls `f(...)`, then runs the Wire or Poller that `f` returns.
--- Other results are ignored, as in lua, so a file that returns a table or a
--- function for `require` can also be run. Returns true; or false, the error
--- and its info.
local aw, inner = ...

local function is_runnable(v)
  return inner.is_made(v) or inner.is_poller and inner.is_poller(v)
end

return function(f, ...)
  local ev = aw.EventLoop { name = "main" }
  local arguments = table.pack(...)
  local function main()
    inner.main_chunk()
    local result = inner.screened(f(table.unpack(arguments, 1, arguments.n)))
    if is_runnable(result) then
      return result
    end
  end
  inner.start_raw(ev, aw.Wire(main):named "main")
  local ok, err = pcall(ev.run, ev)
  local info = ev.failure
  ev:close()
  if ok then
    return true
  end
  return false, err, info
end
