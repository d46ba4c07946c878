-- Finalizers that use other objects: objects that are finalized already, and
-- wires whose parts are finalized later.
--
-- Add an entry to KINDS for a new class, and to WIRES for a new wire that holds
-- an object.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local sockets = require "spec.support.sockets"

local zmq, fact = sockets.zmq, sockets.fact

--- Returns the object that `make` returns, after it was finalized.
local function finalized(make)
  local seen
  do
    -- The holder gets its finalizer first, so it is finalized last.
    local holder = setmetatable({}, { __gc = function(h)
      seen = h.object
    end })
    holder.object = make()
  end
  collectgarbage()
  collectgarbage()
  return seen
end

--- Call `f` with the object that `make` returns. The object is garbage then,
--- but not finalized yet.
local function met(make, f)
  do
    local object = make()
    setmetatable({ object = object }, { __gc = function(h)
      f(h.object)
    end })
  end
  collectgarbage()
  collectgarbage()
end

local function method(name, ...)
  local arguments = table.pack(...)
  return function(x)
    return x[name](x, table.unpack(arguments, 1, arguments.n))
  end
end

--- Returns calls of these methods, without arguments.
local function methods(names)
  local list = {}
  for name in names:gmatch "%S+" do
    list[name] = method(name)
  end
  return list
end

local function with(list, more)
  for name, f in pairs(more) do
    list[name] = f
  end
  return list
end

local function closed_by_scope(x)
  local _ <close> = x
end

local function dealer()
  return zmq.socket("dealer", { linger = 0 })
end

--- Returns a process that has ended, so that nothing is left to reap.
local function process()
  local p = aw.spawn { "true" }
  p:wait()
  return p
end

local function stream()
  return process().stdout
end

local wire_calls = {
  start = aw.start,
  await = aw.await,
  step = function(w) w() end,
  sequence = function(w) return w >> w end,
  both = function(w) return w & w end,
  either = function(w) return w | w end,
  ["or else"] = function(w) return w // w end,
  map = function(w) return w / print end,
  times = function(w) return w * 2 end,
  All = function(w) return aw.All { w } end,
  Every = function(w) return aw.Every(1, w) end,
  Poller = function(w) return aw.Poller { [0] = w } end,
  timeout = method("timeout", 1),
  retry = method("retry", { times = 2 }),
  finally = method("finally", print),
  named = method("named", "x"),
  whole = method "whole",
}

-- For each class: `make` returns an object; calls in `refused` must raise an
-- error once it is finalized; calls in `answered` must work.
local KINDS <const> = {
  ["a zmq socket"] = {
    make = dealer,
    refused = with(methods "recv recv_multipart send poll", {
      bind = method("bind", "inproc://finalized"),
      connect = method("connect", "inproc://finalized"),
      unbind = method("unbind", "inproc://finalized"),
      disconnect = method("disconnect", "inproc://finalized"),
      get = method("get", "linger"),
      set = method("set", "linger", 1),
      field = function(s) return s.linger end,
      ["set field"] = function(s) s.linger = 1 end,
      send_multipart = method("send_multipart", { "a", "b" }),
      subscribe = method("subscribe", ""),
      Recv = aw.Recv,
      Send = function(s) return aw.Send(s, "a") end,
      Readable = aw.Readable,
      readable = aw.readable,
      writable = aw.writable,
      Poller = function(s) return aw.Poller { [s] = print } end,
      register = function(s) aw.Poller {}:register(s, print) end,
    }),
    answered = {
      closed = function(s) assert.is_true(s.closed) end,
      close = method "close",
      ["close with a linger"] = method("close", 0),
      scope = closed_by_scope,
    },
  },
  ["a zmq context"] = {
    make = function() return zmq.context() end,
    refused = {
      socket = method("socket", "pair"),
      get = method("get", "patience"),
      set = method("set", "patience", 1),
      option = function(c) return zmq.socket("pair", { context = c }) end,
    },
    answered = with(methods "close term", { scope = closed_by_scope }),
  },
  ["a stream"] = {
    make = stream,
    refused = with(methods "read read_some lines write shutdown getfd dirty", {
      configure = method("configure", {}),
      Readable = aw.Readable,
      Writable = aw.Writable,
      readable = aw.readable,
      Poller = function(s) return aw.Poller { [s] = print } end,
      exec = function(s) return aw.exec { "cat", stdin = s } end,
    }),
    answered = { close = method "close", scope = closed_by_scope },
  },
  ["a server"] = {
    make = function() return aw.tcp.listen("127.0.0.1", 0) end,
    refused = with(methods "accept name getfd", {
      Accept = function(s) aw.await(aw.Accept(s)) end,
      Readable = aw.Readable,
      readable = aw.readable,
      Poller = function(s) return aw.Poller { [s] = print } end,
    }),
    answered = {
      close = method "close",
      scope = closed_by_scope,
      Serve = function(s) aw.await(aw.Serve(s, print)) end,
    },
  },
  ["a process"] = {
    make = process,
    refused = methods "wait kill",
    answered = {
      close = method "close",
      scope = closed_by_scope,
      pid = function(p) assert.is_nil(p.pid) end,
      stdout = function(p) return p.stdout end,
    },
  },
  ["a channel"] = {
    make = function() return aw.channel(1) end,
    refused = with(methods "recv try_recv iter close", {
      send = method("send", 1),
      try_send = method("try_send", 1),
      Recv = aw.Recv,
      Send = function(ch) return aw.Send(ch, 1) end,
    }),
    answered = {},
  },
  ["an event"] = {
    make = aw.event,
    refused = with(methods "wait set clear is_set", { Wait = aw.Wait }),
    answered = {},
  },
  ["a semaphore"] = {
    make = function() return aw.semaphore(1) end,
    refused = with(methods "acquire try_acquire release",
      { Acquire = aw.Acquire }),
    answered = {},
  },
  ["a task"] = {
    make = function()
      local t = aw.start(helper.nop)
      aw.yield()
      return t
    end,
    refused = with(methods "wait cancel cancel_wait results traceback close", {
      status = function(t) return t.status end,
      Done = aw.Done,
    }),
    answered = {},
  },
  ["a loop"] = {
    make = function() return aw.EventLoop() end,
    refused = with(methods "run", {
      start = method("start", helper.nop),
      now = method "now",
    }),
    answered = with(methods "stop close tasks dump",
      { scope = closed_by_scope }),
  },
  ["a loop with a clock of its own"] = {
    make = function() return aw.EventLoop { clock = "virtual" } end,
    refused = with(methods "run", { start = method("start", helper.nop) }),
    answered = with(methods "stop close tasks dump",
      { scope = closed_by_scope }),
  },
  ["a wire"] = {
    make = function() return aw.Sleep(0):whole() end,
    refused = wire_calls,
    answered = {},
  },
  ["a wire that only sleeps"] = { -- has nothing to finalize
    make = function() return aw.Sleep(0) end,
    refused = {},
    answered = wire_calls,
  },
  ["a wire with functions"] = {
    make = function() return aw.Call(print, {}) >> aw.Sleep(0) end,
    refused = wire_calls,
    answered = {},
  },
}

--- Tells whether an error says that the object is finalized, closed or ended. A
--- type error would be wrong.
local function is_refusal(err)
  local text = tostring(err)
  return text:find "finalized" or text:find "garbage" or aw.is_closed(err)
    or text:find "has ended"
end

for name, kind in pairs(KINDS) do
  describe(name .. " that is finalized", function()
    for call, f in pairs(kind.refused) do
      it("refuses " .. call .. " [LU13]", fact(function()
        local err = helper.caught(f, finalized(kind.make))
        assert.is_truthy(is_refusal(err), tostring(err))
      end))
    end

    for call, f in pairs(kind.answered) do
      it("allows " .. call, fact(function()
        f(finalized(kind.make))
      end))
    end

    it("has a text, also as part of a wire", fact(function()
      local x = finalized(kind.make)
      pcall(tostring, x)
      assert.is_string(tostring(aw.Value(x) >> aw.Call(print, x, { x })))
    end))

    it("crashes no function that gets it", fact(function()
      local x = finalized(kind.make)
      for _, f in pairs(aw) do
        if type(f) == "function" and f ~= aw.install and f ~= aw.run
          and f ~= aw.test and f ~= aw.start and f ~= aw.await then
          pcall(f, x)
          pcall(f, { x })
          pcall(f, { [x] = helper.nop })
          pcall(f, helper.nop, x)
          pcall(f, 0, x)
        end
      end
    end))
  end)
end

-- Wires whose parts are finalized after the wire was started ---------------

local WIRES <const> = {
  ["receives from a zmq socket"] = function()
    return aw.Recv(zmq.socket("pull", { linger = 0 }))
  end,
  ["sends to a zmq socket"] = function()
    return aw.Send(zmq.socket("push", { linger = 0 }), ("x"):rep(100))
  end,
  ["waits for a zmq socket"] = function()
    return aw.Readable(zmq.socket("pull", { linger = 0 }))
  end,
  ["receives from a channel"] = function()
    return aw.Recv(aw.channel())
  end,
  ["sends to a channel"] = function()
    return aw.Send(aw.channel(), {})
  end,
  ["waits for an event"] = function()
    return aw.Wait(aw.event())
  end,
  ["acquires a permit"] = function()
    return aw.Acquire(aw.semaphore(0))
  end,
  ["waits for a stream"] = function()
    return aw.Readable(stream())
  end,
  ["accepts"] = function()
    return aw.Accept(aw.tcp.listen("127.0.0.1", 0))
  end,
  ["serves"] = function()
    return aw.Serve(aw.tcp.listen("127.0.0.1", 0), print)
  end,
  ["waits for a task"] = function()
    return aw.Done(aw.start(aw.Never, nil, { background = true }))
  end,
  ["calls functions"] = function()
    local t = {}
    return aw.Call(table.insert, t, 1) >> aw.Call(table.insert, t, 2)
  end,
  ["has several parts"] = function()
    return aw.All { a = aw.Recv(zmq.socket("pull", { linger = 0 })),
      b = aw.Call(helper.nop, {}):retry { times = 2, when = helper.nop } }
  end,
  ["polls a zmq socket"] = function()
    return aw.Wire(aw.Poller { [zmq.socket("pull", { linger = 0 })] = print })
  end,
}

describe("a wire that a finalizer starts", function()
  for what, make in pairs(WIRES) do
    it(what .. ", and fails or is cancelled", fact(function()
      local task
      met(make, function(w)
        task = aw.start(w, helper.nop, { background = true })
      end)
      assert.is_string(tostring(task))
      aw.yield()
      collectgarbage()
      assert.is_string(tostring(task))
      task:cancel()
      aw.pcall(task.wait, task)
      assert.is_truthy(("failed cancelled"):find(task.status, 1, true))
    end))
  end
end)

describe("a loop that a finalizer meets", function()
  it("refuses to start tasks, since it is garbage", fact(function()
    local ok, err = true, nil
    met(aw.EventLoop, function(ev)
      ok, err = pcall(ev.start, ev, function() end, print)
    end)
    assert.is_true(ok or is_refusal(err) ~= nil, tostring(err))
  end))
end)

describe("a channel that a finalizer meets", function()
  it("still delivers a message", fact(function()
    local got
    met(function() return aw.channel(1) end, function(ch)
      ch:try_send("late")
      got = ch:try_recv()
    end)
    assert.are.equal("late", got)
  end))
end)
