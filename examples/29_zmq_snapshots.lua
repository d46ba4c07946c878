#!/usr/bin/env aiowire
-- A table that a publisher changes, and that subscribers copy. They may come
-- late, hang, or lose messages: each of them catches up by a snapshot.
--
--                ┌── PUB ─── changes, numbered ──► SUB ───┐
--   publisher  ──┤                                        ├── subscriber
--                └─ ROUTER ◄─ "what is it now?" ─ DEALER ─┘
--                          ─────── snapshot ────►
--
--   aiowire examples/29_zmq_snapshots.lua publisher CHANGES SNAPSHOTS N
--     makes N changes, and serves the result until Ctrl-C
--   aiowire examples/29_zmq_snapshots.lua subscriber CHANGES SNAPSHOTS N
--     prints the sum of the table when it has change number N, and ends
--
-- with addresses such as tcp://127.0.0.1:5570 or ipc:///tmp/changes. Without
-- arguments both are tasks of one process. Messages:
--
--   a change     run, number, key, value
--   a beat       run, number of the last change
--   a question   any text
--   a snapshot   that text, run, number of the last change, key, value, …
--
-- `run` is another text each time the publisher starts.
local aw = require "aiowire"
local zmq = require "aiowire.zmq"

local BEAT <const> = tonumber(os.getenv "BEAT" or 1) -- seconds between beats
local HWM <const> = tonumber(os.getenv "HWM" or 1000) -- messages in a queue
local AGAIN <const> = 5 -- a subscriber asks again after so many seconds
local MAX_PARTS <const> = 100000 -- of a snapshot

local function sum_of(values)
  local sum = 0
  for _, value in pairs(values) do
    sum = sum + value
  end
  return sum
end

local parts = {}

-- ---- the publisher ----

--- Change the table first and publish then, so a snapshot is never behind.
local function change(pub, t, n)
  for i = 1, n do
    local key = "key" .. i % 100
    t.number, t.values[key] = i, i
    pub:send(t.run, i, key, i)
    if i % 10 == 0 then
      aw.sleep(0.001)
    end
  end
  print(("%d changes, sum %d"):format(n, sum_of(t.values)))
end

--- A beat shows a subscriber that it has lost the last changes.
local function beat(pub, t)
  while true do
    aw.sleep(BEAT)
    pub:send(t.run, t.number)
  end
end

--- Answer with the whole table in one message. Nobody is waited for: a
--- subscriber that is gone or full asks again.
local function answer(router, t)
  while true do
    local peer, question = router:recv()
    local message = { peer, question or "", t.run, t.number }
    for key, value in pairs(t.values) do
      message[#message + 1] = key
      message[#message + 1] = value
    end
    aw.await(aw.Send(router, table.unpack(message)) | aw.Sleep(0))
  end
end

function parts.publisher(changes, snapshots, n)
  local pub <close> = zmq.socket("pub", { sndhwm = HWM }):bind(changes)
  local router <close> = zmq.socket("router", { max_parts = MAX_PARTS })
    :bind(snapshots)
  local t = { run = ("%.6f"):format(aw.time()), number = 0, values = {} }
  print "the publisher is ready"
  aw.await(aw.Call(change, pub, t, n) & aw.Call(beat, pub, t)
    & aw.Call(answer, router, t))
end

-- ---- a subscriber ----

--- Ask until a snapshot comes. Answers to older questions are dropped.
local function snapshot(dealer, question)
  while true do
    dealer:send(question)
    repeat
      local s = aw.await(aw.Recv(dealer) / table.pack | aw.Sleep(AGAIN))
      if s and s[1] == tostring(question) then
        local t = { run = s[2], number = tonumber(s[3]), values = {} }
        for i = 4, #s, 2 do
          t.values[s[i]] = s[i + 1]
        end
        return t
      end
    until not s
  end
end

--- Whatever comes first proves that the subscription is in force, so the
--- snapshot that is asked for then misses nothing. Later, each message must
--- follow the one before; changes that the snapshot has already are dropped.
function parts.subscriber(changes, snapshots, n)
  local sub <close> = zmq.socket("sub", { rcvhwm = HWM }):subscribe ""
    :connect(changes)
  local dealer <close> = zmq.socket("dealer", { max_parts = MAX_PARTS })
    :connect(snapshots)
  local t, asked = { number = 0 }, 0
  while t.number < n do
    local run, text, key, value = sub:recv()
    local number = tonumber(text)
    if run ~= t.run or number > t.number + (key and 1 or 0) then
      asked = asked + 1
      t = snapshot(dealer, asked)
      print(("a snapshot at %d"):format(t.number))
    elseif key and number == t.number + 1 then
      t.number, t.values[key] = number, value
    end
  end
  print(("at %d: sum %d, %d snapshots"):format(t.number, sum_of(t.values),
    asked))
end

-- ---- the command line ----

local USAGE <const> = [[
usage: aiowire 29_zmq_snapshots.lua publisher CHANGES SNAPSHOTS N
       aiowire 29_zmq_snapshots.lua subscriber CHANGES SNAPSHOTS N
Addresses are such as tcp://127.0.0.1:5570 or ipc:///tmp/changes.
]]

local function is_address(text)
  return text and (text:find "^tcp://.+:%d+$" or text:find "^ipc://.")
end

--- Two subscribers, one of which comes late.
local function demo()
  local changes, snapshots = "inproc://changes", "inproc://snapshots"
  local subscriber = aw.Call(parts.subscriber, changes, snapshots, 500)
  aw.await(aw.Call(parts.publisher, changes, snapshots, 500)
    | subscriber & aw.Sleep(0.02) >> subscriber)
end

io.stdout:setvbuf "line"
local role, first, second, third = table.unpack(arg or {})
local n = math.tointeger(tonumber(third))
if not role then
  aw.run(demo)
elseif parts[role] and is_address(first) and is_address(second) and n
  and n > 0 then
  aw.run(aw.Call(parts[role], first, second, n) | aw.Signal "INT"
    | aw.Signal "TERM")
else
  io.stderr:write(USAGE)
  os.exit(2)
end
