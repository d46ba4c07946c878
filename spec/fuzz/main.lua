--- Random programs that use objects of all classes; `./dev fuzz` runs this.
---
---   lua5.4 spec/fuzz/main.lua [options]
---
---     --build DIR      the build under test (build/asan)
---     --seconds S      run for so long (60), or
---     --count N        run so many programs
---     --first SEED     the first seed (the time); the others follow it
---     --jobs N         processes at the same time (2)
---     --keep           do not shrink findings
---     --seed N         print the program of this seed, and run it
---
--- A program starts, cancels, waits for, closes, drops and finalizes objects of
--- every class, from bodies, handlers, `__close`, `__gc`, hooks, metamethods
--- and coroutines. Its order follows from its seed alone. It runs in its own
--- process. A finding is a report of a sanitizer, an assertion, a signal, a
--- hang, an unexpected exit code, an error from inside the library, or
--- something that is left when all is closed. The first finding of each kind is
--- shrunk. The result is build/fuzz/SEED.lua, and SEED.txt has its output.
---
--- The parts:
---
---   values, wires, objects, places, statements    the grammar
---   expand     makes a tree from the grammar and a seed
---   tree       prints trees and removes parts of them
---   program    makes a program from a seed
---   prelude    the first lines of each program
---   run        runs a program and judges its end
---   shrink     removes parts of a program that its finding does not need
---
--- The fuzzer needs a stock lua5.4, sh and timeout. It does not use the
--- library, whose faults cannot end it. Exit code: 0, or 1 with findings.

local root = arg[0]:match "^(.*)/spec/fuzz/[^/]*$" or "."
package.path = root .. "/?.lua;" .. package.path

local program = require "spec.fuzz.program"
local run = require "spec.fuzz.run"
local shrink = require "spec.fuzz.shrink"

-- Command line ----------------------------------------------------------------

local FLAGS <const> = { keep = true }

local function fail(text)
  io.stderr:write("fuzz: ", text, "\n")
  os.exit(2)
end

local function parse(words)
  local options = { build = "build/asan", seconds = 60, jobs = 2 }
  local i = 1
  while words[i] do
    local name = words[i]:match "^%-%-(%l+)$"
    if not name then
      fail("unknown argument '" .. words[i] .. "'")
    end
    if not FLAGS[name] then
      i = i + 1
      options[name] = math.tointeger(words[i]) or tonumber(words[i])
        or words[i] or fail("'--" .. name .. "' needs a value")
    else
      options[name] = true
    end
    i = i + 1
  end
  options.first = options.first or os.time() % 1000000 * 1000
  return options
end

local function output_of(command)
  local pipe <close> = assert(io.popen(command))
  return pipe:read "l" or ""
end

--- Returns the setup for run.run(), with a folder for the programs of this
--- worker.
local function setup_of(options, worker)
  local build = output_of(("cd %s && pwd"):format(run.quoted(options.build)))
  if build == "" then
    fail("no build in " .. options.build)
  end
  local sanitized = build:find "asan" ~= nil
  return {
    build = build,
    root = output_of(("cd %s && pwd"):format(run.quoted(root))),
    sanitized = sanitized,
    libasan = sanitized and output_of "cc -print-file-name=libasan.so",
    folder = ("%s/fuzz-run-%s"):format(build, worker),
  }
end

-- Findings --------------------------------------------------------------------

local function save(path, text)
  local file <close> = assert(io.open(path, "wb"))
  file:write(text)
end

--- Run a program up to `most` times. Returns the number of the run that shows
--- the finding again, or nil.
local function seen_again(setup, made, what, most)
  local text = program.text(made)
  local hangs = what:find "^hang" ~= nil
  -- SHORT is for hangs only: a program may wait longer for leftovers at its
  -- end.
  for try = 1, hangs and 1 or most do
    if run.run(setup, made, text, hangs and run.SHORT or nil) == what then
      return try
    end
  end
end

--- Shrink the program. Returns a text about it.
local function cut_down(setup, made, what)
  local tries = seen_again(setup, made, what, 5)
  if not tries then
    return "not seen again"
  end
  local runs = shrink.shrink(made.blocks, function()
    return seen_again(setup, made, what, tries + 1) ~= nil
  end)
  return ("cut down in %d runs"):format(runs)
end

--- Save the program, shrunk unless --keep, and its output.
local function file_finding(options, setup, made, what, report)
  local how = options.keep and "as it was" or cut_down(setup, made, what)
  local path = ("%s/build/fuzz/%d"):format(setup.root, made.seed)
  local head = ("-- %s\n-- seed %d, %s\n-- run: %s\n\n"):format(what, made.seed,
    how, run.command(setup, made, path .. ".lua"))
  save(path .. ".lua", head .. program.text(made))
  save(path .. ".txt", report)
  io.stderr:write(("fuzz: seed %d: %s\n      %s.lua (%s)\n"):format(made.seed,
    what, path, how))
end

-- Work ------------------------------------------------------------------------

--- Run the programs of one worker. Writes a line for each finding, and at the
--- end the number of programs.
local function work(options)
  local setup = setup_of(options, options.worker)
  local seen, ran, ends = {}, 0, os.time() + options.seconds
  local seed = options.first + options.worker
  local last = options.count and options.first + options.count - 1
  while last and seed <= last or not last and os.time() < ends do
    local made = program.make(seed)
    local what, report = run.run(setup, made, program.text(made))
    ran = ran + 1
    if what then
      io.stdout:write("finding\t", seed, "\t", what, "\n")
    end
    if what and not seen[what] then
      seen[what] = true
      file_finding(options, setup, made, what, report)
    end
    seed = seed + options.jobs
  end
  os.execute("rm -rf " .. run.quoted(setup.folder))
  io.stdout:write("ran\t", ran, "\n")
end

local function start_workers(options, words)
  local pipes = {}
  for i = 0, options.jobs - 1 do
    local line = { "exec lua5.4", run.quoted(arg[0]) }
    for _, word in ipairs(words) do
      line[#line + 1] = run.quoted(word)
    end
    line[#line + 1] = ("--first %d --worker %d"):format(options.first, i)
    pipes[i + 1] = assert(io.popen(table.concat(line, " ")))
  end
  return pipes
end

--- Print the kinds of findings, the frequent ones first. Returns their number.
local function show(found)
  local order = {}
  for what in pairs(found) do
    order[#order + 1] = what
  end
  table.sort(order, function(a, b)
    return #found[a] > #found[b] or #found[a] == #found[b] and a < b
  end)
  for _, what in ipairs(order) do
    table.sort(found[what])
    print(("%5d  %s (seeds %s)"):format(#found[what], what,
      table.concat(found[what], " ", 1, math.min(5, #found[what]))))
  end
  return #order
end

--- Start the workers, and sum up their findings. Returns true if there are
--- none.
local function direct(options, words)
  os.execute("mkdir -p " .. run.quoted(root .. "/build/fuzz"))
  local ran, found = 0, {}
  for _, pipe in ipairs(start_workers(options, words)) do
    for line in pipe:lines() do
      local seed, what = line:match "^finding\t(%d+)\t(.*)"
      if seed then
        found[what] = found[what] or {}
        table.insert(found[what], math.tointeger(seed))
      end
      ran = ran + (math.tointeger(line:match "^ran\t(%d+)") or 0)
    end
    pipe:close()
  end
  local kinds = show(found)
  print(("fuzz: %d programs from seed %d on, %d kinds of findings"):format(ran,
    options.first, kinds))
  return kinds == 0 and ran > 0
end

--- Print and run one program. Returns true without a finding.
local function show_one(options)
  local setup = setup_of(options, "one")
  local made = program.make(options.seed)
  local text = program.text(made)
  print(text)
  local what, report = run.run(setup, made, text)
  print("-- run as: " .. run.command(setup, made, setup.folder
    .. "/program.lua"))
  print("-- it wrote:\n" .. report)
  print("-- finding: " .. (what or "none"))
  return not what
end

local options = parse(arg)
if options.worker then
  work(options)
elseif options.seed then
  os.exit(show_one(options))
else
  os.exit(direct(options, arg))
end
