-- The info of an error is read long after the error: what it tells is the same,
-- and until then it keeps nothing alive [E2].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local places = require "spec.support.places"
local texts = require "spec.support.texts"

local closer, sealed = helper.closer, helper.sealed
local line, place = places.line, places.place
local contains, lacks, in_order = texts.contains, texts.lacks, texts.in_order

local function collect()
  for _ = 1, 4 do
    collectgarbage()
  end
end

--- Run `w` in a loop of its own, which is garbage afterwards. Return the info
--- of its failure, and the line of the start.
local function late_info(w, opts)
  local info
  local ev = aw.EventLoop { clock = "virtual" }
  local started = line() + 1
  ev:start(w, function(_, _, i)
    info = i
  end, opts)
  ev:run()
  return info, started
end

--- Fail in a chunk of its own, and return the info.
local function info_of_chunk(name)
  return (late_info(load("\nlocal t = {}\nreturn t.x.y", "=" .. name)))
end

describe("an info that is read late", function()
  it("tells all when its loop, task and function are gone [E2]",
    sealed(function()
      local name = "gone" .. tostring(collect):match "%w+$"
      local info, started = late_info(load("error 'boom'", "=" .. name))
      collect()
      assert.are.equal(name .. ":1: boom", info.err)
      assert.are.equal("stack traceback:\n\t[C]: in function 'error'\n\t"
        .. name .. ":1: in main chunk", info.traceback)
      assert.are.equal(1, #info.chain)
      assert.are.equal(info.chain[1], info.name)
      contains(info.name, name)
      contains(info.started_at, place(started))
      assert.are.equal("integer", math.type(info.id))
      assert.are.same({}, info.suppressed)
      in_order(tostring(info), ":1: boom", "stack traceback:", "main chunk",
        "wire trace", "started at", "task " .. info.id)
    end))

  it("tells the same each time, in any order [E2]", sealed(function()
    local info = late_info(aw.Wire(function()
      error "boom"
    end):named "working")
    local text, name, chain = tostring(info), info.name, info.chain
    collect()
    assert.are.equal(text, tostring(info))
    assert.are.equal("working", name)
    assert.is_true(rawequal(chain, info.chain))
    assert.are.same({ "working" }, chain)
    assert.are.equal(info.traceback, info.traceback)
  end))

  it("has a long name cut, and the chain whole [E2]", sealed(function()
    local w = aw.Call(error, "boom")
    for i = 1, 6 do
      w = w >> aw.Value("part " .. i)
    end
    local text = tostring(w)
    local info = late_info(w)
    collect()
    assert.are.equal(text, info.chain[1])
    assert.is_true(#info.name <= 60, info.name)
    assert.are.equal(text:sub(1, 50), info.name:sub(1, 50))
  end))

  it("has the name that the task was given [E2, T6]", sealed(function()
    local info = late_info(function()
      error "boom"
    end, { name = "client" })
    collect()
    assert.are.equal("client", info.name)
    contains(info.chain[1], "function@")
  end))

  it("keeps no function, coroutine or upvalue alive [E2]", sealed(function()
    local weak = setmetatable({}, { __mode = "v" })
    local function make()
      local big = { "big" }
      local function body()
        weak.thread = coroutine.running()
        aw.sleep(1)
        error(big[1])
      end
      weak.big, weak.body = big, body
      return body
    end
    local info = late_info(make())
    collect()
    assert.is_nil(weak.big)
    assert.is_nil(weak.body)
    assert.are.equal("function@", info.name:sub(1, 9))
    contains(info.traceback, "late_look_spec.lua:")
  end))

  it("is the same through a copy that inherits it [E2]", sealed(function()
    local info, started = late_info(function()
      error "boom"
    end)
    local copy = setmetatable({}, { __index = info })
    contains(copy.traceback, "late_look_spec.lua:")
    contains(copy.started_at, place(started))
    assert.are.equal(info.id, copy.id)
    assert.is_nil(copy.attempts)
    assert.is_nil(copy.no_such_field)
  end))

  it("can be iterated, and shows its task [E2]", sealed(function()
    local info = late_info(function()
      error "boom"
    end)
    local seen = {}
    for key, value in pairs(info) do
      seen[key] = value
    end
    assert.are.equal(info.task, seen.task)
    assert.are.equal("table", type(info))
  end))

  it("takes no harm from what users put into it [E2]", sealed(function()
    for _, value in ipairs { io.stdout, 42, {}, coroutine.create(collect) } do
      local info = late_info(function()
        error "boom"
      end)
      for i = 1, 3 do
        rawset(info, i, value)
      end
      assert.is_nil(info.err)
      assert.is_nil(info.traceback)
      assert.is_true(pcall(tostring, info))
    end
  end))

  it("takes no harm from an info that inherits itself [E2]",
    sealed(function()
      local ev = aw.EventLoop { clock = "virtual" }
      ev:start(function()
        error "first"
      end, function()
        error "second"
      end)
      assert.is_false(pcall(ev.run, ev))
      local inner = rawget(ev.failure, 1)
      rawset(inner, 1, inner)
      assert.are.equal(inner.err, ev.failure.err)
      assert.is_false(pcall(tostring, ev.failure))
    end))
end)

describe("the traceback of a place that raised before", function()
  it("is that of the error at hand, not of one like it [E2]",
    sealed(function()
      for i = 1, 200 do
        local name = "chunk" .. i
        local info = info_of_chunk(name)
        contains(info.traceback, name .. ":3: in main chunk")
        if i % 50 == 0 then
          collect()
        end
      end
    end))

  it("has the name by which the caller called the function [E2]",
    sealed(function()
      local function fails()
        error "boom"
      end
      local object = { fail = fails }
      local function body(way)
        return function()
          local b, o = fails, object
          -- in one line: only the names differ
          if way == 1 then fails() elseif way == 2 then b() else o.fail() end
          aw.yield()
        end
      end
      for _ = 1, 2 do
        for way, name in ipairs { "upvalue 'fails'", "local 'b'",
          "'fail'" } do
          contains(late_info(body(way)).traceback, name)
        end
      end
    end))

  it("has the depth of its own stack [E2]", sealed(function()
    local function deep(n)
      if n == 0 then
        error "boom"
      end
      deep(n - 1)
      return n
    end
    local function levels(n)
      local info = late_info(function()
        deep(n)
        aw.yield()
      end)
      return select(2, info.traceback:gsub("\n", ""))
    end
    for n = 1, 30 do
      assert.are.equal(math.min(n + 3, 22), levels(n))
      assert.are.equal(math.min(n + 3, 22), levels(n))
    end
  end))

  it("may have names of any length [E2]", sealed(function()
    local long = ("x"):rep(3000)
    local body = load(("local function %s() error 'boom' end %s() return 1")
      :format(long, long), "=long")
    for _ = 1, 2 do
      contains(late_info(body).traceback, "in local '" .. long .. "'")
    end
  end))
end)

describe("the info of an error that is handled", function()
  it("has a list as its chain in a catch() of an error of the core [E2]",
    sealed(function()
      local info
      local ev = helper.virtual()
      ev:start(aw.Readable(987654):catch(function(_, i)
        info = i
      end))
      ev:run()
      assert.are.equal("table", type(info.chain))
      contains(info.chain[1], "Readable(987654)")
      contains(tostring(info), "Readable(987654)")
    end))

  it("goes to each function that can see it [E7, O9]", sealed(function()
    local ev = helper.virtual()
    local got = {}
    local callable = setmetatable({}, {
      __call = function(_, _, _, info)
        got.callable = info
      end,
    })
    local function fails()
      error "boom"
    end
    ev:start(fails, function(...)
      got.vararg = select(3, ...)
    end)
    ev:start(fails, callable)
    ev:start(aw.Call(fails):catch(function(...)
      got.catch = select(2, ...)
    end))
    ev:start(aw.Call(fails):supervise(function(...)
      got.supervise = select(3, ...)
    end))
    ev:start(fails, function(_, err)
      got.err = err
    end)
    ev:run()
    for _, key in ipairs { "vararg", "callable", "catch", "supervise" } do
      contains(tostring(got[key]), "boom")
      contains(got[key].traceback, "late_look_spec.lua:")
    end
    contains(got.err, "boom")
  end))

  it("is complete when a handler that has not seen it raises [E8]",
    sealed(function()
      local ev = helper.virtual()
      local raised, again = line() + 2, line() + 4
      ev:start(function()
        error "first"
      end, function()
        error "second"
      end)
      local ok, err = pcall(ev.run, ev)
      assert.is_false(ok)
      contains(err, "second")
      contains(ev.failure.traceback, place(again))
      contains(ev.failure.cause, "first")
      in_order(tostring(ev.failure), "first", place(raised),
        "while that was handled", "second", place(again))
    end))

  it("is its own when clean-up replaced the failure of a loop [E3]",
    sealed(function()
      local start = line() + 6
      local info = late_info(function()
        local _ <close> = closer(function()
          error "second"
        end)
        local inner = aw.EventLoop()
        inner:start(function()
          error "first"
        end)
        inner:run()
      end)
      collect()
      contains(info.err, "second")
      local replaced = info.suppressed[1].info
      contains(replaced.started_at, place(start))
      assert.are.equal(replaced.chain[1], replaced.name)
      assert.are_not.equal(info.id, replaced.id)
    end))

  it("is that of each of several errors on their way at once [E3]",
    sealed(function()
      local lines, infos = {}, {}
      local function level(n)
        local _ <close> = closer(function()
          if n < 4 then
            local ok, err = pcall(aw.shield, function()
              aw.scope(function()
                level(n + 1)
              end)
            end)
            infos[n] = { ok, err }
          end
        end)
        lines[n] = line() + 1
        error("level " .. n)
      end
      local info = late_info(function()
        level(1)
      end)
      collect()
      contains(info.err, "level 1")
      contains(info.traceback, place(lines[1]))
      for n = 1, 3 do
        assert.is_false(infos[n][1])
        contains(infos[n][2], "level " .. n + 1)
      end
      lacks(info.traceback, "?")
    end))
end)
