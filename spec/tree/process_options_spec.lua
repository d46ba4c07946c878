-- The table of options in docs/processes.md has those of aw.spawn and aw.exec,
-- as lua/aiowire/meta.lua declares them, and aw.spawn and aw.exec take them.

local aw = require "aiowire"
local process = require "spec.support.process"

--- Returns the set of fields that a class of meta.lua declares.
local function fields_of(class)
  local fields, inside = {}, false
  for line in process.read "lua/aiowire/meta.lua":gmatch "[^\n]+" do
    local name = line:match "^%-%-%-@class ([%w_%.]+)"
    if name then
      inside = name == class
    end
    local field = inside and line:match "^%-%-%-@field ([%a_]+)"
    if field then
      fields[field] = true
    end
  end
  return fields
end

--- Returns the names in the first column of the table below a heading, and the
--- set of those that have a dash in its second column.
local function table_below(heading)
  local text = process.read "docs/processes.md"
  local _, from = text:find("\n## " .. heading .. "\n", 1, true)
  local names, refused = {}, {}
  for row in text:sub(from):match "\n| option |.-\n\n":gmatch "[^\n]+" do
    local first, second = row:match "^| (`.-) | (.-) |"
    for name in (first or ""):gmatch "`([%a_]+)`" do
      names[name] = true
      refused[name] = second == "–" or nil
    end
  end
  return names, refused
end

describe("the table of options of programs", function()
  it("has all options that the types declare, and no others", function()
    local declared = fields_of "aiowire.SpawnOptions"
    for name in pairs(fields_of "aiowire.ExecOptions") do
      declared[name] = true
    end
    assert.are.same(declared, (table_below "All options"))
  end)

  it("tells which of them spawn refuses", function()
    local names, refused = table_below "All options"
    for name in pairs(names) do
      -- A value of a wrong type, so that no program starts.
      local wrong = name == "env" and "x" or {}
      local ok, err = pcall(aw.spawn, { "true", [name] = wrong })
      assert.is_false(ok, name)
      assert.are.equal(refused[name] or false,
        tostring(err):find("unknown option", 1, true) ~= nil, name)
    end
  end)
end)
