--- Descriptors for specs: pipes as Lua files, and connections of other
--- libraries.

local aw = require "aiowire"
local helper = require "spec.support.helper"

local M = {}

--- Returns the descriptor of a Lua file.
function M.fd(file)
  return math.tointeger(tostring(aw.Readable(file)):match "%d+")
end

--- Returns the reading end and the writing end of a pipe, as Lua files. The
--- writing end is unbuffered.
function M.pipe()
  local path = os.tmpname()
  os.remove(path)
  assert(os.execute("mkfifo " .. path))
  -- An open for reading and writing does not wait for a peer.
  local both = assert(io.open(path, "r+"))
  local reader = assert(io.open(path, "r"))
  local writer = assert(io.open(path, "w"))
  both:close()
  os.remove(path)
  writer:setvbuf "no"
  return reader, writer
end

--- As pipe(), and both ends are unbuffered. Returns the descriptor of the
--- reading end first.
function M.raw_pipe()
  local reader, writer = M.pipe()
  reader:setvbuf "no"
  return M.fd(reader), reader, writer
end

local function close(object)
  if io.type(object) ~= "closed file" then
    object:close()
  end
end

--- Call `f(...)`, and close the objects, also after an error.
local function call_and_close(objects, f, ...)
  local ok, err = pcall(f, ...)
  for _, object in ipairs(objects) do
    close(object)
  end
  if not ok then
    error(err, 0)
  end
end

--- Call `f` with `count` pipes, each { fd=, r=, w= }, under leak_checked().
---@param count integer
---@param f fun(...: table)
function M.with_pipes(count, f)
  helper.leak_checked(function()
    local list, files = {}, {}
    for i = 1, count do
      local fd, reader, writer = M.raw_pipe()
      list[i] = { fd = fd, r = reader, w = writer }
      files[2 * i - 1], files[2 * i] = reader, writer
    end
    call_and_close(files, f, table.unpack(list))
  end)
end

--- Call `f` with one pipe, under leak_checked().
---@param f fun(fd: integer, reader: file*, writer: file*)
function M.with_pipe(f)
  M.with_pipes(1, function(p)
    f(p.fd, p.r, p.w)
  end)
end

--- Returns a function for `it` that needs a library.
local function with_library(module, name, f)
  return function()
    local ok, library = pcall(require, module)
    if not ok then
      helper.pending(name .. " is not installed")
    end
    f(library)
  end
end

--- Returns a function for `it`: it calls `f` with the two ends of a connection
--- of LuaSocket.
---@param f fun(client: table, peer: table)
---@return fun()
function M.over_luasocket(f)
  return with_library("socket", "LuaSocket", function(socket)
    local server = assert(socket.bind("127.0.0.1", 0))
    local host, port = server:getsockname()
    local client = assert(socket.connect(host, port))
    local peer = assert(server:accept())
    call_and_close({ server, client, peer }, f, client, peer)
  end)
end

--- Returns a function for `it`: it calls `f` with two connected sockets of
--- cqueues.
---@param f fun(a: table, b: table)
---@return fun()
function M.over_cqueues(f)
  return with_library("cqueues.socket", "cqueues", function(socket)
    local a, b = socket.pair()
    call_and_close({ a, b }, f, a, b)
  end)
end

return M
