--- Peers for specs of connections: sockets that listen, made without the
--- library.

local descriptors = require "spec_descriptors"
local helper = require "spec.support.helper"
local lfs = require "lfs"
local listeners = require "spec_listeners"

local M = {}

--- A socket that listens. Closing it closes what was accepted, too.
local Listener = {}
Listener.__index = Listener

--- Takes the next connection; the thread waits for it.
---@return integer fd
function Listener:accept()
  local fd = listeners.accept(self.fd)
  self.taken[#self.taken + 1] = fd
  return fd
end

--- Takes the next connection, and checks that it is that of a stream: each
--- reads what the other writes.
---@param s aiowire.Stream
function Listener:greet(s)
  local fd = self:accept()
  s:write "ping\n"
  helper.expect("the descriptor reads", "ping\n", descriptors.read(fd, 5))
  descriptors.write(fd, "pong\n")
  helper.expect("the stream reads", "pong", s:read())
end

--- Is a connection waiting to be accepted?
function Listener:waiting()
  return listeners.waiting(self.fd)
end

--- Takes and closes all connections that wait.
function Listener:drain()
  while self:waiting() do
    descriptors.close(listeners.accept(self.fd))
  end
end

function Listener:__close()
  for _, fd in ipairs(self.taken) do
    descriptors.close(fd)
  end
  descriptors.close(self.fd)
end

local function new(fd, rest)
  rest.fd, rest.taken = fd, {}
  return setmetatable(rest, Listener)
end

--- Returns a listener on a free port, and that port. The test is pending
--- without that family.
---@param host string? a number; "127.0.0.1" by default
function M.tcp(host, backlog)
  local fd, port = listeners.tcp(host or "127.0.0.1", backlog)
  if not fd then
    helper.pending("no address " .. host .. " here")
  end
  return new(fd, { port = port }), port
end

--- Returns a listener in a new folder, and its path.
function M.unix(backlog)
  local pipe <close> = assert(io.popen "mktemp -d")
  local path = pipe:read "l" .. "/socket"
  local listener = new(listeners.unix(path, backlog), { path = path })
  return listener, path
end

--- Removes the folder of a unix listener.
function M.remove(path)
  os.remove(path)
  lfs.rmdir(path:match "^(.*)/")
end

--- Returns a port at which nobody listens.
function M.free_port(host)
  local fd, port = listeners.tcp(host or "127.0.0.1")
  descriptors.close(fd)
  return port
end

--- Returns the number of open descriptors. Garbage counts.
function M.open_descriptors()
  local count = 0
  for _ in lfs.dir "/proc/self/fd" do
    count = count + 1
  end
  return count
end

--- Calls `f` without the collector, and checks that as many descriptors are
--- open after it as before, with `more` to add.
function M.without_garbage(f, ...)
  collectgarbage()
  collectgarbage "stop"
  local before = M.open_descriptors()
  local ok, err = pcall(f, ...)
  local after = M.open_descriptors()
  collectgarbage "restart"
  if not ok then
    error(err, 0)
  end
  helper.expect("open descriptors", before, after)
end

return M
