-- Texts for people have a bounded length and are cheap to make, whatever users
-- pass [V8, D1, D2]: many parts, long strings, deep nesting, names of a
-- megabyte. If the time grew as the product of all parts, a test would not end.

local aw = require "aiowire"
local helper = require "spec.support.helper"

local in_task, sealed = helper.in_task, helper.sealed
local nop = helper.nop

local LONGEST <const> = 4000 -- bytes of the text of a wire
local LONGEST_NAME <const> = 200 -- bytes of a text with a name in it
local MEGABYTE <const> = ("x"):rep(1000000)

--- Returns an object with a long __name, whose __tostring must not be called.
local function talkative()
  return setmetatable({}, {
    __call = nop,
    __name = MEGABYTE,
    __tostring = function()
      error "asked"
    end,
  })
end

local function many(n, value)
  local list = {}
  for i = 1, n do
    list[i] = value
  end
  return list
end

local function nested(n, nest)
  local w = aw.Sleep(1)
  for _ = 1, n do
    w = nest(w)
  end
  return w
end

local wires = {
  ["many arguments"] = function()
    return aw.Call(nop, table.unpack(many(100000, 0)))
  end,
  ["many values"] = function()
    return aw.Value(table.unpack(many(100000, "value")))
  end,
  ["many long arguments"] = function()
    return aw.Wire(nop, table.unpack(many(100000, MEGABYTE)))
  end,
  ["many Wires as arguments, in many levels"] = function()
    return nested(60, function(w)
      return aw.Call(nop, table.unpack(many(1000, w)))
    end)
  end,
  ["an object that talks"] = function()
    return aw.Call(talkative(), talkative())
  end,
  ["a long name"] = function()
    return aw.Sleep(1):named(MEGABYTE)
  end,
  ["long names side by side"] = function()
    return aw.All(many(1000, aw.Sleep(1):named(MEGABYTE)))
  end,
  ["long keys"] = function()
    return aw.All { [MEGABYTE] = aw.Sleep(1), [MEGABYTE .. "y"] = aw.Sleep(2) }
  end,
  ["a wide and deep tree"] = function()
    return nested(60, function(w)
      return aw.All(many(1000, w)):whole()
    end)
  end,
  ["a deep chain of methods"] = function()
    return nested(20000, function(w)
      return w:timeout(1)
    end)
  end,
  ["deep repetitions"] = function()
    return nested(20000, function(w)
      return (w >> w) * 2
    end)
  end,
  ["deep fallbacks, to the right"] = function()
    return nested(20000, function(w)
      return aw.Sleep(1) // (w | w)
    end)
  end,
  ["messages in messages"] = function()
    local ch = aw.channel(1)
    return nested(1000, function(w)
      return aw.Send(ch, w)
    end)
  end,
  ["a long message"] = function()
    return aw.Send(aw.channel(1), MEGABYTE)
  end,
}

describe("the text of a wire is bounded for", function()
  for what, make in pairs(wires) do
    it(what .. " [V8]", sealed(function()
      local w = make()
      local shown = tostring(w)
      assert.is_true(#shown <= LONGEST, #shown)
      assert.is_truthy(shown:find("...", 1, true))
      assert.is_true(#tostring(w >> w | w & w) <= LONGEST)
      assert.are.equal(shown, tostring(w))
    end))
  end

  it("long wires only: short ones are shown in full [V8]", sealed(function()
    assert.are.equal("Value(1, 2, 3)", tostring(aw.Value(1, 2, 3)))
    local name = ("n"):rep(60)
    assert.are.equal(name, tostring(aw.Sleep(1):named(name)))
    assert.are.equal(("n"):rep(57) .. "...",
      tostring(aw.Sleep(1):named(name .. "n")))
  end))

  it("names in UTF-8, never cut inside a character [V8]", sealed(function()
    local shown = tostring(aw.Sleep(1):named(("é"):rep(50)))
    assert.is_truthy(utf8.len(shown))
    assert.is_true(#shown <= 60)
  end))
end)

describe("a text that includes the text of a wire is bounded:", function()
  for what, make in pairs(wires) do
    it("a task of " .. what .. " [D1]", in_task(function(ev)
      local t = ev:start(aw.Never & make():named "w" * 0 & make() * 0)
      local u = ev:start(aw.Never >> make())
      aw.yield()
      for _, task in ipairs { t, u } do
        assert.is_true(#task.name <= LONGEST_NAME)
        assert.is_true(#tostring(task) <= 2 * LONGEST_NAME)
        assert.is_true(#tostring(task.waiting) <= LONGEST_NAME)
        assert.is_true(#task:traceback() <= 3 * LONGEST, #task:traceback())
      end
      assert.is_true(#ev:dump() <= 20 * LONGEST_NAME, #ev:dump())
      t:cancel_wait()
      u:cancel_wait()
    end))

    it("the info of a failure of " .. what .. " [E2]", in_task(function(ev)
      local text
      local t = ev:start(make() * 0 >> aw.Call(error, "no"),
        function(_, _, info)
          text = tostring(info)
        end)
      aw.pcall(t.wait, t)
      assert.is_true(#text <= 3 * LONGEST, #text)
    end))

    it("the Timeout of " .. what .. " [O8]", in_task(function(ev)
      local text
      local t = ev:start((aw.Never >> make()):timeout(1),
        function(_, err, info)
          text = tostring(err) .. tostring(info)
        end)
      aw.pcall(t.wait, t)
      assert.is_true(#text <= 3 * LONGEST, #text)
    end))
  end

  it("a task that waits for tasks that wait for tasks [D1]",
    in_task(function(ev)
      local t = ev:start(aw.Sleep(1))
      local first = t
      for _ = 1, 1000 do
        t = ev:start(aw.Done(t) >> aw.Call(nop, t, t))
      end
      aw.yield()
      assert.is_true(#tostring(t) <= 2 * LONGEST_NAME, tostring(t))
      assert.is_true(#tostring(aw.Done(t)) <= LONGEST_NAME)
      assert.is_true(#tostring(aw.Call(nop, t, t, t)) <= 4 * LONGEST_NAME)
      first:wait()
    end))

  it("a task with a long name [D1]", in_task(function(ev)
    local t = ev:start(aw.Never, nil, { name = MEGABYTE })
    local u = ev:start(aw.Done(t))
    aw.yield()
    assert.are.equal(MEGABYTE, t.name)
    assert.is_true(#tostring(t) <= LONGEST_NAME)
    assert.is_true(#u.waiting <= LONGEST_NAME)
    assert.is_true(#ev:dump() <= 10 * LONGEST_NAME)
    u:cancel()
    t:cancel()
    local _, err = aw.pcall(t.wait, t)
    assert.is_true(#tostring(err) <= LONGEST_NAME)
  end))

  it("loops, channels, events with long names [D1]", sealed(function()
    local ev <close> = aw.EventLoop { name = MEGABYTE }
    for _, object in ipairs { ev, aw.channel(1, { name = MEGABYTE }),
      aw.event { name = MEGABYTE }, aw.semaphore(1, { name = MEGABYTE }) } do
      assert.is_true(#tostring(object) <= LONGEST_NAME)
    end
  end))

  it("a body that returns too much [N1]", in_task(function(ev)
    local text
    local t = ev:start(function()
      return nil, wires["a wide and deep tree"]()
    end, function(_, err)
      text = tostring(err)
    end)
    aw.pcall(t.wait, t)
    assert.is_true(#text <= 2 * LONGEST, #text)
  end))

  it("the error of a misuse [V1] [O6]", sealed(function()
    for _, misuse in ipairs {
      function() aw.Sleep(1)[MEGABYTE] = 1 end,
      function() aw.Sleep(1)[talkative()] = 1 end,
      function() aw.Sleep(1):timeout(1, { [MEGABYTE] = 1 }) end,
      function() aw.Sleep(1):retry { times = MEGABYTE } end,
      function() aw.EventLoop { [MEGABYTE] = 1 } end,
      function() aw.EventLoop { [talkative()] = 1 } end,
      function() aw.All { [MEGABYTE] = 1 } end,
      function() aw.All { [talkative()] = 1 } end,
      function() aw.Select { [MEGABYTE] = aw.Value(1) } end,
      function() aw.All { aw.Sleep(1), limit = MEGABYTE } end,
    } do
      local ok, err = pcall(misuse)
      assert.is_false(ok)
      assert.is_true(#err <= 2 * LONGEST_NAME, #err)
    end
  end))
end)

describe("the dump of very many tasks", function()
  it("is bounded, and has the number of omitted tasks [D2]", in_task(
    function(ev)
      local tasks = {}
      for i = 1, 6000 do
        tasks[i] = ev:start(aw.Never, nil, { name = "t" .. i })
      end
      aw.yield()
      local dump = ev:dump()
      assert.is_truthy(dump:find("'t1'", 1, true))
      assert.is_truthy(dump:find "╰─ %.%.%. %d+ more tasks$")
      local _, lines = dump:gsub("\n", "")
      assert.is_true(lines <= 2100, lines)
      for _, t in ipairs(tasks) do
        t:cancel()
      end
    end))

  it("is bounded if each is a child of another [D2]", in_task(function(ev)
    local t = ev:start(nested(3000, function(w)
      return aw.All { aw.Never, w }
    end))
    aw.sleep(0.5)
    assert.is_true(#ev:dump() < 200000)
    t:cancel_wait()
  end))
end)
