--- A model of what a watch promises: random operations on files, and an
--- observer that knows only what the events tell it. An event says that the
--- state of a path may be another one, and the observer looks then. When no
--- event is left, what it has seen must be the state of all files.

local aw = require "aiowire"
local lfs = require "lfs" -- comes with busted

local M = {}

--- Returns a text for the state of a path: its kind, file and content; nil: it
--- is not there. The path that is watched is followed if it is a link, but the
--- entries of a folder are not.
local function look(path, root)
  local at = (path == root and lfs.attributes or lfs.symlinkattributes)(path)
  if not at then
    return nil
  end
  local text = at.target or ""
  if at.mode == "file" then
    local file <close> = io.open(path)
    text = at.modification .. " " .. (file and file:read "a" or "")
  end
  return ("%s %d %s"):format(at.mode, at.ino, text)
end

--- Call see(path) for each entry below a folder.
local function each_entry(path, recursive, see)
  if lfs.attributes(path, "mode") ~= "directory" then
    return
  end
  for name in lfs.dir(path) do
    local full = path .. "/" .. name
    if name ~= "." and name ~= ".." then
      see(full)
      if recursive and lfs.symlinkattributes(full, "mode") == "directory" then
        each_entry(full, recursive, see)
      end
    end
  end
end

--- Returns the state of all that a watch of `path` tells of.
local function survey(path, recursive)
  local seen = { [path] = look(path, path) }
  each_entry(path, recursive, function(full)
    seen[full] = look(full, path)
  end)
  return seen
end

local function forget_below(seen, path)
  for known in pairs(seen) do
    if known:sub(1, #path + 1) == path .. "/" then
      seen[known] = nil
    end
  end
end

--- Learn from one event.
local function learn(seen, event, path, recursive)
  if event.path == path and event.what ~= "change" then
    for known in pairs(seen) do
      seen[known] = nil
    end
    for known, state in pairs(survey(path, recursive)) do
      seen[known] = state
    end
    return
  end
  seen[event.path] = look(event.path, path)
  if event.what == "rename" then
    forget_below(seen, event.path)
  end
end

--- Take all events that are there now.
function M.drain(w, see)
  local quiet = 0
  while quiet < 4 do
    local event = aw.await(aw.Recv(w) | aw.Sleep(0))
    quiet = event and 0 or quiet + 1
    if event then
      see(event)
    end
  end
end

local function differences(seen, real)
  local list = {}
  for path, state in pairs(real) do
    if seen[path] ~= state then
      list[#list + 1] = ("%s is %q, seen %q"):format(path, state,
        tostring(seen[path]))
    end
  end
  for path, state in pairs(seen) do
    if real[path] == nil then
      list[#list + 1] = ("%s is gone, seen %q"):format(path, state)
    end
  end
  table.sort(list)
  return list
end

local function remove_all(path)
  if lfs.symlinkattributes(path, "mode") == "directory" then
    for name in lfs.dir(path) do
      if name ~= "." and name ~= ".." then
        remove_all(path .. "/" .. name)
      end
    end
  end
  os.remove(path)
end

--- Make a folder and those above it.
local function make_all(path)
  for above in path:gmatch "()/" do
    lfs.mkdir(path:sub(1, above - 1))
  end
  lfs.mkdir(path)
end

--- Operations on paths, which `path()` draws. Those that fail change nothing.
local operations = {
  function(path, random)
    local file <close> = io.open(path(), "w")
    return file and file:write(random:below(1000))
  end,
  function(path)
    local file <close> = io.open(path(), "a")
    return file and file:write "+"
  end,
  function(path)
    os.rename(path(), path())
  end,
  function(path)
    os.remove(path())
  end,
  function(path)
    lfs.mkdir(path())
  end,
  function(path) -- absolute links, and relative ones
    lfs.link(path(), path(), true)
  end,
  function(path)
    lfs.link(path():match "[^/]+$", path(), true)
  end,
  function(path)
    remove_all(path())
  end,
  function(path, random)
    lfs.touch(path(), random:below(1000))
  end,
  function(path)
    make_all(path())
  end,
}

local names <const> = { "a", "b", "c" }

--- Returns a path of one to three parts below a folder.
local function draw_path(at, random)
  for _ = 1, random:between(1, 3) do
    at = at .. "/" .. random:pick(names)
  end
  return at
end

--- Do `n` random operations in a folder.
---@param log? string[]
function M.act(at, n, random, log)
  for _ = 1, n do
    local k = random:between(1, #operations)
    operations[k](function()
      local path = draw_path(at, random)
      if log then
        log[#log + 1] = ("operation %d: %s"):format(k, path)
      end
      return path
    end, random)
  end
end

--- Compare what the events of `w` have told with what is there.
---@return string[] differences
function M.differences(seen, path, recursive)
  return differences(seen, survey(path, recursive))
end

--- Do random operations in an empty folder, watch a path in it, and compare.
---@param at string the folder
---@param count integer of rounds, each of some operations
---@param recursive boolean
---@return string[] differences
---@return string[] log
function M.run(at, count, recursive, random)
  local log = {}
  M.act(at, 6, random, log)
  local path = draw_path(at, random)
  if not lfs.attributes(path) then
    make_all(path)
  end
  if not lfs.attributes(path) then -- a part of it is a file
    return {}, log
  end
  log[#log + 1] = "watch " .. path
  local w <close> = aw.fs.watch(path, { recursive = recursive })
  local seen = survey(path, recursive)
  for _ = 1, count do
    M.act(at, random:between(1, 4), random, log)
    M.drain(w, function(event)
      log[#log + 1] = event.what .. " " .. event.path
      learn(seen, event, path, recursive)
    end)
    local list = M.differences(seen, path, recursive)
    if #list > 0 then
      return list, log
    end
  end
  return {}, log
end

M.survey, M.learn = survey, learn

return M
