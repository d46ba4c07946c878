--- Reads, writes and compares the figures of the counted jobs.
---
--- Figures are `{ with = { [part] = version }, each = { [job] = n } }`: `n` is
--- the instructions that a job takes, `with` has the parts that were used. All
--- functions here are pure; measure.lua counts, main.lua is the program.
local M = {}

--- A job may grow by so many percent without a failure.
M.LIMIT = 3

--- A job that seems to have grown is measured at most so many more times.
M.RETRIES = 3

local HEAD <const> = [[
# Instructions of the core jobs, each, and what they were measured with.
# `./dev count --save` writes this file; say in the commit why a job grew.
]]

local function sorted_keys(t)
  local keys = {}
  for key in pairs(t) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return keys
end

function M.format(figures)
  local lines = {}
  for _, part in ipairs(sorted_keys(figures.with)) do
    lines[#lines + 1] = ("with %s: %s\n"):format(part, figures.with[part])
  end
  for _, job in ipairs(sorted_keys(figures.each)) do
    lines[#lines + 1] = ("%s %d\n"):format(job, figures.each[job])
  end
  return HEAD .. table.concat(lines)
end

function M.parse(text)
  local figures = { with = {}, each = {} }
  for line in text:gmatch "[^\n]+" do
    local part, version = line:match "^with ([^:]+): (.*)$"
    local job, n = line:match "^([%w-]+) (%d+)$"
    if part then
      figures.with[part] = version
    elseif job then
      figures.each[job] = math.tointeger(n)
    elseif not line:find "^#" then
      error("no figure: " .. line, 0)
    end
  end
  return figures
end

--- Return the differences between two tables of parts, one line for each part.
function M.differences(here, kept)
  local lines, parts = {}, {}
  for _, parts_of in ipairs { here, kept } do
    for part in pairs(parts_of) do
      parts[part] = true
    end
  end
  for _, part in ipairs(sorted_keys(parts)) do
    local mine, theirs = here[part] or "none", kept[part] or "none"
    if mine ~= theirs then
      lines[#lines + 1] = ("%s: %s here, %s there"):format(part, mine, theirs)
    end
  end
  return lines
end

--- Return by how many percent `now` is above `before`.
function M.change(now, before)
  return (now - before) * 100 / before
end

local function grew(now, before)
  return M.change(now, before) > M.LIMIT
end

--- Measure a job, several times if it seems to have grown. Return the lowest
--- count.
local function measure_again(job, before, measure)
  local now = measure(job)
  for _ = 1, M.RETRIES do
    if not grew(now, before) then
      break
    end
    now = math.min(now, measure(job))
  end
  return now
end

local function sentence(job, now, before, word)
  return ("%s takes %d instructions, %.1f %% %s than %d"):format(job, now,
    math.abs(M.change(now, before)), word, before)
end

--- Check one job, and add sentences about it to the report.
local function check_job(report, job, before, measure)
  local now = before and measure_again(job, before, measure) or measure(job)
  report.each[job] = now
  if not before then
    table.insert(report.bad, job .. " has no figure yet")
  elseif grew(now, before) then
    table.insert(report.bad, sentence(job, now, before, "more"))
  elseif M.change(now, before) < -M.LIMIT then
    table.insert(report.stale, sentence(job, now, before, "fewer"))
  end
end

--- Measure `jobs` by `measure(job)`, with the parts `with`, and compare the
--- results with the figures `kept`. Return a table with
--- `each`      the figures
--- `bad`       sentences about jobs that have grown or are not known
--- `stale`     sentences about jobs that have shrunk
--- `differ`    the parts of `kept` that are not those of `with`; if there are
---             any, figures cannot be compared, and nothing is measured
function M.check(jobs, with, kept, measure)
  local report = { each = {}, bad = {}, stale = {},
    differ = M.differences(with, kept.with) }
  if #report.differ == 0 then
    for _, job in ipairs(jobs) do
      check_job(report, job, kept.each[job], measure)
    end
  end
  return report
end

return M
