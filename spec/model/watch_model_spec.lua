-- aw.fs.watch under random operations: the events tell the final state of each
-- file. See spec/support/watch_model.lua.

local aw = require "aiowire"
local folder = require "spec.support.folder"
local helper = require "spec.support.helper"
local model = require "spec.support.watch_model"
local process = require "spec.support.process"
local new_random = require "spec.support.random"

local COUNT <const> = helper.scale(20)

local function describe_watch(title, recursive)
  describe(title, function()
    it("tells all that random operations do [W31-W34]", function()
      for seed = 1, COUNT do
        local d <close> = folder.new()
        helper.run(function()
          local list, log = model.run(d.path, 8, recursive, new_random(seed))
          assert.are.same({}, list, ("seed %d:\n%s"):format(seed,
            table.concat(log, "\n")))
        end)
      end
    end)

    it("tells all that another process does meanwhile [W31-W34]", function()
      local d <close> = folder.new()
      local script = d:file("act.lua", [[
        package.path = arg[1] .. "/?.lua;" .. package.path
        local model = require "spec.support.watch_model"
        model.act(arg[2], tonumber(arg[3]), require "spec.support.random"(7))
      ]])
      helper.run(function()
        d:shell "mkdir -p in/a"
        local path = d.path .. "/in/a"
        local w <close> = aw.fs.watch(path, { recursive = recursive })
        local seen = model.survey(path, recursive)
        local function learn(event)
          model.learn(seen, event, path, recursive)
        end
        local p <close> = aw.spawn { process.binary, script, process.root,
          d.path .. "/in", tostring(helper.scale(1500)), stderr = "null" }
        aw.scope(function(s)
          local reader = s:start(function()
            for event in w:iter() do
              learn(event)
            end
          end)
          p:wait()
          reader:cancel_wait()
        end)
        model.drain(w, learn)
        assert.are.same({}, model.differences(seen, path, recursive))
      end)
    end)
  end)
end

describe_watch("a watch of one path", false)
describe_watch("a recursive watch", true)
