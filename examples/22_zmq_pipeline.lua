#!/usr/bin/env aiowire
-- Ventilator, workers, sink: numbers go to free workers, squares come back. The
-- addresses decide whether tasks, processes or machines work together.
--
--   aiowire examples/22_zmq_pipeline.lua                     in one process
--   aiowire examples/22_zmq_pipeline.lua ipc:///tmp/jobs ipc:///tmp/results
--   aiowire examples/22_zmq_pipeline.lua tcp://127.0.0.1:5580 \
--     tcp://127.0.0.1:5581
local aw = require "aiowire"
local zmq = require "aiowire.zmq"

local arguments = arg or {}
local JOBS <const> = arguments[1] or "inproc://jobs"
local RESULTS <const> = arguments[2] or "inproc://results"
local COUNT <const>, WORKERS <const> = 100, 4

local function ventilator()
  local jobs <close> = zmq.socket("push"):bind(JOBS)
  for i = 1, COUNT do
    jobs:send(i)
  end
  for _ = 1, WORKERS do
    jobs:send "done"
  end
end

local function worker(_, name)
  local jobs <close> = zmq.socket("pull", { rcvhwm = 1 }):connect(JOBS)
  local results <close> = zmq.socket("push"):connect(RESULTS)
  local done = 0
  for job in jobs.recv, jobs do
    if job == "done" then
      break
    end
    aw.sleep(0.001) -- stands for work
    results:send(job, job * job)
    done = done + 1
  end
  print(("worker %d did %d"):format(name, done))
end

local function sink()
  local results <close> = zmq.socket("pull"):bind(RESULTS)
  local sum = 0
  for _ = 1, COUNT do
    local _, square = results:recv()
    sum = sum + square
  end
  print(("sum of %d squares: %d"):format(COUNT, sum))
end

local ev <close> = aw.EventLoop { timeout = 5 }
ev:start(sink)
ev:start(ventilator)
for i = 1, WORKERS do
  ev:start(aw.Wire(worker, i))
end
