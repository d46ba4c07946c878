--- Sources with a duplicate of their descriptor: the open file outlives the
--- source. The kernel watches such a file until it is removed from the epoll
--- set, so the functions here look into the epoll sets.
---
--- A source is a table:
---   src      the value for aw.readable and a Poller
---   event    the value where an event is needed: `src`, or its descriptor
---   fd       the descriptor of `src`
---   feed()   makes the open file readable, even if `src` is closed
---   close()  closes `src`, but not the duplicate
---   free()   closes all that is left
---   held()   returns the number of entries for `src` in the epoll sets of this
---            process
---   gone()   fails if there is such an entry

local busted = require "busted"
local d = require "spec_descriptors"
local helper = require "spec.support.helper"
local lfs = require "lfs"
local pipes = require "spec.support.pipes"

local M = {}

--- Returns the texts of all epoll sets of this process.
local function sets()
  local list = {}
  for name in lfs.dir "/proc/self/fd" do
    if lfs.symlinkattributes("/proc/self/fd/" .. name, "target")
      == "anon_inode:[eventpoll]" then
      local file <close> = assert(io.open("/proc/self/fdinfo/" .. name))
      list[#list + 1] = file:read "a"
    end
  end
  return list
end

--- Returns the number of entries for `fd` in all epoll sets.
---@param fd integer
---@param inode? integer counts entries of this file only
---@return integer
function M.entries(fd, inode)
  local count = 0
  for _, set in ipairs(sets()) do
    for number, ino in set:gmatch "tfd:%s*(%d+)[^\n]*ino:(%x+)" do
      if tonumber(number) == fd
        and (not inode or tonumber(ino, 16) == inode) then
        count = count + 1
      end
    end
  end
  return count
end

--- Makes a source from its parts.
local function source(src, fd, feed, close, free)
  local inode, copy = d.inode(fd), d.dup(fd)
  local k = { src = src, event = src, fd = fd, copy = copy, feed = feed }
  function k.held()
    return M.entries(fd, inode)
  end
  function k.gone()
    if k.held() > 0 then
      busted.fail("the kernel still watches it", 2)
    end
  end
  function k.close()
    if close then
      close()
      close = nil
    end
  end
  function k.free()
    k.close()
    d.close(copy)
    free()
  end
  return k
end

local function number()
  local r, w = d.pipe()
  return source(r, r, function()
    d.write(w, "x")
  end, function()
    d.close(r)
  end, function()
    d.close(w)
  end)
end

local function event()
  local fd = d.event()
  local other = d.dup(fd)
  return source(fd, fd, function()
    d.write(other, ("<i8"):pack(1))
  end, function()
    d.close(fd)
  end, function()
    d.close(other)
  end)
end

local function file()
  local r, w = pipes.pipe()
  return source(r, pipes.fd(r), function()
    w:write "x"
  end, function()
    r:close()
  end, function()
    w:close()
  end)
end

--- The output of a command. feed() ends the command, so the end of the file can
--- be read.
local function command()
  local path = os.tmpname()
  os.remove(path)
  assert(os.execute("mkfifo " .. path))
  local p = assert(io.popen("read x <" .. path))
  local w = assert(io.open(path, "w"))
  os.remove(path)
  local function feed()
    if w then
      w:write "x\n"
      w:close()
      w = nil
    end
  end
  return source(p, pipes.fd(p), feed, function()
    feed()
    p:close()
  end, feed)
end

local function luasocket()
  local socket = require "socket"
  local server = assert(socket.bind("127.0.0.1", 0))
  local host, port = server:getsockname()
  local client = assert(socket.connect(host, port))
  local peer = assert(server:accept())
  server:close()
  local k = source(peer, math.tointeger(peer:getfd()), function()
    client:send "x"
  end, function()
    peer:close()
  end, function()
    client:close()
  end)
  k.event = k.fd
  return k
end

M.kinds = {
  ["a descriptor"] = number,
  ["an eventfd"] = event,
  ["a file of io.open"] = file,
  ["a file of io.popen"] = command,
}
if pcall(require, "socket") then
  M.kinds["a socket of LuaSocket"] = luasocket
end

--- Returns a function for `it`: it calls `f(k, ...)` with a source of that
--- kind, and frees the source.
function M.with(make, f, ...)
  local given = table.pack(...)
  return helper.sealed(function()
    local k = make()
    local ok, err = pcall(f, k, table.unpack(given, 1, given.n))
    k.free()
    if not ok then
      error(err, 0)
    end
  end)
end

--- Open another file under the number of a closed source, and wait until it is
--- readable. Only the new file may wake that wait.
function M.reuse(ev, aw, k)
  local r, end_to_write = d.pipe()
  local w = d.dup(end_to_write)
  d.close(end_to_write)
  if r ~= k.fd then
    d.dup(r, k.fd)
    d.close(r)
  end
  local woken = false
  local task = ev:start(function()
    aw.readable(k.fd)
    woken = true
  end)
  for _ = 1, 5 do
    aw.sleep(0.001)
    aw.yield()
  end
  local early, entries = woken, M.entries(k.fd)
  d.write(w, "x")
  task:wait()
  d.close(w)
  d.close(k.fd)
  helper.expect("woken without news", false, early)
  helper.expect("entries of its number", 1, entries)
end

return M
