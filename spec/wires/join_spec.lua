-- Joins: `a & b` and All{...} run their operands at the same time and wait for
-- all of them [O4, O6].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local wires = require "spec.support.wires"

local test = helper.test
local recorder, closer = helper.recorder, helper.closer
local takes, gives, giving = wires.takes, wires.gives, wires.giving
local fails, cleaning = wires.fails, wires.cleaning
local outcome, results = wires.outcome, wires.results

describe("a & b", function()
  it("runs its operands at the same time [O4]", function()
    test(function(ev)
      local log, note = recorder()
      aw.await(takes(3, note, "a") & takes(1, note, "b")
        & takes(2, note, "c"))
      note "after"
      assert.are.same({ "b", "c", "a", "after" }, log)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("starts them from left to right [O4]", function()
    test(function()
      local log, note = recorder()
      aw.await(aw.Call(note, 1) & aw.Call(note, 2) & aw.Call(note, 3)
        & aw.Call(note, 4))
      assert.are.same({ 1, 2, 3, 4 }, log)
    end)
  end)

  it("runs nothing of them when it is built [V1]", function()
    test(function(ev)
      local log, note = recorder()
      local w = aw.Call(note, "a") & aw.Call(note, "b")
      aw.sleep(1)
      assert.are.same({}, log)
      ev:start(w):wait()
      assert.are.same({ "a", "b" }, log)
    end)
  end)

  it("has the first result of each operand, in their order [O4]",
    function()
      test(function()
        local w = gives(3, "a", "lost") & gives(1, "b")
          & gives(2, "c", "lost", "too")
        assert.are.same({ n = 3, "a", "b", "c" }, results(w))
      end)
    end)

  it("keeps nil for an operand without a result [O4]", function()
    test(function()
      assert.are.same({ n = 4, nil, "b", nil, nil },
        results(aw.Sleep(1) & aw.Value "b" & aw.Value() & aw.Value(nil)))
    end)
  end)

  it("keeps false apart from nil [O4]", function()
    test(function()
      assert.are.same({ n = 2, false, nil },
        results(aw.Value(false) & aw.Value(nil)))
    end)
  end)

  it("waits for the whole chain of each operand [O4]", function()
    test(function(ev)
      local log, note = recorder()
      local w = giving(takes(2, note, "a'")) & takes(1, note, "b")
      assert.are.same({ n = 2, "a'", "b" }, results(w))
      assert.are.same({ "b", "a'" }, log)
      assert.are.equal(2, ev:now())
    end)
  end)

  it("waits for what its operands spin off [O4] [S4]", function()
    test(function(ev)
      local log, note = recorder()
      local a = giving(takes(5, note, "child")) >> takes(1, note, "a")
      aw.await(a & takes(2, note, "b"))
      note "after"
      assert.are.same({ "a", "b", "child", "after" }, log)
      assert.are.equal(5, ev:now())
    end)
  end)

  it("does not wait for what the task around it spun off [O4] [S4]",
    function()
      test(function()
        local log, note = recorder()
        local w = giving(takes(5, note, "outer"))
          >> (takes(1, note, "a") & takes(2, note, "b"))
          >> aw.Call(note, "after")
        aw.await(w)
        assert.are.same({ "a", "b", "after" }, log)
      end)
    end)

  it("takes functions and callable objects as operands [V2]", function()
    test(function()
      local log, note = recorder()
      local object = setmetatable({}, {
        __call = function()
          note "object"
        end,
      })
      local function body()
        note "function"
      end
      local w = aw.Call(note, "wire")
      aw.await(w & body)
      aw.await(body & w)
      aw.await(w & object & body)
      assert.are.same({
        "wire", "function", "function", "wire",
        "wire", "object", "function",
      }, log)
    end)
  end)

  it("runs a twice as a & a [V1]", function()
    test(function(ev)
      local count = 0
      local a = aw.Sleep(1) >> aw.Call(function()
        count = count + 1
        return count
      end)
      assert.are.same({ n = 2, 1, 2 }, results(a & a))
      assert.are.equal(1, ev:now())
    end)
  end)

  it("is flat: its results stand in one list [V4]", function()
    test(function()
      local a, b, c, d =
        gives(1, "a"), gives(2, "b"), gives(1, "c"), gives(0, "d")
      local expected = { n = 4, "a", "b", "c", "d" }
      assert.are.same(expected, results(a & b & c & d))
      assert.are.same(expected, results(a & (b & (c & d))))
      assert.are.same(expected, results((a & b) & (c & d)))
      assert.are.same(expected, results(a & (b & c) & d))
    end)
  end)

  it("is one operand if it has a name [V4] [O4]", function()
    test(function()
      local pair = (gives(1, "a") & gives(1, "b")):named "pair"
      assert.are.same({ n = 2, "a", "c" }, results(pair & gives(1, "c")))
    end)
  end)

  it("joins a thousand operands [O4]", function()
    local count = helper.scale(1000)
    test(function(ev)
      local w = aw.Value(1)
      for i = 2, count do
        w = w & gives(i / 1024, i)
      end
      local got = results(w)
      assert.are.equal(count, got.n)
      for i = 1, count do
        assert.are.equal(i, got[i])
      end
      assert.are.equal(count / 1024, ev:now())
    end)
  end)
end)

describe("a join in which an operand fails", function()
  it("raises the error as it is [O4] [E1]", function()
    test(function(ev)
      for _, problem in ipairs { "text", {}, 42, false, print } do
        local ok, err = outcome(aw.Sleep(5) & fails(1, problem))
        assert.is_false(ok)
        assert.is_true(rawequal(problem, err))
      end
      assert.are.equal(5, ev:now())
    end)
  end)

  it("cancels the others and waits for their clean-up [O4]", function()
    test(function(ev)
      local log, note = recorder()
      local w = cleaning(2, note, "a cleaned") & fails(1, "boom")
        & takes(9, note, "never") & cleaning(1, note, "d cleaned")
      local ok, err = outcome(w)
      note(err)
      assert.is_false(ok)
      assert.are.same({ "d cleaned", "a cleaned", "boom" }, log)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("does not touch operands that have ended [O4]", function()
    test(function(ev)
      local log, note = recorder()
      local ok = outcome(takes(1, note, "a") & fails(2, "boom"))
      assert.is_false(ok)
      assert.are.same({ "a" }, log)
      assert.are.equal(2, ev:now())
    end)
  end)

  it("cancels what they spun off [O4] [S3]", function()
    test(function(ev)
      local log, note = recorder()
      local a = giving(cleaning(1, note, "child cleaned"))
        >> takes(1, note, "a")
      local ok = outcome(a & fails(2, "boom"))
      assert.is_false(ok)
      assert.are.same({ "a", "child cleaned" }, log)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("fails for what an operand spun off, too [O4] [N5]", function()
    test(function(ev)
      local log, note = recorder()
      local a = giving(fails(2, "child's")) >> takes(1, note, "a")
      local ok, err = outcome(a & cleaning(1, note, "b cleaned"))
      assert.is_false(ok)
      assert.are.equal("child's", err)
      assert.are.same({ "a", "b cleaned" }, log)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("lets nothing that follows it run [O4]", function()
    test(function()
      local log, note = recorder()
      outcome((fails(1, "boom") & aw.Sleep(2))
        >> aw.Call(note, "never"))
      assert.are.same({}, log)
    end)
  end)

  it("raises the first error; later ones are suppressed [O4] [E3]",
    function()
      helper.leak_checked(function()
        local first, second, third = {}, {}, {}
        local err, info = wires.failure_of(wires.spoiling(second)
          & fails(1, first) & wires.spoiling(third))
        assert.are.equal(first, err)
        assert.is_true(wires.suppresses(info, second))
        assert.is_true(wires.suppresses(info, third))
        assert.is_false(wires.suppresses(info, first))
      end)
    end)

  it("suppresses nothing if only one fails [E3]", function()
    helper.leak_checked(function()
      local _, info = wires.failure_of(fails(1, {}) & aw.Sleep(5))
      assert.are.equal(0, #(info.suppressed or {}))
    end)
  end)

  it("takes the leftmost where two fail at the same moment [O4] [F1]",
    function()
      helper.leak_checked(function()
        local first, second = {}, {}
        local err = wires.failure_of(fails(1, first) & fails(1, second))
        assert.are.equal(first, err)
      end)
    end)

  it("does not stop the tasks around it [O4]", function()
    test(function(ev)
      local log, note = recorder()
      ev:start(takes(3, note, "bystander"))
      outcome(fails(1, "boom") & aw.Sleep(9))
      aw.sleep(4)
      assert.are.same({ "bystander" }, log)
    end)
  end)

  it("goes on with nil for one that was cancelled by itself [O4] [T4]",
    function()
      test(function(ev)
        local w = aw.Wire(function()
          aw.sleep(1)
          aw.current():cancel()
          aw.sleep(9)
        end) & gives(2, "b")
        assert.are.same({ n = 2, nil, "b" }, results(w))
        assert.are.equal(2, ev:now())
      end)
    end)
end)

describe("a join that is cancelled", function()
  it("cancels its operands from left to right, and waits [O4] [C3]",
    function()
      test(function(ev)
        local log, note = recorder()
        local function operand(name, seconds)
          return aw.Wire(function()
            local _ <close> = closer(function()
              note(name .. " is cut")
              aw.shield(function()
                aw.sleep(seconds)
              end)
              note(name .. " is clean")
            end)
            aw.sleep(100)
          end)
        end
        local t = ev:start(operand("a", 2) & operand("b", 1)
          & operand("c", 3))
        aw.sleep(1)
        t:cancel_wait()
        note(t.status)
        assert.are.same({
          "a is cut", "b is cut", "c is cut",
          "b is clean", "a is clean", "c is clean", "cancelled",
        }, log)
        assert.are.equal(4, ev:now())
      end)
    end)

  it("is cancelled, though an operand ended well meanwhile [O4] [C5]",
    function()
      test(function(ev)
        local log, note = recorder()
        local t = ev:start(takes(1, note, "a") & takes(9, note, "b"))
        aw.sleep(2)
        t:cancel_wait()
        assert.are.same({ "a" }, log)
        assert.are.equal("cancelled", t.status)
        assert.are.equal(2, ev:now())
      end)
    end)
end)

describe("All{...}", function()
  it("is `&` of what it lists [O6]", function()
    test(function(ev)
      local log, note = recorder()
      local got = results(aw.All {
        takes(3, note, "a"), takes(1, note, "b"), takes(2, note, "c"),
      })
      assert.are.same({ n = 3, "a", "b", "c" }, got)
      assert.are.same({ "b", "c", "a" }, log)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("keeps nil in the list of its results [O6]", function()
    test(function()
      assert.are.same({ n = 3, nil, "b", nil },
        results(aw.All { aw.Sleep(1), aw.Value "b", aw.Value() }))
    end)
  end)

  it("of one wire has its first result [O6]", function()
    test(function()
      assert.are.same({ n = 1, "a" },
        results(aw.All { aw.Value("a", "b") }))
    end)
  end)

  it("of nothing is done at once [O6]", function()
    test(function(ev)
      assert.are.equal(0, results(aw.All {}).n)
      assert.are.equal(0, ev:now())
    end)
  end)

  it("gives one table if it has string keys [O6]", function()
    test(function(ev)
      local got = results(aw.All {
        user = gives(2, "ada", "lost"), mail = gives(1, 7),
        nothing = aw.Sleep(1),
      })
      assert.are.equal(1, got.n)
      assert.are.same({ user = "ada", mail = 7 }, got[1])
      assert.are.equal(2, ev:now())
    end)
  end)

  it("has the listed ones in that table by their numbers [O6]", function()
    test(function()
      local got = results(aw.All {
        gives(2, "one"), gives(1, "two"), x = aw.Value "x",
      })
      assert.are.equal(1, got.n)
      assert.are.same({ "one", "two", x = "x" }, got[1])
    end)
  end)

  it("gives a table of its own to each run [V1]", function()
    test(function()
      local w = aw.All { x = aw.Value(1) }
      local a, b = aw.await(w), aw.await(w)
      assert.are.same(a, b)
      assert.is_false(rawequal(a, b))
    end)
  end)

  it("starts the list first, then string keys in byte order [O6]",
    function()
      test(function()
        for _ = 1, 5 do
          local log, note = recorder()
          local function n(what)
            return aw.Call(note, what)
          end
          aw.await(aw.All {
            b = n "b", a = n "a", B = n "B", ["10"] = n "10", ["9"] = n "9",
            [""] = n "", aa = n "aa", ["\xC3\xA4"] = n "umlaut",
            n(1), n(2), n(3),
          })
          assert.are.same({
            1, 2, 3, "", "10", "9", "B", "a", "aa", "b", "umlaut",
          }, log)
        end
      end)
    end)

  it("is not changed by a later change of the table [V1]", function()
    test(function()
      local list = { aw.Value "a", aw.Value "b" }
      local w = aw.All(list)
      list[1], list[3] = aw.Value "x", aw.Value "y"
      assert.are.same({ n = 2, "a", "b" }, results(w))
    end)
  end)

  it("raises the first failure, with keys too [O6]", function()
    test(function(ev)
      local log, note = recorder()
      local problem = {}
      local ok, err = outcome(aw.All {
        a = cleaning(1, note, "a cleaned"), b = fails(1, problem),
      })
      assert.is_false(ok)
      assert.are.equal(problem, err)
      assert.are.same({ "a cleaned" }, log)
      assert.are.equal(2, ev:now())
    end)
  end)

  it("may be the operand of an operator [O4]", function()
    test(function(ev)
      local w = aw.All { x = gives(2, 1), y = gives(1, 2) } & gives(3, "b")
      local a, b = aw.await(w)
      assert.are.same({ x = 1, y = 2 }, a)
      assert.are.equal("b", b)
      assert.are.equal(3, ev:now())
    end)
  end)
end)

describe("All{..., limit=n}", function()
  --- Returns `count` wires that note when they begin and end, and a function
  --- that returns how many ran at the same time at most.
  local function crowd(count, note)
    local list, running, most = {}, 0, 0
    for i = 1, count do
      list[i] = aw.Call(function()
        note("begin " .. i)
        running = running + 1
        most = math.max(most, running)
        aw.sleep(i)
        running = running - 1
        note("end " .. i)
        return i
      end)
    end
    return list, function()
      return most
    end
  end

  it("runs no more than n at once, in order [O6]", function()
    test(function(ev)
      local log, note = recorder()
      local list, most = crowd(4, note)
      list.limit = 2
      assert.are.same({ n = 4, 1, 2, 3, 4 }, results(aw.All(list)))
      assert.are.equal(2, most())
      assert.are.same({
        "begin 1", "begin 2", "end 1", "begin 3", "end 2", "begin 4",
        "end 3", "end 4",
      }, log)
      assert.are.equal(6, ev:now())
    end)
  end)

  it("runs one after another with a limit of one [O6]", function()
    test(function(ev)
      local log, note = recorder()
      local list = crowd(3, note)
      list.limit = 1
      aw.await(aw.All(list))
      assert.are.same({
        "begin 1", "end 1", "begin 2", "end 2", "begin 3", "end 3",
      }, log)
      assert.are.equal(6, ev:now())
    end)
  end)

  it("runs all at once where the limit is no less than they are [O6]",
    function()
      test(function(ev)
        for _, limit in ipairs { 3, 4, 1000000, 3.0 } do
          local _, note = recorder()
          local list, most = crowd(3, note)
          list.limit = limit
          local before = ev:now()
          aw.await(aw.All(list))
          assert.are.equal(3, most())
          assert.are.equal(3, ev:now() - before)
        end
      end)
    end)

  it("runs all at once without it [O6]", function()
    test(function()
      local _, note = recorder()
      local list, most = crowd(5, note)
      aw.await(aw.All(list))
      assert.are.equal(5, most())
    end)
  end)

  it("does not take `limit` as an operand or a key [O6]", function()
    test(function()
      assert.are.same({ n = 2, "a", "b" },
        results(aw.All { aw.Value "a", aw.Value "b", limit = 1 }))
    end)
  end)

  it("runs no more at once with keys either [O6]", function()
    test(function(ev)
      local log, note = recorder()
      local got = aw.await(aw.All {
        b = takes(1, note, "b"), a = takes(1, note, "a"),
        c = takes(1, note, "c"), limit = 1,
      })
      assert.are.same({ a = "a", b = "b", c = "c" }, got)
      assert.are.same({ "a", "b", "c" }, log)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("counts the whole of an operand, spin-offs too [O6] [T1]", function()
    test(function(ev)
      local log, note = recorder()
      local a = giving(takes(3, note, "child")) >> takes(1, note, "a")
      aw.await(aw.All { a, takes(1, note, "b"), limit = 1 })
      assert.are.same({ "a", "child", "b" }, log)
      assert.are.equal(4, ev:now())
    end)
  end)

  it("starts no further one after a failure [O6]", function()
    test(function(ev)
      local log, note = recorder()
      local ok, err = outcome(aw.All {
        cleaning(2, note, "a cleaned"), fails(1, "boom"),
        aw.Call(note, "never"), aw.Call(note, "never"), limit = 2,
      })
      assert.is_false(ok)
      assert.are.equal("boom", err)
      assert.are.same({ "a cleaned" }, log)
      assert.are.equal(3, ev:now())
    end)
  end)

  it("starts no further one after a cancel [O6]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(aw.All {
        cleaning(2, note, "a cleaned"), aw.Call(note, "never"), limit = 1,
      })
      aw.sleep(1)
      t:cancel_wait()
      assert.are.same({ "a cleaned" }, log)
      assert.are.equal("cancelled", t.status)
      assert.are.equal(3, ev:now())
    end)
  end)
end)
