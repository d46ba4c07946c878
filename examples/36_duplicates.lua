#!/usr/bin/env aiowire
-- Files with the same content: 36_duplicates.lua [PATTERN]. Eight files are
-- read at a time. The report is written atomically, so that a reader never sees
-- half of it.
local aw = require "aiowire"
local fs = aw.fs

--- Make a folder with something to find.
local function make_example()
  local stream, path = fs.tempfile()
  stream:close()
  fs.unlink(path)
  for name, text in pairs { ["a.txt"] = "fig", ["b/c.txt"] = "pear",
    ["b/d.txt"] = "fig", ["b/e/f.txt"] = "fig", ["g.txt"] = "apple" } do
    fs.mkdir((path .. "/" .. name):match "^(.*)/", { parents = true })
    fs.write(path .. "/" .. name, text)
  end
  return path
end

--- Remove a folder with all that is in it.
local function remove(folder)
  for _, entry in ipairs(fs.scandir(folder)) do
    local path = folder .. "/" .. entry.name
    if entry.type == "directory" then
      remove(path)
    else
      fs.unlink(path)
    end
  end
  fs.rmdir(folder)
end

--- Returns a list of lists of paths whose files have the same content.
local function find(paths)
  local reads, by_text, groups = {}, {}, {}
  for _, path in ipairs(paths) do
    reads[path] = aw.Call(fs.read, path)
  end
  aw.each(reads, { limit = 8 }, function(path, ok, text)
    if ok then
      by_text[text] = by_text[text] or {}
      table.insert(by_text[text], path)
    elseif text.code ~= "EISDIR" then
      io.stderr:write(tostring(text), "\n")
    end
  end)
  for _, group in pairs(by_text) do
    table.sort(group)
    groups[#groups + 1] = #group > 1 and group or nil
  end
  table.sort(groups, function(a, b) return a[1] < b[1] end)
  return groups
end

aw.run(function()
  local folder = not arg[1] and make_example()
  local lines = {}
  for _, group in ipairs(find(fs.glob(arg[1] or folder .. "/**/*.txt"))) do
    lines[#lines + 1] = ("%d times: %s\n"):format(#group,
      table.concat(group, ", "))
  end
  local report = os.tmpname()
  fs.write(report, table.concat(lines), { atomic = true })
  io.write(fs.read(report))
  fs.unlink(report)
  if folder then
    remove(folder)
  end
end)
