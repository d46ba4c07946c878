-- The rooms below lua/ depend in one direction: by includes and by symbols.

local process = require "spec.support.process"
local symbols = require "spec.tree.symbols"

-- `rooms` lists the folders of a part from the lowest level to the highest; ""
-- is the folder of the part itself. `open` lists headers that every room may
-- include, since they only declare. `data` lists symbols that the part uses and
-- that must be defined where the part is linked. `without` is a source that
-- only builds without a library have, instead of those that call it. `above` is
-- a part that it stands on: its headers, and its functions, by a pattern.
local BINDING <const> = {
  name = "the binding",
  folder = "lua/bind",
  target = "aiowire_bind",
  rooms = { "base", "wire", "errors", "signals", "run", "objects" },
  open = { ["lua/bind/open"] = true },
  data = { "awl_embedded", "awl_endings" },
}
local IO <const> = {
  name = "lua/io",
  folder = "lua/io",
  target = "aiowire_io",
  rooms = { "base", "tls", "stream", "net", "luasocket", "process", "file",
    "thread", "" },
  open = { ["lua/io/io"] = true },
  data = {},
  without = "lua/io/tls/absent.c",
}
local MONITOR <const> = {
  name = "lua/monitor",
  folder = "lua/monitor",
  target = "aiowire_monitor",
  rooms = { "listen", "trace", "inspect" },
  open = {},
  data = {},
  above = { folder = "lua/bind", functions = "^awl_" },
}
local HOST <const> = {
  name = "the program",
  folder = "lua/host",
  target = "aiowire_host",
  rooms = { "terminal", "options", "report", "state", "signals", "prompt",
    "check", "top", "" },
  open = {},
  data = {},
}
-- The rooms of lua/zmq share zmq.h, so their order is not held here.
local ZMQ <const> = "lua/zmq"

local function exists(path)
  local file <close> = io.open(path, "r")
  return file ~= nil
end

-- Returns the names in the quoted includes of a file.
local function includes_of(path)
  local list = {}
  for name in process.read(path):gmatch '#include "([^"]+)"' do
    list[#list + 1] = name
  end
  return list
end

-- Returns the quoted includes of a part as edges. `what` is the name as
-- written.
local function include_edges(part, files)
  local edges = {}
  for _, path in ipairs(files) do
    for _, name in ipairs(includes_of(path)) do
      local from = symbols.unit(path)
      local to = symbols.unit(part.folder .. "/" .. name)
      if from ~= to and not part.open[to] then
        edges[#edges + 1] = { from = from, to = to, what = name }
      end
    end
  end
  return edges
end

-- Returns a function that returns the level of a unit, or nil.
local function levels(part)
  local level_of = {}
  for level, room in ipairs(part.rooms) do
    local folder = part.folder .. (room == "" and "" or "/" .. room)
    level_of[folder] = level
  end
  return function(unit)
    return level_of[symbols.room(unit)]
  end
end

-- Returns the number of units in each room. A header and its source are one
-- unit.
local function sizes(files)
  local seen, count = {}, {}
  for _, path in ipairs(files) do
    local unit = symbols.unit(path)
    if not seen[unit] then
      seen[unit] = true
      local room = symbols.room(unit)
      count[room] = (count[room] or 0) + 1
    end
  end
  return count
end

local function describe_part(part)
  local files = process.files(part.folder, "%.[ch]$")
  local sources = process.files(part.folder, "%.c$")
  local level = levels(part)

  local function is_path(name)
    local above = part.above
    return exists(part.folder .. "/" .. name)
      or above and exists(above.folder .. "/" .. name)
  end

  local function points_up(edge)
    local own, other = level(edge.from), level(edge.to)
    return own and other and other > own
  end

  describe(part.name, function()
    it("has a room for each of its files [layers]", function()
      local without = {}
      for _, path in ipairs(files) do
        local unit = symbols.unit(path)
        if not level(unit) and not part.open[unit] then
          without[#without + 1] = path
        end
      end
      assert.are.same({}, without)
      assert.is_true(#sources > 0)
    end)

    it("has at most fifteen files in a room [layers]", function()
      for room, count in pairs(sizes(files)) do
        assert.is_true(count <= 15, room .. " has " .. count)
      end
    end)

    it("includes its headers by their paths from its folder [layers]",
      function()
        local wrong = {}
        for _, path in ipairs(files) do
          for _, name in ipairs(includes_of(path)) do
            if not is_path(name) then
              wrong[#wrong + 1] = path .. " includes " .. name
            end
          end
        end
        assert.are.same({}, wrong)
      end)

    it("includes headers of its own room and lower ones only [layers]",
      function()
        local edges = include_edges(part, files)
        assert.are.same({}, (symbols.offences(edges, points_up)))
      end)

    it("has no circle of files that include each other [layers]", function()
      assert.are.same({}, symbols.circles(include_edges(part, files)))
    end)
  end)

  describe("the objects of " .. part.name, function()
    local edges, missing = symbols.edges(part.target, sources)

    it("are there for each source [layers]", function()
      local full = not part.without
      for i = #missing, 1, -1 do
        full = full or missing[i] == part.without
        if missing[i] == part.without then
          table.remove(missing, i)
        end
      end
      if not full then
        pending "this is a build without a library"
        return
      end
      assert.are.same({}, missing)
      assert.is_true(#edges >= #sources - 1)
    end)

    it("call functions of their own room and lower ones only [layers]",
      function()
        assert.are.same({}, (symbols.offences(edges, points_up)))
      end)

    it("call each other in no circle [layers]", function()
      assert.are.same({}, symbols.circles(edges))
    end)

    it("need nothing of what assembles them, but for data [layers]",
      function()
        local needed = symbols.undefined(part.target, sources, "^aw[a-z]+_")
        local own = {}
        for _, symbol in ipairs(needed) do
          local below = part.above and symbol:find(part.above.functions)
          if not below and not symbol:find "^aw_" then
            own[#own + 1] = symbol
          end
        end
        assert.are.same(part.data, own)
      end)
  end)
end

describe_part(BINDING)
describe_part(IO)
describe_part(MONITOR)
describe_part(HOST)

describe("the files of lua/embed", function()
  it("call each other in no circle [layers]", function()
    local edges, missing = symbols.edges("aiowire_assembly",
      process.files("lua/embed", "%.c$"))
    assert.are.same({}, missing)
    assert.is_true(#edges > 0)
    assert.are.same({}, symbols.circles(edges))
  end)
end)

describe("the parts of the program in Lua", function()
  local files = process.files("lua/host", "%.lua$")

  local function unit(path)
    return (path:gsub("%.lua$", ""))
  end

  -- Returns the calls of `part "host.ROOM.NAME"` as edges.
  local function part_edges()
    local edges = {}
    for _, path in ipairs(files) do
      for name in process.read(path):gmatch 'part "([^"]+)"' do
        local to = "lua/" .. name:gsub("%.", "/")
        edges[#edges + 1] = { from = unit(path), to = to, what = name }
      end
    end
    return edges
  end

  it("ask for parts of their own room only [layers]", function()
    local edges = part_edges()
    assert.is_true(#edges > 0)
    assert.are.same({}, (symbols.offences(edges, function(edge)
      return symbols.room(edge.from) ~= symbols.room(edge.to)
    end)))
  end)

  it("ask for parts that exist [layers]", function()
    assert.are.same({}, (symbols.offences(part_edges(), function(edge)
      return not exists(edge.to .. ".lua")
    end)))
  end)

  it("ask for each other in no circle [layers]", function()
    assert.are.same({}, symbols.circles(part_edges()))
  end)
end)

describe(ZMQ, function()
  it("has at most fifteen files in a room [layers]", function()
    for room, count in pairs(sizes(process.files(ZMQ, "%.[ch]$"))) do
      assert.is_true(count <= 15, room .. " has " .. count)
    end
  end)
end)

describe("the files below lua/", function()
  -- Call see(name) for each static function that the file at `path` defines.
  local function each_static_function(path, see)
    for line in process.read(path):gmatch "[^\n]+" do
      local name = line:match "^static [^;=(]-([%w_]+)%("
      if name and not line:find ";$" then
        see(name)
      end
    end
  end

  it("give each static function a name of its own [layers]", function()
    local file_of, twice = {}, {}
    for _, path in ipairs(process.files("lua", "%.c$")) do
      if not path:find "/test/" then
        each_static_function(path, function(name)
          if file_of[name] and file_of[name] ~= path then
            twice[#twice + 1] = ("%s: %s and %s"):format(
              name, file_of[name], path
            )
          end
          file_of[name] = path
        end)
      end
    end
    assert.are.same({}, twice)
    assert.is_true(next(file_of) ~= nil)
  end)
end)
