-- zmq.Proxy: what passes, how it is steered, and how it ends.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local places = require "spec.support.places"
local sockets = require "spec.support.sockets"

local zmq, fact, pair_of, close_all =
  sockets.zmq, sockets.fact, sockets.pair_of, sockets.close_all
local raises = helper.raises

--- Returns a socket of a proxy and its peer.
local function side(type, peer, options)
  return pair_of(type, peer, "inproc", options)
end

--- Returns the front and the back of a one-way proxy, the sender and the
--- receiver. At most `hwm` messages fit between two of them.
local function one_way(hwm)
  local options = { rcvhwm = hwm, sndhwm = hwm }
  local front, push = side("pull", "push", options)
  local back, pull = side("push", "pull", options)
  return front, back, push, pull
end

local function start(...)
  return aw.start(zmq.Proxy(...), aw.keep)
end

--- Let other tasks run until they wait.
local function settle()
  for _ = 1, 20 do
    aw.yield()
  end
end

--- Start a task that sends ten messages to `socket`, which has less room.
--- Returns a function that receives these and one more, which came when the
--- task waited already.
local function ten_and_one(socket, peer)
  local sent = 0
  local sender = aw.start(function()
    for i = 1, 10 do
      socket:send_multipart { peer or tostring(i), peer and tostring(i) }
      sent = i
    end
  end)
  settle()
  assert.is_true(sent < 10)
  local first = sent + 1
  return function(receiver)
    local numbers, place = {}, 0
    for i = 1, 11 do
      local text = receiver:recv()
      place = text == "one" and i or place
      numbers[#numbers + 1] = math.tointeger(text)
    end
    sender:wait()
    assert.are.same({ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, numbers)
    assert.is_true(place > first)
  end
end

describe("a proxy", function()
  it("passes requests and replies [M16]", fact(function()
    local front, req = side("router", "req")
    local back, rep = side("dealer", "rep")
    local proxy = start(front, back)
    local worker = aw.start(function()
      for _ = 1, 3 do
        rep:send_multipart { "re", table.unpack(rep:recv_multipart()) }
      end
    end)
    for i = 1, 3 do
      req:send("q" .. i, "", "x")
      assert.are.same({ "re", "q" .. i, "", "x" }, req:recv_multipart())
    end
    worker:wait()
    proxy:cancel_wait()
    close_all(front, req, back, rep)
  end))

  it("passes messages of many parts whole, and in order [M16]", fact(function()
    local COUNT <const> = helper.scale(300)
    local front, back, push, pull = one_way(10)
    local proxy = start(front, back)
    local sender = aw.start(function()
      for i = 1, COUNT do
        local parts = {}
        for k = 1, 1 + i % 20 do
          parts[k] = ("%d %d "):format(i, k) .. ("x"):rep(i % 7 * 100)
        end
        push:send_multipart(parts)
      end
    end)
    for i = 1, COUNT do
      local parts = pull:recv_multipart()
      assert.are.equal(1 + i % 20, #parts)
      for k, part in ipairs(parts) do
        assert.are.equal(("%d %d "):format(i, k), part:match "^%d+ %d+ ")
      end
    end
    sender:wait()
    proxy:cancel_wait()
    close_all(front, back, push, pull)
  end))

  it("passes subscriptions to the publisher [M16]", fact(function()
    local front, pub = side("xsub", "xpub")
    local back, sub = side("xpub", "sub")
    local proxy = start(front, back)
    sub:subscribe "a"
    assert.are.equal("\1a", pub:recv())
    pub:send("b", "no")
    pub:send("a", "yes")
    assert.are.same({ "a", "yes" }, sub:recv_multipart())
    sub:unsubscribe "a"
    assert.are.equal("\0a", pub:recv())
    proxy:cancel_wait()
    close_all(front, pub, back, sub)
  end))

  it("passes one way if the types can no more [M16]", fact(function()
    local front, pub = side("sub", "xpub")
    local back, sub = side("pub", "sub")
    front:subscribe ""
    sub:subscribe ""
    local proxy = start(front, back)
    pub:recv()
    local sender = aw.start(function()
      while true do -- `sub` joins at some time
        pub:send "x"
        aw.sleep(0.001)
      end
    end)
    assert.are.equal("x", sub:recv())
    sender:cancel_wait()
    proxy:cancel_wait()
    close_all(front, pub, back, sub)
  end))

  it("gives the messages of a socket back to it if it is both sides [M16]",
    fact(function()
      local router, dealer = side("router", "dealer")
      local proxy = start(router, router)
      for i = 1, 3 do
        dealer:send("m" .. i, "x")
        assert.are.same({ "m" .. i, "x" }, dealer:recv_multipart())
      end
      proxy:cancel_wait()
      close_all(router, dealer)
    end))

  it("takes no message that the other side has no room for [M16]",
    fact(function()
      local front, back, push, pull = one_way(1)
      local proxy = start(front, back)
      local sent = 0
      local sender = aw.start(function()
        for i = 1, 50 do
          push:send("m" .. i)
          sent = i
        end
      end)
      aw.sleep(0.02)
      assert.is_true(sent < 20)
      for i = 1, 50 do
        assert.are.equal("m" .. i, pull:recv())
      end
      sender:wait()
      proxy:cancel_wait()
      close_all(front, back, push, pull)
    end))

  it("drops a message for a peer that is gone [M16]", fact(function()
    local front, push = side("pull", "push")
    local back, dealer = side("router", "dealer", { identity = "d" })
    local proxy = start(front, back)
    dealer.identity = "d"
    push:send("nobody", "lost")
    push:send "no content"
    local second = zmq.socket("dealer", { identity = "here" })
    second:connect(back.last_endpoint)
    push:send("here", "found")
    assert.are.equal("found", second:recv())
    proxy:cancel_wait()
    close_all(front, push, back, dealer, second)
  end))

  it("waits for a peer of a ROUTER that is full [M16, ZQ9]", fact(function()
    local front, push = side("pull", "push")
    local back = zmq.socket("router", { sndhwm = 1 })
    back:bind(sockets.address "tcp")
    local dealer = zmq.socket("dealer", { identity = "d", rcvhwm = 1 })
    dealer:connect(back.last_endpoint)
    dealer:send "here"
    assert.are.equal("d", (back:recv()))
    local proxy = start(front, back)
    local sender = aw.start(function()
      for i = 1, 40 do
        push:send("d", tostring(i), ("x"):rep(100000))
      end
    end)
    settle()
    for i = 1, 40 do
      assert.are.equal(tostring(i), (dealer:recv()))
    end
    sender:wait()
    proxy:cancel_wait()
    close_all(front, push, back, dealer)
  end))

  it("drops a message of more than max_parts parts [M16]", fact(function()
    local front, back, push, pull = one_way(10)
    front.max_parts = 2
    local proxy = start(front, back)
    push:send("1", "2", "3")
    push:send("1", "2")
    assert.are.same({ "1", "2" }, pull:recv_multipart())
    proxy:cancel_wait()
    close_all(front, back, push, pull)
  end))

  it("shares its sockets with other proxies and tasks [M16]", fact(function()
    local front, back, push, pull = one_way(5)
    local proxies = { start(front, back), start(front, back) }
    local got, count = {}, 0
    local taker = aw.start(function()
      while true do
        got[front:recv()], count = true, count + 1
      end
    end)
    local sender = aw.start(function()
      for i = 1, 200 do
        push:send("m" .. i)
      end
    end)
    local receiver = aw.start(function()
      while true do
        got[pull:recv()], count = true, count + 1
      end
    end)
    sender:wait()
    while count < 200 do
      aw.sleep(0.001)
    end
    for i = 1, 200 do
      assert.is_true(got["m" .. i])
    end
    for _, task in ipairs { taker, receiver, table.unpack(proxies) } do
      task:cancel_wait()
    end
    close_all(front, back, push, pull)
  end))

  it("takes its turn among tasks that receive [M16, H4]", fact(function()
    local front, back, push, pull = one_way(5)
    local order = {}
    local proxy = start(front, back)
    settle()
    local taker = aw.start(function()
      order[#order + 1] = front:recv()
    end)
    settle()
    push:send "first"
    push:send "second"
    assert.are.equal("first", pull:recv())
    taker:wait()
    assert.are.same({ "second" }, order)
    proxy:cancel_wait()
    close_all(front, back, push, pull)
  end))

  it("takes its turn among tasks that send to a peer [M16, H4]",
    fact(function()
      local front, push = side("pull", "push")
      local back = zmq.socket("router", { sndhwm = 1 })
      back:bind(sockets.address "inproc")
      local peers = {}
      for name in ("de"):gmatch "." do
        peers[name] = zmq.socket("dealer", { identity = name, rcvhwm = 1 })
        peers[name]:connect(back.last_endpoint)
        peers[name]:send "here"
        assert.are.equal(name, (back:recv()))
      end
      local proxy = start(front, back)
      local receive_all = ten_and_one(back, "d")
      -- No task waits to send to "e".
      push:send("e", "passes")
      assert.are.equal("passes", peers.e:recv())
      push:send("d", "one")
      settle()
      receive_all(peers.d)
      proxy:cancel_wait()
      close_all(front, push, back, peers.d, peers.e)
    end))

  it("takes its turn among tasks that send [M16, H4]", fact(function()
    local front, back, push, pull = one_way(1)
    local proxy = start(front, back)
    local receive_all = ten_and_one(back)
    push:send "one"
    settle()
    receive_all(pull)
    proxy:cancel_wait()
    close_all(front, back, push, pull)
  end))

  it("shows in a dump what each of its parts waits for [M16]",
    fact(function()
      local front, back, push, pull = one_way(5)
      local ev = aw.EventLoop()
      ev:start(zmq.Proxy(front, back), helper.nop)
      ev:start(function()
        for _ = 1, 10 do
          aw.yield()
        end
        local dump = ev:dump()
        for _, text in ipairs { "waiting  proxy: recv PULL inproc://",
          "waiting  proxy: closed PULL inproc://" } do
          assert.is_truthy(dump:find(text, 1, true), dump)
        end
        ev:stop()
      end)
      ev:run()
      close_all(front, back, push, pull)
    end))
end)

describe("a proxy that cannot be made", function()
  local function bad(text, ...)
    local args = table.pack(...)
    places.blames_file(text, function()
      zmq.Proxy(table.unpack(args, 1, args.n))
    end)
  end

  it("is an error of the call [M16]", fact(function()
    local pull, pull2 = zmq.socket "pull", zmq.socket "pull"
    local push, req = zmq.socket "push", zmq.socket "req"
    bad("bad argument #1 to 'Proxy' (zmq socket expected, got no value)")
    bad("bad argument #1 to 'Proxy' (zmq socket expected, got table)", {}, push)
    bad("bad argument #2 to 'Proxy' (zmq socket expected, got no value)", pull)
    bad("bad argument #3 to 'Proxy' (zmq socket expected, got boolean)", pull,
      push, false)
    bad("bad argument #4 to 'Proxy' (zmq socket expected, got string)", pull,
      push, nil, "x")
    bad("nothing can pass between a PULL and a PULL socket", pull, pull2)
    bad("nothing can pass between a PULL and a PULL socket", pull, pull)
    bad("bad argument #3 to 'Proxy' (a PULL socket cannot be the capture: PUB, "
      .. "DEALER, PUSH or PAIR expected)", pull, push, pull2)
    bad("bad argument #4 to 'Proxy' (a REQ socket cannot be the control: PAIR, "
      .. "PULL, REP, SUB or DEALER expected)", pull, push, nil, req)
    bad("bad argument #3 to 'Proxy' (the back is the capture already)", pull,
      push, push)
    bad("bad argument #4 to 'Proxy' (the front is the control already)", pull,
      push, nil, pull)
    push:close()
    bad("Closed: proxy of PUSH socket", pull, push)
    close_all(pull, pull2, req)
  end))
end)

describe("the end of a proxy", function()
  it("by a cancel leaves all messages in their sockets [M18]", fact(function()
    local front, back, push, pull = one_way(2)
    local received = 0
    local sender = aw.start(function()
      for i = 1, 40 do
        push:send(tostring(i))
      end
    end)
    for round = 1, math.huge do
      local proxy = start(front, back)
      for _ = 1, round % 7 do
        aw.yield()
      end
      proxy:cancel_wait()
      local from = pull:poll("r", 0) ~= 0 and pull
        or round % 3 == 0 and front:poll("r", 0) ~= 0 and front
      if from then
        received = received + 1
        assert.are.equal(tostring(received), from:recv())
      end
      if received == 40 then
        break
      end
    end
    sender:wait()
    close_all(front, back, push, pull)
  end))

  it("is Closed, with the socket, when one is closed [M18]", fact(function()
    for i = 1, 3 do
      local front, back, push, pull = one_way(2)
      local capture = zmq.socket "push"
      local proxy = start(front, back, capture)
      settle()
      assert.are.equal("Proxy(PULL, PUSH)", proxy.name)
      local closed = ({ front, back, capture })[i]
      local name = ("Closed: proxy of %s socket"):format(i == 1 and "PULL"
        or "PUSH")
      closed:close()
      local err = raises(name, proxy.wait, proxy)
      assert.is_true(aw.is_closed(err))
      close_all(front, back, push, pull, capture)
    end
  end))

  it("is Closed while it waits for room, whichever is closed [M18]",
    fact(function()
      for i = 1, 2 do
        local front, push = side("pull", "push")
        local back = zmq.socket "push"
        local proxy = start(front, back)
        push:send "stays"
        settle()
        ;({ front, back })[i]:close()
        local err = raises("Closed: proxy of", proxy.wait, proxy)
        assert.is_true(aw.is_closed(err))
        if i == 2 then
          assert.are.equal("stays", front:recv())
        end
        close_all(front, back, push)
      end
    end))

  it("comes at once if its sockets are closed when it begins [M18]",
    fact(function()
      local front, back, push, pull = one_way(1)
      local proxy = zmq.Proxy(front, back)
      back:close()
      raises("Closed: proxy of PUSH socket", aw.await, proxy)
      close_all(front, back, push, pull)
    end))

  it("can be a time-out or a race, and it can run again [M18, M16]",
    fact(function()
      local front, back, push, pull = one_way(2)
      local proxy = zmq.Proxy(front, back):named "mine"
      assert.is_true(aw.is_timeout(select(2, pcall(aw.timeout, 0.001, proxy))))
      aw.await(proxy | aw.Sleep(0.001))
      push:send "m"
      local task = aw.start(proxy)
      assert.are.equal("m", pull:recv())
      task:cancel_wait()
      close_all(front, back, push, pull)
    end))
end)
