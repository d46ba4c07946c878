--- Descriptors for specs, in plain Lua: pipes, made through a named one.

local aw = require "aiowire"

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

return M
