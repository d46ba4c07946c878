-- codes.c has the name and text of each error code of aiowire.h.
--
-- The codes that are errno numbers come from libuv's list; codes_test.c checks
-- their numbers against the system.

local process = require "spec.support.process"

-- Returns the names of aiowire's own codes, read from the text of the header.
local function own_codes(text)
  local names = {}
  for name in text:gmatch "\n%s+AW_(E%u+) = %-20%d%d%d%f[,%s]" do
    names[#names + 1] = name
  end
  return names
end

describe("an error code", function()
  local codes = process.read "core/base/codes.c"

  it("has its name and a text [codes]", function()
    local names = own_codes(process.read "core/include/aiowire.h")
    local missing = {}
    for _, name in ipairs(names) do
      if not codes:find(("  E(%s,"):format(name), 1, true) then
        missing[#missing + 1] = name
      end
    end
    assert.is_true(#names > 10)
    assert.are.same({}, missing)
  end)
end)

describe("the reading of codes", function()
  it("finds those of our own [codes]", function()
    local text = "enum {\n  AW_EOLD = -22, /* x */\n  AW_EONE = -20001,\n"
      .. "  AW_ETWO = -20002 /* y */\n};\n"
    assert.are.same({ "EONE", "ETWO" }, own_codes(text))
  end)
end)
