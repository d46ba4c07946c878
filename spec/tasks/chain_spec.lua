-- Bodies, the wires that they return, and boundaries [N1-N4, N6].
-- spin_off_spec.lua has spin-offs [N5].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local places = require "spec.support.places"
local texts = require "spec.support.texts"

local test, recorder = helper.test, helper.recorder
local nop = helper.nop
local place = places.place
local contains = texts.contains

describe("a body", function()
  it("ends the chain without results by returning nothing [N1, P1]", function()
    test(function()
      assert.are.equal(0, select("#", aw.await(nop)))
    end)
  end)

  it("ends the chain without results by returning nil [N1]", function()
    test(function()
      assert.are.equal(0, select("#", aw.await(function()
        return nil
      end)))
    end)
  end)

  it("runs the function that it returns [N1, P1]", function()
    test(function(ev)
      local log, note = recorder()
      local function third(loop)
        assert.is_true(loop == ev)
        note "third"
      end
      local function second(loop)
        assert.is_true(loop == ev)
        note "second"
        return third
      end
      ev:start(function()
        note "first"
        return second
      end):wait()
      assert.are.same({ "first", "second", "third" }, log)
    end)
  end)

  it("runs any kind of wire that it returns [N1]", function()
    test(function()
      local log, note = recorder()
      local object = setmetatable({}, {
        __call = function()
          note "ran"
        end,
      })
      local nexts = {
        object,
        aw.Wire(note, "ran"),
        aw.Call(note, "ran"),
        aw.Sleep(1) >> aw.Call(note, "ran"),
        aw.Call(note, "ran") * 1,
        aw.Call(note, "ran"):whole(),
        aw.Call(note, "ran"):named("x"),
        aw.Call(note, "ran"):shielded(1),
      }
      for i, following in ipairs(nexts) do
        aw.await(function()
          return following
        end)
        assert.are.equal(i, #log)
      end
    end)
  end)

  it("ends with results by returning a Value [N1]", function()
    test(function(ev)
      local t = ev:start(function()
        return function()
          return aw.Value(1, nil, "x", nil)
        end
      end)
      assert.are.same({ n = 4, 1, nil, "x", nil }, table.pack(t:wait()))
    end)
  end)

  it("fails if it returns anything else [N1, P1]", function()
    test(function()
      local plain = setmetatable({}, { __index = nop })
      for _, bad in ipairs { true, false, 42, "word", plain } do
        local function body()
          return bad
        end
        local err = helper.raises("a body must return nothing or the next wire,"
          .. " got " .. type(bad), function()
            aw.await(body)
          end)
        contains(err, place(body))
        contains(err, "aw.Value")
      end
      helper.raises("a body must return", function()
        aw.await(function()
          return io.stdout
        end)
      end)
      helper.raises("true", function()
        aw.await(function()
          return true
        end)
      end)
      helper.raises("42", function()
        aw.await(function()
          return 42
        end)
      end)
      helper.raises("word", function()
        aw.await(function()
          return "word"
        end)
      end)
    end)
  end)

  it("fails with the message of a `nil, message` [N1]", function()
    test(function()
      local function body()
        return nil, "no such file"
      end
      local err = helper.raises("no such file", function()
        aw.await(body)
      end)
      contains(err, place(body))
    end)
  end)

  it("fails if a wire is not all that it returns [N1]", function()
    test(function(ev)
      local log, note = recorder()
      local tasks = #ev:tasks()
      helper.raises("and more", function()
        aw.await(function()
          return aw.Call(note, "ran"), "and more"
        end)
      end)
      aw.sleep(1)
      assert.are.same({}, log)
      assert.are.equal(tasks, #ev:tasks())
    end)
  end)

  it("is named with its location if arguments are bound [N1]", function()
    test(function()
      local function body(_, x)
        return x
      end
      helper.raises(place(body), function()
        aw.await(aw.Wire(body, 42))
      end)
    end)
  end)

  it("fails in the middle of a sequence, which ends there [N1]", function()
    test(function()
      local log, note = recorder()
      helper.raises("42", function()
        aw.await(aw.Call(note, "a") >> function()
          return 42
        end >> aw.Call(note, "b"))
      end)
      assert.are.same({ "a" }, log)
    end)
  end)

  it("fails after an await as well [N1]", function()
    test(function()
      helper.raises("a body must return nothing or the next wire, got boolean "
        .. "(true)", function()
          aw.await(function()
            aw.sleep(1)
            return true
          end)
        end)
    end)
  end)

  it("fails as the second state of a chain as well [N1]", function()
    test(function()
      helper.raises("42", function()
        aw.await(function()
          return function()
            return 42
          end
        end)
      end)
    end)
  end)
end)

describe("a chain", function()
  it("runs in one task [N2]", function()
    test(function(ev)
      local ids, count = {}, 0
      local function state()
        count = count + 1
        ids[aw.current().id] = true
        if count < 100 then
          return state
        end
      end
      local t = ev:start(state)
      t:wait()
      assert.are.equal(100, count)
      assert.are.same({ [t.id] = true }, ids)
    end)
  end)

  it("does not go deeper with its length [N2]", function()
    test(function()
      local depths = {}
      local function depth()
        local n = 0
        while debug.getinfo(n + 1, "l") do
          n = n + 1
        end
        return n
      end
      local count = 0
      local function state()
        count = count + 1
        if count == 10 or count == 5000 then
          depths[#depths + 1] = depth()
        end
        if count < 5000 then
          return state
        end
      end
      aw.await(state)
      assert.are.equal(2, #depths)
      assert.are.equal(depths[1], depths[2])
    end)
  end)

  it("holds no memory after 100,000 transitions [N2]", function()
    local most <const> = helper.scale(100000)
    test(function(ev)
      local marks = {}
      local function mark()
        collectgarbage()
        collectgarbage()
        local stats = aw.stats()
        marks[#marks + 1] = {
          kbytes = collectgarbage("count"),
          wires = stats.wires,
          refs = stats.refs,
          tasks = stats.tasks,
          scopes = stats.scopes,
        }
      end
      local function state(n)
        return function()
          if n == 1000 or n == most then
            mark()
          end
          if n < most then
            return state(n + 1)
          end
        end
      end
      ev:start(state(1)):wait()
      local first, last = marks[1], marks[2]
      assert.is_true(last.kbytes < first.kbytes + 64)
      assert.is_true(last.wires <= first.wires + 8)
      assert.is_true(last.refs <= first.refs + 8)
      assert.are.equal(first.tasks, last.tasks)
      assert.are.equal(first.scopes, last.scopes)
    end)
  end)

  it("holds none inside aw.await and :whole() either [N2]", function()
    local most <const> = helper.scale(20000)
    test(function(ev)
      local count, kbytes = 0, {}
      local function state(n)
        return aw.Wire(function()
          count = count + 1
          if n == most // 10 or n == most then
            collectgarbage()
            collectgarbage()
            kbytes[#kbytes + 1] = collectgarbage("count")
          end
          if n < most then
            return state(n + 1)
          end
        end)
      end
      aw.await(state(1))
      assert.is_true(kbytes[2] < kbytes[1] + 64)
      kbytes = {}
      ev:start(state(1):whole() >> nop):wait()
      assert.is_true(kbytes[2] < kbytes[1] + 64)
      assert.are.equal(2 * most, count)
    end)
  end)

  it("is freed even if it is one wire that returns itself [N2]", function()
    test(function(ev)
      local count, w = 0, nil
      w = aw.Wire(function()
        count = count + 1
        if count % 100 ~= 0 then
          return w
        end
      end)
      ev:start(w):wait()
      ev:start(w >> w):wait()
      assert.is_true(count >= 200)
    end)
  end)

  it("goes on after what a composite ends with [N2]", function()
    test(function()
      local log, note = recorder()
      local function last()
        note "last"
        return aw.Value("result")
      end
      local function middle()
        note "middle"
        return aw.Call(note, "pair") >> function()
          return last
        end
      end
      local r = aw.await(aw.Call(note, "first") >> middle)
      assert.are.same({ "first", "middle", "pair", "last" }, log)
      assert.are.equal("result", r)
    end)
  end)

  it("is stopped by an error, which is raised raw [N2]", function()
    test(function()
      local problem = {}
      local ok, err = pcall(aw.await, function()
        return function()
          error(problem)
        end
      end)
      assert.is_false(ok)
      assert.is_true(rawequal(problem, err))
    end)
  end)
end)

describe("going on to a returned wire", function()
  it("lets other ready tasks run in between [N3]", function()
    test(function(ev)
      local log, note = recorder()
      local function state(name, n)
        return function()
          note(name .. n)
          if n < 3 then
            return state(name, n + 1)
          end
        end
      end
      local a = ev:start(state("a", 1))
      local b = ev:start(state("b", 1))
      a:wait()
      b:wait()
      assert.are.same({ "a1", "b1", "a2", "b2", "a3", "b3" }, log)
    end)
  end)

  it("starts the next body of a cancelled task [N3]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(function()
        aw.current():cancel()
        return function()
          note "next"
        end
      end)
      t:wait()
      assert.are.same({ "next" }, log)
      assert.are.equal("done", t.status)
    end)
  end)

  it("hands a bound argument to the next body in any case [N3]", function()
    test(function(ev)
      local released = 0
      local function owner(_, resource)
        local _ <close> = resource
        aw.sleep(1)
      end
      local t = ev:start(function()
        local resource = setmetatable({}, {
          __close = function()
            released = released + 1
          end,
        })
        aw.current():cancel()
        return aw.Wire(owner, resource)
      end)
      pcall(t.wait, t)
      assert.are.equal("cancelled", t.status)
      assert.are.equal(1, released)
    end)
  end)

  it("raises at the second transition without an await [N3]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(function()
        aw.current():cancel()
        return function()
          note "second"
          return function()
            note "third"
          end
        end
      end)
      local ok, err = pcall(t.wait, t)
      assert.is_false(ok)
      assert.is_true(aw.is_task_cancelled(err))
      assert.are.same({ "second" }, log)
      assert.are.equal("cancelled", t.status)
    end)
  end)

  it("ends a chain without any await once it is cancelled [N3]", function()
    test(function(ev)
      local count = 0
      local function spin()
        count = count + 1
        return spin
      end
      local t = ev:start(spin)
      for _ = 1, 5 do
        aw.yield()
      end
      assert.is_true(count > 0)
      t:cancel_wait()
      assert.are.equal("cancelled", t.status)
      local after = count
      aw.sleep(1)
      assert.are.equal(after, count)
    end)
  end)

  it("raises at the first await of the next body [N3]", function()
    test(function(ev)
      local log, note = recorder()
      local t = ev:start(function()
        aw.current():cancel()
        return function()
          note "began"
          local ok, err = pcall(aw.sleep, 1)
          note(not ok and aw.is_cancelled(err) and "cancelled")
          error(err, 0)
        end
      end)
      pcall(t.wait, t)
      assert.are.same({ "began", "cancelled" }, log)
      assert.are.equal("cancelled", t.status)
    end)
  end)
end)

describe("a boundary inside >>, * and Forever", function()
  it("lets other ready tasks run in between [N4]", function()
    test(function(ev)
      local log, note = recorder()
      local function three(name)
        return aw.Call(note, name .. 1)
          >> aw.Call(note, name .. 2)
          >> aw.Call(note, name .. 3)
      end
      local a = ev:start(three "a")
      local b = ev:start(three "b")
      a:wait()
      b:wait()
      assert.are.same({ "a1", "b1", "a2", "b2", "a3", "b3" }, log)
    end)
  end)

  it("lets other ready tasks run between iterations [N4]", function()
    test(function(ev)
      local log, note = recorder()
      local a = ev:start(aw.Call(note, "a") * 3)
      local b = ev:start(aw.Call(note, "b") * 3)
      a:wait()
      b:wait()
      assert.are.same({ "a", "b", "a", "b", "a", "b" }, log)
    end)
  end)

  it("is where a cancelled sequence ends [N4]", function()
    test(function(ev)
      local log, note = recorder()
      local function quit()
        note "quit"
        aw.current():cancel()
      end
      local t = ev:start(quit >> aw.Call(note, "never"))
      pcall(t.wait, t)
      assert.are.same({ "quit" }, log)
      assert.are.equal("cancelled", t.status)
    end)
  end)

  it("is where a cancelled repeat ends [N4]", function()
    test(function(ev)
      local count = 0
      local function quit()
        count = count + 1
        if count == 3 then
          aw.current():cancel()
        end
      end
      local t = ev:start(aw.Repeat(quit, 10))
      pcall(t.wait, t)
      assert.are.equal(3, count)
      assert.are.equal("cancelled", t.status)
      count = 0
      t = ev:start(aw.Forever(quit))
      pcall(t.wait, t)
      assert.are.equal(3, count)
      assert.are.equal("cancelled", t.status)
    end)
  end)

  it("does not stand after the last element [N4]", function()
    test(function(ev)
      local function quit()
        aw.current():cancel()
        return aw.Value("kept")
      end
      local t = ev:start(nop >> aw.Wire(quit))
      assert.are.equal("kept", t:wait())
      assert.are.equal("done", t.status)
    end)
  end)
end)

describe("aw.await(w)", function()
  it("runs the whole chain in the current task [N6]", function()
    test(function(ev)
      local ids = {}
      local me = aw.current().id
      aw.await(function()
        ids[#ids + 1] = aw.current().id
        return aw.Sleep(1) >> function()
          ids[#ids + 1] = aw.current().id
        end
      end)
      assert.are.same({ me, me }, ids)
      assert.are.equal(1, ev:now())
    end)
  end)

  it("gives the results, nil kept [N6]", function()
    test(function()
      assert.are.same(
        { n = 3, nil, "x", nil },
        table.pack(aw.await(function()
          return aw.Value(nil, "x", nil)
        end))
      )
      assert.are.equal(0, select("#", aw.await(nop)))
    end)
  end)

  it("raises errors as they are [N6]", function()
    test(function()
      for _, problem in ipairs { {}, false, 42, print } do
        local ok, err = pcall(aw.await, function()
          error(problem, 0)
        end)
        assert.is_false(ok)
        assert.is_true(rawequal(problem, err))
      end
      local ok, err = pcall(aw.await, function()
        error(nil)
      end)
      assert.is_false(ok)
      assert.are.equal("<nil error>", err)
    end)
  end)

  it("may be nested [N6]", function()
    test(function(ev)
      local function nest(n)
        return function()
          aw.sleep(0.125)
          if n == 0 then
            return aw.Value("deep")
          end
          return aw.Value(aw.await(nest(n - 1)))
        end
      end
      assert.are.equal("deep", aw.await(nest(50)))
      assert.are.equal(51 * 0.125, ev:now())
    end)
  end)

  it("can be tried again after an error [N6]", function()
    test(function()
      local tries = 0
      local function flaky()
        tries = tries + 1
        aw.sleep(0.1)
        if tries < 3 then
          error("not yet")
        end
        return aw.Value(tries)
      end
      local result
      repeat
        local ok, got = pcall(aw.await, flaky)
        result = ok and got
      until ok
      assert.are.equal(3, result)
    end)
  end)

  it("does not wait for a task that the wire started [N6]", function()
    test(function(ev)
      local t
      aw.await(function(loop)
        t = loop:start(aw.Sleep(3))
      end)
      assert.are.equal(0, ev:now())
      t:wait()
    end)
  end)
end)

describe("w(ev)", function()
  it("runs one step and gives the next wire, which has not run [N6]",
    function()
      test(function(ev)
        local log, note = recorder()
        local w = aw.Wire(function()
          note "first"
          aw.sleep(1)
          return aw.Call(note, "second")
        end)
        local following = w(ev)
        assert.are.equal(1, ev:now())
        aw.sleep(1)
        assert.are.same({ "first" }, log)
        aw.await(following)
        assert.are.same({ "first", "second" }, log)
      end)
    end)

  it("gives nil at the end of the chain [N6]", function()
    test(function(ev)
      assert.is_nil((aw.Wire(nop)(ev)))
      assert.is_nil((aw.Sleep(1)(ev)))
      assert.is_nil((aw.Wire(function()
        return nop
      end):whole()(ev)))
    end)
  end)

  it("runs a composite to its end and gives its next wire [N6]", function()
    test(function(ev)
      local log, note = recorder()
      local w = aw.Call(note, "a") >> aw.Sleep(1) >> aw.Wire(function()
        note "b"
        return aw.Call(note, "next")
      end)
      local following = w(ev)
      assert.are.same({ "a", "b" }, log)
      aw.await(following)
      assert.are.same({ "a", "b", "next" }, log)
    end)
  end)

  it("spins off what a composite returns before its end [N6]", function()
    test(function(ev)
      local log, note = recorder()
      local w = aw.Wire(function()
        return aw.Sleep(1) >> aw.Call(note, "child")
      end) * 2
      local following = w(ev)
      assert.are.same({}, log)
      aw.sleep(2)
      assert.are.same({ "child" }, log)
      aw.await(following)
      assert.are.same({ "child", "child" }, log)
    end)
  end)

  it("raises errors as they are [N6]", function()
    test(function(ev)
      local problem = {}
      local ok, err = pcall(aw.Wire(function()
        error(problem)
      end), ev)
      assert.is_false(ok)
      assert.is_true(rawequal(problem, err))
    end)
  end)
end)
