-- The broker of examples/, with clients and workers in processes of their own:
-- each job is answered once, whatever happens to the workers.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local process = require "spec.support.process"
local sockets = require "spec.support.sockets"
local texts = require "spec.support.texts"

local contains = texts.contains

local JOBS <const> = helper.gc_stress and 1000 or 10000

--- Start a role of the example, with variables for it. Its beats are fast, so
--- that the dead are found soon; only a test of hung workers lets few beats be
--- missed.
local function start(variables, role, ...)
  local env = { PATH = os.getenv "PATH", BEAT = 0.05, MISSED = 100000 }
  for _, name in ipairs { "LD_PRELOAD", "ASAN_OPTIONS", "LSAN_OPTIONS",
    "UBSAN_OPTIONS" }
  do
    env[name] = os.getenv(name)
  end
  for name, value in pairs(variables) do
    env[name] = value
  end
  return aw.spawn { process.binary,
    process.root .. "/examples/24_zmq_broker.lua", role, stdin = "null",
    stderr = "stdout", env = env, grace = 60, ... }
end

--- The lines of a process, until it ends.
local function rest_of(p)
  return p.stdout:read "a"
end

--- A broker with two addresses, and its workers. Closing it ends them all.
local function farm(variables)
  local self = { workers = {}, variables = variables,
    front = sockets.address "ipc", back = sockets.address "ipc" }
  self.broker = start(variables, "broker", self.front, self.back)
  assert.are.equal("the broker is ready", self.broker.stdout:read())
  -- Nobody else reads what the broker prints.
  self.reading = aw.start(function()
    self.said = rest_of(self.broker)
  end)
  return setmetatable(self, { __close = function()
    for _, worker in ipairs(self.workers) do
      worker:close()
    end
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
  local victim = table.remove(self.workers, 1)
  victim:kill "KILL"
  victim:close()
end

--- Read the progress of a client up to so many answers.
local function await_answers(client, n)
  assert.are.equal(n .. " answers", client.stdout:read())
end

local function assert_all_answered(client, n)
  contains(rest_of(client), ("%d jobs, %d answers, 0 came twice\n"):format(n, n))
  assert.are.same({ ok = true, code = 0 }, client:wait())
end

--- End the broker and return what it printed.
local function end_broker(self)
  self.broker:kill "TERM"
  assert.are.same({ ok = true, code = 0 }, self.broker:wait())
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
end)
