--- figures.lua: shares, rates, warnings of tasks, and their texts
---
--- The other program counts from the start of each task and engine. The
--- difference of two snapshots, over the time between them by the clock of that
--- program, tells what has happened since the last one. A task that is new, and
--- each task of the first snapshot, is measured from its start.
---
--- A warning is a word that the other program sends, or is found here:
--- `starves`, a task that computes for long, and `swallows`, one that goes on
--- after a cancel.
local _, part = ...

local protocol <const> = part "host.top.protocol"

local max <const>, min <const> = math.max, math.min
local format <const> = string.format

local SECOND <const> = 1000 * 1000 * 1000 -- in ns
local UNKNOWN <const> = "-"

--- A step of more ns keeps all other tasks waiting for too long.
local LONG_STEP <const> = SECOND // 10

--- A task that is busy for more of the time hardly lets others run.
local BUSIEST <const> = 0.9

local M = {}

-- Rates ----------------------------------------------------------------------

-- What a counter has gained in `span` ns, for each ns of it; nil: unknown.
local function gain(record, old, name, span)
  local now = record[name]
  return now and span > 0 and max(now - (old and old[name] or 0), 0) / span
    or nil
end

local function share(record, old, name, span)
  local gained = gain(record, old, name, span)
  return gained and min(gained, 1)
end

local function rate(record, old, name, span)
  local gained = gain(record, old, name, span)
  return gained and gained * SECOND
end

-- The time between two snapshots of an engine, in ns; nil: none.
local function elapsed(engine, old)
  local span = old and engine.up and old.up and engine.up - old.up or 0
  return span > 0 and span or nil
end

local function rate_engine(engine, old)
  engine.elapsed = elapsed(engine, old)
  if old and not engine.elapsed then -- it has told nothing new
    engine.idle_share, engine.wake_rate, engine.step_rate = old.idle_share,
      old.wake_rate, old.step_rate
    return
  end
  local span = engine.elapsed or engine.up or 0
  engine.idle_share = share(engine, old, "idle", span)
  engine.wake_rate = rate(engine, old, "wakeups", span)
  engine.step_rate = rate(engine, old, "steps", span)
end

local function rate_task(task, old)
  local age = task.age or 0
  if old and (old.age or 0) > age then
    old = nil -- a task that has ended had the same key
  end
  task.life_share = share(task, nil, "busy", age)
  task.life_rate = rate(task, nil, "steps", age)
  local span = task.of and task.of.elapsed
  if not old then
    task.share, task.rate = task.life_share, task.life_rate
  elseif span then
    task.share = share(task, old, "busy", span)
    task.rate = rate(task, old, "steps", span)
  else
    task.share, task.rate = old.share, old.rate
  end
end

-- Warnings -------------------------------------------------------------------

-- What is to be said of a step under way.
local function computing_text(task)
  local at = (task.at or "") ~= "" and format(", at %s,", task.at) or ","
  return format("a step has been computing for %s%s and no other task can run",
    M.duration(task.computing), at)
end

--- The texts about a task, in plain words. What the step under way explains is
--- not told again.
---@param task table
---@return string[] texts none: nothing is wrong with it
function M.warnings_of(task)
  local texts, told = {}, protocol.set(task.warn)
  if task.computing then
    texts[#texts + 1] = computing_text(task)
  end
  if (task.longest or 0) > max(LONG_STEP, task.computing or 0) then
    texts[#texts + 1] = format("a step took %s, and no other task could "
      .. "run meanwhile", M.duration(task.longest))
  end
  if (task.share or 0) > BUSIEST and not task.computing then
    texts[#texts + 1] = format("it computes for %s %% of the time, and other "
      .. "tasks wait", M.percent(task.share))
  end
  if told.starves and #texts == 0 then
    texts[#texts + 1] = "it computes for so long that other tasks wait"
  end
  if told.swallows then
    texts[#texts + 1] = "it was cancelled, and waits again: it has caught the "
      .. "cancel, as by pcall"
  end
  return texts
end

-- Without making the texts.
local function is_suspect(task)
  return task.computing ~= nil or (task.longest or 0) > LONG_STEP
    or (task.share or 0) > BUSIEST or (task.warn or "") ~= ""
end

-- How long the long step has been going on that the task is in; nil: it is in
-- none.
local function time_of_step(task)
  local busy_for = task.state == "running" and task.of and task.of.busy_for
  return busy_for and busy_for >= LONG_STEP and busy_for or nil
end

--- Set what is found by comparing a snapshot with the one before: `share` of
--- the time in which a task is busy, `rate` of its steps per second, the same
--- of its whole life, `life_share` and `life_rate`, `computing` ns in a long
--- step under way, and `suspect`; of engines `idle_share`, `wake_rate` and
--- `step_rate`.
---@param snapshot table
---@param before? table
---@return table snapshot
function M.compare(snapshot, before)
  local older = {}
  for _, engine in ipairs(before and before.engines or {}) do
    older[engine.id] = engine
  end
  for _, engine in ipairs(snapshot.engines) do
    rate_engine(engine, older[engine.id])
  end
  for _, task in ipairs(snapshot.tasks) do
    rate_task(task, before and before.by_key[task.key])
    task.computing = time_of_step(task)
    task.suspect = is_suspect(task)
  end
  return snapshot
end

--- Count the tasks in each state.
---@param snapshot table
---@return table<string, integer> counts by state
function M.count(snapshot)
  local counts = {}
  for _, task in ipairs(snapshot.tasks) do
    counts[task.state] = (counts[task.state] or 0) + 1
  end
  return counts
end

-- Texts ----------------------------------------------------------------------

-- Less than 0.1 s: two digits that count, down to microseconds.
local function short(ns)
  local digits, least = 3, SECOND // 100
  while ns < least and digits < 6 do
    digits, least = digits + 1, least // 10
  end
  return format("%." .. digits .. "f s", ns / SECOND)
end

--- A span of time: "0.0023 s", "0.34 s", "12 min 05 s", "3 h 02 min",
--- "4 d 11 h".
---@param ns integer?
---@return string
function M.duration(ns)
  if not ns then
    return UNKNOWN
  end
  local seconds = ns // SECOND
  if ns >= 1000 and ns < SECOND // 10 then
    return short(ns)
  elseif ns < 10 * SECOND then
    return format("%.2f s", ns / SECOND)
  elseif seconds < 100 then
    return format("%.1f s", ns / SECOND)
  elseif seconds < 100 * 60 then
    return format("%d min %02d s", seconds // 60, seconds % 60)
  elseif seconds < 48 * 3600 then
    return format("%d h %02d min", seconds // 3600, seconds // 60 % 60)
  end
  return format("%d d %02d h", seconds // 86400, seconds // 3600 % 24)
end

--- A share of 1, in percent.
---@param value number?
---@return string
function M.percent(value)
  return value and format("%.1f", 100 * value) or UNKNOWN
end

--- A number of things in a second.
---@param value number?
---@return string
function M.per_second(value)
  return value and format(value < 99.95 and "%.1f" or "%.0f", value) or UNKNOWN
end

--- A number of bytes.
---@param value integer?
---@return string
function M.bytes(value)
  if not value then
    return UNKNOWN
  end
  for i, unit in ipairs { "KiB", "MiB", "GiB" } do
    if value < 1024 ^ (i + 1) or i == 3 then
      return format("%.1f %s", value / 1024 ^ i, unit)
    end
  end
end

return M
