#!/usr/bin/env aiowire
-- Pictures of a program: what a wire would do, and what a loop does. They are
-- Mermaid, which GitHub and many editors show; "dot" is for Graphviz.
--
--     aiowire 41_picture.lua
--     aiowire 41_picture.lua dot | dot -Tsvg -o picture.svg
--     aiowire --graph=picture.mmd 41_picture.lua   the last loop, not run
local aw = require "aiowire"

local format <const> = ...

-- A wire: nothing of it runs.
local function fetch(_, page)
  aw.sleep(0.01)
  return aw.Value(page)
end
local function cached() end
local function store() end

local page = aw.Wire(fetch, "news"):timeout(2):retry { times = 3 } // cached
local update = page >> store

-- A loop: readers that wait for jobs, and a machine whose bodies return the
-- next state.
local idle, busy
local jobs = aw.channel(2, { name = "jobs" })

function idle()
  return jobs:recv() and busy
end

function busy()
  aw.sleep(0.01)
  return idle
end

local function reader()
  jobs:recv()
end

local function watch(ev)
  ev:start(aw.Wire(idle))
  for _ = 1, 5 do
    jobs:send "a job"
    aw.sleep(0.02)
  end
  for _ = 1, 3 do
    ev:start(aw.Wire(reader):named "reader")
  end
  aw.sleep(0.02)
  print(aw.graph(ev, format))
  ev:stop()
end

if not format then
  print(aw.graph(update))
end
aw.run(watch)
