-- The links in Markdown files lead to files, headings and lines that exist, and
-- so do the paths in back quotes.

local process = require "spec.support.process"

local FILES <const> = { "README.md", "CONTRIBUTING.md", "SECURITY.md",
  "CHANGELOG.md",
  table.unpack(process.files("docs", "^docs/[^/]+%.md$")) }

-- Returns the text without its blocks of code.
local function prose_of(text)
  local lines, inside = {}, false
  for line in (text .. "\n"):gmatch "(.-)\n" do
    if line:find "^%s*```" then
      inside = not inside
    elseif not inside then
      lines[#lines + 1] = line
    end
  end
  return table.concat(lines, "\n")
end

-- The name of a heading in a link, as GitHub makes it.
local function anchor_of(heading)
  return (heading:lower():gsub("[^%w _-]", ""):gsub(" ", "-"))
end

-- A heading that occurs again has a number at its end.
local function anchors_in(text)
  local anchors = {}
  for line in (prose_of(text) .. "\n"):gmatch "(.-)\n" do
    local heading = line:match "^#+%s+(.-)%s*$"
    if heading then
      local anchor, count = anchor_of(heading), 0
      while anchors[count > 0 and anchor .. "-" .. count or anchor] do
        count = count + 1
      end
      anchors[count > 0 and anchor .. "-" .. count or anchor] = true
    end
  end
  return anchors
end

-- Returns whether lines such as "L3" or "L3-L9" are in the text.
local function has_lines(text, anchor)
  local first, last = anchor:match "^L(%d+)%-?L?(%d*)$"
  if not first then
    return false
  end
  local _, count = text:gsub("\n", "\n")
  last = tonumber(last) or tonumber(first)
  return tonumber(first) >= 1 and tonumber(first) <= last and last <= count
end

local anchors_of <const> = {} -- by paths

local function has_anchor(path, anchor)
  if not path:find "%.md$" then
    return has_lines(process.read(path), anchor)
  end
  anchors_of[path] = anchors_of[path] or anchors_in(process.read(path))
  return anchors_of[path][anchor] ~= nil
end

-- Returns the path of the file at the end of a link in `path`.
local function target_of(path, link)
  local full = link == "" and path
    or (path:match "^(.*/)[^/]*$" or "") .. link
  local found
  repeat
    full, found = full:gsub("[^/]+/%.%./", "", 1)
  until found == 0
  return full
end

local function exists(path)
  local file <close> = io.open(path, "rb")
  return file ~= nil
end

-- Returns a list of links in a file that lead nowhere.
local function broken_links(path)
  local broken = {}
  for link in prose_of(process.read(path)):gmatch "%]%(([^()%s]+)%)" do
    local file, anchor = link:match "^([^#]*)#?(.*)$"
    local target = target_of(path, file)
    if not link:find "^%a+:" and (not exists(target)
        or anchor ~= "" and not has_anchor(target, anchor)) then
      broken[#broken + 1] = link
    end
  end
  return broken
end

-- Folders of the tree, whose paths may stand in back quotes.
local TREE <const> = { bench = true, cmake = true, core = true, docs = true,
  examples = true, lua = true, spec = true }

-- Returns a list of paths in back quotes that lead nowhere. Names in capitals
-- are placeholders. `aiowire.h` and the like have no folder and are left out.
local function broken_paths(text)
  local broken = {}
  for path in prose_of(text):gmatch "`([%w_.-]+/[%w_./-]*)`" do
    local folder = path:match "^[^/]+"
    if TREE[folder] and not path:find "%u%u" and not exists(path) then
      broken[#broken + 1] = path
    end
  end
  return broken
end

describe("a path in a Markdown file", function()
  for _, path in ipairs(FILES) do
    if path ~= "CHANGELOG.md" then
      it("is in the tree: " .. path .. " [docs]", function()
        assert.are.same({}, broken_paths(process.read(path)))
      end)
    end
  end

  it("is found in back quotes [docs]", function()
    assert.are.same({ "examples/no.lua" }, broken_paths(
      "`examples/no.lua` `docs/tour.md` `lua/NAME.c` `a/b` `docs/`"))
  end)
end)

describe("a link in a Markdown file", function()
  for _, path in ipairs(FILES) do
    it("leads somewhere: " .. path .. " [docs]", function()
      assert.are.same({}, broken_links(path))
    end)
  end

  it("may lead to lines of a file, and to a second heading [docs]", function()
    assert.is_true(has_lines("a\nb\nc\n", "L1"))
    assert.is_true(has_lines("a\nb\nc\n", "L2-L3"))
    for _, anchor in ipairs { "L0", "L4", "L2-L4", "L3-L2", "L", "name" } do
      assert.is_false(has_lines("a\nb\nc\n", anchor), anchor)
    end
    assert.are.same({ ["a-b"] = true, ["a-b-1"] = true, c = true },
      anchors_in "# A b\ntext\n## c\n```\n# no\n```\n### a b\n")
  end)

  it("has the name of its heading [docs]", function()
    assert.are.equal("steps-waits-operations",
      anchor_of "Steps, waits, operations")
    assert.are.equal("c", anchor_of "C++")
    assert.are.equal("README.md", target_of("docs/tour.md", "../README.md"))
  end)
end)
