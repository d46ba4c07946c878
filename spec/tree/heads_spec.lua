-- The head comments of the sources name files as they are called.

local process = require "spec.support.process"

-- All sources, and a set of their paths and of each end of these paths, such as
-- "core/run/task.c", "run/task.c" and "task.c".
local paths, ends = {}, {}
for _, folder in ipairs { "core", "lua", "bench", "spec", "docs", "examples",
  "cmake" } do
  for _, path in ipairs(process.files(folder, "%.[chl][ua]*$")) do
    paths[#paths + 1] = path
    for start in ("/" .. path):gmatch "()/" do
      ends[path:sub(start)] = true
    end
  end
end

-- Returns the name with which a head begins: "x.c" of "/* x.c - does this".
local function name_in_head(text)
  return text:match "^/%* ([%w_/]+%.[ch]) %- "
    or text:match "^%-%-%- ([%w_/]+%.lua): "
end

-- Returns the sources in C that the comments of a text name, once each.
local function sources_in_comments(text)
  local names, seen = {}, {}
  for comment in text:gmatch "/%*.-%*/" do
    for name in comment:gsub("[%w_/]*<.->", ""):gmatch "[%w_/]+%.c%f[%W]" do
      if not seen[name] and name:find "%l+%.c$" and name ~= "x.c" then
        seen[name] = true
        names[#names + 1] = name
      end
    end
  end
  return names
end

describe("the head of a source", function()
  it("names its own file [docs]", function()
    local wrong, count = {}, 0
    for _, path in ipairs(paths) do
      local name = name_in_head(process.read(path))
      count = count + (name and 1 or 0)
      if name and ("/" .. path):sub(-#name - 1) ~= "/" .. name then
        wrong[#wrong + 1] = path .. " calls itself " .. name
      end
    end
    assert.are.same({}, wrong)
    assert.is_true(count > 500, count)
  end)

  it("is read [docs]", function()
    assert.are.equal("x.c", name_in_head "/* x.c - does this */")
    assert.are.equal("x.lua", name_in_head "--- x.lua: does that\n")
    assert.is_nil(name_in_head "-- Does that.")
  end)
end)

-- Returns "path:line" of each line of a text with more than 80 characters.
local function long_lines(path, text)
  local places, number = {}, 0
  for line in text:gmatch "([^\n]*)\n" do
    number = number + 1
    if utf8.len(line) > 80 then
      places[#places + 1] = ("%s:%d"):format(path, number)
    end
  end
  return places
end

describe("a line of a source in C", function()
  it("has 80 columns at most, also in comments [docs]", function()
    local found = {}
    for _, path in ipairs(paths) do
      if path:find "%.[ch]$" then
        table.move(long_lines(path, process.read(path)), 1, 100, #found + 1,
          found)
      end
    end
    assert.are.same({}, found)
  end)

  it("is measured in characters [docs]", function()
    local dashes = ("─"):rep(80)
    assert.are.same({ "x.c:2" }, long_lines("x.c", dashes .. "\n" .. dashes
      .. "-\n"))
  end)
end)

describe("the comments of a source in C", function()
  it("name sources that exist [docs]", function()
    local gone, count = {}, 0
    for _, path in ipairs(paths) do
      if path:find "^[cl][ou][ra]e?/" and path:find "%.[ch]$" then
        for _, name in ipairs(sources_in_comments(process.read(path))) do
          count = count + 1
          if not ends[name] and not name:find "^embedded" then
            gone[#gone + 1] = path .. " names " .. name
          end
        end
      end
    end
    assert.are.same({}, gone)
    assert.is_true(count > 500, count)
  end)

  it("are searched [docs]", function()
    assert.are.same({ "a.c", "b/c.c" },
      sources_in_comments "/* a.c and b/c.c, NAME.c, x.c */ d.c /* a.c */")
  end)
end)
