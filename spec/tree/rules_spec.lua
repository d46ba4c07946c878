-- A mark such as [C9] names one rule, invariant or trap, and every rule has a
-- spec.
--
-- docs/semantics.md defines the rules and docs/pitfalls.md the traps, as list
-- items that begin with their mark; state.h of core defines the invariants. The
-- example marks in this file are put together from parts, so that the search
-- does not find them.

local process = require "spec.support.process"

local INVARIANTS <const> = process.files("core", "/state%.h$")[1]

-- Definitions ----------------------------------------------------------------

--- Returns the marks that a text defines, in order, with repetitions.
local function definitions(text, pattern)
  local list = {}
  for mark in ("\n" .. text):gmatch(pattern) do
    list[#list + 1] = mark
  end
  return list
end

local ITEM <const> = "\n%- %*%*(%u+%d+)%*%* "
local INVARIANT <const> = "\n %*   (I%d+) "

--- Returns the marks of a list as a set, and the list of those that are
--- repeated.
local function set_of(list)
  local set, twice = {}, {}
  for _, mark in ipairs(list) do
    if set[mark] then
      twice[#twice + 1] = mark
    end
    set[mark] = true
  end
  return set, twice
end

-- Marks ----------------------------------------------------------------------

--- Call `f(mark, in_range)` for each mark in a text from between two brackets;
--- a range stands for all of its marks. Returns false if the text is not a list
--- of marks.
local function each_named(text, f)
  for part in (text .. ","):gmatch "%s*(.-)," do
    local letters, first, last = part:match "^(%u+)(%d+)(.*)$"
    local same, to = (last or "x"):match "^%-(%u+)(%d+)$"
    if not first or last ~= "" and same ~= letters then
      return false
    end
    for number = tonumber(first), tonumber(to or first) do
      f(letters .. number, to ~= nil)
    end
  end
  return true
end

--- Returns { mark, place, in_range } for each mark of a text; and the places of
--- marks that cannot be read, since a line ends inside them or their brackets
--- are round.
local function marks_of(text, path)
  local marks, unreadable, line = {}, {}, 0
  for row in (text .. "\n"):gmatch "(.-)\n" do
    line = line + 1
    local place = path .. ":" .. line
    for inside, after in row:gmatch "%[(%u%u?%d[%u%d, %-]*)(.?)" do
      local read = after == "]" and each_named(inside, function(mark, in_range)
        marks[#marks + 1] = { mark = mark, place = place, in_range = in_range }
      end)
      if not read and (after == "]" or after == "") then
        unreadable[#unreadable + 1] = place .. ": [" .. inside .. after
      end
    end
    local comment = row:match "%-%-.*" or row:match "^%s*/?%*.*"
    for inside in (comment or ""):gmatch "%((%u%u?%d[%u%d, %-]*)%)" do
      unreadable[#unreadable + 1] = ("%s: (%s)"):format(place, inside)
    end
  end
  return marks, unreadable
end

--- Returns a line of text for each mark that is not defined, with its place.
local function undefined(marks, defined)
  local list = {}
  for _, m in ipairs(marks) do
    if not defined[m.mark] then
      list[#list + 1] = ("%s: [%s]"):format(m.place, m.mark)
    end
  end
  return list
end

--- Returns the rules that only ranges name, or no mark at all. A range states
--- the subject of a file, not a fact.
local function without_spec(rules, marks)
  local named, list = {}, {}
  for _, m in ipairs(marks) do
    named[m.mark] = named[m.mark] or not m.in_range
  end
  for _, rule in ipairs(rules) do
    if not named[rule] then
      list[#list + 1] = rule
    end
  end
  return list
end

-- The tree -------------------------------------------------------------------

local rules = definitions(process.read "docs/semantics.md", ITEM)
local traps = definitions(process.read "docs/pitfalls.md", ITEM)
local invariants = definitions(process.read(INVARIANTS), INVARIANT)

local defined, twice = set_of(table.move(invariants, 1, #invariants,
  #rules + #traps + 1, table.move(traps, 1, #traps, #rules + 1,
    table.move(rules, 1, #rules, 1, {}))))

--- Returns the paths of all files that may have marks.
local function all_paths()
  local paths = { "README.md", "CONTRIBUTING.md" }
  for _, folder in ipairs { "core", "lua", "spec", "examples", "bench",
    "docs" } do
    local found = process.files(folder, "%.%a+$")
    table.move(found, 1, #found, #paths + 1, paths)
  end
  return paths
end

--- Is this file a spec, or a test in C?
local function states_facts(path)
  return path:find "_spec%.lua$" ~= nil or path:find "_test%.c$" ~= nil
end

--- Returns all marks, the marks in specs and tests, and the places of marks
--- that cannot be read.
local function read_tree()
  local all, facts, unreadable = {}, {}, {}
  for _, path in ipairs(all_paths()) do
    local marks, bad = marks_of(process.read(path), path)
    table.move(marks, 1, #marks, #all + 1, all)
    table.move(bad, 1, #bad, #unreadable + 1, unreadable)
    if states_facts(path) then
      table.move(marks, 1, #marks, #facts + 1, facts)
    end
  end
  return all, facts, unreadable
end

describe("a mark in the tree", function()
  local all, facts, unreadable = read_tree()

  it("is there at all [rules]", function()
    assert.is_true(#all > 2000)
    assert.is_true(#rules > 110 and #traps > 30 and #invariants == 10)
  end)

  it("names something that is defined [rules]", function()
    assert.are.same({}, undefined(all, defined))
  end)

  it("is defined once [rules]", function()
    assert.are.same({}, twice)
  end)

  it("stands on one line, in square brackets [rules]", function()
    assert.are.same({}, unreadable)
  end)

  it("is in a spec, for each rule [rules]", function()
    assert.are.same({}, without_spec(rules, facts))
  end)

  it("has one letter if it is a rule, and two if it is a trap [rules]",
    function()
      for _, rule in ipairs(rules) do
        assert.is_truthy(rule:find "^%u%d+$", rule)
      end
      for _, trap in ipairs(traps) do
        assert.is_truthy(trap:find "^%u%u%d+$", trap)
      end
    end)
end)

describe("the reading of marks", function()
  --- Returns a text with `inside` as a mark.
  local function marked(inside)
    return ("first\n-- text [%s] text\n"):format(inside)
  end

  local function names(text)
    local list = {}
    for _, m in ipairs((marks_of(text, "x"))) do
      list[#list + 1] = m.mark
    end
    return table.concat(list, " ")
  end

  it("finds one, several and a range [rules]", function()
    assert.are.equal("C9", names(marked "C9"))
    assert.are.equal("C9 ZQ7", names(marked "C9, ZQ7"))
    assert.are.equal("K1 K2 K3 H2", names(marked "K1-K3, H2"))
    assert.are.equal("C9 C10", names(marked "C9" .. marked "C10"))
  end)

  it("finds none in what is no mark [rules]", function()
    assert.are.equal("", names "t[i] [layers] [A-Z0-9] [VEOF] [1024] [C] a[X1 ")
  end)

  it("finds one that is not defined, and says where [rules]", function()
    local marks = marks_of(marked "C9, C99", "x.c")
    assert.are.same({ "x.c:2: [" .. "C99]" }, undefined(marks, { C9 = true }))
  end)

  it("finds what is divided, mixed or in round brackets [rules]", function()
    for _, text in ipairs { "[" .. "C9,\n-- H1]", marked "C9-H1",
      marked "C9 H1", "-- text (" .. "C9, H1) text" } do
      local marks, unreadable = marks_of(text, "x")
      assert.are.equal(0, #marks, text)
      assert.are.equal(1, #unreadable, text)
    end
  end)

  it("finds definitions, and those that come twice [rules]", function()
    local text = "- **C9** a\n  **C1** b\n- **ZQ7** c\n- **C9** d\n"
    local list = definitions(text, ITEM)
    assert.are.same({ "C9", "ZQ7", "C9" }, list)
    assert.are.same({ "C9" }, select(2, set_of(list)))
  end)

  it("finds a rule that has no spec, or only a range [rules]", function()
    local marks = marks_of(marked "C1" .. marked "K1-K3", "x")
    assert.are.same({ "K2", "C2" }, without_spec({ "C1", "K2", "C2" }, marks))
  end)
end)
