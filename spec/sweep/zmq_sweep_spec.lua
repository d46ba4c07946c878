-- The sweep over zmq sockets: see spec/sweep/sweep.lua. After a strike each
-- message is either received or still in its socket [C6, ZQ19].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local sockets = require "spec.support.sockets"
local sweep = require "spec.sweep.sweep"

local zmq = sockets.zmq

local scenarios = {}

local function scenario(name, body)
  scenarios[#scenarios + 1] = { name = name, clock = "real", body = body }
end

--- Returns the record of one run. Its messages are 1, 2, 3, … in the order of
--- sending.
local function new_books()
  return { sent = 0, got = {}, count = 0 }
end

local function note(books, message)
  assert(message and not books.got[message], "a message that comes twice")
  books.got[message] = true
  books.count = books.count + 1
end

--- Receive all messages that are left, and check that all messages sent have
--- come. Messages that were sent may take a while. Then a short wait checks
--- that no other message comes.
local function settle(books, from)
  local function take(patience)
    while from:poll("r", patience) ~= 0 do
      note(books, from:recv())
      if books.count == books.sent then
        break
      end
    end
  end
  aw.shield(function()
    if books.count < books.sent then
      take(sockets.PATIENCE)
    end
    take(0.005)
  end, 2 * sockets.PATIENCE)
  assert(books.count == books.sent,
    ("%d sent, %d received or there"):format(books.sent, books.count))
end

--- Opens two sockets. Returns them, the record, and a guard that checks the
--- messages and closes the sockets.
local function open(p, bound, connected, transport)
  local a, b = sockets.pair_of(bound, connected, transport)
  local books = new_books()
  return a, b, books, p.guard(function()
    settle(books, a)
    a:close(0)
    b:close(0)
  end)
end

local function send(p, books, s)
  books.sent = books.sent + 1
  local ok, err = pcall(p.step, s.send, s, tostring(books.sent))
  if not ok then
    books.sent = books.sent - 1 -- a cancelled send sends nothing [C2]
    error(err, 0)
  end
end

for _, transport in ipairs { "inproc", "tcp" } do
  scenario("a sender and a receiver over " .. transport, function(_, p)
    local pull, push, books, guard = open(p, "pull", "push", transport)
    local _ <close> = guard
    aw.scope(function(s)
      s:start(function()
        for _ = 1, 3 do
          send(p, books, push)
        end
      end)
      for _ = 1, 3 do
        note(books, p.step(pull.recv, pull))
      end
    end)
  end)

  scenario("three that wait for messages over " .. transport, function(_, p)
    local pull, push, books, guard = open(p, "pull", "push", transport)
    local _ <close> = guard
    aw.scope(function(s)
      for _ = 1, 3 do
        s:start(function()
          local _ <close> = p.guard()
          note(books, p.step(pull.recv, pull))
        end)
      end
      p.sleep(0)
      for _ = 1, 3 do
        send(p, books, push)
      end
    end)
  end)

  scenario("receives that run out of time over " .. transport, function(_, p)
    local pull, push, books, guard = open(p, "pull", "push", transport)
    local _ <close> = guard
    for i = 1, 3 do
      aw.scope({ timeout = 0.002 }, function()
        note(books, p.step(pull.recv, pull))
      end)
      if i < 3 then
        send(p, books, push)
        p.yield()
      end
    end
  end)

  scenario("wires that receive over " .. transport, function(_, p)
    local pull, push, books, guard = open(p, "pull", "push", transport)
    local _ <close> = guard
    local take = aw.Recv(pull)
    for _ = 1, 2 do
      send(p, books, push)
    end
    for _ = 1, 2 do
      note(books, p.await(take))
    end
  end)

  scenario("a Poller whose callback receives over " .. transport,
    function(_, p)
      local pull, push, books, guard = open(p, "pull", "push", transport)
      local _ <close> = guard
      local poller
      poller = aw.Poller { [pull] = function()
        note(books, p.step(pull.recv, pull))
        if books.count == 2 then
          poller:shutdown()
        end
      end }
      for _ = 1, 2 do
        send(p, books, push)
      end
      p.await(poller)
    end)
end

scenario("a sender that waits for a peer", function(_, p)
  local push, pull = zmq.socket "push", zmq.socket "pull"
  local books = new_books()
  local _ <close> = p.guard(function()
    settle(books, pull)
    push:close(0)
    pull:close(0)
  end)
  pull:bind(sockets.address())
  aw.scope(function(s)
    s:start(function()
      local _ <close> = p.guard()
      send(p, books, push)
    end)
    p.sleep(0)
    push:connect(pull.last_endpoint)
    note(books, p.step(pull.recv, pull))
  end)
end)

scenario("a proxy between a sender and a receiver", function(_, p)
  local front, push = sockets.pair_of("pull", "push", "inproc")
  local back, pull = sockets.pair_of("push", "pull", "inproc")
  local books = new_books()
  local _ <close> = p.guard(function()
    while pull:poll("r", 0) ~= 0 do
      note(books, pull:recv())
    end
    settle(books, front)
    sockets.close_all(front, push, back, pull)
  end)
  aw.scope(function(s)
    local proxy = s:start(function()
      local _ <close> = p.guard()
      p.await(zmq.Proxy(front, back))
    end)
    s:start(function()
      local _ <close> = p.guard()
      for _ = 1, 3 do
        send(p, books, push)
      end
    end)
    for _ = 1, 2 do
      note(books, p.step(pull.recv, pull))
    end
    p.cancel_wait(proxy)
    p.yield()
  end)
end)

scenario("a proxy that is steered", function(_, p)
  local front, push = sockets.pair_of("pull", "push", "inproc")
  local back, pull = sockets.pair_of("push", "pull", "inproc")
  local control, admin = sockets.pair_of("pair", "pair", "inproc")
  local books = new_books()
  local _ <close> = p.guard(function()
    while pull:poll("r", 0) ~= 0 do
      note(books, pull:recv())
    end
    settle(books, front)
    sockets.close_all(front, push, back, pull, control, admin)
  end)
  aw.scope(function(s)
    local proxy = s:start(zmq.Proxy(front, back, nil, control))
    for _, command in ipairs { "PAUSE", "RESUME", "TERMINATE" } do
      send(p, books, push)
      p.step(admin.send, admin, command)
      p.yield()
    end
    p.wait(proxy)
  end)
end)

for _, type in ipairs { "rep", "router" } do
  scenario("requests to a Service of a " .. type, function(_, p)
    local s = zmq.socket(type, { linger = 0 }):bind(sockets.address())
    local running = 0
    local _ <close> = p.guard(function()
      assert(running == 0)
      s:close()
    end)
    aw.scope(function(scope)
      scope:start(zmq.Service(s, function(_, text)
        running = running + 1
        local _ <close> = p.guard(function()
          running = running - 1
        end)
        p.sleep(0)
        return "re:" .. text
      end, { on_error = helper.nop }))
      for i = 1, 2 do
        local reply = p.step(zmq.request, s.last_endpoint, i,
          { timeout = sockets.PATIENCE })
        assert(reply == "re:" .. i or reply == "error")
      end
      scope:cancel()
    end)
  end)
end

scenario("a request without a server", function(_, p)
  local address = sockets.address "ipc"
  local _ <close> = p.guard()
  local ok, err = p.step(aw.pcall, zmq.request, address, "x",
    { timeout = 0.001, retries = 1 })
  assert(not ok and aw.is_timeout(err))
  p.yield()
end)

-- After a strike the events that were not received are still there.
for _, how in ipairs { "recv", "Recv" } do
  scenario("a monitor, read by " .. how, function(_, p)
    local s = zmq.socket "pull"
    local m = s:monitor { "listening" }
    local got, bound = 0, 0
    local _ <close> = p.guard(function()
      s:close()
      aw.shield(function()
        for _ in m:iter() do
          got = got + 1
        end
      end, sockets.PATIENCE)
      m:close()
      assert(got == bound, ("%d of %d events"):format(got, bound))
    end)
    for _ = 1, 3 do
      s:bind(sockets.address "tcp")
      bound = bound + 1
      local e = how == "recv" and p.step(m.recv, m) or p.await(aw.Recv(m))
      got = got + (e and 1 or 0)
    end
  end)
end

scenario("a wait for peers", function(_, p)
  local pull, push = zmq.socket "pull", zmq.socket "push"
  local _ <close> = p.guard(function()
    sockets.close_all(push, pull)
  end)
  pull:bind(sockets.address "tcp")
  aw.scope(function(s)
    s:start(function()
      local _ <close> = p.guard()
      p.step(pull.wait_peers, pull, 1)
    end)
    p.sleep(0)
    push:connect(pull.last_endpoint)
    p.step(push.wait_peers, push, 1, sockets.PATIENCE)
  end)
end)

for _, type in ipairs { "pub", "xpub" } do
  scenario("a wait for subscribers of " .. type, function(_, p)
    local publisher, sub = zmq.socket(type), zmq.socket "sub"
    local _ <close> = p.guard(function()
      publisher:close(0)
      sub:close(0)
    end)
    publisher:bind(sockets.address())
    sub:connect(publisher.last_endpoint)
    aw.scope(function(s)
      s:start(function()
        local _ <close> = p.guard()
        p.step(publisher.wait_subscriber, publisher, "topic")
        if type == "xpub" then -- a wait that was struck has taken nothing
          assert.are.equal("\1topic", p.step(publisher.recv, publisher))
        end
      end)
      p.sleep(0)
      sub:subscribe "topic"
      p.step(publisher.wait_subscriber, publisher, "topic", 60)
    end)
  end)
end

describe("the sweep of sockets", function()
  if not sockets.installed then
    it("needs libzmq [zmq]", function()
      pending "libzmq is not installed"
    end)
    return
  end

  it("begins with the threads of libzmq [ZQ12]", function()
    sockets.open_context()
  end)

  for _, case in ipairs(scenarios) do
    describe("of a task that has: " .. case.name .. ";", function()
      for _, fact in ipairs(sweep.facts(case)) do
        it(fact[1], function()
          sockets.open_context()
          fact[2]()
        end)
      end
    end)
  end

  it("covers 14 scenarios and 200 strikes [C2]", function()
    sockets.open_context()
    assert.is_true(#scenarios >= 14)
    assert.is_true(sweep.strikes(scenarios) >= 200)
  end)
end)
