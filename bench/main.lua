-- main.lua: measures aiowire next to its peers and next to the floor, and draws
-- the result. Run it in the root of the sources, after building the target
-- `bench`.
--
--   ./dev bench [OPTION…] [JOB, CHAPTER or GROUP…]
--   lua5.4 bench/main.lua BUILD_DIR [OPTION…] [JOB, CHAPTER or GROUP…]
--
--   --rounds=N       default 5
--   --quick          one short round, a row of each job: a minute
--   --peers=A,B      only these (aiowire is always there)
--   --instructions   count instructions, too, where a must asks for it
--   --out=DIR        for figures.csv, table.txt and *.svg; default build/bench
--   --docs           write the table and plots of docs/performance.md, too
--   --list           print jobs and peers, measure nothing
--
-- The exit status is 1 if a figure is over what it must be, or a program of
-- aiowire failed. A peer that is not installed is named, and has no figures.
package.path = "./?.lua;" .. package.path
local about = require "bench.run.about"
local compare = require "bench.result.compare"
local csv = require "bench.result.csv"
local docs = require "bench.result.docs"
local figures = require "bench.result.figures"
local instructions = require "bench.run.instructions"
local jobs = require "bench.jobs"
local peers = require "bench.peers"
local plot = require "bench.result.plot"
local programs = require "bench.run.programs"
local rounds = require "bench.run.rounds"
local rows = require "bench.result.rows"
local shell = require "bench.run.shell"
local text = require "bench.result.text"

--- Seconds that a run should take.
local TARGET <const>, QUICK_TARGET <const> = 0.2, 0.05

-- ── arguments ──────────────────────────────────────────────────────────────

local function usage(message)
  io.stderr:write("bench: ", message, "\n")
  os.exit(2)
end

local FLAGS <const> = { quick = true, instructions = true, docs = true,
  list = true }
local VALUES <const> = { rounds = true, peers = true, out = true }

local function parse_arguments()
  local o = { build = arg[1] or "build/release", out = "build/bench",
    words = {} }
  for i = 2, #arg do
    local name, value = arg[i]:match "^%-%-(%l+)=?(.*)$"
    if not name then
      table.insert(o.words, arg[i])
    elseif FLAGS[name] then
      o[name] = true
    elseif VALUES[name] and value ~= "" then
      o[name] = value
    else
      usage("no option " .. arg[i])
    end
  end
  o.rounds = math.tointeger(tonumber(o.rounds or o.quick and 1 or 5))
  if not o.rounds or o.rounds < 1 then
    usage "--rounds takes a number"
  end
  return o
end

local options <const> = parse_arguments()

--- Return the peers that were asked for.
local function chosen_peers()
  if not options.peers then
    return peers
  end
  local asked, list = {}, {}
  for name in options.peers:gmatch "[^,]+" do
    asked[name] = true
  end
  for _, peer in ipairs(peers) do
    if asked[peer.name] or peer.name == "aiowire" then
      list[#list + 1] = peer
    end
    asked[peer.name] = nil
  end
  if next(asked) then
    usage("no peer " .. next(asked))
  end
  return list
end

-- ── measuring ──────────────────────────────────────────────────────────────

--- Return entries for all programs that are there, and the peers that are not:
--- { title =, package = }.
local function make_entries(all_rows, all_peers)
  local entries, missing, told = {}, {}, {}
  for _, row in ipairs(all_rows) do
    for _, peer in ipairs(all_peers) do
      local program, why = programs.find(options.build, peer, row.job)
      if program then
        entries[#entries + 1] = { row = row, peer = peer, program = program,
          start = programs.start(options.build, peer, program), costs = {} }
      elseif why ~= "source" and not told[peer.title .. why] then
        told[peer.title .. why] = true
        missing[#missing + 1] = { title = peer.title, package = why }
      end
    end
  end
  return entries, missing
end

--- Keep what a failing program says.
local errors_path <const> = os.tmpname()

local function run_once(entry, n)
  local words = programs.command(options.build, entry.start, entry.row, n)
  local output = shell.output(shell.join(words) .. " 2>" .. errors_path)
  if output then
    return figures.parse(output)
  end
  local message = shell.read(errors_path) or ""
  io.stderr:write("\n", shell.join(words), "\n", message)
  return nil, "failed: " .. (message:match "measure: ([^\n]*)" or "?")
end

--- Measure the live bytes of aiowire's programs.
local function add_live_bytes(entries)
  for _, entry in ipairs(entries) do
    local cost = entry.costs[1]
    if entry.row.job.live and entry.peer.name == "aiowire" and cost then
      local function live(n)
        local words = { options.build .. "/aiowire", "bench/run/live.lua",
          entry.program, n }
        return figures.parse(shell.output(shell.join(words))).live
      end
      cost.live = (live(entry.n) - live(0)) / entry.n
    end
  end
end

local function add_instructions(entries)
  for _, entry in ipairs(entries) do
    local counted = entry.peer.name == "aiowire" or entry.peer.role == "floor"
    for _, must in ipairs(counted and entry.costs[1] and entry.row.job.musts
      or {}) do
      if must[1] == "instructions" and compare.concerns(must, entry.row) then
        entry.costs[1].instructions = instructions.each(options.build, entry)
      end
    end
  end
end

local function progress(format, ...)
  io.stderr:write(format:format(...))
end

local function measure(entries)
  local target = options.quick and QUICK_TARGET or TARGET
  for number = 1, options.rounds do
    local began = os.time()
    rounds.round(number, entries, target, run_once, function(row)
      progress("\r\27[Kround %d of %d: %s", number, options.rounds, row.title)
    end)
    progress("\r\27[Kround %d of %d: %d s\n", number, options.rounds,
      os.time() - began)
  end
  os.remove(errors_path)
  add_live_bytes(entries)
  if options.instructions then
    add_instructions(entries)
  end
  for _, entry in ipairs(entries) do
    entry.summary = figures.summary(entry.costs)
  end
end

-- ── results ────────────────────────────────────────────────────────────────

--- Return a list of { name =, rows = }, in the order of the rows.
local function chapters(all_rows)
  local list, known = {}, {}
  for _, row in ipairs(all_rows) do
    local name = row.job.chapter
    if not known[name] then
      known[name] = { name = name, rows = {} }
      list[#list + 1] = known[name]
    end
    table.insert(known[name].rows, row)
  end
  return list
end

--- Draw a picture for each chapter into `folder`. Returns the chapters that
--- have one.
local function draw(folder, all_rows, entries)
  if shell.first_line "command -v gnuplot" == "none" then
    progress "no plots: gnuplot is not installed (Debian: gnuplot-nox)\n"
    return {}
  end
  local drawn = {}
  for _, chapter in ipairs(chapters(all_rows)) do
    local base = folder .. "/" .. chapter.name
    local script = plot.script(base .. ".svg", chapter.rows, entries)
    if script then
      shell.write(base .. ".gnuplot", script)
      assert(os.execute("gnuplot " .. shell.quote(base .. ".gnuplot")))
      os.remove(base .. ".gnuplot")
      drawn[#drawn + 1] = chapter.name
    end
  end
  return drawn
end

local function make_folder(path)
  assert(os.execute("mkdir -p " .. shell.quote(path)))
end

local function full_text(results)
  local parts = { table.concat(results.about, "\n") .. "\n" }
  for _, row in ipairs(results.rows) do
    parts[#parts + 1] = text.block(row, results.entries)
  end
  parts[#parts + 1] = text.summary(results.rows, results.entries)
  parts[#parts + 1] = text.musts(results.entries)
  parts[#parts + 1] = text.missing(results.missing)
  return (table.concat(parts, "\n"):gsub("\n+$", "\n"))
end

local function failed(entries)
  for _, entry in ipairs(entries) do
    if entry.failed and entry.peer.role == "ours" then
      return true
    end
  end
  for _, verdict in ipairs(compare.verdicts(entries)) do
    if verdict.over then
      return true
    end
  end
  return false
end

local DOCUMENT <const> = "docs/performance.md"
local PICTURES <const> = "docs/performance"

--- Put the results into the documents.
local function write_docs(results, drawn)
  make_folder(PICTURES)
  for _, chapter in ipairs(drawn) do
    local name = "/" .. chapter .. ".svg"
    shell.write(PICTURES .. name, shell.read(options.out .. name))
  end
  shell.write(PICTURES .. "/figures.csv",
    shell.read(options.out .. "/figures.csv"))
  shell.write(DOCUMENT,
    docs.replace(shell.read(DOCUMENT), docs.section(results, drawn)))
  progress("now run ./dev docs, which draws docs/pictures/speed.svg\n")
end

local function list_all()
  for _, job in ipairs(jobs) do
    print(("%-8s %-10s %-18s %s"):format(job.group, job.chapter, job.name,
      job.operation))
  end
  for _, peer in ipairs(peers) do
    print(("peer     %-29s %s"):format(peer.name, peer.title))
  end
end

if options.list then
  list_all()
  os.exit(0)
end
if options.docs and (options.peers or #options.words > 0) then
  usage "--docs takes all jobs and peers"
end
local unknown <const> = rows.unknown(jobs, options.words)
if #unknown > 0 then
  usage("no job, chapter or group " .. unknown[1] .. "; --list shows them")
end
if not shell.read(options.build .. "/bench/measure") then
  usage(options.build .. " lacks the target `bench`")
end
local results <const> = {
  rows = rows.expand(jobs, options.words, options.quick),
  about = about(options.build, options.rounds),
}
results.entries, results.missing = make_entries(results.rows, chosen_peers())
measure(results.entries)

make_folder(options.out)
local table_text <const> = full_text(results)
io.write(table_text)
shell.write(options.out .. "/table.txt", table_text)
shell.write(options.out .. "/figures.csv",
  csv.format(results.about, results.entries))
local drawn <const> = draw(options.out, results.rows, results.entries)
progress("table.txt, figures.csv and %d plots are in %s\n", #drawn,
  options.out)
if options.docs then
  write_docs(results, drawn)
end
os.exit(not failed(results.entries))
