-- Text for people: the info of an error, names and labels of tasks, the dump of
-- a loop [E2, D1-D3].
--
-- place(LINE) is the expected text of a location; line() is the current line.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local places = require "spec.support.places"
local texts = require "spec.support.texts"

local test, closer = helper.test, helper.closer
local sealed, virtual = helper.sealed, helper.virtual
local line, place = places.line, places.place
local contains, lacks, in_order = texts.contains, texts.lacks, texts.in_order

--- Run `w` with a handler. Returns the info and error that the handler got, the
--- line of the start, and the task.
local function failure_of(w, opts)
  local ev = aw.EventLoop { clock = "virtual" }
  local err, info
  local function handler(_, e, i)
    err, info = e, i
  end
  local started = line() + 1
  local t = ev:start(w, handler, opts)
  assert.are.equal("done", ev:run())
  assert.is_truthy(info)
  return info, err, started, t
end

-- Texts of stacks are found by the addresses of their functions.
describe("the traceback of an error that was raised before", function()
  local function fails() error "boom" end
  local by = { one = fails, two = fails }
  local name

  -- It calls the same function by two names, in the same line.
  local function body()
    local _ = name == "one" and by.one() or by.two()
  end

  it("has the name by which its function is called now [E2]", function()
    for i = 1, 20 do
      name = i % 3 == 0 and "one" or "two"
      local traceback = failure_of(body).traceback
      contains(traceback, ("in field '%s'"):format(name))
      lacks(traceback, name == "one" and "'two'" or "'one'")
    end
  end)

  it("has the line in which it was raised now [E2]", function()
    local function either()
      if name == "one" then
        error "boom"
      end
      error "boom"
    end
    local defined = debug.getinfo(either, "S").linedefined
    for i = 1, 20 do
      name = i % 3 == 0 and "one" or "two"
      contains(failure_of(either).traceback,
        place(defined + (name == "one" and 2 or 4)))
    end
  end)

  it("is that of its function, whose address another had before", function()
    for i = 1, 1000 do
      do -- the chunk is garbage after this block
        local chunk = load("error 'boom'", "=chunk" .. i)
        local frame = "\n\tchunk" .. i .. ":1: in"
        for _ = 1, 2 do
          local traceback = failure_of(chunk).traceback
          assert(traceback:find(frame, 1, true), traceback)
        end
      end
      if i % 10 == 0 then
        collectgarbage()
      end
    end
  end)
end)

-- Errors from the same stack share what their infos say.
describe("the infos of errors from one place", function()
  local function fails() error "boom" end

  --- Return the infos of failures of `fails` in tasks that take turns: started
  --- at two lines, as a wire with a name, with a name of the task, and after
  --- another state. Return the line of the first start, too.
  local function infos_of_turns()
    local got = {}
    local function note(_, _, info)
      got[#got + 1] = info
    end
    local ev = aw.EventLoop { clock = "virtual" }
    local first = line() + 2
    for _ = 1, 3 do
      ev:start(fails, note)
      ev:start(fails, note)
      ev:start(aw.Wire(fails):named "wire", note)
      ev:start(fails, note, { name = "task" })
      ev:start(function() return fails end, note)
      assert.are.equal("done", ev:run())
    end
    return got, first
  end

  it("say where each task was started, and its states [E2]", function()
    local infos, first = infos_of_turns()
    local named = { [3] = "wire", [4] = "task" }
    local raised = debug.getinfo(fails, "S").linedefined
    assert.are.equal(15, #infos)
    for i, info in ipairs(infos) do
      local turn = (i - 1) % 5 + 1
      contains(info.started_at, place(first + turn - 1))
      assert.are.equal(turn == 5 and 2 or 1, #info.chain)
      contains(info.name, named[turn] or "function@")
      contains(info.traceback, place(raised))
    end
  end)

  it("have their own tasks, and fields that are set [E2]", function()
    local infos, tasks = infos_of_turns(), {}
    for i, info in ipairs(infos) do
      assert.is_nil(info.note)
      info.note, info.traceback, info.chain = i, "mine", { "mine" }
      tasks[info.task] = true
    end
    for i, info in ipairs(infos) do
      assert.are.same({ i, "mine", "mine" },
        { info.note, info.traceback, info.chain[1] })
      tasks[info.task] = nil
    end
    assert.is_nil(next(tasks))
    lacks(infos_of_turns()[1].traceback, "mine")
  end)

  it("outlive later errors from many other places [E2]", function()
    local kept = infos_of_turns()
    local text, chain = kept[1].traceback, kept[1].chain[1]
    kept = infos_of_turns()
    for i = 1, 200 do
      failure_of(load("error 'other'", "=other" .. i))
    end
    collectgarbage()
    collectgarbage()
    assert.are.equal(text, kept[1].traceback)
    assert.are.equal(chain, kept[1].chain[1])
  end)
end)

describe("the traceback of an error", function()
  it("shows the line where it was raised [E2]", function()
    helper.leak_checked(function()
      local raised
      local info = failure_of(function()
        raised = line() + 1
        error "boom"
      end)
      contains(info.traceback, place(raised))
    end)
  end)

  it("shows the line of a raise after an await [E2]", function()
    helper.leak_checked(function()
      local raised
      local info = failure_of(function()
        aw.sleep(1)
        raised = line() + 1
        error "boom"
      end)
      contains(info.traceback, place(raised))
    end)
  end)

  it("shows the callers, the newest first [E2]", function()
    helper.leak_checked(function()
      local first, second
      local function inner()
        first = line() + 1
        error "boom"
      end
      local info = failure_of(function()
        second = line() + 1
        inner()
        aw.sleep(1)
      end)
      in_order(info.traceback, place(first), place(second))
    end)
  end)

  it("shows the raise itself for errors that Lua raises [E2]", function()
    helper.leak_checked(function()
      local raised
      local info = failure_of(function()
        local nothing = nil
        raised = line() + 1
        return nothing.field
      end)
      contains(info.traceback, place(raised))
    end)
  end)

  it("is there for values that are no strings [E2]", function()
    helper.leak_checked(function()
      for _, value in ipairs { {}, 42, true } do
        local raised
        local info = failure_of(function()
          raised = line() + 1
          error(value)
        end)
        contains(info.traceback, place(raised))
      end
    end)
  end)

  it("is of the raise, not of the awaits it passes [E2]", function()
    helper.leak_checked(function()
      local raised
      local info = failure_of(function()
        aw.await(function()
          aw.sleep(1)
          raised = line() + 1
          error "boom"
        end)
      end)
      contains(info.traceback, place(raised))
    end)
  end)

  it("is of the raise in a child of a scope, too [E2]", function()
    helper.leak_checked(function()
      local raised
      local info = failure_of(function()
        aw.scope(function(s)
          s:start(function()
            aw.sleep(1)
            raised = line() + 1
            error "boom"
          end)
        end)
      end)
      contains(info.traceback, place(raised))
    end)
  end)

  it("has 22 levels at most [E2]", function()
    helper.leak_checked(function()
      local function deep(n)
        if n == 0 then
          error "boom"
        end
        deep(n - 1)
        return n
      end
      local info = failure_of(function()
        deep(60)
      end)
      local count = 0
      for entry in info.traceback:gmatch "[^\n]+" do
        if entry:find("^%s+%S+:%d+:") then
          count = count + 1
        end
      end
      assert.is_true(count > 5 and count <= 22, info.traceback)
    end)
  end)

  it("says where the task was started if it has no line [E2]", function()
    helper.leak_checked(function()
      local info, _, started = failure_of(aw.Call(error, "boom"))
      contains(info.traceback, "stack traceback:\n\t[C]: in function 'error'\n"
        .. "\tstarted at ")
      contains(info.traceback, place(started))
      info, _, started = failure_of(aw.Readable(987654))
      contains(info.traceback, "stack traceback:\n\tstarted at ")
      contains(info.traceback, place(started))
    end)
  end)
end)

describe("the info of an error", function()
  it("knows the task [E2]", function()
    helper.leak_checked(function()
      local info, _, _, t = failure_of(function()
        error "boom"
      end, { name = "client" })
      assert.are.equal(t.id, info.task.id)
      assert.are.equal("client", info.task.name)
    end)
  end)

  it("knows where the task was started [E2, U12]", function()
    helper.leak_checked(function()
      local info, _, started = failure_of(function()
        aw.sleep(1)
        error "boom"
      end)
      contains(info.started_at, place(started))
    end)
  end)

  it("knows the error itself [E2]", function()
    helper.leak_checked(function()
      local boom = {}
      local info = failure_of(function()
        error(boom)
      end)
      assert.are.equal(boom, info.err)
    end)
  end)

  --- Returns a chain of `count` bodies, named "<state 1>", "<state 2>" and so
  --- on. Each returns the next one; the last one fails.
  local function machine(count)
    local next_state
    for i = count, 1, -1 do
      local following = next_state
      next_state = aw.Wire(function()
        if not following then
          error "boom"
        end
        return following
      end):named(("<state %d>"):format(i))
    end
    return next_state
  end

  it("has the chain of states, the newest first [E2]", function()
    helper.leak_checked(function()
      local info = failure_of(machine(3))
      assert.is_true(#info.chain >= 3, table.concat(info.chain, "\n"))
      for i = 1, 3 do
        contains(info.chain[i], ("<state %d>"):format(4 - i))
      end
    end)
  end)

  it("has the last 8 of a long chain [E2]", function()
    helper.leak_checked(function()
      local info = failure_of(machine(30))
      assert.are.equal(8, #info.chain)
      contains(info.chain[1], "<state 30>")
      contains(info.chain[8], "<state 23>")
    end)
  end)

  it("has the places of states without a name [E2]", function()
    helper.leak_checked(function()
      local defined
      local function second()
        error "boom"
      end
      defined = line() + 1
      local function first()
        return second
      end
      local info = failure_of(first)
      local chain = table.concat(info.chain, "\n")
      in_order(chain, place(defined - 4), place(defined))
    end)
  end)

  it("has the later errors, each with its own info [E2, E3]", function()
    helper.leak_checked(function()
      local first, second = {}, {}
      local info, err = failure_of(function()
        aw.scope(function(s)
          s:start(function()
            local _ <close> = closer(function()
              error(second)
            end)
            aw.sleep(100)
          end)
          aw.sleep(1)
          error(first)
        end)
      end)
      assert.are.equal(first, err)
      local found
      for _, entry in ipairs(info.suppressed) do
        if entry.err == second then
          found = entry
        end
      end
      assert.is_truthy(found)
      assert.is_truthy(found.info)
      assert.are.equal(1, #info.suppressed)
    end)
  end)

  it("reads well [E2]", function()
    helper.leak_checked(function()
      local raised
      local info, _, started, t = failure_of(aw.Wire(function()
        raised = line() + 1
        error "boom"
      end):named("working"), { name = "client" })
      local text = tostring(info)
      in_order(text,
        place(raised) .. ": boom",
        "stack traceback:", place(raised),
        "wire trace (newest first):", "working",
        "started at", place(started))
      contains(text, ("task %d 'client'"):format(t.id))
    end)
  end)

  it("reads well for errors that have no text [E2]", function()
    helper.leak_checked(function()
      local bad = setmetatable({}, {
        __tostring = function()
          error "no text for you"
        end,
      })
      for _, value in ipairs { {}, bad, false, print } do
        local info = failure_of(function()
          error(value)
        end)
        contains(tostring(info), "started at")
      end
    end)
  end)

  it("is kept by the loop that the error ended [E2]", function()
    helper.leak_checked(function()
      local ev = aw.EventLoop { clock = "virtual" }
      local raised
      ev:start(function()
        raised = line() + 1
        error "boom"
      end)
      local ok, err = pcall(ev.run, ev)
      assert.is_false(ok)
      contains(err.info.traceback, place(raised))
      contains(ev.failure.traceback, place(raised))
    end)
  end)

  it("is no part of the error value [E2]", function()
    helper.leak_checked(function()
      local boom = {}
      failure_of(function()
        error(boom)
      end)
      assert.is_nil(next(boom))
      assert.is_nil(getmetatable(boom))
    end)
  end)
end)

describe("a task", function()
  it("has the expression as a name if it has no other [D1, T6]",
    function()
      test(function(ev)
        local w = aw.Sleep(1) >> aw.Value("x")
        assert.are.equal(tostring(w), ev:start(w).name)
      end)
    end)

  it("has a name of bounded length [D1, T6]", function()
    test(function(ev)
      local w = aw.Sleep(1)
      for _ = 1, 100 do
        w = w >> aw.Value("a rather long one")
      end
      assert.is_true(#ev:start(w).name <= 63)
    end)
  end)

  it("has function and place as a name where it is a function [D1]",
    function()
      test(function(ev)
        local here = line() + 1
        local t = ev:start(function() end)
        contains(t.name, "function@")
        contains(t.name, place(here))
      end)
    end)

  it("has the place of its start as a name once it has ended [D1]", function()
    test(function(ev)
      local task = ev:start(aw.Sleep(0.1) >> aw.Sleep(0.1))
      assert.are.equal("Sleep(0.1) >> Sleep(0.1)", task.name)
      task:wait()
      assert.is_truthy(task.name:find "^wire@.*info_spec%.lua:%d+$")
    end)
  end)

  it("keeps the name of its function when it has ended [D1]", sealed(function()
    local ev = virtual()
    local task = ev:start(function() end)
    local name = task.name
    ev:run()
    assert.is_truthy(name:find "^function@")
    assert.are.equal(name, task.name)
  end))

  it("knows where it was started as an operand that has ended [T6]",
    sealed(function()
      local ev = virtual()
      local operand, before
      ev:start(aw.Sleep(1) & function()
        operand = aw.current()
        before = operand.started_at
      end)
      ev:run()
      assert.is_truthy(before:find("info_spec.lua:%d+"), before)
      assert.are.equal(before, operand.started_at)
    end))

  it("has an id of its own [D1, T6]", function()
    test(function(ev)
      local seen = {}
      for _ = 1, 10 do
        local id = ev:start(aw.Sleep(1)).id
        assert.are.equal("integer", math.type(id))
        assert.is_nil(seen[id])
        seen[id] = true
      end
    end)
  end)

  it("knows where it was started [D1, T6]", function()
    test(function(ev)
      local here = line() + 1
      local t = ev:start(aw.Sleep(1))
      contains(t.started_at, place(here))
      aw.scope(function(s)
        here = line() + 1
        t = s:start(aw.Sleep(1))
        contains(t.started_at, place(here))
      end)
      here = line() + 1
      t = aw.start(aw.Sleep(1))
      contains(t.started_at, place(here))
    end)
  end)

  it("has a label for what it waits for [D1]", function()
    test(function(ev)
      local t = ev:start(aw.Sleep(2))
      aw.sleep(0.5)
      in_order(t.waiting, "sleep 2.0", "1.5 left")
      aw.sleep(1)
      in_order(t.waiting, "sleep 2.0", "0.5 left")
    end)
  end)

  it("has the label for a sleep of a body, too [D1]", function()
    test(function(ev)
      local t = ev:start(function()
        aw.sleep(2)
      end)
      aw.sleep(0.5)
      in_order(t.waiting, "sleep 2.0", "1.5 left")
    end)
  end)

  it("has a label for its children [D1]", function()
    test(function(ev)
      local t = ev:start(function()
        aw.scope(function(s)
          s:start(aw.Sleep(2))
          s:start(aw.Sleep(3))
        end)
      end)
      aw.sleep(1)
      contains(t.waiting, "join 2 children")
    end)
  end)

  it("has no label when it does not wait [D1]", function()
    test(function(ev)
      local t = ev:start(aw.Sleep(1))
      assert.is_nil(t.waiting)
      assert.is_nil(aw.current().waiting)
      t:wait()
      assert.is_nil(t.waiting)
    end)
  end)

  it("shows all that as a text [D1, T6]", function()
    test(function(ev)
      local t = ev:start(aw.Sleep(2), nil, { name = "sleeper" })
      aw.sleep(0.5)
      in_order(tostring(t), "task " .. t.id, "'sleeper'", "waiting",
        "sleep 2.0", "1.5 left")
      t:wait()
      in_order(tostring(t), "task " .. t.id, "'sleeper'", "done")
    end)
  end)
end)

describe("the dump of a loop", function()
  it("has every task, what it waits for and where [D2]", function()
    test(function(ev)
      local awaits
      ev:start(aw.Sleep(2), nil, { name = "plain sleeper" })
      ev:start(function()
        awaits = line() + 1
        aw.sleep(3)
      end, nil, { name = "body sleeper" })
      aw.sleep(0.5)
      local dump = ev:dump()
      assert.are.equal("string", type(dump))
      in_order(dump, "plain sleeper", "waiting", "sleep 2.0")
      in_order(dump, "body sleeper", "waiting", "sleep 3.0")
      contains(dump, place(awaits))
      contains(dump, "age")
    end)
  end)

  it("has children below their parents [D2]", function()
    test(function(ev)
      ev:start(function()
        aw.scope(function(s)
          s:start(aw.Sleep(2), nil, { name = "elder child" })
          s:start(aw.Sleep(2), nil, { name = "younger child" })
        end)
      end, nil, { name = "the parent" })
      ev:start(aw.Sleep(2), nil, { name = "the stranger" })
      aw.sleep(1)
      in_order(ev:dump(), "the parent", "join 2 children",
        "elder child", "younger child", "the stranger")
    end)
  end)

  it("has no task that has ended [D2]", function()
    test(function(ev)
      ev:start(aw.Sleep(1), nil, { name = "short-lived" }):wait()
      lacks(ev:dump(), "short-lived")
    end)
  end)

  it("may be taken of a loop that was not run [D2]", function()
    helper.leak_checked(function()
      local ev = aw.EventLoop { clock = "virtual" }
      ev:start(aw.Sleep(1), nil, { name = "not yet" })
      in_order(ev:dump(), "not yet", "ready")
      ev:run()
      lacks(ev:dump(), "not yet")
    end)
  end)

  it("changes nothing [D2]", function()
    test(function(ev)
      local t = ev:start(aw.Sleep(2) >> aw.Value("result"))
      for _ = 1, 3 do
        aw.sleep(0.5)
        ev:dump()
      end
      assert.are.equal("result", t:wait())
      assert.are.equal(2, ev:now())
    end)
  end)
end)

describe("the traceback of a task", function()
  it("shows where it awaits, and where it was started [D3, T6]", function()
    test(function(ev)
      local awaits
      local started = line() + 1
      local t = ev:start(function()
        awaits = line() + 1
        aw.sleep(2)
      end)
      aw.sleep(1)
      in_order(t:traceback(), place(awaits), "started at",
        place(started))
    end)
  end)

  it("joins the stacks of nested awaits, the newest first [D3]", function()
    test(function(ev)
      local inner, outer
      local t = ev:start(function()
        outer = line() + 1
        aw.await(function()
          inner = line() + 1
          aw.sleep(2)
        end)
      end)
      aw.sleep(1)
      local trace = t:traceback()
      contains(trace, place(inner))
      contains(trace, place(outer))
      in_order(trace, place(inner), place(outer))
    end)
  end)

  it("shows the chain of its states [D3]", function()
    test(function(ev)
      local second = aw.Wire(function()
        aw.sleep(2)
      end):named("<second>")
      local t = ev:start(aw.Wire(function()
        return second
      end):named("<first>"))
      aw.sleep(1)
      in_order(t:traceback(), "<second>", "<first>")
    end)
  end)

  it("exists for a task without a coroutine [D3]", function()
    test(function(ev)
      local started = line() + 1
      local t = ev:start(aw.Sleep(2))
      aw.sleep(1)
      in_order(t:traceback(), "started at", place(started))
    end)
  end)

  it("hides the frames of the library [D3]", function()
    helper.leak_checked(function()
      local info = failure_of(function()
        aw.scope(function()
          aw.shield(function()
            aw.await(function()
              aw.sleep(1)
              error "boom"
            end)
          end)
        end)
      end)
      local text = tostring(info)
      for _, part in ipairs {
        "aiowire.so", "lua/aiowire/", "[string \"aiowire",
      } do
        lacks(text, part)
      end
    end)
  end)

  it("is shown by the info of a failure, with the chain [D3]", function()
    helper.leak_checked(function()
      local raised
      local working = aw.Wire(function()
        aw.sleep(1)
        raised = line() + 1
        error "boom"
      end):named("<working>")
      local info, _, started = failure_of(aw.Wire(function()
        return working
      end):named("<ready>"))
      in_order(tostring(info), "stack traceback:", place(raised),
        "<working>", "<ready>", "started at", place(started))
    end)
  end)
end)
