-- Names of hosts in connect and bind [M22, M23, ZQ17], with a resolver that
-- hangs at will: see spec/support/resolver.c. Each script runs in a process of
-- its own.

local helper = require "spec.support.helper"
local process = require "spec.support.process"
local resolver = require "spec.support.resolver"
local sockets = require "spec.support.sockets"

local zmq, fact = sockets.zmq, sockets.fact

local PRELUDE <const> = [[
local zmq = aw.zmq

--- Returns a socket that is bound, and its port.
local function server(type, options)
  local s = zmq.socket(type, options):bind "tcp://127.0.0.1:*"
  return s, s.last_endpoint:match "%d+$"
end

--- Send a text from `b` to `a`, and return what comes.
local function exchange(a, b)
  return aw.timeout(120, function()
    b:send "x"
    return a:recv()
  end)
end
]]

--- Run a script with the resolver.
local function run_script(text)
  sockets.needed()
  return resolver.run(PRELUDE .. text)
end

--- Returns a function for `it` that runs a script with the resolver; the script
--- must print `expected`.
local function prints(expected, text)
  return function()
    process.assert_outcome(expected, 0, run_script(text))
  end
end

--- As prints(), but the script is the body of a task.
local function task_prints(expected, text)
  return prints(expected, "aw.run(function(ev)\n" .. text .. "\nend)")
end

describe("a connect to a name", function()
  it("returns at once, and connects when it is known [M22]", task_prints(
    "tcp://x.live.test\ttrue\nx\n", [[
      local a <close>, port = server "pull"
      local b <close> = zmq.socket "push"
      local name = "tcp://x.live.test:" .. port
      print(b:connect(name).last_endpoint:match "^(.*):",
        tostring(b):find(name, 1, true) ~= nil)
      print(exchange(a, b))
      assert(b.last_endpoint == name)
    ]]))

  it("that is not found is an event of its monitor [M22]", task_prints(
    "tcp://x.dead.test:5\tstring\n", [[
      local s <close> = zmq.socket "push"
      local m = s:monitor { "resolve_failed" }
      s:connect "tcp://x.dead.test:5"
      hanging(1)
      resolver.release()
      local e = aw.timeout(120, m.recv, m)
      print(e.address, type(e.error))
    ]]))

  it("counts the peer when it is known [M4, M22]", task_prints("true\n", [[
      local a <close>, port = server "pull"
      local b <close> = zmq.socket "push"
      b:connect("tcp://x.live.test:" .. port)
      print(b:wait_peers(1, 120))
    ]]))

  it("works outside of tasks [M22]", prints("x\n", [[
      local a, port = server "pull"
      local b = zmq.socket("push"):connect("tcp://x.live.test:" .. port)
      aw.run(function()
        print(exchange(a, b))
      end)
    ]]))

  it("stalls no other socket while its look-up hangs [M22, ZQ17]",
    task_prints("x\t16\n", [[
      local dead <close> = zmq.socket "dealer"
      for i = 1, 20 do
        dead:connect(("tcp://%d.dead.test:9"):format(i))
      end
      hanging(16)
      local a <close>, port = server "pull"
      local b <close> = zmq.socket("push"):connect("tcp://127.0.0.1:" .. port)
      print(exchange(a, b), resolver.hanging())
    ]]))

  it("shares the look-up of its name with others [M22, X11]", task_prints(
    "1\t1\t2\tx\n", [[
      local a <close>, port = server "pull"
      local list = {}
      for i = 1, 20 do
        list[i] = zmq.socket("push"):connect "tcp://a.dead.test:9"
      end
      hanging(1)
      io.write(resolver.calls(), "\t")
      for i = 2, 20 do list[i]:close() end -- it leads, or it follows
      list[1]:connect("tcp://x.live.test:" .. port)
      list[1]:disconnect "tcp://a.dead.test:9"
      io.write(resolver.hanging(), "\t")
      wait_until(function() return resolver.last() == "x.live.test" end)
      io.write(resolver.calls(), "\t")
      print(exchange(a, list[1]))
      list[1]:close()
    ]]))

  it("has the answer that another one waited for [M22]", task_prints(
    "xxx\t1\n", [[
      local a <close>, port = server "pull"
      for i = 1, 3 do
        local b = zmq.socket("push"):connect("tcp://x.live.test:" .. port)
        ev:start(function() b:send "x" b:close(-1) end)
      end
      aw.timeout(120, function() io.write(a:recv(), a:recv(), a:recv()) end)
      print("\t" .. resolver.calls())
    ]]))

  it("leaves names to a proxy [M22]", task_prints("0\n", [[
      local proxy <close> = aw.tcp.listen("127.0.0.1", 0)
      local _, port = proxy:name()
      local s = zmq.socket("push", { socks_proxy = "127.0.0.1:" .. port })
      s:connect "tcp://x.live.test:9"
      local c <close> = proxy:accept()
      print(resolver.calls())
      io.stdout:flush()
      os.exit(0, false) -- libzmq aborts at a proxy that goes away [ZQ22]
    ]]))

  it("is tried again after a failure [M22]", task_prints("2\n", [[
      local s <close> = zmq.socket("push"):connect "tcp://a.dead.test:9"
      hanging(1)
      resolver.release(1)
      wait_until(function() return resolver.calls() == 2 end)
      hanging(1)
      print(resolver.calls())
    ]]))

  it("has a source address before the name [M22]", task_prints("x\n", [[
      local a <close>, port = server "pull"
      local b <close> = zmq.socket "push"
      b:connect("tcp://127.0.0.1:0;x.live.test:" .. port)
      print(exchange(a, b))
    ]]))

  it("looks up localhost nowhere [M22]", task_prints("x\t0\tx\n", [[
      local a <close>, port = server "pull"
      local b <close> = zmq.socket("push"):connect("tcp://localhost:" .. port)
      assert(b.last_endpoint == "tcp://localhost:" .. port)
      local c <close> = zmq.socket("push"):connect("tcp://LocalHost.:" .. port)
      print(exchange(a, b), resolver.calls(), exchange(a, c))
    ]]))

  it("takes IPv6 only if the socket does [M22]", task_prints("x\tx\n", [[
      local a <close>, port = server "pull"
      local b <close> = zmq.socket "push"
      b:connect("tcp://both.live.test:" .. port)
      local c <close> = zmq.socket("pull", { ipv6 = true })
      local there = pcall(c.bind, c, "tcp://[::1]:*")
      local d <close> = zmq.socket("push", { ipv6 = true })
      d:connect("tcp://both.live.test:" .. (c.last_endpoint:match "%d+$" or 9))
      print(exchange(a, b), there and exchange(c, d) or "x")
    ]]))

  it("leaves last_endpoint to a bind that came between [M22]", task_prints(
    "true\ttrue\n", [[
      local a <close>, port = server "router"
      local b <close> = zmq.socket "dealer"
      b:connect("tcp://x.live.test:" .. port):bind "tcp://127.0.0.1:*"
      local bound = b.last_endpoint
      print(exchange(a, b) ~= nil, b.last_endpoint == bound)
    ]]))

  it("is refused with a bad port or name", fact(function()
    local s <close> = zmq.socket "push"
    for _, place in ipairs { "some.test:99999", "some.test:0", "some.test:5x",
      "some.test:", "some test:5", "::1.some.test:5", "[::g]:5", "_a.test:5",
      "%lo:5", ("x"):rep(254) .. ":5", "some.test" } do
      helper.raises("address 'tcp://" .. place .. "'", s.connect, s,
        "tcp://" .. place)
    end
  end))

  it("cannot name its peer by connect_routing_id", fact(function()
    local s <close> = zmq.socket "router"
    s:set("connect_routing_id", "peer")
    helper.raises("needs an address with a number, and 'tcp://some.test:5' has "
      .. "the name of a host", s.connect, s, "tcp://some.test:5")
    s:connect "tcp://localhost:5"
  end))

  it("keeps options that would count for it [M22]", task_prints(
    "true\ttrue\n", [[
      local a <close>, port = server "pull"
      local b <close> = zmq.socket("push"):connect "tcp://a.dead.test:9"
      local ok, err = pcall(b.set, b, "plain_password", "secret")
      b.linger = 0
      b:disconnect "tcp://a.dead.test:9"
      b.plain_password = "secret"
      b:connect("tcp://127.0.0.1:" .. port)
      print(not ok, err:find("option 'plain_password' of a PUSH socket comes "
        .. "too early", 1, true) ~= nil)
    ]]))
end)

describe("a disconnect from a name", function()
  it("forgets a look-up that hangs [M22]", task_prints("false\t1\n", [[
      local s <close> = zmq.socket("push"):connect "tcp://a.dead.test:9"
      hanging(1)
      s:disconnect "tcp://a.dead.test:9"
      local again = pcall(s.disconnect, s, "tcp://a.dead.test:9")
      resolver.release()
      hanging(0)
      aw.sleep(0.01)
      print(again, resolver.calls())
    ]]))

  it("ends the connections to its number [M22]", task_prints("0\t0\n", [[
      local a <close>, port = server "pull"
      for _, host in ipairs { "x.live.test", "localhost" } do
        local b <close> = zmq.socket("push"):connect("tcp://" .. host .. ":"
          .. port)
        exchange(a, b)
        b:disconnect("tcp://" .. host .. ":" .. port)
        io.write(b:poll("w", 0), host == "localhost" and "\n" or "\t")
      end
    ]]))

  it("that is not connected looks nothing up [M22]", task_prints(
    "false\tthis socket is not connected to 'tcp://x.live.test:9'\t0\n", [[
      local s <close> = zmq.socket "push"
      local ok, err = pcall(s.disconnect, s, "tcp://x.live.test:9")
      print(ok, err:match "%((.*)%)", resolver.calls())
    ]]))
end)

describe("a look-up for a socket", function()
  for what, code in pairs {
    socket = "s:close()", context = "context:close()",
    loop = "ev:stop()", program = "os.exit(0, true)", state = "",
  } do
    it("that hangs does not outlive its " .. what .. " [M22]", task_prints(
      "over\n", [[
        local context = zmq.context()
        local s = context:socket("push", { linger = 0 })
        s:connect "tcp://a.dead.test:9"
        s:connect "tcp://b.dead.test:9"
        hanging(2)
        resolver.release(1)
        hanging(1)
        print "over"
        io.stdout:flush()
      ]] .. code))
  end

  it("is not continued in a forked child [M22, ZQ16]", prints(
    "7\nx\n", [[
      local fork = require "spec_fork"
      local a, port = server "pull"
      local b = zmq.socket("push"):connect("tcp://x.live.test:" .. port)
      local c = zmq.socket("push", { linger = 0 })
      aw.run(function()
        c:connect "tcp://a.dead.test:9"
        hanging(1)
      end)
      local pid = fork.fork()
      if pid == 0 then
        local ok, err = pcall(b.get, b, "events")
        b:close()
        aw.run(aw.Sleep(0.01))
        b, c = nil, nil
        collectgarbage()
        os.exit(not ok and err.code == "EFORKED" and 7 or 8, true)
      end
      print((fork.wait(pid)))
      aw.run(function()
        print(exchange(a, b))
      end)
    ]]))

  it("goes on in another loop that uses the socket [M22]", prints(
    "x\tx\n", [[
      local a, port = server "pull"
      local b = zmq.socket("push"):connect("tcp://x.live.test:" .. port)
      local c = zmq.socket "push"
      local first, second
      local ev <close> = aw.EventLoop { clock = "virtual" }
      ev:start(function()
        first = a:recv()
      end)
      ev:start(function()
        b:send "x" -- connected outside of this loop
        c:connect("tcp://x.live.test:" .. port)
      end)
      ev:run()
      ev:close()
      aw.run(function() -- the loop that connected it has ended
        second = exchange(a, c)
      end)
      print(first, second)
    ]]))

  it("without a thread for it is tried again [M22]", task_prints("x\n", [[
      local a <close>, port = server "pull"
      local b <close> = zmq.socket "push"
      resolver.refuse(true)
      b:connect("tcp://x.live.test:" .. port)
      resolver.refuse(false)
      print(exchange(a, b))
    ]]))
end)

describe("a bind to a name", function()
  it("of this machine needs no look-up [M23]", prints("x\t0\n", [[
      local a = zmq.socket("pull"):bind "tcp://localhost:*"
      local b = zmq.socket("push"):connect(a.last_endpoint)
      aw.run(function()
        print(exchange(a, b), resolver.calls())
      end)
    ]]))

  it("awaits its look-up [M23]", task_prints(
    "zmq PULL socket (bound to tcp://x.live.test:*)\tx\n", [[
      local a <close> = zmq.socket("pull"):bind "tcp://x.live.test:*"
      local b <close> = zmq.socket("push"):connect(a.last_endpoint)
      print(a, exchange(a, b))
    ]]))

  it("takes the first of its addresses that is possible [M23]", task_prints(
    "tcp://127.0.0.1\n", [[
      local a <close> = zmq.socket "pull"
      a:bind "tcp://203.0.113.7_127.0.0.1.list.test:*"
      print(a.last_endpoint:match "^(.*):")
    ]]))

  it("warns of a server without an authenticator, too [M10, M23]",
    fact(function()
      local text = process.host([[
        local zmq = require "aiowire.zmq"
        local name = io.popen("uname -n"):read()
        local s <close> = zmq.socket("rep", { plain_server = true })
        if pcall(s.bind, s, "tcp://" .. name .. ":*") then
          s:poll("r", 0)
        else
          warn "nobody gets in" -- this machine does not know its name
        end
      ]]).err
      assert.truthy(text:find("nobody gets in", 1, true), text)
    end))

  it("is undone by the name [M23]", task_prints("true\ttrue\n", [[
      local probe = zmq.socket("pull"):bind "tcp://127.0.0.1:*"
      local port = probe.last_endpoint:match "%d+$"
      probe:close()
      local a <close> = zmq.socket "pull"
      for _, host in ipairs { "localhost", "x.live.test" } do
        local name = "tcp://" .. host .. ":" .. port
        a:bind(name)
        a:unbind(name)
        io.write(tostring(not pcall(a.unbind, a, name)),
          host == "localhost" and "\t" or "\n")
      end
    ]]))

  it("whose numbers are all in use says so [M23]", task_prints(
    "EADDRINUSE\n", [[
      local a <close>, port = server "pull"
      local b <close> = zmq.socket "pull"
      local _, err = pcall(b.bind, b, "tcp://x.live.test:" .. port)
      print(err.code)
    ]]))

  it("that is unknown is an error, and binds nothing [M23]", task_prints(
    "EAI_NONAME\tbind\ta.dead.test\tzmq PULL socket (not connected)\n", [[
      local a <close> = zmq.socket "pull"
      resolver.release()
      local _, err = pcall(a.bind, a, "tcp://a.dead.test:*")
      print(err.code, err.call, err.about, a)
    ]]))

  it("that is cancelled binds nothing [M23]", task_prints(
    "cancelled\tzmq PULL socket (not connected)\n", [[
      local a <close> = zmq.socket "pull"
      local task = ev:start(function() a:bind "tcp://a.dead.test:*" end)
      hanging(1)
      task:cancel_wait()
      print(task.status, a)
    ]]))

  it("of a socket that is closed meanwhile is Closed [M23]", task_prints(
    "true\n", [[
      local a = zmq.socket "pull"
      local task = ev:start(function() a:bind "tcp://a.dead.test:*" end,
        aw.keep)
      hanging(1)
      a:close()
      resolver.release()
      local _, err = pcall(task.wait, task)
      print(aw.is_closed(err) or err.code == "EAI_NONAME")
    ]]))

  it("needs a task unless it is localhost [M23]", function()
    sockets.needed()
    local s <close> = zmq.socket "pull"
    helper.outside(function()
      helper.raises("socket:bind", s.bind, s, "tcp://some.test:5")
    end)
  end)
end)

describe("a server without an authenticator", function()
  for _, verb in ipairs { "bind", "connect" } do
    it(("is warned of at a %s to a name [M10, M22, M23]"):format(verb),
      function()
        local outcome = run_script([[
          warn "@on"
          aw.run(function()
            local s <close> = zmq.socket("pull", { plain_server = true })
            s:]] .. verb .. [[ "tcp://x.live.test:5999"
            s:poll("r", 0)
          end)
        ]])
        assert.is_truthy(outcome.err:find("nobody gets in to this PULL socket",
          1, true), outcome.err)
      end)
  end
end)
