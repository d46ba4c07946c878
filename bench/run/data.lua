--- Makes the files that programs read, once for each build.
local shell = require "bench.run.shell"

local M = {}

--- Text in lines of 0 to 100 bytes, a megabyte of it.
local MEGABYTE <const> = 1000000

local function megabyte()
  local lines, left, length = {}, MEGABYTE, 0
  while left > 101 do
    length = (length + 37) % 101
    lines[#lines + 1] = ("x"):rep(length) .. "\n"
    left = left - length - 1
  end
  lines[#lines + 1] = ("x"):rep(left - 1) .. "\n"
  return table.concat(lines)
end

local function exists(path)
  local file <close> = io.open(path)
  return file ~= nil
end

--- Write `size` bytes in lines to a file.
local function write_lines(path, size)
  local file <close> = assert(io.open(path, "w"))
  local text = megabyte()
  for _ = 1, size // MEGABYTE do
    assert(file:write(text))
  end
  assert(file:write(text:sub(MEGABYTE - size % MEGABYTE + 1)))
end

--- Write `count` files of `size` bytes, named 0, 1, …
local function write_files(folder, count, size)
  assert(os.execute("mkdir -p " .. shell.quote(folder)))
  for i = 0, count - 1 do
    shell.write(folder .. "/" .. i, ("x"):rep(size))
  end
end

--- Return the path of what a program reads, which is made if need be. `data` is
--- { size = BYTES } for a file of lines, or { count =, size = } for a folder of
--- files.
function M.path(build, data)
  local name = data.count and ("files-%dx%d"):format(data.count, data.size)
    or ("lines-%d"):format(data.size)
  local path = ("%s/bench/data/%s"):format(build, name)
  if not exists(path) then
    local making <const> = path .. ".new"
    assert(os.execute("mkdir -p " .. shell.quote(build .. "/bench/data")))
    if data.count then
      write_files(making, data.count, data.size)
    else
      write_lines(making, data.size)
    end
    assert(os.rename(making, path))
  end
  return path
end

return M
