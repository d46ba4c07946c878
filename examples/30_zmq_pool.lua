#!/usr/bin/env aiowire
-- A pool of worker processes that grows and shrinks with its queue. The pool
-- starts this file again for each worker, and each worker has a task here and a
-- PAIR socket of its own.
--
--   clients ──► FRONT ─[ queue ]─┬─ task ◄── PAIR ──► worker process
--              ROUTER            ├─ task ◄── PAIR ──► worker process
--                                └─ …     MIN to MAX of them
--
--   aiowire examples/30_zmq_pool.lua pool FRONT [MIN MAX]   until Ctrl-C
--   aiowire examples/28_zmq_broker.lua client FRONT N       its client
--
-- with an address such as tcp://127.0.0.1:5590 or ipc:///tmp/front. A job that
-- finds no idle worker starts one, up to MAX; a worker that has been idle for a
-- while ends, down to MIN. A worker that dies is replaced, and its job given to
-- another one. Nothing outlives the pool, not even if it is killed: a worker
-- ends when its standard input does. Without arguments the pool serves a client
-- of its own.
local aw = require "aiowire"
local zmq = require "aiowire.zmq"

local IDLE <const> = tonumber(os.getenv "IDLE" or 5) -- seconds until one ends
local LIMIT <const> = 1000 -- jobs in the pool; others wait in the clients
local PAUSE <const> = 0.1 -- seconds from the death of a worker to the next one

-- ---- a worker ----

local function work(s)
  while true do
    local x = tonumber((s:recv()))
    aw.sleep(0.005) -- stands for work
    s:send(x and x * x or "no number")
  end
end

local function worker(address)
  local s <close> = zmq.socket("pair"):connect(address)
  aw.await(aw.Call(work, s) | aw.Call(aw.stdin.read, aw.stdin)
    | aw.Signal "TERM")
end

-- ---- the pool ----

--- The command that starts this program again: the interpreter with its
--- options, and this file.
local function command(...)
  local first = 0
  while arg[first - 1] do
    first = first - 1
  end
  local words = table.move(arg, first, 0, 1, {})
  return table.move({ ... }, 1, select("#", ...), #words + 1, words)
end

local grow

--- Put a job into the queue. The pool grows if the job finds no idle worker.
local function put(p, job)
  p.queued = p.queued + 1
  p.jobs:send(job)
  if p.queued > p.idle and p.count < p.max then
    grow(p)
  end
end

--- Take a job from the queue; nil once the worker has died, or been idle long
--- enough.
local function take(p, died)
  p.idle = p.idle + 1
  local job = aw.await(aw.Recv(p.jobs) | died | aw.Sleep(IDLE))
  p.idle = p.idle - 1
  p.queued = p.queued - (job and 1 or 0)
  return job
end

--- Reply, unless the client is gone or does not read: it asks again.
local function reply(p, job, answer)
  p.room:release()
  aw.await(aw.Send(p.front, job.client, job.number, answer) | aw.Sleep(0))
end

--- Give a worker jobs until it has died, or is idle and one too many. Returns
--- the job that it had then.
local function serve(p, s, died)
  repeat
    local job = take(p, aw.Wait(died))
    if job then
      local sent = aw.await(aw.Send(s, job.text) | aw.Wait(died))
      local answer = sent and aw.await(aw.Recv(s) | aw.Wait(died))
      if not answer then
        return job
      end
      reply(p, job, answer)
    end
  until not job and p.count > p.min or died:is_set()
end

--- Start a worker that connects to `address`. The event is set by its death.
local function start(p, address)
  local options = command("worker", address)
  options.stdout, options.stderr = "inherit", "inherit"
  options.group = true -- Ctrl-C is for the pool
  local child, died = aw.spawn(options), aw.event()
  p.scope:start(function()
    child:wait()
    died:set()
  end)
  return child, died
end

--- The body of the task of a worker. Leaving it, however, ends the worker.
local function keep(_, p)
  local s <close> = zmq.socket("pair"):bind "tcp://127.0.0.1:*"
  local process, died = start(p, s.last_endpoint)
  local child <close> = process
  print(("worker %d begins; %d of %d"):format(child.pid, p.count, p.max))
  local job = serve(p, s, died)
  if died:is_set() then
    aw.sleep(PAUSE)
  end
  p.count = p.count - 1
  print(("worker %d ends; %d of %d"):format(child.pid, p.count, p.max))
  if job then
    put(p, job)
  end
  if p.count < p.min then
    grow(p)
  end
end

function grow(p)
  p.count = p.count + 1
  p.scope:start(aw.Wire(keep, p))
end

--- Take jobs. Without room nothing is read, so libzmq stops the clients.
local function admit(p)
  while true do
    p.room:acquire()
    local client, number, text
    repeat
      client, number, text = p.front:recv()
    until text -- anything else is no job
    put(p, { client = client, number = number, text = text })
  end
end

local function pool(front, min, max, done)
  local f <close> = zmq.socket("router", { router_handover = true }):bind(front)
  aw.scope(function(scope)
    local p = { front = f, min = min, max = max, scope = scope,
      count = 0, idle = 0, queued = 0,
      jobs = aw.channel(math.huge), room = aw.semaphore(LIMIT) }
    for _ = 1, min do
      grow(p)
    end
    print "the pool is ready"
    aw.await(aw.Call(admit, p) | done)
    scope:cancel()
  end)
end

-- ---- the command line ----

local USAGE <const> = [[
usage: aiowire 30_zmq_pool.lua pool FRONT [MIN MAX]
FRONT is an address such as tcp://127.0.0.1:5590 or ipc:///tmp/front.
]]

local function is_address(text)
  return text and (text:find "^tcp://.+:%d+$" or text:find "^ipc://.")
end

local function demo_client(front, n)
  local s <close> = zmq.socket("dealer"):connect(front)
  for i = 1, n do
    s:send(i, i)
  end
  local sum = 0
  for _ = 1, n do
    local _, answer = s:recv()
    sum = sum + tonumber(answer)
  end
  print(("%d jobs, sum %d"):format(n, sum))
end

io.stdout:setvbuf "line"
local role, first, second, third = table.unpack(arg or {})
local min = math.tointeger(tonumber(second or 1))
local max = math.tointeger(tonumber(third or 4))
if not role then
  aw.run(aw.Call(demo_client, "inproc://front", 100)
    | aw.Call(pool, "inproc://front", 1, 3, aw.Sleep(60)))
elseif role == "worker" and is_address(first) then
  aw.run(aw.Call(worker, first))
elseif role == "pool" and is_address(first) and min and max and min >= 0
  and max >= min and max > 0 then
  aw.run(aw.Call(pool, first, min, max, aw.Signal "INT" | aw.Signal "TERM"))
else
  io.stderr:write(USAGE)
  os.exit(2)
end
