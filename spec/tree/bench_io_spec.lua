-- The programs of bench/peers/ for jobs of the group "io" run where their peer
-- is installed: here with a load of a few operations, and without any.

local certificates = require "spec.support.certificates"
local process = require "spec.support.process"
local programs = require "bench.run.programs"
local shell = require "bench.run.shell"

local build <const> = process.binary:match "^(.*)/"
local peers <const> = require "bench.peers"
local jobs <const> = require "bench.jobs_io"

--- A few operations of each job, with parameters that take few descriptors, and
--- with small data.
local few <const> = {
  exec = { 3, { "2" } },
  file = { 2, { "whole", "pieces", "lines" }, { size = 150000 } },
  files = { 10, nil, { count = 10, size = 1000 } },
  lines = { 1000 },
  lines_socket = { 1000 },
  luasocket_echo = { 50, { "1" } },
  luasocket_lines = { 1000 },
  pool_job = { 20, { "3" } },
  poller = { 10, { "4/8" } },
  tcp_copy = { 1 },
  tcp_echo = { 50, { "4+3" } },
  tcp_idle = { 5 },
  tls_accept = { 3, { "full", "resumed" } },
  tls_connect = { 3 },
  tls_echo = { 20, { "3" } },
  tls_idle = { 3 },
  tls_read = { 1 },
  tls_write = { 1 },
  zmq_echo = { 50, { "3x4" } },
  zmq_echo_multipart = { 50, { "3x4" } },
  zmq_poller = { 50, { "3x4" } },
  zmq_proxy = { 50, { "requests", "topics", "jobs" } },
  zmq_pub = { 5 },
  zmq_pull = { 50 },
}

local function exists(path)
  local file <close> = io.open(path)
  return file ~= nil
end

--- Why can the program not run? Returns nil if it can.
local function obstacle(peer, program, missing)
  if peer.name == "module" and process.sanitized then
    return "stock Lua cannot load a module with sanitizers"
  elseif not exists(build .. "/bench/measure") then
    return "this build has no bench"
  elseif not program then
    return missing .. " is not installed"
  end
end

--- Measure a program, as the bench does.
local function measure(program, row, count)
  local words = programs.command(build, program, row, count)
  local outcome = process.run(("cd %s && exec %s"):format(
    process.quoted(process.root), shell.join(words)))
  assert(outcome.code == 0 and outcome.out:find "peak %d",
    shell.join(words) .. "\n" .. outcome.out .. outcome.err)
end

local function measure_all(job, program)
  local count, parameters, data = table.unpack(few[job.name], 1, 3)
  for i = 1, parameters and #parameters or 1 do
    local row = { job = job, data = data,
      parameter = parameters and parameters[i] }
    if i == 1 then
      measure(program, row, 0)
    end
    measure(program, row, count)
  end
end

for _, peer in ipairs(peers) do
  describe("a program of the bench for " .. peer.title, function()
    for _, job in ipairs(jobs) do
      local path, missing = programs.find(build, peer, job)
      if missing ~= "source" then
        it("does the job " .. job.name, function()
          local why_not = obstacle(peer, path, missing)
          if why_not then
            pending(why_not)
            return
          end
          if job.uses == "tls" then
            certificates.needed()
          end
          measure_all(job, programs.start(build, peer, path))
        end)
      end
    end
  end)
end

describe("the jobs of the group io", function()
  it("have a program of aiowire each, which is run here", function()
    for _, job in ipairs(jobs) do
      local _, missing = programs.find(build, peers[1], job)
      assert.are_not.equal("source", missing, job.name)
      assert(few[job.name], job.name)
    end
  end)
end)
