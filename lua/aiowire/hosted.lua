--- hosted.lua: what a task of aw_lua_start() calls: `f(...)`
---
--- If `f` returns a Wire or a Poller, the task runs that, and ends with its
--- results.
local aw, inner = ...

local function finish(...)
  local result = ...
  if inner.is_made(result)
    or inner.is_poller and inner.is_poller(result) then
    return aw.await(result)
  end
  return ...
end

return function(f, ...)
  return finish(f(...))
end
