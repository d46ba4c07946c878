local aw = require "aiowire"

local count <const> = math.tointeger(arg[1])

aw.run(function(ev)
  local channel <const> = aw.channel()
  ev:start(function()
    for i = 1, count do
      channel:send(i)
    end
  end)
  for i = 1, count do
    assert(channel:recv() == i)
  end
end)
