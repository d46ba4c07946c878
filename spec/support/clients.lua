--- Clients of servers for specs: plain descriptors, and temporary folders for
--- unix sockets.

local aw = require "aiowire"
local clients = require "spec_clients"
local helper = require "spec.support.helper"

local M = setmetatable({}, { __index = clients })

--- Returns a value whose `__close` closes the descriptors that it has been
--- given by `keep(fd)`; `keep` returns its argument.
function M.group()
  local group = { fds = {} }
  function group.keep(fd)
    group.fds[#group.fds + 1] = fd
    return fd
  end
  return setmetatable(group, { __close = function()
    for _, fd in ipairs(group.fds) do
      clients.close(fd)
    end
  end })
end

--- Await and return what a client receives next; "" at the end.
function M.answer(fd)
  aw.readable(fd)
  return clients.receive(fd)
end

--- Await all that a client receives, up to the end.
function M.rest(fd)
  local parts = {}
  repeat
    parts[#parts + 1] = M.answer(fd)
  until parts[#parts] == ""
  return table.concat(parts)
end

--- Returns a TCP server on a free port of 127.0.0.1, and the port.
function M.listen(opts)
  local server = aw.tcp.listen("127.0.0.1", 0, opts)
  return server, select(2, server:name())
end

--- Call `f(folder)` with a new folder, which is removed afterwards.
function M.in_folder(f)
  local folder = os.tmpname()
  os.remove(folder)
  assert(os.execute("mkdir -m 700 " .. folder))
  local _ <close> = helper.closer(function()
    os.execute("rm -rf " .. folder)
  end)
  f(folder)
end

--- Return a function for `it` that runs `f(folder, ev)` in a loop, in an empty
--- folder.
function M.with_folder(f)
  return function()
    M.in_folder(function(folder)
      helper.run(function(ev)
        f(folder, ev)
      end)
    end)
  end
end

--- Returns whether the machine has IPv6 on its loopback.
function M.has_ipv6()
  local ok, server = pcall(aw.tcp.listen, "::1", 0)
  if ok then
    server:close()
  end
  return ok
end

--- End the current test as pending under valgrind: without descriptors, its
--- accept(2) takes a connection and drops it.
function M.needs_refused_accepts()
  if (os.getenv "LD_PRELOAD" or ""):find "vgpreload" then
    helper.pending "valgrind's accept drops the connection"
  end
end

--- Use all descriptors up but `spare`. Returns a value that gives back `n` by
--- `give(n)`, and all by `__close`.
function M.exhaust(spare)
  local ok, limit = pcall(clients.limit, 128)
  if not ok then
    helper.pending "the limit of descriptors cannot be 128"
  end
  local held = {}
  local exhausted = {}
  function exhausted.give(n)
    for _ = 1, n do
      table.remove(held):close()
    end
  end
  repeat
    local file = io.open "/dev/null"
    held[#held + 1] = file
  until not file
  exhausted.give(spare or 0)
  return setmetatable(exhausted, { __close = function()
    exhausted.give(#held)
    clients.limit(limit)
  end })
end

return M
