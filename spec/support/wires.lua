--- Wires for specs of combinators: they take a known time, log what happens,
--- clean up slowly, or fail. `note` is a function that appends to a log.

local aw = require "aiowire"
local helper = require "spec.support.helper"

local M = {}

--- A wire that takes `seconds`, notes `what`, and ends with `what`.
---@return aiowire.Wire
function M.takes(seconds, note, what)
  return aw.Sleep(seconds) >> aw.Call(function()
    note(what)
    return what
  end)
end

--- A wire that takes `seconds` and ends with the values.
---@return aiowire.Wire
function M.gives(seconds, ...)
  return aw.Sleep(seconds) >> aw.Value(...)
end

--- A body that returns `w`. It notes `what` if `note` is given.
---@return aiowire.Wire
function M.giving(w, note, what)
  return aw.Wire(function()
    if note then
      note(what)
    end
    return w
  end)
end

--- A function that raises `err` unchanged.
---@return aiowire.Body
function M.raiser(err)
  return function()
    error(err, 0)
  end
end

--- A body that cancels its own task after so many seconds.
---@return aiowire.Wire
function M.self_cancelled(seconds)
  return aw.Wire(function()
    aw.sleep(seconds)
    aw.current():cancel()
    aw.sleep(100)
  end)
end

--- A body that sends the values, one after the other.
---@return aiowire.Body
function M.sender(ch, ...)
  local values = table.pack(...)
  return function()
    for i = 1, values.n do
      ch:send(values[i])
    end
  end
end

--- A wire that takes `seconds` and then raises `err` unchanged.
---@return aiowire.Wire
function M.fails(seconds, err)
  return aw.Sleep(seconds) >> aw.Call(error, err, 0)
end

--- A body that waits for ever. When it is cancelled, it takes `seconds` to
--- clean up, in a shield, and then notes `what`.
---@return aiowire.Wire
function M.cleaning(seconds, note, what)
  return aw.Wire(function()
    local _ <close> = helper.closer(function()
      aw.shield(function()
        aw.sleep(seconds)
      end)
      note(what)
    end)
    aw.sleep(math.huge)
  end)
end

--- A body that waits for ever, and notes `what` when it is cancelled.
---@return aiowire.Wire
function M.unwinding(note, what)
  return aw.Wire(function()
    local _ <close> = helper.closer(note, what)
    aw.sleep(math.huge)
    note "slept"
  end)
end

--- A body that waits for ever, and whose clean-up raises `err`.
---@return aiowire.Wire
function M.spoiling(err)
  return aw.Wire(function()
    local _ <close> = helper.closer(function()
      error(err, 0)
    end)
    aw.sleep(math.huge)
  end)
end

--- A body that fails with `err` in its first k-1 runs, and then ends with `k`.
--- It notes the time of each run in `times`.
---@return aiowire.Wire w
---@return number[] times
function M.fails_until(k, err)
  local times = {}
  return aw.Wire(function(ev)
    times[#times + 1] = ev:now()
    if #times < k then
      error(err, 0)
    end
    return aw.Value(k)
  end), times
end

--- Returns the results of `w`, packed by table.pack().
---@return table
function M.results(w)
  return table.pack(aw.await(w))
end

--- Await `w`. Returns true and its results, or false and its error.
---@return boolean ok
---@return any ...
function M.outcome(w)
  return pcall(aw.await, w)
end

--- Run `w`, which must fail, on `ev` or on a new loop, and return the arguments
--- of its handler.
---@return any err
---@return aiowire.Info info
---@return aiowire.EventLoop ev the loop that the handler was given
function M.failure_of(w, ev)
  ev = ev or aw.EventLoop { clock = "virtual", timeout = 10000 }
  local calls, seen = 0, nil
  ev:start(w, function(...)
    calls = calls + 1
    seen = table.pack(...)
  end)
  helper.expect("how the loop ended", "done", ev:run())
  helper.expect("calls of the handler", 1, calls)
  helper.expect("arguments of the handler", 3, seen.n)
  return seen[2], seen[3], seen[1]
end

--- Tells whether `value` is a suppressed error of this info.
---@return boolean
function M.suppresses(info, value)
  for _, entry in ipairs(info.suppressed or {}) do
    if rawequal(entry.err, value) then
      return true
    end
  end
  return false
end

--- Run the wire that `build(note)` returns on a virtual clock. Returns a line
--- with the time for each note, and for the outcome.
---@param build fun(note: fun(what: any)): aiowire.Wireable
---@return string[]
function M.trace(build)
  local log = {}
  helper.test(function(ev)
    local function note(what)
      log[#log + 1] = ("%s at %g"):format(tostring(what), ev:now())
    end
    local t = ev:start(build(note), helper.nop)
    local got = table.pack(pcall(t.wait, t))
    for i = 1, got.n do
      got[i] = tostring(got[i])
    end
    note(table.concat(got, " ", 2, got.n))
  end)
  return log
end

return M
