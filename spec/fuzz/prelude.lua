-- The first lines of each program of the fuzzer. Each program has a copy of
-- these lines, so a saved program needs nothing else. PLAN is a local of the
-- program.
--
-- Objects are in slots, O.task1, O.loop2, …, which all code may use, close,
-- replace or empty at any time. `try` catches errors. A fault of the library is
-- written to stderr as "FAULT: …", and the runner looks for that.
--
-- `fn` makes the functions that the library calls. Each call uses fuel, and
-- without fuel they do nothing. So every program ends.

warn "@on" -- the runner looks for lost finalizers

local aw = require "aiowire"
local zmq = aw.zmq
local kept, loops = {}, setmetatable({}, { __mode = "k" })
local fuel = PLAN.fuel

-- The slots, and the tasks that were ever in one, for knots().
local TASK <const> = debug.getmetatable((aw.EventLoop():start(aw.Never)))
local slots, tasks = {}, setmetatable({}, { __mode = "k" })
local O = setmetatable({}, { __index = slots, __newindex = function(_, name, x)
  slots[name] = x
  if debug.getmetatable(x) == TASK then
    tasks[x] = true
  end
end })

-- Patterns of errors from inside the library: a place in its own Lua code, or
-- an error of C code, without a place.
local INTERNAL <const> = { "%[aiowire[%w.]*%]:%d+: attempt to",
  "^attempt to index", "^attempt to perform", "internal error" }

local function fault(...)
  io.stderr:write("FAULT: ", table.concat({ ... }, " "), "\n")
end

local function check(err)
  local ok, text = pcall(tostring, err)
  text = ok and text or ""
  for _, pattern in ipairs(INTERNAL) do
    if text:find(pattern) then
      fault("internal:", (text:match "[^\n]*"))
      return
    end
  end
end

-- Handlers and bodies put their arguments into slots, for later use.
local function keep(...)
  local ev, err, info = ...
  O.loop3 = ev == nil and O.loop3 or ev
  O.error1 = err == nil and O.error1 or err
  O.info1 = info == nil and O.info1 or info
end

local function try(f, ...)
  local results = table.pack(pcall(f, ...))
  if not results[1] then
    O.error2 = results[2]
    check(results[2])
  end
  return table.unpack(results, 2, results.n)
end

-- Call a method of the object of a slot, unless the slot is empty.
local function use(object, name, ...)
  if object ~= nil then
    return object[name](object, ...)
  end
end

local function get(object, name)
  if object ~= nil then
    return object[name]
  end
end

-- A certificate and its key, which keeps nothing secret: it is in the sources.
local PEM <const> = [[
-----BEGIN CERTIFICATE-----
MIIBOzCB46ADAgECAgEBMAoGCCqGSM49BAMCMAwxCjAIBgNVBAMMAXgwIBcNMDAw
MTAxMDAwMDAwWhgPMjk5OTAxMDEwMDAwMDBaMAwxCjAIBgNVBAMMAXgwWTATBgcq
hkjOPQIBBggqhkjOPQMBBwNCAARXP4d91w17ueRBSkk9nDAny8rufJiXYITBAN9q
wquoFpAxzeHECvnUhPu1DO/dmPMaIi7IMIx2lWf5jDREHeI9ozQwMjARBgNVHREE
CjAIggZ4LnRlc3QwHQYDVR0OBBYEFAm/t/F+2EilSPxSoYPLdMAuoUOUMAoGCCqG
SM49BAMCA0cAMEQCIGDtsvT90fboRzrFn7OKM3LzxkzstQXri9uLxPY4an59AiA1
vmp0bPu3b4R396rASOCT3lUfRXy2UWpUj1Xn2a/smA==
-----END CERTIFICATE-----
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgXfrsM+BwMoppPzfa
ukR8tQwpr8XWp9jQzLXBprmFCZmhRANCAARXP4d91w17ueRBSkk9nDAny8rufJiX
YITBAN9qwquoFpAxzeHECvnUhPu1DO/dmPMaIi7IMIx2lWf5jDREHeI9
-----END PRIVATE KEY-----
]]
local TLS_SERVER <const> = { cert = PEM, key = PEM, handshake_timeout = 0.02 }
local TLS_CLIENT <const> = { ca = PEM, host = "x.test",
  handshake_timeout = 0.02 }

-- Returns a connection with TLS to a server.
local function secure(server, opts)
  local host, port = use(server, "name")
  return port and aw.tls.connect(host, port, opts or TLS_CLIENT)
end

-- Returns a connection with TLS. The task of the other end keeps that in a
-- slot, makes the handshake, and reads a line.
local function pair()
  local server <close> = aw.tls.listen("127.0.0.1", 0, TLS_SERVER)
  aw.start(function()
    O.stream2 = server:accept()
    O.stream2:handshake():read()
  end, keep)
  return secure(server)
end

-- Returns a connection to a server; nil if there is none.
local function dial(server, opts)
  local host, port = use(server, "name")
  if port then
    return aw.tcp.connect(host, port, opts)
  end
  return host and aw.unix.connect(host, opts)
end

-- A function that uses fuel. Without fuel it returns `default`.
local function fn(f, default)
  return function(...)
    if fuel <= 0 then
      return default
    end
    fuel = fuel - 1
    return f(...)
  end
end

-- A body for aw.Serve that keeps its stream in a slot, too.
local function serve(f)
  return function(ev, stream)
    O.stream2 = stream
    return f(ev)
  end
end

-- For `for` loops that might never end: use fuel, and tell whether none is
-- left.
local function spent()
  fuel = fuel - 1
  return fuel < 0
end

-- A value with the operators of a wire.
local function W(x)
  if x == nil then
    return aw.Value()
  end
  return type(x) == "function" and aw.Wire(x) or x
end

-- Places ----------------------------------------------------------------------

local function closer(f)
  return setmetatable({}, { __close = f })
end

-- Garbage at once. Its finalizer uses `x`, which may be finalized already.
local function doomed(f, x)
  setmetatable({ x = x }, { __gc = function(self) f(self, self.x) end })
end

-- Returns an object whose finalizer uses its field `x`. If `x` is made later
-- than the object, `x` is finalized first.
local function holder(f)
  return setmetatable({}, { __gc = function(self) f(self, self.x) end })
end

-- os.exit, once only. A second call in a finalizer, while the state is closed,
-- would end the process, and LeakSanitizer would report memory not freed yet.
local exits = true
local function exit(...)
  if exits then
    exits = false
    os.exit(...)
  end
end

-- A chain of finalizers: each makes the next one. So some allocation of the
-- library runs `f` at each collection.
local function mine(f)
  setmetatable({}, { __gc = function()
    if fuel > 0 then
      f()
      mine(f)
    end
  end })
end

-- An object that becomes garbage at the end of the program.
local function left(f, x)
  kept[#kept + 1] = setmetatable({ x = x },
    { __gc = function(self) f(self, self.x) end })
end

local function hook(f, mask, count)
  local calls = 0
  debug.sethook(function(...)
    calls = calls + 1
    if calls > 20 or fuel <= 0 then
      debug.sethook()
    else
      f(...)
    end
  end, mask, count)
end

-- A value whose metamethods all call f and then return a valid result.
local function shape(f, answer)
  return setmetatable({}, {
    __tostring = function(self) f(self) return "shape" end,
    __name = "shape",
    __len = function(self) f(self) return 2 end,
    __index = function(self, key)
      f(self, key)
      if type(key) == "number" then
        return key <= 2 and answer or nil
      end
    end,
    __pairs = function(self) f(self) return next, {}, nil end,
    __call = f,
    __close = f,
    __gc = f,
    __eq = function(a) f(a) return true end,
    __lt = function(a) f(a) return true end,
  })
end

-- An object of another library with a descriptor, that of `x`.
local function source(f, x)
  return { getfd = function(self)
    f(self)
    if io.type(x) or type(x) == "number" then
      return x
    end
    return x ~= nil and x.getfd and x:getfd() or 0
  end, dirty = function(self) f(self) return false end }
end

-- Actions ---------------------------------------------------------------------

-- Use freed memory for other objects. The number of calls is limited, since
-- nested loops would take seconds.
local churns = 500
local function churn()
  local junk = {}
  churns = churns - 1
  if churns < 0 then
    return
  end
  for i = 1, 200 do
    junk[i] = ("x"):rep(20 + i * 7 % 300)
  end
end

-- Await a wire again and again, so that finalizers run at any allocation of the
-- await, also while it raises an error.
local function storm(w)
  for _ = 1, 100 do
    if not pcall(aw.await, w) and spent() then
      break
    end
  end
end

-- Read the text and the fields of an object, as a debugger would.
local function look(x)
  if x == nil then
    return
  end
  tostring(x)
  for _, field in ipairs { "status", "name", "waiting", "traceback", "stuck",
    "failure", "age", "task", "chain", "suppressed", "message", "wire", "pid",
    "closed", "last_endpoint", "steps", "info", "cause", "reason", "where" } do
    local ok, value = pcall(function() return x[field] end)
    if ok and type(value) ~= "function" then
      tostring(value)
    elseif not ok then
      check(value)
    end
  end
end

local function new_loop(opts)
  local ev = aw.EventLoop(opts)
  loops[ev] = true
  return ev
end

-- Run `f` with a time limit in the root task, which has none.
local function top(f)
  if aw.current() then
    try(aw.timeout, 0.2, f)
  else
    try(f)
  end
end

-- End -------------------------------------------------------------------------

local COUNTED <const> = { "loops", "tasks", "scopes", "wires", "refs",
  "deadlines", "errors", "busy" }

local function turn()
  pcall(aw.run, aw.Sleep(0.002))
  collectgarbage()
  collectgarbage()
end

-- Counts tasks that are their own result or error. A loop keeps the outcomes of
-- its tasks, so such a task lives as long as its loop. Returns their number,
-- and how many of them have failed.
local function knots()
  local count, failed = 0, 0
  for task in pairs(tasks) do
    local outcome = table.pack(pcall(aw.run, aw.Done(task)))
    for i = 2, outcome.n do
      if rawequal(outcome[i], task) then
        count = count + 1
        failed = failed + (outcome[1] and 0 or 1)
        break
      end
    end
  end
  return count, failed
end

-- Returns how many sockets, and ends of the FIFO, this process has open. Shell
-- counts them: the library is under test, and a stock Lua cannot list a folder.
local function descriptors()
  local pipe <close> = io.popen("ls -l /proc/$PPID/fd 2>/dev/null "
    .. "| grep -c -e ' socket:' -e '/fifo$'")
  return pipe:read "n" or 0
end

-- Returns the differences from `base` as a text, nil if there are none. A
-- failed task that is its own error (see knots) may hold one or two references:
-- its value and an info.
local function difference(base)
  local stats, found = aw.stats(), {}
  local refs = stats.refs - base.refs
  if refs > 0 then
    local count, failed = knots()
    if refs >= count and refs <= count + failed then
      stats.refs, stats.errors = base.refs, stats.errors - failed
    end
  end
  for _, name in ipairs(COUNTED) do
    if stats[name] ~= base[name] then
      found[#found + 1] = ("%s %d, was %d"):format(name, stats[name],
        base[name])
    end
  end
  local open = found[1] and 0 or descriptors()
  if open > base.descriptors then
    found[1] = ("descriptors %d, was %d"):format(open, base.descriptors)
  end
  return found[1] and table.concat(found, "; ")
end

-- End everything, and check that nothing is left. A child may take some time to
-- die, and the machine may be slow, so the check waits for a while.
local function clean(base, root)
  fuel = 0
  if aw.current() and not pcall(aw.yield) then
    return -- the root task is being cancelled, and the counters include that
  end
  debug.sethook()
  for ev in pairs(loops) do
    pcall(ev.stop, ev)
    pcall(ev.close, ev)
  end
  for _, task in ipairs(root and root:tasks() or {}) do
    if task ~= aw.current() then
      pcall(task.close, task)
    end
  end
  for slot in pairs(slots) do
    slots[slot] = nil
  end
  kept = {}
  local ends = os.time() + 20
  repeat
    turn()
    if not difference(base) then
      return
    end
  until os.time() > ends
  fault("left:", difference(base))
end

-- Run f in a task.
local function run(f, opts)
  try(aw.run, f, opts)
end

aw.run(function() end)
collectgarbage()
collectgarbage()
local base, root = aw.stats(), nil
base.descriptors = descriptors()
if aw.current() then
  aw.start(function(ev) root = ev end):wait()
  collectgarbage()
end
