--- Finds the programs of peers, and makes the commands that run them.
local data = require "bench.run.data"
local shell = require "bench.run.shell"

local M = {}

local BENCH <const> = "bench"

--- What peers need for jobs with `uses`, beside themselves.
local PYZMQ <const> = { package = "python3-zmq",
  present = { "/usr/bin/python3", "-c", "import zmq" } }
local LUAOSSL <const> = { package = "lua-luaossl",
  present = { "lua5.4", "-l", "openssl.ssl.context", "-e", "" } }
local USES <const> = {
  zmq = { asyncio = PYZMQ, uvloop = PYZMQ },
  tls = { cqueues = LUAOSSL },
}

--- What the build needs for C programs of such jobs.
local LIBRARIES <const> = { zmq = "libzmq3-dev", tls = "libssl-dev" }

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

--- Return whether the build made the load or helper of a job, if it has one.
--- A build without the bench has none, but that is no fault of a job.
local function has_other(build, job)
  local other = job.load or job.beside or job.facing
  return not other or not exists(build .. "/bench/measure")
    or exists(("%s/bench/load/%s"):format(build, other[1]))
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
  local libraries = LIBRARIES[job.uses] or "build the target bench"
  if not has_other(build, job) then
    return nil, libraries
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
      or libraries
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

--- Append a load or helper: NAME WORD… ADDRESS N [PATH] [PARAMETER].
local function append_other(words, option, build, other, n, inputs)
  append(words, option, ("%s/bench/load/%s"):format(build, other[1]))
  append(words, table.unpack(other, 2))
  append(words, "ADDRESS", n, table.unpack(inputs))
end

--- Return what programs of a row get at the end of their arguments: the path of
--- data, if the job has data, and a parameter, if the row has one.
local function inputs_of(build, row)
  local inputs, read = {}, row.data or row.job.data
  append(inputs, read and data.path(build, read))
  append(inputs, row.parameter)
  return inputs
end

--- Return the words of the command that measures `n` operations of a program,
--- which `program` starts.
function M.command(build, program, row, n)
  local job, inputs = row.job, inputs_of(build, row)
  local words = { build .. "/bench/measure" }
  append(words, job.address and "--" .. job.address or nil)
  append(words, job.pin and "--pin" or nil)
  append(words, job.times and "--times=" .. job.times or nil)
  append(words, table.unpack(program))
  if job.load then
    append(words, "ADDRESS", table.unpack(inputs))
    append_other(words, "--load", build, job.load, n, inputs)
  elseif job.beside or job.facing then
    append(words, n, "ADDRESS", table.unpack(inputs))
    append_other(words, job.beside and "--beside" or "--facing", build,
      job.beside or job.facing, n, inputs)
  else
    append(words, n, table.unpack(inputs))
  end
  return words
end

return M
