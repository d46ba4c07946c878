--- Finds the programs of peers, and makes the commands that run them.
local data = require "bench.run.data"
local shell = require "bench.run.shell"

local M = {}

local BENCH <const> = "bench"

--- What peers need for jobs with `uses = "zmq"`, beside themselves.
local PYZMQ <const> = { package = "python3-zmq",
  present = { "/usr/bin/python3", "-c", "import zmq" } }
local USES <const> = { zmq = { asyncio = PYZMQ, uvloop = PYZMQ } }

local function exists(path)
  local file <close> = io.open(path)
  return file ~= nil
end

local known = {}

--- Return whether a command succeeds; it is run once.
local function succeeds(words)
  local command = shell.join(words) .. " >/dev/null 2>&1 </dev/null"
  if known[command] == nil then
    known[command] = os.execute(command) == true
  end
  return known[command]
end

local function source(peer, job)
  return ("%s/peers/%s/%s.%s"):format(BENCH, peer.folder or peer.name, job,
    peer.extension)
end

--- Return the program of `peer` for a job, or nil and why there is none:
--- "source" if nobody has written one, or the name of a missing package.
function M.find(build, peer, job)
  local name = job.program or job.name
  if peer.role == "floor" and job.floor then
    name = job.floor
  end
  local path = source(peer, name)
  if not exists(path) then
    return nil, "source"
  end
  local needs = USES[job.uses] and USES[job.uses][peer.name]
  for _, part in ipairs { peer, needs } do
    if part.present and not succeeds(part.present) then
      return nil, part.package
    end
  end
  if peer.extension == "c" then
    path = ("%s/bench/%s/%s"):format(build, peer.folder or peer.name, name)
    return exists(path) and path or nil, peer.package
      or job.uses == "zmq" and "libzmq3-dev" or "build the target bench"
  end
  local able = peer.able and peer.able[job.group]
  if able and not succeeds(able.present) then
    return nil, ("%s, version %s or later"):format(peer.package, able.version)
  end
  return path
end

--- Return the words that start the program of `peer` at `path`.
function M.start(build, peer, path)
  local words = {}
  for _, word in ipairs(peer.run or {}) do
    words[#words + 1] = word:gsub("{(%l+)}", { build = build, bench = BENCH })
  end
  words[#words + 1] = path
  return words
end

local function append(words, ...)
  for _, word in ipairs { ... } do
    words[#words + 1] = word
  end
end

--- Append a load or helper: NAME WORD… ADDRESS N [PARAMETER].
local function append_other(words, option, build, other, n, parameter)
  append(words, option, ("%s/bench/load/%s"):format(build, other[1]))
  append(words, table.unpack(other, 2))
  append(words, "ADDRESS", n, parameter)
end

--- Return the words of the command that measures `n` operations of a program,
--- which `program` starts.
function M.command(build, program, row, n)
  local job = row.job
  local words = { build .. "/bench/measure" }
  append(words, job.address and "--" .. job.address or nil)
  append(words, job.pin and "--pin" or nil)
  append(words, job.times and "--times=" .. job.times or nil)
  append(words, table.unpack(program))
  if job.load then
    append(words, "ADDRESS", row.parameter)
    append_other(words, "--load", build, job.load, n, row.parameter)
  elseif job.beside then
    append(words, n, "ADDRESS", row.parameter)
    append_other(words, "--beside", build, job.beside, n, row.parameter)
  else
    local read = row.data or job.data
    append(words, n, read and data.path(build, read) or row.parameter)
    append(words, read and row.parameter)
  end
  return words
end

return M
