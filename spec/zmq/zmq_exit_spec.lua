-- A program with sockets exits in bounded time [ZQ13], whatever is left: unsent
-- messages, absent peers, pending receives, open Pollers.

local process = require "spec.support.process"
local sockets = require "spec.support.sockets"

-- Objects that a program has open when it ends, and its grace if not 5 s.
local states <const> = {
  { "nothing but an open socket", [[
    local s = zmq.socket("rep"):bind "tcp://127.0.0.1:*"
  ]] },
  { "a message for an absent peer", [[
    local s = zmq.socket("push", { linger = 300 })
    s:connect "tcp://127.0.0.1:9"
    start(function() s:send "never" end)
  ]] },
  { "a message for nobody at all", [[
    local s = zmq.socket "push"
    start(function() s:send "never" end)
  ]] },
  { "a pending receive", [[
    local s = zmq.socket("pull"):bind "inproc://x"
    start(function() s:recv() end)
    start(aw.Recv(s))
  ]] },
  { "monitors, read and unread, of an absent and of a present peer", [[
    local s = zmq.socket("rep"):bind "tcp://127.0.0.1:*"
    local c = zmq.socket("req", { reconnect_ivl = 1 })
    local unread = c:monitor()
    c:connect "tcp://127.0.0.1:9"
    c:connect(s.last_endpoint)
    local m = s:monitor()
    start(function() for _ in m:iter() do end end)
    start(aw.Recv(m))
    start(function() c:wait_peers(2) end)
  ]] },
  { "an open Poller", [[
    local s = zmq.socket("pull"):bind "inproc://x"
    start(aw.Poller { [s] = function() s:recv() end })
  ]] },
  { "a proxy that waits on both sides, and its control", [[
    local front = zmq.socket("router"):bind "inproc://x"
    local back = zmq.socket("dealer"):bind "inproc://y"
    local control = zmq.socket("rep"):bind "inproc://z"
    start(zmq.Proxy(front, back, zmq.socket "pub", control))
    local asking = zmq.socket("req"):connect "inproc://x"
    start(function() asking:send "never" asking:recv() end)
  ]] },
  { "a proxy whose capture is full", [[
    local front = zmq.socket("pull"):bind "inproc://x"
    local back = zmq.socket("push"):bind "inproc://y"
    local push = zmq.socket("push"):connect "inproc://x"
    local pull = zmq.socket("pull"):connect "inproc://y"
    start(zmq.Proxy(front, back, zmq.socket "push"))
    start(function() push:send "1" push:send "2" pull:recv() end)
  ]], grace = 0.05 },
  { "running authenticators, one with a handler at work", [[
    local auth = zmq.auth { plain = { u = "p" }, handler = function()
      aw.sleep(100)
    end }
    local other = zmq.auth { curve = "any", context = zmq.context() }
    local s = zmq.socket("pull", { plain_server = true })
      :bind "tcp://127.0.0.1:*"
    local c = zmq.socket("push", { plain_username = "u",
      plain_password = "p", linger = 0 }):connect(s.last_endpoint)
    start(function() s:recv() end)
  ]] },
  { "a service and requests, to it and to nobody", [[
    local s = zmq.socket("router"):bind "tcp://127.0.0.1:*"
    start(zmq.Service(s, function()
      aw.sleep(0.05)
    end))
    for _, url in ipairs { s.last_endpoint, "tcp://127.0.0.1:9",
      "inproc://nobody" } do
      start(function()
        while true do
          zmq.request(url, "x", { timeout = 100 })
        end
      end)
    end
  ]] },
  { "a context of its own, with all that", [[
    local ctx = zmq.context { patience = 400 }
    local s = ctx:socket("push", { linger = -1 })
    s:connect "tcp://127.0.0.1:9"
    start(function() s:send "never" end)
    local r = ctx:socket("router"):bind "inproc://x"
    start(function() r:recv() end)
  ]] },
}

-- Ways in which the program ends, each with its exit code. One closes nothing.
-- LeakSanitizer then misses the values that tasks have received: the core marks
-- a bit of their addresses.
local endings <const> = {
  { "by itself", "ev:stop()", 0 },
  { "by an error", "error 'boom'", 1 },
  { "by os.exit", "os.exit(3)", 3 },
  { "by os.exit at once", "os.exit(4, false)", 4, leaks = true },
  { "after its loop's time", "aw.sleep(9)", 0 },
}

local program <const> = [[
local aw = require "aiowire"
local zmq = require "aiowire.zmq"
local ev = aw.EventLoop { timeout = 0.1, grace = %g }
local function start(w)
  ev:start(w, function() end)
end
%s
ev:start(function()
  aw.sleep(0.02)
  %s
end)
ev:run()
]]

local function run_host(code, ending)
  local options = ending.leaks
    and "export ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0; " or ""
  return process.run(options .. "exec $aiowire s.lua", { ["s.lua"] = code })
end

local function ends_in_time(run, state, ending)
  local code = program:format(state.grace or 5, state[2], ending[2])
  local outcome = run(code, ending) -- killed after process.PATIENCE
  local said = outcome.out .. outcome.err
  assert.are.equal(ending[3], outcome.code, said)
end

describe("a program with sockets", function()
  for _, state in ipairs(states) do
    for _, ending in ipairs(endings) do
      it(("that ends %s is gone in time, with %s [ZQ13, L3]"):format(
        ending[1], state[1]),
        function()
          sockets.needed()
          ends_in_time(run_host, state, ending)
        end)
    end

    it(("under lua5.4 is gone in time, with %s [ZQ13, L3]"):format(state[1]),
      function()
        if process.sanitized or not sockets.installed then
          pending "needs libzmq, and a stock lua5.4"
          return
        end
        ends_in_time(process.stock, state, endings[1])
      end)
  end

  it("sends unsent messages after its sockets are closed [ZQ13]", function()
    sockets.needed()
    local outcome = process.host [[
      local aw = require "aiowire"
      local zmq = aw.zmq
      local pull = zmq.socket("pull"):bind "tcp://127.0.0.1:*"
      local ctx = zmq.context()
      local push = ctx:socket("push"):connect(pull.last_endpoint)
      for i = 1, 100 do
        push:send("m" .. i)
      end
      push:close()
      ctx:close()
      for i = 1, 100 do
        assert(pull:recv() == "m" .. i)
      end
      print "all"
    ]]
    assert.are.equal("all\n", outcome.out, outcome.err)
  end)

  it("waits for a context at most for its patience [ZQ13]", function()
    sockets.needed()
    local outcome = process.host [[
      local zmq = require "aiowire.zmq"
      local ctx = zmq.context { patience = 100 }
      local s = ctx:socket("push", { linger = -1 })
      s:connect "tcp://127.0.0.1:9"
      s:send "never"
    ]]
    assert.are.equal(0, outcome.code, outcome.err)
  end)

end)

-- The parent forks with two sockets and a sent message. %s is the code of the
-- child, which exits with 7 if `ok` is true.
local forking <const> = [[
local aw = require "aiowire"
local zmq = require "aiowire.zmq"
local fork = require "spec_fork"

local function is_forked(f, ...)
  local ok, err = pcall(f, ...)
  return not ok and err.code == "EFORKED"
end

local a = zmq.socket("pair"):bind "tcp://127.0.0.1:*"
local m = a:monitor()
local b = zmq.socket("pair"):connect(a.last_endpoint)
aw.run(function()
  a:send "before"
  aw.readable(b)
end)
local pid = fork.fork()
if pid == 0 then
  local ok = true
  %s
  a, b, m = nil, nil, nil
  collectgarbage()
  collectgarbage()
  os.exit(ok and 7 or 8, true)
end
local code, seconds = fork.wait(pid)
aw.run(function()
  local first = b:recv()
  b:send "after"
  repeat until m:recv().event == "accepted"
  print(code, first, a:recv(), seconds < 1 and "rested" or seconds)
end)
]]

-- Code of the child, with the sockets of its parent or its own.
local children <const> = {
  { "may not use", [[
    ok = is_forked(a.get, a, "events") and is_forked(a.bind, a, "inproc://y")
    aw.run(function()
      ok = ok and is_forked(a.send, a, "x") and is_forked(b.recv, b)
        and is_forked(b.poll, b) and is_forked(aw.readable, b)
        and is_forked(aw.Recv, b)
        and is_forked(a.monitor, a) and is_forked(a.wait_peers, a, 1)
        and is_forked(m.recv, m)
        and is_forked(aw.await, aw.Poller { [b] = function() end })
    end)
  ]] },
  { "closes without harm", [[
    m:close()
    b:close()
    a:close(0)
    ok = a.closed and b.closed
  ]] },
  { "forgets without harm", "" },
  { "has its own beside", [[
    local c = zmq.socket("pair"):bind "inproc://mine"
    local d = zmq.socket("pair"):connect "inproc://mine"
    aw.run(function()
      aw.start(function() c:send "x" end)
      ok = d:recv() == "x"
    end)
    c:close()
    d:close()
  ]] },
}

describe("a forked child", function()
  for _, child in ipairs(children) do
    it(("%s the sockets of its parent, and does not spin [ZQ16]")
      :format(child[1]), function()
        sockets.needed()
        local outcome = process.host(forking:format(child[2]))
        assert.are.equal("7\tbefore\tafter\trested\n", outcome.out,
          outcome.err)
      end)
  end
end)
