-- What the C libraries show is what their headers declare, and the table for C
-- modules has all of it.

local exports = require "spec.tree.exports"
local process = require "spec.support.process"

local build <const> = os.getenv "AIOWIRE_BUILD_DIR" or "build/dev"
local WRITE <const> = "run `./dev exports`, which writes this list"

-- The first COUNT functions of the table, which compiled modules know by their
-- places, have this checksum. A release that adds functions adds a row; no row
-- ever changes while AW_MODULE_ABI stays the same.
local RELEASED <const> = {}

-- Returns the symbols that a library defines, sorted, without the names of its
-- versions; and a table from version to true.
local function symbols_of(library)
  local file <close> = io.open(library, "rb")
  if not file then
    return nil
  end
  local names, versions = {}, {}
  local pipe <close> =
    assert(io.popen(("nm -D --defined-only '%s'"):format(library)))
  for line in pipe:lines() do
    local kind, name, version = line:match "^%x+ (%a) ([^@%s]+)(@*%S*)$"
    if kind ~= "A" then
      names[#names + 1] = name
      versions[version] = true
    end
  end
  table.sort(names)
  return names, versions
end

local function sorted(list)
  table.sort(list)
  return list
end

describe("the list of exports", function()
  it("names each function of the headers, in order [exports]", function()
    for _, part in ipairs { "core", "lua" } do
      local path, text, wanted = exports.map(part)
      assert.are.equal(wanted, text, path .. ": " .. WRITE)
    end
  end)

  for library, part in pairs {
    ["libaiowire.so"] = "core",
    ["libaiowire_lua.so"] = "lua",
  } do
    it("is what " .. library .. " shows, with its version [exports]", function()
      local names, versions = symbols_of(build .. "/" .. library)
      if not names then
        pending "this build has no libraries"
        return
      end
      assert.are.same(sorted(exports.functions(part)), names)
      local node = "@@" .. exports.node(part)
      -- Without version scripts, symbols have no versions.
      assert.are.same(versions[""] and { [""] = true } or { [node] = true },
        versions)
    end)
  end

  it("has a new version for each 0.x, and for each major one [exports]",
    function()
      assert.are.equal("AIOWIRE_0.1", exports.node("core", "0.1.7"))
      assert.are.equal("AIOWIRE_0.12", exports.node("core", "0.12.0"))
      assert.are.equal("AIOWIRE_LUA_1", exports.node("lua", "1.4.2"))
      assert.are.equal("AIOWIRE_10", exports.node("core", "10.0.1"))
    end)

  it("is not in aiowire.so, whose core is its own [exports]", function()
    local names = symbols_of(build .. "/aiowire.so")
    assert.are.same({ "luaopen_aiowire", "luaopen_aiowire_cqueues",
      "luaopen_aiowire_luv", "luaopen_aiowire_zmq" }, names)
  end)
end)

describe("aiowire_module.h", function()
  local text, wanted = exports.module()
  local names = exports.table_of(text)

  it("has all functions but those that open the library [exports]", function()
    assert.are.same({}, exports.without(exports.callable(), names), WRITE)
    assert.are.same({}, exports.without(names, exports.callable()))
    assert.are.equal(wanted, text, WRITE)
  end)

  it("names each function once [exports]", function()
    local seen = {}
    for _, name in ipairs(names) do
      assert.is_nil(seen[name], name)
      seen[name] = true
    end
  end)

  it("has a row of RELEASED for each release of CHANGELOG.md [exports]",
    function()
      local changes, versions = process.read "CHANGELOG.md", 0
      for version, state in changes:gmatch "\n## (%d+%.%d+%.%d+)([^\n]*)" do
        versions = versions + 1
        local row = RELEASED[version]
        if state:find "not released" then
          assert.is_nil(row, version)
        else
          assert.is_table(row, version .. " has no row; its functions are "
            .. ("{ count = %d, checksum = %d }"):format(#names,
              exports.checksum(names)))
        end
      end
      assert.is_true(versions > 0)
    end)

  it("keeps the places of the functions of releases [exports]", function()
    for version, row in pairs(RELEASED) do
      assert.is_true(exports.keeps(names, row), version)
    end
  end)
end)

describe("the reading of headers", function()
  it("finds declarations on one line and on several [exports]", function()
    assert.are.same({ "aw_a", "aw_b", "luaopen_c" }, exports.declared [[
#define AW_API __attribute__((visibility("default")))
/* AW_API int aw_old(void); */
AW_API const char *
aw_a(int (*f)(void), int n); /* or NULL */
AW_API aw_b
  *aw_b(aw_x x);
AW_API int luaopen_c(lua_State *L);
]])
  end)

  it("notices that a function of a release has moved or is gone [exports]",
    function()
      local row = { count = 2, checksum = exports.checksum { "aw_a", "aw_b" } }
      assert.is_true(exports.keeps({ "aw_a", "aw_b" }, row))
      assert.is_true(exports.keeps({ "aw_a", "aw_b", "aw_c" }, row))
      assert.is_false(exports.keeps({ "aw_b", "aw_a" }, row))
      assert.is_false(exports.keeps({ "aw_a", "aw_c", "aw_b" }, row))
      assert.is_false(exports.keeps({ "aw_a" }, row))
    end)

  it("appends what the table lacks, and moves nothing [exports]", function()
    assert.are.same({ "c" }, exports.without({ "a", "b", "c" }, { "b", "a" }))
    assert.are_not.equal(exports.checksum { "a", "b" },
      exports.checksum { "b", "a" })
  end)
end)
