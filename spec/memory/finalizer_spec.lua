-- Finalizers that call the library. The collector may run them at any
-- allocation of Lua, so also in the middle of any function of the library
-- [E2, LU13].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local finalizers = require "spec.memory.finalizer_calls"
local process = require "spec.support.process"
local texts = require "spec.support.texts"

local contains = texts.contains

for use in pairs(finalizers.uses) do
  describe("a finalizer that " .. use, function()
    for scene in pairs(finalizers.scenes) do
      it("does no harm while " .. scene .. " [LU13]", function()
        local run = helper.in_host and process.host or process.stock
        process.assert_outcome("no harm\n", 0, run(([[
          package.path = %q
          require "spec.memory.finalizer_calls".run(%q, %q)
        ]]):format(process.root .. "/?.lua", use, scene)))
      end)
    end
  end)
end

describe("a finalizer that runs before that of a loop", function()
  it("cannot start tasks in the loop or run it [LU13]", function()
    helper.leak_checked(function()
      local errors = {}
      do
        local holder = {}
        holder.ev = helper.virtual()
        holder.task = holder.ev:start(helper.nop)
        -- The holder gets its finalizer after the loop, so it is finalized
        -- first.
        setmetatable(holder, { __gc = function(self)
          for _, use in ipairs {
            function() self.ev:start(helper.nop) end,
            function() self.ev:run() end,
            function() self.task:cancel() end,
            function() self.task:close() end,
            function() self.task:traceback() end,
            function() self.ev:dump() end,
            function() self.ev:close() end,
          } do
            local ok, err = pcall(use)
            errors[#errors + 1] = ok and "fine" or tostring(err)
          end
        end })
      end
      collectgarbage()
      collectgarbage()
      contains(errors[1], "garbage")
      contains(errors[2], "ended")
      for i = 3, 7 do
        assert.are.equal("fine", errors[i])
      end
    end)
  end)
end)

describe("the running task", function()
  it("is still known after many other engines [S6]", function()
    helper.test(function()
      local me = aw.current()
      local same = true
      for _ = 1, helper.scale(66000) do
        local ev <close> = helper.virtual()
        ev:start(aw.Sleep(0))
        ev:run()
        same = same and rawequal(aw.current(), me)
      end
      assert.is_true(same)
    end)
  end)
end)
