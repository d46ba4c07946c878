#!/usr/bin/env aiowire
-- Files, one thing after the other: folders, whole files, many at a time, files
-- that must never be half written, and large ones line by line. While a thread
-- waits for the disk, other tasks go on.
--
--   aiowire examples/35_files.lua
local aw = require "aiowire"
local fs = aw.fs

--- Returns the size of each file that the pattern matches, eight at a time.
local function sizes(pattern)
  local looks = {}
  for i, path in ipairs(fs.glob(pattern)) do
    looks[i] = aw.Call(fs.stat, path) / function(info)
      return info.size
    end
  end
  looks.limit = 8
  return { aw.all(looks) }
end

--- Add one to the number in a file. Whoever looks the file, at any moment, sees
--- the old number or the new one, also after a crash.
local function count_up(path)
  local found, text = aw.pcall(fs.read, path)
  if not found and text.code ~= "ENOENT" then
    error(text, 0)
  end
  local count = found and math.tointeger(text) or 0
  fs.write(path, tostring(count + 1), { atomic = true })
  return count + 1
end

--- Returns the longest line of a file that may be larger than memory.
local function longest_line(path)
  local longest = ""
  local file <close> = fs.open(path)
  for line in file:lines() do
    if #line > #longest then
      longest = line
    end
  end
  return longest
end

--- A folder that is gone when the block is left. Clean-up awaits in a shield,
--- since the task may have been cancelled.
local function new_folder()
  local path = aw.exec("mktemp", "-d").out:match "%C+"
  return path, setmetatable({}, { __close = function()
    aw.shield(function()
      aw.exec("rm", "-r", path)
    end)
  end })
end

aw.run(function()
  local folder, _ <close> = new_folder()
  fs.mkdir(folder .. "/data/old", { parents = true })
  for i = 1, 3 do
    fs.write(("%s/data/%d.txt"):format(folder, i), ("line\n"):rep(i))
  end
  fs.append(folder .. "/data/3.txt", "the last and longest line\n")
  fs.copy(folder .. "/data/3.txt", folder .. "/data/old/3.txt")
  fs.rename(folder .. "/data/1.txt", folder .. "/data/one.txt")

  for _, entry in ipairs(fs.scandir(folder .. "/data")) do
    print(entry.type, entry.name)
  end
  print("sizes", table.concat(sizes(folder .. "/data/**/*.txt"), " "))
  print("longest", longest_line(folder .. "/data/3.txt"))
  print("counted", count_up(folder .. "/count"), count_up(folder .. "/count"))

  local ok, err = aw.pcall(fs.read, folder .. "/nothing")
  print(ok, err.code, err.call)
end)
