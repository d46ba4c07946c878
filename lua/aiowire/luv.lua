--- luv.lua: require "aiowire.luv" runs luv's loop as a wire
---
--- luv has one loop in each Lua state, which libuv runs without blocking here.
---
---   errors  luv prints the error of a callback and ends the process.
---           luv_calls.c replaces that while a Drive runs the loop: its task
---           raises the error. Where luv does not export what that needs, as in
---           a program that contains luv, luv's own way stays
---   timers  libuv counts them from the time that the loop has seen last. That
---           is long ago if a task starts a timer while the loop is idle. So
---           timers look at the clock first, outside of callbacks
local _, inner = ...

local drive = inner.part "aiowire.drive"

local uv = require "luv"

local M = {}

local SYMBOLS <const> = { "luv_set_callback", "luv_cfpcall", "luv_set_loop",
  "luv_loop" }

--- Return luv's functions for luv_calls.c, or nil.
local function find_calls()
  local path = package.searchpath("luv", package.cpath)
  local found = {}
  for i, symbol in ipairs(SYMBOLS) do
    found[i] = path and package.loadlib(path, symbol)
    if not found[i] then
      return nil
    end
  end
  return inner.luv_calls(table.unpack(found))
end

local calls = find_calls()
local plan = { title = "Drive(luv)", owned = true, in_step = false,
  failed = false }

-- ---- timers ----

--- Raise an error of luv at the line of the caller.
local function checked(name, ok, ...)
  if not ok then
    error((tostring(...):gsub("'%?'", "'" .. name .. "'")), 2)
  end
  return ...
end

local function looks_first(name, start)
  return function(...)
    if not plan.in_step then
      uv.update_time()
    end
    return checked(name, pcall(start, ...))
  end
end

--- Let the functions that start timers look at the clock.
local function mend_timers()
  local methods = debug.getregistry().uv_timer.__index
  for _, name in ipairs { "start", "again" } do
    local of_uv = "timer_" .. name
    methods[name] = looks_first(of_uv, methods[name])
    uv[of_uv] = looks_first(of_uv, uv[of_uv])
  end
end

mend_timers()

-- ---- driving ----

--- Raise the first error of the callbacks. The others follow when the loop is
--- driven again.
local function raise_first()
  local failure = inner.luv_failure()
  plan.failed = failure ~= nil
  if failure then
    drive.raise(failure.err, failure.traceback)
  end
end

--- Return whether the loop is alive after a few turns.
local function turns()
  if not calls then
    return uv.run "nowait"
  end
  local alive
  alive, plan.more, plan.failed = inner.luv_run(calls, uv.run, drive.SLICE,
    uv.backend_timeout, uv.backend_fd())
  return alive
end

function plan.step()
  if plan.failed then
    raise_first()
  end
  plan.in_step = true
  local alive = turns()
  plan.in_step = false
  if plan.failed then
    raise_first()
  end
  return not alive
end

plan.fd = uv.backend_fd

function plan.events()
  return "r"
end

--- libuv counts the time-out, too, from the time that it has seen last.
function plan.timeout()
  uv.update_time()
  local ms = uv.backend_timeout()
  return ms >= 0 and ms / 1000 or nil
end

--- Return a wire that runs luv's loop until nothing in it is alive.
function M.Drive()
  return drive.wire(plan)
end

return M
