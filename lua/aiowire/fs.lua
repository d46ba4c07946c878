--- fs.lua: aw.fs, files
---
--- Threads do the work, in lua/io/file/. A FIFO or a terminal would hold a
--- thread until somebody writes or reads; for such a file the functions in C
--- return streams, and the rest is done here.
local aw, inner = ...

local M = { open = inner.fs_open, scandir = inner.fs_scandir,
  mkdir = inner.fs_mkdir, tempfile = inner.fs_tempfile, glob = inner.fs_glob,
  watch = inner.fs_watch }

for name, f in pairs(inner.fs_entry) do -- stat, unlink, rmdir, rename
  M[name] = f
end

M.read = inner.method("read", function(path)
  local text, stream = inner.fs_read(path)
  if stream then
    local from <close> = stream
    return from:read "a"
  end
  return text
end)

--- Write to a stream, or to a FIFO that still has to be opened.
local function finish(stream, path, data, mode)
  if stream then
    local to <close> = stream ~= true and stream or M.open(path, mode)
    to:write(data)
    to:shutdown()
  end
end

M.write = inner.method("write", function(path, data, opts)
  finish(inner.fs_write(path, data, opts), path, data, "w")
end)

M.append = inner.method("append", function(path, data)
  finish(inner.fs_append(path, data), path, data, "a")
end)

--- Returns a value for `<close>` that calls `f(err)`.
local function on_close(f)
  return setmetatable({}, { __close = function(_, err) f(err) end })
end

--- Returns a value for `<close>` that removes a new file if its copy failed. A
--- task that is killed cannot wait, or does not come back from the shield: then
--- a thread does that alone.
local function remover(path, device, number)
  local function remove()
    inner.fs_unmake(path, device, number)
  end
  return on_close(function(err)
    if err ~= nil then
      local removed = false
      local _ <close> = on_close(function()
        if not removed then
          inner.fs_unmake(path, device, number, true)
        end
      end)
      removed = pcall(aw.shield, remove)
    end
  end)
end

M.copy = inner.method("copy", function(from, to)
  local source, target, device, number = inner.fs_copy(from, to)
  if source then
    local _ <close> = device and remover(to, device, number)
    local input <close> = source
    local output <close> = target or M.open(to, "w")
    aw.copy(input, output)
    output:shutdown()
  end
end)

return M
