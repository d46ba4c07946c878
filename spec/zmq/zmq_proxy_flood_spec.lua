-- zmq.Proxy under load: cancels at any moment, peers that are killed, and peers
-- of another implementation.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local parts = require "spec.zmq.zmq_parts"
local process = require "spec.support.process"
local pyzmq = require "spec.support.pyzmq"
local sockets = require "spec.support.sockets"

local zmq, fact, pair_of, close_all =
  sockets.zmq, sockets.fact, sockets.pair_of, sockets.close_all

local function start(...)
  return aw.start(zmq.Proxy(...), aw.keep)
end

--- Run a proxy that is cancelled again and again, each time after another
--- number of turns, until `finished()`.
local function run_with_cancels(wire, finished)
  for round = 1, math.huge do
    local proxy = aw.start(wire)
    for _ = 1, round % 11 do
      aw.yield()
    end
    if round % 50 == 0 then
      aw.sleep(0.001)
    end
    proxy:cancel_wait()
    if finished() then
      return
    end
  end
end

--- Send `count` messages, and receive them in a task that `take(message)`.
local function flood(push, pull, count, take)
  local tasks = {}
  tasks[1] = aw.start(function()
    for i = 1, count do
      push:send(tostring(i), ("x"):rep(i % 60), "end")
    end
  end)
  tasks[2] = aw.start(function()
    while true do
      local message = pull:recv_multipart()
      assert(#message == 3 and message[3] == "end", "a message in pieces")
      take(tonumber(message[1]))
    end
  end)
  return tasks
end

describe("a proxy that is cancelled at every moment", function()
  for _, transport in ipairs { "inproc", "tcp" } do
    it(("passes each message once, and in order, over %s [M18, M16]"):format(
      transport), fact(function()
        local COUNT <const> = helper.scale(1000)
        local options = { rcvhwm = 5, sndhwm = 5 }
        local front, push = pair_of("pull", "push", transport, options)
        local back, pull = pair_of("push", "pull", transport, options)
        local last = 0
        local tasks = flood(push, pull, COUNT, function(number)
          assert(number == last + 1, "out of order")
          last = number
        end)
        run_with_cancels(zmq.Proxy(front, back), function()
          return last == COUNT
        end)
        tasks[1]:wait()
        tasks[2]:cancel_wait()
        close_all(front, push, back, pull)
      end))
  end

  it("loses no request and no reply [M18]", fact(function()
    local COUNT <const>, MOST <const> = helper.scale(600), 8
    local options = { rcvhwm = 5, sndhwm = 5 }
    local front, dealer = pair_of("router", "dealer", "tcp", options)
    local back, worker = pair_of("dealer", "dealer", "tcp", options)
    local tokens, left, seen = aw.semaphore(MOST), COUNT, {}
    local work = aw.start(function()
      while true do
        worker:send_multipart(worker:recv_multipart())
      end
    end)
    local asking = aw.start(function()
      for i = 1, COUNT do
        tokens:acquire()
        dealer:send(tostring(i), "x")
      end
    end)
    local taking = aw.start(function()
      while left > 0 do
        local number = dealer:recv()
        assert(not seen[number], "a reply that comes twice")
        seen[number], left = true, left - 1
        tokens:release()
      end
    end)
    run_with_cancels(zmq.Proxy(front, back), function()
      return left == 0
    end)
    asking:wait()
    taking:wait()
    work:cancel_wait()
    close_all(front, dealer, back, worker)
  end))

  it("copies each message once for its capture [M17, M18]", fact(function()
    local COUNT <const> = helper.scale(300)
    local options = { rcvhwm = 5, sndhwm = 5 }
    local front, push = pair_of("pull", "push", "inproc", options)
    local back, pull = pair_of("push", "pull", "inproc", options)
    local capture, seen = pair_of("push", "pull", "inproc", options)
    local last, copied = 0, 0
    local tasks = flood(push, pull, COUNT, function(number)
      assert(number == last + 1, "out of order")
      last = number
    end)
    local watcher = aw.start(function()
      while true do
        assert(tonumber(seen:recv_multipart()[1]) == copied + 1, "a lost copy")
        copied = copied + 1
      end
    end)
    run_with_cancels(zmq.Proxy(front, back, capture), function()
      return last == COUNT and copied == COUNT
    end)
    tasks[1]:wait()
    tasks[2]:cancel_wait()
    watcher:cancel_wait()
    close_all(front, push, back, pull, capture, seen)
  end))

  it("stays whole while it is paused and resumed [M17]", fact(function()
    local COUNT <const> = helper.scale(500)
    local options = { rcvhwm = 5, sndhwm = 5 }
    local front, push = pair_of("pull", "push", "inproc", options)
    local back, pull = pair_of("push", "pull", "inproc", options)
    local control, admin = pair_of("rep", "req", "inproc")
    local proxy = start(front, back, nil, control)
    local last = 0
    local tasks = flood(push, pull, COUNT, function(number)
      assert(number == last + 1, "out of order")
      last = number
    end)
    while last < COUNT do
      for _, command in ipairs { "PAUSE", "RESUME" } do
        admin:send(command)
        admin:recv()
      end
    end
    admin:send "TERMINATE"
    admin:recv()
    proxy:wait()
    tasks[1]:wait()
    tasks[2]:cancel_wait()
    close_all(front, push, back, pull, control, admin)
  end))
end)

-- ---- peers in processes of their own ----

--- Start a peer of zmq_parts.lua, kill it while it works, and return its lines.
--- It lives longer in later rounds: on a busy machine connections take time.
local function kill_one(round, role, type, address)
  local victim <close> = aw.spawn { process.binary,
    process.root .. "/spec/zmq/zmq_parts.lua", role, type, address }
  local said = { victim.stdout:read() }
  aw.sleep(math.random() * 0.01 * round)
  victim:kill "KILL"
  victim:wait()
  for line in victim.stdout:lines() do
    said[#said + 1] = line
  end
  return said
end

describe("a proxy whose peers are killed", function()
  local ROUNDS <const> = 8

  for _, transport in ipairs { "ipc", "tcp" } do
    it("passes no message in pieces to them, over " .. transport .. " [M16]",
      fact(function()
        local front, push = pair_of("pull", "push", "inproc")
        local back = zmq.socket("push", { linger = 0 })
        back:bind(sockets.address(transport))
        local proxy = start(front, back)
        local sender = aw.start(function()
          while true do
            push:send_multipart(parts.new(math.random))
          end
        end)
        for round = 1, ROUNDS do
          for i, word in ipairs(kill_one(round, "receive", "pull",
            back.last_endpoint)) do
            -- the last line may be cut off
            assert.is_true(("good"):sub(1, #word) == word, i .. ": " .. word)
          end
        end
        sender:cancel_wait()
        proxy:cancel_wait()
        close_all(front, push, back)
      end))

    it("passes no message in pieces from them, over " .. transport .. " [M16]",
      fact(function()
        -- Without a limit, libzmq never stops reading from a peer. If it has
        -- stopped, and the peer dies while libzmq has something to send to it,
        -- libzmq 4.3.4 may abort the program (assertion !_io_error).
        local front = zmq.socket("dealer", { rcvhwm = 0 })
        front:bind(sockets.address(transport))
        local back, pull = pair_of("dealer", "dealer", "inproc")
        local proxy = start(front, back)
        local good = 0
        local receiver = aw.start(function()
          while true do
            assert(parts.is_well_formed(pull:recv_multipart()))
            good = good + 1
          end
        end)
        -- What a peer says to have sent may wait for its connection.
        local round = 0
        repeat
          round = round + 1
          kill_one(round, "send", "dealer", front.last_endpoint)
        until round >= ROUNDS and good > 0
        receiver:cancel_wait()
        proxy:cancel_wait()
        close_all(front, back, pull)
      end))
  end
end)

describe("two proxies in a chain", function()
  it("pass subscriptions and topics between peers of pyzmq [M16]",
    pyzmq.fact(function()
      local addresses = {}
      for i = 1, 3 do
        addresses[i] = sockets.address "ipc"
      end
      local outer, inner = zmq.socket "xpub", zmq.socket "xsub"
      local outer2, inner2 = zmq.socket "xpub", zmq.socket "xsub"
      inner:bind(addresses[1])
      outer:bind(addresses[2])
      inner2:connect(addresses[2])
      outer2:bind(addresses[3])
      local first, second = start(inner, outer), start(inner2, outer2)
      local published = pyzmq.start("client publish", addresses[1])
      local received = pyzmq.start("client sub", addresses[3])
      assert.are.equal("10\n", received())
      published()
      first:cancel_wait()
      second:cancel_wait()
      close_all(outer, inner, outer2, inner2)
    end))
end)
