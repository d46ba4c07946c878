-- What the program does beside its options is the same in --help, in the man
-- page and in docs/program.md: commands of the prompt, exit codes, and
-- variables of the environment.

local process = require "spec.support.process"

local MAN <const> = process.read "docs/aiowire.1"
local PAGE <const> = process.read "docs/program.md"

local function set_of(text, pattern)
  local set = {}
  for word in text:gmatch(pattern) do
    set[word] = true
  end
  return set
end

-- Returns a section of the man page.
local function section(name)
  return MAN:match("\n%.Sh " .. name .. "\n(.-\n)%.Sh ")
end

describe("the list of commands of the prompt", function()
  local commands = set_of(process.read "lua/host/prompt/commands.lua",
    '\n  { name = "(%l+)"')

  it("is the same in docs/program.md [docs]", function()
    assert.is_true(commands.help)
    assert.are.same(commands, set_of(PAGE, "\n| `%.(%l+)[^|]*` |"))
  end)

  it("is the same in the man page [docs]", function()
    assert.are.same(commands, set_of(section "PROMPT", "\n%.It Li %.(%l+)"))
  end)
end)

describe("the list of exit codes", function()
  local codes = set_of(PAGE:match "## Exit codes\n(.*)", "\n| (%d+) |")

  it("is the same in the man page [docs]", function()
    assert.is_true(codes["124"])
    assert.are.same(codes, set_of(section "EXIT STATUS", "\n%.It (%d+)"))
  end)

  it("is the same in --help [docs]", function()
    local help = process.run("exec $aiowire --help").out
      :match "Exit status: (.*)":gsub("%s+", " ")
    assert.are.same(codes, set_of("; " .. help, "; (%d+)"))
  end)
end)

describe("the environment of the program", function()
  -- HOME stands in the paths of FILES; AIOWIRE_GCSTRESS is for specs.
  local left_out = { HOME = true, AIOWIRE_GCSTRESS = true }
  local listed, sources = set_of(MAN, "%f[%u]%u[%u%d_]+%f[^%u%d_]"), ""
  for _, path in ipairs(process.files("lua", "%.[chl][ua]*$")) do
    sources = sources .. (path:find "^lua/test/" and "" or process.read(path))
  end

  it("has all that the sources read, in the man page [docs]", function()
    local read, missing = set_of(sources, 'getenv%s*%(?"(%u[%u%d_]*)"'), {}
    assert.is_true(read.TERM)
    for name in pairs(read) do
      missing[#missing + 1] = not listed[name] and not left_out[name] and name
        or nil
    end
    assert.are.same({}, missing)
  end)

  it("has nothing in the man page that nobody reads [docs]", function()
    local count = 0
    for line in section "ENVIRONMENT":gmatch "\n%.It Ev ([^\n]+)" do
      for name in line:gmatch "[%u%d_]+" do
        count = count + 1
        -- Lua and libc read these.
        if not name:find "^LUA_" and not name:find "^L[AC][N_]" then
          assert.is_truthy(sources:find('"' .. name .. '"', 1, true), name)
        end
      end
    end
    assert.is_true(count > 10)
  end)
end)
