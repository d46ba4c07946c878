--- Reads from the objects of a build which file calls which.
---
--- A *unit* is a source file with its header, named by its path without the
--- extension: "core/run/task". An *edge* says that one unit needs another:
---
---     { from = "core/run/step", to = "core/run/task", what = "aw__task_end" }
---
--- `what` is the symbol, or the header of an include. The functions under
--- "judging" take edges of both kinds.

local process = require "spec.support.process"

local M = {}

---@alias Edge { from: string, to: string, what: string }

--- Returns the unit of a file.
---@param path string
---@return string
function M.unit(path)
  return (path:gsub("%.[ch]$", ""))
end

--- Returns the folder of a unit: "core/run" of "core/run/task".
---@param unit string
---@return string
function M.room(unit)
  return unit:match "^(.*)/" or ""
end

-- ── reading ────────────────────────────────────────────────────────────────

-- Returns the path of the object of a source file that belongs to a CMake
-- target.
local function object_of(build, target, source)
  return ("%s/CMakeFiles/%s.dir/%s.o"):format(build, target, source)
end

local function exists(path)
  local file <close> = io.open(path, "rb")
  return file ~= nil
end

-- Runs nm on `objects`; calls see(object, kind, symbol) for each symbol.
local function read_symbols(objects, see)
  if #objects == 0 then
    return
  end
  local words = {}
  for i, object in ipairs(objects) do
    words[i] = process.quoted(object)
  end
  local pipe <close> = assert(io.popen("nm -A -g " .. table.concat(words, " ")))
  for line in pipe:lines() do
    local object, kind, symbol = line:match "^(.-):%s*%x*%s+(%a)%s+(%S+)$"
    if object then
      see(object, kind, symbol)
    end
  end
end

-- Returns the objects of `sources` that exist, a table from object to unit, and
-- the sources without an object.
local function find_objects(target, sources)
  local build = assert(os.getenv "AIOWIRE_BUILD_DIR", "AIOWIRE_BUILD_DIR")
  local objects, unit_of, missing = {}, {}, {}
  for _, source in ipairs(sources) do
    local object = object_of(build, target, source)
    if exists(object) then
      objects[#objects + 1] = object
      unit_of[object] = M.unit(source)
    else
      missing[#missing + 1] = source
    end
  end
  return objects, unit_of, missing
end

-- Returns a table from symbol to the unit that defines it, and a list of {
-- unit, symbol } of the symbols that are needed.
local function look(objects, unit_of)
  local defined, needed = {}, {}
  read_symbols(objects, function(object, kind, symbol)
    if kind == "U" then
      needed[#needed + 1] = { unit_of[object], symbol }
    else
      defined[symbol] = unit_of[object]
    end
  end)
  return defined, needed
end

--- Returns the edges between the sources of a target, from the symbols of its
--- objects; and the sources whose object is missing. Edges are complete only if
--- no object is missing.
---@param target string of CMake, as "aiowire_core"
---@param sources string[] paths of .c files, relative to the repository
---@return Edge[] edges
---@return string[] missing
function M.edges(target, sources)
  local objects, unit_of, missing = find_objects(target, sources)
  local defined, needed = look(objects, unit_of)
  local edges = {}
  for _, need in ipairs(needed) do
    local from, symbol = need[1], need[2]
    local to = defined[symbol]
    if to and to ~= from then
      edges[#edges + 1] = { from = from, to = to, what = symbol }
    end
  end
  return edges, missing
end

--- Returns the symbols that these sources need and none of them defines.
---@param target string of CMake
---@param sources string[]
---@param pattern string of the symbols that matter, as "^awl_"
---@return string[] sorted, each once
function M.undefined(target, sources, pattern)
  local objects, unit_of = find_objects(target, sources)
  local defined, needed = look(objects, unit_of)
  local list, seen = {}, {}
  for _, need in ipairs(needed) do
    local symbol = need[2]
    if symbol:find(pattern) and not defined[symbol] and not seen[symbol] then
      seen[symbol] = true
      list[#list + 1] = symbol
    end
  end
  table.sort(list)
  return list
end

-- ── judging ────────────────────────────────────────────────────────────────

local function text_of(edge)
  return ("%s needs %s of %s"):format(edge.from, edge.what, edge.to)
end

--- Returns a text for each edge for which `wrong(edge)` holds and whose `what`
--- is no key of `allowed`; and the keys of `allowed` that no such edge needs.
---@param edges Edge[]
---@param wrong fun(edge: Edge): any
---@param allowed? table<string, any>
---@return string[] offences sorted
---@return string[] idle sorted
function M.offences(edges, wrong, allowed)
  local list, used, idle = {}, {}, {}
  allowed = allowed or {}
  for _, edge in ipairs(edges) do
    if wrong(edge) then
      if allowed[edge.what] then
        used[edge.what] = true
      else
        list[#list + 1] = text_of(edge)
      end
    end
  end
  for what in pairs(allowed) do
    if not used[what] then
      idle[#idle + 1] = what
    end
  end
  table.sort(list)
  table.sort(idle)
  return list, idle
end

-- Calls found(members) for each set of units that reach each other (Tarjan).
local function each_circle(targets_of, found)
  local index, lowest, stack, on_stack, count = {}, {}, {}, {}, 0
  local function visit(unit)
    count = count + 1
    index[unit], lowest[unit] = count, count
    stack[#stack + 1], on_stack[unit] = unit, true
    for target in pairs(targets_of[unit] or {}) do
      if not index[target] then
        visit(target)
        lowest[unit] = math.min(lowest[unit], lowest[target])
      elseif on_stack[target] then
        lowest[unit] = math.min(lowest[unit], index[target])
      end
    end
    if lowest[unit] == index[unit] then
      local members = {}
      repeat
        local member = table.remove(stack)
        on_stack[member] = false
        members[#members + 1] = member
      until member == unit
      if #members > 1 then
        found(members)
      end
    end
  end
  for unit in pairs(targets_of) do
    if not index[unit] then
      visit(unit)
    end
  end
end

--- Returns the circles among units, each as a text with its members in byte
--- order: "core/run/end core/run/cancel". Edges whose `what` is a key of
--- `allowed` do not count.
---@param edges Edge[]
---@param allowed? table<string, any>
---@return string[] sorted
function M.circles(edges, allowed)
  local targets_of, list = {}, {}
  for _, edge in ipairs(edges) do
    if not (allowed and allowed[edge.what]) then
      targets_of[edge.from] = targets_of[edge.from] or {}
      targets_of[edge.from][edge.to] = true
    end
  end
  each_circle(targets_of, function(members)
    table.sort(members)
    list[#list + 1] = table.concat(members, " ")
  end)
  table.sort(list)
  return list
end

return M
