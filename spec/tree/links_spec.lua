-- The links in Markdown files lead to files and headings that exist.

local process = require "spec.support.process"

local FILES <const> = { "README.md", "CONTRIBUTING.md", "CHANGELOG.md",
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

local function anchors_of(path)
  local anchors = {}
  for line in (prose_of(process.read(path)) .. "\n"):gmatch "(.-)\n" do
    local heading = line:match "^#+%s+(.-)%s*$"
    if heading then
      anchors[anchor_of(heading)] = true
    end
  end
  return anchors
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
        or anchor ~= "" and not anchors_of(target)[anchor]) then
      broken[#broken + 1] = link
    end
  end
  return broken
end

describe("a link in a Markdown file", function()
  for _, path in ipairs(FILES) do
    it("leads somewhere: " .. path .. " [docs]", function()
      assert.are.same({}, broken_links(path))
    end)
  end

  it("has the name of its heading [docs]", function()
    assert.are.equal("steps-waits-operations",
      anchor_of "Steps, waits, operations")
    assert.are.equal("c", anchor_of "C++")
    assert.are.equal("README.md", target_of("docs/tour.md", "../README.md"))
  end)
end)
