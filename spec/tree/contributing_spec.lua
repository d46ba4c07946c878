-- CONTRIBUTING.md and docs/developing.md agree with the tree. Files that they
-- name exist. Functions are in the files that stand beside them. The map in
-- docs/developing.md has every folder; CONTRIBUTING.md is short.

local process = require "spec.support.process"
local sorted = require "spec.support.sorted"

-- A tree of folders as the map draws it ---------------------------------------

-- Returns the first block that draws folders.
local function map_of(text)
  return text:match "```\n(core/.-)\n```"
end

-- Returns the folders of a map, as a set. The first words of a line that end in
-- a slash are folders. A line without an indent begins with a top folder; the
-- other folders of this line and of the indented lines after it are below that
-- folder.
local function folders_of(map)
  local set, top = {}, nil
  for line in (map .. "\n"):gmatch "(.-)\n" do
    local indent, rest = line:match "^(%s*)(.*)$"
    local folder = rest:match "^([%w_/]+)/%f[%s\0]"
    while folder do
      if indent == "" then
        top, indent = folder, "done"
        set[top] = true
      else
        set[top .. "/" .. folder] = true
      end
      rest = rest:match "^[%w_/]+/%s(.*)$" or ""
      folder = rest:match "^([%w_/]+)/%f[%s\0]"
    end
  end
  return set
end

-- Returns the folders that have files, below some top folders, as a set.
local function folders_with_files(tops)
  local set = {}
  for _, top in ipairs(tops) do
    for _, path in ipairs(process.files(top, "%.[%w_]+$")) do
      set[path:match "^(.*)/"] = true
    end
  end
  return set
end

-- Names in the text -----------------------------------------------------------

-- Returns the paragraphs and list items of a Markdown text, each as one line.
-- Blocks of code are left out.
local function items_of(text)
  local items, item, fenced = {}, nil, false
  for line in (text .. "\n"):gmatch "(.-)\n" do
    fenced = fenced ~= (line:find "^```" ~= nil)
    if line == "" or fenced or line:find "^```" then
      item = nil
    elseif item and not line:find "^%d+%. " and not line:find "^%* " then
      items[item] = items[item] .. " " .. line:match "^%s*(.*)$"
    else
      item = #items + 1
      items[item] = line
    end
  end
  return items
end

-- Returns the paths and the functions that an item names in back quotes. Names
-- in capitals are placeholders, as in `core/run/kinds/NAME.c` and `aw_name()`.
local function names_of(item)
  local paths, functions = {}, {}
  for span in item:gmatch "`([^`]+)`" do
    if span:find "^[%w_]+/[%w_/.]+$" and not span:find "%u%u"
      and not span:find "^build/" then
      paths[#paths + 1] = span
    elseif span:find "^[%w_]+%(%)$" and not span:find "_name%(" then
      functions[#functions + 1] = span:match "^[%w_]+"
    end
  end
  return paths, functions
end

local function exists(path)
  local file <close> = io.open(path, "r")
  return file ~= nil
end

-- Does one of the files contain `name` as a whole word?
local function is_in(name, paths)
  for _, path in ipairs(paths) do
    if path:find "%.%l+$" and exists(path)
      and process.read(path):find("%f[%w_]" .. name .. "%f[^%w_]") then
      return true
    end
  end
  return false
end

-- Returns the paths in these items that are not in the tree, and the number of
-- all paths.
local function gone_paths(items)
  local gone, count = {}, 0
  for _, item in ipairs(items) do
    for _, path in ipairs((names_of(item))) do
      count = count + 1
      if not exists(path) then
        gone[#gone + 1] = path
      end
    end
  end
  return gone, count
end

describe("CONTRIBUTING.md", function()
  local text = process.read "CONTRIBUTING.md"

  it("names files that exist [docs]", function()
    local gone, count = gone_paths(items_of(text))
    assert.are.same({}, gone)
    assert.is_true(count > 3)
  end)

  it("is a page [docs]", function()
    local _, lines = text:gsub("\n", "\n")
    assert.is_true(lines <= 120, lines)
  end)
end)

describe("docs/developing.md", function()
  local text = process.read "docs/developing.md"
  local items = items_of(text)

  it("names files that exist [docs]", function()
    local gone, count = gone_paths(items)
    assert.are.same({}, gone)
    assert.is_true(count > 40)
  end)

  it("names functions that are in the files beside them [docs]", function()
    local everything = process.files("core", "%.[ch]$")
    local lua = process.files("lua", "%.[ch]$")
    table.move(lua, 1, #lua, #everything + 1, everything)
    local gone, count = {}, 0
    for _, item in ipairs(items) do
      local paths, functions = names_of(item)
      for _, name in ipairs(functions) do
        count = count + 1
        if not is_in(name, #paths > 0 and paths or everything) then
          gone[#gone + 1] = name .. "() in: " .. item
        end
      end
    end
    assert.are.same({}, gone)
    assert.is_true(count > 30)
  end)

  it("has a map of all folders, and of no others [docs]", function()
    local mapped = folders_of(map_of(text))
    local there = folders_with_files { "core", "lua", "spec" }
    assert.are.same({}, sorted.without(there, mapped))
    for _, folder in ipairs(sorted.without(mapped, there)) do
      assert.is_true(exists(folder), folder)
    end
  end)
end)

describe("the reading of these pages", function()
  it("finds the folders of a map [docs]", function()
    local set = folders_of "a/   text, c/d\n  b/   text\n  e/f/ g/\n  x.c  no"
    assert.are.same({ a = true, ["a/b"] = true, ["a/e/f"] = true,
      ["a/g"] = true }, set)
  end)

  it("finds what an item names [docs]", function()
    local items = items_of "1. `a/b.c`: `f()`\n   calls `g()`\n2. `a/NAME.c`\n"
    assert.are.equal(2, #items)
    local paths, functions = names_of(items[1])
    assert.are.same({ "a/b.c" }, paths)
    assert.are.same({ "f", "g" }, functions)
    assert.are.same({}, (names_of(items[2])))
  end)

  it("reads nothing in a block [docs]", function()
    assert.are.same({ "a", "b" }, items_of "a\n```\n`x/y.c`\n```\nb\n")
  end)
end)
