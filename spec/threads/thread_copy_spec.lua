-- What reaches another Lua state, and what cannot [J10] to [J14]. The test
-- lua/test/message_test.c has random values.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local texts = require "spec.support.texts"

local run = helper.run
local contains = texts.contains

--- Returns copies of the values, which have been to another state.
local function there_and_back(...)
  local t <close> = aw.thread(function(...)
    return ...
  end, ...)
  return t:wait()
end

--- Checks that a value cannot be sent, and why.
local function refused(value, ...)
  local ok, err = pcall(there_and_back, "first", value)
  assert.is_false(ok)
  contains(err, "thread_copy_spec.lua:")
  for _, text in ipairs { ... } do
    contains(err, text)
  end
end

describe("a copy", function()
  it("keeps nil, numbers, booleans and strings [J10]", function()
    run(function()
      local got = table.pack(there_and_back(nil, 1, 1.0, -0.0, math.huge,
        math.mininteger, true, false, "a\0b", nil))
      assert.are.same({ n = 10, nil, 1, 1.0, -0.0, math.huge, math.mininteger,
        true, false, "a\0b", nil }, got)
      assert.are.equal("integer", math.type(got[2]))
      assert.are.equal("float", math.type(got[3]))
      assert.are.equal("-0.0", tostring(got[4]))
    end)
  end)

  it("keeps tables with cycles and shared parts [J10]", function()
    run(function()
      local part = { "part" }
      local t = { part, part, key = { [part] = true } }
      t.self = t
      local copy, again = there_and_back(t, part)
      assert.are_not.equal(t, copy)
      assert.are.equal(copy, copy.self)
      assert.are.equal(copy[1], copy[2])
      assert.are.equal(copy[1], again)
      assert.are.equal(copy[1], next(copy.key))
      assert.are.equal("part", again[1])
    end)
  end)

  it("keeps the lines and the globals of a function [J11]", function()
    run(function()
      local t <close> = aw.thread(function(f)
        answer = 42 -- luacheck: ignore
        local ok, err = pcall(f, true)
        return f(), ok, err
      end, load("if ... then error 'no' end\nreturn answer", "=chunk"))
      local answer, ok, err = t:wait()
      assert.are.equal(42, answer)
      assert.is_false(ok)
      assert.are.equal("chunk:1: no", err)
    end)
  end)

  it("keeps the class of an error object of the library [J12]", function()
    run(function()
      local t <close> = aw.thread(function()
        local aw = require "aiowire"
        return select(2, pcall(aw.fs.open, "/no/such/file"))
      end)
      local err = t:wait()
      assert.is_true(aw.is_system_error(err))
      assert.are.equal("ENOENT", err.code)
      contains(tostring(err), "/no/such/file")
    end)
  end)

  it("is refused with the way to the value [J12]", function()
    run(function()
      local upvalue = {}
      refused(print, "cannot copy a C function (argument 3)")
      refused({ a = { 1, { ["b c"] = coroutine.create(print) } } },
        "cannot copy a coroutine (argument 3, field 'a[2][\"b c\"]')")
      refused({ io.stdout }, "cannot copy an object of type FILE*",
        "field '[1]'")
      refused(setmetatable({}, {}), "a table with a metatable")
      refused(function() return upvalue end, "thread_copy_spec.lua:",
        "the local variable 'upvalue'")
      refused({ [coroutine.create(print)] = 1 }, "field '[a key]'")
      refused({ [{}] = print }, "field '[a table]'")
      refused({ [("k"):rep(200)] = print },
        "field '[\"" .. ("k"):rep(40) .. "...\"]'")
      local deep = print
      for i = 50, 1, -1 do
        deep = { ["key" .. i] = deep }
      end
      refused(deep, "field '....key", ".key49.key50'")
    end)
  end)

  it("keeps light userdata, which are addresses [J10]", function()
    run(function()
      local light = debug.upvalueid(refused, 1)
      local one, list = there_and_back(light, { light })
      assert.are.equal(light, one)
      assert.are.equal(light, list[1])
    end)
  end)

  it("is refused if it is code with an _ENV of its own [J11]", function()
    run(function()
      local text <const> = "the function at box:0 (argument 3): its _ENV is "
          .. "not the table of globals"
      refused(load("return x", "=box", "t", { x = 1 }), text)
      refused(load("return x", "=box", "t", setmetatable({}, {})), text)
      refused(load("return x", "=box", "t", nil), text)
    end)
  end)

  it("may be code whose _ENV falls back on others [J11]", function()
    run(function()
      local env = setmetatable({ tostring = print }, { __index = _G })
      local t <close> = aw.thread(function(f)
        return f(1)
      end, load("return tostring(...)", "=box", "t", env))
      assert.are.equal("1", t:wait())
    end)
  end)
end)

describe("an object of a C module", function()
  it("is there for the same thing in each thread [J13]", function()
    local counter = require "counter" -- examples/module/counter.c
    run(function()
      local c = counter.new()
      local t <close> = aw.thread(function(c, list)
        c:add(5)
        list[1]:add(7)
        return c, rawequal(c, list[1])
      end, c, { c })
      local back, same = t:wait()
      assert.is_true(same)
      assert.are.equal(12, c:value())
      assert.are.equal(13, back:add())
      assert.are.equal(13, c:value())
    end)
  end)

  it("is what the example says [J13]", function()
    local counted
    local chunk = assert(loadfile("examples/module/counting.lua", "t",
      setmetatable({ print = function(...)
        counted = table.concat({ ... }, " ")
      end }, { __index = _G })))
    chunk()
    assert.are.equal("counted 40000", counted)
  end)
end)

local has_zmq, zmq = pcall(function()
  local zmq = require "aiowire.zmq"
  zmq.version()
  return zmq
end)

describe("a zmq context [J13]", function()
  if not has_zmq then
    pending "needs libzmq"
    return
  end

  it("lets sockets of two threads meet over inproc [J14]", function()
    run(function()
      local ctx <close> = zmq.context()
      local server <close> = ctx:socket("REP")
      server:bind "inproc://server"
      local t <close> = aw.thread(function(ctx)
        local client <close> = ctx:socket("REQ")
        client:connect "inproc://server"
        client:send "a question"
        return client:recv()
      end, ctx)
      assert.are.equal("a question", server:recv())
      server:send "an answer"
      assert.are.equal("an answer", t:wait())
    end)
  end)

  it("is closed for one state at a time [J14]", function()
    run(function()
      local ctx = zmq.context()
      local t <close> = aw.thread(function(ctx)
        local aw = require "aiowire"
        aw.parent:recv()
        local a <close> = ctx:socket("PAIR")
        local b <close> = ctx:socket("PAIR")
        a:bind "inproc://x"
        b:connect "inproc://x"
        a:send "still here"
        return b:recv()
      end, ctx)
      ctx:close()
      t:send "go on"
      assert.are.equal("still here", t:wait())
    end)
  end)

  it("cannot be sent once it is closed [J14]", function()
    run(function()
      local ctx = zmq.context()
      ctx:close()
      local ok, err = pcall(there_and_back, ctx)
      assert.is_false(ok)
      assert.is_true(aw.is_closed(err))
    end)
  end)
end)
