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

-- A build with asserts prints and aborts, where an assertion does not hold and
-- where an exception of C++ leaves a C step: see call_function() in step.c.
local WITH_ASSERTS <const> = {
  ["core/run/step"] = { fputs = true, fwrite = true, stderr = true,
    abort = true },
}

-- Returns a text for each object of the core that needs a forbidden symbol.
local function offences(build)
  local list = {}
  local pipe <close> = assert(io.popen(
    ("nm -A -u %s/CMakeFiles/aiowire_core.dir/core/*.o "):format(build)
      .. ("%s/CMakeFiles/aiowire_core.dir/core/*/*.o "):format(build)
      .. ("%s/CMakeFiles/aiowire_core.dir/core/*/*/*.o"):format(build)))
  local count = 0
  for line in pipe:lines() do
    local unit, symbol = line:match "aiowire_core%.dir/(.-)%.c%.o:%s*U%s+(%S+)"
    if unit then
      count = count + 1
      local allowed = WITH_ASSERTS[unit] or {}
      if FORBIDDEN[symbol] and not allowed[symbol] then
        list[#list + 1] = ("%s %s: %s"):format(unit, FORBIDDEN[symbol], symbol)
      end
    end
  end
  return list, count
end

describe("the core", function()
  it("neither prints, exits, blocks nor changes the process [layers]",
    function()
      local build = assert(os.getenv "AIOWIRE_BUILD_DIR", "AIOWIRE_BUILD_DIR")
      local list, count = offences(build)
      assert.is_true(count > 100)
      assert.are.same({}, list)
    end)
end)
