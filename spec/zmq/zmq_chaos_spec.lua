-- Five peers, one of which is killed at any time, again and again: see
-- spec/zmq/zmq_chaos.lua. Whatever was acknowledged was received once, and
-- nothing arrives twice, out of order or in pieces.
-- AIOWIRE_ZMQ_RESTARTS=1000 runs longer.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local process = require "spec.support.process"
local sockets = require "spec.support.sockets"
local chaos = require "spec.zmq.zmq_chaos"
local parts_of = require "spec.zmq.zmq_parts"

local zmq = sockets.zmq

local PEERS <const> = 5
local asked = tonumber(os.getenv "AIOWIRE_ZMQ_RESTARTS")
local RESTARTS <const> = math.tointeger(asked or helper.scale(40))
if asked then
  sockets.PATIENCE = 3600
end

--- Accept a number of a peer, once. If it leaves out another one, a message was
--- lost.
local function take(peer, number)
  assert.is_true(number <= peer.accepted + 1, "a number was lost")
  peer.accepted = math.max(peer.accepted, number)
end

--- Serve the peers. After a handover, libzmq gives what is left of the former
--- connection under a number, an id of five bytes. The peer sends it again.
local function accept(hub)
  while true do
    local parts = hub.numbers:recv_multipart()
    local id, number = parts[1], tonumber(parts[2])
    local peer = hub.peers[id]
    if number then
      assert.is_true(parts_of.is_well_formed { table.unpack(parts, 3) })
    end
    if peer and number then
      take(peer, number)
    end
    if peer then
      hub.numbers:send(id, peer.accepted) -- to nobody, if it was killed
    else
      assert.is_truthy(id:match "^\0....$", id)
    end
  end
end

local function tick(hub)
  local number = 0
  while true do
    number = number + 1
    hub.ticks:send(number, hub.stopping and "stop" or "go on")
    aw.sleep(0.001)
  end
end

--- Read what one run of a peer writes, to its end: lines of three kinds, the
--- numbers of each of which grow.
local function read(child, last)
  for line in child.stdout:lines() do
    local what, number = line:match "^(%a+) (%d+)$"
    number = tonumber(number)
    assert.is_true(last[what] ~= nil and number > last[what], line)
    last[what] = number
  end
end

local function start(hub, peer)
  peer.child = aw.spawn { process.binary,
    process.root .. "/spec/zmq/zmq_chaos.lua", peer.name,
    hub.numbers.last_endpoint, hub.ticks.last_endpoint,
    cwd = process.root, stdin = "null", stderr = "stdout" }
  peer.begun = peer.accepted
  peer.last = { acked = -1, tick = 0, done = -1 }
  peer.reading = hub.scope:start(aw.Call(read, peer.child, peer.last))
end

--- Kill a peer at some moment after it has heard a tick and got on.
local function kill(peer)
  helper.wait_until(function()
    return peer.last.tick > 0 and peer.last.acked > peer.begun
  end)
  aw.sleep(math.random() * 0.005)
  peer.child:kill "KILL"
  peer.reading:wait()
  peer.child:close()
  local ahead = peer.accepted - peer.last.acked
  assert.is_true(ahead >= 0 and ahead <= chaos.WINDOW)
end

local function new_hub(transport, scope)
  local hub = { scope = scope, peers = {},
    numbers = zmq.socket("router", { router_handover = true, linger = 0 })
      :bind(sockets.address(transport)),
    ticks = zmq.socket("pub", { linger = 0 }):bind(sockets.address(transport)) }
  for i = 1, PEERS do
    local name = "peer" .. i
    hub.peers[name] = { name = name, accepted = 0 }
  end
  return hub
end

--- Let the peers finish: what each has sent is what was accepted.
local function finish(hub)
  hub.stopping = true
  for name, peer in pairs(hub.peers) do
    peer.reading:wait()
    assert.are.same({ ok = true, code = 0 }, peer.child:wait())
    assert.are.equal(peer.accepted, peer.last.done, name)
    assert.are.equal(peer.accepted, peer.last.acked, name)
    peer.child:close()
  end
end

local function run(transport)
  aw.scope(function(scope)
    local hub = new_hub(transport, scope)
    local _ <close> = hub.numbers
    local _ <close> = hub.ticks
    local serving = { scope:start(aw.Call(accept, hub)),
      scope:start(aw.Call(tick, hub)) }
    for _, peer in pairs(hub.peers) do
      start(hub, peer)
    end
    for _ = 1, RESTARTS do
      local peer = hub.peers["peer" .. math.random(PEERS)]
      kill(peer)
      start(hub, peer)
    end
    finish(hub)
    for _, task in ipairs(serving) do
      task:cancel_wait()
    end
  end)
end

describe("peers that are killed again and again", function()
  for _, transport in ipairs { "ipc", "tcp" } do
    it(("lose nothing acknowledged over %s, and repeat nothing [ZQ7, C6]")
      :format(transport), sockets.fact(function()
        run(transport)
      end))
  end
end)
