--- socket_select.lua: aw.socket.select
---
--- It looks at all descriptors by one poll(2). If none is ready, a race of
--- waits for them and for the time limit comes first, and then it looks again.
--- So it returns all that are ready, as select(2), and holds no thread.
local aw, inner = ...

local READABLE <const>, WRITABLE <const> = 1, 2

--- Collect the objects of a list as entries { object=, fd=, event= }. An
--- object whose descriptor is invalid is left out, as in LuaSocket.
local function collect(entries, list, event, arg)
  if list == nil then
    return
  elseif type(list) ~= "table" then
    inner.bad_type(arg, "table", list)
  end
  for _, object in ipairs(list) do
    if type(object) ~= "userdata" and type(object) ~= "table" then
      inner.bad_argument(arg, ("sockets expected, got %s in the table"):format(
        type(object)))
    end
    local fd = object.getfd and math.tointeger(object:getfd())
    if fd and fd >= 0 then
      entries[#entries + 1] = { object = object, fd = fd, event = event }
    end
  end
end

--- Tell whether there are sockets whose buffers hold bytes, and mark them.
local function mark_dirty(entries)
  local any = false
  for _, entry in ipairs(entries) do
    local object = entry.object
    entry.ready = entry.event == READABLE and object.dirty ~= nil
      and object:dirty()
    any = any or entry.ready
  end
  return any
end

--- Mark the entries that are ready now, and tell whether there are any.
local function look(entries)
  local fds, events = {}, {}
  for i, entry in ipairs(entries) do
    fds[i], events[i] = entry.fd, entry.event
  end
  local any = inner.ls_ready(fds, events) > 0
  for i, entry in ipairs(entries) do
    entry.ready = entry.ready or events[i] ~= 0
  end
  return any
end

--- Wait until a descriptor is ready or closed, or until `limit` seconds are
--- over.
local function wait_for_any(entries, limit)
  local wires = {}
  for i, entry in ipairs(entries) do
    wires[i] = (entry.event == READABLE and aw.Readable or aw.Writable)(
      entry.fd)
  end
  if limit then
    wires[#wires + 1] = aw.Sleep(limit)
  end
  local ok, err = aw.pcall(aw.race, wires)
  if not ok and not aw.is_closed(err) then
    error(err, 0)
  end
end

--- Return the ready objects of an event, by number and by object.
local function ready_of(entries, event)
  local list = {}
  for _, entry in ipairs(entries) do
    if entry.ready and entry.event == event then
      list[#list + 1] = entry.object
      list[entry.object] = #list + 0.0 -- a float, as all of LuaSocket's
    end
  end
  return list
end

local function results(entries, any)
  table.sort(entries, function(a, b)
    return a.fd < b.fd
  end)
  local readable, writable = ready_of(entries, READABLE),
    ready_of(entries, WRITABLE)
  if any then
    return readable, writable
  end
  return readable, writable, "timeout"
end

return inner.method("select", function(recvt, sendt, timeout)
  local entries = {}
  collect(entries, recvt, READABLE, 1)
  collect(entries, sendt, WRITABLE, 2)
  if timeout ~= nil and type(timeout) ~= "number" then
    inner.bad_type(3, "number", timeout)
  elseif timeout ~= timeout then
    inner.bad_argument(3, "a number of seconds expected")
  end
  local limit = timeout and timeout >= 0 and timeout or nil
  local any = mark_dirty(entries)
  any = look(entries) or any
  if not any and limit ~= 0 then
    if #entries == 0 and not limit then
      inner.raise "nothing to wait for: no socket and no time"
    end
    wait_for_any(entries, limit)
    any = look(entries)
  elseif aw.current() then
    aw.yield() -- a loop that only looks lets others have their turn
  end
  return results(entries, any)
end)
