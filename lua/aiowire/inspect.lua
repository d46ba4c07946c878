--- inspect.lua: what a program tells those who look into it, besides its tasks
---
--- An answer is a text of lines. An error without a place says why there is no
--- answer.
local aw, inner = ...

local function events(count)
  local text = aw.recorded and aw.recorded(math.tointeger(count) or 100)
  if not text then
    error("no events are recorded: turn that on by AIOWIRE_RECORD=1 or "
      .. "aw.record()", 0)
  end
  return text
end

local function graph(format)
  return inner.part "aiowire.graph".loops(inner.loops(),
    format ~= "" and format or "mermaid")
end

--- Answer `request` with its `argument`, "" for none.
return function(request, argument)
  if request == "events" then
    return events(argument)
  end
  return graph(argument)
end
