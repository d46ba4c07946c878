-- A message is whole or not there, whatever becomes of the peers (Z7).

local aw = require "aiowire"
local helper = require "spec.helper"
local sockets = require "spec.sockets"

local zmq = sockets.zmq

--- A message of 2 to 9 parts: how many, then each with its place and a word.
local function new_message(random)
  local parts, word = {}, ("%08x"):format(random(0xffffffff))
  local count = random(2, 9)
  parts[1] = ("%d %s"):format(count, word)
  for i = 2, count do
    parts[i] = ("%d %s%s"):format(i, word, ("x"):rep(random(0, 60)))
  end
  return parts
end

--- Is it one of those, with nothing missing or mixed in?
local function is_well_formed(parts)
  local count, word = (parts[1] or ""):match "^(%d+) (%x+)$"
  if not count or tonumber(count) ~= #parts then
    return false
  end
  for i = 2, #parts do
    local place, same = parts[i]:match "^(%d+) (%x%x%x%x%x%x%x%x)"
    if tonumber(place) ~= i or same ~= word then
      return false
    end
  end
  return true
end

describe("a well-formed message", function()
  it("is told from others [Z7]", function()
    local parts = new_message(math.random)
    assert.is_true(is_well_formed(parts))
    assert.is_false(is_well_formed { table.unpack(parts, 2) })
    parts[#parts + 1] = "more"
    assert.is_false(is_well_formed(parts))
  end)
end)

--- Send by `sender`, which is bound, to peers of type `type` that are closed
--- at random, in the middle of whatever they do. Returns what came: well
--- formed, malformed.
local function storm(sender_type, type, transport, rounds)
  local good, bad = 0, 0
  local sender = zmq.socket(sender_type, { sndhwm = 3, linger = 0 })
  sender:bind(sockets.address(transport))
  local sending = aw.start(function()
    while true do
      sender:send_multipart(new_message(math.random))
    end
  end)
  for _ = 1, rounds do
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

describe("a message of several parts", function()
  for _, pattern in ipairs {
    { "push", "pull" }, { "dealer", "dealer" } } do
    for _, transport in ipairs { "inproc", "ipc", "tcp" } do
      it(("is never cut from %s to %s over %s, while peers come and go [Z7]")
        :format(pattern[1], pattern[2], transport), sockets.fact(function()
          local good, bad = storm(pattern[1], pattern[2], transport,
            helper.scale(30))
          assert.are.equal(0, bad)
          assert.is_true(good > 0)
        end))
    end
  end

  it("is whole for its task when parts are slow to come [Z7]",
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
