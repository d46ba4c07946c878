--- Descriptors for specs, in plain Lua: pipes, made through a named one.

local aw = require "aiowire"
local helper = require "spec.helper"

local M = {}

--- The descriptor of a Lua file.
function M.fd(file)
  return math.tointeger(tostring(aw.Readable(file)):match "%d+")
end

--- A pipe: the end to read from and the end to write to, as Lua files. The
--- latter writes at once.
function M.pipe()
  local path = os.tmpname()
  os.remove(path)
  assert(os.execute("mkfifo " .. path))
  -- Opened for both, it waits for nobody.
  local both = assert(io.open(path, "r+"))
  local reader = assert(io.open(path, "r"))
  local writer = assert(io.open(path, "w"))
  both:close()
  os.remove(path)
  writer:setvbuf "no"
  return reader, writer
end

--- As pipe(), with the descriptor of the reading end, unbuffered, too.
function M.raw_pipe()
  local reader, writer = M.pipe()
  reader:setvbuf "no"
  return M.fd(reader), reader, writer
end

local function close(file)
  if io.type(file) == "file" then
    file:close()
  end
end

--- Call `f` with `count` pipes, each { fd=, r=, w= }; nothing may be left.
---@param count integer
---@param f fun(...: table)
function M.with_pipes(count, f)
  helper.leak_checked(function()
    local list = {}
    for i = 1, count do
      local fd, reader, writer = M.raw_pipe()
      list[i] = { fd = fd, r = reader, w = writer }
    end
    local ok, err = pcall(f, table.unpack(list))
    for _, pipe in ipairs(list) do
      close(pipe.r)
      close(pipe.w)
    end
    if not ok then
      error(err, 0)
    end
  end)
end

--- Call `f` with one pipe; nothing may be left.
---@param f fun(fd: integer, reader: file*, writer: file*)
function M.with_pipe(f)
  M.with_pipes(1, function(p)
    f(p.fd, p.r, p.w)
  end)
end

return M
