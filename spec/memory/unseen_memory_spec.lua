-- Lua's collector does not count the memory of the core. Garbage that holds
-- much of that memory must still be collected as if Lua had allocated it. Each
-- script runs in a new process with a small heap, and counts live objects while
-- it makes garbage. So the results do not depend on the machine.

local process = require "spec.support.process"

local frame = [[
  local aw = require "aiowire"
  local function count()
    return aw.stats().%s
  end
  local small = {}
  for i = 1, 10000 do
    small[i] = aw.Sleep(0)
  end
  local w, x = aw.Sequence(table.unpack(small)), aw.Sleep(1)
  local both, race, choice = x, x, x
  for _ = 1, 10000 do
    both, race, choice = both & x, race | x, choice // x
  end
  small = nil
  local text = ("x"):rep(100000)
  local function make() %s end
  collectgarbage()
  collectgarbage()
  local before, most = count(), 0
  for i = 1, 2000 do
    make(i)
    if i %% 50 == 0 then
      most = math.max(most, count() - before)
    end
  end
  print(most < 300 and "few" or most)
]]

--- Defines specs for both interpreters: `code` makes garbage 2,000 times, and
--- `counter` of aw.stats() must stay low meanwhile.
local function bounded(what, counter, code)
  local script = frame:format(counter, code)
  it("is collected in time: " .. what, function()
    process.assert_outcome("few\n", 0, process.host(script))
  end)
  it("is collected in time by lua5.4: " .. what, process.under_stock(
    function()
      process.assert_outcome("few\n", 0, process.stock(script))
    end))
end

describe("garbage that holds much memory of the core", function()
  bounded("a long sequence with one more", "wires", "return w >> x")
  bounded("a long sequence with one in front", "wires", "return x >> w")
  bounded("a long sequence twice", "wires", "return w >> w")
  bounded("a long join with one more", "wires", "return both & x")
  bounded("a long race with one more", "wires", "return race | x")
  bounded("a long choice with one more", "wires", "return choice // x")
  bounded("a wire with a long name", "wires", "return x:named(text)")
  bounded("a private EventLoop", "loops", "return aw.EventLoop { seed = 1 }")

  it("is not collected while the collector is stopped", function()
    process.assert_outcome("all\n", 0, process.host((frame:format("wires",
      "return w >> x"):gsub("local before", "collectgarbage 'stop' %0")
      :gsub('"few" or most', '"few" or "all"'))))
  end)
end)

describe("a Stream", function()
  -- Opens 2,000 Streams; the heap is large, so a cycle of the collector is
  -- long. A new descriptor has the lowest free number.
  local script = [[
    local aw = require "aiowire"
    local ballast = {}
    for i = 1, 20000 do ballast[i] = {} end
    local cycles, most = 0, 0
    local function count()
      cycles = cycles + 1
      setmetatable({}, { __gc = count })
    end
    aw.run(function()
      collectgarbage()
      count()
      for _ = 1, 2000 do
        local stream = aw.fs.open("/dev/null", "r")
        most = math.max(most, stream:getfd())
        %s
      end
    end)
    print(%s)
  ]]

  --- Defines specs for both interpreters.
  local function prints(what, expected, code, result)
    local text = script:format(code, result)
    it(what, function()
      process.assert_outcome(expected, 0, process.host(text))
    end)
    it(what .. ", by lua5.4", process.under_stock(function()
      process.assert_outcome(expected, 0, process.stock(text))
    end))
  end

  prints("that is not closed gives its descriptor back in time", "few\n", "",
    "most < 400 and 'few' or most")
  prints("that is closed costs no cycle of the collector", "few\n",
    "stream:close()", "cycles < 6 and most < 20 and 'few' or cycles")
  prints("that is closed late counts only until then", "few\n", [[
    if #ballast > 20100 then ballast[#ballast - 100]:close() end
    ballast[#ballast + 1] = stream
  ]], "cycles < 10 and 'few' or cycles")
end)

describe("a chain that is built step by step", function()
  local script = [[
    local aw = require "aiowire"
    local function peak()
      return tonumber(io.open "/proc/self/status":read "a":match
        "VmHWM:%%s*(%%d+)")
    end
    local before, w = peak(), aw.Sleep(0)
    for _ = 1, 40000 do w = w %s aw.Sleep(0) end
    local grown = peak() - before
    print(grown < 30000 and "little" or grown) -- KiB
  ]]

  --- The sanitizers keep freed memory, so these run without them.
  for _, operator in ipairs { ">>", "&", "|", "//" } do
    it("needs memory in proportion: " .. operator, process.under_stock(
      function()
        local code = script:format(operator)
        process.assert_outcome("little\n", 0, process.host(code))
        process.assert_outcome("little\n", 0, process.stock(code))
      end))
  end
end)
