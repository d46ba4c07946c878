-- Each public function of the C headers has a comment: right above it, or above
-- a group of functions without a blank line between them.

local process = require "spec.support.process"

local HEADERS <const> = { "core/include/aiowire.h",
  "core/include/aiowire_zmq.h", "lua/include/aiowire_lua.h" }

-- Returns the functions of a header that have no comment, and the number of all
-- functions. `described` is true in a run of lines that a comment begins.
local function without_comment(text)
  local bare, count, described, inside = {}, 0, false, false
  for line in text:gmatch "([^\n]*)\n" do
    if inside or line:find "^%s*/%*" then
      inside = not line:find "%*/"
      described = true
    elseif line == "" then
      described = false
    elseif line:find "^AW_API " then
      count = count + 1
      if not described and not line:find "/%*" then
        bare[#bare + 1] = line
      end
    end
  end
  return bare, count
end

describe("a public function of C", function()
  for _, path in ipairs(HEADERS) do
    it("has a comment in " .. path .. " [docs]", function()
      local bare, count = without_comment(process.read(path))
      assert.are.same({}, bare)
      assert.is_true(count > 15)
    end)
  end

  it("is found without one [docs]", function()
    local bare, count = without_comment [[
/* Do it. */
AW_API int aw_a(void);
AW_API int aw_b(void);

AW_API int aw_c(void);
AW_API int aw_d(void); /* beside it */
/* Do more,
 * with care. */
AW_API int
aw_e(void);
]]
    assert.are.same({ "AW_API int aw_c(void);" }, bare)
    assert.are.equal(5, count)
  end)
end)
