-- What ./dev coverage makes of counts, and which figures it accepts.

local json = require "dkjson"

local figures = require "spec.coverage.figures"
local files = require "spec.coverage.files"
local lua_lines = require "spec.coverage.lua_lines"
local process = require "spec.support.process"

--- Two files as `gcovr --json` writes them. In the first one, the body of
--- `idle` did not run, and `busy` took one of two branches.
local REPORT <const> = [[
{ "gcovr/format_version": "0.3", "files": [
  { "file": "core/base/one.c",
    "functions": [
      { "execution_count": 0, "lineno": 8, "name": "idle" },
      { "execution_count": 7, "lineno": 2, "name": "busy" }
    ],
    "lines": [
      { "line_number": 1, "count": 0, "branches": [],
        "gcovr/excluded": false, "gcovr/noncode": true },
      { "line_number": 2, "count": 7, "branches": [],
        "gcovr/excluded": false, "gcovr/noncode": false },
      { "line_number": 3, "count": 7,
        "branches": [ { "count": 7, "fallthrough": true, "throw": false },
          { "count": 0, "fallthrough": false, "throw": false } ],
        "gcovr/excluded": false, "gcovr/noncode": false },
      { "line_number": 8, "count": 0, "branches": [],
        "gcovr/excluded": false, "gcovr/noncode": false },
      { "line_number": 10, "count": 0, "branches": [],
        "gcovr/excluded": false, "gcovr/noncode": false }
    ] },
  { "file": "core/base/two.c",
    "functions": [ { "execution_count": 1, "lineno": 1, "name": "other" } ],
    "lines": [
      { "line_number": 1, "count": 1, "branches": [],
        "gcovr/excluded": false, "gcovr/noncode": false },
      { "line_number": 2, "count": 0, "branches": [],
        "gcovr/excluded": true, "gcovr/noncode": false }
    ] }
] }
]]

local function read()
  return files.from_gcovr(assert(json.decode(REPORT)))
end

describe("the report of gcovr", function()
  it("has functions in the order of their lines", function()
    assert.are.same({
      { name = "busy", line = 2, count = 7 },
      { name = "idle", line = 8, count = 0 },
    }, read()[1].functions)
  end)

  it("counts lines of code only", function()
    assert.are.same({ [2] = 7, [3] = 7, [8] = 0, [10] = 0 }, read()[1].lines)
    assert.are.same({ [1] = 1 }, read()[2].lines)
  end)

  it("says how many branches of a line were taken", function()
    assert.are.same({ [3] = { 1, 2 } }, read()[1].branches)
  end)

  it("is summed for each folder", function()
    assert.are.same({ ["core/base"] = {
      functions = { 2, 3 }, lines = { 3, 5 }, branches = { 1, 2 },
    } }, files.rooms(read()))
  end)

  it("names functions that nobody called, and stretches of lines", function()
    local one = read()[1]
    assert.are.same({ { name = "idle", line = 8, count = 0 } },
      files.idle_functions(one))
    assert.are.same({ { first = 8, last = 10, lines = 2 } },
      files.idle_lines(one))
  end)
end)

--- Check a room of 200 functions, 1000 lines and 500 branches.
local function check(functions, lines, branches)
  return figures.check(
    { room = { functions = { functions, 200 }, lines = { lines, 1000 },
      branches = { branches, 500 } } },
    { room = { functions = 100, lines = 98, branches = 90 } })
end

describe("the check of coverage", function()
  it("passes figures that are as they were, or higher", function()
    assert.are.same({}, check(200, 980, 450))
    assert.are.same({}, check(200, 1000, 500))
  end)

  it("passes a small loss of lines and branches", function()
    assert.are.same({}, check(200, 975, 445))
  end)

  it("fails for one function that is not called any more", function()
    assert.are.same({ "room: 99.5 % of the functions, 100.0 % before" },
      check(199, 980, 450))
  end)

  it("fails for a larger loss", function()
    assert.are.same({
      "room: 97.0 % of the lines, 98.0 % before",
      "room: 88.0 % of the branches, 90.0 % before",
    }, check(200, 970, 440))
  end)

  it("lets a small room lose one line", function()
    local kept = { room = { functions = 100, lines = 100, branches = 100 } }
    local function lines(covered)
      return figures.check({ room = { functions = { 1, 1 },
        lines = { covered, 20 }, branches = { 0, 0 } } }, kept)
    end
    assert.are.same({}, lines(19))
    assert.are.same({ "room: 90.0 % of the lines, 100.0 % before" }, lines(18))
  end)

  it("lets a room of threads lose one function", function()
    local kept = { functions = 100, lines = 100, branches = 100 }
    local function check_in(room, functions, lines)
      return #figures.check({ [room] = { functions = { functions, 40 },
        lines = { lines, 400 }, branches = { 0, 0 } } }, { [room] = kept })
    end
    assert.are.equal(0, check_in("lua/io/thread", 39, 392))
    assert.are.equal(1, check_in("lua/io/thread", 38, 400))
    assert.are.equal(1, check_in("lua/io/thread", 40, 391))
    assert.are.equal(2, check_in("lua/embed", 39, 392))
  end)

  it("names rooms of threads that have figures", function()
    local kept = figures.parse(process.read "spec/coverage/figures.txt")
    for room in pairs(figures.RACING) do
      assert.is_truthy(kept[room], room)
    end
  end)

  it("fails for a room without figures, and for figures without a room",
    function()
      local sums = { functions = { 1, 1 }, lines = { 1, 1 },
        branches = { 0, 0 } }
      assert.are.same(
        { "new has no figures yet", "old has figures, but no code" },
        figures.check({ new = sums }, { old = {} }))
    end)

  it("is 100 % of nothing, and of nothing less than all", function()
    assert.are.equal(100, figures.percent(0, 0))
    assert.are.equal(99.9, figures.percent(9999, 10000))
  end)

  it("raises figures, and lowers none", function()
    local now = { a = { functions = 90, lines = 99, branches = 70 },
      b = { functions = 100, lines = 100, branches = 100 } }
    local kept = { a = { functions = 95, lines = 98, branches = 70 },
      gone = { functions = 1, lines = 1, branches = 1 } }
    assert.are.same({
      a = { functions = 95, lines = 99, branches = 70 }, b = now.b,
    }, figures.raised(now, kept))
  end)
end)

--- A source of Lua. Its comments say where a statement begins a line.
local SOURCE <const> = [[
local function choose(x)      --
  if x == 1                   --
    or x == 2 then
    return {                  --
      x,
      (x),
    }
  elseif x == 3 then
    choose(2)                 --
  end
  repeat                      --
    x = x                     --
      + 1
  until x > 3
  do return function()        --
    return x                  --
  end end
end
return choose                 --
]]

local LISTING <const> = [[

main <lua/a.lua:0,0> (1 instructions at 0x55)

function <lua/a.lua:15,17> (3 instructions at 0x56)

function <lua/a.lua:1,18> (9 instructions at 0x57)

function <lua/a.lua:3,3> (2 instructions at 0x58)
]]

describe("a source of Lua that counts its lines", function()
  local marked = {}
  local number = 0
  for line in SOURCE:gmatch "(.-)\n" do
    number = number + 1
    marked[number] = line:find "%-%-$" and true or nil
  end

  it("does so where a statement begins a line", function()
    local _, counted = lua_lines.instrument(SOURCE, 0, "")
    assert.are.same(marked, counted)
  end)

  it("behaves as before, and says which lines ran", function()
    local ran = {}
    local text = lua_lines.instrument(SOURCE, 100, "hits.so")
    local choose = assert(load(text, "=a", "t", { package = {
      loadlib = function(library, name)
        assert.are.same({ "hits.so", "aw_hit" }, { library, name })
        return function(n)
          ran[n] = (ran[n] or 0) + 1
        end
      end,
    } }))()
    assert.are.same({ 2, 2 }, choose(2))
    assert.are.same({ [101] = 1, [102] = 1, [104] = 1, [119] = 1 }, ran)
  end)

  it("does so nowhere inside of a statement", function()
    local text, counted = lua_lines.instrument(table.concat({
      "local a = 0",
      "for i = 1, 3",
      "do",
      "  a = a + i",
      "end",
      "local b = math.max",
      "(a, 5)",
      "return b, [[",
      "print]]" }, "\n"), 0, "")
    assert.are.same({ [1] = true, [2] = true, [4] = true, [6] = true,
      [8] = true }, counted)
    assert.are.same({ 6, "print" },
      { load(text, "=a", "t", { math = math })() })
  end)

  it("runs without the library `package`, too", function()
    local text = lua_lines.instrument(SOURCE, 0, "")
    assert.are.same({ 1, 1 }, load(text, "=a", "t", {})()(1))
  end)

  it("counts a function if one of its own lines ran", function()
    local file = lua_lines.file("lua/a.lua", SOURCE, LISTING, function(line)
      return line == 2 and 5 or 0
    end)
    local functions = file.functions
    assert.are.same({ { 1, 5 }, { 15, 0 } }, {
      { functions[1].line, functions[1].count },
      { functions[2].line, functions[2].count } })
    assert.are.equal(2, #functions)
    assert.are.equal("lua/*.lua", files.room(file))
    assert.are.same({ 1, 9 }, files.sums(file).lines)
  end)
end)

describe("the figures of coverage in the tree", function()
  local PATH <const> = "spec/coverage/figures.txt"

  it("are written as they are read", function()
    local text = process.read(PATH)
    assert.are.equal(text, figures.format(figures.parse(text)))
  end)

  it("are those of all folders with C code", function()
    local kept = figures.parse(process.read(PATH))
    for _, top in ipairs { "core", "lua" } do
      for _, path in ipairs(process.files(top, "%.c$")) do
        local folder = path:match "^(.*)/"
        assert.is_truthy(kept[folder] or folder:find "/test$", folder)
      end
    end
  end)

  it("name folders that exist", function()
    for room in pairs(figures.parse(process.read(PATH))) do
      local folder = room:match "^(.*)/%*%.lua$"
      assert.are_not.same({},
        process.files(folder or room, folder and "%.lua$" or "%.[ch]$"), room)
    end
  end)
end)
