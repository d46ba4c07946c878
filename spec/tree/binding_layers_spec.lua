-- The rooms of the binding depend in one direction: includes and symbols.

local process = require "spec.support.process"
local symbols = require "spec.tree.symbols"

-- From the bottom to the top. base/state.h says what is in each room.
local ROOMS <const> = { "base", "wire", "errors", "run", "objects" }

-- Headers that every room may include: declarations only.
local OPEN <const> = { ["lua/bind/open"] = true }

-- What the base takes of those above it: the sources of the parts in Lua and
-- the list of what is freed at the end of the state.
local DATA <const> = { "awl_embedded", "awl_endings" }

local level_of = {}
for level, room in ipairs(ROOMS) do
  level_of["lua/bind/" .. room] = level
end

local function level(unit)
  return level_of[symbols.room(unit)]
end

local sources = process.files("lua/bind", "%.c$")
local files = process.files("lua/bind", "%.[ch]$")

local function exists(path)
  local file <close> = io.open(path, "r")
  return file ~= nil
end

-- The edges of quoted includes; `what` is the name as it was written.
local function include_edges(paths)
  local edges = {}
  for _, path in ipairs(paths) do
    for name in process.read(path):gmatch '#include "([^"]+)"' do
      local from, to = symbols.unit(path), symbols.unit("lua/bind/" .. name)
      if from ~= to then
        edges[#edges + 1] = { from = from, to = to, what = name }
      end
    end
  end
  return edges
end

local function points_up(edge)
  local own, other = level(edge.from), level(edge.to)
  return own and other and other > own
end

-- The edges inside a room.
local function inside(edges)
  local list = {}
  for _, edge in ipairs(edges) do
    if symbols.room(edge.from) == symbols.room(edge.to) then
      list[#list + 1] = edge
    end
  end
  return list
end

describe("the binding", function()
  it("has a room for each of its files [layers]", function()
    local without = {}
    for _, path in ipairs(files) do
      local unit = symbols.unit(path)
      if not level(unit) and not OPEN[unit] then
        without[#without + 1] = path
      end
    end
    assert.are.same({}, without)
    assert.is_true(#sources > 0)
  end)

  it("has at most fifteen files with their headers in a room [layers]",
    function()
      local seen, count = {}, {}
      for _, path in ipairs(files) do
        local unit = symbols.unit(path)
        if not seen[unit] then
          seen[unit] = true
          local room = symbols.room(unit)
          count[room] = (count[room] or 0) + 1
        end
      end
      for room, n in pairs(count) do
        assert.is_true(n <= 15, room .. " has " .. n)
      end
    end)

  it("includes its headers by their paths from lua/bind [layers]", function()
    local wrong = {}
    for _, path in ipairs(files) do
      for name in process.read(path):gmatch '#include "([^"]+)"' do
        if not exists("lua/bind/" .. name) then
          wrong[#wrong + 1] = path .. " includes " .. name
        end
      end
    end
    assert.are.same({}, wrong)
  end)

  it("includes headers of its own room and lower ones only [layers]",
    function()
      assert.are.same({},
        (symbols.offences(include_edges(files), points_up)))
    end)

  it("has no circle of files that include each other [layers]", function()
    assert.are.same({}, symbols.circles(include_edges(files)))
  end)
end)

describe("the objects of the binding", function()
  local edges, missing = symbols.edges("aiowire_bind", sources)

  it("are there for each source [layers]", function()
    assert.are.same({}, missing)
    assert.is_true(#edges > #sources)
  end)

  it("call functions of their own room and lower ones only [layers]",
    function()
      assert.are.same({}, (symbols.offences(edges, points_up)))
    end)

  it("call each other in no circle [layers]", function()
    assert.are.same({}, symbols.circles(inside(edges)))
  end)

  it("need nothing of what assembles them, but for data [layers]", function()
    assert.are.same(DATA, symbols.undefined("aiowire_bind", sources, "^awl_"))
  end)
end)

describe("the files below lua/", function()
  -- Calls see(name) for each static function that the file at `path` defines.
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
