--- header.lua: the lines above and below the table
---
--- Lines are clean plain texts of any length.
local _, part = ...

local figures <const> = part "host.top.figures"
local texts <const> = part "host.top.texts"

local clean <const> = texts.clean

--- So many engines have a line of their own.
local MOST_ENGINES <const> = 4

local M = {}

local STATES <const> = { "running", "ready", "waiting" }

-- "12 tasks: 1 running, 2 ready, 9 waiting"
local function tasks_text(snapshot)
  local counts, total = figures.count(snapshot), #snapshot.tasks
  local list, known = {}, 0
  for _, state in ipairs(STATES) do
    known = known + (counts[state] or 0)
    list[#list + 1] = counts[state] and ("%d %s"):format(counts[state], state)
  end
  if known < total then
    list[#list + 1] = ("%d other"):format(total - known)
  end
  return ("%d %s%s%s"):format(total + snapshot.more,
    total + snapshot.more == 1 and "task" or "tasks",
    total > 0 and ": " .. table.concat(list, ", ") or "",
    snapshot.more > 0 and (", %d not sent"):format(snapshot.more) or "")
end

local function engine_text(engine)
  return ("idle %s %%  wake-ups %s/s  steps %s/s  heap %s"):format(
    figures.percent(engine.idle_share), figures.per_second(engine.wake_rate),
    figures.per_second(engine.step_rate), figures.bytes(engine.heap))
end

local function uptime(snapshot)
  local most
  for _, engine in ipairs(snapshot.engines) do
    most = math.max(most or 0, engine.up or 0)
  end
  return figures.duration(most)
end

--- The lines above the table: the program, its engines.
---@param hello table
---@param snapshot table
---@param ascii? boolean
---@return string[]
function M.head(hello, snapshot, ascii)
  local lines = { ("%s  pid %s  up %s  %s"):format(clean(hello.name, ascii),
    hello.pid, uptime(snapshot), tasks_text(snapshot)) }
  local engines = snapshot.engines
  for i = 1, math.min(#engines, MOST_ENGINES) do
    local engine = engines[i]
    lines[#lines + 1] = (#engines > 1 and ("engine %s '%s'  "):format(
      clean(engine.id), clean(engine.name or "", ascii)) or "")
      .. engine_text(engine)
  end
  if #engines > MOST_ENGINES then
    lines[#lines + 1] = ("and %d more engines"):format(#engines - MOST_ENGINES)
  end
  return lines
end

-- The task of an engine that computes.
local function running_task(snapshot, engine)
  for _, task in ipairs(snapshot.tasks) do
    if task.of == engine and task.state == "running" then
      return task
    end
  end
end

-- Lines about engines whose tasks could not be asked for: a step computes.
local function add_old(lines, snapshot, ascii)
  for _, engine in ipairs(snapshot.engines) do
    if engine.answer == "old" then
      local task = running_task(snapshot, engine)
      lines[#lines + 1] = ("! no answer: a step has been computing for %s%s; "
        .. "what is shown is older"):format(
        figures.duration(engine.busy_for), task
          and (" in task %s '%s'"):format(task.id, clean(task.name, ascii))
          or "")
    end
  end
end

--- The lines about what is wrong, the worst first; of tasks at most `most`.
---@param snapshot table
---@param most integer
---@param ascii? boolean
---@return string[]
function M.warnings(snapshot, most, ascii)
  local lines, left = {}, 0
  add_old(lines, snapshot, ascii)
  local of_engines = #lines
  for _, task in ipairs(snapshot.tasks) do
    if task.suspect and #lines - of_engines < most then
      lines[#lines + 1] = ("! task %s '%s': %s"):format(clean(task.id),
        texts.shorten(clean(task.name, ascii), 30, ascii),
        table.concat(figures.warnings_of(task), "; "))
    elseif task.suspect then
      left = left + 1
    end
  end
  if left > 0 then
    lines[#lines + 1] = ("! %d more tasks have warnings: sort by the column !")
      :format(left)
  end
  return lines
end

return M
