--- drive.lua: aw.Drive{…} runs the event loop of another library as a wire
---
---     step ─► fd is ready again? ─ yes ─► step
---              │ no
---              ▼
---             more to do? timeout() is 0?
---              │  └─ yes ─► other tasks have their turn ─► step
---              │ no
---              ▼
---             wait for fd, for the time-out, or to be asked ─► step, or ask
---
--- The loop of the library never blocks: our engine waits for its descriptor
--- and for its time-out. Other tasks may arm something in that loop between its
--- steps. So the engine lets a Drive ask once more, before it blocks, if code
--- of Lua has run since (lua/io/drive.c).
---
--- A plan is what a Drive is made of: the four options as functions; `loop`,
--- the object that only one Drive may run at a time; `running`, a table of
--- those that run; `begin`, a function that gets the scope of a run, or nil;
--- `owned`, true if the descriptor is sure to be the one of the last wait; and
--- `more`, true or false if a step knows whether there is more to do at once.
---
--- Neighbours: cqueues.lua and luv.lua make plans for their libraries.
local aw, inner = ...

local forms = inner.part "aiowire.forms"

local M = {}

local OPTIONS <const> = { "fd", "events", "timeout", "step" }
local EVENTS <const> = { r = 1, w = 2, rw = 3 }
local LARGEST <const> = 0x7fffffff -- descriptors are an int of C

-- ---- what the loop waits for ----

local function is_descriptor(value)
  return math.type(value) == "integer" and value >= 0 and value <= LARGEST
end

--- Return the descriptor to wait for, or nil.
local function fd_of(plan)
  local fd = plan.fd()
  if fd == nil or is_descriptor(fd) then
    return fd
  end
  error(("fd of %s must be a descriptor or nil, got %s"):format(plan.title,
    inner.shown(fd)), 0)
end

local function events_of(plan)
  local events = plan.events()
  return EVENTS[events]
    or error(("events of %s must be 'r', 'w' or 'rw', got %s"):format(
      plan.title, inner.shown(events)), 0)
end

--- Return the seconds to wait, or nil.
local function timeout_of(plan)
  local seconds = plan.timeout()
  if seconds == nil or type(seconds) == "number" and seconds == seconds then
    return seconds
  end
  error(("timeout of %s must be a number or nil, got %s"):format(plan.title,
    inner.shown(seconds)), 0)
end

-- ---- several turns in a step ----

-- A busy loop often has more to do right after a turn. Then a step of our
-- modules goes on for up to SLICE ns. It sets `more` of its plan: is there more
-- to do? If so, the slice is over, and other tasks have their turn first.
M.SLICE = 200000

-- After a look in vain, the next COLD steps end without one.
local COLD <const> = 15

--- May the next step look whether there is more to do?
function M.is_warm(plan)
  plan.cold = (plan.cold or 0) - 1
  return plan.cold < 0
end

function M.has_looked(plan, found)
  if found then
    plan.cold = 0
  elseif plan.cold < 0 then
    plan.cold = COLD
  end
end

-- ---- errors of the loop ----

-- Lines of this library in the text of a stack.
local OURS <const> = { "\n\t%[aiowire%.[^\n]*", "\n\t%[C%]: in [^\n]*luv_run'",
  "\n\t%[C%]: in %?$" }

--- Raise an error that a coroutine or a callback of the loop has raised, with
--- the text of its stack there.
function M.raise(err, traceback)
  for _, pattern in ipairs(traceback and OURS or {}) do
    traceback = traceback:gsub(pattern, "")
  end
  inner.raise_with(err, traceback)
end

-- ---- running ----

--- Wait until the loop must be stepped.
local function wait(plan, drive)
  if plan.more then
    aw.yield()
    return
  elseif plan.more == nil and inner.drive_hot(drive) then
    return
  end
  local asked = false
  repeat
    local seconds = timeout_of(plan)
    if seconds and seconds <= 0 then
      aw.yield()
      return
    end
    local fd = fd_of(plan)
    local must_step = inner.drive_wait(drive, fd, fd and events_of(plan) or 0,
      seconds, asked, plan.owned)
    asked = true
  until must_step
end

--- Return the results of a step that ends the run, in a table; else nil.
local function last(over, ...)
  return over == true and table.pack(...) or nil
end

local function drive_loop(plan)
  local drive <close> = inner.drive()
  local results = last(plan.step())
  while not results do
    wait(plan, drive)
    results = last(plan.step())
  end
  return table.unpack(results, 1, results.n)
end

local Running <const> = {
  __close = function(run)
    run.running[run.loop] = nil
  end,
}

--- The body of a Drive.
local function run(plan)
  local other = plan.running[plan.loop]
  if other then
    error(("%s runs already, in task %d"):format(plan.title, other.id), 0)
  end
  plan.running[plan.loop] = aw.current()
  local _ <close> = setmetatable({ running = plan.running, loop = plan.loop },
    Running)
  if not plan.begin then
    return drive_loop(plan)
  end
  return aw.scope(function(scope)
    plan.begin(scope)
    return drive_loop(plan)
  end)
end

--- Return the wire that runs a plan.
function M.wire(plan)
  plan.running = plan.running or setmetatable({}, { __mode = "k" })
  plan.loop = plan.loop or plan
  return aw.Call(run, plan):named(plan.title)
end

-- ---- aw.Drive ----

--- Return an option as a function that returns its value.
local function as_function(value)
  return forms.callable(value) and value or function()
    return value
  end
end

local function check_value(name, value, expected, fits)
  if value ~= nil and not forms.callable(value) and not fits(value) then
    inner.bad_option(name, expected, value)
  end
end

local function is_events(value)
  return EVENTS[value] ~= nil
end

local function is_time(value)
  return type(value) == "number" and value >= 0
end

function M.Drive(options)
  inner.check_options(1, options, OPTIONS)
  local events = options.events == nil and "r" or options.events
  check_value("fd", options.fd, "descriptor or function", is_descriptor)
  check_value("events", events, "'r', 'w', 'rw' or function", is_events)
  check_value("timeout", options.timeout, "seconds or function", is_time)
  if not forms.callable(options.step) then
    inner.bad_option("step", "function", options.step)
  elseif options.fd == nil and options.timeout == nil then
    inner.raise("bad options (fd or timeout expected: nothing would ever call "
      .. "'step' again)")
  end
  return M.wire {
    title = "Drive",
    fd = as_function(options.fd),
    events = as_function(events),
    timeout = as_function(options.timeout),
    step = options.step,
  }
end

return M
