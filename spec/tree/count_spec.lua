-- Which changes of instruction counts the check in bench/count accepts.

local figures = require "bench.count.figures"

local WITH <const> = { compiler = "GNU 12", libuv = "1.44" }
local KEPT <const> = { with = WITH, each = { call = 1000, yield = 2000 } }

--- Check the jobs `call` and `yield`. `counts` has, for each job, the results
--- of its measurements in order. Returns the report and the number of
--- measurements.
local function check(counts, with)
  local made = 0
  local report = figures.check({ "call", "yield" }, with or WITH, KEPT,
    function(job)
      made = made + 1
      return table.remove(counts[job], 1)
    end)
  return report, made
end

describe("the check of instruction counts", function()
  it("passes a job that has grown by 2 %", function()
    local report, made = check { call = { 1020 }, yield = { 2040 } }
    assert.are.same({}, report.bad)
    assert.are.same({}, report.stale)
    assert.are.equal(2, made)
  end)

  it("fails for a job that has grown by 4 % in every measurement", function()
    local report, made = check {
      call = { 1040, 1041, 1042, 1043 }, yield = { 2000 },
    }
    assert.are.same({
      "call takes 1040 instructions, 4.0 % more than 1000",
    }, report.bad)
    assert.are.equal(5, made)
  end)

  it("measures a job that has grown again, and judges the lowest", function()
    local report, made = check { call = { 1000 }, yield = { 2200, 2100, 2010 } }
    assert.are.same({}, report.bad)
    assert.are.equal(2010, report.each.yield)
    assert.are.equal(4, made)
  end)

  it("passes a job that has shrunk by 4 %, and says so", function()
    local report = check { call = { 960 }, yield = { 2000 } }
    assert.are.same({}, report.bad)
    assert.are.same({
      "call takes 960 instructions, 4.0 % fewer than 1000",
    }, report.stale)
  end)

  it("fails for a job without a figure", function()
    local report = figures.check({ "race" }, WITH, KEPT, function()
      return 1
    end)
    assert.are.same({ "race has no figure yet" }, report.bad)
  end)

  it("measures nothing where the figures are of other libraries", function()
    local report, made = check({}, { compiler = "GNU 13", libuv = "1.44" })
    assert.are.same({ "compiler: GNU 13 here, GNU 12 there" }, report.differ)
    assert.are.same({}, report.bad)
    assert.are.equal(0, made)
  end)

  it("tells of a library that only one side has", function()
    local report = check({}, { compiler = "GNU 12", libuv = "1.44",
      libzmq = "4.3" })
    assert.are.same({ "libzmq: 4.3 here, none there" }, report.differ)
  end)
end)

describe("the file of instruction counts", function()
  it("has the figures that were written to it", function()
    assert.are.same(KEPT, figures.parse(figures.format(KEPT)))
  end)

  it("is refused with a line that is no figure", function()
    assert.has_error(function()
      figures.parse "call about 1000\n"
    end, "no figure: call about 1000")
  end)
end)
