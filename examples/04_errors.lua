#!/usr/bin/env aiowire
-- Errors: where they go, and what an info tells about them.
local aw = require "aiowire"

local function fetch(_, url)
  aw.sleep(0.02)
  error({ code = 404, url = url }) -- any value; it arrives unchanged
end

local function request()
  return aw.Wire(fetch, "/missing") -- the chain inherits the handler
end

-- 1. `start` takes a handler. It is called once, with the error itself and an
--    `info` about it. The loop and its other tasks go on.
do
  local ev <close> = aw.EventLoop()
  ev:start(request, function(_, err, info)
    print("handled:", err.code, err.url)
    print("started at:", info.started_at)
    print("states, newest first:")
    for _, name in ipairs(info.chain) do
      print("  " .. name)
    end
  end)
  ev:start(aw.Sleep(0.04) >> aw.Call(print, "the others never noticed"))
end

-- 2. Without a handler the loop stops and cleans up, and run() raises.
do
  local ev = aw.EventLoop()
  ev:start(request)
  ev:start(aw.Forever(aw.Sleep(0.01))) -- the stop cancels it
  local ok, err = pcall(ev.run, ev)
  print("unhandled:", ok, aw.is_unhandled(err), err.cause.code)
end

-- 3. In a body, errors are Lua's own: aw.pcall is pcall for code that awaits.
aw.run(function(ev)
  print("caught:", aw.pcall(aw.sleep, -1))

  local task = ev:start(request, aw.keep) -- wait() gets the error
  local ok, err = aw.pcall(task.wait, task)
  print("waited:", ok, err.code, task.status)
end)
