-- The numbers of libedit in prompt/libedit.h, compared with histedit.h.

local helper = require "spec.support.helper"

local HEADER <const> = "/usr/include/histedit.h"

local function text_of(path)
  local file <close> = io.open(path)
  return file and file:read "a"
end

describe("the numbers of libedit in the program", function()
  it("are those of histedit.h", function()
    local header = text_of(HEADER)
    if not header then
      helper.pending(HEADER .. " is not installed")
    end
    local theirs = {}
    for name, number in header:gmatch
      "#define%s+([A-Z]+_[A-Z_]+)%s+(%d+)" do
      theirs[name] = number
    end
    local count = 0
    for name, number in assert(text_of "lua/host/prompt/libedit.h"):gmatch
      "HOST_([A-Z]+_[A-Z_]+) = (%d+)" do
      assert.are.equal(theirs[name], number, name)
      count = count + 1
    end
    assert.are.equal(16, count)
  end)
end)
