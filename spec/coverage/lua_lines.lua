--- Counts the lines of the library's Lua sources that run.
---
--- No hook counts them: the library keeps hooks for programs away from its own
--- code, and a hook would change what specs of hooks see. Instead a build that
--- counts embeds copies of the sources. `do aw_hit(n) end` stands before each
--- statement that begins a line; Lua accepts that nowhere else. hits.c counts.
---
--- So a line counts if a statement begins on it. `elseif` and `until` do not,
--- nor does "(", nor a function within one line.
---
---   lua5.4 lua_lines.lua LIBRARY SOURCE COPY    writes a copy, for embed.cmake
---
--- Specs that load a source by themselves get a copy from counting().
local M = {}

--- Each source has so many counts, one for each line.
M.SPAN = 4096

local HEAD <const> = "local aw_hit <const> = package and package.loadlib(%q,"
  .. [[ "aw_hit") or function() end ]]
local HIT <const> = "do aw_hit(%d) end "

local function lines_of(text)
  local lines = {}
  for line in (text .. "\n"):gmatch "(.-)\n" do
    lines[#lines + 1] = line
  end
  return lines
end

--- Words that begin no statement, but before which one may end.
local CLOSERS <const> = { ["end"] = true, ["else"] = true, ["elseif"] = true,
  ["until"] = true }

local function may_begin(line)
  -- not "(", which may continue the line above
  local indent, word = line:match "^(%s*)([%a_:][%w_]*)"
  return word and not CLOSERS[word] and #indent
end

--- Return line `number` with `hit` before its statement; nil if none begins
--- there. Between the head of a loop and its `do`, a block may stand, but no
--- semicolon. In a long string anything may stand.
local function with_hit(lines, number, hit)
  local line <const> = lines[number]
  local indent <const> = may_begin(line)
  if not indent then
    return nil
  end
  local function loads(piece)
    lines[number] = line:sub(1, indent) .. piece .. line:sub(indent + 1)
    local f = load(table.concat(lines, "\n"))
    return f and lines[number]
  end
  local result = not loads "@" and loads ";" and loads(hit)
  lines[number] = line
  return result or nil
end

--- Return a copy of the source `text` that counts, and the set of lines that
--- it counts. `base` is the number of its line 0.
function M.instrument(text, base, library)
  local lines, counted = lines_of(text), {}
  for number, line in ipairs(lines) do
    local hit = with_hit(lines, number, HIT:format(base + number))
    lines[number], counted[number] = hit or line, hit and true
  end
  return HEAD:format(library) .. table.concat(lines, "\n"), counted
end

--- Return the functions of `listing`, which `luac -l` has printed, in the order
--- of their lines. Only those of several lines are there.
function M.functions(listing)
  local functions = {}
  for first, last in listing:gmatch "\nfunction <[^\n]-:(%d+),(%d+)>" do
    if first ~= last then
      table.insert(functions,
        { line = tonumber(first), last = tonumber(last), count = 0 })
    end
  end
  table.sort(functions, function(a, b)
    return a.line < b.line
  end)
  return functions
end

--- Add the counts of lines to the innermost functions around them.
local function add_calls(functions, counts)
  for number, count in pairs(counts) do
    local inner
    for _, f in ipairs(functions) do
      if f.line < number and number <= f.last then
        inner = f
      end
    end
    if inner then
      inner.count, inner.seen = inner.count + count, true
    end
  end
end

--- Make a file as files.lua describes it. `count_of(line)` gives counts.
function M.file(path, text, listing, count_of)
  local _, counted = M.instrument(text, 0, "")
  local file = { path = path, kind = "Lua", functions = {}, lines = {},
    branches = {} }
  for number in pairs(counted) do
    file.lines[number] = count_of(number)
  end
  local functions, lines = M.functions(listing), lines_of(text)
  add_calls(functions, file.lines)
  for _, f in ipairs(functions) do
    if f.seen then
      table.insert(file.functions, { name = lines[f.line]:match "^%s*(.*)$",
        line = f.line, count = f.count })
    end
  end
  return file
end

--- Return the paths of the sources, in the order of their counts.
function M.sources()
  local paths = {}
  local pipe <close> =
    assert(io.popen "LC_ALL=C ls lua/aiowire/*.lua lua/host/*/*.lua")
  for path in pipe:lines() do
    paths[#paths + 1] = path
  end
  return paths
end

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

--- Read the counts in the file `hits`, and return files.
function M.read(hits)
  local counts, files = read(hits), {}
  for i, path in ipairs(M.sources()) do
    if not path:find "/meta%.lua$" then
      local pipe <close> = assert(io.popen("luac5.4 -l -p " .. path))
      files[#files + 1] = M.file(path, read(path), pipe:read "a",
        function(line)
          return (string.unpack("=I4", counts, (i * M.SPAN + line) * 4 + 1))
        end)
    end
  end
  return files
end

--- Return a copy of a source that counts.
function M.counting(library, source)
  local base
  for i, path in ipairs(M.sources()) do
    base = path == source and i * M.SPAN or base
  end
  return (M.instrument(read(source), base, library))
end

local function copy(library, source, target)
  local text <const> = M.counting(library, source)
  local file <close> = assert(io.open(target, "wb"))
  assert(file:write(text))
end

if arg and arg[0]:find "lua_lines%.lua$" then
  copy(table.unpack(arg))
end

return M
