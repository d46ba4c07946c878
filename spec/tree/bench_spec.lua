-- What ./dev bench makes of the costs that it measures.

local compare = require "bench.result.compare"
local csv = require "bench.result.csv"
local docs = require "bench.result.docs"
local figures = require "bench.result.figures"
local plot = require "bench.result.plot"
local rounds = require "bench.run.rounds"
local rows = require "bench.result.rows"
local sizes = require "bench.run.sizes"
local text = require "bench.result.text"
local units = require "bench.result.units"

local PEERS <const> = {
  ours = { name = "aiowire", title = "aiowire", role = "ours" },
  module = { name = "module", title = "aiowire in lua5.4", role = "ours" },
  floor = { name = "floor", title = "C", role = "floor" },
  part = { name = "coroutine", title = "bare coroutines", role = "part" },
  luv = { name = "luv", title = "luv" },
  node = { name = "node", title = "node" },
}

local function new_row(job)
  job.title, job.operation = "job", "an operation"
  job.name, job.group, job.chapter = "job", "engine", "steps"
  return rows.expand({ job }, {})[1]
end

--- Return an entry of `row` with these CPU times, in seconds.
local function entry(row, peer, ...)
  local costs = {}
  for i, cpu in ipairs { ... } do
    costs[i] = { cpu = cpu, user = cpu, system = 0, wall = 2 * cpu, peak = 8 }
  end
  return { row = row, peer = PEERS[peer], n = 10, costs = costs,
    summary = figures.summary(costs) }
end

describe("a cost of the bench", function()
  it("is read from the lines of a measurement", function()
    assert.are.same(
      { wall = 2, user = 0.5, system = 0.25, cpu = 0.75, peak = 4096 },
      figures.parse "wall 2.0\nuser 0.5\nsystem 0.25\npeak 4096\n")
  end)

  it("is that of one operation, without start and end", function()
    local run = figures.parse "wall 5\nuser 3\nsystem 1\npeak 9000\n"
    local zero = figures.parse "wall 1\nuser 1\nsystem 1\npeak 1000\n"
    assert.are.same({ wall = 0.04, user = 0.02, system = 0, cpu = 0.02,
      peak = 80 }, figures.cost(run, zero, 100))
  end)

  it("has what a load printed as it is", function()
    assert.are.equal(7, figures.cost({ delay = 7 }, {}, 100).delay)
  end)

  it("of a start is the whole run", function()
    local run = figures.parse "wall 5\nuser 3\nsystem 1\npeak 9000\n"
    assert.are.same(run, figures.cost(run, nil, 0))
  end)
end)

describe("the median of rounds", function()
  it("is the middle of an odd number", function()
    assert.are.same({ median = 2, least = 1, most = 9 },
      figures.spread { 9, 1, 2 })
  end)

  it("is between the two in the middle of an even number", function()
    assert.are.same({ median = 3, least = 1, most = 9 },
      figures.spread { 9, 1, 2, 4 })
  end)

  it("has no ratio if noise made it negative", function()
    assert.is_nil(figures.ratio(-1, 2))
    assert.is_nil(figures.ratio(1, 0))
    assert.are.equal(0.5, figures.ratio(1, 2))
  end)
end)

describe("the number of operations in a run", function()
  it("grows until the run takes long enough", function()
    assert.are.equal(201, sizes.next(10, 0.001, 0.2))
    assert.are.equal(41, sizes.next(10, 0.05, 0.2))
    assert.are.equal(10, sizes.next(10, 0.2, 0.2))
  end)

  it("grows if a run seems to take no time", function()
    assert.are.equal(201, sizes.next(10, 0, 0.2))
    assert.are.equal(201, sizes.next(10, -0.1, 0.2))
  end)

  it("shrinks for a slow program", function()
    assert.are.equal(1, sizes.next(100, 100, 0.2))
    assert.are.equal(20, sizes.next(100, 1, 0.2))
  end)

  it("is too much where a crowd would take minutes or gigabytes", function()
    assert.is_nil(sizes.too_much({ cpu = 1e-6, peak = 1000 }, 1000000))
    assert.are.equal("would take 100 s",
      sizes.too_much({ cpu = 1e-4, peak = 1000 }, 1000000))
    assert.are.equal("would take 9 GB",
      sizes.too_much({ cpu = 1e-6, peak = 9000 }, 1000000))
  end)
end)

describe("the rows of a job", function()
  local function ids(job, words, quick)
    job.name, job.group, job.chapter, job.title = "job", "io", "tcp", "Job"
    local list = {}
    for i, row in ipairs(rows.expand({ job }, words, quick)) do
      list[i] = row.id
    end
    return list
  end

  it("are one for each size and each parameter", function()
    assert.are.same({ "job" }, ids({ size = 10 }, {}))
    assert.are.same({ "job-10", "job-1000000" },
      ids({ sizes = { 10, 1000000 } }, {}))
    assert.are.same({ "job-1", "job-64" },
      ids({ size = 10, parameters = { "1", "64" } }, {}))
  end)

  it("are fewer in a quick run", function()
    assert.are.same({ "job-10000" },
      ids({ sizes = { 1000, 10000, 1000000 } }, {}, true))
    assert.are.same({ "job-1" },
      ids({ size = 1, parameters = { "1", "5", "9" } }, {}, true))
  end)

  it("are there if the job, its chapter or its group is asked for", function()
    for _, word in ipairs { "job", "tcp", "io" } do
      assert.are.same({ "job" }, ids({ size = 1 }, { word }))
    end
    assert.are.same({}, ids({ size = 1 }, { "engine" }))
    assert.are.same({ "no" }, rows.unknown({ { name = "job", group = "io",
      chapter = "tcp" } }, { "io", "no" }))
  end)

  it("have commas in the numbers of their titles", function()
    local job = { name = "job", group = "io", chapter = "tcp", title = "Job",
      size = 1, parameters = { "1", "1000", "1000000", "1+10000" } }
    local titles = {}
    for i, row in ipairs(rows.expand({ job }, {})) do
      titles[i] = row.title
    end
    assert.are.same({ "Job, 1", "Job, 1,000", "Job, 1,000,000",
      "Job, 1+10000" }, titles)
  end)
end)

describe("the rounds", function()
  --- Run `count` rounds of programs that take 1 ms for each operation. Returns
  --- the runs as "peer N".
  local function run_rounds(count, entries, broken)
    local runs = {}
    for number = 1, count do
      rounds.round(number, entries, 0.1, function(e, n)
        runs[#runs + 1] = e.peer.name .. " " .. n
        if e.peer.name == broken then
          return nil, "failed: no"
        end
        local took = 0.001 * n
        return { wall = took, user = took, system = 0, cpu = took, peak = n }
      end, function() end)
    end
    return runs
  end

  local function new_entries(job, ...)
    local entries, row = {}, new_row(job)
    for i, peer in ipairs { ... } do
      entries[i] = entry(row, peer)
    end
    for _, e in ipairs(entries) do
      e.n = nil
    end
    return entries
  end

  it("give each program its turn, another one first in each round", function()
    local runs = run_rounds(2, new_entries({ sizes = { 5 } }, "ours", "luv"))
    assert.are.same({ "aiowire 0", "aiowire 5", "luv 0", "luv 5",
      "luv 0", "luv 5", "aiowire 0", "aiowire 5" }, runs)
  end)

  it("find N in the first round, which keeps the last try", function()
    local entries = new_entries({ size = 100 }, "ours")
    local runs = run_rounds(2, entries)
    assert.are.same({ "aiowire 0", "aiowire 1", "aiowire 21", "aiowire 101",
      "aiowire 0", "aiowire 101" }, runs)
    assert.are.equal(2, #entries[1].costs)
  end)

  it("do without a program that fails", function()
    local entries = new_entries({ sizes = { 5 } }, "ours", "luv")
    local runs = run_rounds(2, entries, "luv")
    assert.are.equal("failed: no", entries[2].failed)
    assert.are.equal(5, #runs)
    assert.are.equal(2, #entries[1].costs)
  end)

  it("are fewer for a program that takes long", function()
    local entries = new_entries({ sizes = { 5000 } }, "ours")
    assert.are.equal(4, #run_rounds(5, entries))
    assert.are.equal(2, #entries[1].costs)
  end)

  it("leave out a crowd that a smaller one shows to be too large", function()
    local small = new_row { sizes = { 10, 100000 } }
    local large = rows.expand({ small.job }, {})[2]
    local entries = { entry(small, "luv"), entry(large, "luv") }
    entries[1].n, entries[2].n = nil, nil
    assert.are.same({ "luv 0", "luv 10" }, run_rounds(1, entries))
    assert.are.equal("would take 100 s", entries[2].skipped)
  end)
end)

describe("the comparison of a row", function()
  local row <const> = new_row { size = 1, musts = {
    { "cpu", most = 2, of = "floor" },
    { "cpu", most = 1.5, of = "node" },
    { "peak", most = 8 },
    { "instructions", most = 100 },
  } }
  local entries <const> = { entry(row, "ours", 3e-6), entry(row, "floor", 1e-6),
    entry(row, "part", 2e-6), entry(row, "luv", 8e-6), entry(row, "node", 4e-6),
  }

  it("has the cheapest program first", function()
    local names = {}
    for i, each in ipairs(compare.ranking(row, entries)) do
      names[i] = each.peer.name
    end
    assert.are.same({ "floor", "coroutine", "aiowire", "node", "luv" }, names)
  end)

  it("takes neither a floor nor bare coroutines for the best peer", function()
    local best = compare.best(compare.ranking(row, entries))
    assert.are.equal("node", best.peer.name)
  end)

  it("says which musts are reached, and how many lack a figure", function()
    local verdicts, missing = compare.verdicts(entries)
    local over = {}
    for i, verdict in ipairs(verdicts) do
      over[i] = verdict.over
    end
    assert.are.same({ true, false, false }, over)
    assert.are.equal("cpu at most 2.00 × floor", verdicts[1].text)
    assert.are.equal("3.00 ×", verdicts[1].value)
    assert.are.equal(1, missing)
  end)

  it("lacks no figure that one of our programs has", function()
    local with = entry(row, "ours", 3e-6)
    with.summary.instructions = { median = 90, least = 90, most = 90 }
    local list <const> = { with, entry(row, "module", 4e-6), entries[2],
      entries[5] }
    local _, missing = compare.verdicts(list)
    assert.are.equal(0, missing)
  end)

  it("of a must may be with another row of the job", function()
    local job = { sizes = { 10, 20 }, musts = {
      { "cpu", most = 2, row = 10, size = 20 } } }
    local small = new_row(job)
    local large = rows.expand({ job }, {})[2]
    local verdicts = compare.verdicts {
      entry(small, "ours", 1), entry(large, "ours", 3) }
    assert.are.equal(1, #verdicts)
    assert.is_true(verdicts[1].over)
  end)

  it("is a line of the summary", function()
    assert.are.same({ "job", "3.00 µs", "3.00×", "node", "0.75×", "1 of 3" },
      text.summary_cells(row, entries))
  end)

  it("shows programs that were left out with the reason", function()
    local skipped = entry(row, "luv")
    skipped.skipped = "would take 9 GB"
    local block = text.block(row, { entries[1], skipped })
    assert.is_truthy(block:find("luv +would take 9 GB"))
  end)
end)

describe("a figure of the bench", function()
  it("has three digits and a unit", function()
    assert.are.equal("1.25 µs", units.show("cpu", 1.25e-6))
    assert.are.equal("12.5 ns", units.show("wall", 1.25e-8))
    assert.are.equal("125 ms", units.show("user", 0.125))
    assert.are.equal("1.35 kB", units.show("peak", 1350))
    assert.are.equal("270 B", units.show("live", 270))
    assert.are.equal("9000", units.show("instructions", 9000))
  end)

  it("is 0 if noise made it negative", function()
    assert.are.equal("0", units.show("system", -1e-9))
  end)
end)

describe("the CSV of the bench", function()
  it("has a line for each figure of each round", function()
    local row = new_row { size = 1 }
    assert.are.equal("# a machine\nrow,peer,n,round,figure,value\n"
      .. "job,luv,10,1,cpu,0.5\njob,luv,10,1,user,0.5\n"
      .. "job,luv,10,1,system,0\njob,luv,10,1,wall,1\njob,luv,10,1,peak,8\n",
      csv.format({ "a machine" }, { entry(row, "luv", 0.5) }))
  end)
end)

describe("a plot of the bench", function()
  local row <const> = new_row { size = 1 }

  it("begins at zero where the bars are alike", function()
    local panel = plot.panel(row, { entry(row, "ours", 1e-6),
      entry(row, "luv", 2e-6) })
    assert.is_truthy(panel:find("unset logscale x\nset xrange [0:", 1, true))
    assert.is_truthy(panel:find('"CPU time, µs"', 1, true))
  end)

  it("says that an axis is logarithmic", function()
    local panel = plot.panel(row, { entry(row, "ours", 1e-6),
      entry(row, "luv", 1e-4) })
    assert.is_truthy(panel:find("\nset logscale x\n", 1, true))
    assert.is_truthy(panel:find('"CPU time, µs (logarithmic axis)"', 1, true))
  end)

  it("has whiskers from the least to the greatest value", function()
    local panel = plot.panel(row, { entry(row, "ours", 1e-6, 2e-6, 3e-6) })
    assert.is_truthy(panel:find("\n0 2 1 3 ", 1, true))
  end)

  it("is left out without any bar", function()
    assert.is_nil(plot.script("x.svg", { row }, {}))
  end)
end)

describe("the document of the bench", function()
  local BEGIN <const> = "<!-- figures, written by `./dev bench --docs` -->\n"
  local END <const> = "<!-- end of figures -->\n"

  it("gets other figures between the marks", function()
    local before = "head\n" .. BEGIN .. "old\n" .. END .. "tail\n"
    local after = docs.replace(before, "new 1 %\n")
    assert.are.equal("head\n" .. BEGIN .. "\nnew 1 %\n\n" .. END .. "tail\n",
      after)
    assert.are.equal(after, docs.replace(after, "new 1 %\n"))
  end)

  it("has the losing rows, and what is above its target", function()
    local row = new_row { size = 1, musts = { { "peak", most = 1 } } }
    local section = docs.section({ about = { "a machine" }, rows = { row },
      missing = {}, entries = { entry(row, "ours", 2), entry(row, "luv", 1) },
    }, { "steps" })
    assert.is_truthy(section:find("| job | 2.00 s |  | luv | 2.00× | 2 of 2 |",
      1, true))
    assert.is_truthy(section:find(
      "| job | aiowire | peak at most 1.00 B | 8.00 B |", 1, true))
    assert.is_truthy(section:find("](performance/steps.svg)", 1, true))
  end)

  it("says how many targets have no figure", function()
    local row = new_row { size = 1, musts = { { "instructions", most = 1 } } }
    local section = docs.section({ about = {}, rows = { row }, missing = {},
      entries = { entry(row, "ours", 2) } }, {})
    assert.is_truthy(section:find("within its target.\n\nTargets without a "
      .. "figure here: 1.\n", 1, true))
  end)
end)
