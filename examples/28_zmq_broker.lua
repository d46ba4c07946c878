#!/usr/bin/env aiowire
-- A broker between clients and workers, which come, go, hang and die as they
-- like. Each job is answered once, even if its worker is killed.
--
--   client ─┐                             ┌─ worker
--   client ─┼─► FRONT ─[ broker ]─ BACK ◄─┼─ worker
--   client ─┘                             └─ worker
--
--   aiowire examples/28_zmq_broker.lua broker FRONT BACK   until Ctrl-C
--   aiowire examples/28_zmq_broker.lua worker BACK         as many as you like
--   aiowire examples/28_zmq_broker.lua client FRONT N      N jobs, then the end
--
-- with addresses such as tcp://127.0.0.1:5590 or ipc:///tmp/front. Without
-- arguments all of them are tasks of one process. Messages:
--
--   client ► broker   number, text        broker ► client   number, answer
--   broker ► worker   "job", key, text    worker ► broker   "done", key, answer
--   both ways         "beat"              worker ► broker   "leaving"
--
-- docs/zmq-patterns.md says what is guaranteed, and why.
local aw = require "aiowire"
local zmq = require "aiowire.zmq"

local BEAT <const> = tonumber(os.getenv "BEAT" or 1) -- seconds between beats
local MISSED <const> = tonumber(os.getenv "MISSED" or 10) -- a worker hangs
local AGAIN <const> = 20 * BEAT -- a client asks again after so much silence
local LIMIT <const> = 1000 -- jobs in the broker; others wait in the clients
local WINDOW <const> = 200 -- unanswered jobs of a client
local SLOTS <const> = 2 -- jobs of a worker: one at work, one on its way

local function stop()
  return aw.Signal "INT" | aw.Signal "TERM"
end

-- ---- the broker ----

--- Send to a peer of a ROUTER, unless it is gone or has no room: the broker
--- never waits for a single peer.
local function tell(router, peer, ...)
  return (aw.await(aw.Send(router, peer, ...) | aw.Sleep(0)))
end

--- Queue a job for another worker. `waiting` has no bound, since `room` has.
local function lose(b, worker, why)
  b.workers[worker.id] = nil
  local handed_on = 0
  for key, job in pairs(worker.jobs) do
    if b.jobs[key] == job then
      b.waiting:send(job)
      handed_on = handed_on + 1
    end
  end
  b.lost, b.again = b.lost + 1, b.again + handed_on
  print(("a worker %s; %d jobs go to others"):format(why, handed_on))
end

local function welcome(b, id)
  local worker = { id = id, jobs = {}, silent = 0 }
  b.workers[id] = worker
  for _ = 1, SLOTS do
    b.slots:send(worker)
  end
  return worker
end

--- The next job of a client that the broker does not have yet.
local function next_job(b)
  while true do
    local client, number, text = b.front:recv()
    local key = client .. ":" .. (number or "")
    if text and not b.jobs[key] then
      return { key = key, client = client, number = number, text = text }
    end
  end
end

--- Take jobs. Without room nothing is read, so libzmq stops the clients.
local function admit(b)
  while true do
    b.room:acquire()
    local job = next_job(b)
    b.jobs[job.key] = job
    b.waiting:send(job)
  end
end

--- Give a job to the worker that has been free longest. False: to nobody, since
--- that worker has been lost meanwhile.
local function give(b, job)
  local worker = b.slots:recv()
  if b.workers[worker.id] ~= worker then
    return false
  end
  worker.jobs[job.key] = job
  if not tell(b.back, worker.id, "job", job.key, job.text) then
    lose(b, worker, "has died")
  end
  return true
end

local function hand_out(b)
  for job in b.waiting:iter() do
    while b.jobs[job.key] == job and not give(b, job) do end
  end
end

--- Report the first answer to a job; a second one finds no job any more.
local function report(b, key, answer)
  local job = b.jobs[key]
  if not job then
    b.late = b.late + 1
    return
  end
  b.jobs[key] = nil
  b.room:release()
  b.answered = b.answered + 1
  tell(b.front, job.client, job.number, answer)
end

--- Hear workers. A worker that was lost and is alive is a new one.
local function listen(b)
  while true do
    local id, what, key, answer = b.back:recv()
    local worker = b.workers[id] or welcome(b, id)
    worker.silent = 0
    if what == "leaving" then
      lose(b, worker, "has left")
    elseif what == "done" and answer then
      if worker.jobs[key] then
        worker.jobs[key] = nil
        b.slots:send(worker)
      end
      report(b, key, answer)
    end
  end
end

--- Find the dead, whose connections are gone, and the silent. Beats are
--- counted, so a broker that was stopped itself blames nobody.
local function watch(b)
  while true do
    aw.sleep(BEAT)
    local now = {}
    for _, worker in pairs(b.workers) do
      now[#now + 1] = worker
    end
    for _, worker in ipairs(now) do
      worker.silent = worker.silent + 1
      local reached = tell(b.back, worker.id, "beat")
      if b.workers[worker.id] == worker
        and (not reached or worker.silent > MISSED) then
        lose(b, worker, reached and "hangs" or "has died")
      end
    end
  end
end

local function broker(front, back, done)
  -- A client that connects again, under its name, gets the answers.
  local f <close> = zmq.socket("router", { router_handover = true }):bind(front)
  local k <close> = zmq.socket("router"):bind(back)
  local b = { front = f, back = k, jobs = {}, workers = {},
    waiting = aw.channel(math.huge), slots = aw.channel(math.huge),
    room = aw.semaphore(LIMIT), answered = 0, again = 0, lost = 0, late = 0 }
  print(("clients at %s, workers at %s"):format(f.last_endpoint,
    k.last_endpoint))
  aw.await(done | aw.Call(admit, b) & aw.Call(hand_out, b) & aw.Call(listen, b)
    & aw.Call(watch, b))
  print(("%d jobs answered; %d workers lost, %d jobs handed out again, "
    .. "%d late answers dropped"):format(b.answered, b.lost, b.again, b.late))
end

-- ---- a worker ----

local function beat(s)
  while true do
    s:send "beat"
    aw.sleep(BEAT)
  end
end

local function work(s)
  while true do
    local what, key, text = s:recv()
    if what == "job" then
      aw.sleep(0.001) -- stands for work
      local x = tonumber(text)
      s:send("done", key, x and x * x or "no number")
    end
  end
end

local function worker(back, done)
  local s <close> = zmq.socket("dealer"):connect(back)
  aw.await(done | aw.Call(beat, s) & aw.Call(work, s))
  aw.await(aw.Send(s, "leaving") | aw.Sleep(0)) -- if there is a broker
end

-- ---- a client ----

--- Send jobs, at most WINDOW without an answer.
local function ask(s, n, pending, window)
  for i = 1, n do
    window:acquire()
    pending[i] = true
    s:send(i, i)
  end
end

--- Ask again: the broker, or a connection, may have been lost.
local function ask_again(s, pending)
  local numbers = {}
  for i in pairs(pending) do
    numbers[#numbers + 1] = i
  end
  for _, i in ipairs(numbers) do
    s:send(i, i)
  end
end

local function collect(s, n, pending, window)
  local answered, twice = 0, 0
  while answered < n do
    local number, answer = aw.await(aw.Recv(s) | aw.Sleep(AGAIN))
    local i = tonumber(number or 0)
    if not number then
      ask_again(s, pending)
    elseif not pending[i] then
      twice = twice + 1
    else
      assert(tonumber(answer) == i * i, "a wrong answer")
      pending[i] = nil
      window:release()
      answered = answered + 1
      if answered % 100 == 0 then
        print(("%d answers"):format(answered))
      end
    end
  end
  print(("%d jobs, %d answers, %d came twice"):format(n, answered, twice))
end

--- A name that no other client has, for the answers to find this one after it
--- has connected again. (math.random may begin alike in two processes.)
local function new_name()
  local random <close> = assert(io.open("/dev/urandom", "rb"))
  return ("client-%016x"):format(string.unpack("j", random:read(8)))
end

local function client(front, n)
  local s <close> = zmq.socket("dealer", { routing_id = new_name() })
    :connect(front)
  local pending, window = {}, aw.semaphore(WINDOW)
  aw.await(aw.Call(ask, s, n, pending, window)
    & aw.Call(collect, s, n, pending, window))
end

-- ---- the command line ----

local function usage()
  io.stderr:write [[
usage: aiowire 28_zmq_broker.lua broker FRONT BACK
       aiowire 28_zmq_broker.lua worker BACK
       aiowire 28_zmq_broker.lua client FRONT N
FRONT and BACK are addresses, such as tcp://127.0.0.1:5590 or ipc:///tmp/front.
]]
  os.exit(2)
end

local function is_address(text)
  return text and (text:find "^tcp://.+:[%d*]+$" or text:find "^ipc://.")
end

local function demo()
  local finished = aw.event()
  local done = aw.Wait(finished)
  aw.await(aw.Call(broker, "inproc://front", "inproc://back", done)
    & aw.Call(worker, "inproc://back", done)
    & aw.Call(worker, "inproc://back", done)
    & aw.Call(client, "inproc://front", 500) >> aw.Call(finished.set, finished))
end

io.stdout:setvbuf "line"
local role, first, second = table.unpack(arg or {})
local n = math.tointeger(tonumber(second))
if not role then
  aw.run(demo)
elseif role == "broker" and is_address(first) and is_address(second) then
  aw.run(aw.Call(broker, first, second, stop()))
elseif role == "worker" and is_address(first) and not second then
  aw.run(aw.Call(worker, first, stop()))
elseif role == "client" and is_address(first) and n and n > 0 then
  aw.run(aw.Call(client, first, n) | stop())
else
  usage()
end
