#!/usr/bin/env aiowire
-- A server on one page. Each line of standard input is a command. Commands run
-- at the same time, each with a time-out, and a ticker shows how many are under
-- way. The server ends at the end of its input, or by Ctrl-C, which also ends
-- the commands that still run.
--
--     printf '%s\n' 'echo hello' 'sleep 60' 'exit 3' | aiowire 09_server.lua
local aw = require "aiowire"

local LIMIT <const> = 0.5 -- seconds for each command
local running, served = 0, 0

--- A body that runs one command. Its failure does not stop the server.
local function serve(_, line)
  running = running + 1
  local command = { "sh", "-c", line, group = true } -- and its children
  local ok, result = aw.pcall(aw.timeout, LIMIT, aw.exec, command)
  running, served = running - 1, served + 1
  if ok then
    print(("%s: %s"):format(line, result.ok and "ok"
      or "code " .. (result.code or "of a signal")))
    io.write(result.out, result.err)
  else
    print(("%s: %s"):format(line, result))
  end
end

local function report()
  while true do
    aw.sleep(0.2)
    print(("-- %d under way, %d served"):format(running, served))
  end
end

--- Commands for a run without input.
local function demo()
  return aw.spawn({ "printf", "%s\\n", "echo hello", "sleep 60", "exit 3" })
    .stdout
end

aw.run(function(ev)
  ev:start(report, nil, { background = true })
  local first = aw.stdin:read()
  local input = first and aw.stdin or demo()
  aw.scope(function(s)
    local line = first or input:read()
    while line do
      s:start(aw.Wire(serve, line))
      line = input:read()
    end
  end)
  print(("served %d commands"):format(served))
end)
