-- A consumer of jobs in Redis, by Debian's lua-redis on aw.socket.
--
-- BLPOP blocks until there is a job. Here it blocks its own task alone: the
-- producer runs beside it, and a cancel ends the consumer in the middle of its
-- wait. The example starts a redis-server of its own, without any file.
local aw = require "aiowire"

package.path = package.path .. ";/usr/share/lua/5.3/?.lua" -- for lua-redis
local installed, redis = pcall(require, "redis")
local server_path = io.popen("command -v redis-server"):read "l"
if not (installed and server_path) then
  print "skipped: lua-redis or redis-server is not installed"
  return
end

-- Return a client of lua-redis whose socket awaits.
local function connect(port)
  local socket, err = aw.socket.connect("127.0.0.1", port)
  if not socket then
    error(err, 0)
  end
  return redis.connect { socket = socket }
end

local function free_port()
  local listening <close> = aw.tcp.listen("127.0.0.1", 0)
  local _, port = listening:name()
  return port
end

local function consume(port, done)
  local client = connect(port)
  while true do
    local job = client:blpop("jobs", 0)[2] -- a list and its job
    print("did " .. job)
    done:release()
  end
end

aw.run(function(ev)
  local port = free_port()
  local server <close> = aw.spawn { "redis-server", "--port", port, "--bind",
    "127.0.0.1", "--save", "", stdout = "null" }
  local ready = aw.Call(connect, port):retry { times = 500, delay = 0.01 }
  local producer = aw.await(ready)

  local done = aw.semaphore(0)
  local consumer = ev:start(aw.Call(consume, port, done))
  for i = 1, 3 do
    producer:rpush("jobs", "job " .. i)
    done:acquire()
  end

  consumer:cancel_wait() -- it waits for a fourth job
  print("the consumer is " .. consumer.status)
  producer:quit()
  print(server.pid > 0 and "redis-server ends with this block")
end)
