-- zmq.Proxy: its capture, its control socket, and the copy that does not fit.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local process = require "spec.support.process"
local sockets = require "spec.support.sockets"

local zmq, fact, pair_of, close_all =
  sockets.zmq, sockets.fact, sockets.pair_of, sockets.close_all
local raises = helper.raises

local function pipe_of(hwm)
  local options = { rcvhwm = hwm, sndhwm = hwm }
  local front, push = pair_of("pull", "push", "inproc", options)
  local back, pull = pair_of("push", "pull", "inproc", options)
  return front, back, push, pull
end

local function start(...)
  return aw.start(zmq.Proxy(...), aw.keep)
end

local function numbers(parts)
  local list = {}
  for i, part in ipairs(parts) do
    list[i] = string.unpack("=I8", part)
  end
  return list
end

--- Returns a function that sends a command, and returns the parts of the reply.
local function asker(peer)
  return function(command)
    peer:send(command)
    return peer:recv_multipart()
  end
end

local function steered(type, peer)
  local control, admin = pair_of(type, peer, "inproc")
  local front, back, push, pull = pipe_of(10)
  return { control = control, admin = admin, push = push, pull = pull,
    front = front, back = back, proxy = start(front, back, nil, control),
    close = function()
      close_all(control, admin, front, back, push, pull)
    end }
end

describe("the control of a proxy", function()
  it("pauses, resumes, counts and ends it, by a REP [M17]", fact(function()
    local s = steered("rep", "req")
    local ask = asker(s.admin)
    s.push:send("a", "bc")
    assert.are.same({ "a", "bc" }, s.pull:recv_multipart())
    assert.are.same({ "" }, ask "PAUSE")
    assert.are.same({ "" }, ask "PAUSE")
    s.push:send "later"
    assert.are.same({ 1, 3, 0, 0, 0, 0, 1, 3 }, numbers(ask "STATISTICS"))
    assert.are.equal(0, s.pull:poll("r", 0.01))
    assert.are.same({ "" }, ask "RESUME")
    assert.are.same({ "" }, ask "RESUME")
    assert.are.equal("later", s.pull:recv())
    assert.are.same({ 2, 8, 0, 0, 0, 0, 2, 8 }, numbers(ask "STATISTICS"))
    assert.are.same({ "" }, ask "TERMINATE")
    assert.are.equal(0, select("#", s.proxy:wait()))
    s.push:send "unread"
    assert.are.equal("unread", s.front:recv())
    s.close()
  end))

  it("counts both directions [M17]", fact(function()
    local control, admin = pair_of("pair", "pair", "inproc")
    local front, dealer = pair_of("dealer", "dealer", "inproc")
    local back, other = pair_of("dealer", "dealer", "inproc")
    local proxy = start(front, back, nil, control)
    dealer:send "12345"
    dealer:send "123"
    other:send "1"
    assert.are.same({ "12345", "123", "1" },
      { other:recv(), other:recv(), dealer:recv() })
    assert.are.same({ 2, 8, 1, 1, 1, 1, 2, 8 },
      numbers(asker(admin) "STATISTICS"))
    admin:send "TERMINATE"
    proxy:wait()
    close_all(control, admin, front, dealer, back, other)
  end))

  it("gives no reply but STATISTICS by a PAIR [M17]", fact(function()
    local s = steered("pair", "pair")
    s.admin:send "PAUSE"
    s.admin:send "RESUME"
    assert.are.equal(8, #asker(s.admin) "STATISTICS")
    s.admin:send "TERMINATE"
    s.proxy:wait()
    assert.are.equal(0, s.admin:poll("r", 0))
    s.close()
  end))

  it("takes commands by a PULL [M17]", fact(function()
    local s = steered("pull", "push")
    s.admin:send "PAUSE"
    s.admin:send "TERMINATE"
    s.proxy:wait()
    s.close()
  end))

  it("takes commands by a SUB [M17]", fact(function()
    local s = steered("sub", "xpub")
    s.control:subscribe ""
    s.admin:recv()
    s.admin:send "TERMINATE"
    s.proxy:wait()
    s.close()
  end))

  it("goes on after an unknown command, and warns of it [M17]", function()
    if not sockets.installed then
      pending "libzmq is not installed"
      return
    end
    local outcome = process.host [[
      local aw = require "aiowire"
      local zmq = aw.zmq
      local function steered(type, peer)
        local control = zmq.socket(type):bind("inproc://" .. type)
        local admin = zmq.socket(peer):connect("inproc://" .. type)
        local front, back = zmq.socket "pull", zmq.socket "push"
        return admin, aw.start(zmq.Proxy(front, back, nil, control))
      end
      local req, proxy = steered("rep", "req")
      local many = {}
      for i = 1, 1100 do many[i] = "x" end
      req.max_parts = 2000
      local function ask(...)
        req:send(...)
        print(table.concat(req:recv_multipart(), "|"))
      end
      ask "STOP\n"
      ask("PAUSE", "")
      req:send_multipart(many)
      print(req:recv())
      ask "TERMINATE"
      proxy:wait()
      local push, other = steered("pull", "push")
      push:send "STATISTICS"
      push:send "TERMINATE"
      other:wait()
    ]]
    assert.are.equal("unknown command 'STOP?'\n"
      .. "unknown command of 2 parts\nunknown command of too many parts\n\n",
      outcome.out)
    for _, text in ipairs { "Proxy: unknown command",
      "Proxy: a PULL socket cannot reply to STATISTICS" } do
      assert.is_truthy(outcome.err:find(text, 1, true), outcome.err)
    end
  end)

  it("is Closed, with the control, when that is closed [M18]", fact(function()
    local s = steered("rep", "req")
    aw.yield()
    s.control:close()
    raises("Closed: receive of REP socket", s.proxy.wait, s.proxy)
    s.close()
  end))

  it("notices a closed socket while it is paused [M18]", fact(function()
    local s = steered("rep", "req")
    asker(s.admin) "PAUSE"
    s.back:close()
    raises("Closed: proxy of PUSH socket", s.proxy.wait, s.proxy)
    s.close()
  end))
end)

describe("the capture of a proxy", function()
  it("leaves the parts in the error when it is closed [M18]", fact(function()
    local front, back, push, pull = pipe_of(10)
    local capture = zmq.socket "push"
    local proxy = start(front, back, capture)
    push:send("a", "b")
    pull:recv()
    capture:close()
    local err = raises("Closed: proxy of copy of a message for the capture, "
      .. "PUSH socket", proxy.wait, proxy)
    assert.is_true(aw.is_closed(err))
    assert.are.same({ "a", "b" }, err.parts)
    close_all(front, back, push, pull)
  end))

  for _, types in ipairs { { "pair", "pair" }, { "push", "pull" },
    { "dealer", "dealer" } } do
    it("gets a copy of each message, by a " .. types[1] .. " [M17]",
      fact(function()
        local front, back, push, pull = pipe_of(3)
        local capture, seen = pair_of(types[1], types[2], "inproc")
        local proxy = start(front, back, capture)
        for i = 1, 20 do
          local parts = { "m" .. i, ("x"):rep(i * 10), "" }
          push:send_multipart(parts)
          assert.are.same(parts, pull:recv_multipart())
          assert.are.same(parts, seen:recv_multipart())
        end
        proxy:cancel_wait()
        close_all(front, back, push, pull, capture, seen)
      end))
  end

  it("holds up the proxy when it is full [M17]", fact(function()
    local front, back, push, pull = pipe_of(10)
    local capture = zmq.socket "push"
    local proxy = start(front, back, capture)
    push:send "1"
    push:send "2"
    assert.are.equal("1", pull:recv())
    assert.are.equal(0, pull:poll("r", 0.01))
    local address = sockets.address "inproc"
    local seen = zmq.socket("pull"):bind(address)
    capture:connect(address)
    assert.are.same({ "1", "2" }, { seen:recv(), seen:recv() })
    assert.are.equal("2", pull:recv())
    proxy:cancel_wait()
    close_all(front, back, push, pull, capture, seen)
  end))

  it("drops copies that a PUB has no subscriber for [M17]", fact(function()
    local front, back, push, pull = pipe_of(10)
    local capture = zmq.socket "pub"
    local proxy = start(front, back, capture)
    for i = 1, 20 do
      push:send("m" .. i)
      assert.are.equal("m" .. i, pull:recv())
    end
    proxy:cancel_wait()
    close_all(front, back, push, pull, capture)
  end))

  it("gets its last copy within the grace of a cancel [M18]", fact(function()
    local front, back, push, pull = pipe_of(10)
    local capture = zmq.socket "push"
    local proxy = start(front, back, capture)
    push:send("a", "b")
    pull:recv()
    proxy:cancel "enough"
    local address = sockets.address "inproc"
    local seen = zmq.socket("pull"):bind(address)
    capture:connect(address)
    assert.are.same({ "a", "b" }, seen:recv_multipart())
    assert.is_false((pcall(proxy.wait, proxy)))
    close_all(front, back, push, pull, capture, seen)
  end))

  it("does not hold up TERMINATE for ever [M18]", fact(function()
    local front, back, push, pull = pipe_of(10)
    local control, admin = pair_of("rep", "req", "inproc")
    local capture = zmq.socket("push", { hwm = 1 })
    local proxy = start(front, back, capture, control)
    push:send("a", "b")
    assert.are.same({ "a", "b" }, pull:recv_multipart())
    admin:send "TERMINATE"
    assert.are.equal("", admin:recv())
    local err = helper.caught(proxy.wait, proxy)
    assert.are.same({ "EAGAIN", "a", "b" }, { err.code,
      table.unpack(err.parts) })
    close_all(front, back, push, pull, control, admin, capture)
  end))

  it("leaves the parts in the error when the grace is over [M18]",
    fact(function()
      local front, back, push, pull = pipe_of(10)
      local capture = zmq.socket "push"
      local proxy = aw.start(zmq.Proxy(front, back, capture), aw.keep,
        { grace = 0.01 })
      push:send("a", "", "b")
      push:send "next"
      pull:recv()
      proxy:cancel "enough"
      local err = raises("copy of a message for the capture", proxy.wait, proxy)
      assert.is_true(aw.is_system_error(err))
      assert.are.same({ "a", "", "b" }, err.parts)
      assert.are.equal("capture", err.direction)
      assert.are.equal("EAGAIN", err.code)
      assert.are.equal("next", front:recv())
      close_all(front, back, push, pull, capture)
    end))
end)
