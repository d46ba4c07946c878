-- User code closes an object while one of the object's methods runs. The user
-- code is in a metamethod or callable that the method uses, or in a finalizer,
-- which may run at any allocation.
--
-- To cover a new method, add a line to SUBJECTS; to cover a new way to run user
-- code, add a line to WAYS.

local aw = require "aiowire"
local collector = require "spec.support.collector"
local helper = require "spec.support.helper"
local sockets = require "spec.support.sockets"

local zmq, fact = sockets.zmq, sockets.fact

-- ---- ways to run user code inside a call ----

--- Call `f(...)`, and call `hook` in the `nth` finalizer that runs meanwhile.
--- The collector runs one finalizer at each allocation.
local function with_finalizer(nth, hook, f, ...)
  local left = nth
  local function drop_one()
    setmetatable({}, { __gc = function()
      left = left - 1
      if left == 0 then
        hook()
      elseif left > 0 then
        drop_one()
      end
    end })
  end
  collector.set(1, 1000, collector.WHOLE) -- at each allocation
  collectgarbage() -- the new settings count from the next cycle on
  drop_one()
  local results = table.pack(pcall(f, ...))
  left = 0
  collector.set(helper.gc_stress and 1 or 200, helper.gc_stress and 1000 or 100)
  return table.unpack(results, 1, results.n)
end

--- Tables that run the hook in a metamethod or a callable, to be passed as
--- arguments.
local WAYS <const> = {
  len = function(hook)
    return setmetatable({}, {
      __len = function() hook() return 2 end,
      __index = function() return "part" end,
    })
  end,
  index = function(hook)
    return setmetatable({}, {
      __len = function() return 2 end,
      __index = function() hook() return "part" end,
    })
  end,
  ["last index"] = function(hook)
    return setmetatable({}, {
      __len = function() return 2 end,
      __index = function(_, i)
        if i == 2 then
          hook()
        end
        return "part"
      end,
    })
  end,
  tostring = function(hook)
    return setmetatable({}, { __tostring = function()
      hook()
      return "reason"
    end })
  end,
  options = function(hook)
    return setmetatable({}, { __index = function()
      hook()
    end })
  end,
  call = function(hook)
    return setmetatable({}, { __call = function()
      hook()
    end })
  end,
  descriptor = function(hook)
    return { getfd = function()
      hook()
      return 0
    end }
  end,
  buffer = function(hook)
    return { fd = 0, dirty = function()
      hook()
      return true
    end }
  end,
}

-- ---- objects and their methods ----

local function pair()
  local s, peer = sockets.pair_of("pair", "pair", "inproc", { linger = 0 })
  for _ = 1, 3 do
    peer:send(("in"):rep(50), "b", "c")
  end
  return s, peer
end

local function router()
  local s, peer = sockets.pair_of("router", "dealer", "inproc", { linger = 0 })
  peer:send "hello"
  return s, peer
end

local function method(name, ...)
  local arguments = table.pack(...)
  return function(x)
    return x[name](x, table.unpack(arguments, 1, arguments.n))
  end
end

--- Returns a function that calls a method with a table that runs the hook.
local function given(name, ...)
  local rest = table.pack(...)
  return function(x, what)
    return x[name](x, what, table.unpack(rest, 1, rest.n))
  end
end

local many = {}
for i = 1, 20 do
  many[i] = ("part %d "):format(i):rep(20)
end

-- For each class: `make` returns an object and others to close at the end;
-- `close` closes the object; `plain` has calls; `hooked` has calls with a table
-- that runs the hook.
local SUBJECTS <const> = {
  ["a zmq socket"] = {
    make = pair,
    plain = {
      send = method("send", "a", "b"),
      ["send numbers"] = method("send", 1.5, 2.5, 3.5),
      ["send many"] = method("send", table.unpack(many)),
      ["send a table"] = method("send_multipart", { "a", "b", 1.5 }),
      ["send a large table"] = method("send_multipart", many),
      recv = method "recv",
      recv_multipart = method "recv_multipart",
      poll = method("poll", "rw", 0),
      bind = method("bind", "tcp://127.0.0.1:*"),
      connect = method("connect", "tcp://127.0.0.1:9"),
      ["connect to localhost"] = method("connect", "tcp://localhost:9"),
      ["connect to a name"] = method("connect", "tcp://a.name.invalid:9"),
      unbind = method("unbind", "tcp://127.0.0.1:9"),
      disconnect = method("disconnect", "tcp://127.0.0.1:9"),
      monitor = method "monitor",
      wait_peers = method("wait_peers", 2),
      get = method("get", "last_endpoint"),
      events = method("get", "events"),
      set = method("set", "backlog", 5),
      ["set text"] = method("set", "plain_username", "me"),
      close = method("close", 5),
      tostring = tostring,
      Recv = function(s) return aw.await(aw.Recv(s)) end,
      Send = function(s) return aw.await(aw.Send(s, "a", 1.5)) end,
      readable = aw.readable,
      Poller = function(s) return tostring(aw.Poller { [s] = helper.nop }) end,
    },
    hooked = {
      send_multipart = given "send_multipart",
      send = given "send",
      set = given("set", "linger"),
      ["set to"] = function(s, what) s.linger = what end,
      get = given "get",
      close = given "close",
      bind = given "bind",
    },
  },
  ["a zmq socket with peers"] = {
    make = router,
    plain = {
      send = method("send", "nobody", "b"),
      recv = method "recv",
      Send = function(s) return aw.await(aw.Send(s, "nobody", 1.5)) end,
    },
    hooked = { send_multipart = given "send_multipart" },
  },
  ["a zmq context"] = {
    make = function() return zmq.context { io_threads = 1 } end,
    plain = {
      socket = function(c) return tostring(c:socket "pair") end,
      option = function(c)
        return tostring(zmq.socket("pair", { context = c }))
      end,
      get = method("get", "max_sockets"),
      set = method("set", "max_sockets", 5),
      tostring = tostring,
    },
    hooked = {
      socket = given "socket",
      options = function(c, what) return c:socket("pair", what) end,
      set = function(c, what) return c:set("patience", what) end,
    },
  },
  ["a stream that reads"] = {
    make = function()
      local p = aw.spawn { "sh", "-c", "printf 'one\ntwo\nthree\nfour\n'" }
      p:wait()
      assert(p.stdout:read(1) == "o")
      return p.stdout, p
    end,
    plain = {
      read = method "read",
      ["read pieces"] = method("read", "l", 2, "L", "a"),
      ["read bytes"] = method("read", 1, 1, 1, 1),
      read_some = method("read_some", 3),
      lines = function(s)
        local n = 0
        for line in s:lines() do
          n = n + #line
        end
        return n
      end,
      ["lines of bytes"] = function(s)
        for _, b in s:lines(1, 1) do
          assert(#b == 1)
        end
      end,
      getfd = method "getfd",
      tostring = tostring,
      readable = aw.readable,
      Readable = function(s) return aw.await(aw.Readable(s)) end,
      Poller = function(s) return tostring(aw.Poller { [s] = helper.nop }) end,
    },
    hooked = { configure = given "configure", read = given "read" },
  },
  ["a stream that writes"] = {
    make = function()
      local p = aw.spawn { "cat", stdout = "null" }
      return p.stdin, p
    end,
    plain = {
      write = method("write", "a", "b", 1.5),
      ["write much"] = method("write", ("x"):rep(100000)),
      shutdown = method "shutdown",
    },
    hooked = { write = given "write", configure = given "configure" },
  },
  ["a server"] = {
    make = function()
      local server = aw.tcp.listen("127.0.0.1", 0)
      return server
    end,
    plain = {
      getfd = method "getfd",
      name = method "name",
      tostring = tostring,
      Accept = function(s) return tostring(aw.Accept(s)) end,
      accept = function(s)
        return aw.scope({ timeout = 0 }, function()
          s:accept()
        end)
      end,
      Serve = function(s) return tostring(aw.Serve(s, helper.nop)) end,
    },
    hooked = {},
  },
  ["a channel"] = {
    make = function()
      local ch = aw.channel(4)
      ch:send(1)
      return ch
    end,
    plain = {
      send = function(ch) return ch:send(("x"):rep(100)) end,
      recv = method "recv",
      try_recv = method "try_recv",
      iter = function(ch) return ch:iter()(ch) end,
      tostring = tostring,
      Recv = function(ch) return aw.await(aw.Recv(ch)) end,
      Send = function(ch) return aw.await(aw.Send(ch, {})) end,
    },
    hooked = { send = given "send", try_send = given "try_send" },
  },
  ["a task"] = {
    make = function() return aw.start(aw.Never, nil, { background = true }) end,
    close = method "cancel",
    plain = {
      tostring = tostring,
      traceback = method "traceback",
      Done = function(t) return tostring(aw.Done(t)) end,
    },
    hooked = { cancel = given "cancel" },
  },
  ["a loop"] = {
    make = function() return aw.EventLoop() end,
    plain = {
      start = method("start", helper.nop),
      ["start with options"] = method("start", helper.nop, helper.nop,
        { name = "n" }),
      tasks = method "tasks",
      dump = method "dump",
      tostring = tostring,
      run = method "run",
    },
    hooked = {
      start = given "start",
      handler = function(ev, what) return ev:start(helper.nop, what) end,
      options = function(ev, what) return ev:start(helper.nop, nil, what) end,
      run = given "run",
    },
  },
  ["a scope's owner"] = {
    make = function()
      local t = aw.start(function() aw.sleep(60) end, nil,
        { background = true })
      return t
    end,
    close = method "cancel",
    plain = {},
    hooked = {
      cancel = function(_, what)
        aw.scope(function(s)
          s:cancel(what)
          aw.yield()
        end)
      end,
      start = function(_, what)
        aw.scope(function(s)
          s:start(what)
          s:start(helper.nop, what)
        end)
      end,
      options = function(_, what) aw.scope(what, helper.nop) end,
    },
  },
  ["an option or a source"] = {
    make = function() return { close = helper.nop } end,
    plain = {},
    hooked = {
      Readable = function(_, what) return aw.await(aw.Readable(what)) end,
      readable = function(_, what) return aw.readable(what) end,
      Poller = function(_, what)
        return tostring(aw.Poller { [what] = helper.nop })
      end,
      spawn = function(_, what) return aw.spawn(what) end,
      env = function(_, what) return aw.exec { "true", env = what } end,
      exec = function(_, what) return aw.exec { "true", stdin = what } end,
      EventLoop = function(_, what) return aw.EventLoop(what) end,
      retry = function(_, what) return aw.Sleep(0):retry(what) end,
      timeout = function(_, what) return aw.Sleep(0):timeout(1, what) end,
    },
  },
}

local function close(kind, object)
  return (kind.close or method "close")(object)
end

--- Run `f(object, close_it)`, and close all objects after it.
local function with_object(kind, f)
  local objects = table.pack(kind.make())
  local object = objects[1]
  local times = 0
  f(object, function()
    times = times + 1
    if times == 1 then
      close(kind, object)
    end
  end)
  for i = objects.n, 1, -1 do
    (i == 1 and kind.close or method "close")(objects[i])
  end
end

--- A call on a closed object may succeed, or fail with an error that has a
--- text.
local function is_sound(ok, err)
  return ok or type(tostring(err)) == "string"
end

for name, kind in pairs(SUBJECTS) do
  describe(name .. " that is closed inside a call", function()
    for call, f in pairs(kind.plain) do
      it("survives a finalizer that does so, in " .. call, fact(function()
        for nth = 1, 5 do
          with_object(kind, function(object, hook)
            assert.is_true(is_sound(aw.pcall(aw.timeout, 0.05, function()
              return with_finalizer(nth, hook, f, object)
            end)))
          end)
        end
      end))
    end

    for call, f in pairs(kind.hooked) do
      for way, make in pairs(WAYS) do
        it(("survives a %s that does so, given to %s"):format(way, call),
          fact(function()
            with_object(kind, function(object, hook)
              assert.is_true(is_sound(aw.pcall(aw.timeout, 0.05, f, object,
                make(hook))))
            end)
          end))
      end
    end
  end)
end

--- Run `f` in a loop of its own, as a finalizer can.
local function in_own_loop(f)
  local ev <close> = helper.virtual()
  ev:start(f)
  ev:run()
end

describe("an object that a finalizer uses in a loop of its own", function()
  it("delivers each message of a zmq socket exactly once [H4]",
    fact(function()
      for nth = 1, 6 do
        local s, peer = sockets.pair_of("pair", "pair", "inproc",
          { linger = 0 })
        local got = {}
        for i = 1, 3 do
          peer:send(("%d"):format(i):rep(100), "b", "c")
        end
        local function receive()
          local parts = s:recv_multipart()
          -- The finalizer may run in this call, before #got is taken.
          local first = parts[1]:sub(1, 1)
          got[#got + 1] = first
          assert.are.equal(3, #parts)
        end
        assert(with_finalizer(nth, function()
          in_own_loop(receive)
        end, receive))
        while #got < 3 do
          receive()
        end
        table.sort(got)
        assert.are.equal("123", table.concat(got))
        s:close()
        peer:close()
      end
    end))

  it("delivers each byte of a stream exactly once [C10]",
    fact(function()
      for nth = 1, 6 do
        local p <close> = aw.spawn { "sh", "-c", "printf '1\n2\n3\n4\n5\n'" }
        p:wait()
        local got = {}
        local function read(...)
          for _, line in ipairs { p.stdout:read(...) } do
            got[#got + 1] = line
          end
        end
        assert(with_finalizer(nth, function()
          in_own_loop(function()
            read "l"
          end)
        end, read, "l", "l", "l"))
        read("l", "l", "l", "l")
        table.sort(got)
        assert.are.equal("12345", table.concat(got))
      end
    end))
end)
