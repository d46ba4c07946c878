-- files.lua N FOLDER: reads N small files, 8 at a time.
local aw = require "aiowire"

local AT_ONCE <const> = 8
local left, folder = tonumber(arg[1]), arg[2]

local function work()
  while left > 0 do
    left = left - 1
    aw.fs.read(folder .. "/" .. left)
  end
end

aw.run(function(ev)
  for _ = 1, AT_ONCE do
    ev:start(work)
  end
end)
