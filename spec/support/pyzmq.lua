--- Peers in pyzmq, another implementation of the sockets: see
--- spec/zmq/zmq_peer.py, which has their roles.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local process = require "spec.support.process"
local sockets = require "spec.support.sockets"

local M = {}

--- The interpreter that has pyzmq.
M.PYTHON = "/usr/bin/python3"

--- True if pyzmq is installed.
M.available = sockets.installed
  and (os.execute(M.PYTHON .. " -c 'import zmq' 2>/dev/null"))

--- Returns the command that runs a peer, for aw.spawn and aw.exec.
---@param role string such as "server rep": it binds, or "client rep"
function M.command(role, address)
  return { M.PYTHON, process.root .. "/spec/zmq/zmq_peer.py", role, address }
end

--- Start a peer. Returns a function that waits for it, and returns its output;
--- and its task.
function M.start(role, address)
  local command = M.command(role, address)
  command.check, command.stderr = true, "pipe"
  local peer = aw.start(aw.Exec(command))
  return function()
    return peer:wait().out
  end, peer
end

--- Returns a function for `it` that runs `f` under sockets.run(), if pyzmq is
--- installed.
function M.fact(f)
  return M.available and sockets.fact(f) or function()
    helper.pending "python3-zmq is not installed"
  end
end

--- Returns a function for `it` that starts a peer and calls
--- `f(address, join, task)`, with what start() returns.
function M.fact_with(role, f)
  return M.fact(function()
    local address = sockets.address "ipc"
    f(address, M.start(role, address))
  end)
end

return M
