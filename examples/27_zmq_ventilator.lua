#!/usr/bin/env aiowire
-- A ventilator hands out numbered jobs, workers do them, and a sink collects
-- the results. It tells the ventilator which numbers have come, and a job that
-- is not reported in time is sent again: its worker may have been killed.
--
--                         ┌─► worker ─┐
--   ventilator ──► JOBS ──┼─► worker ─┼──► RESULTS ──► sink
--       ▲                 └─► worker ─┘                  │
--       └──────────────────── REPORTS ◄──────────────────┘
--
--   aiowire examples/27_zmq_ventilator.lua ventilator JOBS REPORTS N
--   aiowire examples/27_zmq_ventilator.lua worker JOBS RESULTS (any number)
--   aiowire examples/27_zmq_ventilator.lua sink RESULTS REPORTS N
--
-- in any order, with addresses such as tcp://127.0.0.1:5580 or ipc:///tmp/jobs.
-- Without arguments all of them are tasks of one process.
local aw = require "aiowire"
local zmq = require "aiowire.zmq"

local AGAIN <const> = tonumber(os.getenv "AGAIN" or 5) -- seconds for a job
local WINDOW <const> = 100 -- jobs that are out and not reported

local parts = {}

-- ---- the ventilator ----

local function hand_out(jobs, n, out, window)
  for i = 1, n do
    window:acquire()
    out[i] = true
    jobs:send(i)
  end
end

--- Send a job again that has been out for AGAIN seconds.
local function repeat_late(jobs, out)
  while true do
    local before = {}
    for i in pairs(out) do
      before[#before + 1] = i
    end
    aw.sleep(AGAIN)
    for _, i in ipairs(before) do
      if out[i] then
        jobs:send(i)
      end
    end
  end
end

local function hear(reports, n, out, window)
  local left = n
  while left > 0 do
    local i = tonumber((reports:recv()))
    if out[i] then
      out[i] = nil
      left = left - 1
      window:release()
    end
  end
end

function parts.ventilator(jobs_address, reports_address, n)
  local jobs <close> = zmq.socket("push"):bind(jobs_address)
  local reports <close> = zmq.socket("pull"):bind(reports_address)
  local out, window = {}, aw.semaphore(WINDOW)
  aw.await(aw.Call(hand_out, jobs, n, out, window)
    & aw.Call(hear, reports, n, out, window) | aw.Call(repeat_late, jobs, out))
  print "the ventilator is done"
end

-- ---- workers ----

--- Work until the end of the task. Only a little is queued here, since that is
--- lost with the worker.
function parts.worker(jobs_address, results_address)
  local jobs <close> = zmq.socket("pull", { rcvhwm = 1 }):connect(jobs_address)
  local results <close> = zmq.socket("push"):connect(results_address)
  while true do
    local i = jobs:recv()
    aw.sleep(0.001) -- stands for work
    results:send(i, i * i)
  end
end

-- ---- the sink ----

--- Count each result once. A result that has come twice is reported twice: the
--- first report may have been lost.
function parts.sink(results_address, reports_address, n)
  local results <close> = zmq.socket("pull"):bind(results_address)
  local reports <close> = zmq.socket("push"):connect(reports_address)
  local seen, count, sum, twice = {}, 0, 0, 0
  while count < n do
    local i, square = results:recv()
    if seen[i] then
      twice = twice + 1
    elseif tonumber(square or "") then
      seen[i], count, sum = true, count + 1, sum + tonumber(square)
      if count % 100 == 0 then
        print(("%d results"):format(count))
      end
    end
    reports:send(i)
  end
  print(("%d results, sum %d; %d more came twice"):format(count, sum, twice))
end

-- ---- the command line ----

local USAGE <const> = [[
usage: aiowire 27_zmq_ventilator.lua ventilator JOBS REPORTS N
       aiowire 27_zmq_ventilator.lua worker JOBS RESULTS
       aiowire 27_zmq_ventilator.lua sink RESULTS REPORTS N
Addresses are such as tcp://127.0.0.1:5580 or ipc:///tmp/jobs.
]]

local function is_address(text)
  return text and (text:find "^tcp://.+:%d+$" or text:find "^ipc://.")
end

local function demo()
  local jobs, results, reports = "inproc://jobs", "inproc://results",
    "inproc://reports"
  local worker = aw.Call(parts.worker, jobs, results)
  aw.await(aw.Call(parts.ventilator, jobs, reports, 300)
    & aw.Call(parts.sink, results, reports, 300) | worker & worker & worker)
end

io.stdout:setvbuf "line"
local role, first, second, third = table.unpack(arg or {})
local n = math.tointeger(tonumber(third))
if not role then
  aw.run(demo)
elseif parts[role] and is_address(first) and is_address(second)
  and (role == "worker" or n and n > 0) then
  aw.run(aw.Call(parts[role], first, second, n) | aw.Signal "INT"
    | aw.Signal "TERM")
else
  io.stderr:write(USAGE)
  os.exit(2)
end
