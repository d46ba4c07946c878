--- Helpers of the specs of zmq sockets.
---
--- libzmq closes descriptors in its own threads, a moment after a socket is
--- closed. The leak check of helper.lua waits for that. libzmq also opens some
--- descriptors once for the process; open_context() does that before the tests.

local addresses = require "spec.support.addresses"
local aw = require "aiowire"
local helper = require "spec.support.helper"

local M = {}

-- After so many seconds a test has failed, even on a busy machine.
M.PATIENCE = 120

local zmq = require "aiowire.zmq"

--- True if libzmq is installed.
M.installed = pcall(zmq.version)

--- Bind the first socket, which opens the threads and descriptors of the shared
--- context. The context and its descriptors stay open. The descriptors of the
--- socket itself may close a moment later, during the first test, which is no
--- leak.
local function open_context()
  if not M.opened then
    M.opened = true
    zmq.socket("pair"):bind("tcp://127.0.0.1:*"):close()
  end
end

M.open_context = open_context

--- Run `f` in a task, under leak_checked().
function M.run(f)
  local _ <close> = addresses.scope()
  open_context()
  helper.leak_checked(function()
    aw.run(function()
      aw.timeout(M.PATIENCE, f)
    end)
    -- In the program, background tasks of the loop around this one, such as
    -- that of an authenticator, end in turns of their own.
    for _ = 1, 5 do
      pcall(aw.sleep, 0)
    end
  end)
end

--- End the current test as pending if libzmq is not installed.
function M.needed()
  if not M.installed then
    helper.pending "libzmq is not installed"
  end
end

--- Returns a function for `it` that runs `f` under run(), if libzmq is
--- installed.
function M.fact(f)
  return function()
    M.needed()
    M.run(f)
  end
end

--- Returns two sockets: the first is bound to a new address of `transport`, the
--- second is connected to it.
function M.pair_of(bound, connected, transport, options)
  local a, b = zmq.socket(bound, options), zmq.socket(connected, options)
  a:bind(M.address(transport))
  b:connect(a.last_endpoint)
  return a, b
end

--- address(transport): returns a new address to bind to.
M.address = addresses.fresh

M.zmq = zmq
--- Close all of these sockets.
function M.close_all(...)
  for _, s in ipairs { ... } do
    s:close()
  end
end

return M
