-- The broker of examples/, with clients and workers in processes of their own:
-- each job is answered once, whatever happens to the workers.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local sockets = require "spec.support.sockets"
local texts = require "spec.support.texts"
local examples = require "spec.zmq.zmq_examples"

local rest_of, assert_ends = examples.rest_of, examples.assert_ends
local contains = texts.contains

local JOBS <const> = helper.gc_stress and 1000 or 10000

--- Start a role of the example. Beats are fast, to find the dead soon, but
--- clients do not ask again for 100 s, and only a test of hung workers lets few
--- beats be missed.
local function start(variables, role, ...)
  local all = { BEAT = role == "client" and 5 or 0.05, MISSED = 100000 }
  for name, value in pairs(variables) do
    all[name] = value
  end
  return examples.start("28_zmq_broker", all, role, ...)
end

--- A broker with two addresses, and its workers. Closing it ends them all.
local function farm(variables)
  local self = { workers = {}, variables = variables,
    front = sockets.address "ipc", back = sockets.address "ipc" }
  self.broker = start(variables, "broker", self.front, self.back)
  assert.are.equal(("clients at %s, workers at %s"):format(self.front,
    self.back), self.broker.stdout:read())
  -- Nobody else reads what the broker prints.
  self.reading = aw.start(function()
    self.said = rest_of(self.broker)
  end)
  return setmetatable(self, { __close = function()
    for _, worker in ipairs(self.workers) do
      examples.killed(worker) -- it would linger for its broker
    end
    self.reading:cancel_wait()
    self.broker:close()
  end })
end

--- Start `n` workers.
local function hire(self, n)
  for _ = 1, n do
    local worker = start(self.variables, "worker", self.back)
    self.workers[#self.workers + 1] = worker
  end
end

--- Kill the worker that was started first.
local function kill_one(self)
  examples.killed(table.remove(self.workers, 1))
end

--- Read the progress of a client up to so many answers.
local function await_answers(client, n)
  assert.are.equal(n .. " answers", client.stdout:read())
end

local function assert_all_answered(client, n)
  contains(rest_of(client),
    ("%d jobs, %d answers, 0 came twice\n"):format(n, n))
  assert_ends(client)
end

--- End the broker and return what it printed.
local function end_broker(self)
  self.broker:kill "TERM"
  assert_ends(self.broker)
  self.reading:wait()
  return self.said
end

describe("the broker", function()
  it("answers each job once while every 100 answers a worker is killed "
    .. "[examples]", sockets.fact(function()
      local f <close> = farm {}
      hire(f, 4)
      local client <close> = start({}, "client", f.front, JOBS)
      for n = 100, JOBS - 100, 100 do
        await_answers(client, n)
        kill_one(f)
        hire(f, 1)
      end
      assert_all_answered(client, JOBS)
      local said = end_broker(f)
      contains(said, JOBS .. " jobs answered; ")
      assert.is_true(tonumber(said:match "(%d+) jobs handed out again") > 0)
    end))

  it("gives the jobs of a worker that hangs to others, and drops its late "
    .. "answers [examples]", sockets.fact(function()
      local f <close> = farm { MISSED = 10 }
      hire(f, 1)
      local client <close> = start({}, "client", f.front, 1000)
      await_answers(client, 100)
      f.workers[1]:kill "STOP"
      hire(f, 1)
      for n = 200, 600, 100 do
        await_answers(client, n)
      end
      f.workers[1]:kill "CONT"
      assert_all_answered(client, 1000)
      contains(end_broker(f), "a worker hangs; ")
    end))

  it("answers a client that asks while there is no worker [examples]",
    sockets.fact(function()
      local f <close> = farm {}
      local client <close> = start({}, "client", f.front, 300)
      hire(f, 1)
      await_answers(client, 100)
      kill_one(f)
      hire(f, 1)
      assert_all_answered(client, 300)
    end))

  it("lets a worker that is told to end leave its jobs to others [examples]",
    sockets.fact(function()
      local f <close> = farm { BEAT = 60 }
      hire(f, 1)
      local client <close> = start({}, "client", f.front, 400)
      await_answers(client, 100)
      f.workers[1]:kill "TERM"
      assert_ends(f.workers[1])
      hire(f, 1)
      assert_all_answered(client, 400)
      contains(end_broker(f), "a worker has left; ")
    end))

  it("works on when clients are killed and start again [examples]",
    sockets.fact(function()
      local f <close> = farm {}
      hire(f, 2)
      for _ = 1, 5 do
        local client <close> = start({}, "client", f.front, 10000)
        await_answers(client, 100)
        client:kill "KILL"
      end
      local client <close> = start({}, "client", f.front, 1000)
      assert_all_answered(client, 1000)
    end))

  it("keeps no client waiting for one that hangs [examples]",
    sockets.fact(function()
      local f <close> = farm {}
      hire(f, 2)
      local hung <close> = start({}, "client", f.front, 1000)
      await_answers(hung, 100)
      hung:kill "STOP"
      local client <close> = start({}, "client", f.front, 1000)
      assert_all_answered(client, 1000)
      hung:kill "CONT"
      for n = 200, 1000, 100 do
        await_answers(hung, n)
      end
      assert_all_answered(hung, 1000)
    end))

  it("serves more clients than it has room for [examples]",
    sockets.fact(function()
      local f <close> = farm {}
      local clients = {}
      for i = 1, 8 do -- of 200 jobs each; there is room for 1000
        clients[i] = start({}, "client", f.front, 300)
      end
      hire(f, 2)
      for _, client in ipairs(clients) do
        local _ <close> = client
        for n = 100, 300, 100 do
          await_answers(client, n)
        end
        assert_all_answered(client, 300)
      end
      contains(end_broker(f), "2400 jobs answered; ")
    end))

  it("may be killed itself: its clients ask the next one [examples]",
    sockets.fact(function()
      local f <close> = farm {}
      hire(f, 2)
      local client <close> = start({ BEAT = 0.05 }, "client", f.front, 1000)
      await_answers(client, 100)
      f.broker:kill "KILL"
      f.broker:wait()
      local next_one <close> = start({}, "broker", f.front, f.back)
      contains(rest_of(client), "1000 jobs, 1000 answers, ")
      assert_ends(client)
      examples.told_to_end(next_one)
    end))

  it("ignores messages that are none of its own [examples]",
    sockets.fact(function()
      local f <close> = farm {}
      hire(f, 1)
      for _, address in ipairs { f.front, f.back } do
        local stranger <close> = sockets.zmq.socket("dealer"):connect(address)
        stranger:send ""
        stranger:send("done", "x")
        stranger:send("done", "x", "y")
        stranger:send("1", "2", "3", "4")
      end
      local client <close> = start({}, "client", f.front, 100)
      await_answers(client, 100)
      assert_all_answered(client, 100)
    end))

  for _, bad in ipairs {
    { "broker" }, { "broker", "tcp://127.0.0.1:5590" },
    { "broker", "tcp://127.0.0.1:5590", "127.0.0.1:5591" },
    { "worker", "tcp://127.0.0.1" }, { "worker", "ipc://" },
    { "client", "inproc://front", "10" }, { "boss", "tcp://127.0.0.1:5590" },
    { "client", "tcp://127.0.0.1:5590", "0" },
    { "client", "tcp://127.0.0.1:5590", "ten" } } do
    it(("shows its usage for %q [examples]"):format(table.concat(bad, " ")),
      sockets.fact(function()
        examples.shows_usage("28_zmq_broker", table.unpack(bad))
      end))
  end
end)
