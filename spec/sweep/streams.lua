--- Scenarios of the sweep that are the same for plain streams and for TLS.

local aw = require "aiowire"
local socketpairs = require "spec.support.socketpairs"

local M = {}

--- Returns two connected plain streams, and a guard that closes them.
function M.open_plain(p)
  local a, b = socketpairs.pair "tcp"
  return a, b, p.guard(function()
    a:close()
    b:close()
  end)
end

--- Returns a scenario that copies in both directions.
---@param open_pair function as open_plain()
function M.copies(open_pair)
  return function(_, p)
    local a, b, guard = open_pair(p)
    local _ <close> = guard
    local c, d, other = open_pair(p)
    local _ <close> = other
    aw.scope(function(s)
      s:start(aw.Call(aw.copy, b, c))
      s:start(function()
        local _ <close> = p.guard()
        p.step(a.write, a, ("x"):rep(100000), "end")
        p.step(d.read_until, d, "end")
        p.step(a.shutdown, a)
      end)
      p.step(aw.copy, c, b, 0)
    end)
    p.step(d.write, d, "back")
    p.step(aw.copy, c, b, 4)
    p.step(a.read, a, 4)
  end
end

return M
