--- What goes wrong in one task of a loop, while another goes on undisturbed.

local aw = require "aiowire"
local assert = require "luassert"
local helper = require "spec.helper"

local M = {}

--- The misuse happens in a task of a loop with another task in it; both then
--- go on to their ends.
---@param misuse fun(ev: aiowire.EventLoop)
function M.survives(misuse)
  local log = {}
  local ev = helper.virtual()
  ev:start(function(...)
    misuse(...)
    aw.sleep(1)
    log[#log + 1] = "the task goes on"
  end)
  ev:start(aw.Sleep(2) >> aw.Call(table.insert, log, "the others go on"))
  assert.are.equal("done", ev:run())
  assert.are.same({ "the task goes on", "the others go on" }, log)
end

--- A body that fails, and what its handler got.
---@param body aiowire.Body
---@return any err
---@return aiowire.Info info
function M.handled(body)
  local calls, got_err, got_info = 0, nil, nil
  local log = {}
  local ev = helper.virtual()
  local task = ev:start(body, function(_, err, info)
    calls = calls + 1
    got_err, got_info = err, info
  end)
  ev:start(aw.Sleep(1) >> aw.Call(table.insert, log, "goes on"))
  assert.are.equal("done", ev:run())
  assert.are.equal(1, calls)
  assert.are.same({ "goes on" }, log)
  assert.are.equal("failed", task.status)
  return got_err, got_info
end

return M
