-- The names that --check takes for globals are those that Lua's compiler takes
-- for globals, in random programs. The listing of luac shows the latter: as
-- GETTABUP and SETTABUP of the chunk's _ENV. (It shows them for functions with
-- less than 256 constants, which is why --check does not read it.)

local busted = require "busted"
local helper = require "spec.support.helper"
local host_parts = require "spec.support.host_parts"
local process = require "spec.support.process"
local random_lua = require "spec.support.random_lua"

local PROGRAMS <const> = helper.scale(100)
local MARK <const> = "# program "

local find_names <const> = host_parts.part "check.names"
local tokens_of <const> = host_parts.part "check.tokens"

-- Our names ------------------------------------------------------------------

-- Return sets of what a text reads, as "LINE NAME", and of what it assigns to.
local function ours(text)
  local reads, writes = {}, {}
  find_names(tokens_of(text), {
    read = function(name, line)
      reads[line .. " " .. name] = true
    end,
    define = function(name)
      writes[name] = true
    end,
    define_any = function() end,
  })
  return { reads = reads, writes = writes }
end

-- Lua's names ----------------------------------------------------------------

-- Read `luac -l -l`. Returns functions: { parent, upvalues, uses }. An upvalue
-- is { in_stack, index }, and a use { operation, upvalue, line, name }.
local function functions_of(listing)
  local list, by_address, parents, f, at_upvalues = {}, {}, {}, nil, false
  for line in listing:gmatch "[^\n]+" do
    local address = line:match "^%a+ <.*instructions? at (0x%x+)%)$"
    if address then
      f = { upvalues = {}, uses = {}, address = address }
      list[#list + 1], by_address[address], at_upvalues = f, f, false
    elseif line:find "^%a+ %(%d+%) for" then
      at_upvalues = line:find "^upvalues" ~= nil
    elseif line:find "^\t%d+\t%[" then
      local at, operation, operands, note =
        line:match "^\t%d+\t%[(%d+)%]\t(%u[%u%d]*) *\t([%d k-]*)\t?;? ?(.*)"
      if operation == "CLOSURE" then
        parents[note] = f
      elseif operation == "GETTABUP" or operation == "SETTABUP" then
        local pattern = operation == "GETTABUP" and "^%d+ (%d+)" or "^(%d+)"
        f.uses[#f.uses + 1] = { operation, tonumber(operands:match(pattern)),
          at, note:match '^%S+ "([^"]*)"' }
      end
    elseif at_upvalues then
      local index, in_stack, from = line:match "^\t(%d+)\t%S+\t(%d+)\t(%d+)"
      f.upvalues[tonumber(index)] = { in_stack == "1", tonumber(from) }
    end
  end
  for address, function_found in pairs(by_address) do
    function_found.parent = parents[address]
  end
  return list
end

-- Is an upvalue the chunk's _ENV?
local function is_env(f, index)
  while f.parent do
    local upvalue = f.upvalues[index]
    if upvalue[1] then
      return false -- a local of the parent
    end
    f, index = f.parent, upvalue[2]
  end
  return index == 0
end

local function theirs(listing)
  local names = { reads = {}, writes = {} }
  for _, f in ipairs(functions_of(listing)) do
    for _, use in ipairs(f.uses) do
      local operation, upvalue, line, name = table.unpack(use)
      if is_env(f, upvalue) then
        if operation == "GETTABUP" then
          names.reads[line .. " " .. name] = true
        else
          names.writes[name] = true
        end
      end
    end
  end
  return names
end

-- Compile programs, one by one: luac cannot list several files at once without
-- reading beyond the end of memory. Returns their listings.
local function listings_of(programs)
  local files = { ["run.sh"] = ([[
i=1
while [ -f $i.lua ]; do
  echo "%s$i"
  luac5.4 -l -l -p $i.lua || exit 1
  i=$((i + 1))
done
]]):format(MARK) }
  for i, text in ipairs(programs) do
    files[i .. ".lua"] = text
  end
  local outcome = process.run("exec sh ./run.sh", files)
  process.assert_exit(0, outcome)
  local listings = {}
  for number, listing in (outcome.out .. MARK):gmatch(
    MARK .. "(%d+)\n(.-)%f[#\0]") do
    listings[tonumber(number)] = listing
  end
  assert.are.equal(#programs, #listings)
  return listings
end

-- Comparing ------------------------------------------------------------------

local function sorted(set)
  local list = {}
  for name in pairs(set) do
    list[#list + 1] = name
  end
  table.sort(list)
  return table.concat(list, "\n")
end

-- Lua gives the line of an instruction, which is that of the name if each
-- statement is a line.
local function without_lines(reads)
  local names = {}
  for read in pairs(reads) do
    names[read:match " (.*)"] = true
  end
  return names
end

local function assert_equal(what, their, our, text)
  if their ~= our then
    busted.fail(("%s of Lua:\n%s\nof --check:\n%s\nin:\n%s"):format(what,
      their, our, text))
  end
end

-- With aliases of _ENV, --check takes more names for defined than Lua assigns.
local function defined_by_both(our, their)
  local both = {}
  for name in pairs(their) do
    both[name] = our[name]
  end
  return both
end

local function assert_same(text, listing, layout, has_env)
  local our, their = ours(text), theirs(listing)
  if layout == "free" then
    our.reads = without_lines(our.reads)
    their.reads = without_lines(their.reads)
  end
  if has_env then
    our.writes = defined_by_both(our.writes, their.writes)
  end
  assert_equal("reads", sorted(their.reads), sorted(our.reads), text)
  assert_equal("writes", sorted(their.writes), sorted(our.writes), text)
end

local function compare(layout, env_share)
  if _VERSION ~= "Lua 5.4"
    or not os.execute "command -v luac5.4 >/dev/null" then
    pending "needs luac5.4, and Lua 5.4 to see that programs compile"
    return
  end
  local programs = {}
  for seed = 1, PROGRAMS do
    programs[seed] = random_lua(seed, layout, env_share)
    assert(load(programs[seed], "=program", "t"))
  end
  local listings = listings_of(programs)
  for i, text in ipairs(programs) do
    assert_same(text, listings[i], layout, env_share > 0)
  end
end

-- The reader does not look for mistakes, so it reads these texts under Lua 5.4,
-- too.
describe("--check of Lua 5.5", function()
  local function assert_found(reads, writes, text)
    local found = ours(text)
    assert.are.equal(reads, sorted(found.reads))
    assert.are.equal(writes, sorted(found.writes))
  end

  it("takes what is declared as global for defined [R14]", function()
    assert_found("1 c\n3 d", "a\nb\nf", [[
global a, b <const> = c
global <const> *
global function f() return d end
global *]])
  end)

  it("knows attributes before names, and named arguments [R14]", function()
    assert_found("1 c\n2 d", "", [[
local <const> a, b = c
return function(e, ...f) return a, b, d, e, f end]])
  end)
end)

describe("--check reads the same globals as Lua's compiler", function()
  it("in the same line [R14]", function()
    compare("lines", 0)
  end)

  it("whatever stands between the tokens [R14]", function()
    compare("free", 0)
  end)

  it("where locals are named _ENV [R14]", function()
    compare("lines", 5)
  end)

  it("and finds some, and no others, in these programs [R14]", function()
    local found = ours "local a = b\nc = function() return a, d end e.f = 1"
    assert.are.equal("1 b\n2 d\n2 e", sorted(found.reads))
    assert.are.equal("c", sorted(found.writes))
  end)
end)
