--- Connected sockets for specs, as two streams or as a stream and a descriptor.
---
--- A socket becomes a Stream by an inner function of the library, so that specs
--- of streams need neither a server nor a connect.

local aw = require "aiowire"
local d = require "spec_descriptors"
local helper = require "spec.support.helper"

local M = {}

--- Returns the inner functions of the library.
local function inner_functions()
  for _, value in pairs(debug.getregistry()) do
    if type(value) == "table" and rawget(value, "module") == aw then
      return value.inner
    end
  end
end

--- Returns a stream over the socket `fd`, which belongs to the stream now.
---@param fd integer
---@return aiowire.Stream
function M.stream(fd)
  return inner_functions().socket_stream(fd)
end

--- Let a socket linger for less than 30 s after its close.
---@param s aiowire.Stream
---@param seconds number
function M.linger(s, seconds)
  inner_functions().stream_linger(s, seconds)
end

--- Returns two connected streams.
---@param kind? "unix"|"tcp"
---@return aiowire.Stream, aiowire.Stream
function M.pair(kind)
  local a, b = d.sockets(kind)
  return M.stream(a), M.stream(b)
end

--- Returns a function for `it` that runs `f(ev, a, b)` in a loop, with two
--- connected streams, which are closed after that.
---@param kind "unix"|"tcp"
---@param f fun(ev: aiowire.EventLoop, a: aiowire.Stream, b: aiowire.Stream)
---@return fun()
function M.connected(kind, f)
  return function()
    helper.run(function(ev)
      local a, b = M.pair(kind)
      local _ <close> = a
      local _ <close> = b
      f(ev, a, b)
    end)
  end
end

--- Returns a stream, and the descriptor of its peer.
---@param kind? "unix"|"tcp"
---@return aiowire.Stream, integer
function M.half(kind)
  local a, b = d.sockets(kind)
  return M.stream(a), b
end

return M
