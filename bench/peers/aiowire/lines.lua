-- lines.lua N: reads N lines from the standard output of a program.
local aw = require "aiowire"

local left = tonumber(arg[1])
aw.run(function()
  local child <close> = aw.spawn { "yes", ("x"):rep(50) }
  for _ in child.stdout:lines() do
    left = left - 1
    if left < 0 then
      break
    end
  end
end)
