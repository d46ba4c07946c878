-- main.lua: counts the instructions of the core jobs, and compares them with
-- the figures in figures.txt. Run it in the root of the sources.
--
--   ./dev count [--save] [JOB…]
--   lua5.4 bench/count/main.lua BUILD_DIR [--save | --check NOTES] [JOB…]
--
-- --save writes the figures to figures.txt. --check is the test `count`: its
-- exit status is 1 if a job has grown by more than 3 %, and 77 ("skipped")
-- without valgrind, or if the figures were measured with other libraries. The
-- file NOTES gets the messages of a check that does not fail, because ctest
-- shows the output of failed tests only.
package.path = "./?.lua;" .. package.path
local figures = require "bench.count.figures"
local measure = require "bench.count.measure"
local shell = require "bench.run.shell"

local PATH <const> = "bench/count/figures.txt"
local SKIPPED <const> = 77

local function usage(message)
  io.stderr:write("count: ", message, "\n")
  os.exit(2)
end

local function parse_arguments()
  local options = { build = arg[1], jobs = {} }
  local i = 2
  while arg[i] do
    if arg[i] == "--save" then
      options.save = true
    elseif arg[i] == "--check" then
      i = i + 1
      options.notes = arg[i] or usage "--check needs a file"
    else
      table.insert(options.jobs, arg[i])
    end
    i = i + 1
  end
  return options
end

--- Return the jobs to measure: those asked for, or all.
local function chosen(asked, all, parts)
  for _, job in ipairs(asked) do
    if not all[job] then
      usage(("no job '%s'; there are:\n%s"):format(job,
        table.concat(all, "\n")))
    end
  end
  local jobs = {}
  for _, job in ipairs(#asked > 0 and asked or all) do
    if parts.libzmq ~= "none" or not job:find "^zmq" then
      jobs[#jobs + 1] = job
    end
  end
  return jobs
end

local ROW <const> = "%-18s %12s %12s %9s\n"

local function row(job, now, before)
  local change = before
    and ("%+.1f %%"):format(figures.change(now, before)) or ""
  return ROW:format(job, now, before or "", change)
end

--- Print the table line by line, as jobs are measured.
local function show(jobs, kept, count)
  io.write(ROW:format("job", "instructions", "in the tree", "change"))
  local each = {}
  for _, job in ipairs(jobs) do
    each[job] = count(job)
    io.write(row(job, each[job], kept[job]))
    io.flush()
  end
  return each
end

--- Save the figures. If only some jobs were measured, refuse to save unless the
--- figures of the others come from the same libraries.
local function save(each, parts, kept, some, differences)
  if some and #differences > 0 then
    usage("some jobs alone cannot be saved; all were measured with other "
      .. "parts:\n  " .. table.concat(differences, "\n  "))
  end
  if some then
    for job, n in pairs(kept.each) do
      each[job] = each[job] or n
    end
  end
  shell.write(PATH, figures.format { with = parts, each = each })
end

local ADVICE <const> = [[

%s
A job may grow by %d %% against %s. Mend what made it grow, or run
`./dev count --save` and say in the commit why it is worth its cost.
]]

--- Print `text`, and write it to the file NOTES.
local function note(options, text)
  print(text)
  if options.notes then
    shell.write(options.notes, text .. "\n")
  end
end

--- Return the exit status of --check.
local function check(options, jobs, parts, kept, count)
  local report = figures.check(jobs, parts, kept, count)
  if #report.differ > 0 then
    note(options, "count: skipped, because " .. PATH
      .. " was measured with other parts:\n  "
      .. table.concat(report.differ, "\n  "))
    return SKIPPED
  end
  for _, job in ipairs(jobs) do
    io.write(row(job, report.each[job], kept.each[job]))
  end
  if #report.stale > 0 then
    note(options, "count: " .. table.concat(report.stale, "\n")
      .. "\nRun `./dev count --save`, so that it stays so.")
  end
  if #report.bad > 0 then
    io.write(ADVICE:format(table.concat(report.bad, "\n"), figures.LIMIT,
      PATH))
    return 1
  end
  return 0
end

local options <const> = parse_arguments()
if options.notes then
  os.remove(options.notes)
end
if not measure.has_valgrind() then
  note(options, "count: skipped, because valgrind is not installed")
  os.exit(SKIPPED)
end
local program <const> = options.build .. "/aiowire"
local parts <const> = measure.parts(options.build)
local all <const> = measure.jobs(program)
local jobs <const> = chosen(options.jobs, all, parts)
local kept <const> = figures.parse(shell.read(PATH) or "")

if options.notes then
  os.exit(check(options, jobs, parts, kept, function(job)
    return measure.once(program, job, all[job])
  end))
end

local differences <const> = figures.differences(parts, kept.with)
local each <const> = show(jobs, kept.each, function(job)
  return measure.settled(program, job, all[job])
end)
if options.save then
  save(each, parts, kept, #options.jobs > 0, differences)
elseif #differences > 0 then
  print("The figures in the tree were measured with other parts:\n  "
    .. table.concat(differences, "\n  "))
end
