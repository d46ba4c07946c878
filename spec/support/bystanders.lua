--- What goes wrong in one task of a loop, while another goes on undisturbed.

local aw = require "aiowire"
local helper = require "spec.support.helper"

local expect = helper.expect

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
    log[#log + 1] = "the task"
  end)
  ev:start(aw.Sleep(2) >> aw.Call(table.insert, log, "the others"))
  expect("how the loop ended", "done", ev:run())
  expect("what went on", "the task, the others", table.concat(log, ", "))
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
  ev:start(aw.Sleep(1) >> aw.Call(table.insert, log, "the other"))
  expect("how the loop ended", "done", ev:run())
  expect("calls of the handler", 1, calls)
  expect("what went on", "the other", table.concat(log, ", "))
  expect("the status of the task", "failed", task.status)
  return got_err, got_info
end

return M
