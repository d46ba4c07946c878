-- docs/api.md is what docs/make/api.lua makes of lua/aiowire/meta.lua, and
-- meta.lua is whole: each name has a text, and each type that it names is
-- declared.

local api = require "docs.make.api"
local luacats = require "docs.make.luacats"
local process = require "spec.support.process"

local items = luacats.read(process.read "lua/aiowire/meta.lua")

-- Types of Lua, and what stands for a value.
local KNOWN <const> = {}
for name in ([[any nil boolean number integer string table function thread
  userdata fun true false file]]):gmatch "%a+" do
  KNOWN[name] = true
end

-- Calls `f(type, place)` for each type of an item.
local function each_type(item, f)
  local place = ("meta.lua:%d %s"):format(item.line, item.name or "")
  for _, list in ipairs { item.fields or {}, item.params or {},
    item.returns or {}, item.choices or {} } do
    for _, entry in ipairs(list) do
      f(entry.type, place)
      f(entry.name and entry.name:match "^%[(.*)%]$" or "any", place)
    end
  end
  for _, text in ipairs(item.overloads or {}) do
    f(text, place)
  end
  for _, text in ipairs(item.operators or {}) do
    f(text:gsub("^%l+", ""), place)
  end
  f(item.type or "any", place)
  f(item.parent ~= "" and item.parent or "any", place)
end

-- Returns the places of types that nobody declares.
local function unknown_types(list)
  local declared, unknown = setmetatable({}, { __index = KNOWN }), {}
  for _, item in ipairs(list) do
    if item.kind == "class" or item.kind == "alias" then
      declared[item.name] = true
    end
  end
  for _, item in ipairs(list) do
    each_type(item, function(type, place)
      for _, name in ipairs(luacats.names_of_type(type)) do
        if not declared[name] then
          unknown[#unknown + 1] = place .. ": " .. name
        end
      end
    end)
  end
  return unknown
end

-- Returns the places that have no text: items, fields, and parameters that are
-- numbers, which need a unit.
local function without_text(list)
  local bare = {}
  local function look(text, ...)
    if not text:find "%S" then
      bare[#bare + 1] = table.concat({ ... }, " ")
    end
  end
  for _, item in ipairs(list) do
    if item.kind ~= "section" and item.kind ~= "text" then
      look(item.text, item.line, item.name)
    end
    for _, field in ipairs(item.fields or {}) do
      look(field.text, item.line, item.name, field.name)
    end
    for _, param in ipairs(item.params or {}) do
      if param.type:find "^number" or param.type:find "^integer" then
        look(param.text, item.line, item.name, param.name)
      end
    end
  end
  return bare
end

-- Returns the functions whose annotations name other parameters than the code.
local function other_parameters(list)
  local other = {}
  for _, item in ipairs(list) do
    local names = {}
    for i, param in ipairs(item.params or {}) do
      names[i] = param.name
    end
    -- aw.keep has the parameters of its type.
    if item.kind == "function" and not item.type
      and table.concat(names, " ") ~= table.concat(item.arguments, " ") then
      other[#other + 1] = ("%d %s"):format(item.line, item.name)
    end
  end
  return other
end

local function names_of(kind)
  local seen, twice, count = {}, {}, 0
  for _, item in ipairs(items) do
    if item.kind == kind then
      twice[#twice + 1] = seen[item.name] and item.name
      seen[item.name] = true
      count = count + 1
    end
  end
  return twice, count
end

describe("docs/api.md", function()
  it("is what meta.lua says; otherwise run `./dev docs` [docs]", function()
    assert.is_true(api.text() == process.read "docs/api.md",
      "run `./dev docs`, which writes docs/api.md")
  end)
end)

describe("meta.lua", function()
  it("describes each name, field and number [docs]", function()
    assert.are.same({}, without_text(items))
  end)

  it("declares each type that it names [docs]", function()
    assert.are.same({}, unknown_types(items))
  end)

  it("has the parameters of each function, in order [docs]", function()
    assert.are.same({}, other_parameters(items))
  end)

  it("declares each name once [docs]", function()
    for kind, least in pairs { ["function"] = 200, class = 70, alias = 10 } do
      local twice, count = names_of(kind)
      assert.are.same({}, twice)
      assert.is_true(count >= least, kind .. " " .. count)
    end
  end)
end)

describe("the reading of annotations", function()
  local function read(text)
    return luacats.read(text)
  end

  it("gives a comment to the tag after it [docs]", function()
    local item = read [[
--- of the class
---@class a.B : a.C
---@field x? fun(n: integer): any called late
--- of y
--- on two lines
---@field y table<string, number>
local B = {}]][1]
    assert.are.equal("of the class", item.text)
    assert.are.same({ "a.B", "a.C", "B" },
      { item.name, item.parent, item.variable })
    assert.are.same({
      { name = "x", optional = true, type = "fun(n: integer): any",
        text = "called late" },
      { name = "y", optional = false, type = "table<string, number>",
        text = "of y\non two lines" },
    }, item.fields)
  end)

  it("gives a comment to the tag before it, in a function [docs]", function()
    local item = read [[
--- Do it.
---@param a integer how
--- often
---@param ... any
---@return string|nil why text
---@return any ... more
function m.f(a, ...) end]][1]
    assert.are.equal("Do it.", item.text)
    assert.are.equal("how often", item.params[1].text)
    assert.are.same({ "a", "..." }, item.arguments)
    assert.are.same({ { type = "string|nil", name = "why", text = "text" },
      { type = "any ...", text = "more" } }, item.returns)
  end)

  it("refuses a comment that belongs to nothing [docs]", function()
    assert.is_false(pcall(read, "---@class a\n---@field x any\n--- lost"))
    assert.is_false(pcall(read, "---@nonsense a\n"))
  end)

  it("finds what has no text, no type, other parameters [docs]", function()
    local list = read [[
--- Do it.
---@param s number
---@param x m.Lost
function m.f(x, s) end
---@class m.A
---@field y fun(z: m.Gone): boolean text]]
    assert.are.same({ "1 m.f s", "5 m.A" }, without_text(list))
    assert.are.same({ "meta.lua:1 m.f: m.Lost", "meta.lua:5 m.A: m.Gone" },
      unknown_types(list))
    assert.are.same({ "1 m.f" }, other_parameters(list))
  end)
end)
