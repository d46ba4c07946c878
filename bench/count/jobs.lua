-- The jobs whose instructions are counted: `aiowire bench/count/jobs.lua JOB N`
-- does one job N times; without arguments it prints names and sizes of all.
--
-- main.lua runs a job under callgrind at two sizes and divides the difference,
-- so start-up and end do not count. A count must depend neither on the speed
-- and load of the machine, nor on when the collector runs:
--
-- * The clock is virtual: on a real clock, time decides how often the engine
--   polls.
-- * The collector is stopped while a job runs, and one full collection follows.
--   The work for the job's garbage grows with N; the rest of the collection is
--   the same at both sizes.
-- * A job has at most BATCH tasks at a time, so pools and tables grow during
--   warm-up only.
-- * Loops call locals: the cost of finding a field depends on Lua's hash seed.
-- * No machine has two functions: their names are kept by address, so it would
--   depend on the addresses whether one takes the other's place. The bench has
--   such a machine.
local aw = require "aiowire"

local BATCH <const> = 50
local FAR <const> = 3600 -- seconds: no job sleeps that long

local function nothing() end
local function fails()
  error "no"
end

local jobs, order = {}, {}

--- Add a job. `make(count)` returns a wire that does the job `count` times, and
--- perhaps a function that cleans up. `size` is the smaller of the two counts.
local function job(name, size, make)
  jobs[name] = { make = make, size = size }
  order[#order + 1] = name
end

--- Return a body that calls `batch(ev)`, which does the job BATCH times, until
--- the job is done `count` times.
local function in_batches(count, batch)
  return function(ev)
    for _ = 1, count // BATCH do
      batch(ev)
    end
  end
end

--- One step of a state machine: a function that returns itself.
job("machine-function", 500, function(count)
  local left = count
  local function step()
    left = left - 1
    if left > 0 then
      return step
    end
  end
  return step
end)

--- The same while events are recorded, as by aw.trace().
job("machine-recorded", 500, function(count)
  aw.record()
  return jobs["machine-function"].make(count)
end)

--- One step of a state machine: a Wire that returns itself.
job("machine-wire", 500, function(count)
  local left, wire = count, nil
  wire = aw.Wire(function()
    left = left - 1
    if left > 0 then
      return wire
    end
  end)
  return wire
end)

--- One step of a state machine that goes on with an argument.
job("machine-arguments", 500, function(count)
  local Wire <const> = aw.Wire
  local function step(_, left)
    if left > 1 then
      return Wire(step, left - 1)
    end
  end
  return Wire(step, count)
end)

job("call", 500, function(count)
  return aw.Call(nothing) * count
end)

job("yield", 500, function(count)
  local yield <const> = aw.yield
  return function()
    for _ = 1, count do
      yield()
    end
  end
end)

--- Start BATCH tasks of `wire` and wait until all of them have ended.
local function start_and_end(wire)
  local sleep <const> = aw.sleep
  return function(ev)
    local start <const> = ev.start
    for _ = 1, BATCH do
      start(ev, wire)
    end
    sleep(2)
  end
end

job("sleeping-wire", 500, function(count)
  return in_batches(count, start_and_end(aw.Sleep(1)))
end)

job("sleeping-body", 100, function(count)
  local sleep <const> = aw.sleep
  return in_batches(count, start_and_end(function()
    sleep(1)
  end))
end)

--- The loser would sleep for FAR seconds.
job("race", 500, function(count)
  return (aw.Sleep(0) | aw.Sleep(FAR)) * count
end)

job("fallback", 100, function(count)
  return (aw.Call(fails) // aw.Value(1)) * count
end)

--- Start a task that fails; its handler is called.
job("error-handled", 100, function(count)
  local yield <const> = aw.yield
  return in_batches(count, function(ev)
    local start <const> = ev.start
    for _ = 1, BATCH do
      start(ev, fails, nothing)
    end
    yield()
    yield()
  end)
end)

--- Start a body that sleeps, and cancel it.
job("cancel", 100, function(count)
  local sleep <const>, yield <const> = aw.sleep, aw.yield
  local function sleeper()
    sleep(FAR)
  end
  local tasks = {}
  return in_batches(count, function(ev)
    local start <const> = ev.start
    for i = 1, BATCH do
      tasks[i] = start(ev, sleeper)
    end
    local cancel <const> = tasks[1].cancel
    yield()
    for i = 1, BATCH do
      cancel(tasks[i])
    end
    yield()
  end)
end)

job("rendezvous", 500, function(count)
  local channel = aw.channel()
  local send <const>, recv <const> = channel.send, channel.recv
  return function(ev)
    ev:start(function()
      for i = 1, count do
        send(channel, i)
      end
    end)
    for _ = 1, count do
      recv(channel)
    end
  end
end)

--- One event of a Poller. It watches four pipes, which stay writable because
--- nothing is written to them.
job("poller-event", 500, function(count)
  local left = count
  local poller = aw.Poller({}, { flags = "w" })
  local pipes = {}
  for i = 1, 4 do
    pipes[i] = assert(io.popen("exec cat", "w"))
    poller:register(pipes[i], function()
      left = left - 1
      if left == 0 then
        poller:shutdown()
      end
    end)
  end
  return poller, function()
    for _, pipe in ipairs(pipes) do
      pipe:close()
    end
  end
end)

--- Send 64 bytes to an echo server and read them back. Both ends are tasks of
--- this process. A unix socket delivers inside of send(2), so both ends wait
--- once for each echo.
job("echo", 200, function(count)
  local path <const> = os.tmpname()
  os.remove(path)
  local text <const> = ("x"):rep(64)
  return function(ev)
    local server <close> = aw.unix.listen(path)
    ev:start(function()
      local stream <close> = server:accept()
      local read <const>, write <const> = stream.read_some, stream.write
      for _ = 1, count do
        write(stream, read(stream))
      end
    end)
    local stream <close> = aw.unix.connect(path)
    local read <const>, write <const> = stream.read_some, stream.write
    for _ = 1, count do
      write(stream, text)
      read(stream)
    end
  end
end)

--- The same while events are recorded.
job("echo-recorded", 200, function(count)
  aw.record()
  return jobs.echo.make(count)
end)

--- Send messages over inproc, one at a time: the receiver waits for each.
local function messages(count, send_name, recv_name, message)
  local zmq <const>, yield <const> = aw.zmq, aw.yield
  return function(ev)
    local from <close> = zmq.socket "push"
    local to <close> = zmq.socket "pull"
    to:bind "inproc://count"
    from:connect "inproc://count"
    local send <const>, recv <const> = from[send_name], to[recv_name]
    local receiver <const> = ev:start(function()
      for _ = 1, count do
        recv(to)
      end
    end)
    yield()
    for _ = 1, count do
      send(from, message)
      yield()
    end
    receiver:wait()
  end
end

job("zmq-message", 500, function(count)
  return messages(count, "send", "recv", "message")
end)

job("zmq-multipart", 200, function(count)
  return messages(count, "send_multipart", "recv_multipart",
    { "one", "two", "three" })
end)

local name <const>, count <const> = arg[1], math.tointeger(arg[2])
if not name then
  for _, each in ipairs(order) do
    print(each, jobs[each].size)
  end
  return
end

local wire, clean_up = jobs[name].make(count)
collectgarbage()
collectgarbage "stop"
aw.run(wire, { clock = "virtual" })
collectgarbage()
if clean_up then
  clean_up()
end
