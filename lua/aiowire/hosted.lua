--- hosted.lua: what a task of aw_lua_start() does with the results of its
--- function
---
--- If the first result is a Wire or a Poller, the task runs that, and ends with
--- its results.
local aw, inner = ...

return function(...)
  local result = ...
  if inner.is_made(result)
    or inner.is_poller and inner.is_poller(result) then
    return aw.await(result)
  end
  return ...
end
