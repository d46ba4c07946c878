-- Finalizers that Lua does not call. Lua first takes an object off its list,
-- and may then have no C stack left for the call. Lua also does not call
-- finalizers of objects that are made while lua_close() runs. The library
-- releases the resources of these objects at the end of the state. ASan and
-- alloc_test check that.
--
-- A new class needs an entry in KINDS.

local helper = require "spec.support.helper"
local process = require "spec.support.process"
local sockets = require "spec.support.sockets"

-- Lua 5.5 looks for the C stack first.
local LOSES <const> = _VERSION == "Lua 5.4"

local program = helper.in_host and "$aiowire" or "$lua"

-- Expressions that make an object.
local KINDS <const> = {
  ["a leaf"] = "aw.Value({})",
  ["a composite"] = "(aw.Sleep(1) >> aw.Wire(print, {})) * 2",
  ["a task"] = "(aw.EventLoop():start(aw.Never))",
  ["a loop"] = "aw.EventLoop()",
  ["a loop with tasks"] = "filled(aw.EventLoop { name = 'filled' })",
  ["a loop with a clock of its own"] = "filled(virtual())",
  ["a channel"] = "sent(aw.channel(2))",
  ["an event"] = "aw.event()",
  ["a semaphore"] = "aw.semaphore(1)",
  ["a rate"] = "aw.rate(1, 1)",
  ["a permit"] = "aw.semaphore(1):try_acquire()",
  ["a scope, in a coroutine that was dropped"] = "dropped()",
  ["a server"] = "aw.tcp.listen('127.0.0.1', 0)",
  ["a UDP socket"] = "aw.udp.bind('127.0.0.1', 0)",
  ["a file watch"] = "aw.fs.watch('.')",
  ["a thread"] = "aw.thread(function() end)",
  ["a pool"] = "worked(aw.pool(1, function() end))",
  ["a call of a pool"] = "aw.pool(1, function() end):Call('x', { 1 })",
  ["a process and its streams"] = "aw.spawn { 'true' }",
}

local SOCKETS <const> = {
  ["a socket"] = "socket 'pull'",
  ["a context"] = "aw.zmq.context()",
  ["a wait for peers"] = "{ raw().peers(socket 'pull', 1) }",
  ["a monitor"] = "socket 'pull':monitor()",
  ["a direction of a proxy"] = "pump(socket 'pull', socket 'push')",
  ["a direction of a proxy with a copy for its capture"] = "captured()",
  ["a guard of a proxy"] = "guard(socket 'pull', socket 'push')",
  ["an authenticator"] = "authenticator()",
  ["an authenticator with a handler"] = "authenticator(print)",
}

-- Expressions that make an object which no user holds, so that it is garbage at
-- once.
local HIDDEN <const> = {
  ["a job on a file"] = "pcall(aw.fs.stat, '.')",
  ["a watch that was never opened"] =
    "cancelled(aw.fs.watch, '.', { recursive = true })",
  ["a context of TLS"] = "pcall(aw.tls.connect, 'localhost', 1)",
}

local HEAD <const> = [[
local aw = require "aiowire"
warn "@on"

local function filled(ev)
  ev:start(function() aw.sleep(1) end)
  ev:start(aw.Sleep(1) & aw.Never)
  return ev
end

local function virtual()
  return aw.EventLoop { clock = "virtual" }
end

local function worked(pool)
  local ev = aw.EventLoop { signals = false }
  ev:start(pool:Call())
  ev:run()
  return pool
end

local function sent(ch)
  ch:try_send { ch }
  return ch
end

local function dropped()
  aw.install()
  local co = coroutine.create(function()
    aw.scope(function() aw.timeout(1, coroutine.yield) end)
  end)
  coroutine.resume(co)
  return co
end

-- Call a function in a task that is cancelled.
local function cancelled(...)
  local ev <close> = aw.EventLoop { signals = false }
  ev:start(aw.Wire(function(_, ...)
    aw.current():cancel()
    pcall(...)
  end, ...), aw.keep)
  ev:run()
end

local function socket(type)
  return aw.zmq.socket(type, { linger = 0 })
end

-- Functions of the library that make objects which users cannot reach.
local function raw()
  local _, proxy = debug.getupvalue(aw.zmq.Proxy, 2)
  for i = 1, 9 do
    local name, value = debug.getupvalue(proxy, i)
    if name == "inner" then
      return value.zmq_raw
    end
  end
end

local function pump(...)
  return raw().proxy.pump(...)
end

local function guard(...)
  return raw().proxy.guard(...)
end

-- The capture has no peer, so the copy of the message stays.
local function captured()
  local ctx = aw.zmq.context()
  local o = { linger = 0 }
  local front = ctx:socket("pull", o):bind "inproc://front"
  local back = ctx:socket("push", o):bind "inproc://back"
  local sender = ctx:socket("push", o):connect "inproc://front"
  local receiver = ctx:socket("pull", o):connect "inproc://back"
  local p = pump(front, back, ctx:socket("push", o))
  local ev = aw.EventLoop { signals = false }
  ev:start(function()
    sender:send "message"
    raw().proxy.run(p)
  end)
  ev:start(function()
    while raw().proxy.counts(p) == 0 do
      aw.yield()
    end
    error "leave"
  end)
  pcall(ev.run, ev)
  return { p, sender, receiver }
end

local function authenticator(handler)
  return aw.zmq.auth { context = aw.zmq.context(), handler = handler }
end

-- Look at all that there is.
local function look()
  for _ = 1, 3 do
    aw.stats()
    virtual():dump()
    collectgarbage()
  end
end
]]

local LOSE <const> = [[
local function make()
  return %s
end

-- Each is garbage, and collected, at another depth of C calls: Lua allows 200.
local function descend()
  local made, depth = {}, 0
  for i = 170, 200 do
    made[i] = make()
  end
  local deep = setmetatable({}, { __tostring = function(self)
    depth = depth + 1
    made[depth] = nil
    collectgarbage()
    return tostring(self)
  end })
  assert(not pcall(tostring, deep))
end

aw.run(function()
  descend()
  look()
end)
descend()
look()
aw.run(aw.Sleep(0))
look()
print "ok"
]]

local CLOSING <const> = [[
-- The state is closed with objects that are made meanwhile, and kept.
kept = setmetatable({}, { __gc = function()
  for i = 1, 3 do
    _G[i] = %s
  end
  look()
end })
print "ok"
os.exit(0, true)
]]

local function runs(text, kind)
  local outcome = process.run("exec " .. program .. " s.lua",
    { ["s.lua"] = HEAD .. text:format(kind) })
  process.assert_exit(0, outcome)
  assert.are.equal("ok\n", outcome.out)
  return outcome.err
end

local function closing_fact(name, kind, wrapped)
  it(name .. " that is made while the state closes is freed with it",
    wrapped(function()
      runs(CLOSING, kind)
    end))
end

local function facts(kinds, wrapped)
  for name, kind in pairs(kinds) do
    it(name .. " does no harm if its finalizer is lost", wrapped(function()
      local err = runs(LOSE, kind)
      assert.are.equal(LOSES, err:find("error in __gc", 1, true) ~= nil, err)
    end))
    closing_fact(name, kind, wrapped)
  end
end

describe("among the library's objects", function()
  facts(KINDS, function(f)
    return f
  end)
  facts(SOCKETS, sockets.fact)
  for name, kind in pairs(HIDDEN) do
    closing_fact(name, kind, function(f)
      return f
    end)
  end
end)
