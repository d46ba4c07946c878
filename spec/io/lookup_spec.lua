-- Look-ups in threads, with a resolver that hangs at will [X11, C10]: see
-- spec/support/resolver.c. Each script runs in a process of its own.

local resolver = require "spec.support.resolver"

local PRELUDE <const> = [[
local listening, tasks = nil, {}

--- Start a task that looks a name up.
local function ask(ev, name)
  tasks[name] = ev:start(function() aw.dns.resolve(name) end, aw.keep)
end

local function code_of(name)
  local ok, err = pcall(tasks[name].wait, tasks[name])
  return ok and "found" or err.code
end
]]

--- Run the body of a task with the resolver; it must print `expected`.
local function script(expected, text)
  resolver.prints(expected, PRELUDE .. "aw.run(function(ev)\n" .. text
    .. "\nend)")
end

describe("a look-up that hangs", function()
  it("blocks no other name, however many tasks wait for it [X11]", function()
    script("127.0.0.1\tEAI_NONAME\t4\n", [[
      ask(ev, "a.dead.test")
      ask(ev, "b.dead.test")
      local same = {}
      for i = 1, 100 do
        same[i] = ev:start(aw.Call(aw.dns.resolve, "a.dead.test"), aw.keep)
      end
      hanging(2)
      local found = aw.dns.resolve("x.live.test")[1].address
      found = aw.dns.resolve("y.live.test")[1].address
      resolver.release()
      for i = 1, 100 do
        assert(not pcall(same[i].wait, same[i]))
      end
      print(found, code_of "a.dead.test", resolver.calls())
    ]])
  end)

  it("is forgotten at once when its task is cancelled [X11, C10]", function()
    script("cancelled\t0\t1\n", [[
      ask(ev, "a.dead.test")
      hanging(1)
      tasks["a.dead.test"]:cancel_wait()
      print(tasks["a.dead.test"].status, aw.stats().handles,
        resolver.hanging())
    ]])
  end)

  it("goes on for the tasks that are left [X11]", function()
    script("cancelled\tEAI_NONAME\t1\n", [[
      ask(ev, "a.dead.test")
      local other = ev:start(aw.Call(aw.dns.resolve, "a.dead.test"))
      hanging(1)
      other:cancel_wait()
      resolver.release()
      print(other.status, code_of "a.dead.test", resolver.calls())
    ]])
  end)

  it("is cut short by the time limit of a connect [X11, X13]", function()
    script("true\n", [[
      local ok, err = pcall(aw.tcp.connect, "a.dead.test", 80,
        { timeout = 0.01 })
      print(not ok and aw.is_timeout(err))
    ]])
  end)

  it("does not keep the program from ending [X11]", function()
    script("over\n", [[
      for i = 1, 30 do ask(ev, i .. ".dead.test") end
      hanging(16)
      print "over"
      io.stdout:flush()
      ev:stop()
    ]])
  end)
end)

describe("the admission of look-ups", function()
  it("lets sixteen run, and the others wait in order [X11]", function()
    script("16\t17\n17.dead.test\n18.dead.test\n", [[
      for i = 1, 16 do ask(ev, i .. ".dead.test") end
      hanging(16)
      for i = 17, 19 do ask(ev, i .. ".dead.test"); aw.yield() end
      for _ = 1, 100 do aw.yield() end
      print(resolver.hanging(), resolver.threads())
      for i = 17, 18 do
        resolver.release(1)
        wait_until(function() return resolver.calls() == i end)
        print(resolver.last())
      end
      for _, task in pairs(tasks) do task:cancel() end
    ]])
  end)

  it("does not count those that are forgotten [X11]", function()
    script("127.0.0.1\n", [[
      for i = 1, 16 do ask(ev, i .. ".dead.test") end
      hanging(16)
      for i = 1, 16 do tasks[i .. ".dead.test"]:cancel_wait() end
      for i = 17, 32 do ask(ev, i .. ".dead.test") end
      hanging(32)
      tasks["17.dead.test"]:cancel_wait()
      print(aw.dns.resolve("x.live.test")[1].address)
      for _, task in pairs(tasks) do task:cancel() end
    ]])
  end)

  it("makes no thread for numbers and localhost [X11]", function()
    script("1\t0\n", [[
      aw.dns.resolve "127.0.0.1"
      pcall(aw.tcp.connect, "::1", 1)
      pcall(aw.tcp.connect, "localhost", 1)
      print(resolver.threads(), resolver.calls())
    ]])
  end)

  it("fails without a thread, and recovers [X11]", function()
    script("EAGAIN\tx.live.test\n127.0.0.1\n", [[
      resolver.refuse(true)
      local _, err = pcall(aw.dns.resolve, "x.live.test")
      print(err.code, err.about)
      resolver.refuse(false)
      print(aw.dns.resolve("x.live.test")[1].address)
    ]])
  end)

  it("makes do with the threads that there are [X11]", function()
    script("127.0.0.1\t1\n", [[
      ask(ev, "a.dead.test")
      hanging(1)
      resolver.refuse(true)
      local waits = ev:start(function()
        return aw.Value(aw.dns.resolve("x.live.test")[1].address)
      end)
      for _ = 1, 10 do aw.yield() end
      resolver.release()
      print(waits:wait(), resolver.threads() - 1)
      tasks["a.dead.test"]:cancel()
    ]])
  end)

  it("begins anew in a forked child [X11]", function()
    script("child\t127.0.0.1\nparent\t0\n", [[
      local fork = require "spec_fork"
      ask(ev, "a.dead.test")
      hanging(1)
      local pid = fork.fork()
      if pid == 0 then
        local child <close> = aw.EventLoop { clock = "real", signals = false }
        child:start(function()
          print("child", aw.dns.resolve("x.live.test")[1].address)
          io.stdout:flush()
        end)
        child:run()
        os.exit(0, false)
      end
      print("parent", (fork.wait(pid)))
      tasks["a.dead.test"]:cancel()
    ]])
  end)
end)

describe("names with several addresses", function()
  it("are all tried, and named in the error [X12, X13]", function()
    script("EAI_NONAME\tx.dead.test\nECONNREFUSED\ttrue\n"
      .. "one.live.test:1 (tried 127.0.0.1:1)\n", [[
      resolver.release()
      local _, err = pcall(aw.tcp.connect, "x.dead.test", 1)
      print(err.code, err.about)
      _, err = pcall(aw.tcp.connect, "both.live.test", 1)
      print(err.code, err.about:find("127.0.0.1:1", 1, true) ~= nil)
      _, err = pcall(aw.tcp.connect, "one.live.test", 1)
      print(err.about)
    ]])
  end)
end)
