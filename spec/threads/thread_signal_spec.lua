-- The signal that interrupts busy workers [J15]. lua/test/interrupts_test.c
-- has more, since specs cannot look at a single thread.

local aw = require "aiowire"
local helper = require "spec.support.helper"

local run <const> = helper.run

local NUMBER <const> = 60 -- SIGRTMAX - 4

-- Is the signal handled in this process?
local function is_handled()
  for line in io.lines "/proc/self/status" do
    local mask = line:match "^SigCgt:%s*(%x+)"
    if mask then
      return tonumber(mask, 16) >> (NUMBER - 1) & 1 == 1
    end
  end
end

describe("the signal of workers [J15]", function()
  it("is left alone when no worker lives", function()
    assert.is_false(is_handled())
    run(function()
      local worker <close> = aw.thread(function()
        return 1
      end)
      assert.are.equal(1, worker:wait())
    end)
    assert.is_false(is_handled())
  end)
end)
