-- Every function of the C library is called by a C test, and every test stands
-- alone: what the header promises is tried from C, not only through Lua.

local process = require "spec.support.process"

local function public_functions()
  local list = {}
  for _, path in ipairs(process.files("core/include", "%.h$")) do
    for name in process.read(path):gmatch "AW_API[^;]-(aw_[%w_]+)%s*%(" do
      list[#list + 1] = name
    end
  end
  return list
end

local function text_of_tests()
  local texts = {}
  for _, path in ipairs(process.files("core/test", "%.[ch]p*$")) do
    texts[#texts + 1] = process.read(path)
  end
  return table.concat(texts)
end

describe("the C tests", function()
  it("call every function of the headers [layers]", function()
    local functions, tests, missing = public_functions(), text_of_tests(), {}
    assert.is_true(#functions > 250)
    for _, name in ipairs(functions) do
      if not tests:find("%f[%w_]" .. name .. "%f[^%w_]") then
        missing[#missing + 1] = name
      end
    end
    assert.are.same({}, missing)
  end)
end)

-- What the library must not call. `why` says what a program would see.
local FORBIDDEN <const> = {
  exit = "exits", _exit = "exits", quick_exit = "exits", abort = "aborts",
  printf = "prints", puts = "prints", putchar = "prints", perror = "prints",
  fprintf = "prints", fputs = "prints", fwrite = "prints", vprintf = "prints",
  vfprintf = "prints", stdout = "prints", stderr = "prints",
  __printf_chk = "prints", __fprintf_chk = "prints", psignal = "prints",
  setlocale = "changes the locale", uselocale = "changes the locale",
  signal = "changes signals", sigaction = "changes signals",
  sigprocmask = "changes signals", pthread_sigmask = "changes signals",
  raise = "raises signals", kill = "raises signals", alarm = "sets a timer",
  setitimer = "sets a timer", setrlimit = "changes limits",
  umask = "changes the umask", chdir = "changes the folder",
  setenv = "changes the environment", putenv = "changes the environment",
  unsetenv = "changes the environment", atexit = "runs at exit",
  sleep = "blocks", usleep = "blocks", nanosleep = "blocks",
  select = "blocks", pause = "blocks", system = "starts a shell",
}

-- What may call some of these nevertheless, and why.
local ALLOWED <const> = {
  -- A build with asserts prints and aborts where an exception of C++ leaves a C
  -- step: see call_function().
  ["core/run/step"] = { fputs = true, fwrite = true, stderr = true,
    abort = true },
  -- The dump that a program has asked for, if it takes no notices.
  ["lua/bind/errors/notice"] = { stderr = true, __fprintf_chk = true,
    fprintf = true },
  -- Signals that aw_lua_main(), or a program by aw.signal, has taken over.
  ["lua/bind/signals/process_signals"] = { sigaction = true, raise = true,
    pthread_sigmask = true },
  ["lua/bind/signals/signals"] = { pthread_sigmask = true, raise = true },
  -- The signal that interrupts the Lua code of a thread, in that thread.
  ["lua/bind/signals/interrupt"] = { pthread_sigmask = true },
  -- The thread that watches the limit of a test begins with signals blocked.
  ["lua/bind/signals/guard"] = { pthread_sigmask = true },
  -- SIGPIPE is blocked in this thread for the time of a write, and raised where
  -- a program has a handler for it; new threads begin with signals blocked.
  ["lua/io/base/system"] = { sigaction = true, raise = true,
    pthread_sigmask = true },
  -- Standard streams as objects of Lua.
  ["lua/io/base/cstdio"] = { stdout = true, stderr = true },
  -- What is written to files is in them when the process has ended, as with io.
  ["lua/io/stream/disk"] = { atexit = true },
  -- `print` of workers.
  ["lua/io/thread/settings"] = { fwrite = true, stdout = true },
  -- Signals for child processes, which the program sends.
  ["lua/io/process/child"] = { kill = true },
  -- Killed children are reaped at the end of the state, in a few ms at most.
  ["lua/io/process/process"] = { nanosleep = true },
  -- A thread of its own.
  ["lua/zmq/context/attendant"] = { nanosleep = true },
}

local TARGETS <const> = { "core", "bind", "assembly", "io", "zmq" }

-- Calls see(unit, symbol) for each symbol that an object of `target` needs.
local function each_needed(build, target, see)
  local folder = ("%s/CMakeFiles/aiowire_%s.dir"):format(build, target)
  local pipe <close> = assert(io.popen(
    ("find %s -name '*.o' ! -name 'embedded*' | xargs nm -A -u")
      :format(process.quoted(folder))))
  for line in pipe:lines() do
    local unit, symbol = line:match "%.dir/(.-)%.c%.o:%s*U%s+([%w_]+)"
    if unit then
      see(unit, symbol)
    end
  end
end

-- Returns a text for each forbidden symbol that is needed, and how many symbols
-- were looked at.
local function offences(build)
  local list, count = {}, 0
  for _, target in ipairs(TARGETS) do
    each_needed(build, target, function(unit, symbol)
      count = count + 1
      local allowed = ALLOWED[unit] or {}
      if FORBIDDEN[symbol] and not allowed[symbol] then
        list[#list + 1] = ("%s %s: %s"):format(unit, FORBIDDEN[symbol], symbol)
      end
    end)
  end
  return list, count
end

describe("the library", function()
  it("neither prints, exits, blocks nor changes the process [layers]",
    function()
      local build = assert(os.getenv "AIOWIRE_BUILD_DIR", "AIOWIRE_BUILD_DIR")
      local list, count = offences(build)
      assert.is_true(count > 1000)
      assert.are.same({}, list)
    end)
end)
