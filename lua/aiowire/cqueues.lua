--- cqueues.lua: require "aiowire.cqueues" runs a controller of cqueues as a
--- wire
---
--- Drive(controller) steps the controller in a task. Its coroutines wait by
--- cqueues, as under controller:loop(). They are resumed by cqueues and not by
--- our engine, so they cannot await. await(f, …) runs f in a task of ours,
--- which belongs to the Drive, and lets only the coroutine wait:
---
---     coroutine ── condition:wait() ─────────────► goes on with the results
---        └─ starts a task: f(…) ─► condition:signal()
---
--- A Drive needs nothing of cqueues but the methods of the controller, so
--- `require "cqueues"` comes with the first await() only.
local aw, inner = ...

local drive = inner.part "aiowire.drive"
local forms = inner.part "aiowire.forms"

local M = {}

local METHODS <const> = { "pollfd", "events", "timeout", "step", "empty" }

local running = setmetatable({}, { __mode = "k" }) -- [controller] = task
local plans = setmetatable({}, { __mode = "k" }) -- [controller] = plan
-- [coroutine] = { err =, traceback = } of the task that it awaited
local failures = setmetatable({}, { __mode = "k" })
local current -- the controller that is in a step
local watched -- the module of cqueues whose reset() tells the Drive

-- ---- driving ----

local function is_controller(value)
  if type(value) ~= "userdata" and type(value) ~= "table" then
    return false
  end
  for _, name in ipairs(METHODS) do
    local ok, method = pcall(function()
      return value[name]
    end)
    if not ok or type(method) ~= "function" then
      return false
    end
  end
  return true
end

--- Return the text of the stack of a coroutine that has failed, below that of
--- the task whose error it has passed on.
local function traceback_of(thread, err)
  if type(thread) ~= "thread" then
    return nil
  end
  local text, failed = debug.traceback(thread), failures[thread]
  if failed and rawequal(failed.err, err) and failed.traceback then
    text = failed.traceback .. "\n" .. text
  end
  return text
end

--- Step the controller once. Return true when no coroutine is left.
local function turn(controller)
  local ok, err, _, thread = controller:step(0) -- raises if it is closed
  if not ok then
    drive.raise(err, traceback_of(thread, err))
  end
  return controller:empty()
end

local function has_more(controller)
  return controller:timeout() == 0
    or inner.is_readable_now(controller:pollfd())
end

--- Is the controller to be stepped again at once, after so many turns?
---
--- A turn that resumes coroutines leaves pollfd readable, for one more turn. So
--- turns come in pairs, and a look after the first is in vain. While there is
--- more to do, looks become rarer: a turn in vain costs as much as two of them.
local function goes_on(plan, turns, ends)
  plan.more = true
  if turns > 1 and turns & 1 == 1 then
    return true
  elseif inner.real_ns() >= ends then
    return false
  elseif turns & turns - 1 == 0 and turns > 1 then
    plan.more = drive.is_warm(plan) and has_more(plan.loop)
    drive.has_looked(plan, plan.more)
  end
  return plan.more
end

--- Step the controller as long as it has something to do.
local function step(plan)
  local controller, outer = plan.loop, current
  local turns, ends = 0, inner.real_ns() + drive.SLICE
  local over
  current = controller
  repeat
    over, turns = turn(controller), turns + 1
  until over or not goes_on(plan, turns, ends)
  current = outer
  return over
end

--- Let reset() tell the Drive. It closes the descriptor of a controller, and
--- mostly opens another one with the same number.
local function watch_resets(cqueues)
  local reset
  reset = cqueues.interpose("reset", function(controller)
    local plan = plans[controller]
    if plan then
      plan.owned = false
    end
    return reset(controller)
  end)
  watched = cqueues
end

--- Does the Drive of this controller know of each reset()?
local function sees_resets(controller)
  local cqueues = package.loaded.cqueues
  if not cqueues or cqueues.type(controller) ~= "controller" then
    return false
  elseif watched ~= cqueues then
    watch_resets(cqueues)
  end
  return true
end

--- Return a wire that runs the controller until it is empty.
M.Drive = inner.method("Drive", function(controller)
  if not is_controller(controller) then
    inner.bad_type(1, "controller of cqueues", controller)
  end
  local plan
  plan = {
    title = "Drive(cqueues)", loop = controller, running = running,
    owned = sees_resets(controller),
    fd = function()
      return controller:pollfd()
    end,
    events = function()
      return controller:events()
    end,
    timeout = function()
      return controller:timeout()
    end,
    step = function()
      return step(plan)
    end,
    begin = function(scope)
      plan.scope, plans[controller] = scope, plan
    end,
  }
  return drive.wire(plan)
end)

-- ---- awaiting in coroutines of the controller ----

-- A call: { f, args, done =, ok =, results =, traceback = }.

local function settle(call, ok, ...)
  call.ok, call.results = ok, table.pack(...)
end

local Ending <const> = {
  __close = function(call)
    if not call.ok then -- the handler of a failure says more
      settle(call, false, "cancelled, with the task that runs the controller")
    end
    call.done:signal()
  end,
}

--- The body of the task.
local function run_call(_, call)
  local _ <close> = setmetatable(call, Ending)
  settle(call, true, call.f(table.unpack(call.args, 1, call.args.n)))
end

local function handler_of(call)
  return function(_, err, info)
    call.traceback = info.traceback
    settle(call, false, err)
  end
end

--- Raise the error of the task in the coroutine.
local function fail(call)
  local err = call.results[1]
  failures[coroutine.running()] = { err = err, traceback = call.traceback }
  error(err, 0)
end

--- Return the scope of the Drive whose controller resumes this coroutine, or
--- nil. After a step that has raised, `current` still is its controller.
local function scope_of_step()
  local task = current and running[current]
  return task and task == aw.current() and plans[current].scope or nil
end

--- Call f in a task of ours, and return what it returns. Only this coroutine
--- waits. In a task, just call f.
M.await = inner.method("await", function(f, ...)
  if not forms.callable(f) then
    inner.bad_type(1, "function", f)
  end
  local cqueues, scope = require "cqueues", scope_of_step()
  if not cqueues.running() then
    return f(...)
  elseif not scope then
    inner.raise "no Drive of aiowire.cqueues runs this coroutine"
  end
  local call = { f = f, args = table.pack(...),
    done = require "cqueues.condition".new() }
  scope:start(aw.Wire(run_call, call):named "await", handler_of(call))
  while not call.results do
    call.done:wait()
  end
  if not call.ok then
    fail(call)
  end
  return table.unpack(call.results, 1, call.results.n)
end)

return M
