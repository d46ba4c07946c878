-- live.lua: the live bytes of a program of aiowire when all its tasks sleep.
--
--   aiowire bench/run/live.lua PROGRAM N     prints "live BYTES"
--
-- The bytes are those of Lua's live objects and of the core. The resident bytes
-- that measure.c prints also have what is free for the next tasks. PROGRAM
-- calls aw.run once.

local aw = require "aiowire"

local function live_bytes()
  collectgarbage()
  collectgarbage()
  return collectgarbage "count" * 1024 + aw.stats().bytes
end

local run <const> = aw.run
function aw.run(body)
  return run(function(ev)
    ev:start(body)
    aw.yield() -- the body starts all tasks
    aw.yield() -- all tasks sleep
    print(("live %.0f"):format(live_bytes()))
    os.exit(0, false)
  end)
end

local program <const> = table.remove(arg, 1)
dofile(program)
