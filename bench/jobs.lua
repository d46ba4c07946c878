--- What is measured: the jobs of the group `engine`, then those of jobs_io.lua.
---
--- A program does an operation N times: `PROGRAM N [PARAMETER]`. The cost of an
--- operation is (cost(N) - cost(0)) / N. Fields of a job:
---
---   name        of the programs, bench/peers/PEER/NAME.EXT
---   program     their name instead, if they are those of another job
---   group       "engine" or "io"
---   chapter     jobs of a chapter share a plot
---   title       of the row
---   operation   what one operation is, for a reader who compares programs
---   size        N of a first try; then N is chosen for each program so that a
---               run takes long enough
---   sizes       instead: rows with these N, for jobs whose N is a crowd
---   parameters  rows with these parameters, passed to programs (or to a load)
---   by          the figure that ranks: "cpu" (user + system; the default) or
---               "wall"
---   memory      true if the row shows the resident bytes of an operation
---   live        true if bench/run/live.lua measures live bytes of our program
---   times       run a program so often with N = 0, and show the cost of a run:
---               for the start of a program
---   floor       the job whose floor program is the floor of this one, too
---   uses        "zmq" or "tls": peers need their package of it, too
---   data        what programs read, made by bench/run/data.lua; its path
---               goes before PARAMETER, for a load or helper, too
---   musts       what aiowire has to reach: a figure ("cpu", "wall", "live",
---               "peak", "instructions") that is at most `most` seconds, bytes
---               or instructions; or `most` times the same figure of the peer
---               `of`, or of the job's row whose size or parameter is `row`. A
---               must with `size` or `parameter` is for that row only.
---
--- Servers, `PROGRAM ADDRESS [PARAMETER]`, and programs that need another one
--- beside them:
---   address     "tcp" or "ipc": how ADDRESS is made
---   load        { NAME, WORD… }: bench/load/NAME runs against the server,
---               whose cost is measured, as NAME WORD… ADDRESS N [PARAMETER]
---   beside      { NAME, WORD… }: runs likewise, but the measured program,
---               called as PROGRAM N ADDRESS [PARAMETER], ends by itself
---   facing      { NAME, WORD… }: likewise, but NAME is a server, to which the
---               measured program connects
---   pin         true: both have a processor of their own

local CROWDS <const> = { 1000, 10000, 100000, 1000000 }

local jobs <const> = {
  { name = "call", chapter = "steps", title = "Call(f) * N",
    operation = "call an empty function, N times in turn", size = 1000000,
    musts = { { "cpu", most = 1, of = "floor" } } },
  { name = "machine_function", chapter = "steps",
    title = "machine of functions",
    operation = "one step of a state machine: a function that returns the next",
    size = 300000, musts = {
      { "cpu", most = 1, of = "floor" },
      { "instructions", most = 850 },
    } },
  { name = "machine_wire", chapter = "steps", title = "machine of wires",
    operation = "one step of a state machine whose states are objects",
    size = 300000, floor = "machine_function", musts = {
      { "cpu", most = 1, of = "floor" },
      { "instructions", most = 950 },
    } },
  { name = "machine_two", chapter = "steps",
    title = "machine of two functions",
    operation = "one step of a state machine of two functions, which return "
      .. "each other", size = 300000, musts = {
      { "cpu", most = 1.5, of = "floor" },
      { "instructions", most = 1400 },
    } },
  { name = "yield", chapter = "steps", title = "yield, alone",
    operation = "a task gives way; no other task is ready", size = 300000,
    musts = {
      { "cpu", most = 2.5, of = "floor" },
      { "instructions", most = 780 },
    } },
  { name = "yield_two", chapter = "steps", title = "yield, two in turn",
    operation = "a task gives way to the other one", size = 300000,
    musts = { { "cpu", most = 2.5, of = "floor" } } },

  { name = "c_step", chapter = "steps", title = "machine in C",
    operation = "one step of a state machine in C; a callback of libuv",
    size = 3000000, musts = { { "cpu", most = 20e-9 } } },
  { name = "c_step_two", chapter = "steps", title = "machine in C, two in turn",
    operation = "the same in two tasks, in turn", size = 3000000,
    floor = "c_step", musts = { { "cpu", most = 35e-9 } } },

  { name = "answer", chapter = "threads", title = "answers of a thread",
    operation = "a thread completes a wait, and the task waits again; so many "
      .. "tasks wait at the same time", size = 100000,
    parameters = { "1", "100" }, musts = {
      { "cpu", most = 1.5, of = "floor" },
    } },

  { name = "sleepers_wire", chapter = "sleepers", title = "sleeping wires",
    operation = "start a timer or a callback of 0.5 to 1 s, up to its end; "
      .. "all wait at the same time",
    sizes = CROWDS, memory = true, live = true, musts = {
      { "live", most = 270, size = 100000 },
      { "cpu", most = 1 / 4, of = "luv", size = 100000 },
      { "cpu", most = 2, row = 100000, size = 1000000 },
      { "instructions", most = 5500, size = 10000 },
    } },
  { name = "sleepers", chapter = "sleepers", title = "sleeping bodies",
    operation = "start a task that sleeps for 0.5 to 1 s, up to its end; "
      .. "all wait at the same time",
    sizes = CROWDS, memory = true, live = true, musts = {
      { "live", most = 1350, size = 100000 },
      { "cpu", most = 1 / 1.6, of = "cqueues", size = 100000 },
      { "cpu", most = 1.3, of = "floor", size = 100000 },
      { "instructions", most = 11000, size = 10000 },
    } },

  { name = "race", chapter = "groups", title = "race",
    operation = "a sleep of 10 s against something that is ready",
    size = 100000, memory = true, musts = {
      { "peak", most = 4 },
      { "instructions", most = 2300 },
    } },
  { name = "timeout_idle", chapter = "groups", title = "time-out, not reached",
    operation = "a time limit of 10 s around a function that yields once",
    size = 100000 },
  { name = "timeout_fires", chapter = "groups", title = "time-out, reached",
    operation = "a task sleeps under a time limit of 0.1 s, and handles its "
      .. "time-out; all wait at the same time", sizes = { 10000 } },
  { name = "channel", chapter = "groups", title = "channel, rendezvous",
    operation = "one value from task to task, without a buffer",
    size = 200000, musts = {
      { "cpu", most = 2, of = "floor" },
      { "instructions", most = 1700 },
    } },
  { name = "channel_buffered", chapter = "groups", title = "channel, 64 places",
    operation = "one value from task to task, by a buffer of 64",
    size = 200000 },

  { name = "error", chapter = "errors", title = "error",
    operation = "start a task that raises; who started it handles the error",
    size = 30000, musts = { { "instructions", most = 9000 } } },
  { name = "fallback", chapter = "errors", title = "fallback",
    operation = "a function raises, an alternative is called", size = 100000,
    musts = { { "instructions", most = 4500 } } },
  { name = "cancel_wire", chapter = "errors", title = "cancel of a wire",
    operation = "start a timer or a callback of an hour, and cancel it; all "
      .. "wait at the same time", sizes = { 10000 } },
  { name = "cancel", chapter = "errors", title = "cancel",
    operation = "start a task that sleeps for an hour, and cancel it; all "
      .. "sleep at the same time", sizes = { 10000 }, musts = {
      { "instructions", most = 11000, size = 10000 },
    } },
  { name = "cancel_nested", chapter = "errors", title = "cancel, nested",
    operation = "start a nested task, which a cancel of the outermost one "
      .. "reaches", sizes = { 1000, 10000 }, memory = true,
    floor = "cancel", musts = {
      { "cpu", most = 2, row = 1000, size = 10000 },
    } },

  { name = "load", chapter = "start", title = "load",
    operation = "start the interpreter, load the library, end", times = 20,
    memory = true, musts = { { "cpu", most = 1.6, of = "coroutine" } } },
  { name = "startup", chapter = "start", title = "start and end",
    operation = "start the interpreter, load the library, run an empty loop, "
      .. "end", times = 20, memory = true },
}
for _, job in ipairs(jobs) do
  job.group = "engine"
end

local found, io_jobs = pcall(require, "bench.jobs_io")
if found then
  table.move(io_jobs, 1, #io_jobs, #jobs + 1, jobs)
end
return jobs
