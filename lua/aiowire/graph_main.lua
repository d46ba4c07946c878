--- graph_main.lua: draws what the main chunk of a program returns or starts
---
--- The painter is a task that was started after the main chunk. So it runs when
--- the chunk has ended, or would await (bind/run/first_await.c), and before all
--- tasks that the chunk has started.
---
---   one wire, returned or awaited   a picture of that wire
---   one task, in any loop           a picture of the wire that it would run
---   several                         a picture of the loops with their tasks
local _, inner = ...

local Painter = {}
Painter.__index = Painter

--- Return the tasks that the chunk has started, a list of { loop=, tasks= },
--- and their number.
function Painter:started()
  local list, count = {}, 0
  for _, ev in ipairs(inner.loops()) do
    local tasks = {}
    for _, task in ipairs(ev:tasks()) do
      tasks[#tasks + 1] = not self.skipped[task] and task or nil
    end
    if #tasks > 0 then
      count = count + #tasks
      list[#list + 1] = { loop = ev, tasks = tasks }
    end
  end
  return list, count
end

function Painter:drawn()
  local list, count = self:started()
  local wire = self.returned or inner.awaited()
  wire = wire and inner.look_wire(inner.wire(wire))
  local graph = inner.part "aiowire.graph_model".new()
  local tasks = inner.part "aiowire.graph_tasks"
  if count == 0 and wire then
    inner.part "aiowire.graph_wires".add(graph, wire)
  elseif count == 1 and not wire then
    tasks.add_wire(graph, list[1].tasks[1])
  else
    for _, entry in ipairs(list) do
      tasks.add_loop(graph, entry.loop, self.skipped)
    end
    if wire then
      tasks.add_titled(graph, "main", wire)
    elseif count == 0 then
      graph:node("note", { "nothing" })
    end
  end
  return graph
end

--- The tasks of the chunk and of the painter are not drawn.
function Painter:watch(task, own)
  self.task, self.skipped = task, { [task] = true, [own] = true }
end

--- Return the body of the painter. If the chunk was cancelled, by a limit or a
--- signal, the end of the loop tells that.
function Painter:body()
  return function(_)
    inner.hold_awaits(false)
    local status = self.task.status
    if status == "failed" then
      self.err, self.info = inner.failure(self.task)
      self.failed = true
    elseif status ~= "cancelled" then
      self.picture = inner.part "aiowire.graph".written(self:drawn(),
        self.format)
    end
    inner.leave()
  end
end

return function(format)
  return setmetatable({ format = format }, Painter)
end
