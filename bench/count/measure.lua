--- Count the instructions of jobs under callgrind, and name the parts that a
--- count depends on.
---
--- Runs of one binary differ by Lua's hash seed only, which Lua makes from the
--- time and from addresses. The seed decides which keys of a table collide:
--- jobs that fill tables vary by 1.5 %, the others by 0.1 %. Hence a figure is
--- the mean of several runs if two runs differ. Each run has an environment of
--- another size, which moves the stack and so changes the seed.
local shell = require "bench.run.shell"

local first_line <const>, output <const> = shell.first_line, shell.output
local quote <const> = shell.quote

local M = {}

local SCRIPT <const> = "bench/count/jobs.lua"

--- The larger run does a job FACTOR times as often as the smaller run.
local FACTOR <const> = 5

--- Two runs suffice if they differ by no more than this part of the count;
--- otherwise it takes so many.
local CLOSE <const>, MOST <const> = 0.001, 8

local runs = 0

function M.has_valgrind()
  return output "command -v valgrind" ~= nil
end

--- Return the instructions of one process that does `job` `times` times.
local function instructions(program, job, times)
  local command = ("env -i PATH=%s PAD=%s valgrind --tool=callgrind "
    .. "--callgrind-out-file=/dev/null %s %s %s %d 2>&1"):format(
    quote(os.getenv "PATH"), ("x"):rep(16 * runs), quote(program), SCRIPT,
    job, times)
  local text = output(command)
  local count = text and text:match "Collected : (%d+)"
  if not count then
    error(("%s failed under callgrind\n%s"):format(job, text or ""), 0)
  end
  return math.tointeger(count)
end

--- Run `job` at both sizes. Return the instructions for doing it once.
function M.once(program, job, size)
  runs = runs + 1
  local small = instructions(program, job, size)
  local large = instructions(program, job, FACTOR * size)
  return (large - small) // ((FACTOR - 1) * size)
end

--- Return the mean of several runs of `job`.
function M.settled(program, job, size)
  local first = M.once(program, job, size)
  local second = M.once(program, job, size)
  local sum = first + second
  if math.abs(first - second) <= CLOSE * first then
    return sum // 2
  end
  for _ = 3, MOST do
    sum = sum + M.once(program, job, size)
  end
  return sum // MOST
end

--- Return the jobs in their order: { name, …, [name] = size }.
function M.jobs(program)
  local jobs = {}
  local text = assert(output(quote(program) .. " " .. SCRIPT))
  for name, size in text:gmatch "(%S+)\t(%d+)\n" do
    jobs[#jobs + 1] = name
    jobs[name] = math.tointeger(size)
  end
  return jobs
end

--- Return the machine, and whether it has AVX2: then glibc chooses other
--- functions. Newer instructions do not matter, since valgrind hides them.
local function architecture()
  local machine = first_line "uname -m"
  local avx2 = output "grep -qw avx2 /proc/cpuinfo 2>/dev/null"
  return avx2 and machine .. " with AVX2" or machine
end

--- Return the parts on which a count depends, beside our own sources:
--- { [part] = version }.
function M.parts(build)
  local program = quote(build .. "/aiowire")
  local file = assert(io.open(build .. "/compiler.txt"))
  local compiler = file:read "l"
  file:close()
  local lua, uv = first_line(program .. " -v"):match "Lua ([^,]+), libuv (.-)%)"
  return {
    architecture = architecture(),
    compiler = compiler,
    libc = first_line "getconf GNU_LIBC_VERSION",
    libuv = uv,
    libzmq = first_line(program
      .. " -e 'print(pcall(aw.zmq.version) and aw.zmq.version() or \"none\")'"),
    Lua = lua,
    valgrind = first_line "valgrind --version",
  }
end

return M
