-- A message arrives whole or not at all, even if a peer dies [ZQ7].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local parts_of = require "spec.zmq.zmq_parts"
local process = require "spec.support.process"
local sockets = require "spec.support.sockets"

local zmq = sockets.zmq
local new_message, is_well_formed = parts_of.new, parts_of.is_well_formed

describe("a well-formed message", function()
  it("is recognized by the check of this spec [ZQ7]", function()
    local parts = new_message(math.random)
    assert.is_true(is_well_formed(parts))
    assert.is_false(is_well_formed { table.unpack(parts, 2) })
    parts[#parts + 1] = "more"
    assert.is_false(is_well_formed(parts))
  end)
end)

--- Send messages from a bound socket to peers of type `type`, which are closed
--- at random moments, until some messages have arrived. Returns the numbers of
--- well-formed and of malformed messages.
local function storm(sender_type, type, transport, rounds)
  local good, bad = 0, 0
  local sender = zmq.socket(sender_type, { sndhwm = 3, linger = 0 })
  sender:bind(sockets.address(transport))
  local sending = aw.start(function()
    while true do
      sender:send_multipart(new_message(math.random))
    end
  end)
  local begun = 0
  while begun < rounds or good == 0 do
    begun = begun + 1
    local peer = zmq.socket(type, { rcvhwm = 2, linger = 0 })
    peer:connect(sender.last_endpoint)
    local receiving = aw.start(function()
      while true do
        if is_well_formed(peer:recv_multipart()) then
          good = good + 1
        else
          bad = bad + 1
        end
      end
    end)
    aw.sleep(math.random() * 0.01)
    receiving:cancel_wait()
    peer:close()
  end
  sending:cancel_wait()
  sender:close()
  return good, bad
end

-- Peers in processes of their own, which are killed at random moments. --------

local ROUNDS <const> = helper.scale(12) -- with at least one message each

--- Start a peer (see zmq_parts.lua), and kill it at a random moment after
--- `works()` returns true. Returns the lines that it printed.
local function kill_one(role, type, address, works)
  local victim <close> = aw.spawn { process.binary,
    process.root .. "/spec/zmq/zmq_parts.lua", role, type, address }
  local said = { victim.stdout:read() } -- the peer has begun
  helper.wait_until(works)
  aw.sleep(math.random() * 0.005)
  victim:kill "KILL"
  victim:wait()
  for line in victim.stdout:lines() do
    said[#said + 1] = line
  end
  return said
end

--- Receive from senders that are killed, at a bound socket of `type`. Returns
--- the numbers of well-formed and of malformed messages.
local function from_the_killed(type, sender_type, transport)
  local good, bad = 0, 0
  local s = zmq.socket(type, { linger = 0 })
  s:bind(sockets.address(transport))
  local receiving = aw.start(function()
    while true do
      local whole = is_well_formed(s:recv_multipart())
      good, bad = good + (whole and 1 or 0), bad + (whole and 0 or 1)
    end
  end)
  for _ = 1, ROUNDS do
    local before = good
    kill_one("send", sender_type, s.last_endpoint, function()
      return good > before
    end)
  end
  receiving:cancel_wait()
  s:close()
  return good, bad
end

--- Send to receivers that are killed. Returns the numbers of well-formed and of
--- malformed messages that they reported.
local function to_the_killed(type, receiver_type, transport)
  local good, bad = 0, 0
  local s = zmq.socket(type, { linger = 0 })
  s:bind(sockets.address(transport))
  local sending = aw.start(function()
    while true do
      s:send_multipart(new_message(math.random))
    end
  end)
  local function at_once()
    return true -- the peer has reported a message
  end
  for _ = 1, ROUNDS do
    for _, word in ipairs(kill_one("receive", receiver_type, s.last_endpoint,
      at_once))
    do
      good = good + (word == "good" and 1 or 0)
      bad = bad + (word == "bad" and 1 or 0)
    end
  end
  sending:cancel_wait()
  s:close()
  return good, bad
end

describe("a peer that is killed", function()
  for _, case in ipairs {
    { "while it sends", from_the_killed, "pull", "push" },
    { "while it sends", from_the_killed, "dealer", "dealer" },
    { "while it receives", to_the_killed, "push", "pull" },
    { "while it receives", to_the_killed, "dealer", "dealer" } } do
    local when, storm_of, ours, theirs = table.unpack(case)
    for _, transport in ipairs { "ipc", "tcp" } do
      it(("%s, as %s of a %s over %s, leaves no part of a message [ZQ7]")
        :format(when, theirs, ours, transport), sockets.fact(function()
          local _, bad = storm_of(ours, theirs, transport)
          assert.are.equal(0, bad)
        end))
    end
  end
end)

describe("a message of several parts", function()
  for _, pattern in ipairs {
    { "push", "pull" }, { "dealer", "dealer" } } do
    for _, transport in ipairs { "inproc", "ipc", "tcp" } do
      it(("is never cut from %s to %s over %s, while peers come and go [ZQ7]")
        :format(pattern[1], pattern[2], transport), sockets.fact(function()
          local _, bad = storm(pattern[1], pattern[2], transport,
            helper.scale(30))
          assert.are.equal(0, bad)
        end))
    end
  end

  it("wakes its receiver when all of its large parts are there [ZQ7]",
    sockets.fact(function()
      local pull, push = sockets.pair_of("pull", "push", "tcp")
      local parts = { ("a"):rep(100000), ("b"):rep(200000), "c" }
      local t = aw.start(function()
        return aw.Value(pull:recv_multipart())
      end)
      push:send_multipart(parts)
      assert.are.same(parts, t:wait())
      pull:close()
      push:close()
    end))
end)

-- The strings of ids that were received lately are kept: known_id.c. ----------

--- Returns ids of all lengths that libzmq allows, some of which differ in their
--- first byte only.
local function make_ids()
  local ids = {}
  for size = 1, 255, 7 do
    for _, letter in ipairs { "a", "b", "c" } do
      ids[#ids + 1] = letter .. ("x"):rep(size - 1)
    end
  end
  return ids
end

describe("the ids of many peers", function()
  it("are those that the peers have, however often they come [ZQ7]",
    sockets.fact(function()
      local router = zmq.socket("router"):bind(sockets.address("inproc"))
      local ids, peers = make_ids(), {}
      for i, id in ipairs(ids) do
        peers[i] = zmq.socket("dealer", { identity = id })
        peers[i]:connect(router.last_endpoint)
      end
      for round = 1, 6 do
        for i, peer in ipairs(peers) do
          peer:send(tostring(i))
          local id, body = router:recv()
          assert.are.equal(ids[tonumber(body)], id)
          if (i + round) % 3 == 0 then
            collectgarbage()
          end
        end
      end
      peers[7]:send("again")
      assert.are.same({ ids[7], "again" }, router:recv_multipart())
      router:close()
      sockets.close_all(table.unpack(peers))
    end))
end)
