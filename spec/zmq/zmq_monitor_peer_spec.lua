-- The events of a monitor, and the number of peers, against what a peer of
-- another implementation does: it connects, disconnects, is killed [M1, M4].

local aw = require "aiowire"
local pyzmq = require "spec.support.pyzmq"
local sockets = require "spec.support.sockets"

local zmq, fact = sockets.zmq, pyzmq.fact

-- Obeys lines: c connects a new socket, d closes the one made last.
local PEER <const> = [[
import sys, zmq
context, sockets = zmq.Context(), []
for line in sys.stdin:
    if line == "c\n":
        sockets.append(context.socket(zmq.DEALER))
        sockets[-1].connect(sys.argv[1])
    else:
        sockets.pop().close(0)
]]

local function expect(m, name)
  local e = m:recv()
  assert.are.equal(name, e.event)
  return e.value
end

for _, transport in ipairs { "tcp", "ipc" } do
  describe("a peer in pyzmq over " .. transport, function()
    it("is seen to connect, to disconnect, and to be killed [M1, M4]",
      fact(function()
        local s <close> = zmq.socket "router"
        local m <close> = s:monitor()
        s:bind(sockets.address(transport))
        expect(m, "listening")
        local peer <close> = aw.spawn { pyzmq.PYTHON, "-c", PEER,
          s.last_endpoint, stdin = "pipe" }
        local fds = {}
        for i = 1, 3 do
          peer.stdin:write "c\n"
          fds[i] = expect(m, "accepted")
          expect(m, "handshake_succeeded")
          assert.is_true(s:wait_peers(i))
        end

        peer.stdin:write "d\n"
        assert.are.equal(fds[3], expect(m, "disconnected"))
        assert.is_false((pcall(s.wait_peers, s, 3, 0)))
        assert.is_true(s:wait_peers(2, 0))

        peer:kill "KILL"
        local ended = { [expect(m, "disconnected")] = true,
          [expect(m, "disconnected")] = true }
        assert.are.same({ [fds[1]] = true, [fds[2]] = true }, ended)
        assert.is_false((pcall(s.wait_peers, s, 1, 0)))
        peer:wait()
      end))
  end)
end
