--- Makers of an object of each class that has methods, by the name that the
--- class has in meta.lua.

local aw = require "aiowire"

return {
  Wire = function() return aw.Sleep(1) end,
  Channel = function() return aw.channel(1) end,
  Event = function() return aw.event() end,
  Semaphore = function() return aw.semaphore(1) end,
  Rate = function() return aw.rate(1, 1) end,
  Broadcast = function() return aw.broadcast() end,
  Subscription = function() return aw.broadcast():subscribe() end,
  EventLoop = function() return aw.EventLoop() end,
  Poller = function() return aw.Poller() end,
  Context = function() return aw.zmq.context() end,
  Socket = function() return aw.zmq.socket "PULL" end,
  Monitor = function()
    local s <close> = aw.zmq.socket "PULL"
    local m = s:monitor()
    m:close()
    return m
  end,
  Auth = function()
    local auth = aw.zmq.auth {}
    auth:close()
    return auth
  end,
  Stream = function() return aw.stdin end,
  Server = function() return aw.tcp.listen("127.0.0.1", 0) end,
  UdpSocket = function() return aw.udp.bind("127.0.0.1", 0) end,
  FileWatch = function() return aw.fs.watch "." end,
  Task = function()
    local ev = aw.EventLoop()
    local task = ev:start(aw.Value(1))
    ev:run()
    return task
  end,
  Scope = function()
    local scope
    aw.run(function()
      aw.scope(function(s)
        scope = s
      end)
    end)
    return scope
  end,
  Process = function()
    local p
    aw.run(function()
      p = aw.spawn { "true" }
      p:close()
    end)
    return p
  end,
  Thread = function()
    local t = aw.thread(function() end)
    t:close()
    return t
  end,
  Pool = function()
    local p = aw.pool(1, function() end)
    p:close()
    return p
  end,
  Clock = function()
    local clock
    aw.test(function(_, c)
      clock = c
    end)
    return clock
  end,
}
