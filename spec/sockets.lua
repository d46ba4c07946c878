--- What the specs of zmq sockets share.
---
--- libzmq closes descriptors in a thread of its own, a moment after a socket is
--- closed: `sealed` waits for that before it looks for leaks.

local addresses = require "spec.addresses"
local aw = require "aiowire"
local helper = require "spec.helper"
local lfs = require "lfs"

local M = {}

-- Seconds until something is taken to hang, however busy the machine is.
M.PATIENCE = 120

local zmq = require "aiowire.zmq"

--- Is libzmq there at all?
M.installed = pcall(zmq.version)

local function descriptors()
  local count = 0
  for _ in lfs.dir("/proc/self/fd") do
    count = count + 1
  end
  return count
end

local function wait_for_descriptors(wanted)
  local patience = os.time() + M.PATIENCE
  while descriptors() > wanted and os.time() < patience do
    aw.run(aw.Sleep(0.005))
  end
end

--- The shared context has threads and descriptors that stay. The first socket
--- opens them besides its own; how many are its own, the second one shows.
local function open_context()
  if not M.opened then
    M.opened = true
    local first = zmq.socket "pair"
    local with_first = descriptors()
    local second = zmq.socket "pair"
    local own = descriptors() - with_first
    first:close()
    second:close()
    wait_for_descriptors(with_first - own)
  end
end

--- For code that is leak-checked in smaller pieces: `M.mark()` before sockets
--- are opened, `M.close(mark, ...)` closes them, and returns when libzmq has
--- closed all that came since. It blocks, for it may stand in a `<close>`.
M.mark = descriptors

function M.close(mark, ...)
  for _, s in ipairs { ... } do
    s:close(0)
  end
  local patience = os.time() + M.PATIENCE
  while descriptors() > mark and os.time() < patience do
    assert(true)
  end
end

M.open_context = open_context

--- Run `f` in a task; nothing may be left when it has ended.
function M.run(f)
  local _ <close> = addresses.scope()
  open_context()
  helper.leak_checked(function()
    local before = descriptors()
    aw.run(function()
      aw.timeout(M.PATIENCE, f)
    end)
    collectgarbage()
    collectgarbage()
    wait_for_descriptors(before)
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
return M
