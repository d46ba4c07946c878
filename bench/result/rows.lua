--- Makes the rows of the table from jobs: one for each size or parameter.
local M = {}

--- Return a number with commas, as "10,000"; other texts as they are.
local function number(n)
  local text = tostring(n)
  local commas = text:find "%D" and 0
  while commas ~= 0 do
    text, commas = text:gsub("^(%d+)(%d%d%d)", "%1,%2")
  end
  return text
end

--- In a quick run, a job has one row: the largest size up to so many, or the
--- first parameter.
local QUICK_CROWD <const> = 10000

local function chosen_sizes(job, quick)
  if not quick then
    return job.sizes
  end
  local most = job.sizes[1]
  for _, size in ipairs(job.sizes) do
    most = size <= QUICK_CROWD and size or most
  end
  return { most }
end

local function chosen_parameters(job, quick)
  return quick and { job.parameters[1] } or job.parameters
end

local function add(rows, job, size, parameter)
  local shown = parameter or job.sizes and size
  local suffix = shown and number(shown)
  rows[#rows + 1] = {
    job = job,
    size = size,
    parameter = parameter,
    id = shown and job.name .. "-" .. shown or job.name,
    title = suffix and job.title .. ", " .. suffix or job.title,
  }
end

local function add_job(rows, job, quick)
  for _, size in ipairs(job.sizes and chosen_sizes(job, quick)
    or { job.size or 0 }) do
    if job.parameters then
      for _, parameter in ipairs(chosen_parameters(job, quick)) do
        add(rows, job, size, parameter)
      end
    else
      add(rows, job, size)
    end
  end
end

local function is_asked(job, words)
  if #words == 0 then
    return true
  end
  for _, word in ipairs(words) do
    if word == job.name or word == job.group or word == job.chapter then
      return true
    end
  end
  return false
end

--- Return the rows of the jobs that `words` name by job, chapter or group (all
--- jobs without words).
function M.expand(jobs, words, quick)
  local rows = {}
  for _, job in ipairs(jobs) do
    if is_asked(job, words) then
      add_job(rows, job, quick)
    end
  end
  return rows
end

--- Return the words that name nothing.
function M.unknown(jobs, words)
  local known, unknown = {}, {}
  for _, job in ipairs(jobs) do
    known[job.name], known[job.group], known[job.chapter] = true, true, true
  end
  for _, word in ipairs(words) do
    if not known[word] then
      unknown[#unknown + 1] = word
    end
  end
  return unknown
end

return M
