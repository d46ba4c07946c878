--- What the specs of zmq sockets share.
---
--- libzmq closes descriptors in a thread of its own, a moment after a socket is
--- closed. The leak check of helper.lua waits for that; here are only the
--- descriptors that libzmq opens once.

local addresses = require "spec.support.addresses"
local aw = require "aiowire"
local helper = require "spec.support.helper"

local M = {}

-- Seconds until something is taken to hang, however busy the machine is.
M.PATIENCE = 120

local zmq = require "aiowire.zmq"

--- Is libzmq there at all?
M.installed = pcall(zmq.version)

--- The shared context has threads and descriptors that stay: the first socket
--- opens them. Those of the socket itself may still be open when this returns,
--- and then they close in the middle of the first test, which is no leak.
local function open_context()
  if not M.opened then
    M.opened = true
    zmq.socket("pair"):close()
  end
end

M.open_context = open_context

--- Run `f` in a task; nothing may be left when it has ended.
function M.run(f)
  local _ <close> = addresses.scope()
  open_context()
  helper.leak_checked(function()
    aw.run(function()
      aw.timeout(M.PATIENCE, f)
    end)
  end)
end

--- A fact for `it` about sockets: `f`, in a task, leak-checked.
function M.fact(f)
  return function()
    if not M.installed then
      helper.pending "libzmq is not installed"
    end
    M.run(f)
  end
end

--- Two sockets, the first bound at a fresh address of `transport`, the second
--- connected to it.
function M.pair_of(bound, connected, transport, options)
  local a, b = zmq.socket(bound, options), zmq.socket(connected, options)
  a:bind(M.address(transport))
  b:connect(a.last_endpoint)
  return a, b
end

--- An address to bind to.
M.address = addresses.fresh

M.zmq = zmq
--- Close all of these sockets.
function M.close_all(...)
  for _, s in ipairs { ... } do
    s:close()
  end
end

return M
